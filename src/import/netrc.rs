//! netrc files, as curl (and therefore git) reads them: words over any number of lines, of which
//! `machine`, `login` and `password` matter.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::model::secret::{Secret, SecretError};

/// A `machine` or the `default`.
pub(crate) struct Entry {
    /// The host; `None` for `default`, which is for every host.
    pub(crate) machine: Option<String>,
    /// Its first line, counted from 1.
    pub(crate) line: usize,
    password: Option<Zeroizing<Vec<u8>>>,
    /// Its words, without the comments between them.
    words: Vec<Range<usize>>,
}

impl Entry {
    /// Its password, if it has one.
    ///
    /// # Errors
    /// When the value cannot be a token, for example because of a line break.
    pub(crate) fn secret(&self) -> Option<Result<Secret, SecretError>> {
        let password = self.password.as_ref().filter(|value| !value.is_empty())?;
        let text = std::str::from_utf8(password);
        Some(text.map_or(Err(SecretError::ControlCharacter), Secret::exact))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("machine", &self.machine)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// A quote is not closed on its line, so that the rest cannot be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0}: a quote is not closed")]
pub(crate) struct OpenQuote(pub(crate) usize);

/// The machines in a file.
///
/// # Errors
/// When the file cannot be parsed.
pub(crate) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, OpenQuote> {
    let mut words = Words { bytes, at: 0 };
    let mut found: Vec<Entry> = Vec::new();
    // Whether the next words belong to the last entry.
    let mut open = false;
    while let Some(word) = words.next()? {
        match word.value.to_ascii_lowercase().as_slice() {
            keyword @ (b"machine" | b"default") => {
                let mut entry = Entry {
                    machine: None,
                    line: words.line(word.span.start),
                    password: None,
                    words: vec![word.span],
                };
                if keyword == b"machine" {
                    let Some(host) = words.next()? else { break };
                    entry.machine = Some(String::from_utf8_lossy(&host.value).into_owned());
                    entry.words.push(host.span);
                }
                found.push(entry);
                open = true;
            }
            b"macdef" => {
                words.skip_macro();
                open = false;
            }
            keyword => {
                let Some(entry) = found.last_mut().filter(|_| open) else {
                    continue;
                };
                entry.words.push(word.span);
                if matches!(keyword, b"login" | b"user" | b"account" | b"password")
                    && let Some(value) = words.next()?
                {
                    entry.words.push(value.span);
                    if keyword == b"password" {
                        entry.password = Some(value.value);
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Removes entries from the file. Comments and everything else stay as they are, byte for byte. A line
/// with nothing but words of removed entries is removed too.
pub(crate) fn without(
    bytes: &[u8],
    goes: impl Fn(&Entry) -> bool,
) -> Result<Zeroizing<Vec<u8>>, OpenQuote> {
    let entries = entries(bytes)?;
    let gone = entries.iter().filter(|entry| goes(entry));
    let gone: Vec<&Range<usize>> = gone.flat_map(|entry| &entry.words).collect();
    let mut left = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (from, to) = (start, start + line.len());
        start = to;
        let here = gone
            .iter()
            .filter(|word| word.start >= from && word.end <= to);
        let (mut rest, mut copied) = (Zeroizing::new(Vec::with_capacity(line.len())), from);
        for word in here {
            rest.extend_from_slice(bytes.get(copied..word.start).unwrap_or_default());
            // The blanks after a word are removed with it.
            let after = bytes.get(word.end..to).unwrap_or_default();
            let blanks = after.iter().take_while(|b| matches!(b, b' ' | b'\t'));
            copied = word.end + blanks.count();
        }
        let untouched = copied == from;
        rest.extend_from_slice(bytes.get(copied..to).unwrap_or_default());
        if untouched || !rest.trim_ascii().is_empty() {
            left.extend_from_slice(&rest);
        }
    }
    Ok(left)
}

/// A word, and its position including quotes.
struct Word {
    value: Zeroizing<Vec<u8>>,
    span: Range<usize>,
}

struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Result<Option<Word>, OpenQuote> {
        loop {
            match self.bytes.get(self.at) {
                None => return Ok(None),
                Some(byte) if is_blank(*byte) => self.at += 1,
                Some(b'#') => self.skip_line(),
                Some(_) => break,
            }
        }
        let start = self.at;
        let value = if self.bytes.get(start) == Some(&b'"') {
            self.at += 1;
            self.quoted().ok_or_else(|| OpenQuote(self.line(start)))?
        } else {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let length = rest.iter().position(|byte| is_blank(*byte));
            self.at += length.unwrap_or(rest.len());
            Zeroizing::new(self.bytes.get(start..self.at).unwrap_or_default().to_vec())
        };
        let span = start..self.at;
        Ok(Some(Word { value, span }))
    }

    /// Parses a quoted word after the opening quote; `None` if it is not closed on the line.
    fn quoted(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let mut value = Zeroizing::new(Vec::with_capacity(256));
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => return Some(value),
                b'\n' => return None,
                b'\\' => {
                    let escaped = *self.bytes.get(self.at)?;
                    self.at += 1;
                    value.push(match escaped {
                        b'\n' => return None,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        other => other,
                    });
                }
                other => value.push(other),
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n');
        self.at += length.map_or(rest.len(), |at| at + 1);
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        self.skip_line();
        while let Some(first) = self.bytes.get(self.at) {
            let empty = *first == b'\n' || self.bytes.get(self.at..self.at + 2) == Some(b"\r\n");
            self.skip_line();
            if empty {
                break;
            }
        }
    }

    /// The line of a position, counted from 1.
    fn line(&self, place: usize) -> usize {
        let before = self.bytes.get(..place).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match entries(text.as_bytes()) {
            Err(error) => error.to_string(),
            Ok(entries) => {
                let one = |entry: &Entry| {
                    let secret = match entry.secret() {
                        None => "-".to_owned(),
                        Some(Ok(secret)) => secret.expose().to_owned(),
                        Some(Err(_)) => "bad".to_owned(),
                    };
                    let machine = entry.machine.as_deref().unwrap_or("*");
                    format!("{} {machine} {secret}", entry.line)
                };
                entries.iter().map(one).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn read_as_curl_reads_it() {
        for (text, expected) in [
            ("", ""),
            ("machine h login u password p\n", "1 h p"),
            ("machine h password p login u", "1 h p"),
            ("machine\n\th\n login\r\n u\r\n password\r\n p\r\n", "1 h p"),
            ("# a\nmachine h # b password x\n password p\n", "2 h p"),
            (
                "machine h login u password \"a \\\"b\\\\ #\"\n",
                "1 h a \"b\\ #",
            ),
            ("machine h password p#q\n", "1 h p#q"),
            (
                "machine a password p machine b password q default password r",
                "1 a p, 1 b q, 1 * r",
            ),
            ("MACHINE h LOGIN u PASSWORD p", "1 h p"),
            ("machine h login password password machine\n", "1 h machine"),
            ("machine h login u account a\n", "1 h -"),
            ("machine h password \"\"\n", "1 h -"),
            ("machine h password \"a\\nb\"\n", "1 h bad"),
            ("machine h port 80 password p\n", "1 h p"),
            (
                "macdef m\nmachine x password y\n\nmachine h password p\n",
                "4 h p",
            ),
            (
                "machine h password p\nmacdef m\n\tput a\r\n\r\nmachine i password q",
                "1 h p, 5 i q",
            ),
            ("macdef m\nmachine x password y\n", ""),
            ("password p\n", ""),
            ("machine", ""),
            ("machine h password", "1 h -"),
            (
                "machine h\npassword \"a\nmachine i password q",
                "line 2: a quote is not closed",
            ),
            ("machine h password \"a\\", "line 1: a quote is not closed"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_the_words_that_go_are_gone() {
        for (text, left) in [
            ("machine h login u password p\n", ""),
            (
                "machine a password p\n\nmachine h password p\n\nmachine b password q\n",
                "machine a password p\n\n\nmachine b password q\n",
            ),
            (
                "machine a password p machine h login u password q machine b password r\n",
                "machine a password p machine b password r\n",
            ),
            (
                "# mine\nmachine h\r\n  login u # me\r\n  # old one\r\n  password p\r\n# end\r\n",
                "# mine\n  # me\r\n  # old one\r\n# end\r\n",
            ),
            (
                "machine h password p\nmacdef m\n\tput\n\nmachine a password q",
                "macdef m\n\tput\n\nmachine a password q",
            ),
            (
                "machine a password p\nmachine h password q",
                "machine a password p\n",
            ),
            ("machine hh password p", "machine hh password p"),
        ] {
            let goes = |entry: &Entry| entry.machine.as_deref() == Some("h");
            let result = without(text.as_bytes(), goes).unwrap();
            assert_eq!(std::str::from_utf8(&result).unwrap(), left, "{text:?}");
            let untouched = without(text.as_bytes(), |_| false).unwrap();
            assert_eq!(untouched.as_slice(), text.as_bytes());
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let found = entries(b"machine h login u password correcthorse").unwrap();
        assert!(!format!("{found:?}").contains("correct"));
    }
}
