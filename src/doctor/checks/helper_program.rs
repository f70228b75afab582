//! The program that our lines name, as git would find it. It is never run, since a repository's
//! configuration can name any program.

use std::path::{Path, PathBuf};

use crate::doctor::inspection::ask_git;
use crate::doctor::repair::Repair;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::Entry;
use crate::git::config_file::{first_word, means_us};
use crate::git::setup::ConfigFile;
use crate::system::executable;
use crate::system::process::{all_on_path, is_program};

pub(crate) const CHECK: Check = Check {
    id: "helper-program",
    group: Group::Helper,
    network: false,
    run: Run::WithGitConfig(run),
};

const PROGRAM: &str = "git-credential-hf";

fn run(_: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    let by_name = found_by_git();
    let this = std::env::current_exe().ok();
    let mut findings: Vec<Finding> = Vec::new();
    for entry in entries {
        let ours = entry.between("credential", "helper").is_some() && means_us(entry.text());
        let Some(program) = ours.then(|| program(entry.text())).flatten() else {
            continue;
        };
        let path = match program {
            Program::Name => by_name.clone(),
            Program::Path(ref path) => Some(executable::file(path)).filter(|path| is_program(path)),
        };
        let same = path.as_deref().map(|path| same_file(path, this.as_deref()));
        let finding = judge(&program, path.as_deref(), same);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    if findings.is_empty() {
        findings.push(Finding::skipped(
            "git is not configured to call this helper",
        ));
    }
    findings.extend(typed(&all_on_path(PROGRAM.as_ref()), this.as_deref()));
    findings
}

/// What a value of `helper` runs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Program {
    /// The bare name `hf`, which git looks up.
    Name,
    /// The path of a program.
    Path(PathBuf),
}

/// Extracts the program from a value, as the shell that git passes it to would.
fn program(value: &str) -> Option<Program> {
    let value = value.trim_start_matches('!').trim_start();
    let value = value.strip_prefix("/usr/bin/env ").unwrap_or(value);
    match first_word(value).as_str() {
        "" => None,
        "hf" | PROGRAM => Some(Program::Name),
        path => Some(Program::Path(PathBuf::from(of_windows(path)))),
    }
}

/// Converts Git Bash's `/c/x` to a Windows path.
fn of_windows(path: &str) -> String {
    match path.as_bytes() {
        [b'/', drive, b'/', ..] if cfg!(windows) && drive.is_ascii_alphabetic() => {
            format!("{}:{}", char::from(*drive), path.get(2..).unwrap_or(""))
        }
        _ => path.to_owned(),
    }
}

/// Where git finds the program by its name: first among git's own programs, then on PATH.
fn found_by_git() -> Option<PathBuf> {
    let own = ask_git(&["--exec-path"]);
    let own = own.map(|dir| executable::file(&Path::new(&dir).join(PROGRAM)));
    own.into_iter()
        .chain(all_on_path(PROGRAM.as_ref()))
        .find(|path| is_program(path))
}

fn same_file(path: &Path, this: Option<&Path>) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    this.is_none_or(|this| real(path) == real(this))
}

/// Judges by the program, its path, and whether it is this program.
fn judge(program: &Program, path: Option<&Path>, same: Option<bool>) -> Finding {
    match (program, path, same) {
        (Program::Name, None, _) => Finding::problem(format!(
            "git is configured to call `hf`, but finds no {PROGRAM} among its own programs or on PATH"
        ))
        .repaired_by(Repair::Configure(ConfigFile::Global)),
        (Program::Path(path), None, _) => Finding::problem(format!(
            "git is configured to call {}, but there is no such program",
            path.display()
        ))
        .repaired_by(Repair::Configure(ConfigFile::Global)),
        (_, Some(path), Some(false)) => Finding::note(format!(
            "git calls {}, which is a different copy of this program",
            path.display()
        ))
        .by_hand("to make git call this copy: git credential-hf configure"),
        (_, Some(path), _) => Finding::ok(format!("git calls {}, this program", path.display())),
    }
}

/// Judges what `git credential-hf` runs when it is typed.
fn typed(found: &[PathBuf], this: Option<&Path>) -> Option<Finding> {
    match found.first() {
        None => Some(Finding::note(format!(
            "{PROGRAM} is not on PATH: git finds it anyway, but `git credential-hf` does not work"
        ))),
        Some(first) if !same_file(first, this) => Some(Finding::warning(format!(
            "another {PROGRAM} comes first on PATH: {}",
            first.display()
        ))),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn programs_of_values() {
        let path = |path: &str| Some(Program::Path(PathBuf::from(path)));
        for (value, expected) in [
            ("hf", Some(Program::Name)),
            ("!git-credential-hf", Some(Program::Name)),
            (
                r"/opt/my\ x/git-credential-hf",
                path("/opt/my x/git-credential-hf"),
            ),
            ("/opt/git-credential-hf --x", path("/opt/git-credential-hf")),
            (
                r#"!"C:\Program Files\git-credential-hf.exe" --x"#,
                path(r"C:\Program Files\git-credential-hf.exe"),
            ),
            (
                "/usr/bin/env /a.b/git-credential-hf",
                path("/a.b/git-credential-hf"),
            ),
            ("", None),
        ] {
            assert_eq!(program(value), expected, "{value}");
        }
    }

    #[test]
    fn where_it_is() {
        let path = Path::new("/opt/git-credential-hf");
        let named = Program::Path(path.to_owned());
        for (program, found, same, verdict) in [
            (&Program::Name, None, None, Verdict::Problem),
            (&named, None, None, Verdict::Problem),
            (&named, Some(path), Some(false), Verdict::Note),
            (&named, Some(path), Some(true), Verdict::Ok),
            (&Program::Name, Some(path), Some(true), Verdict::Ok),
        ] {
            assert_eq!(judge(program, found, same).verdict, verdict);
        }
        let other = [PathBuf::from("/bin/sh")];
        let verdict = |found| typed(found, Some(Path::new("/bin/cat"))).map(|f| f.verdict);
        assert_eq!(verdict(&[]), Some(Verdict::Note));
        assert_eq!(verdict(&other), Some(Verdict::Warning));
    }
}
