//! Git: its credential protocol, its configuration, its remotes, and the programs that call.

pub mod calling_process;
pub(crate) mod config;
pub mod config_file;
pub(crate) mod helpers;
pub(crate) mod lock;
pub(crate) mod other_login;
mod processes;
pub mod protocol;
pub mod remotes;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod trial;
