//! The configuration that people write: `config.toml`, read strictly.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::{Document, Item, TableLike, Value};

use crate::endpoint::Endpoint;
use crate::name::TokenName;
use crate::pattern::Pattern;
use crate::storage::StorageKind;

/// The version of the file that this program reads and writes.
pub const VERSION: i64 = 1;

/// How long a keyring may take, unless the configuration says otherwise.
pub const KEYRING_TIMEOUT: Duration = Duration::from_secs(3);

/// What `config.toml` says.
#[derive(Debug, Clone)]
pub struct Config {
    /// The token for repos that nothing else names one for.
    pub default: Option<TokenName>,
    /// Where `login` puts new tokens, once it was said.
    pub storage: Option<StorageKind>,
    /// Whether one-line hints go to stderr.
    pub hints: bool,
    /// The deadline of every keyring call.
    pub keyring_timeout: Duration,
    /// The rules, most specific first.
    pub rules: Vec<Rule>,
    /// The endpoints beside the public Hub.
    pub endpoints: BTreeMap<Endpoint, EndpointOptions>,
    /// The tokens that other programs hand out, by name.
    pub commands: BTreeMap<TokenName, CommandLine>,
}

/// A pattern and the token to use there.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where it applies.
    pub pattern: Pattern,
    /// The name of the token.
    pub token: TokenName,
}

/// What is said of a configured endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndpointOptions {
    /// `HF_TOKEN` belongs to this endpoint too.
    pub env: bool,
    /// Plain `http` is answered.
    pub allow_http: bool,
}

/// A program that prints a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments; never empty.
    pub arguments: Vec<String>,
    /// The only endpoint that gets the token.
    pub endpoint: Endpoint,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default: None,
            storage: None,
            hints: true,
            keyring_timeout: KEYRING_TIMEOUT,
            rules: Vec::new(),
            endpoints: BTreeMap::new(),
            commands: BTreeMap::new(),
        }
    }
}

/// What is wrong, where, and what would be right. Values are not quoted, since somebody may
/// have written a token there.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Line and column, counted from 1, where known.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
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

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file; a missing one is the default configuration.
    ///
    /// # Errors
    /// When it cannot be read or says something that this program does not understand.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = crate::files::read_plain(path).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| {
                std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8")
            })
        });
        match read {
            Ok(text) => {
                let config = Self::parse(path, &text)?;
                if !config.commands.is_empty() && is_others(path) {
                    return Err(ConfigError {
                        path: path.to_owned(),
                        place: None,
                        message: "other users can write to it, so its commands are not run"
                            .to_owned(),
                        help: Some(format!(
                            "run `chmod go-w {}`, and look at it",
                            path.display()
                        )),
                    });
                }
                Ok(config)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
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
    /// At the first thing that is not understood.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let reader = Reader { path, text };
        let document = Document::parse(text).map_err(|error| {
            // The parser's own message shows the line, which may hold a token put there by
            // mistake; its first line says what is wrong without it.
            let message = error
                .message()
                .lines()
                .next()
                .unwrap_or("not TOML")
                .to_owned();
            reader.error(error.span(), message, None)
        })?;
        reader.config(document.as_table())
    }

    /// What is said of this endpoint; `None` when it is no endpoint of ours.
    #[must_use]
    pub fn endpoint(&self, endpoint: &Endpoint) -> Option<EndpointOptions> {
        let configured = self.endpoints.get(endpoint).copied();
        if endpoint.is_hugging_face() {
            return Some(configured.unwrap_or_default());
        }
        configured
    }
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
        // Names made here (`git:..`) may stand in a rule, so only what cannot be one is refused.
        match TokenName::parse(text) {
            Ok(name) => Ok(name),
            Err(crate::name::NameError::Colon) => Ok(TokenName::existing(text)),
            Err(error) => Err(self.error(item.span(), error.to_string(), None)),
        }
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

fn is_relative(program: &str) -> bool {
    program.contains(['/', '\\']) && !Path::new(program).is_absolute()
}

/// Whether somebody else can write to the file: then it must not name programs to run.
#[cfg(unix)]
fn is_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).is_ok_and(|metadata| {
        let owner = metadata.uid();
        let ours = owner == 0 || owner == rustix::process::geteuid().as_raw();
        !ours || metadata.mode() & 0o002 != 0
    })
}

#[cfg(not(unix))]
fn is_others(_: &Path) -> bool {
    false
}

fn key_span(table: &(impl TableLike + ?Sized), key: &str) -> Option<Range<usize>> {
    table.key(key).and_then(toml_edit::Key::span)
}

