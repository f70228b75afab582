//! Errors for the user: what happened, why, and what helps.

use std::fmt;
use std::io::{self, Write};

use super::screen::{Screen, Style};
use crate::model::text::sanitize;

/// An error for the user: what happened, and what helps.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Vec<String>,
    usage: bool,
}

impl Failure {
    /// An error with a message that says what happened, and to which repo or token.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Vec::new(),
            usage: false,
        }
    }

    /// An error in the command line. The exit code is 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            usage: true,
            ..Self::new(message)
        }
    }

    /// Whether this is an error in the command line.
    pub(crate) fn is_usage(&self) -> bool {
        self.usage
    }

    /// Adds what to do about it, preferably a command to run.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The error and what helps, where there is one line for both.
    pub(crate) fn in_one_line(&self) -> String {
        let help = self.help.iter().map(|help| format!(": {help}"));
        format!("{}{}", self.message, help.collect::<String>())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What helps against an error, as the `source` of that error. Errors of lower modules carry their
/// help in this way, so that [`print_error`] does not need to know their types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Help(pub(crate) String);

/// An error whose message the user has already seen.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub(crate) struct AlreadyReported;

/// The error when a check has no result. The user has already seen why.
#[derive(Debug, thiserror::Error)]
#[error("not known")]
pub(crate) struct NotKnown;

/// Prints an error with its causes and what helps, in the style of the Rust compiler.
pub(crate) fn print_error(error: &anyhow::Error) {
    let screen = Screen::stderr();
    let red = screen.paint(Style::Red, "error");
    let mut text = format!("{red}: {}\n", sanitize(&error.to_string()));
    let mut said = error.to_string();
    let causes = error.chain().skip(1).filter(|cause| !cause.is::<Help>());
    for cause in causes.map(ToString::to_string) {
        // The messages of many errors already end with their cause.
        if !said.ends_with(&cause) {
            text.push_str(&format!("  = cause: {}\n", sanitize(&cause)));
        }
        said = cause;
    }
    let cyan = screen.paint(Style::Cyan, "help");
    let mut help = |help: &str| text.push_str(&format!("  = {cyan}: {}\n", sanitize(help)));
    // `downcast_ref` of the error itself, unlike that of its causes, also finds context.
    if let Some(failure) = error.downcast_ref::<Failure>() {
        failure.help.iter().for_each(|line| help(line));
    }
    for cause in error.chain().filter_map(|it| it.downcast_ref::<Help>()) {
        help(&cause.0);
    }
    let text = screen.signs(&crate::model::secret::redact(&text));
    let _ = io::stderr().write_all(text.as_bytes());
}
