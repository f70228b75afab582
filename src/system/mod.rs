//! The machine: files, processes, the environment, paths, the clock and the trace.

pub(crate) mod ci_job;
pub(crate) mod clock;
pub mod environment;
pub(crate) mod executable;
pub(crate) mod files;
pub(crate) mod hardening;
pub(crate) mod home;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod scratch;
pub(crate) mod sharing;
pub(crate) mod trace;
