//! The world at the edge of the pure core: configuration, state, environment and storages of
//! this run, each opened when it is needed.

use std::cell::{Cell, OnceCell};
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::config::{Config, ConfigError, Rules};
use crate::endpoint::Endpoint;
use crate::environment::Environment;
use crate::files::Lock;
use crate::hf_cli::HfCli;
use crate::name::TokenName;
use crate::paths::Paths;
use crate::repo::Repo;
use crate::secret::Secret;
use crate::select::{
    Candidate, HfKnown, Inputs, Remote, SelectError, Selection, Source, Wanted, select,
};
use crate::state::{State, TokenInfo};
use crate::state_file::{StateError, StateFile};
use crate::state_text::Relevant;
use crate::storage::file::FileStorage;
use crate::storage::keyring::KeyringStorage;
use crate::storage::{Record, Storage, StorageError, StorageKind};
use crate::{caller, console, git, trace, ui};

/// How long to wait for another process that changes the same token; longer than a renewal's
/// request can take.
const NAME_LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// What one run works with.
#[derive(Debug)]
pub struct Context {
    /// The environment's variables.
    pub env: Environment,
    /// Where the files lie.
    pub paths: Paths,
    /// What `config.toml` says.
    pub config: Config,
    /// The state file.
    pub state_file: StateFile,
    keyring: OnceCell<KeyringStorage>,
    hf_cli: OnceCell<HfCli>,
    /// The remotes of the repository at hand, once they were needed.
    remotes: OnceCell<Vec<git::Remote>>,
    /// Whether the state could not be read, so that nothing follows from what is not in it.
    pub state_is_unread: Cell<bool>,
}

impl Context {
    /// Reads the environment and finds the files; the configuration is read separately, since
    /// not every action stops at a mistake in it.
    ///
    /// # Errors
    /// When there is no home directory to look in.
    pub fn new() -> Result<Self> {
        let env = Environment::from_process();
        if let Some(target) = &env.trace {
            trace::start(target);
        }
        let paths = Paths::new(&env)?;
        let state_file = StateFile::new(paths.state()).with_fallback(Some(Paths::fallback(&env)));
        Ok(Self {
            env,
            paths,
            config: Config::default(),
            state_file,
            keyring: OnceCell::new(),
            hf_cli: OnceCell::new(),
            remotes: OnceCell::new(),
            state_is_unread: Cell::new(false),
        })
    }

    /// The same with the configuration read.
    ///
    /// # Errors
    /// When the configuration has a mistake, too.
    pub fn with_config() -> Result<Self> {
        let mut context = Self::new()?;
        context.load_config(Rules::All)?;
        Ok(context)
    }

    /// Reads the configuration, with the rules that are wanted.
    ///
    /// # Errors
    /// When it has a mistake.
    pub fn load_config(&mut self, rules: Rules<'_>) -> Result<(), ConfigError> {
        self.config = Config::load_with(&self.paths.config(), rules)?;
        Ok(())
    }

    /// Whether requests of this endpoint are answered: the public Hub, `HF_ENDPOINT`, and what
    /// is configured; plain http only where the configuration allows it.
    #[must_use]
    pub fn serves(&self, endpoint: &Endpoint) -> bool {
        let configured = self.config.endpoint(endpoint);
        if endpoint.is_plain_http() {
            return configured.is_some_and(|options| options.allow_http);
        }
        configured.is_some() || self.env.endpoint().as_ref() == Some(endpoint)
    }

    /// The state, or an empty one with a word to the user: the environment's tokens can still
    /// be answered without it.
    #[must_use]
    pub fn state_or_empty(&self) -> State {
        self.state_or_empty_with(None)
    }

