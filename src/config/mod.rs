//! The user's configuration, `config.toml`. It is read strictly.

pub mod edit;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::token_name::TokenName;
use crate::storage::StorageKind;
use crate::storage::command::TokenCommand;
use crate::system::files;
use crate::system::files::{Others, Plain};
use crate::terminal::Help;

/// The version of the format that this program reads and writes.
pub(crate) const VERSION: i64 = 1;

/// How long a keyring may take, unless the configuration says otherwise. It is longer on macOS,
/// where the keychain asks for a password in a window.
pub(crate) const KEYRING_TIMEOUT: Duration =
    Duration::from_secs(if cfg!(target_os = "macos") { 60 } else { 3 });

/// The content of `config.toml`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The token of the step **default**.
    pub default: Option<TokenName>,
    /// The default tokens of endpoints that have their own.
    pub defaults: BTreeMap<Endpoint, TokenName>,
    /// Where `login` stores new tokens, if set.
    pub storage: Option<StorageKind>,
    /// Whether hints are printed to stderr.
    pub hints: bool,
    /// The deadline of every keyring call.
    pub keyring_timeout: Duration,
    /// The rules, most specific first.
    pub rules: Vec<Rule>,
    /// The configured endpoints, in addition to the public Hub.
    pub endpoints: BTreeMap<Endpoint, EndpointOptions>,
    /// The commands that print tokens, by token name.
    pub commands: BTreeMap<TokenName, TokenCommand>,
}

/// A pattern and the token to use for it, or one token for each operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where it applies.
    pub pattern: Pattern,
    /// The name of the token for a fetch.
    pub fetch: Option<TokenName>,
    /// The name of the token for a push.
    pub push: Option<TokenName>,
}

impl Rule {
    /// A rule with one token for both operations.
    pub(crate) fn new(pattern: Pattern, token: TokenName) -> Self {
        Self {
            pattern,
            fetch: Some(token.clone()),
            push: Some(token),
        }
    }

    /// The token for an operation. For an unknown operation, the push token takes precedence. A
    /// rule without a token for the operation does not match.
    pub(crate) fn token(&self, operation: Option<Operation>) -> Option<&TokenName> {
        match operation {
            Some(Operation::Fetch) => self.fetch.as_ref(),
            Some(Operation::Push) => self.push.as_ref(),
            None => self.push.as_ref().or(self.fetch.as_ref()),
        }
    }

    /// The token of a rule that has the same token for both operations.
    #[must_use]
    pub fn only_token(&self) -> Option<&TokenName> {
        self.fetch.as_ref().filter(|_| self.fetch == self.push)
    }

    /// The tokens in the rule, each once.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &TokenName> {
        let other = self.push.iter().filter(|_| self.fetch != self.push);
        self.fetch.iter().chain(other)
    }

    /// Sets the token for one operation, or for both (`None`).
    pub fn set(&mut self, operation: Option<Operation>, token: &TokenName) {
        if operation != Some(Operation::Push) {
            self.fetch = Some(token.clone());
        }
        if operation != Some(Operation::Fetch) {
            self.push = Some(token.clone());
        }
    }
}

/// The settings of a configured endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndpointOptions {
    /// Whether `HF_TOKEN` is for this endpoint too.
    pub env: bool,
    /// Whether requests over plain `http` are answered.
    pub allow_http: bool,
    /// `save = "any"`: everything that git passes to `store` is saved, as git's own helpers do.
    /// Otherwise only what a person typed at git's prompt is saved.
    pub save_any: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default: None,
            defaults: BTreeMap::new(),
            storage: None,
            hints: true,
            keyring_timeout: KEYRING_TIMEOUT,
            rules: Vec::new(),
            endpoints: BTreeMap::new(),
            commands: BTreeMap::new(),
        }
    }
}

/// A mistake in the configuration. The message does not quote values, since somebody may have
/// written a token there.
#[derive(Debug)]
pub struct ConfigError {
    pub(crate) path: PathBuf,
    /// Line and column, counted from 1, if known.
    pub place: Option<(usize, usize)>,
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<Help>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.help.as_ref().map(|help| help as _)
    }
}

impl Config {
    /// Whether a rule or a default names this token.
    pub(crate) fn names(&self, token: &TokenName) -> bool {
        self.all_names().any(|name| name == token)
    }

    /// Every token's name in the rules and defaults.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = &TokenName> {
        let rules = self.rules.iter().flat_map(Rule::tokens);
        rules.chain(&self.default).chain(self.defaults.values())
    }

    /// The default token of an endpoint.
    pub(crate) fn default_for(&self, endpoint: &Endpoint) -> Option<&TokenName> {
        self.defaults.get(endpoint).or(self.default.as_ref())
    }

    /// The endpoints whose default is this token; `None` stands for the top-level default.
    pub(crate) fn defaults_to(&self, token: &TokenName) -> Vec<Option<&Endpoint>> {
        let own = self
            .defaults
            .iter()
            .map(|(endpoint, name)| (Some(endpoint), name));
        let all = self.default.iter().map(|name| (None, name)).chain(own);
        all.filter(|(_, name)| *name == token)
            .map(|(endpoint, _)| endpoint)
            .collect()
    }

    /// Reads the file. A missing file gives the default configuration.
    ///
    /// # Errors
    /// When the file cannot be read, is not valid, or may have been written by somebody else.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = files::read_deciding(path).and_then(|Plain { bytes, others }| {
            let text = String::from_utf8(bytes)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
            Ok((text, others))
        });
        match read {
            Ok((text, others)) => {
                let config = Self::parse(path, &text)?;
                match others.filter(|_| config.can_give_away()) {
                    Some(others) => Err(not_trusted(path, &others)),
                    None => Ok(config),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ConfigError {
                path: path.to_owned(),
                place: None,
                message: format!("cannot be read: {error}"),
                help: None,
            }),
        }
    }

    /// Reads the text of a file; `path` is for messages only.
    ///
    /// # Errors
    /// The first mistake in the file.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        read::config(path, text)
    }

    /// Whether an attacker who wrote this file could run programs or have a token from the
    /// environment sent to another host. Rules cannot do this: they choose among the tokens of one
    /// Hub.
    fn can_give_away(&self) -> bool {
        !self.commands.is_empty() || !self.endpoints.is_empty()
    }

    /// The settings of this endpoint; `None` if it is not configured.
    pub(crate) fn endpoint(&self, endpoint: &Endpoint) -> Option<EndpointOptions> {
        let configured = self.endpoints.get(endpoint).copied();
        if endpoint.is_hugging_face() {
            return Some(configured.unwrap_or_default());
        }
        configured
    }
}

/// The known name most similar to a mistyped one, if one is similar enough.
pub(crate) fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    known
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&typed, &name.to_lowercase()),
                *name,
            )
        })
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

/// The error for a file that somebody else may have written.
fn not_trusted(path: &Path, others: &Others) -> ConfigError {
    ConfigError {
        path: path.to_owned(),
        place: None,
        message: format!("{others}, so its commands and endpoints are not used"),
        help: Some(Help(others.remedy())),
    }
}

#[cfg(test)]
mod tests;
