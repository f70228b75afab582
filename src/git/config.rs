//! Reads git's configuration by one run of `git config` under a deadline: every entry in order, with
//! its file. Nothing that a configuration names is run.

use std::path::Path;
use std::process::Stdio;

use crate::git::config_file::{Reach, line_of, reach};
use crate::git::run::{MAX_CONFIG, ReadError, TIMEOUT};
use crate::model::text::shell_quoted;
use crate::system::process::output_within;
use crate::system::{files, process};

/// Whose configuration an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All users of this machine.
    System,
    /// This user.
    Global,
    /// The current repository.
    Local,
    /// The current worktree.
    Worktree,
    /// `git -c`, or git's variables.
    Command,
    /// Not known: git before 2.26 does not say.
    Unknown,
}

impl Scope {
    fn parse(text: &str) -> Self {
        match text {
            "system" => Self::System,
            "global" => Self::Global,
            "local" => Self::Local,
            "worktree" => Self::Worktree,
            "command" => Self::Command,
            _ => Self::Unknown,
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) scope: Scope,
    /// Its file, relative to the working directory; `None` for the command line.
    pub(crate) file: Option<String>,
    /// The key: section and name in lower case, the subsection as written.
    pub(crate) key: String,
    /// The value; `None` for a key without `=`, which means true.
    pub(crate) value: Option<String>,
}

impl Entry {
    /// The subsection between `section` and `name` in the key: `Some("")` if there is none, `None`
    /// for another key.
    pub(crate) fn between(&self, section: &str, name: &str) -> Option<&str> {
        let rest = self.key.strip_prefix(section)?.strip_prefix('.')?;
        if rest == name {
            return Some("");
        }
        rest.strip_suffix(name)?.strip_suffix('.')
    }

    /// The value as text; empty if there is none.
    pub(crate) fn text(&self) -> &str {
        self.value.as_deref().unwrap_or("")
    }

    /// Where it is set, in words: the file and line, the variable, or `git -c`.
    pub(crate) fn place(&self) -> String {
        let Some(file) = &self.file else {
            return self.variable();
        };
        let bytes = files::read_plain(Path::new(file)).ok();
        let line = bytes.and_then(|plain| line_of(&plain.bytes, &self.key, self.value.as_deref()));
        match line {
            Some(line) => format!("{file}, line {line}"),
            None => file.clone(),
        }
    }

    /// What sets an entry that is in no file.
    fn variable(&self) -> String {
        let text = |name: &str| std::env::var(name).ok();
        let count = text("GIT_CONFIG_COUNT").and_then(|count| count.parse().ok());
        // Git does not accept more of them either.
        let mut numbers = 0..count.unwrap_or(0).min(1000);
        let number = numbers.rfind(|number: &u32| {
            text(&format!("GIT_CONFIG_KEY_{number}"))
                .is_some_and(|key| key.eq_ignore_ascii_case(&self.key))
                && text(&format!("GIT_CONFIG_VALUE_{number}")) == self.value
        });
        match number {
            Some(number) => format!("GIT_CONFIG_KEY_{number}"),
            None => "git -c, or GIT_CONFIG_PARAMETERS".to_owned(),
        }
    }

    /// Says how to remove this line of git's configuration.
    pub(crate) fn how_to_remove(&self) -> String {
        let (key, place) = (&self.key, self.place());
        match (self.scope, &self.file) {
            (_, None) | (Scope::Command, _) => format!("leave out `{key}`, which {place} sets"),
            _ => format!("remove `{key}` from {place}"),
        }
    }

    /// Says how to get this helper's lines after this one: at the end of the same file, or of one that
    /// git reads later.
    pub(crate) fn how_to_follow(&self) -> String {
        let command = match (self.scope, &self.file) {
            (Scope::Command, _) | (_, None) => return self.how_to_remove(),
            (Scope::Local, _) => "git credential-hf configure --local".to_owned(),
            (Scope::Worktree, Some(file)) => {
                format!("git credential-hf configure --file {}", shell_quoted(file))
            }
            _ => "git credential-hf configure".to_owned(),
        };
        format!("run `{command}`, or {}", self.how_to_remove())
    }

