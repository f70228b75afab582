//! Tokens that are kept elsewhere in plain text, moved over.

pub mod common;
pub mod flow;
pub mod kill;
pub mod places;
