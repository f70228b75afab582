//! What git is about to do with a repo, as far as its command says.

use std::fmt;

/// What a token is needed for. Git does not tell its helpers; an operation that cannot be found out
/// otherwise is `None` in an `Option<Operation>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Clone, fetch, pull, or download large files.
    Fetch,
    /// Push, or upload large files.
    Push,
}

impl Operation {
    /// Both operations.
    pub const ALL: [Self; 2] = [Self::Fetch, Self::Push];

    /// The words before a repo: "fetch from acme/x", "push to acme/x".
    pub(crate) const fn with_repo(self) -> &'static str {
        match self {
            Self::Fetch => "fetch from",
            Self::Push => "push to",
        }
    }

    /// What a git command does with a remote; `None` if it may do either or is not known.
    pub(crate) fn of_git(command: &str) -> Option<Self> {
        match command {
            "push" | "send-pack" | "http-push" => Some(Self::Push),
            "fetch" | "clone" | "pull" | "ls-remote" | "fetch-pack" | "http-fetch" | "remote"
            | "submodule" | "submodule--helper" => Some(Self::Fetch),
            _ => None,
        }
    }

    /// What a git-lfs command does with a remote; `None` if it is not known.
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

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fetch => "fetch",
            Self::Push => "push",
        })
    }
}
