//! Parses `config.toml` into a [`Config`], and reports the position of mistakes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, ConfigError, EndpointOptions, Rule, VERSION, nearest};
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::token_name::{NameError, TokenName};
use crate::storage::StorageKind;
use crate::storage::command::TokenCommand;
use crate::terminal::Help;

/// Reads the text of a file; `path` is for messages only.
///
/// # Errors
/// The first mistake in the file.
pub(crate) fn config(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let reader = ConfigReader { path, text };
    let document = DeTable::parse(text).map_err(|error| {
        // The parser's message quotes the line, which may contain a token by mistake. Its first
        // line says what is wrong without the quote.
        let message = error.message().lines().next().unwrap_or("not TOML");
        reader.error(error.span(), message.to_owned(), None)
    })?;
    reader.config(document.get_ref())
}

const KEYS: [&str; 8] = [
    "version",
    "default",
    "storage",
    "hints",
    "keyring_timeout",
    "rules",
    "endpoints",
    "commands",
];

struct ConfigReader<'a> {
    path: &'a Path,
    text: &'a str,
}

/// A value and its position in the text.
type Item<'t> = Spanned<DeValue<'t>>;

type Read<T> = Result<T, ConfigError>;

/// The endpoints, and the default tokens of those that have one.
type Endpoints = (
    BTreeMap<Endpoint, EndpointOptions>,
    BTreeMap<Endpoint, TokenName>,
);

