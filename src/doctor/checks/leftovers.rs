//! Files, tokens and locks that a killed process or a damaged file left behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::doctor::repair::{Leftover, Repair, shell_path};
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config_file::has_damaged_block;
use crate::git::setup::ConfigFile;
use crate::git::{lock, setup};
use crate::state::State;
use crate::system::files;

pub(crate) const CHECK: Check = Check {
    id: "leftovers",
    group: Group::Tokens,
    network: false,
    run: Run::Always(run),
};

/// A file younger than this may be in use.
const OLD: Duration = Duration::from_secs(60);

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let paths = &inspection.context.paths;
    let token = |file: &str| file.ends_with(".token");
    let state = |file: &str| file == "state.json";
    let config = |file: &str| file == "config.toml";
    let mut found = Found {
        half_written: [
            half_written(
                &paths.tokens(),
                &paths.tokens().with_extension("lock"),
                token,
            ),
            half_written(
                &paths.data_dir,
                &paths.state().with_extension("lock"),
                state,
            ),
            half_written(
                &paths.config_dir,
                &paths.config().with_extension("lock"),
                config,
            ),
        ]
        .concat(),
        locks: locks(),
        ..Found::default()
    };
    found.answers = inspection
        .context
        .hf_cli()
        .orphaned_answers()
        .unwrap_or_default();
    if let Ok(state) = &inspection.state {
        found.unlisted = unlisted(&paths.tokens(), state);
        found.copies = state.stale_copies.keys().map(ToString::to_string).collect();
    }
    if let Ok(file) = setup::file(&setup::ConfigFile::Global) {
        let content = files::read_plain(&file).map(|plain| plain.bytes);
        found.damaged_block = content.is_ok_and(|bytes| has_damaged_block(&bytes));
    }
    judge(&found)
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    half_written: Vec<Leftover>,
    answers: Vec<PathBuf>,
    unlisted: Vec<PathBuf>,
    copies: Vec<String>,
    damaged_block: bool,
    locks: Vec<Locked>,
}

fn judge(found: &Found) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !found.half_written.is_empty() {
        findings.push(
            Finding::warning("a killed process left a file that may contain a token")
                .repaired_by(Repair::Sweep(found.half_written.clone())),
        );
    }
    if !found.answers.is_empty() {
        findings.push(
            Finding::warning(
                "an interrupted renewal has left a token of the hf CLI's, which has logged out since",
            )
            .repaired_by(Repair::SweepAnswers(found.answers.clone())),
        );
    }
    if !found.unlisted.is_empty() {
        let paths: Vec<String> = found.unlisted.iter().map(|path| shell_path(path)).collect();
        findings.push(
            Finding::warning("there are token files that belong to no known token")
                .by_hand(format!("if no token is missing: rm {}", paths.join(" "))),
        );
    }
    if !found.copies.is_empty() {
        // Not repaired here: if a move was interrupted, this copy may be the only one.
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
                "this helper's lines in git's configuration have lost a marker or occur twice",
            )
            .repaired_by(Repair::Configure(ConfigFile::Global)),
        );
    }
    for Locked { lock, in_use } in &found.locks {
        let shown = lock.display();
        findings.push(match in_use {
            None => Finding::warning(format!(
                "a killed program left {shown}, so git cannot change that file"
            ))
            .repaired_by(Repair::Unlock(lock.clone())),
            Some(why) => Finding::warning(format!(
                "{shown} stops git from changing that file; it may be in use, since {why}"
            ))
            .by_hand(format!("if no git is running: rm {}", shell_path(lock))),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok("none"));
    }
    findings
}

/// A lock of git, and why it may still be in use.
#[derive(Debug)]
struct Locked {
    lock: PathBuf,
    in_use: Option<String>,
}

/// No program holds a lock for longer than this.
const NOTICED: Duration = Duration::from_secs(2);

/// The locks on the files that git and this program change: this user's configuration, the
/// repository's, and what `git credential-store` writes.
fn locks() -> Vec<Locked> {
    let mut files: Vec<PathBuf> = [setup::ConfigFile::Global, setup::ConfigFile::Local]
        .iter()
        .filter_map(|which| setup::file(which).ok())
        .collect();
    files.extend(crate::system::home::home().map(|home| home.join(".git-credentials")));
    let mut locks: Vec<PathBuf> = files
        .iter()
        .filter_map(|file| files::real_path(file).ok())
        .map(|file| lock::lock_of(&file))
        .collect();
    locks.dedup();
    locks.retain(|lock| lock::age(lock).is_some_and(|age| age > NOTICED));
    let locked = |lock: PathBuf| {
        let in_use = lock::in_use(&lock);
        Locked { lock, in_use }
    };
    locks.into_iter().map(locked).collect()
}

/// Our half-written files in a folder, with the lock that their writers hold.
fn half_written(folder: &Path, lock: &Path, is_for: impl Fn(&str) -> bool) -> Vec<Leftover> {
    let mut found = files_in(folder);
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        files::temporary_for(name).is_some_and(&is_for) && is_old(path)
    });
    let leftover = |path| Leftover {
        path,
        lock: lock.to_owned(),
    };
    found.into_iter().map(leftover).collect()
}

/// The token files that do not belong to a known token.
fn unlisted(folder: &Path, state: &State) -> Vec<PathBuf> {
    let names = state.tokens.keys().chain(state.stale_copies.keys());
    let hashes: Vec<String> = names
        .map(crate::model::token_name::TokenName::hash)
        .collect();
    let mut files = files_in(folder);
    files.retain(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_token = path
            .extension()
            .is_some_and(|extension| extension == "token" || extension == "renewal");
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

/// Whether a plain file was written a while ago. If the clock was set back, every file is old.
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
                    answers: vec!["/h/.stored_tokens.0.renewal".into()],
                    ..Found::default()
                },
                Some("rm /h/.stored_tokens.0.renewal"),
            ),
            (
                Found {
                    unlisted: vec!["/d/a.token".into()],
                    ..Found::default()
                },
                Some("if no token is missing: rm /d/a.token"),
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
                    locks: vec![Locked {
                        lock: "/h/.gitconfig.lock".into(),
                        in_use: Some("it is young".into()),
                    }],
                    ..Found::default()
                },
                Some("if no git is running: rm /h/.gitconfig.lock"),
            ),
            (
                Found {
                    locks: vec![Locked {
                        lock: "/h/.gitconfig.lock".into(),
                        in_use: None,
                    }],
                    ..Found::default()
                },
                Some("rm /h/.gitconfig.lock"),
            ),
        ] {
            let findings = judge(&found);
            let text = findings[0].fix.as_ref().map(|fix| fix.text.as_str());
            assert_eq!(text, fix);
            assert_eq!(findings[0].verdict == Verdict::Ok, fix.is_none());
        }
    }
}
