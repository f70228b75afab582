//! A git credential helper for the Hugging Face Hub.
//!
//! The folders, from the top down. Each uses only those below it, which `tests/structure.rs` checks:
//!
//! - `cli`: the command line, with git's actions first.
//! - `commands`: one file for each verb, with its arguments; `credential/` is what git calls.
//! - `doctor`: one file for each check.
//! - `import`: tokens that other programs store in plain text.
//! - `app`: what one invocation does with the parts below.
//! - `selection`: which token a request gets. Pure.
//! - `hf_cli`: the hf CLI's files.
//! - `hub`: requests to a Hub.
//! - `state`: what is known about each token, but never its secret.
//! - `config`: `config.toml`, which people edit.
//! - `storage`: where secrets are stored.
//! - `git`: the credential protocol, git's configuration, remotes, and the calling programs.
//! - `terminal`: what a person sees and types.
//! - `system`: files, processes, the environment and the clock.
//! - `model`: the terms of git and the Hub as types. Pure.

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
