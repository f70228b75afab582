//! Edits `config.toml` and keeps all other comments and blank lines.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, DocumentMut, Item, Table, TableLike, value};

use crate::config::{Config, ConfigError, VERSION};
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::token_name::TokenName;
use crate::storage::StorageKind;
use crate::system::files;
use crate::system::files::Lock;

/// Why the configuration was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigEditError {
    /// The existing file is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file or its lock cannot be used.
    #[error("cannot write {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A change to the configuration.
#[derive(Debug)]
pub enum Change<'a> {
    /// Adds a rule, or changes the token of an existing one, for one operation or for both
    /// (`None`).
    SetRule(&'a Pattern, &'a TokenName, Option<Operation>),
    /// Removes a rule.
    RemoveRule(&'a Pattern),
    /// Sets or removes the default token of an endpoint, or the top-level default (`None`).
    SetDefault(Option<&'a Endpoint>, Option<&'a TokenName>),
    /// Sets where new tokens are stored.
    SetStorage(StorageKind),
    /// Adds an endpoint if it is missing.
    AddEndpoint(&'a Endpoint),
}

/// Makes all the changes under a lock. If the file is a symbolic link, its target is changed:
/// people link to configuration that they keep in another folder.
///
/// # Errors
/// When the existing file is not valid, or cannot be written. The file is then unchanged.
pub(crate) fn edit(path: &Path, changes: &[Change<'_>]) -> Result<(), ConfigEditError> {
    let io_error = |source| ConfigEditError::Io {
        path: path.to_owned(),
        source,
    };
    let lock = path.with_extension("lock");
    let _lock = Lock::acquire(&lock, files::LOCK_DEADLINE).map_err(io_error)?;
    let text = match files::read_plain(path) {
        Ok(plain) => String::from_utf8(plain.bytes)
            .map_err(|_| io_error(io::Error::other("it is not UTF-8")))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io_error(error)),
    };
    Config::parse(path, &text)?;
    let changed = apply(&text, changes).map_err(|message| ConfigError {
        path: path.to_owned(),
        place: None,
        message,
        help: None,
    })?;
    if changed == text {
        return Ok(());
    }
    // Never write a file that we could not read.
    Config::parse(path, &changed)?;
    let target = files::real_path(path).map_err(io_error)?;
    if let Some(dir) = target.parent() {
        files::create_private_dir(dir).map_err(io_error)?;
    }
    files::write_whole(&target, changed.as_bytes(), files::mode_of(&target)).map_err(io_error)
}

/// Makes the changes in the text of a file.
///
/// # Errors
/// When the text is not TOML, or a key that must be a table is not one.
pub fn apply(text: &str, changes: &[Change<'_>]) -> Result<String, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|_| "cannot be read as TOML".to_owned())?;
    if text.trim().is_empty() {
        document.insert("version", value(VERSION));
    }
    for change in changes {
        match change {
            Change::SetRule(pattern, token, operation) => {
                set_rule(&mut document, pattern, token, *operation)?;
            }
            Change::RemoveRule(pattern) => remove_rule(&mut document, pattern),
            Change::SetDefault(None, Some(token)) => {
                set(&mut document, "default", token.as_str());
            }
            Change::SetDefault(None, None) => remove(&mut document, None, "default"),
            Change::SetDefault(Some(endpoint), token) => {
                set_default_of(&mut document, endpoint, *token)?;
            }
            Change::SetStorage(kind) => set(&mut document, "storage", kind.name()),
            Change::AddEndpoint(endpoint) => {
                add_endpoint(&mut document, endpoint)?;
            }
        }
    }
    let changed = document.to_string();
    // toml_edit writes only `\n`. A file with only `\r\n` keeps it.
    let lines = text.matches('\n').count();
    if lines > 0 && text.matches("\r\n").count() == lines {
        return Ok(changed.replace("\r\n", "\n").replace('\n', "\r\n"));
    }
    Ok(changed)
}

/// Sets a top-level key, and keeps the comment after its old value.
fn set(document: &mut DocumentMut, key: &str, text: &str) {
    match document.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) if old.as_str() == Some(text) => {}
        Some(old) => replace(old, text),
        None => {
            document.insert(key, value(text));
        }
    }
}

