//! Repositories, files, hosts, processes and terminals that mean harm.

pub mod accounts;
pub mod clones;
pub mod environment;
pub mod files;
pub mod hosts;
pub mod logins;
pub mod paths;
#[cfg(target_os = "linux")]
pub mod processes;
pub mod repos;
pub mod secrets;
pub mod terminal;
