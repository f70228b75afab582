//! End-to-end tests: the built helper, the real git and git-lfs, and a stand-in for the Hub on
//! loopback. Nothing here reaches the network, a real account or the developer's own files.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

mod advice;
mod ci;
mod commands;
mod desk;
mod doctor;
mod documents;
mod git;
mod harness;
mod hf_cli;
mod hostile;
mod hub;
mod import;
mod reliability;
mod support;
