//! What `doctor` finds and repairs.

mod cases;
pub mod checks;
pub mod fix;
pub mod hostile;
mod well;
