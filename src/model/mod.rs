//! The types of this program's domain: endpoints, repos, patterns, tokens and their permissions.
//! Nothing here does I/O.

pub mod endpoint;
pub(crate) mod id_token;
pub mod location;
pub(crate) mod oidc_resource;
pub mod operation;
pub(crate) mod pasted;
pub mod pattern;
pub mod permissions;
pub(crate) mod quoting;
pub mod repo;
pub mod secret;
pub mod text;
pub mod time;
pub mod token_name;
