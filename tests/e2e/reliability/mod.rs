//! Kills, full disks, hangs, clocks, and many processes at once.

pub mod at_once;
pub mod clock;
pub mod faults;
pub mod hangs;
pub mod standard_streams;
pub mod storages;
