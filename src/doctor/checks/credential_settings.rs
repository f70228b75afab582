//! Settings of git that change what it asks a helper for: a username, and whether it asks at all.

use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::{Entry, last};
use crate::selection::is_generic;

pub(crate) const CHECK: Check = Check {
    id: "credential-settings",
    group: Group::Helper,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    let state = inspection.state.as_ref().ok();
    let config = &inspection.context.config;
    let known = |username: &str| {
        let tokens = state.iter().flat_map(|state| &state.tokens);
        let stored = tokens.flat_map(|(name, token)| {
            [Some(name.as_str()), token.account.as_deref()]
                .into_iter()
                .flatten()
        });
        let commands = config.commands.keys().map(|name| name.as_str());
        let mut names = stored.chain(commands);
        names.any(|name| name.eq_ignore_ascii_case(username))
    };
    judge(entries, &inspection.hubs(), known)
}

/// `known` are the names of tokens and accounts.
fn judge(entries: &[Entry], hubs: &[String], known: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for hub in hubs {
        if let Some(entry) = last(entries, "credential", "username", hub)
            && !is_generic(entry.text())
            && !known(entry.text())
        {
            let place = entry.place();
            let finding = Finding::warning(format!(
                "git asks for the user `{}` ({place}), which is neither a token nor an \
                 account here, so only HF_TOKEN can answer",
                entry.text()
            ))
            .by_hand(format!(
                "{}, or make it a token's name",
                entry.how_to_remove()
            ));
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
    let interactive = entries
        .iter()
        .rfind(|entry| entry.between("credential", "interactive") == Some(""));
    if interactive.is_some_and(|entry| matches!(entry.text(), "false" | "0" | "no" | "never")) {
        findings.push(Finding::note(
            "git never prompts for a username and password itself (credential.interactive)",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            "no setting changes which credential git asks for",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::git::config::samples::entries;

    #[test]
    fn user_names_and_prompts() {
        let hubs = ["https://huggingface.co".to_owned()];
        for (text, verdict) in [
            ("core.bare=x", Verdict::Ok),
            (
                "credential.https://huggingface.co.username=work",
                Verdict::Ok,
            ),
            ("credential.username=hf_user", Verdict::Ok),
            ("credential.username=Alice", Verdict::Ok),
            ("credential.username=bob", Verdict::Warning),
            ("credential.https://github.com.username=bob", Verdict::Ok),
            ("credential.interactive=false", Verdict::Note),
            ("credential.interactive=auto", Verdict::Ok),
        ] {
            let findings = judge(&entries(&[text]), &hubs, |name| {
                ["work", "alice"].contains(&name.to_lowercase().as_str())
            });
            assert_eq!(findings[0].verdict, verdict, "{text}");
        }
    }
}