fn replace(old: &mut toml_edit::Value, text: &str) {
    let decor = old.decor().clone();
    *old = text.into();
    *old.decor_mut() = decor;
}

fn set_rule(
    document: &mut DocumentMut,
    pattern: &Pattern,
    token: &TokenName,
    operation: Option<Operation>,
) -> Result<(), String> {
    let rules = table(document, "rules")?;
    // The existing key may write the pattern in another way.
    let key = key_of(rules, |key| Pattern::parse(key).as_ref() == Ok(pattern))
        .unwrap_or_else(|| pattern.to_string());
    let before = rules.get(&key).map(entries_of).unwrap_or_default();
    let mut entries = before.clone();
    for (entry, of) in entries.iter_mut().zip(Operation::ALL) {
        if operation.is_none_or(|operation| operation == of) {
            *entry = Some(token.as_str().to_owned());
        }
    }
    if entries == before {
        return Ok(());
    }
    let new = match entries {
        [Some(fetch), Some(push)] if fetch == push => fetch.into(),
        entries => {
            let mut table = toml_edit::InlineTable::new();
            for (entry, of) in entries.into_iter().zip(Operation::ALL) {
                if let Some(token) = entry {
                    table.insert(of.to_string(), token.into());
                }
            }
            toml_edit::Value::from(table)
        }
    };
    match rules.get_mut(&key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = new;
            *old.decor_mut() = decor;
        }
        None => {
            rules.insert(&key, Item::Value(new));
        }
    }
    Ok(())
}

/// The tokens of a rule in the file, for a fetch and for a push.
fn entries_of(rule: &Item) -> [Option<String>; 2] {
    let text = |item: &Item| item.as_str().map(str::to_owned);
    match rule.as_table_like() {
        Some(table) => Operation::ALL.map(|of| table.get(&of.to_string()).and_then(text)),
        None => [text(rule), text(rule)],
    }
}

/// The table with this name, which is added if it is missing.
fn table<'d>(document: &'d mut DocumentMut, name: &str) -> Result<&'d mut dyn TableLike, String> {
    document
        .entry(name)
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_like_mut()
        .ok_or_else(|| format!("`{name}` is not a table"))
}

/// Finds a key as it is written in the file.
fn key_of(table: &dyn TableLike, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let mut keys = table.iter().map(|(key, _)| key.to_owned());
    keys.find(|key| is_it(key))
}

fn add_endpoint(document: &mut DocumentMut, endpoint: &Endpoint) -> Result<String, String> {
    let endpoints = table(document, "endpoints")?;
    let known = key_of(endpoints, |key| {
        Endpoint::parse(key).as_ref() == Ok(endpoint)
    });
    Ok(known.unwrap_or_else(|| {
        let key = endpoint.to_string();
        endpoints.insert(&key, value(toml_edit::InlineTable::new()));
        key
    }))
}

fn set_default_of(
    document: &mut DocumentMut,
    endpoint: &Endpoint,
    token: Option<&TokenName>,
) -> Result<(), String> {
    if token.is_none() && document.get("endpoints").is_none() {
        return Ok(());
    }
    let key = add_endpoint(document, endpoint)?;
    let item = table(document, "endpoints")?.get_mut(&key);
    let not_a_table = || format!("`{key}` is not a table");
    let item = item.ok_or_else(not_a_table)?;
    let options = item.as_table_like_mut().ok_or_else(not_a_table)?;
    let old = options.get_mut("default").and_then(Item::as_value_mut);
    match (old, token) {
        (Some(old), Some(token)) => {
            replace(old, token.as_str());
            return Ok(());
        }
        (None, None) => return Ok(()),
        (None, Some(token)) => {
            options.insert("default", value(token.as_str()));
        }
        (Some(_), None) => {
            options.remove("default");
        }
    }
    // The space before the closing brace belongs to the former last value.
    if let Some(line) = item.as_inline_table_mut() {
        line.fmt();
    }
    Ok(())
}

