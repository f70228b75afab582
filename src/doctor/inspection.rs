//! What the checks inspect, read once.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use crate::app::{Context, setup};
use crate::config::ConfigError;
use crate::git::config;
use crate::git::config::Entry;
use crate::git::run::ReadError;
use crate::hub::Hub;
use crate::hub::probe::{Probe, Unreached};
use crate::model::endpoint::Endpoint;
use crate::state::State;
use crate::system::process::output_within;
use crate::system::{home, process};

/// How long a program may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a program's output is read, in bytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// How long the Hub may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The keys of git's configuration that the checks need.
const KEYS: &str = r"^(credential|http|https|remote|url|submodule|filter\.lfs|lfs)\.";

/// What the checks inspect.
#[derive(Debug)]
pub(crate) struct Inspection<'c> {
    /// Paths, environment and configuration (the default configuration if it cannot be read).
    pub(crate) context: &'c Context,
    /// Why the configuration cannot be read, if it cannot.
    pub(crate) config_error: Option<ConfigError>,
    /// The state, or why it cannot be read.
    pub(crate) state: Result<State, String>,
    /// Git's configuration in the working directory.
    pub(crate) entries: Result<Vec<Entry>, ReadError>,
    /// This user's home directory, as git and as others find it.
    pub(crate) homes: Vec<PathBuf>,
    /// Whether the network is not to be used.
    pub(crate) offline: bool,
    contact: OnceCell<Result<Probe, Unreached>>,
}

impl<'c> Inspection<'c> {
    /// Reads everything. Nothing that is missing or broken is an error.
    pub(crate) fn look(
        context: &'c Context,
        config_error: Option<ConfigError>,
        offline: bool,
    ) -> Self {
        Self {
            context,
            config_error,
            state: context.state_file.load().map_err(|error| error.to_string()),
            entries: config::read(KEYS),
            homes: [home::home(), home::of_python()]
                .into_iter()
                .flatten()
                .collect(),
            offline,
            contact: OnceCell::new(),
        }
    }

    /// The Hubs, as git looks them up.
    pub(crate) fn hubs(&self) -> Vec<String> {
        let mut hubs = setup::endpoints(&self.context.config);
        let environments = self.context.env.endpoint();
        let served = environments.filter(|endpoint| self.context.serves(endpoint));
        if let Some(endpoint) = served.map(|endpoint| endpoint.to_string())
            && !hubs.contains(&endpoint)
        {
            hubs.push(endpoint);
        }
        hubs
    }

    /// The environment's Hub.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let endpoint = self.context.env.endpoint();
        endpoint.unwrap_or_else(Endpoint::hugging_face)
    }

    /// How the Hub answered a request without a token. Made once, under a deadline.
    pub(crate) fn contact(&self) -> &Result<Probe, Unreached> {
        self.contact
            .get_or_init(|| Hub::probe(&self.endpoint(), PROBE_TIMEOUT))
    }
}

/// The first line that a program prints, run outside the current repository so that it does not use
/// that configuration. `None` if it cannot be started, fails, or takes too long.
pub(crate) fn version_of(program: &std::path::Path, arguments: &[&str]) -> Option<String> {
    let mut command = process::command(program);
    command
        .args(arguments)
        .current_dir(std::env::temp_dir())
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stderr(Stdio::null());
    let finished = output_within(command, VERSION_TIMEOUT, MAX_OUTPUT).ok()?;
    let text = String::from_utf8_lossy(&finished.output);
    let line = text.lines().next().map(str::to_owned);
    line.filter(|_| finished.status.success())
}

/// What git prints here, trimmed; `None` if it fails or takes too long.
pub(crate) fn ask_git(arguments: &[&str]) -> Option<String> {
    Some(crate::git::run::ask(arguments).ok()??.trim().to_owned())
}
