//! README.md and SECURITY.md, held against the program.

pub mod readme;
pub mod threat_model;
