//! The hf CLI and this helper beside each other.

pub mod files;
pub mod shared_login;
