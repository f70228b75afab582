//! The query, and everything else that the choice depends on.

use crate::config::Config;
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::{Source, Unusable};
use crate::state::{State, TokenInfo};
use crate::system::environment::Environment;

/// What a token is requested for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The Hub to send the token to.
    pub endpoint: Endpoint,
    /// The path that git sent, if any.
    pub path: Option<String>,
    /// The repo that the path names.
    pub repo: Option<Repo>,
    /// The username that git sent.
    pub username: Option<String>,
    /// What git is about to do, if known.
    pub operation: Option<Operation>,
}

impl Query {
    /// A request as git sends it, which does not contain the operation.
    #[must_use]
    pub fn new(endpoint: Endpoint, path: Option<String>, username: Option<String>) -> Self {
        Self {
            endpoint,
            repo: path.as_deref().and_then(Repo::from_path),
            path,
            username,
            operation: None,
        }
    }

    /// What git would ask for at a location: with the path of the remote, or without a path for the
    /// endpoint itself.
    #[must_use]
    pub fn at(location: &Location) -> Self {
        Self::new(
            location.endpoint.clone(),
            (!location.path.is_empty()).then(|| location.path.clone()),
            location.username.clone(),
        )
    }

    /// Sets the operation.
    #[must_use]
    pub fn for_operation(self, operation: Option<Operation>) -> Self {
        Self { operation, ..self }
    }
}

/// Everything that the choice depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The query.
    pub wanted: &'a Query,
    /// The configuration.
    pub config: &'a Config,
    /// The state.
    pub state: &'a State,
    /// The environment.
    pub env: &'a Environment,
    /// The remotes of the current repository on the wanted endpoint, or only the one that is in
    /// use. Read only if git sent no path.
    pub remotes: &'a [RemoteRepo],
    /// The hf CLI's tokens.
    pub hf: HfKnown<'a>,
}

/// The hf CLI's tokens, without their values.
#[derive(Debug, Clone, Copy, Default)]
pub struct HfKnown<'a> {
    /// Whether it has an active token.
    pub active: bool,
    /// The names of its stored tokens; needed only if one is named.
    pub names: &'a [String],
}

/// A remote of the current repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRepo {
    /// The repo that its URL names.
    pub repo: Repo,
    /// The username in its URL.
    pub username: Option<String>,
}

/// Usernames that tools write because the Hub accepts any.
const GENERIC_USERNAMES: [&str; 6] = ["hf_user", "user", "git", "oauth2", "token", "__token__"];

/// Whether a username does not say who is meant.
#[must_use]
pub fn is_generic(username: &str) -> bool {
    username.is_empty()
        || GENERIC_USERNAMES
            .iter()
            .any(|generic| username.eq_ignore_ascii_case(generic))
}

/// Who is meant by the username in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// There is no username, or a generic one.
    Anybody,
    /// A token with this name.
    Token(Source),
    /// The tokens of one account, and what git's `store` saved with exactly this username.
    User(String),
}

impl Who {
    pub(super) fn read(inputs: Inputs<'_>, username: Option<&str>) -> Self {
        let Some(username) = username else {
            return Self::Anybody;
        };
        // A token may have a generic username as its name; then the name counts.
        match inputs.find(&TokenName::existing(username)) {
            Source::Unusable(..) if is_generic(username) => Self::Anybody,
            Source::Unusable(..) => Self::User(username.to_owned()),
            source => Self::Token(source),
        }
    }

    /// Whether a stored token may be used.
    pub(super) fn accepts(&self, token: &TokenInfo) -> bool {
        match self {
            Self::Anybody => true,
            Self::User(username) => {
                has_account(token, username) || token.username.as_deref() == Some(username)
            }
            Self::Token(_) => false,
        }
    }

    /// Whether a source may be used. Only stored tokens have an account.
    pub(super) fn accepts_source(&self, inputs: Inputs<'_>, source: &Source) -> bool {
        match (self, source) {
            (Self::Anybody, _) => true,
            (_, Source::Stored(name)) => {
                let token = inputs.state.tokens.get(name);
                token.is_some_and(|token| self.accepts(token))
            }
            _ => false,
        }
    }

    /// Whether anything stored for this endpoint may be used.
    pub(super) fn is_known(&self, inputs: Inputs<'_>) -> bool {
        let mut stored = inputs.state.tokens.values();
        !matches!(self, Self::User(_))
            || stored.any(|token| token.endpoint == inputs.wanted.endpoint && self.accepts(token))
    }
}

/// Whether the token belongs to this account. The Hub ignores the case of names.
fn has_account(token: &TokenInfo, username: &str) -> bool {
    token.account.as_deref().is_some_and(|account| {
        account == username
            || (token.endpoint.is_hugging_face() && account.eq_ignore_ascii_case(username))
    })
}

impl Inputs<'_> {
    /// Finds the source with this name on the wanted endpoint.
    pub(super) fn find(self, name: &TokenName) -> Source {
        let wanted = &self.wanted.endpoint;
        if let Some(hf_name) = name.of_hf_cli() {
            return if !self.hf.names.iter().any(|known| known == hf_name) {
                Source::Unusable(name.clone(), Unusable::Missing)
            } else if self.are_of_environment() {
                Source::HfCli(Some(hf_name.to_owned()))
            } else {
                let theirs = self.env.endpoint();
                let why = theirs.map_or(Unusable::Missing, Unusable::OtherEndpoint);
                Source::Unusable(name.clone(), why)
            };
        }
        let mut elsewhere = None;
        if let Some(token) = self.state.tokens.get(name) {
            if token.endpoint == *wanted {
                return Source::Stored(name.clone());
            }
            elsewhere = Some(token.endpoint.clone());
        }
        if let Some(command) = self.config.commands.get(name) {
            if command.endpoint == *wanted {
                return Source::Command(name.clone());
            }
            elsewhere = elsewhere.or_else(|| Some(command.endpoint.clone()));
        }
        let why = elsewhere.map_or(Unusable::Missing, Unusable::OtherEndpoint);
        Source::Unusable(name.clone(), why)
    }

    /// Whether the wanted endpoint is the one that `HF_ENDPOINT` names. The hf CLI's tokens are for
    /// it alone.
    pub(super) fn are_of_environment(self) -> bool {
        self.env.endpoint().as_ref() == Some(&self.wanted.endpoint)
    }

    /// Whether `HF_TOKEN` is for the wanted endpoint: the environment's, or one with `env = true`.
    pub(super) fn takes_environment(self) -> bool {
        let configured = self.config.endpoint(&self.wanted.endpoint);
        configured.unwrap_or_default().env || self.are_of_environment()
    }
}
