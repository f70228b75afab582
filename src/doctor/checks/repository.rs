//! The current repository: whether git trusts it, and whether its remotes ask for tokens at all.

use std::collections::BTreeSet;

use crate::doctor::inspection::ask_git;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::Entry;
use crate::model::endpoint::Endpoint;

pub(crate) const CHECK: Check = Check {
    id: "repository",
    group: Group::Git,
    network: false,
    run: Run::Always(run),
};

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let entries = match &inspection.entries {
        Ok(entries) => entries,
        Err(error) => {
            return vec![
                Finding::problem(error.to_string())
                    .by_hand("look at its settings: git config --list --show-origin"),
            ];
        }
    };
    let git_dir = ["rev-parse", "--git-dir"];
    let trust = if ask_git(&git_dir).is_some() {
        Trust::Trusted
    } else if ask_git(&["-c", "safe.directory=*", "rev-parse", "--git-dir"]).is_some() {
        Trust::AnotherUsers
    } else {
        Trust::NoRepository
    };
    let serves = |endpoint: &Endpoint| inspection.context.serves(endpoint);
    // Another check reports what is wrong with the configuration.
    let https: BTreeSet<String> = crate::git::remotes::all()
        .unwrap_or_default()
        .into_iter()
        .filter(|remote| serves(&remote.location.endpoint))
        .map(|remote| remote.name)
        .collect();
    let ssh = entries.iter().filter(|entry| is_ssh(entry)).count();
    vec![judge(trust, https.len(), ssh)]
}

/// What git says about the working directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Trusted,
    AnotherUsers,
    NoRepository,
}

/// Judges by what git says about the working directory, and by the number of remotes on a Hub over
/// https and over ssh.
fn judge(trust: Trust, https: usize, ssh: usize) -> Finding {
    match (trust, https, ssh) {
        (Trust::NoRepository, ..) => {
            Finding::skipped("not in a repository; run this in a clone to check it too")
        }
        (Trust::AnotherUsers, ..) => Finding::warning(
            "another user owns this repository, so git refuses it and does not read its remotes",
        )
        .by_hand("if you trust it: git config --global --add safe.directory \"$PWD\""),
        (_, 0, 0) => Finding::ok("no remote here is on a Hub"),
        (_, 0, _) => Finding::note(
            "the Hub's remotes here use ssh keys: git calls no helper for them; git-lfs and \
             git-xet may",
        ),
        (_, 1, _) => Finding::ok("1 remote here is on a Hub, over https"),
        (_, n, _) => Finding::ok(format!("{n} remotes here are on Hubs, over https")),
    }
}

/// Whether an entry is a remote's URL on the public Hub over ssh.
fn is_ssh(entry: &Entry) -> bool {
    if entry.between("remote", "url").is_none_or(str::is_empty) {
        return false;
    }
    let url = entry.text();
    let (host, scheme) = match url.strip_prefix("ssh://") {
        Some(rest) => (rest.split(['/', ':']).next(), true),
        None => (url.split_once(':').map(|(host, _)| host), false),
    };
    let host = host.map(|host| host.rsplit_once('@').map_or(host, |(_, host)| host));
    host.is_some_and(|host| matches!(host, "hf.co" | "huggingface.co"))
        && (scheme || !url.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::git::config::samples::entry;

    #[test]
    fn places() {
        for (trust, https, ssh, verdict) in [
            (Trust::NoRepository, 0, 0, Verdict::Skipped),
            (Trust::AnotherUsers, 0, 0, Verdict::Warning),
            (Trust::Trusted, 0, 0, Verdict::Ok),
            (Trust::Trusted, 0, 1, Verdict::Note),
            (Trust::Trusted, 1, 1, Verdict::Ok),
            (Trust::Trusted, 2, 0, Verdict::Ok),
        ] {
            assert_eq!(judge(trust, https, ssh).verdict, verdict);
        }
    }

    #[test]
    fn remotes_over_ssh() {
        for (url, expected) in [
            ("git@hf.co:acme/x", true),
            ("ssh://git@hf.co/acme/x", true),
            ("ssh://git@huggingface.co:22/acme/x", true),
            ("https://huggingface.co/acme/x", false),
            ("https://git@hf.co:443/acme/x", false),
            ("git@github.com:acme/x", false),
            ("../hf.co", false),
        ] {
            let entry = entry(&format!("remote.origin.url={url}"));
            assert_eq!(is_ssh(&entry), expected, "{url}");
        }
        assert!(!is_ssh(&entry("remote.origin.pushurl=git@hf.co:a/b")));
    }
}
