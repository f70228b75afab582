//! Reads a token as people paste, type or pipe it: in quotes, as a line of a shell's start-up file,
//! as an HTTP header, or in another program's encoding.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::model::secret::{MAX_BYTES, Secret};

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasteError {
    /// Nothing is left after quotes and spaces are removed.
    #[error("the token is empty")]
    Empty,
    /// Neither UTF-8 nor UTF-16.
    #[error("this is not text (neither UTF-8 nor UTF-16)")]
    NotText,
    /// More than one line.
    #[error("it contains a line break, and a token does not")]
    Lines,
    /// Longer than a line of git's protocol allows.
    #[error("the token is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A character that tokens do not contain.
    #[error("it contains {}, and a token does not", described(*.0))]
    Character(char),
}

/// Reads a token from the bytes that a person or a program gave.
pub(crate) fn token(bytes: &[u8]) -> Result<Secret, PasteError> {
    let text = decoded(bytes)?;
    let token = bare(&text);
    match error_in(token) {
        None => Secret::exact(token).map_err(|_| PasteError::TooLong),
        Some(error) => Err(error),
    }
}

/// The first reason why a text is not a token, if any. Tokens are printable ASCII without the
/// quotes and variables of shells and notebooks.
pub(crate) fn error_in(text: &str) -> Option<PasteError> {
    let in_token = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '`' | '$' | '{');
    if text.is_empty() {
        Some(PasteError::Empty)
    } else if text.len() > MAX_BYTES {
        Some(PasteError::TooLong)
    } else {
        text.chars().find(|c| !in_token(*c)).map(|c| match c {
            '\n' | '\r' => PasteError::Lines,
            c => PasteError::Character(c),
        })
    }
}

/// Decodes UTF-8 or UTF-16, with or without a byte order mark. PowerShell's `>` and `Out-File`
/// write either, with a mark.
fn decoded(bytes: &[u8]) -> Result<Zeroizing<String>, PasteError> {
    let nul_at = |odd: usize| {
        let mut every_second = bytes.iter().skip(odd).step_by(2);
        bytes.len() >= 2 && bytes.len().is_multiple_of(2) && every_second.all(|byte| *byte == 0)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ if nul_at(1) => utf16(bytes, u16::from_le_bytes),
        _ if nul_at(0) => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<Zeroizing<String>, PasteError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PasteError::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Zeroizing<String>, PasteError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = Zeroizing::new(pairs.iter().map(|pair| unit(*pair)).collect::<Vec<u16>>());
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Ok(Zeroizing::new(text)),
        _ => Err(PasteError::NotText),
    }
}

/// Removes what people copy along with a token, repeatedly, until nothing more can be removed.
fn bare(text: &str) -> &str {
    let mut rest = text;
    loop {
        let before = rest.len();
        rest = rest.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
        rest = unquoted(rest).unwrap_or(rest);
        rest = without_variable(rest).unwrap_or(rest);
        rest = without_word(rest).unwrap_or(rest);
        if rest.len() == before {
            return rest;
        }
    }
}

fn unquoted(text: &str) -> Option<&str> {
    const PAIRS: [(char, char); 6] = [
        ('"', '"'),
        ('\'', '\''),
        ('`', '`'),
        ('\u{201c}', '\u{201d}'),
        ('\u{2018}', '\u{2019}'),
        ('<', '>'),
    ];
    let inner = |(open, close)| text.strip_prefix(open)?.strip_suffix(close);
    PAIRS.into_iter().find_map(inner)
}

/// The names that a token has in start-up files, configurations and requests, in any case.
const NAMES: [&str; 9] = [
    "HF_TOKEN",
    "HF_API_TOKEN",
    "HF_HUB_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HUGGINGFACE_HUB_TOKEN",
    "HUGGINGFACE_TOKEN",
    "HUGGINGFACEHUB_API_TOKEN",
    "password",
    "token",
];

fn is_name(text: &str) -> bool {
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(text))
}

