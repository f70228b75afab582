//! A git credential helper for the Hugging Face Hub.
//!
//! The pure core names repos ([`repo`], [`pattern`], [`endpoint`]), reads and writes git's
//! protocol ([`protocol`]), chooses tokens ([`select`], [`offer`]) and edits git's configuration
//! ([`git_config_file`]); it does no I/O. The edges are the files ([`config`], [`state`],
//! [`files`]), the [`storage`]s, the hf CLI's login ([`hf_cli`]), [`git`] and the terminal ([`ui`]). [`context`] joins them, and
//! [`commands`] has a file for each verb.

#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod commands;
pub mod config;
pub mod doctor;
pub mod git;
pub mod hf_cli;
pub mod hub;
pub mod import;
pub mod model;
pub mod selection;
pub mod state;
pub mod storage;
pub mod system;
pub mod terminal;
