//! The remotes of the current repository, and the files of git's configuration.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::git::run::ReadError;
use crate::git::{config, run};
use crate::model::endpoint::Endpoint;
use crate::model::location::{Location, parse_location};
use crate::model::operation::Operation;

/// A location that a remote is fetched from or pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The remote's name.
    pub(crate) name: String,
    /// The location.
    pub location: Location,
    /// [`Operation::Push`] for a push URL, which is used for pushes only and replaces the other URL
    /// there.
    pub(crate) operation: Operation,
}

/// Which of a remote's URLs git uses: for a push its push URLs if it has any, and else the others.
pub(crate) fn used_for<'a>(
    mut remotes: impl Iterator<Item = &'a Remote>,
    operation: Operation,
) -> Operation {
    match operation {
        Operation::Push if remotes.any(|it| it.operation == Operation::Push) => Operation::Push,
        _ => Operation::Fetch,
    }
}

/// The locations that git would use for the remotes of the repository in `GIT_DIR` or the working
/// directory, each once for a remote. Empty outside a repository, in a repository that git does not
/// trust (`safe.directory`), or without git.
///
/// One run of `git config` reads everything that matters, wherever it is written (includes,
/// worktrees). URLs are rewritten here, as git does it.
///
/// # Errors
/// When the configuration is too large, or git does not finish. A part of the remotes must not be
/// taken for all of them.
pub(crate) fn all() -> Result<Vec<Remote>, ReadError> {
    let regexp = r"^(remote\..*\.(url|pushurl)|url\..*\.(insteadof|pushinsteadof))$";
    let told = run::ask(&["config", "-z", "--get-regexp", regexp])?;
    Ok(told.map_or_else(Vec::new, |told| parse(&told)))
}

/// The keys of all helpers.
const HELPERS: &str = r"^credential\.(.*\.)?helper$";

/// The helpers that are configured, for any host.
///
/// # Errors
/// When git's configuration cannot be read.
pub(crate) fn helpers() -> Result<Vec<String>, ReadError> {
    let entries = config::read(HELPERS)?;
    let values = entries.into_iter().filter_map(|entry| entry.value);
    Ok(values.collect())
}

