//! The clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The current time in Unix seconds; 0 if the clock is set to before 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
