//! What one run of the program does with the parts below it. [`Context`] holds the handles.

pub(crate) mod advice;
pub(crate) mod asked;
pub(crate) mod assignment;
pub(crate) mod choice;
pub(crate) mod claims;
pub(crate) mod enrol;
pub(crate) mod exchange;
pub(crate) mod job_identity;
pub(crate) mod learned;
pub(crate) mod lookup;
pub(crate) mod menu;
pub(crate) mod naming;
pub(crate) mod renewal;
pub(crate) mod resolve;
pub(crate) mod setup;
pub(crate) mod target;
pub(crate) mod token_source;
pub(crate) mod vault;
pub(crate) mod wording;

use std::cell::{Cell, OnceCell};

use anyhow::Result;

use crate::config::{Config, ConfigError};
use crate::git::calling_process::Callers;
use crate::git::remotes;
use crate::git::run::ReadError;
use crate::hf_cli::HfCli;
use crate::model::endpoint::Endpoint;
use crate::state::file::StateFile;
use crate::storage::file::FileStorage;
use crate::storage::keyring::KeyringStorage;
use crate::system::environment::Environment;
use crate::system::paths::Paths;
use crate::system::trace;
use crate::terminal;

/// The handles of one run: environment, configuration, state and storages, each opened when it is
/// needed.
#[derive(Debug)]
pub(crate) struct Context {
    /// The environment variables.
    pub(crate) env: Environment,
    /// The paths of the helper's files.
    pub(crate) paths: Paths,
    /// The contents of `config.toml`.
    pub(crate) config: Config,
    /// The state file.
    pub(crate) state_file: StateFile,
    token_files: OnceCell<FileStorage>,
    keyring: OnceCell<KeyringStorage>,
    hf_cli: OnceCell<HfCli>,
    /// The remotes of the current repository, read on demand.
    remotes: OnceCell<Result<Vec<remotes::Remote>, ReadError>>,
    /// The calling programs, read on demand.
    callers: OnceCell<Callers>,
    /// Set if the state could not be read. Then a token that is not in it may still exist.
    pub(crate) state_is_unread: Cell<bool>,
}

impl Context {
    /// Reads the environment and finds the files, but does not read the configuration, since some
    /// actions go on if it has a mistake.
    ///
    /// # Errors
    /// When the user has no home directory.
    pub(crate) fn new() -> Result<Self> {
        let env = Environment::from_process();
        if let Some(target) = &env.trace
            && let Err(error) = trace::start(target)
        {
            terminal::say(&format!("cannot open the trace file: {error}"));
        }
        let paths = Paths::new(&env)?;
        let state_file = StateFile::new(paths.state()).with_fallback(Some(Paths::fallback(&env)));
        Ok(Self {
            env,
            paths,
            config: Config::default(),
            state_file,
            token_files: OnceCell::new(),
            keyring: OnceCell::new(),
            hf_cli: OnceCell::new(),
            remotes: OnceCell::new(),
            callers: OnceCell::new(),
            state_is_unread: Cell::new(false),
        })
    }

    /// Reads the environment, finds the files, and reads the configuration.
    ///
    /// # Errors
    /// See [`Context::new`]. Also fails if the configuration has a mistake.
    pub(crate) fn with_config() -> Result<Self> {
        let mut context = Self::new()?;
        context.load_config()?;
        Ok(context)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// When it has a mistake.
    pub(crate) fn load_config(&mut self) -> Result<(), ConfigError> {
        self.config = Config::load(&self.paths.config())?;
        Ok(())
    }

    /// Whether requests for this endpoint are answered: the public Hub, `HF_ENDPOINT` and the
    /// configured ones. Plain http is answered only if the configuration allows it.
    pub(crate) fn serves(&self, endpoint: &Endpoint) -> bool {
        let configured = self.config.endpoint(endpoint);
        if endpoint.is_plain_http() {
            return configured.is_some_and(|options| options.allow_http);
        }
        configured.is_some() || self.env.endpoint().as_ref() == Some(endpoint)
    }

    /// Whether there is any token to give git, wherever it comes from.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(crate) fn has_tokens(&self) -> Result<bool> {
        let elsewhere = !self.env.tokens.is_empty() || !self.config.commands.is_empty();
        // Unreadable files of the hf CLI count as a token.
        let of_hf_cli = || !matches!(self.hf_cli().active_value(), Ok(None));
        Ok(elsewhere || of_hf_cli() || !self.state_file.load()?.tokens.is_empty())
    }

    /// The hf CLI's login.
    pub(crate) fn hf_cli(&self) -> &HfCli {
        self.hf_cli.get_or_init(HfCli::from_process)
    }
}
