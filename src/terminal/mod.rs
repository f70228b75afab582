//! What people see: errors, hints, tables, prompts.

pub mod console;
pub mod prompt;
#[cfg(unix)]
mod signals;

use crate::model::text::is_printable;
use crate::model::text::one_line;
use crate::model::text::sanitize;
use crate::model::text::sanitize_styled;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use zeroize::Zeroizing;

/// An error for a person: what happened, and what helps.
#[derive(Debug)]
pub struct Failure {
    message: String,
    help: Vec<String>,
    usage: bool,
}

impl Failure {
    /// An error that says what happened, to which repo or token.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Vec::new(),
            usage: false,
        }
    }

    /// An error in what was typed: the exit code is 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            usage: true,
            ..Self::new(message)
        }
    }

    /// Whether the error is in what was typed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        self.usage
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

/// What helps against the error whose source it is. A typed error of a lower room carries its help
/// in this way, and [`print_error`] need not know the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Help(pub String);

/// Prints an error with its causes and what helps, in the way of the Rust compiler.
pub fn print_error(error: &anyhow::Error) {
    let red = Style::new(io::stderr().is_terminal(), "1;31");
    let mut text = format!("{}: {}\n", red.paint("error"), sanitize(&error.to_string()));
    let mut said = error.to_string();
    let causes = error.chain().skip(1).filter(|cause| !cause.is::<Help>());
    for cause in causes.map(ToString::to_string) {
        // Many errors end with their cause.
        if !said.ends_with(&cause) {
            text.push_str(&format!("  = cause: {}\n", sanitize(&cause)));
        }
        said = cause;
    }
    // Asked of the error, not of its causes: it also knows what was added as context.
    if let Some(failure) = error.downcast_ref::<Failure>() {
        for help in &failure.help {
            text.push_str(&format!("  = help: {}\n", sanitize(help)));
        }
    }
    for help in error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<Help>())
    {
        text.push_str(&format!("  = help: {}\n", sanitize(&help.0)));
    }
    write_stderr(&crate::model::secret::redact(&text));
}

/// Prints one line to the user of a git command, whose terminal stderr is.
pub fn say(line: &str) {
    let line = crate::model::secret::redact(&one_line(line));
    write_stderr(&format!("git-credential-hf: {line}\n"));
}

/// Tells a person something beside what goes to stdout.
pub fn tell(line: &str) {
    write_stderr(&format!("{}\n", sanitize(line)));
}

/// The same for text that is fit for a terminal already, and has colours in it.
pub fn tell_styled(text: &str) {
    write_stderr(&format!("{text}\n"));
}

/// A reader of stderr that has gone away changes nothing.
fn write_stderr(text: &str) {
    let text = console::fit_for(&io::stderr(), text);
    let _ = io::stderr().write_all(text.as_bytes());
}

/// JSON, indented, in ASCII: whatever code page or locale a reader decodes it by, and whatever a
/// terminal makes of a character, the value stays the same.
///
/// # Errors
/// When the value cannot be JSON, which none of ours is.
pub fn json(value: &serde_json::Value) -> serde_json::Result<Zeroizing<String>> {
    use fmt::Write;
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

/// Bold or coloured text on a terminal, plain text elsewhere. Codes are those that [`sanitize_styled`] lets through.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    on: bool,
    code: &'static str,
}

