//! The words of this program as types: endpoints, repos, patterns, tokens and their permissions.
//! Nothing here does I/O.

pub mod endpoint;
pub mod id_token;
pub mod location;
pub mod oidc_resource;
pub mod operation;
pub mod pasted;
pub mod pattern;
pub mod permissions;
pub mod quoting;
pub mod repo;
pub mod secret;
pub mod text;
pub mod time;
pub mod token_name;
