//! The only place that runs git to ask it something.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::model::text::one_line;
use crate::system::process::{self, output_within};
use crate::system::scratch::Scratch;

/// How long git may take to read its configuration, which may include a pipe.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// How much configuration is read, in bytes. No working repository has more.
pub(crate) const MAX_CONFIG: u64 = 1024 * 1024;

/// Why git gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Git is not installed.
    #[error("git was not found on PATH")]
    NoGit,
    /// It did not finish in time.
    #[error("git did not finish reading its configuration within {} s", TIMEOUT.as_secs())]
    TooSlow,
    /// It refuses to read a file.
    #[error("git cannot read its configuration")]
    Unreadable,
    /// It printed too much.
    #[error("git's configuration is larger than {} kB", MAX_CONFIG / 1024)]
    TooLong,
}

impl ReadError {
    /// The error for a failed run of git.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::TooSlow,
            io::ErrorKind::FileTooLarge => Self::TooLong,
            _ => Self::NoGit,
        }
    }

    /// The reason, with what git itself says is wrong with its configuration.
    pub(crate) fn in_gits_words(self) -> String {
        match self {
            Self::Unreadable => {
                complaint().map_or_else(|| self.to_string(), |why| format!("{self}: {why}"))
            }
            _ => self.to_string(),
        }
    }
}

/// Runs git under a deadline, and returns what it prints; `None` if there is no git or no output.
///
/// # Errors
/// When it prints too much, or does not finish.
pub(crate) fn ask(arguments: &[&str]) -> Result<Option<String>, ReadError> {
    ask_program("git".as_ref(), arguments)
}

/// Runs one of several gits; see [`ask`].
pub(crate) fn ask_program(git: &Path, arguments: &[&str]) -> Result<Option<String>, ReadError> {
    let mut command = process::command(git);
    command.args(arguments).stderr(Stdio::null());
    let finished = output_within(command, TIMEOUT, MAX_CONFIG);
    match finished.map_err(|error| ReadError::of(&error)) {
        Ok(finished) => {
            let told = String::from_utf8_lossy(&finished.output).into_owned();
            Ok(finished.status.success().then_some(told))
        }
        Err(ReadError::NoGit) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What git says is wrong with its configuration, such as a line of a file; `None` if it can read
/// all of it, or does not say.
pub(crate) fn complaint() -> Option<String> {
    let scratch = Scratch::new().ok()?;
    let errors = scratch.path().join("errors");
    let mut command = process::command("git");
    command
        .args(["config", "--list", "--name-only"])
        .env("LC_ALL", "C")
        .stderr(std::fs::File::create(&errors).ok()?);
    let finished = output_within(command, TIMEOUT, MAX_CONFIG).ok()?;
    let said = std::fs::read(&errors).ok()?;
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().find_map(|line| line.strip_prefix("fatal: "))?;
    (!finished.status.success()).then(|| one_line(line))
}
