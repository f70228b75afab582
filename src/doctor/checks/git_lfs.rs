//! git-lfs, with which most repos on the Hub keep large files.

use crate::doctor::Check;
use crate::doctor::Finding;
use crate::doctor::Group;
use crate::doctor::Inspection;
use crate::doctor::inspection::version_of;
use crate::git::config::Entry;
use crate::system::process::on_path;

/// The check.
pub const CHECK: Check = Check {
    id: "git-lfs",
    group: Group::Programs,
    network: false,
    run,
};

fn run(around: &Inspection<'_>) -> Vec<Finding> {
    let entries = match around.entries() {
        Ok(entries) => entries,
        Err(skipped) => return skipped,
    };
    // By its path: a repository's configuration may say what `git lfs` is.
    let program = on_path("git-lfs");
    let version = program
        .as_deref()
        .map(|path| version_of(path, &["version"]));
    vec![judge(version, configured(entries))]
}

/// Whether git hands large files to git-lfs.
fn configured(entries: &[Entry]) -> bool {
    ["process", "smudge", "clean"].iter().all(|name| {
        let mut found = entries
            .iter()
            .filter(|entry| entry.key == format!("filter.lfs.{name}"));
        found
            .next_back()
            .is_some_and(|entry| !entry.text().is_empty())
    })
}

/// From what `git-lfs version` says: outside `None` without the program, inside when it fails.
fn judge(version: Option<Option<String>>, configured: bool) -> Finding {
    match (version, configured) {
        (None, false) => Finding::note(
            "git-lfs is not installed; without it a clone contains pointers instead of large files",
        )
        .by_hand("install git-lfs, then: git lfs install"),
        (None, true) => Finding::problem(
            "git is configured to use git-lfs, but git-lfs is not on PATH: clones with large files fail",
        )
        .by_hand("install git-lfs"),
        (Some(None), _) => Finding::problem("git-lfs does not run").by_hand("reinstall git-lfs"),
        (Some(Some(version)), false) => Finding::warning(format!(
            "{} is installed, but git does not use it: a clone contains pointers instead of \
             large files",
            short(&version)
        ))
        .by_hand("git lfs install"),
        (Some(Some(version)), true) => {
            Finding::ok(format!("{} is installed, and git uses it", short(&version)))
        }
    }
}

/// `git-lfs/3.3.0 (GitHub; linux amd64; go 1.19.8)` without what is in brackets.
fn short(version: &str) -> String {
    let name = version.split(' ').next().unwrap_or("");
    name.replacen('/', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::git::config::samples::entries;

    #[test]
    fn installed_and_configured() {
        let said = || Some(Some("git-lfs/3.3.0 (GitHub; linux amd64)".to_owned()));
        for (version, configured, verdict) in [
            (None, false, Verdict::Note),
            (None, true, Verdict::Problem),
            (Some(None), true, Verdict::Problem),
            (said(), false, Verdict::Warning),
            (said(), true, Verdict::Ok),
        ] {
            assert_eq!(judge(version, configured).verdict, verdict);
        }
        assert!(judge(said(), true).why.starts_with("git-lfs 3.3.0 is"));
        let all = [
            "filter.lfs.clean=git-lfs clean -- %f",
            "filter.lfs.smudge=git-lfs smudge -- %f",
            "filter.lfs.process=git-lfs filter-process",
        ];
        assert!(configured(&entries(&all)));
        assert!(!configured(&entries(&all[..2])));
        assert!(!configured(&entries(&[
            all[0],
            all[1],
            all[2],
            "filter.lfs.process="
        ])));
    }
}
