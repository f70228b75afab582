//! `HF_TOKEN`, and what it takes precedence over: for git-xet, every rule.

use crate::config::Rule;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::model::permissions::Role;
use crate::state::TokenInfo;
use crate::system::process::on_path;

pub(crate) const CHECK: Check = Check {
    id: "hf-token",
    group: Group::Elsewhere,
    network: false,
    run: Run::Always(run),
};

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let context = inspection.context;
    let endpoint = inspection.endpoint();
    let mut findings = Vec::new();
    for token in &context.env.tokens {
        let variable = token.variable;
        let why = match &token.secret {
            Err(error) => error.to_string(),
            Ok(secret) if !secret.may_belong_to(&endpoint) => {
                "it does not look like one of the Hub's".to_owned()
            }
            Ok(_) => continue,
        };
        findings.push(
            Finding::problem(format!("{variable} does not contain a token: {why}"))
                .by_hand(format!("set {variable} to a token, or unset it")),
        );
    }
    if !findings.is_empty() {
        return findings;
    }
    let config = &context.config;
    let on_hub = |rule: &&Rule| rule.pattern.endpoint == endpoint;
    let tokens = inspection
        .state
        .iter()
        .flat_map(|state| state.tokens.values());
    let stored = tokens.filter(|token| token.endpoint == endpoint);
    let is_scoped = |token: &&TokenInfo| {
        let facts = token.facts.as_ref();
        facts.is_some_and(|facts| facts.role == Role::FineGrained)
    };
    let (scoped, others): (Vec<_>, Vec<_>) = stored.partition(is_scoped);
    let set = Set {
        variable: context.env.tokens.first().map(|token| token.variable),
        before: config.rules.iter().filter(on_hub).count() + scoped.len(),
        after: others.len() + usize::from(config.default_for(&endpoint).is_some()),
        xet: on_path("git-xet").is_some(),
    };
    findings.extend(judge(&set));
    findings
}

/// What matters to the judgement.
#[derive(Debug, Clone, Copy)]
struct Set {
    /// The variable that counts.
    variable: Option<&'static str>,
    /// How many rules and fine-grained tokens for the same Hub take precedence over it.
    before: usize,
    /// How many tokens it takes precedence over.
    after: usize,
    /// Whether git-xet is installed.
    xet: bool,
}

fn judge(set: &Set) -> Option<Finding> {
    let Some(variable) = set.variable else {
        return Some(Finding::ok("no token in the environment"));
    };
    let run = "for one command: git credential-hf run -- git push";
    let finding = match (set.before, set.after, set.xet) {
        (0, 0, _) => Finding::ok(format!(
            "{variable} is set, and there is no other token that it could replace"
        )),
        (0, _, _) => Finding::note(format!(
            "{variable} is set: it takes precedence over the tokens of an account and over the \
             default"
        ))
        .by_hand(format!(
            "unset {variable}, or write a rule: git credential-hf use NAME --for PATTERN"
        )),
        (_, _, true) => Finding::warning(format!(
            "{variable} is set, and git-xet uses it before it asks git: rules and scopes do not \
             count for large files"
        ))
        .by_hand(format!("unset {variable}; or {run}")),
        (_, _, false) => Finding::note(format!(
            "{variable} is set: rules and scopes take precedence over it for git, but the hf CLI, \
             Python and git-xet take {variable} first"
        ))
        .by_hand(format!("unset {variable}; or {run}")),
    };
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn what_it_overrules() {
        let hf_token = Some("HF_TOKEN");
        for (variable, before, after, xet, verdict) in [
            (None, 1, 1, true, Verdict::Ok),
            (hf_token, 0, 0, true, Verdict::Ok),
            (hf_token, 0, 1, true, Verdict::Note),
            (hf_token, 1, 0, false, Verdict::Note),
            (hf_token, 1, 1, true, Verdict::Warning),
        ] {
            let set = Set {
                variable,
                before,
                after,
                xet,
            };
            assert_eq!(judge(&set).map(|f| f.verdict), Some(verdict), "{set:?}");
        }
    }
}
