//! What git itself calls: `get`, `store`, `erase` and `capability`.

pub mod capability;
pub mod erase;
pub mod get;
pub mod request;
pub mod store;