impl Style {
    /// A style by its SGR code, for a stream that is a terminal or not; `NO_COLOR` turns it off.
    #[must_use]
    pub fn new(terminal: bool, code: &'static str) -> Self {
        let no_color = crate::system::environment::Environment::from_process().no_color;
        Self {
            on: terminal && !no_color && console::shows_colours(),
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
            line.push_str(&sanitize(cell));
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
    let env = crate::system::environment::Environment::from_process();
    !env.no_prompt && !env.notebook && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question; no answer is no.
#[must_use]
pub fn confirm(question: &str) -> bool {
    if !can_ask() {
        return false;
    }
    let answer = ask(&format!("{question} [y/N]"));
    answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Lets a person choose one of several names, each with a word about it, by its number or by the
/// name itself; `None` where nobody can be asked, there is nothing to choose, or the answer is none
/// of them.
#[must_use]
pub fn choose(question: &str, choices: &[(String, String)]) -> Option<usize> {
    if !can_ask() || choices.is_empty() {
        return None;
    }
    let names: Vec<Vec<String>> = choices
        .iter()
        .enumerate()
        .map(|(at, (name, about))| vec![format!("  {}", at + 1), name.clone(), about.clone()])
        .collect();
    // The header is for a table; here it would be a line without a word.
    let list = table(&["", "", ""], &names);
    tell(list.trim_start_matches('\n').trim_end());
    let answer = ask(&format!("{question} [1-{}]", choices.len()))?;
    let number = answer.parse::<usize>().ok();
    let by_number = number.filter(|number| (1..=choices.len()).contains(number));
    let by_name = choices.iter().position(|(name, _)| *name == answer);
    by_name.or(by_number.map(|number| number - 1))
}

/// Asks for a line; `None` at the end of the input.
fn ask(question: &str) -> Option<String> {
    // In one piece, so that nothing else comes between.
    let question = format!("{} ", sanitize(question));
    let _ = io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    if matches!(io::stdin().read_line(&mut answer), Ok(0) | Err(_)) {
        // The cursor is still behind the question.
        let _ = writeln!(io::stderr());
        return None;
    }
    Some(answer.trim().to_owned())
}

/// An error whose message the user has already seen.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub struct AlreadyReported;

/// Prints to stdout, fit for a terminal and without a token; a reader that has gone away is no
/// error.
///
/// # Errors
/// When stdout fails for another reason.
pub fn print(text: &str) -> anyhow::Result<()> {
    let text = crate::model::secret::redact(&sanitize_styled(text));
    print_secret(&console::fit_for(&io::stdout(), &text))
}

/// Prints JSON to stdout.
///
/// # Errors
/// As [`print()`].
pub fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(&json(value)?)
}

/// Prints what was asked for although it is secret.
///
/// # Errors
/// When stdout fails.
pub fn print_secret(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as a hostile server may write them, and what is left of them.
    const HOSTILE: [(&str, &str); 8] = [
        ("a\x1b[2Jb", "a[2Jb"),
        ("a\u{9b}2Jb", "a2Jb"),
        ("a\x07b\x08c\x7fd", "abcd"),
        ("a\x1b]0;title\x07b", "a]0;titleb"),
        ("a\u{202e}b\u{2066}c\u{61c}d", "abcd"),
        ("a\u{200b}b\u{feff}c\u{e0041}d", "abcd"),
        ("a\x1b[8mhidden\x1b[38;5;1mb", "a[8mhidden[38;5;1mb"),
        ("a\r\n\x1b", "a\n"),
    ];

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        for (text, left) in HOSTILE {
            assert_eq!(sanitize(text), left, "{text:?}");
            assert_eq!(sanitize_styled(text), left, "{text:?}");
            assert!(!one_line(text).contains('\n'));
        }
        assert_eq!(one_line("a\r\nb\tc"), "a  b c");
        // Other scripts, combining marks and pictures are text.
        for text in ["données", "привет", "データ", "e\u{301}", "🤗"] {
            assert_eq!(sanitize(text), text);
        }
    }

    #[test]
    fn characters_that_cannot_be_seen_do_not_pass() {
        for code in [
            0xad, 0xa0, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x1680,
            0x2000, 0x200b, 0x200e, 0x2028, 0x202e, 0x2060, 0x2065, 0x206f, 0x2800, 0x3000, 0x3164,
            0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0xfff9, 0x1bca0, 0x1d159, 0x1d173, 0xe0000,
            0xe0041, 0xe0100, 0xe01ef, 0xe0fff,
        ] {
            let c = char::from_u32(code).unwrap();
            assert!(!is_printable(c), "U+{code:04X}");
            assert_eq!(sanitize(&format!("a{c}b")), "ab");
        }
    }

    #[test]
    fn our_own_styles_pass() {
        let ours = "\x1b[1;31merror\x1b[0m: \x1b[1mx\x1b[0m";
        assert_eq!(sanitize_styled(ours), ours);
        assert_eq!(sanitize_styled("\x1b"), "");
        assert_eq!(sanitize_styled("\x1b["), "[");
        assert_eq!(sanitize_styled("\x1b[1"), "[1");
    }

    #[test]
    fn json_keeps_its_values_and_shows_no_escape() {
        for (text, _) in HOSTILE {
            let value = serde_json::json!({ text: [text, "\u{1f917}"] });
            let json = json(&value).unwrap();
            assert!(sanitize(&json) == *json && json.is_ascii(), "{text:?}");
            let back: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(back, value);
        }
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