/// The known name that a mistyped one is nearest to, if any is near.
#[must_use]
pub fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("config.toml"), text)
    }

    #[test]
    fn the_documented_example() {
        let config = parse(
            r#"
version = 1
default = "personal"            # the token of step 6
storage = "keyring"
hints = true
keyring_timeout = 3

[rules]
acme = "acme-write"
"acme/llama-*" = "llama"
"datasets/acme/x" = "data"
"https://hub.corp.example/acme" = "corp"

[endpoints]
"https://hub.corp.example" = { env = true }
"http://127.0.0.1:8080" = { allow_http = true }

[commands]
vault = ["vault", "kv", "get", "-field=token", "secret/hf"]
corp = { run = ["pass", "corp"], endpoint = "https://hub.corp.example" }
"#,
        )
        .unwrap();
        let rules: Vec<String> = config.rules.iter().map(|r| r.pattern.to_string()).collect();
        assert_eq!(
            rules,
            [
                "datasets/acme/x",
                "acme/llama-*",
                "acme",
                "https://hub.corp.example/acme"
            ]
        );
        assert_eq!(config.default.unwrap().as_str(), "personal");
        assert_eq!(config.keyring_timeout, Duration::from_secs(3));
        assert_eq!(config.endpoints.len(), 2);
        let corp = config.commands.get(&TokenName::existing("corp")).unwrap();
        assert_eq!(corp.endpoint.to_string(), "https://hub.corp.example");
        assert_eq!(config.commands.len(), 2);
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = parse("").unwrap();
        assert!(config.hints && config.rules.is_empty() && config.storage.is_none());
        assert_eq!(
            config.endpoint(&Endpoint::hugging_face()),
            Some(EndpointOptions::default())
        );
        assert_eq!(
            config.endpoint(&Endpoint::parse("https://x.example").unwrap()),
            None
        );
    }

    #[test]
    fn errors_say_where_and_what_would_be_right() {
        for (text, expected) in [
            (
                "version = 1\nruls = {}\n",
                "config.toml:2:1: unknown key `ruls` | did you mean `rules`?",
            ),
            (
                "zzzzzz = 1\n",
                "config.toml:1:1: unknown key `zzzzzz` | known here: version, default, storage, hints, keyring_timeout, rules, endpoints, commands",
            ),
            (
                "version = 2\n",
                "config.toml:1:11: this is format 2, from a newer git-credential-hf | update git-credential-hf",
            ),
            (
                "[rules]\n\"acme/x/y\" = \"a\"\n",
                "config.toml:2:1: this pattern matches nothing: a pattern has at most a kind, a namespace and a name: datasets/acme/x | ",
            ),
            (
                "[rules]\nacme = \"a\"\nAcme = \"b\"\n",
                "config.toml:3:1: there is another rule for `Acme` | keep one of them",
            ),
            (
                "[rules]\nacme = 1\n",
                "config.toml:2:8: this is the name of a token, in quotes | ",
            ),
            (
                "hints = \"no\"\n",
                "config.toml:1:9: `hints` is true or false | ",
            ),
            (
                "storage = \"disk\"\n",
                "config.toml:1:11: `storage` is where `login` puts new tokens | write \"keyring\" or \"file\"",
            ),
            (
                "keyring_timeout = 0\n",
                "config.toml:1:19: `keyring_timeout` is a number of seconds from 0.1 to 600 | write `keyring_timeout = 3`",
            ),
            (
                "[endpoints]\n\"http://hub.example\" = {}\n",
                "config.toml:2:1: `http://hub.example` is plain http, which anybody on the way can read | write { allow_http = true } if that is meant",
            ),
            (
                "[endpoints]\n\"https://hub.example/x\" = {}\n",
                "config.toml:2:1: an endpoint is scheme, host and port, without a path | ",
            ),
            (
                "[endpoints]\n\"https://hub.example\" = { enw = true }\n",
                "config.toml:2:27: unknown key `enw` | did you mean `env`?",
            ),
            (
                "[commands]\nv = \"vault kv get\"\n",
                "config.toml:2:5: a command is a list of texts: the program, then its arguments | write [\"pass\", \"show\", \"hf\"]; no shell reads it",
            ),
            (
                "[commands]\nv = []\n",
                "config.toml:2:5: a command is a list of texts: the program, then its arguments | write [\"pass\", \"show\", \"hf\"]; no shell reads it",
            ),
        ] {
            let error = parse(text).unwrap_err();
            let shown = format!("{error} | {}", error.help.clone().unwrap_or_default());
            assert_eq!(shown, expected);
        }
        let error = parse("version = 1\nrules = [\n").unwrap_err();
        assert!(error.place.is_some_and(|(line, _)| line >= 2), "{error}");
    }

    #[test]
    fn a_token_written_by_mistake_is_not_quoted() {
        let token = format!("hf_{}", "Ab1".repeat(12));
        for text in [
            format!("default = \"{token}\"\n"),
            format!("[rules]\nacme = \"{token}\"\n"),
            format!("default = {token}\n"),
        ] {
            let error = parse(&text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains(&token),
                "{}",
                shown.replace(&token, "TOKEN")
            );
        }
    }
}
