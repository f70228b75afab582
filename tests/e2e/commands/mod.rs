//! What a person types, and what is printed.

pub mod bad_input;
mod claims;
pub mod explain_and_list;
pub mod first_minutes;
pub mod interrupted;
pub mod man_and_completions;
pub mod notebook;
pub mod rename;
pub mod snapshots;
pub mod status;
pub mod what_helps;
