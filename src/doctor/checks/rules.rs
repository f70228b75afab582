//! Rules and the default: whether the tokens that they name exist.

use std::collections::BTreeSet;

use crate::app::advice::login_again;
use crate::app::lookup::exists;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::model::token_name::TokenName;
use crate::state::State;

pub(crate) const CHECK: Check = Check {
    id: "rules",
    group: Group::Tokens,
    network: false,
    run: Run::WithState(run),
};

fn run(inspection: &Inspection<'_>, state: &State) -> Vec<Finding> {
    if inspection.config_error.is_some() {
        return vec![Finding::skipped("config.toml cannot be read")];
    }
    let config = &inspection.context.config;
    let rules: Vec<(String, &TokenName)> = config
        .rules
        .iter()
        .flat_map(|rule| {
            rule.tokens()
                .map(|token| (inspection.context.typed_pattern(&rule.pattern), token))
        })
        .collect();
    let there = |name: &TokenName| exists(inspection.context, state, name);
    let of_endpoints = config.defaults.iter();
    let of_endpoints =
        of_endpoints.map(|(endpoint, name)| (format!("the default of {endpoint}"), name));
    let default = config.default.iter();
    let defaults: Vec<(String, &TokenName)> = default
        .map(|name| ("the default".to_owned(), name))
        .chain(of_endpoints)
        .collect();
    judge(&rules, &defaults, there)
}

/// `rules` are the patterns as a shell takes them, each with a token that it names.
fn judge(
    rules: &[(String, &TokenName)],
    defaults: &[(String, &TokenName)],
    there: impl Fn(&TokenName) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (pattern, name) in rules.iter().filter(|(_, name)| !there(name)) {
        findings.push(
            Finding::problem(format!(
                "the rule for {pattern} names `{name}`, but there is no such token"
            ))
            .by_hand(remedy(name, &format!("git credential-hf unuse {pattern}"))),
        );
    }
    for (which, name) in defaults.iter().filter(|(_, name)| !there(name)) {
        let other = "git credential-hf use NAME --default";
        findings.push(
            Finding::problem(format!("{which} is `{name}`, but there is no such token"))
                .by_hand(remedy(name, other)),
        );
    }
    if findings.is_empty() {
        // A rule may name a token for each operation.
        let patterns: BTreeSet<&str> = rules.iter().map(|(pattern, _)| pattern.as_str()).collect();
        findings.push(Finding::ok(match (patterns.len(), !defaults.is_empty()) {
            (0, false) => "no rules and no default".to_owned(),
            (0, true) => "no rules; the default token exists".to_owned(),
            (1, _) => "1 rule; its token exists".to_owned(),
            (n, _) => format!("{n} rules; all their tokens exist"),
        }));
    }
    findings
}

/// What to do about a missing token. A login of the hf CLI cannot be given a certain name, since the
/// Hub chooses it.
fn remedy(name: &TokenName, other: &str) -> String {
    match name.of_hf_cli() {
        Some(_) => other.to_owned(),
        None => format!("{}, or: {other}", login_again(name, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn names_that_are_gone() {
        let (here, gone) = (TokenName::existing("here"), TokenName::existing("gone"));
        let hf = TokenName::existing("hf:x");
        let there = |name: &TokenName| name.as_str() == "here";
        let hub = "the default of https://hub.example";
        for (rules, defaults, verdicts, fix) in [
            (&[][..], &[][..], &[Verdict::Ok][..], ""),
            (&[("acme", &here)], &[(hub, &here)], &[Verdict::Ok], ""),
            (&[("acme", &gone)], &[], &[Verdict::Problem], "unuse acme"),
            (&[("acme", &hf)], &[], &[Verdict::Problem], "unuse acme"),
            (&[], &[(hub, &gone)], &[Verdict::Problem], "login gone"),
        ] {
            let [rules, defaults] = [rules, defaults].map(|pairs: &[(&str, &TokenName)]| {
                let owned = pairs.iter().map(|(what, name)| ((*what).to_owned(), *name));
                owned.collect::<Vec<(String, &TokenName)>>()
            });
            let findings = judge(&rules, &defaults, there);
            let seen: Vec<Verdict> = findings.iter().map(|f| f.verdict).collect();
            assert_eq!(seen, verdicts, "{findings:?}");
            let text = findings[0].fix.as_ref().map_or("", |fix| &fix.text);
            assert!(text.contains(fix), "{findings:?}");
        }
    }
}
