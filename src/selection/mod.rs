//! Which token a request gets. Nothing here does I/O: [`candidates`] lists the tokens that could be
//! the answer, best first, and [`pick`] takes the first usable one.

pub mod candidate;
pub mod candidates;
pub mod exchange;
pub mod mark;
mod order;
pub mod overview;
pub mod pick;
pub mod query;
mod steps;

pub use candidate::*;
pub use candidates::*;
pub use exchange::Exchange;
pub use mark::{Mark, Tried};
pub use order::would_do;
pub use pick::*;
pub use query::*;