    /// The value as a boolean, as git reads it.
    pub(crate) fn is_true(&self) -> bool {
        let Some(value) = &self.value else {
            return true;
        };
        let value = value.to_ascii_lowercase();
        matches!(value.as_str(), "true" | "yes" | "on")
            || value.parse::<i64>().is_ok_and(|number| number != 0)
    }
}

/// Reads the entries whose keys match an extended regular expression, in git's order.
pub(crate) fn read(keys: &str) -> Result<Vec<Entry>, ReadError> {
    let mut entries = read_as_told(keys)?;
    let mut relative: Vec<&mut String> = entries
        .iter_mut()
        .filter_map(|entry| entry.file.as_mut())
        .filter(|file| Path::new(file).is_relative())
        .collect();
    // Git gives the repository's files relative to its top, wherever it runs.
    if !relative.is_empty()
        && let Ok(Some(top)) = crate::git::run::ask(&["rev-parse", "--show-cdup"])
    {
        let top = top.trim_end_matches('\n');
        relative.iter_mut().for_each(|file| file.insert_str(0, top));
    }
    Ok(entries)
}

fn read_as_told(keys: &str) -> Result<Vec<Entry>, ReadError> {
    let run = |options: &[&str]| {
        let mut command = process::command("git");
        command
            .args(["config", "-z"])
            .args(options)
            .args(["--get-regexp", keys])
            .stderr(Stdio::null());
        let finished = output_within(command, TIMEOUT, MAX_CONFIG);
        let finished = finished.map_err(|error| ReadError::of(&error))?;
        let output = String::from_utf8_lossy(&finished.output).into_owned();
        Ok((finished.status.code(), output))
    };
    let (code, output) = run(&["--show-scope", "--show-origin"])?;
    match code {
        Some(0) => Ok(parse(&output, true)),
        // Nothing matches.
        Some(1) => Ok(Vec::new()),
        // A usage error: git before 2.26 does not know `--show-scope`.
        Some(129) => match run(&["--show-origin"])? {
            (Some(0), output) => Ok(parse(&output, false)),
            (Some(1), _) => Ok(Vec::new()),
            _ => Err(ReadError::Unreadable),
        },
        _ => Err(ReadError::Unreadable),
    }
}

/// Reads `[scope NUL] origin NUL key [LF value] NUL`.
fn parse(output: &str, scopes: bool) -> Vec<Entry> {
    let mut fields = output.split('\0');
    let mut entries = Vec::new();
    loop {
        let scope = if scopes {
            fields.next().map(Scope::parse)
        } else {
            Some(Scope::Unknown)
        };
        let (Some(mut scope), Some(origin), Some(entry)) = (scope, fields.next(), fields.next())
        else {
            return entries;
        };
        let file = origin.strip_prefix("file:").map(str::to_owned);
        if file.is_none() && scope == Scope::Unknown {
            scope = Scope::Command;
        }
        let (key, value) = match entry.split_once('\n') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (entry, None),
        };
        entries.push(Entry {
            scope,
            file,
            key: key.to_owned(),
            value,
        });
    }
}

/// The last entry of `section.*.name` that applies to an endpoint. It is the one that counts for
/// `credential`, where git goes by the order.
pub(crate) fn last<'a>(
    entries: &'a [Entry],
    section: &str,
    name: &str,
    endpoint: &str,
) -> Option<&'a Entry> {
    let mut reaching = entries.iter().filter(|entry| {
        let between = entry.between(section, name);
        between.is_some_and(|pattern| reach(pattern, endpoint) != Reach::Never)
    });
    reaching.next_back()
}

/// The entry of `section.*.name` that matches an endpoint best, the last one of equals. It is the
/// one that counts for `http`.
pub(crate) fn best<'a>(
    entries: &'a [Entry],
    section: &str,
    name: &str,
    endpoint: &str,
) -> Option<&'a Entry> {
    let fit = |entry: &&'a Entry| {
        let pattern = entry.between(section, name)?;
        (reach(pattern, endpoint) == Reach::Always).then_some(pattern.len())
    };
    let fitting = entries.iter().filter(|entry| fit(entry).is_some());
    fitting.max_by_key(fit)
}

/// What tests are made of.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// An entry of this user's, `key=value`.
    pub(crate) fn entry(text: &str) -> Entry {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        Entry {
            scope: Scope::Global,
            file: Some("/home/u/.gitconfig".to_owned()),
            key: key.to_owned(),
            value: Some(value.to_owned()),
        }
    }

    /// Several of them.
    pub(crate) fn entries(texts: &[&str]) -> Vec<Entry> {
        texts.iter().map(|text| entry(text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::entries;
    use super::*;

    const HUB: &str = "https://huggingface.co";

    #[test]
    fn entries_with_and_without_scopes() {
        let output = "local\0file:.git/config\0core.bare\nfalse\0command\0command line:\0a.b\0";
        let read = parse(output, true);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].scope, Scope::Local);
        assert_eq!(read[0].file.as_deref(), Some(".git/config"));
        assert_eq!(read[0].text(), "false");
        assert_eq!(read[1].scope, Scope::Command);
        assert_eq!(
            (read[1].file.as_ref(), read[1].value.as_ref()),
            (None, None)
        );
        assert!(!read[0].is_true() && read[1].is_true());
        let output = "file:/x\0a.b\nline\nline\0command line:\0a.c\n\0";
        let read = parse(output, false);
        assert_eq!(read[0].text(), "line\nline");
        assert_eq!(read[0].scope, Scope::Unknown);
        assert_eq!(read[1].scope, Scope::Command);
        // Cut off by a deadline or a limit.
        assert_eq!(parse("local\0file:x\0a.b\n1\0local\0file", true).len(), 1);
    }

    #[test]
    fn keys_are_taken_apart() {
        let read = entries(&[
            "credential.helper=x",
            "credential.https://a.b/c.helper=y",
            "credential.usehttppath=z",
            "credentials.helper=z",
        ]);
        let between: Vec<_> = read
            .iter()
            .map(|entry| entry.between("credential", "helper"))
            .collect();
        assert_eq!(between, [Some(""), Some("https://a.b/c"), None, None]);
    }

    #[test]
    fn what_counts_below_credential_and_http() {
        let read = entries(&[
            "http.https://huggingface.co.proxy=own",
            "http.proxy=all",
            "http.https://huggingface.co/acme.proxy=part",
            "http.https://github.com.proxy=other",
        ]);
        let text = |entry: Option<&Entry>| entry.map(|entry| entry.text().to_owned());
        assert_eq!(
            text(best(&read, "http", "proxy", HUB)).as_deref(),
            Some("own")
        );
        assert_eq!(
            text(last(&read, "http", "proxy", HUB)).as_deref(),
            Some("part")
        );
        assert_eq!(
            text(best(&read[1..2], "http", "proxy", HUB)).as_deref(),
            Some("all")
        );
        let twice = entries(&["http.proxy=one", "http.proxy=two"]);
        assert_eq!(
            text(best(&twice, "http", "proxy", HUB)).as_deref(),
            Some("two")
        );
        assert_eq!(best(&read[3..], "http", "proxy", HUB), None);
    }
}
