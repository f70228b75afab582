//! Says where a new token is used without a rule, and suggests rules.

use anyhow::Result;

use crate::app::assignment::Assignment;
use crate::app::{Context, claims};
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::permissions::{Facts, Role};
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
    let patterns: Vec<Pattern> = facts
        .map(Facts::reach)
        .unwrap_or_default()
        .iter()
        .filter_map(|(_, text)| Pattern::parse_on(text, endpoint).ok())
        .collect();
    if patterns.is_empty() {
        print(&format!(
            "next, say where to use it: `{command} --for NAMESPACE`, or `{command} --default`\n"
        ))?;
        return match claims::not_called(context, endpoint) {
            None => Ok(()),
            Some(why) => print(&format!("note: {why}\n")),
        };
    }
    let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    let state = context.state_file.load()?;
    let tied: Vec<&str> = names
        .iter()
        .filter(|pattern| is_tied(&state, name, endpoint, facts, pattern))
        .map(String::as_str)
        .collect();
    let free: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| !tied.contains(n))
        .collect();
    let mut used = Vec::new();
    let mut against = Vec::new();
    for pattern in patterns
        .iter()
        .filter(|it| free.contains(&it.to_string().as_str()))
    {
        match claims::against(context, &state, name, pattern) {
            None => used.push(pattern.to_string()),
            Some(why) => against.push((why, pattern)),
        }
    }
    for note in claims::in_words(&against) {
        print(&format!("note: {note}\n"))?;
    }
    let not_called = claims::not_called(context, endpoint);
    if !used.is_empty() {
        let used = used.join(", ");
        print(&match &not_called {
            None => format!("git uses it for {used}, unless a rule says otherwise\n"),
            Some(why) => format!("it is for {used}, but {why}\n"),
        })?;
    } else if let Some(why) = &not_called {
        print(&format!("note: {why}\n"))?;
    }
    if !tied.is_empty() {
        let tied = tied.join(", ");
        print(&format!(
            "another token is as good for {tied}, and there git gets the oldest login unless a rule \
             says otherwise\n"
        ))?;
    }
    // Scopes take precedence over HF_TOKEN: where git uses the token already, a rule changes nothing.
    let is_scoped = facts.is_some_and(|facts| facts.role == Role::FineGrained);
    let open = |pattern: &&Pattern| !is_scoped || !used.contains(&pattern.to_string());
    let open: Vec<Pattern> = patterns.iter().filter(open).cloned().collect();
    let question = match is_scoped {
        true => {
            let places: Vec<String> = open.iter().map(ToString::to_string).collect();
            format!("Always use it for {}?", places.join(", "))
        }
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
    let flags: Vec<String> = names
        .iter()
        .map(|n| format!("--for {}", shell_quoted(n)))
        .collect();
    print(&format!(
        "to write rules for that: {command} {}\n",
        flags.join(" ")
    ))
}

/// Whether another token covers the pattern just as narrowly.
fn is_tied(
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
    facts: Option<&Facts>,
    pattern: &str,
) -> bool {
    let reaches = |facts: &Facts| {
        let found = facts
            .reach()
            .into_iter()
            .find(|(_, p)| p.eq_ignore_ascii_case(pattern));
        found.map(|(coverage, _)| coverage)
    };
    let ours = facts.and_then(reaches);
    ours.is_some()
        && state.tokens.iter().any(|(other, token)| {
            other != name
                && token.endpoint == *endpoint
                && token.facts.as_ref().and_then(reaches) == ours
        })
}