    /// The same with what matters to one request. Without a path it may turn out to be about any
    /// repo.
    #[must_use]
    pub fn state_for(&self, wanted: &Wanted) -> State {
        let Some(path) = &wanted.path else {
            return self.state_or_empty();
        };
        let repo = Repo::from_path(path);
        let typed = [&self.env.token_name, &wanted.username];
        let typed: Vec<TokenName> = typed
            .into_iter()
            .flatten()
            .map(|name| TokenName::existing(name))
            .collect();
        let rules = self.config.rules.iter().map(|rule| &rule.token);
        let names = rules.chain(&self.config.default).chain(&typed);
        self.state_or_empty_with(Some(&Relevant {
            namespace: repo.as_ref().and_then(|repo| repo.namespace.as_ref()),
            username: wanted.username.as_deref(),
            names: names.collect(),
        }))
    }

    fn state_or_empty_with(&self, relevant: Option<&Relevant<'_>>) -> State {
        match self.state_file.load_with(relevant) {
            Ok(state) => state,
            Err(error) => {
                ui::say(&error.to_string());
                self.state_is_unread.set(true);
                let mut state = State::default();
                self.state_file.add_fallback(&mut state);
                state
            }
        }
    }

    /// The candidates for what is wanted. The repository's remotes are read only when git sent
    /// no path.
    ///
    /// # Errors
    /// When a token asked for by name cannot be had.
    pub fn select(&self, wanted: &Wanted, state: &State) -> Result<Selection, SelectError> {
        let remotes = if wanted.path.is_none() {
            self.remotes(&wanted.endpoint)
        } else {
            Vec::new()
        };
        let names = self.hf_names_asked_for(wanted, &remotes);
        let inputs = Inputs {
            wanted,
            config: &self.config,
            state,
            env: &self.env,
            remotes: &remotes,
            hf: HfKnown {
                // One that cannot be read is there, and what is wrong is said when it is tried.
                active: !matches!(self.hf_cli().active_value(), Ok(None)),
                names: &names,
            },
        };
        let selection = select(inputs)?;
        for (at, candidate) in selection.candidates.iter().enumerate() {
            trace::line(|| format!("candidate {}: {}", at + 1, self.describe(candidate, state)));
        }
        Ok(selection)
    }

    /// The hf CLI's login.
    #[must_use]
    pub fn hf_cli(&self) -> &HfCli {
        self.hf_cli.get_or_init(HfCli::from_process)
    }

    /// The names of the hf CLI's tokens, if anything here asks for one of them.
    fn hf_names_asked_for(&self, wanted: &Wanted, remotes: &[Remote]) -> Vec<String> {
        let rules = self.config.rules.iter().map(|rule| &rule.token);
        let mut configured = rules.chain(&self.config.default);
        let typed = [&self.env.token_name, &wanted.username].into_iter();
        let typed = typed.chain(remotes.iter().map(|remote| &remote.username));
        let asked_for = configured.any(|name| name.of_hf_cli().is_some())
            || typed
                .flatten()
                .any(|name| TokenName::existing(name).of_hf_cli().is_some());
        if asked_for {
            self.hf_cli().names()
        } else {
            Vec::new()
        }
    }

    /// What a request without a path may be about.
    fn remotes(&self, endpoint: &Endpoint) -> Vec<Remote> {
        let all = || self.remotes.get_or_init(git::remotes).as_slice();
        let mut used = None;
        if caller::IS_CHEAP {
            used = caller::in_use();
        }
        let mut places = caller::places(endpoint, used.as_ref(), all);
        if !caller::IS_CHEAP && places.len() > 1 {
            used = caller::in_use();
            places = caller::places(endpoint, used.as_ref(), all);
        }
        let remotes: Vec<Remote> = places
            .into_iter()
            .filter_map(|location| {
                let repo = location.repo()?;
                let username = location.username;
                Some(Remote { repo, username })
            })
            .collect();
        trace::line(|| {
            let repos: Vec<String> = remotes.iter().map(|r| r.repo.to_string()).collect();
            format!("asked without a path, so about: {}", repos.join(", "))
        });
        remotes
    }