/// Removes a value from a table, and the comment directly above it. A comment above a blank line is
/// about something else and stays; toml_edit would remove it too.
fn remove(document: &mut DocumentMut, table: Option<&str>, key: &str) {
    let text = document.to_string();
    if let Some(lines) = lines_of(&text, table, key)
        && let (Some(before), Some(after)) = (text.get(..lines.start), text.get(lines.end..))
        && let Ok(changed) = format!("{before}{after}").parse()
    {
        *document = changed;
        return;
    }
    let table = match table {
        Some(name) => document.get_mut(name).and_then(Item::as_table_like_mut),
        None => Some(document.as_table_mut() as &mut dyn TableLike),
    };
    if let Some(table) = table {
        table.remove(key);
    }
}

/// The byte range of the lines of a value and its comment, if they fill whole lines.
fn lines_of(text: &str, table: Option<&str>, key: &str) -> Option<Range<usize>> {
    let document = Document::parse(text).ok()?;
    let table: &dyn TableLike = match table {
        Some(name) => document.get(name)?.as_table()?,
        None => document.as_table(),
    };
    let (written, item) = table.get_key_value(key)?;
    let (from, to) = (written.span()?.start, item.as_value()?.span()?.end);
    let start = |at: usize| Some(text.get(..at)?.rfind('\n').map_or(0, |at| at + 1));
    let mut first = start(from)?;
    while let Some(above) = first.checked_sub(1) {
        let above = start(above)?;
        if !text.get(above..first)?.trim_start().starts_with('#') {
            break;
        }
        first = above;
    }
    let rest = text.get(to..)?;
    Some(first..to + rest.find('\n').map_or(rest.len(), |at| at + 1))
}

