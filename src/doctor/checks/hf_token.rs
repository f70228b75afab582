//! `HF_TOKEN` and what it overrules: for git-xet, every rule.

use crate::doctor::Check;
use crate::doctor::Finding;
use crate::doctor::Group;
use crate::doctor::Inspection;
use crate::model::secret::Kind;
use crate::system::process::on_path;

/// The check.
pub const CHECK: Check = Check {
    id: "hf-token",
    group: Group::Elsewhere,
    network: false,
    run,
};

fn run(around: &Inspection<'_>) -> Vec<Finding> {
    let context = around.context;
    let endpoint = around.endpoint();
    let mut findings = Vec::new();
    for token in &context.env.tokens {
        let variable = token.variable;
        let why = match &token.secret {
            Err(error) => error.to_string(),
            Ok(secret) if secret.kind() == Kind::Other && endpoint.is_hugging_face() => {
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
    let rules = &context.config.rules;
    let of_hub = rules
        .iter()
        .filter(|rule| rule.pattern.endpoint == endpoint);
    let stored = around.state.iter().flat_map(|state| state.tokens.values());
    let scoped = stored.filter(|token| token.endpoint == endpoint && token.facts.is_some());
    let set = Set {
        variable: context.env.tokens.first().map(|token| token.variable),
        rules: of_hub.count(),
        scoped: scoped.count() + usize::from(context.config.default.is_some()),
        xet: on_path("git-xet").is_some(),
    };
    findings.extend(judge(&set));
    findings
}

/// What is set where.
#[derive(Debug, Clone, Copy)]
struct Set {
    /// The variable that counts.
    variable: Option<&'static str>,
    /// How many rules there are for the same Hub.
    rules: usize,
    /// How many tokens there are that would be chosen by scope or as default.
    scoped: usize,
    /// Whether git-xet is installed.
    xet: bool,
}

fn judge(set: &Set) -> Option<Finding> {
    let Some(variable) = set.variable else {
        return Some(Finding::ok("no token in the environment"));
    };
    let run = "for one command: git credential-hf run -- git push";
    let finding = match (set.rules, set.scoped, set.xet) {
        (0, 0, _) => Finding::ok(format!(
            "{variable} is set, and there is no other token that it could replace"
        )),
        (0, _, _) => Finding::note(format!(
            "{variable} is set, so git gets it wherever no rule says otherwise, before tokens \
             chosen by scope and the default"
        ))
        .by_hand(format!(
            "unset {variable}, or give repos a rule: git credential-hf use NAME"
        )),
        (_, _, true) => Finding::warning(format!(
            "{variable} is set, and git-xet uses it before it asks git: the rules do not apply \
             for large files"
        ))
        .by_hand(format!("unset {variable}; or {run}")),
        (_, _, false) => Finding::note(format!(
            "{variable} is set: git follows the rules anyway, but the hf CLI, Python and \
             git-xet take {variable} first"
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
        for (variable, rules, scoped, xet, verdict) in [
            (None, 1, 1, true, Verdict::Ok),
            (hf_token, 0, 0, true, Verdict::Ok),
            (hf_token, 0, 1, true, Verdict::Note),
            (hf_token, 1, 0, false, Verdict::Note),
            (hf_token, 1, 1, true, Verdict::Warning),
        ] {
            let set = Set {
                variable,
                rules,
                scoped,
                xet,
            };
            assert_eq!(judge(&set).map(|f| f.verdict), Some(verdict), "{set:?}");
        }
    }
}