/// Removes a word before the token: `export` or `set` in shells, `Bearer` in HTTP headers.
fn without_word(text: &str) -> Option<&str> {
    const WORDS: [&str; 6] = ["export", "set", "setx", "env", "bearer", "authorization:"];
    let (first, rest) = text.split_once(char::is_whitespace)?;
    let known = WORDS.iter().any(|word| first.eq_ignore_ascii_case(word));
    (known || is_name(first)).then_some(rest)
}

/// Removes `HF_TOKEN=` and similar, also PowerShell's `$env:HF_TOKEN =` and YAML's `HF_TOKEN:`.
fn without_variable(text: &str) -> Option<&str> {
    let (name, value) = text.split_once(['=', ':'])?;
    if name.eq_ignore_ascii_case("$env") {
        return without_variable(value);
    }
    is_name(name.trim_end()).then_some(value)
}

/// Describes a character in words that are safe to show.
fn described(c: char) -> Cow<'static, str> {
    match c {
        ' ' => "a space".into(),
        '"' | '\'' | '`' => "a quotation mark".into(),
        '\t' => "a tab".into(),
        '\0' => "a NUL byte".into(),
        c if c.is_ascii_graphic() => format!("`{c}`").into(),
        c => format!("a character U+{:04X}", u32::from(c)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> String {
        format!("hf_{}", "aB3".repeat(12))
    }

    fn read(text: &str) -> Result<String, PasteError> {
        token(text.as_bytes()).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn what_is_copied_along_with_a_token_is_removed() {
        let value = value();
        for pasted in [
            "X",
            " X \r\n",
            "\"X\"",
            "'X'\n",
            "`X`",
            "“X”",
            "<X>",
            "HF_TOKEN=X",
            "HF_TOKEN = \"X\"",
            "export HF_TOKEN='X'",
            "set HF_TOKEN=X",
            "setx HF_TOKEN \"X\"",
            "\"HF_TOKEN=X\"",
            "$env:HF_TOKEN = \"X\"",
            "HUGGING_FACE_HUB_TOKEN=X",
            "token: X",
            "HF_TOKEN: \"X\"",
            "Bearer X",
            "Authorization: Bearer X",
            "\"Authorization: Bearer X\"",
            "\u{feff}X",
            "\u{a0}X\u{200b}",
        ] {
            let text = pasted.replace('X', &value);
            assert_eq!(read(&text).as_ref(), Ok(&value), "{pasted:?}");
        }
        // A value that has such characters inside stays whole.
        for whole in ["abc=def==", "a:b", "export", "settoken"] {
            assert_eq!(read(whole).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn encodings_of_other_programs() {
        let value = value();
        let line = format!("{value}\r\n");
        let utf16 = |to: fn(u16) -> [u8; 2]| line.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
        for bytes in [
            [b"\xef\xbb\xbf", line.as_bytes()].concat(),
            [&[0xff, 0xfe], little.as_slice()].concat(),
            [&[0xfe, 0xff], big.as_slice()].concat(),
            little,
            big,
        ] {
            let read = token(&bytes).map(|secret| secret.expose().to_owned());
            assert_eq!(read.as_ref(), Ok(&value), "{bytes:?}");
        }
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"hf_\xe9"] {
            assert_eq!(token(bytes).unwrap_err(), PasteError::NotText, "{bytes:?}");
        }
    }

    #[test]
    fn messages_name_the_problem() {
        let value = value();
        let long = "x".repeat(MAX_BYTES + 1);
        for (text, expected) in [
            ("", "the token is empty"),
            (" '' \n", "the token is empty"),
            ("HF_TOKEN=", "the token is empty"),
            ("X Y", "a space"),
            ("X\nX", "a line break"),
            ("X\r\nX", "a line break"),
            ("X\tX", "a tab"),
            ("X\0X", "a NUL byte"),
            ("X\"", "a quotation mark"),
            ("$HF_TOKEN", "`$`"),
            ("${{ secrets.HF_TOKEN }}", "`$`"),
            ("hf_…aB3", "U+2026"),
            ("X\x1b[A", "U+001B"),
            (&long, "longer than"),
        ] {
            let message = read(&text.replace('X', &value)).unwrap_err().to_string();
            assert!(message.contains(expected), "{text:?}: {message}");
            assert!(!message.contains("aB3"), "{message}");
        }
    }
}
