//! Says where a new token is used without a rule, and suggests rules.

use anyhow::Result;

use crate::app::assignment::Assignment;
use crate::app::{Context, claims};
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::permissions::{Coverage, Facts, Role};
use crate::model::text::shell_quoted;
use crate::model::token_name::TokenName;
use crate::state::State;
use crate::terminal::{self, print};

/// Suggests rules for the token's scopes. They are written only after asking; without a terminal, the
/// command is printed.
pub(super) fn suggest_rules(
    name: &TokenName,
    endpoint: &Endpoint,
    facts: Option<&Facts>,
) -> Result<()> {
    // Read again, since the Hub may have just been added.
    let context = &Context::with_config()?;
    if context.config.names(name) {
        return Ok(());
    }
    let command = format!("git credential-hf use {}", shell_quoted(name.as_str()));
    let reach = facts.map(|facts| facts.reach(endpoint));
    let reach = reach.unwrap_or_default();
    if reach.is_empty() {
        let namespace = context.typed(endpoint, "NAMESPACE");
        print(&format!(
            "next, say where to use it: `{command} --for {namespace}`, or `{command} --default`\n"
        ))?;
        return match claims::not_called(context, endpoint) {
            None => Ok(()),
            Some(why) => print(&format!("note: {why}\n")),
        };
    }
    let used = say_where(context, name, endpoint, &reach)?;
    // Scopes take precedence over HF_TOKEN: where git uses the token already, a rule changes nothing.
    let is_scoped = facts.is_some_and(|facts| facts.role == Role::FineGrained);
    let patterns = reach.iter().map(|(_, pattern)| pattern);
    let open: Vec<Pattern> = patterns
        .clone()
        .filter(|pattern| !is_scoped || !used.contains(pattern))
        .cloned()
        .collect();
    let question = match is_scoped {
        true => format!("Always use it for {}?", joined(&open)),
        false => "Always use it there, even if HF_TOKEN is set?".to_owned(),
    };
    if !open.is_empty() && terminal::confirm(&question) {
        let assignment = Assignment {
            name,
            endpoint,
            patterns: &open,
            operation: None,
            default: false,
        };
        return assignment.write_and_say(context);
    }
    let flags: Vec<String> = patterns
        .map(|pattern| format!("--for {}", context.typed_pattern(pattern)))
        .collect();
    print(&format!(
        "to write rules for that: {command} {}\n",
        flags.join(" ")
    ))
}

/// Says where git uses the token without a rule, and where it does not and why. Returns the patterns
/// for which it does.
fn say_where<'a>(
    context: &Context,
    name: &TokenName,
    endpoint: &Endpoint,
    reach: &'a [(Coverage, Pattern)],
) -> Result<Vec<&'a Pattern>> {
    let state = context.state_file.load()?;
    let (mut tied, mut used, mut against) = (Vec::new(), Vec::new(), Vec::new());
    for (coverage, pattern) in reach {
        if is_tied(&state, name, *coverage, pattern) {
            tied.push(pattern);
            continue;
        }
        match claims::against(context, &state, name, pattern) {
            None => used.push(pattern),
            Some(why) => against.push((why, pattern)),
        }
    }
    for note in claims::in_words(&against) {
        print(&format!("note: {note}\n"))?;
    }
    match claims::not_called(context, endpoint) {
        None if used.is_empty() => {}
        None => {
            let used = joined(&used);
            print(&format!(
                "git uses it for {used}, unless a rule says otherwise\n"
            ))?;
        }
        Some(why) if used.is_empty() => print(&format!("note: {why}\n"))?,
        Some(why) => print(&format!("it is for {}, but {why}\n", joined(&used)))?,
    }
    if !tied.is_empty() {
        print(&format!(
            "another token is as good for {}: there git gets the oldest token, unless a rule says \
             otherwise\n",
            joined(&tied)
        ))?;
    }
    Ok(used)
}

fn joined(patterns: &[impl ToString]) -> String {
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    patterns.join(", ")
}

/// Whether another token covers the pattern just as narrowly.
fn is_tied(state: &State, name: &TokenName, coverage: Coverage, pattern: &Pattern) -> bool {
    state.tokens.iter().any(|(other, token)| {
        let facts = token.facts.as_ref();
        let reach = facts.map(|facts| facts.reach(&token.endpoint));
        let is_same = |(its, reached): &(Coverage, Pattern)| *its == coverage && reached == pattern;
        other != name && reach.is_some_and(|reach| reach.iter().any(is_same))
    })
}
