//! Prints text after making it safe for a terminal and removing tokens.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::screen::Screen;
use crate::model::secret::redact;
use crate::model::text::{is_printable, one_line, sanitize, sanitize_styled};

/// Prints one line to stderr, for the user of a git command.
pub fn say(line: &str) {
    let line = Screen::stderr().signs(&redact(&one_line(line)));
    let _ = writeln!(io::stderr(), "git-credential-hf: {line}");
}

/// Prints a message to stderr.
pub fn tell(line: &str) {
    let line = Screen::stderr().signs(&sanitize(line));
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints text to stderr that is already safe for a terminal and may have colours.
pub fn tell_styled(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Indented JSON in ASCII, so that the value does not depend on the code page or locale of its
/// reader.
///
/// # Errors
/// When the value cannot be serialised.
pub fn json(value: &serde_json::Value) -> serde_json::Result<Zeroizing<String>> {
    let plain = Zeroizing::new(serde_json::to_string_pretty(value)?);
    let mut text = Zeroizing::new(String::with_capacity(2 * plain.len()));
    for c in plain.chars() {
        if c.is_ascii() && is_printable(c) {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text.push('\n');
    Ok(text)
}

/// Prints to stdout, safe for a terminal and without tokens. A closed pipe is not an error.
///
/// # Errors
/// When stdout fails for another reason.
pub fn print(text: &str) -> anyhow::Result<()> {
    print_secret(&redact(&sanitize_styled(&Screen::stdout().text(text))))
}

/// Prints JSON to stdout.
///
/// # Errors
/// See [`print()`].
pub fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print_secret(&redact(&json(value)?))
}

/// Prints to stdout without removing tokens, for a secret that the user asked for. A closed pipe is
/// not an error.
///
/// # Errors
/// When stdout fails.
pub fn print_secret(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// How long a task runs before its progress is shown, and how often the line is updated.
const TICK: Duration = Duration::from_millis(200);

/// A line on the terminal with the progress of a long task. It is removed at the end. Nothing is
/// shown without a terminal.
#[derive(Debug)]
pub struct Progress {
    last: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Starts a task.
    pub(crate) fn begin() -> Self {
        Self {
            last: (io::stderr().is_terminal() && super::console::shows_colours())
                .then(Instant::now),
            shown: false,
        }
    }

    /// Updates the line, unless it was updated just now.
    pub(crate) fn show(&mut self, line: &str) {
        if self.last.is_some_and(|last| last.elapsed() >= TICK) {
            self.show_now(line);
        }
    }

    /// Shows a line at once, for a task whose steps are not known.
    pub(crate) fn show_now(&mut self, line: &str) {
        if self.last.is_none() {
            return;
        }
        let screen = Screen::stderr();
        let width = screen.width.unwrap_or(80).saturating_sub(1);
        let line = redact(&screen.text(&one_line(line)));
        let line =
            super::width::shorten(&line, width, super::width::Cut::Middle, &screen.signs("…"));
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
        self.last = Some(Instant::now());
        self.shown = true;
    }

    /// Removes the line, so that something else can be printed.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
