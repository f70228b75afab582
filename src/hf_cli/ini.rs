//! The INI dialect of the hf CLI's `stored_tokens`: that of Python's `configparser` with its
//! default options and without interpolation. A file that Python would refuse is refused here too,
//! so that neither program rewrites what the other cannot read.

use std::fmt;

use zeroize::Zeroizing;

/// The section whose keys all other sections inherit.
const DEFAULTS: &str = "DEFAULT";

/// The sections of a file, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ini {
    sections: Vec<Section>,
}

/// A section: a name, and keys with values.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Section {
    name: String,
    fields: Vec<(String, Zeroizing<String>)>,
}

/// Where and why Python would refuse a file. The line is not quoted, since it may contain a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct IniError {
    /// The line, counted from 1.
    pub line: usize,
    pub(crate) problem: &'static str,
}

impl Ini {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Where `configparser` raises an error.
    pub fn parse(text: &str) -> Result<Self, IniError> {
        let mut reader = IniReader::default();
        // Python opens the file in text mode, which treats all line endings alike.
        let unix = Zeroizing::new(text.replace("\r\n", "\n").replace('\r', "\n"));
        for (at, line) in unix.split('\n').enumerate() {
            reader.line(line).map_err(|problem| IniError {
                line: at + 1,
                problem,
            })?;
        }
        Ok(reader.finish())
    }

    /// The sections, in the order of the file.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter()
    }

    /// The section with this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Adds a section, or replaces the one with its name.
    pub fn set(&mut self, section: Section) {
        self.remove(&section.name.clone());
        self.sections.push(section);
    }

    /// Removes a section. Returns whether it existed.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.sections.len();
        self.sections.retain(|section| section.name != name);
        self.sections.len() != before
    }

    /// The text as the hf CLI writes it: sections sorted by name, with a blank line after each.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut sorted: Vec<&Section> = self.sections.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        let length = |section: &&Section| {
            let fields = section.fields.iter();
            let fields: usize = fields
                .map(|(key, value)| key.len() + 2 * value.len() + 4)
                .sum();
            section.name.len() + 4 + fields
        };
        // Enough capacity from the start: growing would leave copies behind.
        let room = sorted.iter().map(length).sum();
        let mut text = Zeroizing::new(String::with_capacity(room));
        for section in sorted {
            text.push('[');
            text.push_str(&section.name);
            text.push_str("]\n");
            for (key, value) in &section.fields {
                text.push_str(key);
                text.push_str(" = ");
                for (at, line) in value.split('\n').enumerate() {
                    text.push_str(if at == 0 { "" } else { "\n\t" });
                    text.push_str(line);
                }
                text.push('\n');
            }
            text.push('\n');
        }
        text
    }
}

impl Section {
    /// A section with these keys.
    #[must_use]
    pub fn new(name: &str, fields: Vec<(String, Zeroizing<String>)>) -> Self {
        let name = name.to_owned();
        Self { name, fields }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of a key, given in lower case.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.fields.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("Section")
            .field("name", &self.name)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

/// What has been read so far.
#[derive(Default)]
struct IniReader {
    defaults: Section,
    sections: Vec<Section>,
    /// The section that the lines belong to; `None` before the first.
    current: Option<Place>,
    /// Whether a key has been read, so that lines with more indentation continue its value.
    in_value: bool,
    indent: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Defaults,
    Section,
}

impl IniReader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let text = trimmed(line);
        let comment = text.starts_with(['#', ';']);
        if comment || text.is_empty() {
            if !comment && self.in_value {
                self.go_on("");
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if self.in_value && indent > self.indent {
            self.go_on(text);
            return Ok(());
        }
        self.indent = indent;
        if let Some(name) = header(text) {
            return self.open(name);
        }
        let place = self.current.ok_or("there is no [section] above it")?;
        let (key, value) = text
            .split_once(['=', ':'])
            .ok_or("it is neither a [section] nor `key = value`")?;
        let key = trimmed(key).to_lowercase();
        if key.is_empty() {
            return Err("there is no key before the `=`");
        }
        let section = match place {
            Place::Defaults => &mut self.defaults,
            Place::Section => self.sections.last_mut().ok_or("there is no section")?,
        };
        if section.value(&key).is_some() {
            return Err("the key occurs twice");
        }
        let value = Zeroizing::new(trimmed(value).to_owned());
        section.fields.push((key, value));
        self.in_value = true;
        Ok(())
    }

    fn open(&mut self, name: &str) -> Result<(), &'static str> {
        self.in_value = false;
        if name == DEFAULTS {
            self.current = Some(Place::Defaults);
            return Ok(());
        }
        if self.sections.iter().any(|section| section.name == name) {
            return Err("the section occurs twice");
        }
        self.sections.push(Section::new(name, Vec::new()));
        self.current = Some(Place::Section);
        Ok(())
    }

    /// Adds a line to the value that was read last.
    fn go_on(&mut self, text: &str) {
        let section = match self.current {
            Some(Place::Section) => self.sections.last_mut(),
            _ => Some(&mut self.defaults),
        };
        if let Some((_, value)) = section.and_then(|section| section.fields.last_mut()) {
            let longer = Zeroizing::new([value.as_str(), "\n", text].concat());
            *value = longer;
        }
    }

    fn finish(self) -> Ini {
        let ended = |section: Section| {
            let ended = |(key, value): (String, Zeroizing<String>)| {
                (
                    key,
                    Zeroizing::new(value.trim_end_matches(is_space).to_owned()),
                )
            };
            Section {
                fields: section.fields.into_iter().map(ended).collect(),
                ..section
            }
        };
        let defaults = ended(self.defaults);
        let inheriting = |section: Section| {
            let mut fields = defaults.fields.clone();
            fields.retain(|(key, _)| section.value(key).is_none());
            fields.extend(section.fields);
            Section { fields, ..section }
        };
        let sections = self.sections.into_iter().map(ended);
        Ini {
            sections: sections.map(inheriting).collect(),
        }
    }
}

/// What Python treats as white space: Unicode's, and four separators that Unicode leaves out.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The name in a section header, which ends at the last bracket of the line.
fn header(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('[')?;
    let end = rest.rfind(']').filter(|end| *end > 0)?;
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ini: &Ini) -> Vec<(String, Vec<(String, String)>)> {
        let fields = |section: &Section| {
            let fields = section.fields.iter();
            fields.map(|(k, v)| (k.clone(), v.to_string())).collect()
        };
        let sections = ini.sections();
        sections.map(|s| (s.name.clone(), fields(s))).collect()
    }