fn remove_rule(document: &mut DocumentMut, pattern: &Pattern) {
    let Some(rules) = document.get("rules").and_then(Item::as_table_like) else {
        return;
    };
    let written: Vec<String> = rules
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| Pattern::parse(key).as_ref() == Ok(pattern))
        .collect();
    for key in written {
        remove(document, Some("rules"), &key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_rule(pattern: &str, token: &str, text: &str) -> String {
        let pattern = Pattern::parse(pattern).unwrap();
        let token = TokenName::parse(token).unwrap();
        apply(text, &[Change::SetRule(&pattern, &token, None)]).unwrap()
    }

    #[test]
    fn comments_and_order_stay() {
        let text = "# mine\nversion = 1\n\n[rules]\n# first\nacme = \"a\"   # why\n\"acme/x\" = \"b\"\n\n[endpoints]\n";
        assert_eq!(
            set_rule("acme", "c", text),
            text.replace("\"a\" ", "\"c\" ")
        );
        assert_eq!(
            set_rule("datasets/acme/x", "d", text),
            text.replace("\"b\"\n", "\"b\"\n\"datasets/acme/x\" = \"d\"\n")
        );
        assert_eq!(set_rule("ACME", "a", text), text);
    }

    #[test]
    fn a_rule_for_one_operation_leaves_the_other_alone() {
        let (fetch, push) = (Some(Operation::Fetch), Some(Operation::Push));
        for (before, operation, after) in [
            ("", push, "{ push = \"t\" }"),
            ("acme = \"a\"", push, "{ fetch = \"a\", push = \"t\" }"),
            ("acme = \"a\"", fetch, "{ fetch = \"t\", push = \"a\" }"),
            ("acme = { push = \"a\" }", push, "{ push = \"t\" }"),
            ("acme = { fetch = \"a\", push = \"b\" }", None, "\"t\""),
            ("acme = { fetch = \"t\", push = \"b\" }", push, "\"t\""),
        ] {
            let pattern = Pattern::parse("acme").unwrap();
            let token = TokenName::parse("t").unwrap();
            let text = format!("[rules]\n{before}\n# the end\n");
            let change = Change::SetRule(&pattern, &token, operation);
            let edited = apply(&text, &[change]).unwrap();
            assert!(
                edited.contains(&format!("acme = {after}")),
                "{before}: {edited}"
            );
            assert!(edited.contains("# the end"), "{edited}");
        }
    }

    #[test]
    fn the_default_of_an_endpoint() {
        let hub = Endpoint::from_git("https", "hub.example").unwrap();
        let name = TokenName::parse("a").unwrap();
        let text = "default = \"b\"\n\n[endpoints]\n\"https://hub.example\" = { env = true }\n";
        let set = apply(text, &[Change::SetDefault(Some(&hub), Some(&name))]).unwrap();
        let expected = "{ env = true, default = \"a\" }";
        assert_eq!(set, text.replace("{ env = true }", expected));
        let removed = apply(&set, &[Change::SetDefault(Some(&hub), None)]).unwrap();
        assert_eq!(removed, text);
        // Replacing the token keeps the line's formatting.
        let by_hand = "[endpoints]\n\"https://hub.example\" = {env=true,  default=\"b\"}\n";
        let replaced = apply(by_hand, &[Change::SetDefault(Some(&hub), Some(&name))]).unwrap();
        assert_eq!(replaced, by_hand.replace("\"b\"", "\"a\""));
    }

    #[test]
    fn a_new_file_has_a_version() {
        assert_eq!(
            set_rule("acme", "a", ""),
            "version = 1\n\n[rules]\nacme = \"a\"\n"
        );
    }

    #[test]
    fn default_and_storage() {
        let name = TokenName::parse("a").unwrap();
        let text = "version = 1\ndefault = \"b\" # mine\n\n[rules]\n";
        let set = apply(text, &[Change::SetDefault(None, Some(&name))]).unwrap();
        assert_eq!(set, text.replace("\"b\"", "\"a\""));
        let removed = apply(text, &[Change::SetDefault(None, None)]).unwrap();
        assert!(!removed.contains("default"));
        let stored = apply(text, &[Change::SetStorage(StorageKind::File)]).unwrap();
        assert!(stored.contains("storage = \"file\"\n"), "{stored}");
        assert!(stored.find("storage").unwrap() < stored.find("[rules]").unwrap());
    }

    #[test]
    fn a_rule_goes_in_whatever_way_it_is_written() {
        let text = "[rules]\n# about acme\nAcme = \"a\"\n\"acme/x\" = \"b\"\n";
        let pattern = Pattern::parse("acme").unwrap();
        let left = apply(text, &[Change::RemoveRule(&pattern)]).unwrap();
        assert_eq!(left, "[rules]\n\"acme/x\" = \"b\"\n");
    }

    #[test]
    fn what_stands_above_a_blank_line_stays_when_a_value_goes() {
        let text = "# my tokens\n\n# at home\ndefault = \"a\" # b\n\n[rules] # x\n# all\n\n# one\nacme = \"a\"\nb = \"c\"\n";
        let left = apply(text, &[Change::SetDefault(None, None)]).unwrap();
        assert_eq!(left, text.replace("# at home\ndefault = \"a\" # b\n", ""));
        let pattern = Pattern::parse("acme").unwrap();
        let left = apply(text, &[Change::RemoveRule(&pattern)]).unwrap();
        assert_eq!(left, text.replace("# one\nacme = \"a\"\n", ""));
    }

    #[test]
    fn a_file_from_windows_keeps_its_line_endings() {
        let text = "version = 1\r\n# mine\r\n[rules]\r\nacme = \"a\"\r\n";
        assert_eq!(set_rule("acme", "b", text), text.replace("\"a\"", "\"b\""));
        let added = set_rule("other", "b", text);
        assert_eq!(added, format!("{text}other = \"b\"\r\n"));
    }

    #[test]
    fn a_bad_file_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "nonsense = 1\n").unwrap();
        let error = edit(&path, &[Change::SetDefault(None, None)]).unwrap_err();
        assert!(error.to_string().contains("unknown key `nonsense`"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "nonsense = 1\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("dotfiles.toml");
        let path = dir.path().join("config.toml");
        std::fs::write(&real, "version = 1\n").unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        edit(&path, &[Change::SetStorage(StorageKind::File)]).unwrap();
        assert!(path.is_symlink());
        assert!(std::fs::read_to_string(&real).unwrap().contains("storage"));
    }
}
