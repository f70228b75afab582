//! Finds and replaces URLs in a git configuration file that may contain a login: bytes in, bytes out,
//! no I/O. Nothing else in the file changes, and no secret is an argument of `git config`.

use std::fmt;

use zeroize::Zeroizing;

use super::EditError;
use super::parse::{File, Item, Kind, parse};

/// A URL in a configuration file.
pub(crate) struct ConfigUrl {
    /// The variable whose value it is, such as `remote.origin.url`, or the section that it names,
    /// such as `[url]`.
    pub(crate) key: String,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The URL.
    pub(crate) url: Zeroizing<String>,
    /// Whether it is the base of `url.BASE.insteadOf`. Then it is the beginning of other URLs, and
    /// not the URL of a repo.
    pub(crate) is_base: bool,
    item: usize,
}

impl fmt::Debug for ConfigUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigUrl")
            .field("key", &self.key)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Why a URL was not replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReplaceError {
    /// Git could not parse the file.
    #[error(transparent)]
    Unreadable(#[from] EditError),
    /// It is written with escapes or inner quotes, so that it cannot be replaced.
    #[error("line {0}: the URL is written in an unusual way")]
    Unusual(usize),
}

/// A part of a URL, and its replacement.
pub(crate) type Replacement = (Zeroizing<String>, String);

/// Sections that have a URL as their subsection.
const URL_SECTIONS: [&str; 4] = ["url", "http", "credential", "lfs"];

/// The URLs in a file, in order.
///
/// # Errors
/// When git could not parse the file.
pub(crate) fn urls(bytes: &[u8]) -> Result<Vec<ConfigUrl>, EditError> {
    Ok(urls_in(&parse(bytes)?))
}

fn urls_in(file: &File) -> Vec<ConfigUrl> {
    let mut found = Vec::new();
    let mut section = Zeroizing::new(String::new());
    for (at, item) in file.items.iter().enumerate() {
        let (key, url, is_base) = match &item.kind {
            Kind::Header(name) => {
                section = Zeroizing::new(String::from_utf8_lossy(name).into_owned());
                let Some((kind, url)) = section.split_once('.') else {
                    continue;
                };
                if !URL_SECTIONS.contains(&kind) {
                    continue;
                }
                (format!("[{kind}]"), url.to_owned(), kind == "url")
            }
            Kind::Entry {
                key,
                value: Some(value),
            } if holds_url(&section, key) => {
                let key = format!("{}.{}", section.as_str(), String::from_utf8_lossy(key));
                let Ok(url) = std::str::from_utf8(value) else {
                    continue;
                };
                (key, url.to_owned(), false)
            }
            _ => continue,
        };
        found.push(ConfigUrl {
            key,
            line: item.line,
            url: Zeroizing::new(url),
            is_base,
            item: at,
        });
    }
    found
}

/// Whether git or git-lfs connects to the value of this variable.
fn holds_url(section: &str, key: &[u8]) -> bool {
    let kind = section.split_once('.').map_or(section, |(kind, _)| kind);
    let keys: &[&[u8]] = match kind {
        "remote" => &[b"url", b"pushurl", b"lfsurl", b"lfspushurl", b"pushdefault"],
        "branch" => &[b"remote", b"pushremote"],
        "submodule" | "lfs" => &[b"url", b"pushurl"],
        _ => &[],
    };
    keys.contains(&key)
}

/// Replaces parts of URLs in place. `change` returns the replacements for each URL. The result is
/// parsed again and compared with what was asked for.
///
/// # Errors
/// When the file cannot be parsed, or one of the URLs cannot be replaced. Then none of them is.
pub(crate) fn replace(
    bytes: &[u8],
    change: impl Fn(&ConfigUrl) -> Option<Replacement>,
) -> Result<Zeroizing<Vec<u8>>, ReplaceError> {
    let file = parse(bytes)?;
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len() + 256));
    let mut copied = 0;
    let mut expected = Vec::new();
    for found in urls_in(&file) {
        let Some((old, new)) = change(&found) else {
            continue;
        };
        let unusual = || ReplaceError::Unusual(found.line);
        let item = file.items.get(found.item).ok_or_else(unusual)?;
        let raw = bytes.get(item.start..item.end).unwrap_or_default();
        let length = old.len();
        let at = raw
            .windows(length.max(1))
            .position(|window| window == old.as_bytes())
            .ok_or_else(unusual)?;
        let start = item.start + at;
        out.extend_from_slice(bytes.get(copied..start).unwrap_or_default());
        out.extend_from_slice(new.as_bytes());
        copied = start + length;
        expected.push((found.item, found.line, old, new));
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());

    let after = parse(&out)?;
    for (at, item) in file.items.iter().enumerate() {
        let asked = expected.iter().find(|(item, ..)| *item == at);
        let as_asked = after.items.get(at).is_some_and(|now| match asked {
            None => now.kind == item.kind,
            Some((_, _, old, new)) => is_replaced(item, now, old, new),
        });
        if !as_asked || after.items.len() != file.items.len() {
            return Err(ReplaceError::Unusual(item.line));
        }
    }
    Ok(out)
}

