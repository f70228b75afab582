//! `capability`: what this helper can do.

use anyhow::Result;

use crate::git::protocol::CAPABILITIES;
use crate::terminal::print;

/// Prints the capabilities.
///
/// # Errors
/// When stdout fails.
pub(crate) fn run() -> Result<()> {
    print(CAPABILITIES)
}
