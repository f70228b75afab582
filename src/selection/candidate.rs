//! A token that could be the answer: where it comes from, and which step chose it.

use std::fmt;

use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::permissions::Lack;
use crate::model::token_name::TokenName;
use crate::selection::Exchange;

/// A token that could be the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it comes from.
    pub source: Source,
    /// The step that chose it.
    pub reason: Reason,
    /// Why the Hub will refuse a push with it, if that is known.
    pub lack: Option<Lack>,
    /// If it cannot be used, the request fails instead of using another candidate.
    pub required: bool,
}

impl Candidate {
    /// A candidate about which nothing else is known.
    #[must_use]
    pub fn new(source: Source, reason: Reason) -> Self {
        Self {
            source,
            reason,
            lack: None,
            required: false,
        }
    }
}

/// Where a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A stored token.
    Stored(TokenName),
    /// A configured command.
    Command(TokenName),
    /// An environment variable.
    Environment(&'static str),
    /// A CI job's identity, exchanged for a token.
    Exchange(Exchange),
    /// A token of the hf CLI; `None` is its active token.
    HfCli(Option<String>),
    /// A name in a rule or a default that does not match a token of this endpoint.
    Unusable(TokenName, Unusable),
}

impl Source {
    /// The name of a token that is stored here.
    pub(crate) fn stored(&self) -> Option<&TokenName> {
        match self {
            Self::Stored(name) => Some(name),
            _ => None,
        }
    }

    /// The kind of source, as written in the JSON output.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stored(_) => "stored",
            Self::Command(_) => "command",
            Self::Environment(_) => "environment",
            Self::Exchange(_) => "exchange",
            Self::HfCli(_) => "hf-cli",
            Self::Unusable(..) => "unusable",
        }
    }

    /// The name of the token or variable.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Stored(name) | Self::Command(name) | Self::Unusable(name, _) => {
                Some(name.as_str())
            }
            Self::Environment(variable) => Some(variable),
            Self::HfCli(name) => name.as_deref(),
            Self::Exchange(_) => None,
        }
    }
}

impl Source {
    /// Whether no other token may take its place. A job that is set up to use its identity must not
    /// act as a person whose token happens to be on the machine.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Exchange(_))
    }
}

/// Why a named token cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// No token has this name.
    Missing,
    /// It is for another endpoint.
    OtherEndpoint(Endpoint),
}

/// The step that chose a candidate. The steps are in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// **named**: by `GIT_CREDENTIAL_HF_TOKEN_NAME`.
    NamedByEnvironment,
    /// **named**: the username in the URL is the token's name.
    NamedByUsername,
    /// **rule**
    Rule(Pattern),
    /// **exchange**: `HF_OIDC_RESOURCE` is set.
    Exchange,
    /// **scoped**: its recorded scopes name the repo or its namespace.
    Scoped(String),
    /// **environment**
    Environment,
    /// **account**: its account owns the namespace.
    Own(String),
    /// **account**: its account is a member of the organisation.
    Member(String),
    /// **default**
    Default,
    /// **saved**: git's `store` saved it for exactly this path.
    SavedForPath(String),
    /// **saved**: git's `store` saved it for the host.
    SavedForHost,
    /// **hf CLI**: its active token.
    HfActive,
    /// **any**: the oldest token that may read repos outside its own namespaces.
    Any,
}

impl Reason {
    /// The step's name in the documentation.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::NamedByEnvironment | Self::NamedByUsername => "named",
            Self::Rule(_) => "rule",
            Self::Exchange => "exchange",
            Self::Scoped(_) => "scoped",
            Self::Environment => "environment",
            Self::Own(_) | Self::Member(_) => "account",
            Self::Default => "default",
            Self::SavedForPath(_) | Self::SavedForHost => "saved",
            Self::HfActive => "hf CLI",
            Self::Any => "any",
        }
    }

    /// Whether the reason depends on the repo, and so cannot apply if the repo is not known.
    pub(super) fn is_about_the_repo(&self) -> bool {
        matches!(
            self,
            Self::Rule(_) | Self::Scoped(_) | Self::Own(_) | Self::Member(_) | Self::Any
        )
    }
}

/// Writes a clause that can follow "because".
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamedByEnvironment => f.write_str("GIT_CREDENTIAL_HF_TOKEN_NAME names it"),
            Self::NamedByUsername => f.write_str("the username names it"),
            Self::Rule(pattern) => write!(f, "rule `{pattern}` names it"),
            Self::Exchange => f.write_str("HF_OIDC_RESOURCE is set"),
            Self::Scoped(scope) => write!(f, "its scopes cover {scope}"),
            Self::Environment => f.write_str("it is set in the environment"),
            Self::Own(account) => write!(f, "its account is {account}"),
            Self::Member(organisation) => {
                write!(f, "its account is a member of {organisation}")
            }
            Self::Default => f.write_str("it is the default token"),
            Self::SavedForPath(path) => write!(f, "git saved it for {path}"),
            Self::SavedForHost => f.write_str("git saved it for the host"),
            Self::HfActive => f.write_str("it is active in the hf CLI"),
            Self::Any => f.write_str("it is the oldest token that may read gated repos"),
        }
    }
}