    /// A candidate in words: what it is, why, and where it lies.
    #[must_use]
    pub fn describe(&self, candidate: &Candidate, state: &State) -> String {
        let source = source_name(&candidate.source);
        match (&candidate.source, self.place(&candidate.source, state)) {
            (Source::Environment(_), _) | (_, None) => format!("{source} ({})", candidate.reason),
            (_, Some(place)) => format!("{source} ({}, {place})", candidate.reason),
        }
    }

    /// Where a source's secret lies.
    #[must_use]
    pub fn place(&self, source: &Source, state: &State) -> Option<String> {
        match source {
            Source::Stored(name) => {
                let token = state.tokens.get(name)?;
                Some(token.storage.described().to_owned())
            }
            Source::Command(name) => {
                let command = self.config.commands.get(name)?;
                Some(format!("command `{}`", command.arguments.first()?))
            }
            Source::Environment(_) => Some("environment".to_owned()),
            Source::HfCli(_) => Some("the hf CLI's files".to_owned()),
            Source::Exchange | Source::Unusable(..) => None,
        }
    }

    /// The storage of a kind.
    #[must_use]
    pub fn storage(&self, kind: StorageKind) -> Box<dyn Storage + '_> {
        match kind {
            StorageKind::File => Box::new(FileStorage::new(self.paths.tokens())),
            StorageKind::Keyring => Box::new(
                self.keyring
                    .get_or_init(|| KeyringStorage::new(self.config.keyring_timeout)),
            ),
        }
    }

    /// Reads a stored token, and holds it against what is known of it: the endpoint must be the
    /// same, or the token is not used.
    ///
    /// # Errors
    /// When it cannot be had, or lies there for another endpoint.
    pub fn read_stored(&self, name: &TokenName, token: &TokenInfo) -> Result<Record, StorageError> {
        let record = match self.storage(token.storage).read(name) {
            Err(StorageError::NotFound) => self.read_leftover(name)?,
            other => other?,
        };
        if record.endpoint != token.endpoint {
            return Err(StorageError::Refused(format!(
                "the secret that lies there is for {}, not for {}",
                record.endpoint, token.endpoint
            )));
        }
        if !self.is_expected(name, token, &record) {
            return Err(StorageError::Refused(format!(
                "{} holds another token under this name than the one that was put there",
                token.storage.in_words()
            )));
        }
        Ok(record)
    }

    /// Whether a value is one that this program has kept under the name: another program's entry,
    /// or one of a token whose name the storage takes for the same, must not be sent. A renewal
    /// writes its new value before it can describe it.
    fn is_expected(&self, name: &TokenName, token: &TokenInfo, record: &Record) -> bool {
        let value = record.secret.fingerprint();
        let knows = |token: &TokenInfo| token.fingerprint == value || token.former.contains(&value);
        if record.renewed.is_some() || knows(token) {
            return true;
        }
        // Another process may have logged in since the state was read.
        let state = self.state_file.load().unwrap_or_default();
        state.tokens.get(name).is_some_and(knows)
    }

    /// Reads a token that was about to move to another storage when a kill came in between.
    fn read_leftover(&self, name: &TokenName) -> Result<Record, StorageError> {
        let state = self.state_file.load().unwrap_or_default();
        let left = state.leftovers.get(name).into_iter().flatten();
        let mut found = left.map(|kind| self.storage(*kind).read(name));
        found.next().unwrap_or(Err(StorageError::NotFound))
    }

    /// Takes the lock of a name, which whoever changes its secret holds: a login, a logout and
    /// a renewal at once would otherwise undo each other, or leave a secret that nobody lists.
    ///
    /// # Errors
    /// When another process holds it for too long.
    pub fn lock_name(&self, name: &TokenName) -> io::Result<Lock> {
        let path = self.paths.name_lock(name);
        Lock::acquire(&path, NAME_LOCK_DEADLINE).map_err(|error| match error.kind() {
            // Which file that is about, the error says itself.
            io::ErrorKind::TimedOut => error,
            kind => io::Error::new(kind, format!("cannot lock {}: {error}", path.display())),
        })
    }

    /// Keeps a secret under a name. The state names it first and holds what is known of it, so
    /// that a kill in between leaves a token without a secret, which is said, and never a
    /// secret that nobody knows of. What `check` refuses is refused under the lock.
    ///
    /// # Errors
    /// When a file or the storage fails, or `check` does.
    pub fn keep(
        &self,
        name: &TokenName,
        token: TokenInfo,
        record: &Record,
        check: impl FnOnce(&State) -> Result<()>,
    ) -> Result<()> {
        let _lock = self.lock_name(name)?;
        let storage = token.storage;
        let value = record.secret.fingerprint();
        let before = self.state_file.update(|state| {
            check(state)?;
            let mut token = token;
            token.order = state.next_order();
            // Typed again, or logged in again: whatever was held against the value is lifted.
            state.lift(&token.endpoint, &value);
            let before = state.tokens.get(name).cloned();
            if let Some(before) = &before {
                if before.storage != storage {
                    state.leave(name, before.storage);
                }
                let (hint, new) = (token.hint.clone(), token.fingerprint.clone());
                token.former.clone_from(&before.former);
                token.fingerprint.clone_from(&before.fingerprint);
                token.replace_value(new, hint);
            }
            state.tokens.insert(name.clone(), token);
            Ok::<_, anyhow::Error>(before)
        })?;
        if let Err(error) = self.storage(storage).write(name, record) {
            // A secret that is there after all must not lie there for ever, listed nowhere.
            let lies_there = before.as_ref().is_some_and(|old| old.storage == storage);
            let unsure = matches!(error, StorageError::BrokeOff(_))
                && !lies_there
                && self.storage(storage).delete(name).is_err();
            self.state_file.update(|state| {
                match before {
                    Some(before) => {
                        state.clear(name, before.storage);
                        state.tokens.insert(name.clone(), before)
                    }
                    None => state.tokens.remove(name),
                };
                if unsure {
                    state.leave(name, storage);
                }
                Ok::<_, StateError>(())
            })?;
            return Err(error.into());
        }
        self.clear_leftovers(Some(name), &[storage]);
        Ok(())
    }

    /// Removes what was left behind in these storages, which have just answered or cost nothing
    /// to ask, and whatever there is of the token whose lock is held. What cannot be removed now
    /// is removed another time.
    pub fn clear_leftovers(&self, own: Option<&TokenName>, storages: &[StorageKind]) {
        let Ok(state) = self.state_file.load() else {
            return;
        };
        for (name, kind) in state
            .leftovers
            .iter()
            .flat_map(|(name, kinds)| kinds.iter().map(move |kind| (name, *kind)))
        {
            let is_own = own == Some(name);
            if !is_own && kind != StorageKind::File && !storages.contains(&kind) {
                continue;
            }
            if let Err(error) = self.clear_leftover(name, kind, is_own) {
                let place = kind.in_words();
                ui::say(&format!(
                    "an old copy of `{name}` is still in {place}, and is removed next time: {error:#}"
                ));
            }
        }
    }

    /// `own` says that the caller holds the name's lock, and has just put its token elsewhere or
    /// taken it away.
    fn clear_leftover(&self, name: &TokenName, kind: StorageKind, own: bool) -> Result<()> {
        let path = self.paths.name_lock(name);
        let lock = (!own).then(|| Lock::acquire(&path, Duration::ZERO));
        if matches!(lock, Some(Err(_))) {
            // Whoever holds it sees to it.
            return Ok(());
        }
        let state = self.state_file.load()?;
        // Asked there itself: `read_stored` would find this very copy.
        let is_there = |token: &TokenInfo| self.storage(token.storage).read(name).is_ok();
        let token = state.tokens.get(name);
        if !own && token.is_some_and(|token| token.storage != kind && !is_there(token)) {
            // A move that was killed half way: the old copy may be the only one.
            return Ok(());
        }
        let in_use = |token: &TokenInfo| token.storage == kind;
        if !state.tokens.get(name).is_some_and(in_use) {
            self.storage(kind).delete(name)?;
        }
        self.state_file.update(|state| {
            state.clear(name, kind);
            Ok(())
        })
    }

    /// Removes a token: its secret first, then what is known of it. A token that another
    /// process has put in its place since `token` was read stays.
    ///
    /// # Errors
    /// When the storage or the state fails; then the token is still listed.
    pub fn forget(&self, name: &TokenName, token: &TokenInfo) -> Result<()> {
        let _lock = self.lock_name(name)?;
        let same = |state: &State| {
            let now = state.tokens.get(name);
            now.is_some_and(|now| now.order == token.order)
        };
        if !same(&self.state_file.load()?) {
            return Ok(());
        }
        self.storage(token.storage).delete(name)?;
        // Else its copy would be read in its place.
        self.clear_leftovers(Some(name), &[token.storage]);
        self.state_file.update(|state| {
            if same(state) {
                state.tokens.remove(name);
            }
            Ok::<_, StateError>(())
        })?;
        Ok(())
    }

    /// The environment's token in a variable.
    ///
    /// # Errors
    /// When there is none, or it cannot be one.
    pub fn env_secret(&self, variable: &str) -> Result<&Secret, StorageError> {
        let token = self.env.tokens.iter().find(|t| t.variable == variable);
        match token.map(|token| &token.secret) {
            Some(Ok(secret)) => Ok(secret),
            Some(Err(error)) => Err(StorageError::Refused(error.to_string())),
            None => Err(StorageError::NotFound),
        }
    }
}

