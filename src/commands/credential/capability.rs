//! `capability`: announces the parts of the protocol that this helper knows.

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
