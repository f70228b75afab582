//! What a stream can show: its width, Unicode and colours.

use std::io::{self, IsTerminal};

use crate::system::environment::TerminalEnvironment;

/// The width to assume if the terminal's width is not known.
const USUAL_WIDTH: usize = 80;

/// The narrowest width that text is laid out for.
const NARROWEST: usize = 20;

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// The number of columns; `None` for a pipe or a file, where lines may have any length.
    pub(crate) width: Option<usize>,
    /// Whether characters beyond ASCII can be shown.
    pub(crate) unicode: bool,
    /// Whether to use colours.
    pub(crate) colour: bool,
}

/// A style of text. [`crate::model::text::sanitize_styled`] must let its codes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// For headings and what the user asked about.
    Bold,
    /// For what matters least.
    Dim,
    /// For errors and what does not work.
    Red,
    /// For what works.
    Green,
    /// For warnings.
    Yellow,
    /// For remarks and what to do.
    Cyan,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "1;31",
            Self::Green => "1;32",
            Self::Yellow => "1;33",
            Self::Cyan => "1;36",
        }
    }
}

impl Screen {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self::of(
            io::stdout().is_terminal(),
            &TerminalEnvironment::from_process(),
        )
    }

    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self::of(
            io::stderr().is_terminal(),
            &TerminalEnvironment::from_process(),
        )
    }

    /// A pipe or a file in a UTF-8 locale.
    #[cfg(test)]
    pub(crate) fn pipe() -> Self {
        Self {
            width: None,
            unicode: true,
            colour: false,
        }
    }

    fn of(is_terminal: bool, env: &TerminalEnvironment) -> Self {
        // `COLUMNS` takes precedence, as in git, so that the user can set the width.
        let width = || {
            env.columns
                .or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0.into()))
                .filter(|width| *width > 0)
                .unwrap_or(USUAL_WIDTH)
                .max(NARROWEST)
        };
        Self {
            width: is_terminal.then(width),
            // On Windows, the reader of a pipe may decode it with any code page.
            unicode: env.utf8 && (is_terminal || !cfg!(windows)),
            colour: is_terminal && !env.no_color && super::console::shows_colours(),
        }
    }

    /// The text in a style, if this screen uses colours.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", style.code())
        } else {
            text.to_owned()
        }
    }

    /// The text in characters that can be shown. Without UTF-8, our own signs are replaced by
    /// ASCII, and other characters are escaped as in Rust: `\u{e9}`.
    pub(crate) fn text(self, text: &str) -> String {
        let signs = self.signs(text);
        if self.unicode {
            return signs;
        }
        let mut out = String::with_capacity(signs.len());
        for c in signs.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                out.extend(c.escape_unicode());
            }
        }
        out
    }

    /// The text with our own signs replaced by ASCII if only ASCII can be shown. Other characters
    /// stay as they are.
    pub(crate) fn signs(self, text: &str) -> String {
        if self.unicode || text.is_ascii() {
            return text.to_owned();
        }
        SIGNS.iter().fold(text.to_owned(), |text, (sign, ascii)| {
            text.replace(sign, ascii)
        })
    }

    /// Wraps text between words. Lines after the first begin with `indent` spaces; `first` columns
    /// of the first line are already used. A word that is too long is not broken: it is a path or a
    /// command, which people copy.
    pub(crate) fn wrap(self, text: &str, first: usize, indent: usize) -> String {
        let Some(width) = self.width else {
            return text.to_owned();
        };
        let mut out = String::with_capacity(text.len());
        let mut used = first;
        let mut begins = true;
        for word in words(text) {
            let length = super::width::of(word);
            if !begins && used + 1 + length > width && indent + length < width.max(indent + 24) {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                used = indent;
            } else if !begins {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += length;
            begins = false;
        }
        out
    }
}

/// The words of a text. Short text between backquotes counts as one word, so that a command is not
/// broken in two.
fn words(text: &str) -> Vec<&str> {
    const SHORT: usize = 40;
    let mut words = Vec::new();
    let mut rest = text.trim_matches(' ');
    while !rest.is_empty() {
        let mut end = rest.find(' ').unwrap_or(rest.len());
        let open = rest.get(..end).and_then(|word| word.find('`'));
        if let Some(open) = open
            && let Some(close) = rest.get(open + 1..).and_then(|rest| rest.find('`'))
            && close <= SHORT
        {
            let after = open + 1 + close;
            let tail = rest.get(after..).unwrap_or_default();
            end = after + tail.find(' ').unwrap_or(tail.len());
        }
        let (word, tail) = rest.split_at(end.min(rest.len()));
        words.push(word);
        rest = tail.trim_start_matches(' ');
    }
    words
}

/// Our own signs, and their replacements in ASCII.
const SIGNS: [(&str, &str); 6] = [
    ("…", ".."),
    ("→", "->"),
    ("✓", "+"),
    ("✗", "x"),
    ("●", "*"),
    ("·", "-"),
];

#[cfg(test)]
pub(crate) fn sized(width: usize) -> Screen {
    Screen {
        width: Some(width),
        ..Screen::pipe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> TerminalEnvironment {
        TerminalEnvironment::read(|name| {
            let pair = pairs.iter().find(|(n, _)| *n == name)?;
            Some(pair.1.into())
        })
    }

    #[test]
    fn the_locale_says_what_can_be_shown() {
        for (pairs, unicode) in [
            (&[("LANG", "de_DE.UTF-8")][..], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "en_US.UTF-8")], true),
            (&[("LANG", "POSIX")], false),
        ] {
            assert_eq!(Screen::of(true, &env(pairs)).unicode, unicode, "{pairs:?}");
        }
        let plain = Screen {
            unicode: false,
            ..Screen::pipe()
        };
        assert_eq!(plain.text("hf_…a → ✓ é"), "hf_..a -> + \\u{e9}");
        assert_eq!(plain.signs("é …"), "é ..");
    }

    #[test]
    fn a_pipe_has_no_width_and_no_colours() {
        let set = env(&[("COLUMNS", "60"), ("TERM", "xterm")]);
        let pipe = Screen::of(false, &set);
        assert_eq!((pipe.width, pipe.colour), (None, false));
        let terminal = Screen::of(true, &set);
        assert_eq!((terminal.width, terminal.colour), (Some(60), true));
        let plain = Screen::of(true, &env(&[("NO_COLOR", "1"), ("COLUMNS", "3")]));
        assert_eq!((plain.width, plain.colour), (Some(NARROWEST), false));
    }

    #[test]
    fn text_wraps_between_words() {
        let text = "the default token of this Hub is rejected: run `git credential-hf login me`";
        assert_eq!(
            sized(40).wrap(text, 2, 4),
            "the default token of this Hub is\n    rejected: run\n    `git credential-hf login me`"
        );
        assert_eq!(Screen::pipe().wrap(text, 2, 4), text);
        let path = "see /a/path/that/is/longer/than/the/whole/line/of/this/terminal now";
        assert!(
            sized(30)
                .wrap(path, 0, 2)
                .contains("/a/path/that/is/longer/than/the/whole/line/of/this/terminal")
        );
    }
}