/// What a source is called in messages.
#[must_use]
pub fn source_name(source: &Source) -> String {
    match source {
        Source::Stored(name) | Source::Command(name) | Source::Unusable(name, _) => {
            format!("token `{name}`")
        }
        Source::Environment(variable) => (*variable).to_owned(),
        Source::Exchange => "the job's token".to_owned(),
        Source::HfCli(None) => "the hf CLI's token".to_owned(),
        Source::HfCli(Some(name)) => format!("the hf CLI's token `{name}`"),
    }
}

/// Seconds since 1970; a clock before that reads as 0.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// The command that replaces a token which is of no use any more.
#[must_use]
pub fn way_out(candidate: &Candidate) -> String {
    match &candidate.source {
        Source::Stored(name) if name.as_str().starts_with("git:") => {
            format!(
                "run `git credential-hf logout {}` to remove it",
                quoted(name.as_str())
            )
        }
        Source::Stored(name) => format!("run `git credential-hf login {}`", quoted(name.as_str())),
        Source::Environment(variable) => format!("set {variable} to another token, or unset it"),
        Source::Command(name) => format!("look at [commands] `{name}` in the configuration"),
        Source::Unusable(name, _) if name.of_hf_cli().is_some() => {
            "`hf auth list` shows the hf CLI's names; change the rule".to_owned()
        }
        Source::Unusable(name, _) => format!(
            "run `git credential-hf login {}`, or change the rule",
            quoted(name.as_str())
        ),
        Source::Exchange => "look at the job's trusted publisher on the Hub".to_owned(),
        Source::HfCli(_) => "run `hf auth login`".to_owned(),
    }
}

/// A name as a shell wants it.
#[must_use]
pub fn quoted(name: &str) -> String {
    crate::quoting::word(name)
}

/// Prints to stdout, fit for a terminal and without a token; a reader that has gone away is no
/// error.
///
/// # Errors
/// When stdout fails for another reason.
pub fn print(text: &str) -> Result<()> {
    let text = crate::secret::redact(&ui::fit(text));
    print_secret(&console::fit_for(&io::stdout(), &text))
}

/// Prints JSON to stdout.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    print(&ui::json(value)?)
}

/// Prints what was asked for although it is secret.
///
/// # Errors
/// When stdout fails.
pub fn print_secret(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
