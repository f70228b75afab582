//! A git credential helper for the Hugging Face Hub.
//!
//! The pure core names repos ([`repo`], [`pattern`], [`endpoint`]), reads and writes git's
//! protocol ([`protocol`]), chooses tokens ([`select`], [`offer`]) and edits git's configuration
//! ([`git_config_file`]); it does no I/O. The edges are the files ([`config`], [`state`],
//! [`files`]), the [`storage`]s, the hf CLI's login ([`hf_cli`]), [`git`] and the terminal ([`ui`]). [`context`] joins them, and
//! [`commands`] has a file for each verb.

#![forbid(unsafe_code)]

pub mod caller;
pub mod cli;
pub mod commands;
pub mod config;
pub mod config_edit;
pub mod console;
pub mod context;
pub mod diagnosis;
pub mod doctor;
pub mod endpoint;
pub mod environment;
pub mod executable;
pub mod files;
pub mod git;
pub mod git_config;
pub mod git_config_file;
pub mod git_lock;
pub mod grants;
pub mod hardening;
pub mod hf_cli;
pub mod home;
pub mod hub;
pub mod import;
pub mod name;
pub mod offer;
pub mod pasted;
pub mod paths;
pub mod pattern;
pub mod process;
pub mod prompt;
pub mod protocol;
pub mod quoting;
pub mod reader;
pub mod renewal;
pub mod repo;
pub mod secret;
pub mod select;
pub mod sharing;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod start;
pub mod state;
pub mod state_file;
pub mod state_text;
pub mod storage;
pub mod time;
pub mod trace;
pub mod ui;
