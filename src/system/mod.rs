//! The machine: files, processes, the environment, paths, the clock and the trace.

pub mod ci_job;
pub mod clock;
pub mod environment;
pub mod executable;
pub mod files;
pub mod hardening;
pub mod home;
pub mod paths;
pub mod process;
pub mod scratch;
pub mod sharing;
pub mod trace;
