//! Git: its credential protocol, its configuration, its remotes, and the programs that call.

pub(crate) mod asking;
pub mod calling_process;
pub(crate) mod config;
pub mod config_file;
pub(crate) mod elsewhere;
pub(crate) mod lock;
mod processes;
pub mod protocol;
pub mod remotes;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod trial;
