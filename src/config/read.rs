//! From the text of `config.toml` to [`Config`], strictly, with the place of every mistake.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml_edit::{Document, Item, TableLike, Value};

use super::{CommandLine, Config, ConfigError, EndpointOptions, Rule, VERSION, nearest};
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::token_name::NameError;
use crate::model::token_name::TokenName;
use crate::storage::StorageKind;

/// Reads the text of a file; `path` is for messages only.
///
/// # Errors
/// At the first thing that is not understood.
pub fn config(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let reader = Reader { path, text };
    let document = Document::parse(text).map_err(|error| {
        // The parser's own message shows the line, which may hold a token put there by mistake;
        // its first line says what is wrong without it.
        let message = error.message().lines().next().unwrap_or("not TOML");
        reader.error(error.span(), message.to_owned(), None)
    })?;
    reader.config(document.as_table())
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

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

type Found<T> = Result<T, ConfigError>;

impl Reader<'_> {
    fn config(&self, root: &toml_edit::Table) -> Found<Config> {
        let mut config = Config::default();
        for (key, item) in root.iter() {
            let span = key_span(root, key).or_else(|| item.span());
            match key {
                "version" => self.version(item)?,
                "default" => config.default = Some(self.token_name(item)?),
                "storage" => config.storage = Some(self.storage(item)?),
                "hints" => config.hints = self.boolean(item, "hints")?,
                "keyring_timeout" => config.keyring_timeout = self.seconds(item)?,
                "rules" => config.rules = self.rules(item)?,
                "endpoints" => config.endpoints = self.endpoints(item)?,
                "commands" => config.commands = self.commands(item)?,
                _ => return Err(self.unknown(span, key, &KEYS)),
            }
        }
        Ok(config)
    }

    fn version(&self, item: &Item) -> Found<()> {
        match item.as_integer() {
            Some(VERSION) => Ok(()),
            Some(newer) if newer > VERSION => Err(self.error(
                item.span(),
                format!("this is format {newer}, from a newer git-credential-hf"),
                Some("update git-credential-hf".to_owned()),
            )),
            _ => Err(self.error(
                item.span(),
                "`version` is a number".into(),
                Some("write `version = 1`".into()),
            )),
        }
    }

    fn storage(&self, item: &Item) -> Found<StorageKind> {
        match item.as_str() {
            Some("keyring") => Ok(StorageKind::Keyring),
            Some("file") => Ok(StorageKind::File),
            _ => Err(self.error(
                item.span(),
                "`storage` is where `login` puts new tokens".into(),
                Some("write \"keyring\" or \"file\"".into()),
            )),
        }
    }

    fn seconds(&self, item: &Item) -> Found<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "a few seconds are exact")]
        let seconds = item
            .as_float()
            .or_else(|| item.as_integer().map(|n| n as f64));
        seconds
            .filter(|s| (0.1..=600.0).contains(s))
            .map(Duration::from_secs_f64)
            .ok_or_else(|| {
                let message = "`keyring_timeout` is a number of seconds from 0.1 to 600";
                self.error(
                    item.span(),
                    message.into(),
                    Some("write `keyring_timeout = 3`".into()),
                )
            })
    }

    fn rules(&self, item: &Item) -> Found<Vec<Rule>> {
        let table = self.table(item, "rules", "acme = \"token-name\"")?;
        let mut rules: Vec<Rule> = Vec::with_capacity(table.len());
        // Compared by what they mean, not by how they are written.
        let mut seen = BTreeMap::new();
        for (key, item) in table.iter() {
            let span = key_span(table, key).or_else(|| item.span());
            let pattern = Pattern::parse(key).map_err(|error| {
                self.error(
                    span.clone(),
                    format!("this pattern matches nothing: {error}"),
                    None,
                )
            })?;
            let meaning = pattern.to_string().to_ascii_lowercase();
            if seen.insert(meaning, ()).is_some() {
                let message = format!("there is another rule for `{pattern}`");
                return Err(self.error(span, message, Some("keep one of them".into())));
            }
            let token = self.token_name(item)?;
            rules.push(Rule { pattern, token });
        }
        rules.sort_by_key(|rule| rule.pattern.specificity());
        Ok(rules)
    }

    fn endpoints(&self, item: &Item) -> Found<BTreeMap<Endpoint, EndpointOptions>> {
        let table = self.table(item, "endpoints", "\"https://hub.example\" = {}")?;
        let mut endpoints = BTreeMap::new();
        for (key, item) in table.iter() {
            let span = key_span(table, key).or_else(|| item.span());
            let endpoint = Endpoint::parse(key)
                .map_err(|error| self.error(span.clone(), error.to_string(), None))?;
            let options = self.endpoint_options(item)?;
            if endpoint.is_plain_http() && !options.allow_http {
                let message =
                    format!("`{endpoint}` is plain http, which anybody on the way can read");
                let help = "write { allow_http = true } if that is meant".to_owned();
                return Err(self.error(span, message, Some(help)));
            }
            if endpoints.insert(endpoint, options).is_some() {
                return Err(self.error(span, "this endpoint is there twice".into(), None));
            }
        }
        Ok(endpoints)
    }

    fn endpoint_options(&self, item: &Item) -> Found<EndpointOptions> {
        let table = self.table(item, "an endpoint", "{ env = true }")?;
        let mut options = EndpointOptions::default();
        for (key, item) in table.iter() {
            match key {
                "env" => options.env = self.boolean(item, key)?,
                "allow_http" => options.allow_http = self.boolean(item, key)?,
                _ => {
                    let span = key_span(table, key).or_else(|| item.span());
                    return Err(self.unknown(span, key, &["env", "allow_http"]));
                }
            }
        }
        Ok(options)
    }

    fn commands(&self, item: &Item) -> Found<BTreeMap<TokenName, CommandLine>> {
        let table = self.table(item, "commands", "vault = [\"vault\", \"kv\", \"get\", ..]")?;
        let mut commands = BTreeMap::new();
        for (key, item) in table.iter() {
            let span = key_span(table, key).or_else(|| item.span());
            let name = TokenName::parse(key).map_err(|e| self.error(span, e.to_string(), None))?;
            commands.insert(name, self.command(item)?);
        }
        Ok(commands)
    }

    /// `["program", "argument"]`, or `{ run = [..], endpoint = ".." }` for another endpoint.
    fn command(&self, item: &Item) -> Found<CommandLine> {
        let mut endpoint = Endpoint::hugging_face();
        let mut run = item.as_array();
        if let Some(table) = item.as_table_like() {
            for (key, item) in table.iter() {
                match key {
                    "run" => run = item.as_array(),
                    "endpoint" => {
                        endpoint = item
                            .as_str()
                            .and_then(|text| Endpoint::parse(text).ok())
                            .ok_or_else(|| {
                                let message = "`endpoint` is the URL of a Hub";
                                self.error(item.span(), message.into(), None)
                            })?;
                    }
                    _ => {
                        let span = key_span(table, key).or_else(|| item.span());
                        return Err(self.unknown(span, key, &["run", "endpoint"]));
                    }
                }
            }
        }
        let arguments: Option<Vec<String>> = run.and_then(|array| {
            array
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect()
        });
        match arguments {
            // `./vault` would be whatever the repository at hand has there.
            Some(arguments)
                if arguments
                    .first()
                    .is_some_and(|program| is_relative(program)) =>
            {
                Err(self.error(
                    item.span(),
                    "a command's program is a bare name or an absolute path".into(),
                    None,
                ))
            }
            Some(arguments) if arguments.first().is_some_and(|program| !program.is_empty()) => {
                Ok(CommandLine {
                    arguments,
                    endpoint,
                })
            }
            _ => Err(self.error(
                item.span(),
                "a command is a list of texts: the program, then its arguments".into(),
                Some("write [\"pass\", \"show\", \"hf\"]; no shell reads it".into()),
            )),
        }
    }

    fn table<'i>(&self, item: &'i Item, what: &str, example: &str) -> Found<&'i dyn TableLike> {
        item.as_table_like().ok_or_else(|| {
            let message = format!("{what} is a table");
            self.error(item.span(), message, Some(format!("such as: {example}")))
        })
    }

    fn boolean(&self, item: &Item, key: &str) -> Found<bool> {
        item.as_value()
            .and_then(Value::as_bool)
            .ok_or_else(|| self.error(item.span(), format!("`{key}` is true or false"), None))
    }

    fn token_name(&self, item: &Item) -> Found<TokenName> {
        let text = item.as_str().ok_or_else(|| {
            self.error(
                item.span(),
                "this is the name of a token, in quotes".into(),
                None,
            )
        })?;
        token_name(text).map_err(|error| self.error(item.span(), error.to_string(), None))
    }

    fn unknown(&self, span: Option<Range<usize>>, key: &str, known: &[&str]) -> ConfigError {
        let help = nearest(key, known).map_or_else(
            || format!("known here: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let shown: String = key.chars().filter(|c| !c.is_control()).take(40).collect();
        self.error(span, format!("unknown key `{shown}`"), Some(help))
    }

    fn error(
        &self,
        span: Option<Range<usize>>,
        message: String,
        help: Option<String>,
    ) -> ConfigError {
        let place = span.and_then(|span| {
            let before = self.text.get(..span.start)?;
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            Some((line, column))
        });
        ConfigError {
            path: self.path.to_owned(),
            place,
            message,
            help,
        }
    }
}

/// The token that a rule or the default names. Names made here (`git:..`) may stand there too, so
/// only what cannot be one is refused.
pub fn token_name(text: &str) -> Result<TokenName, NameError> {
    match TokenName::parse(text) {
        Err(NameError::Colon) => Ok(TokenName::existing(text)),
        other => other,
    }
}

fn is_relative(program: &str) -> bool {
    // `C:vault.cmd` is in the drive's working directory.
    let is_path = program.contains(['/', '\\']) || (cfg!(windows) && program.contains(':'));
    is_path && !Path::new(program).is_absolute()
}

fn key_span(table: &(impl TableLike + ?Sized), key: &str) -> Option<Range<usize>> {
    table.key(key).and_then(toml_edit::Key::span)
}
