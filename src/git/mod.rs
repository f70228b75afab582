//! Git: its credential protocol, its configuration, its remotes, and the programs that call.

pub mod asking;
pub mod calling_process;
pub mod config;
pub mod config_file;
pub mod elsewhere;
pub mod lock;
mod processes;
pub mod protocol;
pub mod remotes;
pub mod run;
pub mod setup;
pub mod trial;
