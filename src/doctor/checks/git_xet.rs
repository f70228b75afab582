//! git-xet, the Hub's own transfer agent for large files, which git-lfs calls.

use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::Entry;
use crate::system::process::{is_program, on_path};
use std::path::Path;

pub(crate) const CHECK: Check = Check {
    id: "git-xet",
    group: Group::Programs,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(_: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    let configured = entries
        .iter()
        .rfind(|entry| entry.key == "lfs.customtransfer.xet.path")
        .map(Entry::text);
    let found = match configured {
        Some(path) if Path::new(path).is_absolute() => is_program(Path::new(path)),
        _ => on_path("git-xet").is_some(),
    };
    vec![judge(found, configured.is_some())]
}

fn judge(found: bool, configured: bool) -> Finding {
    match (found, configured) {
        (true, true) => Finding::ok("git-xet is installed, and git-lfs uses it"),
        (true, false) => Finding::warning("git-xet is installed, but git-lfs does not use it")
            .by_hand("git xet install"),
        (false, true) => Finding::problem(
            "git-lfs is configured to use git-xet, but there is no such program",
        )
        .by_hand(
            "install git-xet; or: git config --global --remove-section lfs.customtransfer.xet",
        ),
        (false, false) => Finding::ok("git-xet is not installed, and is not needed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn installed_and_configured() {
        for (found, configured, verdict) in [
            (true, true, Verdict::Ok),
            (true, false, Verdict::Warning),
            (false, true, Verdict::Problem),
            (false, false, Verdict::Ok),
        ] {
            assert_eq!(judge(found, configured).verdict, verdict);
        }
    }
}