/// Whether an item is unchanged except for the replacement.
fn is_replaced(before: &Item, after: &Item, old: &str, new: &str) -> bool {
    let replaced = |before: &[u8], after: &[u8]| {
        let text = Zeroizing::new(String::from_utf8_lossy(before).into_owned());
        Zeroizing::new(text.replacen(old, new, 1)).as_bytes() == after
    };
    match (&before.kind, &after.kind) {
        (Kind::Header(before), Kind::Header(after)) => replaced(before, after),
        (
            Kind::Entry {
                key,
                value: Some(before),
            },
            Kind::Entry {
                key: same,
                value: Some(after),
            },
        ) => key == same && replaced(before, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let urls = urls(text.as_bytes()).unwrap();
        let one = |found: &ConfigUrl| {
            let base = if found.is_base { " base" } else { "" };
            format!("{} {} {}{base}", found.line, found.key, found.url.as_str())
        };
        urls.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn where_urls_stand() {
        for (text, expected) in [
            ("", ""),
            ("[core]\n\turl = x\n", ""),
            (
                "[remote \"origin\"]\n\turl = https://h/a\n\tpushurl = \"b\"\n",
                "2 remote.origin.url https://h/a, 3 remote.origin.pushurl b",
            ),
            (
                "[Remote \"A.b\"] URL = c\n[remote]\n\tpushDefault = d\n",
                "1 remote.A.b.url c, 3 remote.pushdefault d",
            ),
            (
                "[url \"https://u:p@h/\"]\n\tinsteadOf = https://h/\n",
                "1 [url] https://u:p@h/ base",
            ),
            (
                "[http \"https://u@h\"]\n\tproxy = x\n[credential \"https://h\"]\n",
                "1 [http] https://u@h, 3 [credential] https://h",
            ),
            (
                "[submodule \"s\"]\n\turl = a\n[lfs]\n\turl = b\n[lfs \"https://h\"]\n\taccess = basic\n",
                "2 submodule.s.url a, 4 lfs.url b, 5 [lfs] https://h",
            ),
            (
                "[branch \"main\"]\n\tremote = origin\n\tpushRemote = https://h\n",
                "2 branch.main.remote origin, 3 branch.main.pushremote https://h",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        assert!(urls(b"[remote\n").is_err());
    }

    fn cleaned(text: &str) -> Result<String, ReplaceError> {
        let old = || Zeroizing::new("u:p@".to_owned());
        let out = replace(text.as_bytes(), |found| {
            let has = found.url.contains("u:p@");
            has.then(|| (old(), String::new()))
        })?;
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    #[test]
    fn nothing_else_changes() {
        for (text, expected) in [
            (
                "# a\r\n[remote \"o\"]\r\n  url = https://u:p@h/a ; b\r\n",
                "# a\r\n[remote \"o\"]\r\n  url = https://h/a ; b\r\n",
            ),
            (
                "[remote \"o\"] url = \"https://u:p@h/a\"",
                "[remote \"o\"] url = \"https://h/a\"",
            ),
            (
                "[url \"https://u:p@h/\"] # x\n\tinsteadOf = https://h/\n",
                "[url \"https://h/\"] # x\n\tinsteadOf = https://h/\n",
            ),
            (
                "[remote \"o\"]\n\turl = https://u:p@h/\\\na\n",
                "[remote \"o\"]\n\turl = https://h/\\\na\n",
            ),
            (
                "[remote \"o\"]\n\turl = https://u:p@h/a\n[remote \"q\"]\n\turl = https://u:p@h/b\n\tpushurl = https://x:p@h/b\n",
                "[remote \"o\"]\n\turl = https://h/a\n[remote \"q\"]\n\turl = https://h/b\n\tpushurl = https://x:p@h/b\n",
            ),
            (
                "[remote \"o\"]\n\turl = https://h/a # u:p@\n",
                "[remote \"o\"]\n\turl = https://h/a # u:p@\n",
            ),
        ] {
            assert_eq!(cleaned(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_written_unusually_is_left_alone() {
        for (text, line) in [
            ("[remote \"o\"]\n\turl = https://u\":\"p@h/a\n", 2),
            ("[remote \"o\"]\n\turl = https://u:\\\np@h/a\n", 2),
            // The first occurrence is not the one in the URL.
            ("[remote \"u:p@\"] url = a\n[url \"https://u:\\p@h\"]\n", 2),
        ] {
            assert_eq!(cleaned(text), Err(ReplaceError::Unusual(line)), "{text:?}");
        }
    }
}
