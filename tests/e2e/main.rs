//! End-to-end tests: the built helper, the real git and git-lfs, and a stand-in for the Hub on
//! loopback. Nothing here reaches the network, a real account or the developer's own files.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

mod at_once;
mod bad_input;
mod clock;
mod clone_and_push;
mod configure;
mod configure_hf_cli;
mod doctor;
mod doctor_fix;
mod doctor_hostile;
mod explain_and_list;
mod faults;
mod hangs;
mod harness;
mod hf_cli;
mod hf_files;
mod hostile_accounts;
mod hostile_environment;
mod hostile_files;
mod hostile_hosts;
mod hostile_paths;
#[cfg(target_os = "linux")]
mod hostile_processes;
mod hostile_repos;
mod hostile_terminal;
mod hub_check;
mod hub_common;
mod hub_edges;
mod hub_life;
mod hub_login;
mod hub_logout;
mod hub_policy;
mod hub_refusals;
mod hub_scopes;
mod hub_web;
mod import;
mod import_common;
mod import_kill;
mod import_places;
mod lfs;
mod no_path;
mod other_helpers;
mod protocol;
mod readme;
mod rejected;
mod rejected_again;
mod renewal;
mod renewal_races;
mod secrets;
mod standard_streams;
mod storages;
mod store_and_erase;
mod submodules;
mod support;
mod threat_model;
mod two_remotes;
mod what_helps;
mod worktrees;
mod xet;
