//! A git credential helper for the Hugging Face Hub.
//!
//! The folders from top to bottom. Each uses only those below it; `tests/structure.rs` checks this:
//!
//! - `cli`: git's actions by the shortest way, and the command line.
//! - `commands`: one file for each verb, with its arguments; `credential/` is what git calls.
//! - `doctor`: one file for each check.
//! - `import`: tokens that other programs keep in plain text.
//! - `app`: what one invocation does with the parts below.
//! - `selection`: which token a request gets. Pure.
//! - `hf_cli`: the hf CLI's files.
//! - `hub`: requests to a Hub.
//! - `state`: what is known about each token. It contains no secrets.
//! - `config`: `config.toml`, the user's configuration.
//! - `storage`: where secrets are stored.
//! - `git`: the credential protocol, git's configuration, remotes, and the programs that call.
//! - `terminal`: output and prompts.
//! - `system`: files, processes, the environment and the clock.
//! - `model`: the types of this program's domain. Pure.

#![forbid(unsafe_code)]

mod app;
pub mod cli;
mod commands;
pub mod config;
mod doctor;
pub mod git;
pub mod hf_cli;
pub mod hub;
mod import;
pub mod model;
pub mod selection;
pub mod state;
pub mod storage;
pub mod system;
pub mod terminal;
