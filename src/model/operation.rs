//! What git is about to do with a repo, and which of its commands say so.

use std::fmt;

use crate::model::permissions::Access;

/// What a token is wanted for. Git does not say which one it is; where nothing else says so
/// either, it is unknown (`None` of an `Option<Operation>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Clone, fetch, pull, or download large files.
    Fetch,
    /// Push, or upload large files.
    Push,
}

impl Operation {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Fetch, Self::Push];

    /// What a command of git's does with a remote, if it does only one thing.
    #[must_use]
    pub(crate) fn of_git(command: &str) -> Option<Self> {
        match command {
            "push" | "send-pack" | "http-push" => Some(Self::Push),
            "fetch" | "clone" | "pull" | "ls-remote" | "fetch-pack" | "http-fetch" | "remote"
            | "submodule" | "submodule--helper" => Some(Self::Fetch),
            _ => None,
        }
    }

    /// What a command of git-lfs does with a remote.
    #[must_use]
    pub(crate) fn of_git_lfs(command: &str) -> Option<Self> {
        match command {
            "push" | "pre-push" | "lock" | "unlock" => Some(Self::Push),
            "fetch" | "clone" | "pull" | "smudge" | "filter-process" | "checkout" | "locks" => {
                Some(Self::Fetch)
            }
            _ => None,
        }
    }
}

impl From<Access> for Operation {
    fn from(access: Access) -> Self {
        match access {
            Access::Read => Self::Fetch,
            Access::Write => Self::Push,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fetch => "fetch",
            Self::Push => "push",
        })
    }
}
