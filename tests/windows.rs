//! The built program on Windows, as people there use it: the Credential Manager, the folders and
//! consoles of Windows. Git itself is not needed. `tests/platform` runs it.
#![cfg(windows)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

#[path = "windows/console.rs"]
mod console;
#[path = "windows/files.rs"]
mod files;
#[path = "windows/programs.rs"]
mod programs;
#[path = "windows/support.rs"]
mod support;
#[path = "windows/tokens.rs"]
mod tokens;