/// The paths of the files that git reads its configuration from: those of each of the `scopes`
/// (`--global` and so on), or all of them if none is given.
///
/// # Errors
/// When the configuration is too large, or git does not finish.
pub(crate) fn config_files(scopes: &[&str]) -> Result<Vec<PathBuf>, ReadError> {
    let list = ["config", "--list", "-z", "--show-origin", "--name-only"];
    let mut told = String::new();
    if scopes.is_empty() {
        told = run::ask(&list)?.unwrap_or_default();
    }
    for scope in scopes {
        let list: Vec<&str> = list.iter().chain([scope]).copied().collect();
        told.push_str(&run::ask(&list)?.unwrap_or_default());
    }
    // Git gives the repository's files relative to its top.
    let top = run::ask(&["rev-parse", "--show-cdup"])?.unwrap_or_default();
    let top = Path::new(top.trim_end_matches('\n'));
    let mut found: Vec<PathBuf> = Vec::new();
    for origin in told.split('\0').filter_map(|it| it.strip_prefix("file:")) {
        let path = top.join(origin);
        if !found.contains(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The folder that all worktrees of the current repository share.
pub(crate) fn common_dir() -> Option<PathBuf> {
    told_path(&["rev-parse", "--git-common-dir"])
}

/// The top of the current work tree.
pub(crate) fn work_tree() -> Option<PathBuf> {
    told_path(&["rev-parse", "--show-toplevel"])
}

fn told_path(arguments: &[&str]) -> Option<PathBuf> {
    let told = run::ask(arguments).ok()??;
    Some(PathBuf::from(told.trim_end_matches('\n')))
}

/// A URL in the configuration, and what it is for.
struct Written<'a> {
    remote: &'a str,
    url: &'a str,
    operation: Operation,
}

/// Parses the remotes in the output of `git config -z`: `key\nvalue\0`.
#[must_use]
pub fn parse(output: &str) -> Vec<Remote> {
    let mut urls: Vec<Written<'_>> = Vec::new();
    let (mut instead, mut push_instead) = (Vec::new(), Vec::new());
    for (key, value) in output
        .split('\0')
        .filter_map(|entry| entry.split_once('\n'))
    {
        let Some((name, last)) = key.rsplit_once('.') else {
            continue;
        };
        match (
            name.strip_prefix("url."),
            name.strip_prefix("remote."),
            last,
        ) {
            (Some(base), _, "insteadof") => instead.push((value, base)),
            (Some(base), _, "pushinsteadof") => push_instead.push((value, base)),
            (_, Some(remote), _) => {
                let operation = match last {
                    "pushurl" => Operation::Push,
                    _ => Operation::Fetch,
                };
                if value.is_empty() {
                    // It cancels what was read before.
                    urls.retain(|known| known.remote != remote || known.operation != operation);
                    continue;
                }
                urls.push(Written {
                    remote,
                    url: value,
                    operation,
                });
            }
            _ => {}
        }
    }
    let with_push_url: HashSet<&str> = urls
        .iter()
        .filter(|url| url.operation == Operation::Push)
        .map(|url| url.remote)
        .collect();
    let mut found: Vec<Remote> = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |name: &str, url: String, operation: Operation| {
        // Without a scheme, a remote is a path or an ssh host, never a repo's bare name.
        if url.contains("://")
            && let Ok(location) = parse_location(&url, &Endpoint::hugging_face())
            && seen.insert((name.to_owned(), location.clone()))
        {
            let name = name.to_owned();
            found.push(Remote {
                name,
                location,
                operation,
            });
        }
    };
    for Written {
        remote,
        url,
        operation,
    } in &urls
    {
        let used = rewritten(url, &instead).unwrap_or_else(|| (*url).to_owned());
        add(remote, used, *operation);
        // Without a push URL, git derives it from the other one.
        if *operation == Operation::Fetch
            && !with_push_url.contains(remote)
            && let Some(url) = rewritten(url, &push_instead)
        {
            add(remote, url, Operation::Push);
        }
    }
    found
}

/// Rewrites a URL by the longest matching prefix, the first one of equals.
fn rewritten(url: &str, rules: &[(&str, &str)]) -> Option<String> {
    let mut best: Option<&(&str, &str)> = None;
    for rule in rules.iter().filter(|(from, _)| url.starts_with(from)) {
        if best.is_none_or(|(from, _)| rule.0.len() > from.len()) {
            best = Some(rule);
        }
    }
    let (from, to) = best?;
    Some(format!("{to}{}", url.get(from.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(output: &str) -> Vec<String> {
        parse(output)
            .iter()
            .map(|Remote { location: at, .. }| format!("{}/{}", at.endpoint, at.path))
            .collect()
    }

    #[test]
    fn urls_push_urls_and_rewrites() {
        let output = "remote.origin.url\nhttps://huggingface.co/acme/x\0\
                      remote.origin.pushurl\nhttps://work@hf.co/acme/x\0\
                      remote.mirror.url\nhf:acme/y.git\0\
                      remote.ssh.url\ngit@hf.co:acme/z\0\
                      remote.path.url\nacme/w\0\
                      url.https://huggingface.co/.insteadof\nhf:\0\
                      url.https://evil.example/.insteadof\nh\0";
        assert_eq!(
            shown(output),
            [
                "https://evil.example/ttps://huggingface.co/acme/x".to_owned(),
                "https://evil.example/ttps://work@hf.co/acme/x".to_owned(),
                "https://huggingface.co/acme/y.git".to_owned(),
            ]
        );
    }

    #[test]
    fn pushing_by_ssh_does_not_hide_where_is_fetched_from() {
        let output = "remote.origin.url\nhttps://huggingface.co/acme/x\0\
                      url.git@hf.co:.pushinsteadof\nhttps://huggingface.co/\0";
        assert_eq!(shown(output), ["https://huggingface.co/acme/x"]);
        let output = "remote.origin.url\nhttps://huggingface.co/acme/x\0\
                      url.https://work@huggingface.co/.pushinsteadof\nhttps://huggingface.co/\0";
        let users: Vec<_> = parse(output)
            .into_iter()
            .map(|remote| remote.location.username)
            .collect();
        assert_eq!(users, [None, Some("work".to_owned())]);
        let own = format!("{output}remote.origin.pushurl\nhttps://huggingface.co/acme/y\0");
        assert_eq!(
            shown(&own),
            [
                "https://huggingface.co/acme/x",
                "https://huggingface.co/acme/y"
            ]
        );
    }

    #[test]
    fn the_same_place_once_for_a_remote() {
        let output = "remote.a.url\nhttps://huggingface.co/acme/x\0\
                      remote.a.url\nhttps://HF.co/acme/x\0\
                      remote.a.pushurl\nhttps://huggingface.co/acme/x\0\
                      remote.b.c.url\nhttps://huggingface.co/acme/x\0";
        let found = parse(output);
        let fetched = |it: &&Remote| it.operation == Operation::Fetch;
        let names: Vec<_> = found.iter().filter(fetched).map(|it| &it.name).collect();
        assert_eq!(names, ["a", "b.c"]);
        assert_eq!(found.len(), names.len());
        assert!(shown("").is_empty());
    }

    #[test]
    fn an_empty_url_takes_back_what_was_before_it() {
        let output = "remote.a.url\nhttps://huggingface.co/acme/x\0\
                      remote.a.pushurl\nhttps://huggingface.co/acme/y\0\
                      remote.a.url\n\0\
                      remote.a.url\nhttps://huggingface.co/acme/z\0";
        let expected = ["acme/y", "acme/z"].map(|path| format!("https://huggingface.co/{path}"));
        assert_eq!(shown(output), expected);
    }
}
