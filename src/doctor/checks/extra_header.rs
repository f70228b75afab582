//! `http.extraHeader`: a login that git sends without asking a helper.

use crate::doctor::repair::shell_path;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::Entry;
use crate::git::config_file::{Reach, reach};
use std::path::Path;

pub(crate) const CHECK: Check = Check {
    id: "extra-header",
    group: Group::Elsewhere,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    judge(entries, &inspection.hubs())
}

fn judge(entries: &[Entry], hubs: &[String]) -> Vec<Finding> {
    let mut found: Vec<&Entry> = Vec::new();
    for hub in hubs {
        let mut headers: Vec<&Entry> = Vec::new();
        for entry in entries {
            let pattern = entry.between("http", "extraheader");
            if pattern.is_none_or(|pattern| reach(pattern, hub) == Reach::Never) {
                continue;
            }
            match entry.text().trim_start().to_ascii_lowercase() {
                empty if empty.is_empty() => headers.clear(),
                header if header.starts_with("authorization:") => headers.push(entry),
                _ => {}
            }
        }
        found.extend(headers);
    }
    found.dedup();
    let mut findings: Vec<Finding> = Vec::new();
    for entry in found {
        let file = entry.file.as_deref().unwrap_or("git -c");
        let finding = Finding::problem(format!(
            "an http.extraHeader ({file}) sends a login of its own to the Hub instead of this \
             helper's token, and makes git treat good tokens as bad"
        ));
        // A key with a login in its URL is not repeated.
        let finding = match &entry.file {
            Some(file) if !entry.key.contains('@') => finding.by_hand(format!(
                "git config --file {} --unset-all {}",
                shell_path(Path::new(file)),
                shell_path(Path::new(&entry.key))
            )),
            Some(_) => finding.by_hand("remove the line `extraHeader` from that file"),
            None => finding.by_hand("omit `-c http.extraHeader=..`, or unset GIT_CONFIG_COUNT"),
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok("git sends no login of its own to the Hub"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::git::config::samples::entries;

    #[test]
    fn headers() {
        let hubs = ["https://huggingface.co", "https://hf.co"].map(str::to_owned);
        let all = "http.extraheader=AUTHORIZATION: basic c2VjcmV0";
        for (texts, verdict) in [
            (&[][..], Verdict::Ok),
            (&["http.extraheader=X-Other: 1"], Verdict::Ok),
            (&[all], Verdict::Problem),
            (&[all, "http.extraheader="], Verdict::Ok),
            (
                &["http.https://huggingface.co/.extraheader= Authorization: Bearer x"],
                Verdict::Problem,
            ),
            (
                &["http.https://github.com/.extraheader=AUTHORIZATION: basic x"],
                Verdict::Ok,
            ),
        ] {
            let findings = judge(&entries(texts), &hubs);
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].verdict, verdict, "{texts:?}");
            assert!(!format!("{findings:?}").contains("c2Vj"));
        }
    }
}
