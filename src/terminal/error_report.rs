//! Errors for people: what happened, why, and what helps.

use std::fmt;
use std::io::{self, Write};

use super::screen::{Screen, Style};
use crate::model::text::sanitize;

/// An error for a person: what happened, and what helps.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Vec<String>,
    usage: bool,
}

impl Failure {
    /// An error that says what happened, to which repo or token.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Vec::new(),
            usage: false,
        }
    }

    /// An error in what was typed: the exit code is 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            usage: true,
            ..Self::new(message)
        }
    }

    /// Whether the error is in what was typed.
    #[must_use]
    pub(crate) fn is_usage(&self) -> bool {
        self.usage
    }

    /// Adds what to do about it, best a command to run.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The error and what helps, where there is one line for both.
    #[must_use]
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

/// What helps against the error whose source it is. A typed error of a lower room carries its help
/// in this way, and [`print_error`] need not know the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Help(pub(crate) String);

/// An error whose message the user has already seen.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub(crate) struct AlreadyReported;

/// Whether the answer is yes or no is not known; the user has seen why.
#[derive(Debug, thiserror::Error)]
#[error("not known")]
pub(crate) struct NotKnown;

/// Prints an error with its causes and what helps, like the Rust compiler.
pub(crate) fn print_error(error: &anyhow::Error) {
    let screen = Screen::stderr();
    let red = screen.paint(Style::Red, "error");
    let mut text = format!("{red}: {}\n", sanitize(&error.to_string()));
    let mut said = error.to_string();
    let causes = error.chain().skip(1).filter(|cause| !cause.is::<Help>());
    for cause in causes.map(ToString::to_string) {
        // Many errors end with their cause.
        if !said.ends_with(&cause) {
            text.push_str(&format!("  = cause: {}\n", sanitize(&cause)));
        }
        said = cause;
    }
    let cyan = screen.paint(Style::Cyan, "help");
    let mut help = |help: &str| text.push_str(&format!("  = {cyan}: {}\n", sanitize(help)));
    // Asked of the error, not of its causes: it also knows what was added as context.
    if let Some(failure) = error.downcast_ref::<Failure>() {
        failure.help.iter().for_each(|line| help(line));
    }
    for cause in error.chain().filter_map(|it| it.downcast_ref::<Help>()) {
        help(&cause.0);
    }
    let text = screen.signs(&crate::model::secret::redact(&text));
    let _ = io::stderr().write_all(text.as_bytes());
}
