//! git-lfs, with which most repos on the Hub keep large files.

use crate::doctor::inspection::version_of;
use crate::doctor::repair::shell_path;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::Entry;
use crate::model::text::shell_quoted;
use crate::system::process::on_path;
use std::path::Path;

pub(crate) const CHECK: Check = Check {
    id: "git-lfs",
    group: Group::Programs,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    // Run by its path, since a repository's configuration can define `git lfs`.
    let program = on_path("git-lfs");
    let version = program.as_deref();
    let version = version.and_then(|path| version_of(path, &["version"]));
    let mut findings = vec![judge(program.is_some(), version, configured(entries))];
    let has_tokens = !matches!(inspection.context.has_tokens(), Ok(false));
    findings.extend(asks_for_login(entries, &inspection.hubs(), has_tokens));
    findings
}

/// The setting that git-lfs writes after a push that needed a login. From then on it asks for a
/// login first, even for public downloads.
fn asks_for_login(entries: &[Entry], hubs: &[String], has_tokens: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_hub = |url: &str| {
        let hub = |hub: &String| {
            let rest = url.strip_prefix(hub.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        hubs.iter().any(hub)
    };
    for entry in entries {
        let basic = entry.text().eq_ignore_ascii_case("basic");
        if !basic || !entry.between("lfs", "access").is_some_and(of_hub) {
            continue;
        }
        let why = format!(
            "`{}` ({}) makes git-lfs ask for a login first, for public downloads too",
            entry.key,
            entry.place()
        );
        // With a token, this helper always has an answer.
        let finding = match has_tokens {
            true => Finding::note(why),
            false => Finding::warning(why),
        };
        findings.push(match &entry.file {
            Some(file) => finding.by_hand(format!(
                "git config --file {} --unset-all {}",
                shell_path(Path::new(file)),
                shell_quoted(&entry.key)
            )),
            None => finding.by_hand(entry.how_to_remove()),
        });
    }
    findings
}

/// Whether git passes large files to git-lfs.
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

/// Judges by the output of `git-lfs version`, which is `None` if the program failed.
fn judge(installed: bool, version: Option<String>, configured: bool) -> Finding {
    match (version, configured) {
        (_, false) if !installed => Finding::note(
            "git-lfs is not installed; without it a clone contains pointers instead of large files",
        )
        .by_hand("install git-lfs, then: git lfs install"),
        (_, true) if !installed => Finding::problem(
            "git is configured to use git-lfs, but git-lfs is not on PATH: clones with large files fail",
        )
        .by_hand("install git-lfs"),
        (None, _) => Finding::problem("git-lfs does not run").by_hand("reinstall git-lfs"),
        (Some(version), false) => Finding::warning(format!(
            "{} is installed, but git does not use it: a clone contains pointers instead of \
             large files",
            short(&version)
        ))
        .by_hand("git lfs install"),
        (Some(version), true) => {
            Finding::ok(format!("{} is installed, and git uses it", short(&version)))
        }
    }
}

/// Shortens `git-lfs/3.3.0 (GitHub; linux amd64; go 1.19.8)` to name and version.
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
        let said = || Some("git-lfs/3.3.0 (GitHub; linux amd64)".to_owned());
        for (installed, version, configured, verdict) in [
            (false, None, false, Verdict::Note),
            (false, None, true, Verdict::Problem),
            (true, None, true, Verdict::Problem),
            (true, said(), false, Verdict::Warning),
            (true, said(), true, Verdict::Ok),
        ] {
            assert_eq!(judge(installed, version, configured).verdict, verdict);
        }
        assert!(
            judge(true, said(), true)
                .why
                .starts_with("git-lfs 3.3.0 is")
        );
        let all = [
            "filter.lfs.clean=git-lfs clean -- %f",
            "filter.lfs.smudge=git-lfs smudge -- %f",
            "filter.lfs.process=git-lfs filter-process",
        ];
        let hubs = ["https://huggingface.co".to_owned()];
        for (text, found) in [
            (
                "lfs.https://huggingface.co/acme/x.git/info/lfs.access=basic",
                true,
            ),
            (
                "lfs.https://huggingface.co/acme/x.git/info/lfs.access=none",
                false,
            ),
            ("lfs.https://huggingface.company/x.access=basic", false),
            ("lfs.https://github.com/x.access=basic", false),
        ] {
            for (has_tokens, verdict) in [(true, Verdict::Note), (false, Verdict::Warning)] {
                let findings = asks_for_login(&entries(&[text]), &hubs, has_tokens);
                assert_eq!(findings.len(), usize::from(found), "{text}");
                assert!(findings.iter().all(|it| it.verdict == verdict));
            }
        }
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
