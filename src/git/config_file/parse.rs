//! Parses a git configuration file into items with their positions, exactly like `git_parse_source` in
//! git's `config.c` and the functions it calls.

use super::EditError;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A header, an entry or a comment line; between items there is only white space.
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) line: usize,
    /// Starts at the beginning of the line, if it is the first item there.
    pub(super) start: usize,
    /// Ends after the newline, except for a header that shares its line.
    pub(super) end: usize,
    /// Whether it has its lines for itself.
    pub(super) whole_lines: bool,
}

#[derive(PartialEq, Eq)]
pub(super) enum Kind {
    /// The full section name, as `credential.https://huggingface.co`.
    Header(Vec<u8>),
    /// The key in lower case, and the value as git reads it.
    Entry {
        key: Vec<u8>,
        value: Option<Vec<u8>>,
    },
    /// Begins with `#` or `;`, without trailing white space.
    Comment(Vec<u8>),
}

impl Item {
    pub(super) fn header(&self) -> Option<&[u8]> {
        if let Kind::Header(name) = &self.kind {
            Some(name)
        } else {
            None
        }
    }

    pub(super) fn sets(&self, name: &[u8], accept: impl Fn(&[u8]) -> bool) -> bool {
        matches!(&self.kind, Kind::Entry { key, value: Some(value) } if key == name && accept(value))
    }
}

pub(super) struct File {
    pub(super) items: Vec<Item>,
    /// How many newlines must follow before a new line can begin: 1 after a last line without one; 2 if that ends
    /// in a backslash, which would join the next line.
    pub(super) missing_newlines: usize,
}

pub(super) fn parse(bytes: &[u8]) -> Result<File, EditError> {
    let text = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let mut reader = Reader {
        bytes,
        pos: text,
        line: 1,
        missing_newlines: 0,
    };
    let (mut items, mut line_start, mut fresh) = (Vec::new(), text, true);
    loop {
        let (line, start) = (reader.line, if fresh { line_start } else { reader.pos });
        let from = reader.pos;
        let Some(first) = reader.next() else { break };
        let kind = match first {
            b'\n' => {
                (line_start, fresh) = (reader.pos, true);
                continue;
            }
            b' ' | b'\t' | b'\r' => continue,
            b'#' | b';' => {
                while reader.next().is_some_and(|byte| byte != b'\n') {}
                Kind::Comment(bytes[from..reader.pos].trim_ascii_end().to_vec())
            }
            b'[' => Kind::Header(reader.header()?),
            _ => reader.entry(first)?,
        };
        let mut item = Item {
            kind,
            line,
            start,
            end: reader.pos,
            whole_lines: fresh,
        };
        if item.header().is_some() {
            let rest = &bytes[reader.pos..];
            let blank = rest
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t' | b'\r'))
                .count();
            if matches!(rest.get(blank), None | Some(b'\n')) {
                item.end = (reader.pos + blank + 1).min(bytes.len());
            } else {
                item.whole_lines = false;
            }
            fresh = false;
        } else {
            (line_start, fresh) = (reader.pos, true);
        }
        items.push(item);
    }
    let open_line = bytes[text..].last().is_some_and(|&last| last != b'\n');
    Ok(File {
        items,
        missing_newlines: reader.missing_newlines.max(usize::from(open_line)),
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
    line: usize,
    missing_newlines: usize,
}

impl Reader<'_> {
    /// The next byte; CR LF counts as one newline.
    fn next(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.pos..)?;
        let (byte, width) = if rest.starts_with(b"\r\n") {
            (b'\n', 2)
        } else {
            (*rest.first()?, 1)
        };
        self.pos += width;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    /// Parses a section's name after the `[`. Only a quoted subsection keeps its case.
    fn header(&mut self) -> Result<Vec<u8>, EditError> {
        let bad = EditError::Header { line: self.line };
        let mut name = Vec::new();
        let quoted = loop {
            match self.next() {
                Some(b']') => break false,
                Some(b' ' | b'\t' | b'\r') => break true,
                Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.') => {
                    name.push(byte.to_ascii_lowercase());
                }
                _ => return Err(bad),
            }
        };
        if quoted {
            let mut byte = self.next();
            while matches!(byte, Some(b' ' | b'\t' | b'\r')) {
                byte = self.next();
            }
            if byte != Some(b'"') {
                return Err(bad);
            }
            name.push(b'.');
            loop {
                let mut byte = self.next();
                match byte {
                    Some(b'"') => break,
                    Some(b'\\') => byte = self.next(),
                    _ => {}
                }
                match byte {
                    None | Some(b'\n') => return Err(bad),
                    Some(byte) => name.push(byte),
                }
            }
            if self.next() != Some(b']') {
                return Err(bad);
            }
        }
        if name.is_empty() { Err(bad) } else { Ok(name) }
    }

    fn entry(&mut self, first: u8) -> Result<Kind, EditError> {
        let bad = EditError::Key { line: self.line };
        if !first.is_ascii_alphabetic() {
            return Err(bad);
        }
        let mut key = vec![first.to_ascii_lowercase()];
        let mut byte = self.next();
        while let Some(more) = byte
            && (more.is_ascii_alphanumeric() || more == b'-')
        {
            key.push(more.to_ascii_lowercase());
            byte = self.next();
        }
        while matches!(byte, Some(b' ' | b'\t')) {
            byte = self.next();
        }
        match byte {
            None | Some(b'\n') => Ok(Kind::Entry { key, value: None }),
            Some(b'=') => Ok(Kind::Entry {
                key,
                value: Some(self.value()?),
            }),
            Some(_) => Err(bad),
        }
    }

    /// Parses a value after the `=`, up to the end of its last line.
    fn value(&mut self) -> Result<Vec<u8>, EditError> {
        let mut value = Vec::new();
        let (mut quoted, mut comment, mut trim) = (false, false, None);
        loop {
            let bad = EditError::Value { line: self.line };
            let byte = self.next();
            match byte {
                None | Some(b'\n') if quoted => return Err(bad),
                None | Some(b'\n') => {
                    self.missing_newlines = usize::from(byte.is_none());
                    break;
                }
                Some(_) if comment => {}
                Some(space @ (b' ' | b'\t' | b'\r')) if !quoted => {
                    trim = trim.or(Some(value.len()));
                    if !value.is_empty() {
                        value.push(space);
                    }
                }
                Some(b'#' | b';') if !quoted => comment = true,
                Some(other) => {
                    trim = None;
                    match other {
                        b'"' => quoted = !quoted,
                        b'\\' => match self.next() {
                            None if quoted => return Err(bad),
                            None => {
                                self.missing_newlines = 2;
                                break;
                            }
                            Some(b'\n') => {}
                            Some(b't') => value.push(b'\t'),
                            Some(b'b') => value.push(8),
                            Some(b'n') => value.push(b'\n'),
                            Some(same @ (b'\\' | b'"')) => value.push(same),
                            Some(_) => return Err(bad),
                        },
                        other => value.push(other),
                    }
                }
            }
        }
        value.truncate(trim.unwrap_or(value.len()));
        Ok(value)
    }
}
