//! Our lines in the order in which git reads them: whether git calls this helper for each Hub,
//! and whether another one is given the tokens.

use std::path::PathBuf;

use crate::doctor::repair::Repair;
use crate::doctor::{Check, Finding, Group, Inspection, Run, Verdict};
use crate::git::config::{Entry, Scope};
use crate::git::helpers::Helpers;
use crate::git::setup::ConfigFile;
use crate::model::endpoint::Endpoint;

pub(crate) const CHECK: Check = Check {
    id: "helper-lines",
    group: Group::Helper,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    let configured = |hub: &str| {
        let endpoint = Endpoint::parse(hub);
        endpoint.is_ok_and(|endpoint| inspection.context.config.endpoint(&endpoint).is_some())
    };
    judge(entries, &inspection.hubs(), configured)
}

/// Judges what git would do for each Hub. Hubs with the same result share a finding.
fn judge(entries: &[Entry], hubs: &[String], configured: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut found: Vec<(Vec<&str>, Finding)> = Vec::new();
    for hub in hubs {
        for finding in judge_one(&Helpers::of_endpoint(entries, hub), configured(hub)) {
            match found.iter_mut().find(|(_, known)| *known == finding) {
                Some((hubs, _)) => hubs.push(hub),
                None => found.push((vec![hub], finding)),
            }
        }
    }
    let named = |(hubs, mut finding): (Vec<&str>, Finding)| {
        finding.why = finding.why.replace(HUB, &hubs.join(", "));
        finding
    };
    found.into_iter().map(named).collect()
}

/// A placeholder for the Hub's name, until Hubs with the same finding are combined.
const HUB: &str = "\0";

