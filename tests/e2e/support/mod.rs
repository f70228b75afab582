//! What the end-to-end tests stand on: a Hub, a user's machine and a keyring, each made new for
//! one test and gone with it.
#![allow(dead_code, reason = "each test uses the part of the toolbox it needs")]

pub mod accounts;
pub mod advice;
pub mod attacks;
pub mod faults;
pub mod git_lfs;
pub mod hf;
pub mod hub;
pub mod keyring;
pub mod machine;
pub mod modes;
pub mod notebook;
pub mod picture;
pub mod pool;
pub mod process;
pub mod programs;
pub mod pypi;
pub mod session;
pub mod snapshot;
pub mod terminal;
pub mod tools;
pub mod user;