    fn parsed(text: &str) -> String {
        match Ini::parse(text) {
            Ok(ini) => format!("{:?}", shown(&ini)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn read_as_python_reads_it() {
        // Each result is that of `configparser.ConfigParser(interpolation=None)`.
        for (text, expected) in [
            ("", "[]"),
            ("[a]\nhf_token = x\n", r#"[("a", [("hf_token", "x")])]"#),
            (
                "[a]\r\nHF_Token:x=y\r\n",
                r#"[("a", [("hf_token", "x=y")])]"#,
            ),
            ("[a b]c]d\nk=\n", r#"[("a b]c", [("k", "")])]"#),
            ("[ a ]\n", r#"[(" a ", [])]"#),
            ("  [a]\n  k = v\n", r#"[("a", [("k", "v")])]"#),
            (
                "[a]\nk = 1\n  2\n\n  3\n\n[b]\n",
                r#"[("a", [("k", "1\n2\n\n3")]), ("b", [])]"#,
            ),
            (
                "# c\n; d\n[a]\n# e\nk = v # f\n",
                r#"[("a", [("k", "v # f")])]"#,
            ),
            ("[a]\nk = 1\n# c\n  2\n", r#"[("a", [("k", "1\n2")])]"#),
            (
                "[DEFAULT]\nx = 1\ny = 2\n[a]\ny = 3\n",
                r#"[("a", [("x", "1"), ("y", "3")])]"#,
            ),
            ("[a]\nk = %(x)s ${y}\n", r#"[("a", [("k", "%(x)s ${y}")])]"#),
            ("[é 🤗]\nk = v\n", r#"[("é 🤗", [("k", "v")])]"#),
            (
                "[a]\n\u{1c}\n\u{1f}k = v\u{1d}\n",
                r#"[("a", [("k", "v")])]"#,
            ),
            ("k = v\n", "line 1: there is no [section] above it"),
            ("[a]\n[a]\n", "line 2: the section occurs twice"),
            ("[a]\nk=1\nK=2\n", "line 3: the key occurs twice"),
            (
                "[a]\nword\n",
                "line 2: it is neither a [section] nor `key = value`",
            ),
            ("[a]\n= v\n", "line 2: there is no key before the `=`"),
            ("[]\n", "line 1: there is no [section] above it"),
            ("\u{feff}[a]\n", "line 1: there is no [section] above it"),
        ] {
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn written_as_the_hf_cli_writes_it() {
        let mut ini = Ini::parse("[z]\nhf_token=1\n[a]\nk: 1\n  2\n").unwrap();
        let value = |text: &str| Zeroizing::new(text.to_owned());
        let fields = vec![("hf_token".to_owned(), value("2"))];
        ini.set(Section::new("m", fields.clone()));
        ini.set(Section::new("z", fields));
        let text = ini.to_text();
        assert_eq!(
            text.as_str(),
            "[a]\nk = 1\n\t2\n\n[m]\nhf_token = 2\n\n[z]\nhf_token = 2\n\n"
        );
        assert_eq!(Ini::parse(&text).unwrap().to_text(), text);
        assert!(ini.remove("m") && !ini.remove("m"));
    }

    #[test]
    fn debug_shows_no_value() {
        let ini = Ini::parse("[a]\nhf_token = hf_secretsecret\n").unwrap();
        let text = format!("{ini:?}");
        assert!(
            text.contains("hf_token") && !text.contains("secretsecret"),
            "{text}"
        );
    }
}
