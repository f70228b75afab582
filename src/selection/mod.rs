//! Which token a request gets. Nothing here does I/O: [`candidates`] lists what could be answered,
//! in order, and [`pick`] takes the first that can be had.

pub mod candidates;
pub mod exchange;
pub mod pick;

pub use candidates::*;
pub use exchange::Exchange;
pub use pick::*;
