//! What people see: errors, hints, tables, prompts.

use std::fmt;
use std::io::{self, IsTerminal, Write};

/// An error for a person: what happened, and what helps.
#[derive(Debug)]
pub struct Failure {
    message: String,
    help: Vec<String>,
}

impl Failure {
    /// An error that says what happened, to which repo or token.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// Adds what to do about it, best a command to run.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints an error with its causes and what helps, in the way of the Rust compiler.
pub fn print_error(error: &anyhow::Error) {
    let red = Style::new(io::stderr().is_terminal(), "1;31");
    let mut text = format!("{}: {}\n", red.paint("error"), shown(&error.to_string()));
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many errors end with their cause.
        if !said.ends_with(&cause) {
            text.push_str(&format!("  = cause: {}\n", shown(&cause)));
        }
        said = cause;
    }
    // Asked of the error, not of its causes: it also knows what was added as context.
    if let Some(failure) = error.downcast_ref::<Failure>() {
        for help in &failure.help {
            text.push_str(&format!("  = help: {}\n", shown(help)));
        }
    }
    for cause in error.chain() {
        let config = match cause.downcast_ref::<crate::config_edit::EditError>() {
            Some(crate::config_edit::EditError::Config(config)) => Some(config),
            _ => cause.downcast_ref::<crate::config::ConfigError>(),
        };
        if let Some(help) = config.and_then(|config| config.help.as_ref()) {
            text.push_str(&format!("  = help: {}\n", shown(help)));
        }
    }
    let _ = io::stderr().write_all(crate::secret::redact(&text).as_bytes());
}

/// Prints one line to the user of a git command, whose terminal stderr is.
pub fn say(line: &str) {
    let line = crate::secret::redact(&one_line(line));
    let _ = writeln!(io::stderr(), "git-credential-hf: {line}");
}

/// Tells a person something beside what goes to stdout.
pub fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{}", shown(line));
}

/// The same for text that has our own colours in it.
pub fn tell_styled(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Text from outside made fit for a terminal: control characters, which could move the cursor
/// or rewrite what stands there, are dropped; line breaks stay.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !(c.is_control() || is_bidi_control(*c)))
        .collect()
}

/// The same on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    shown(&text.replace(['\n', '\r', '\t'], " "))
}

/// Characters that change the direction of the text after them, so that it reads as another.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Bold or coloured text on a terminal, plain text elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    on: bool,
    code: &'static str,
}

impl Style {
    /// A style by its SGR code, for a stream that is a terminal or not; `NO_COLOR` turns it off.
    #[must_use]
    pub fn new(terminal: bool, code: &'static str) -> Self {
        let no_color = crate::environment::Environment::from_process().no_color;
        Self {
            on: terminal && !no_color,
            code,
        }
    }

    /// The text in this style.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        if self.on {
            format!("\x1b[{}m{text}\x1b[0m", self.code)
        } else {
            text.to_owned()
        }
    }
}

/// Lays rows out in columns, two spaces apart, without trailing spaces.
#[must_use]
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    let all = || std::iter::once(&header).chain(rows);
    let width = |column: usize| {
        let lengths = all().filter_map(|row| row.get(column).map(|c| c.chars().count()));
        lengths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let pad = width.saturating_sub(cell.chars().count());
            line.push_str(&shown(cell));
            line.push_str(&" ".repeat(pad + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Whether a question can be asked: a person is at both ends.
#[must_use]
pub fn can_ask() -> bool {
    let no_prompt = crate::environment::Environment::from_process().no_prompt;
    !no_prompt && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question; no answer is no.
#[must_use]
pub fn confirm(question: &str) -> bool {
    if !can_ask() {
        return false;
    }
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(shown("a\x1b[2Jb\u{9b}c\u{202e}d\ne"), "a[2Jbcd\ne");
        assert_eq!(one_line("a\r\nb\tc"), "a  b c");
    }

    #[test]
    fn tables_line_up() {
        let rows = vec![
            vec!["a".into(), "é".into()],
            vec!["long".into(), "x".into()],
        ];
        assert_eq!(
            table(&["N", "MORE"], &rows),
            "N     MORE\na     é\nlong  x\n"
        );
    }
}
