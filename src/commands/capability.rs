//! `capability`: what this helper can do.

use anyhow::Result;

use crate::context::print;
use crate::protocol::CAPABILITIES;

/// Prints the capabilities.
///
/// # Errors
/// When stdout fails.
pub fn run() -> Result<()> {
    print(CAPABILITIES)
}
