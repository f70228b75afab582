//! A URL with a token was also a choice of that token. The command for such a rule is printed, but not
//! run, since the URL may not have been written by the user.

use crate::model::text::shell_quoted;
use std::collections::BTreeMap;

use anyhow::Result;

use super::Token;
use super::report::Report;
use crate::app::Context;
use crate::import::UsedFor;
use crate::model::pattern::Pattern;
use crate::selection::{Query, Source};

/// Prints the command for a rule if git would now choose another token than the URL's.
///
/// # Errors
/// When the state cannot be read.
pub(crate) fn say(context: &Context, report: &Report<'_>) -> Result<()> {
    let conflicts = conflicts(&report.tokens);
    for token in &report.tokens {
        let Some(name) = token.name() else { continue };
        let mut patterns = Vec::new();
        for used in token
            .copies
            .iter()
            .filter_map(|copy| copy.found.used_for.as_ref())
        {
            let pattern = &used.pattern;
            let rules = &context.config.rules;
            let rule = rules.iter().find(|rule| rule.pattern == *pattern);
            if conflicts.contains(&pattern) || patterns.contains(pattern) {
                continue;
            }
            if let Some(rule) = rule {
                if let Some(other) = rule.tokens().find(|token| *token != name) {
                    report.say(&format!("{pattern} uses `{other}`, because of a rule"))?;
                }
            } else if !is_chosen(context, used, token)? {
                patterns.push(pattern.clone());
            }
        }
        if patterns.is_empty() {
            continue;
        }
        let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let flag = |pattern| format!("--for {}", context.typed_pattern(pattern));
        let flags: Vec<String> = patterns.iter().map(flag).collect();
        report.say(&format!(
            "to use `{name}` for {}: git credential-hf use {} {}",
            names.join(", "),
            shell_quoted(name.as_str()),
            flags.join(" ")
        ))?;
    }
    Ok(())
}

/// Whether git gets this token without a rule.
fn is_chosen(context: &Context, used: &UsedFor, token: &Token) -> Result<bool> {
    let wanted = Query::new(used.pattern.endpoint.clone(), Some(used.path.clone()), None);
    let state = context.state_file.load()?;
    let selection = context.select(&wanted, &state);
    let first = selection
        .ok()
        .and_then(|it| it.candidates.into_iter().next());
    Ok(first.is_some_and(|first| match first.source {
        // Git's `store` may have saved it as well.
        Source::Stored(name) => {
            let value = token.secret.fingerprint();
            state
                .tokens
                .get(&name)
                .is_some_and(|it| it.fingerprint == value)
        }
        _ => false,
    }))
}

/// The patterns for which several tokens were found, for example one to fetch and one to push. A rule
/// could not tell them apart, but a username in the URL does.
pub(crate) fn conflicts(tokens: &[Token]) -> Vec<&Pattern> {
    let mut users: BTreeMap<String, (&Pattern, Vec<usize>)> = BTreeMap::new();
    for (at, token) in tokens.iter().enumerate() {
        for used in token
            .copies
            .iter()
            .filter_map(|copy| copy.found.used_for.as_ref())
        {
            let pattern = &used.pattern;
            let of_it = users.entry(pattern.to_string());
            let (_, users) = of_it.or_insert_with(|| (pattern, Vec::new()));
            if !users.contains(&at) {
                users.push(at);
            }
        }
    }
    let several = users.into_values().filter(|(_, users)| users.len() > 1);
    several.map(|(pattern, _)| pattern).collect()
}
