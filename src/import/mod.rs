//! Finds tokens that other programs store in plain text ([`mod@find`]), and removes them there
//! ([`remove`]). Each format has a reader and an editor that do no I/O.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::secret::Secret;

pub(crate) mod clones;
pub(crate) mod find;
pub(crate) mod git_credentials;
pub(crate) mod hf;
pub(crate) mod login_url;
pub(crate) mod netrc;
pub(crate) mod remove;
pub(crate) mod small_file;
pub(crate) mod store_helper;

pub(crate) use find::find;

/// A place where tokens are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// The hf CLI's files
    Hf,
    /// The files of git's own `store` helper
    Git,
    /// netrc files
    Netrc,
    /// URLs in git's configuration
    Remotes,
}

impl Source {
    /// All sources.
    pub(crate) const ALL: [Source; 4] = [Self::Hf, Self::Git, Self::Netrc, Self::Remotes];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hf => "hf",
            Self::Git => "git",
            Self::Netrc => "netrc",
            Self::Remotes => "remotes",
        }
    }
}

/// A token in plain text.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its value.
    pub(crate) secret: Secret,
    /// The Hub that it is for.
    pub(crate) endpoint: Endpoint,
    /// Where it is stored.
    pub(crate) place: Place,
    /// The name of the token or the account there.
    pub(crate) name: Option<String>,
    /// The repos that it is used for, if known.
    pub(crate) used_for: Option<UsedFor>,
}

/// The repos that a token is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedFor {
    /// The pattern for a rule.
    pub(crate) pattern: Pattern,
    /// The path, as git would send it.
    pub(crate) path: String,
}

/// What to do about a token in a tracked file. It is not removed there: the next checkout would bring
/// it back, and everyone who can read the repository has it.
pub(crate) const TRACKED_REMEDY: &str = "it cannot be removed here, and whoever can read the repository \
     has it; if it is yours, revoke it on the Hub: git credential-hf logout --revoke --with-token";

/// A value that is not moved.
#[derive(Debug)]
pub(crate) struct Skipped {
    /// Its kind and last four characters.
    pub(crate) hint: String,
    /// Where it is stored.
    pub(crate) place: Place,
    /// Why not.
    pub(crate) reason: String,
    /// Whether the file is tracked by a repository.
    pub(crate) tracked: bool,
}

/// Where a token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Under a name in the hf CLI's `stored_tokens`.
    HfStored { file: PathBuf, name: String },
    /// The hf CLI's active token.
    HfActive { file: PathBuf },
    /// The file of old versions of `huggingface_hub`, which no program reads any more.
    HfOld { file: PathBuf },
    /// A line of git's own `store` helper.
    Credentials {
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A machine of a netrc file.
    Netrc {
        file: PathBuf,
        /// Its first line, counted from 1.
        line: usize,
    },
    /// A URL in git's configuration.
    Config {
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The variable, or the section.
        key: String,
    },
}

impl Place {
    /// The source it belongs to.
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::HfStored { .. } | Self::HfActive { .. } | Self::HfOld { .. } => Source::Hf,
            Self::Credentials { .. } => Source::Git,
            Self::Netrc { .. } => Source::Netrc,
            Self::Config { .. } => Source::Remotes,
        }
    }

    /// Whether it is what logs in hf and Python.
    pub(crate) fn is_hf_login(&self) -> bool {
        matches!(self, Self::HfStored { .. } | Self::HfActive { .. })
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        match self {
            Self::HfStored { file, .. }
            | Self::HfActive { file }
            | Self::HfOld { file }
            | Self::Credentials { file, .. }
            | Self::Netrc { file, .. }
            | Self::Config { file, .. } => file,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file().display();
        match self {
            Self::HfStored { name, .. } => write!(f, "{file} [{name}]"),
            Self::HfActive { .. } | Self::HfOld { .. } => write!(f, "{file}"),
            Self::Credentials { line, .. } | Self::Netrc { line, .. } => write!(f, "{file}:{line}"),
            Self::Config { line, key, .. } => write!(f, "{file}:{line} {key}"),
        }
    }
}