impl ConfigReader<'_> {
    fn config(&self, root: &DeTable<'_>) -> Read<Config> {
        let mut config = Config::default();
        for (key, item) in root {
            match key.get_ref().as_ref() {
                "version" => self.version(item)?,
                "default" => config.default = Some(self.token_name(item)?),
                "storage" => config.storage = Some(self.storage(item)?),
                "hints" => config.hints = self.boolean(item, "hints")?,
                "keyring_timeout" => config.keyring_timeout = self.seconds(item)?,
                "rules" => config.rules = self.rules(item)?,
                "endpoints" => (config.endpoints, config.defaults) = self.endpoints(item)?,
                "commands" => config.commands = self.commands(item)?,
                _ => return Err(self.unknown(key, &KEYS)),
            }
        }
        Ok(config)
    }

    fn version(&self, item: &Item<'_>) -> Read<()> {
        match integer(item) {
            Some(VERSION) => Ok(()),
            Some(newer) if newer > VERSION => Err(self.error(
                item.span(),
                format!("this is format {newer}, of a newer git-credential-hf"),
                Some("update git-credential-hf".to_owned()),
            )),
            _ => Err(self.error(
                item.span(),
                "`version` must be a number".into(),
                Some("write `version = 1`".into()),
            )),
        }
    }

    fn storage(&self, item: &Item<'_>) -> Read<StorageKind> {
        match item.get_ref().as_str() {
            Some("keyring") => Ok(StorageKind::Keyring),
            Some("file") => Ok(StorageKind::File),
            _ => Err(self.error(
                item.span(),
                "unknown storage".into(),
                Some("write \"keyring\" or \"file\"".into()),
            )),
        }
    }

    fn seconds(&self, item: &Item<'_>) -> Read<Duration> {
        let text = match item.get_ref() {
            DeValue::Integer(number) => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => "",
        };
        text.parse::<f64>()
            .ok()
            .filter(|s| (0.1..=600.0).contains(s))
            .map(Duration::from_secs_f64)
            .ok_or_else(|| {
                let message = "`keyring_timeout` must be a number of seconds from 0.1 to 600";
                self.error(
                    item.span(),
                    message.into(),
                    Some("write `keyring_timeout = 3`".into()),
                )
            })
    }

    fn rules(&self, item: &Item<'_>) -> Read<Vec<Rule>> {
        let table = self.table(item, "rules", "acme = \"token-name\"")?;
        let mut rules: Vec<Rule> = Vec::with_capacity(table.len());
        // Patterns are compared by their meaning, not by how they are written.
        let mut seen = BTreeMap::new();
        for (key, item) in table {
            let pattern = Pattern::parse(key.get_ref()).map_err(|error| {
                self.error(key.span(), format!("this is not a pattern: {error}"), None)
            })?;
            let meaning = pattern.to_string().to_ascii_lowercase();
            if seen.insert(meaning, ()).is_some() {
                let message = format!("there is another rule for `{pattern}`");
                return Err(self.error(key.span(), message, Some("keep one of them".into())));
            }
            rules.push(self.rule(pattern, item)?);
        }
        rules.sort_by_key(|rule| rule.pattern.specificity());
        Ok(rules)
    }

    /// Reads `"token"`, or `{ fetch = "token", push = "another" }` with at least one of the two.
    fn rule(&self, pattern: Pattern, item: &Item<'_>) -> Read<Rule> {
        let Some(table) = item.get_ref().as_table() else {
            return Ok(Rule::new(pattern, self.token_name(item)?));
        };
        let (mut fetch, mut push) = (None, None);
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "fetch" => fetch = Some(self.token_name(item)?),
                "push" => push = Some(self.token_name(item)?),
                _ => return Err(self.unknown(key, &["fetch", "push"])),
            }
        }
        if fetch.is_none() && push.is_none() {
            let message = "this rule does not name a token".to_owned();
            let help = "write { fetch = \"token-name\", push = \"another\" }".to_owned();
            return Err(self.error(item.span(), message, Some(help)));
        }
        Ok(Rule {
            pattern,
            fetch,
            push,
        })
    }

    fn endpoints(&self, item: &Item<'_>) -> Read<Endpoints> {
        let table = self.table(item, "endpoints", "\"https://hub.example\" = {}")?;
        let mut endpoints = BTreeMap::new();
        let mut defaults = BTreeMap::new();
        for (key, item) in table {
            let endpoint = Endpoint::parse(key.get_ref())
                .map_err(|error| self.error(key.span(), error.to_string(), None))?;
            let (options, default) = self.endpoint_options(item)?;
            if endpoint.is_plain_http() && !options.allow_http {
                let message =
                    format!("`{endpoint}` is plain http, which anyone on the network can read");
                let help = "to allow it, write { allow_http = true }".to_owned();
                return Err(self.error(key.span(), message, Some(help)));
            }
            if let Some(default) = default {
                defaults.insert(endpoint.clone(), default);
            }
            if endpoints.insert(endpoint, options).is_some() {
                return Err(self.error(key.span(), "this endpoint occurs twice".into(), None));
            }
        }
        Ok((endpoints, defaults))
    }

    fn endpoint_options(&self, item: &Item<'_>) -> Read<(EndpointOptions, Option<TokenName>)> {
        let table = self.table(item, "an endpoint", "{ env = true }")?;
        let mut options = EndpointOptions::default();
        let mut default = None;
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "env" => options.env = self.boolean(item, "env")?,
                "allow_http" => options.allow_http = self.boolean(item, "allow_http")?,
                "save" if item.get_ref().as_str() == Some("any") => options.save_any = true,
                "save" => {
                    let message = "`save` must be \"any\" or left out".to_owned();
                    let help = "if it is left out, only what people type at git's prompt is saved"
                        .to_owned();
                    return Err(self.error(item.span(), message, Some(help)));
                }
                "default" => default = Some(self.token_name(item)?),
                _ => return Err(self.unknown(key, &["env", "default", "allow_http", "save"])),
            }
        }
        Ok((options, default))
    }

    fn commands(&self, item: &Item<'_>) -> Read<BTreeMap<TokenName, TokenCommand>> {
        let table = self.table(item, "commands", "vault = [\"vault\", \"kv\", \"get\", ..]")?;
        let mut commands = BTreeMap::new();
        for (key, item) in table {
            let name = TokenName::parse(key.get_ref())
                .map_err(|e| self.error(key.span(), e.to_string(), None))?;
            commands.insert(name, self.command(item)?);
        }
        Ok(commands)
    }

    /// Reads `["program", "argument"]`, or `{ run = [..], endpoint = ".." }` for another endpoint.
    fn command(&self, item: &Item<'_>) -> Read<TokenCommand> {
        let mut endpoint = Endpoint::hugging_face();
        let mut run = item.get_ref().as_array();
        if let Some(table) = item.get_ref().as_table() {
            for (key, item) in table {
                match key.get_ref().as_ref() {
                    "run" => run = item.get_ref().as_array(),
                    "endpoint" => {
                        endpoint = item
                            .get_ref()
                            .as_str()
                            .and_then(|text| Endpoint::parse(text).ok())
                            .ok_or_else(|| {
                                let message = "`endpoint` must be the URL of a Hub";
                                self.error(item.span(), message.into(), None)
                            })?;
                    }
                    _ => return Err(self.unknown(key, &["run", "endpoint"])),
                }
            }
        }
        let arguments: Option<Vec<String>> = run.and_then(|array| {
            array
                .iter()
                .map(|value| value.get_ref().as_str().map(str::to_owned))
                .collect()
        });
        match arguments {
            // A relative path such as `./vault` could be a file of the current repository.
            Some(arguments)
                if arguments
                    .first()
                    .is_some_and(|program| is_relative(program)) =>
            {
                Err(self.error(
                    item.span(),
                    "a command's program must be a bare name or an absolute path".into(),
                    None,
                ))
            }
            Some(arguments) if arguments.first().is_some_and(|program| !program.is_empty()) => {
                Ok(TokenCommand {
                    arguments,
                    endpoint,
                })
            }
            _ => Err(self.error(
                item.span(),
                "a command must be a list of strings: the program, then its arguments".into(),
                Some("for example [\"pass\", \"show\", \"hf\"]; it is not run by a shell".into()),
            )),
        }
    }

    fn table<'i, 't>(
        &self,
        item: &'i Item<'t>,
        what: &str,
        example: &str,
    ) -> Read<&'i DeTable<'t>> {
        item.get_ref().as_table().ok_or_else(|| {
            let message = format!("{what} must be a table");
            self.error(item.span(), message, Some(format!("such as: {example}")))
        })
    }

    fn boolean(&self, item: &Item<'_>, key: &str) -> Read<bool> {
        item.get_ref()
            .as_bool()
            .ok_or_else(|| self.error(item.span(), format!("`{key}` must be true or false"), None))
    }

    fn token_name(&self, item: &Item<'_>) -> Read<TokenName> {
        let text = item.get_ref().as_str().ok_or_else(|| {
            self.error(
                item.span(),
                "this must be the name of a token, in quotes".into(),
                None,
            )
        })?;
        token_name(text).map_err(|error| self.error(item.span(), error.to_string(), None))
    }

    fn unknown(&self, key: &Spanned<Cow<'_, str>>, known: &[&str]) -> ConfigError {
        let help = nearest(key.get_ref(), known).map_or_else(
            || format!("known keys: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let shown: String = key
            .get_ref()
            .chars()
            .filter(|c| !c.is_control())
            .take(40)
            .collect();
        self.error(key.span(), format!("unknown key `{shown}`"), Some(help))
    }

    fn error(
        &self,
        span: impl Into<Option<Range<usize>>>,
        message: String,
        help: Option<String>,
    ) -> ConfigError {
        let place = span.into().and_then(|span| {
            let before = self.text.get(..span.start)?;
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            Some((line, column))
        });
        ConfigError {
            path: self.path.to_owned(),
            place,
            message,
            help: help.map(Help),
        }
    }
}

/// Reads a token's name in a rule or a default. Unlike a name that a user gives to a new token, it
/// may contain a colon (`git:..`).
pub(crate) fn token_name(text: &str) -> Result<TokenName, NameError> {
    match TokenName::parse(text) {
        Err(NameError::Colon) => Ok(TokenName::existing(text)),
        other => other,
    }
}

fn is_relative(program: &str) -> bool {
    // `C:vault.cmd` is relative to the drive's working directory.
    let is_path = program.contains(['/', '\\']) || (cfg!(windows) && program.contains(':'));
    is_path && !Path::new(program).is_absolute()
}

fn integer(item: &Item<'_>) -> Option<i64> {
    let number = item.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
