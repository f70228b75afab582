//! What `doctor` finds and repairs.

pub mod checks;
pub mod fix;
pub mod hostile;
