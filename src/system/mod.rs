//! The machine: files, processes, the environment, paths, the clock and the trace.

pub mod clock;
pub mod environment;
pub mod files;
pub mod hardening;
pub mod paths;
pub mod process;
pub mod trace;
