//! What a token is wanted for.

/// What git is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Clone, fetch, pull, or download large files.
    Fetch,
    /// Push, or upload large files.
    Push,
}
