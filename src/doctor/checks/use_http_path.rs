//! `useHttpPath`: whether git tells the helper which repository it asks for.

use crate::doctor::repair::Repair;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::{Entry, Scope, last};
use crate::git::helpers::Helpers;
use crate::git::setup::ConfigFile;

pub(crate) const CHECK: Check = Check {
    id: "use-http-path",
    group: Group::Helper,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    judge(entries, &inspection.hubs())
}

fn judge(entries: &[Entry], hubs: &[String]) -> Vec<Finding> {
    let called = |hub: &&String| Helpers::of_endpoint(entries, hub).call_us();
    let called: Vec<&String> = hubs.iter().filter(called).collect();
    if called.is_empty() {
        return vec![Finding::skipped("git does not call this helper")];
    }
    let mut without: Vec<&str> = Vec::new();
    let mut place = ConfigFile::Global;
    for hub in called {
        let entry = last(entries, "credential", "usehttppath", hub);
        if !entry.is_some_and(Entry::is_true) {
            without.push(hub);
            if entry.is_some_and(|entry| entry.scope == Scope::Local) {
                place = ConfigFile::Local;
            }
        }
    }
    if without.is_empty() {
        return vec![Finding::ok(
            "git tells the helper which repository it asks for",
        )];
    }
    let hubs = without.join(", ");
    vec![
        Finding::warning(format!(
            "for {hubs} git does not tell the helper which repository it asks for (useHttpPath), so it is \
             guessed from the repository's remotes, and may be wrong during a clone"
        ))
        .repaired_by(Repair::Configure(place)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::git::config::samples::entries;

    #[test]
    fn paths() {
        let ours = "credential.https://huggingface.co.helper=hf";
        let hubs = ["https://huggingface.co".to_owned()];
        for (texts, verdict) in [
            (&[][..], Verdict::Skipped),
            (&[ours], Verdict::Warning),
            (&[ours, "credential.usehttppath=true"], Verdict::Ok),
            (
                &[ours, "credential.https://huggingface.co.usehttppath=yes"],
                Verdict::Ok,
            ),
            (
                &[
                    ours,
                    "credential.https://huggingface.co.usehttppath=1",
                    "credential.usehttppath=false",
                ],
                Verdict::Warning,
            ),
            (
                &[ours, "credential.https://github.com.usehttppath=true"],
                Verdict::Warning,
            ),
        ] {
            let findings = judge(&entries(texts), &hubs);
            assert_eq!(findings[0].verdict, verdict, "{texts:?}");
        }
        let mut read = entries(&[ours, "credential.usehttppath=false"]);
        read[1].scope = Scope::Local;
        let fix = judge(&read, &hubs)[0].fix.clone().unwrap();
        assert_eq!(fix.repair, Some(Repair::Configure(ConfigFile::Local)));
    }
}