fn judge_one(helpers: &Helpers, configured: bool) -> Vec<Finding> {
    let Some(ours) = helpers.ours.as_ref().or(helpers.partly.as_ref()) else {
        if let Some(reset) = &helpers.reset {
            let finding = Finding::problem(format!(
                "the empty `{}` ({}) keeps git from calling this helper for {HUB}",
                reset.key,
                place(reset)
            ));
            return vec![fixed(finding, reset)];
        }
        let instead = match helpers.before.as_slice() {
            [] => String::new(),
            [first, ..] => format!(", but `{}` ({})", first.text(), place(first)),
        };
        let finding = Finding::problem(format!("git does not call this helper for {HUB}{instead}"));
        return vec![if configured {
            finding.repaired_by(Repair::Configure(ConfigFile::Global))
        } else {
            finding.by_hand(
                "add it below [endpoints] in config.toml, then run: git credential-hf configure",
            )
        }];
    };
    let mut findings = Vec::new();
    for other in &helpers.after {
        let finding = Finding::problem(format!(
            "after this helper git calls `{}` ({}) for {HUB}, and gives it the Hub's tokens",
            other.text(),
            place(other)
        ));
        findings.push(fixed(finding, other));
    }
    for other in &helpers.before {
        let finding = Finding::problem(format!(
            "before this helper git calls `{}` ({}) for {HUB}; it answers first, and is given \
             the Hub's tokens",
            other.text(),
            place(other)
        ));
        findings.push(fixed(finding, ours));
    }
    if let Some(reset) = &helpers.hidden {
        let finding = Finding::problem(format!(
            "an empty `{}` ({}) stops git from calling this helper for part of {HUB}",
            reset.key,
            place(reset)
        ));
        findings.push(fixed(finding, reset));
    }
    if helpers.ours.is_none() {
        let finding = Finding::warning(format!(
            "git calls this helper only for part of {HUB} ({})",
            place(ours)
        ));
        findings.push(finding.repaired_by(Repair::Configure(ConfigFile::Global)));
    }
    if findings.is_empty() {
        let cleared = match helpers.cleared {
            0 => "",
            _ => ", and skips the helpers named before it",
        };
        findings.push(Finding::ok(format!(
            "git calls this helper and no other for {HUB} ({}){cleared}",
            place(ours)
        )));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    debug_assert!(findings.iter().all(|f| f.verdict != Verdict::Skipped));
    findings
}

/// Says where a configuration entry is set.
fn place(entry: &Entry) -> String {
    let place = entry.place();
    match (&entry.file, entry.scope) {
        (Some(_), Scope::System) => format!("{place}, for the whole system"),
        (Some(_), Scope::Local | Scope::Worktree) => format!("{place}, of this repository"),
        _ => place,
    }
}

/// Adds the repair that puts our lines after an entry: at the end of the same scope, which git reads
/// after the entry.
fn fixed(finding: Finding, entry: &Entry) -> Finding {
    match (entry.scope, &entry.file) {
        (Scope::Local, _) => finding.repaired_by(Repair::Configure(ConfigFile::Local)),
        (Scope::Worktree, Some(file)) => {
            finding.repaired_by(Repair::Configure(ConfigFile::File(PathBuf::from(file))))
        }
        (Scope::Command, _) | (_, None) => finding.by_hand(entry.how_to_remove()),
        _ => finding.repaired_by(Repair::Configure(ConfigFile::Global)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::config::samples::entries;

    const OURS: &str = "credential.https://huggingface.co.helper=hf";
    const RESET: &str = "credential.https://huggingface.co.helper=";
    const STORE: &str = "credential.helper=store";

    fn hubs() -> Vec<String> {
        vec!["https://huggingface.co".to_owned()]
    }

    #[test]
    fn orders() {
        let part = "credential.https://huggingface.co/acme.helper=";
        let global = Some(Repair::Configure(ConfigFile::Global));
        for (texts, verdicts, word, repair) in [
            (&[RESET, OURS][..], &[Verdict::Ok][..], "no other", None),
            (
                &[STORE, RESET, OURS],
                &[Verdict::Ok],
                "skips the helpers",
                None,
            ),
            (&[], &[Verdict::Problem], "does not call", global.clone()),
            (&[STORE], &[Verdict::Problem], "`store`", global.clone()),
            (
                &[RESET, OURS, STORE],
                &[Verdict::Problem],
                "after",
                global.clone(),
            ),
            (
                &[STORE, OURS],
                &[Verdict::Problem],
                "before",
                global.clone(),
            ),
            (
                &[STORE, OURS, STORE],
                &[Verdict::Problem, Verdict::Problem],
                "gives it",
                global.clone(),
            ),
            (
                &[RESET, OURS, part],
                &[Verdict::Problem],
                "empty",
                global.clone(),
            ),
            (
                &["credential.https://huggingface.co/acme.helper=hf"],
                &[Verdict::Warning],
                "only for part of",
                global.clone(),
            ),
        ] {
            let findings = judge(&entries(texts), &hubs(), |_| true);
            let seen: Vec<Verdict> = findings.iter().map(|f| f.verdict).collect();
            assert_eq!(seen, verdicts, "{texts:?}");
            assert!(findings[0].why.contains(word), "{findings:?}");
            assert!(findings[0].why.contains("https://huggingface.co"));
            let fix = findings[0].fix.clone().and_then(|fix| fix.repair);
            assert_eq!(fix, repair, "{texts:?}");
        }
    }

    #[test]
    fn the_fix_is_written_where_it_comes_after() {
        for (scope, file, text) in [
            (Scope::Global, Some("/home/u/.gitconfig"), "configure"),
            (Scope::Global, Some("/home/u/more"), "configure"),
            (Scope::System, Some("/etc/gitconfig"), "configure"),
            (Scope::Unknown, Some("/home/u/.gitconfig"), "configure"),
            (Scope::Local, Some(".git/config"), "configure --local"),
            (
                Scope::Worktree,
                Some(".git/config.worktree"),
                "configure --file .git/config.worktree",
            ),
            (Scope::Command, None, "leave out `credential.helper`"),
        ] {
            let mut read = entries(&[RESET, OURS, STORE]);
            read[2].scope = scope;
            read[2].file = file.map(str::to_owned);
            let findings = judge(&read, &hubs(), |_| true);
            let fix = findings[0].fix.clone().unwrap();
            assert!(fix.text.contains(text), "{fix:?}");
        }
    }

    #[test]
    fn hubs_with_the_same_finding_share_it() {
        let hubs = [
            "https://huggingface.co",
            "https://hf.co",
            "https://hub.corp.example",
        ];
        let hubs = hubs.map(str::to_owned);
        let read = entries(&[RESET, OURS, "credential.https://hf.co.helper=hf"]);
        let findings = judge(&read, &hubs, |hub| hub != "https://hub.corp.example");
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(
            findings[0]
                .why
                .contains("https://huggingface.co, https://hf.co")
        );
        assert!(
            findings[1]
                .fix
                .as_ref()
                .unwrap()
                .text
                .contains("[endpoints]")
        );
    }
}
