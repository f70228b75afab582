//! What a killed process or a damaged file has left behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::commands::configure;
use crate::commands::configure::Scope;
use crate::doctor::Check;
use crate::doctor::Finding;
use crate::doctor::Group;
use crate::doctor::Inspection;
use crate::doctor::repair::Leftover;
use crate::doctor::repair::Repair;
use crate::doctor::repair::Where;
use crate::doctor::repair::shell_path;
use crate::git::config_file::has_damaged_block;
use crate::state::State;

/// The check.
pub const CHECK: Check = Check {
    id: "leftovers",
    group: Group::Tokens,
    network: false,
    run,
};

/// A file younger than this may be in use.
const OLD: Duration = Duration::from_secs(60);

fn run(around: &Inspection<'_>) -> Vec<Finding> {
    let paths = &around.context.paths;
    let mut found = Found {
        half_written: half_written(&[
            (paths.tokens(), paths.tokens().with_extension("lock")),
            (paths.data_dir.clone(), paths.state().with_extension("lock")),
            (
                paths.config_dir.clone(),
                paths.config().with_extension("lock"),
            ),
        ]),
        ..Found::default()
    };
    if let Ok(state) = &around.state {
        found.unlisted = unlisted(&paths.tokens(), state);
        found.copies = state.leftovers.keys().map(ToString::to_string).collect();
    }
    if let Ok(file) = configure::file(&Scope::default()) {
        let content = crate::system::files::read_plain(&file).map(|plain| plain.bytes);
        found.damaged_block = content.is_ok_and(|bytes| has_damaged_block(&bytes));
        let mut lock = file.into_os_string();
        lock.push(".lock");
        found.lock = Some(PathBuf::from(lock)).filter(|lock| is_old(lock));
    }
    judge(&found)
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    half_written: Vec<Leftover>,
    unlisted: Vec<PathBuf>,
    copies: Vec<String>,
    damaged_block: bool,
    lock: Option<PathBuf>,
}

fn judge(found: &Found) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !found.half_written.is_empty() {
        findings.push(
            Finding::warning("a process that was killed has left a file that may hold a token")
                .repaired_by(Repair::Sweep(found.half_written.clone())),
        );
    }
    if !found.unlisted.is_empty() {
        let paths: Vec<String> = found.unlisted.iter().map(|path| shell_path(path)).collect();
        findings.push(
            Finding::warning("there are token files that no listing knows")
                .by_hand(format!("if you miss no token: rm {}", paths.join(" "))),
        );
    }
    if !found.copies.is_empty() {
        // Not repaired here: where a move was broken off, the copy may be the only one.
        findings.push(
            Finding::warning(format!(
                "an old copy of `{}` could not be removed from its storage",
                found.copies.join("`, `")
            ))
            .by_hand("the next `git credential-hf login` removes it, once that storage answers"),
        );
    }
    if found.damaged_block {
        findings.push(
            Finding::warning(
                "our lines in git's configuration have lost a mark, or are there twice",
            )
            .repaired_by(Repair::Configure(Where::Global)),
        );
    }
    if let Some(lock) = &found.lock {
        findings.push(
            Finding::warning("git's configuration is locked since more than a minute")
                .by_hand(format!("if no git runs: rm {}", shell_path(lock))),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("none"));
    }
    findings
}

/// The half-written files of ours in some folders, with the lock of those who write there.
fn half_written(folders: &[(PathBuf, PathBuf)]) -> Vec<Leftover> {
    let mut found: Vec<Leftover> = Vec::new();
    for (folder, lock) in folders {
        for path in files_in(folder) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let temporary = name.starts_with('.') && name.ends_with(".tmp");
            let known = || found.iter().any(|leftover| leftover.path == path);
            if temporary && is_old(&path) && !known() {
                let lock = lock.clone();
                found.push(Leftover { path, lock });
            }
        }
    }
    found
}

/// The token files whose name is no known token's.
fn unlisted(folder: &Path, state: &State) -> Vec<PathBuf> {
    let names = state.tokens.keys().chain(state.leftovers.keys());
    let hashes: Vec<String> = names
        .map(crate::model::token_name::TokenName::hash)
        .collect();
    let mut files = files_in(folder);
    files.retain(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_token = path
            .extension()
            .is_some_and(|extension| extension == "token");
        is_token && is_old(path) && !hashes.iter().any(|hash| name.ends_with(hash.as_str()))
    });
    files
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// Whether a plain file was last written a while ago; a clock that went back makes all old.
fn is_old(path: &Path) -> bool {
    let metadata = std::fs::symlink_metadata(path);
    metadata.is_ok_and(|metadata| {
        let written = metadata.modified().ok();
        let age = written.map(|written| SystemTime::now().duration_since(written));
        metadata.is_file() && age.is_none_or(|age| age.map_or(true, |age| age > OLD))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn what_is_left() {
        let leftover = Leftover {
            path: "/d/.a.tmp".into(),
            lock: "/d/lock".into(),
        };
        for (found, fix) in [
            (Found::default(), None),
            (
                Found {
                    half_written: vec![leftover],
                    ..Found::default()
                },
                Some("rm /d/.a.tmp"),
            ),
            (
                Found {
                    unlisted: vec!["/d/a b.token".into()],
                    ..Found::default()
                },
                Some("if you miss no token: rm /d/'a b.token'"),
            ),
            (
                Found {
                    copies: vec!["work".into()],
                    ..Found::default()
                },
                Some("the next `git credential-hf login` removes it, once that storage answers"),
            ),
            (
                Found {
                    damaged_block: true,
                    ..Found::default()
                },
                Some("git credential-hf configure"),
            ),
            (
                Found {
                    lock: Some("/h/.gitconfig.lock".into()),
                    ..Found::default()
                },
                Some("if no git runs: rm /h/.gitconfig.lock"),
            ),
        ] {
            let findings = judge(&found);
            let text = findings[0].fix.as_ref().map(|fix| fix.text.as_str());
            assert_eq!(text, fix);
            assert_eq!(findings[0].verdict == Verdict::Ok, fix.is_none());
        }
    }
}
