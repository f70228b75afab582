//! What git itself calls: `get`, `store`, `erase` and `capability`.

pub(crate) mod capability;
pub(crate) mod erase;
pub(crate) mod get;
pub(crate) mod request;
pub(crate) mod store;
