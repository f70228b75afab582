//! Which token a request gets. Nothing here does I/O: [`candidates`] lists what could be answered,
//! in order, and [`pick`] takes the first that can be had.

pub mod candidates;
pub mod pick;

pub use candidates::*;
pub use pick::*;
