//! Finds out why git would not use a token where the user has just said to use it. It makes the
//! same choice as git's request, so that no command claims what is not true.

use crate::app::wording::source_name;
use crate::app::{Context, asked};
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::model::pattern::{Names, Pattern};
use crate::model::permissions::Role;
use crate::model::repo::RepoKind;
use crate::model::token_name::TokenName;
use crate::selection::{Query, Source};
use crate::state::State;

/// Why git does not use a token for a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// Something else, described here, takes precedence over the token.
    Other(String),
    /// The token's scopes do not reach it.
    Scopes,
}

/// A line for each reason, with the patterns that it is about.
pub(crate) fn in_words(found: &[(Against, &Pattern)]) -> Vec<String> {
    let mut reasons: Vec<&Against> = Vec::new();
    for (why, _) in found {
        if !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    let line = |why: &Against| {
        let about = || found.iter().filter(|(other, _)| other == why);
        let patterns: Vec<String> = about().map(|(_, pattern)| pattern.to_string()).collect();
        let patterns = patterns.join(", ");
        match why {
            Against::Other(other) => format!("{other} takes precedence over it for {patterns}"),
            Against::Scopes => {
                // All patterns of a token are on its Hub.
                let page = about()
                    .next()
                    .map_or_else(String::new, |(_, pattern)| pattern.endpoint.tokens_page());
                format!(
                    "the token's scopes do not reach {patterns}: add one at {page}, then run \
                     `git credential-hf refresh`"
                )
            }
        }
    };
    reasons.into_iter().map(line).collect()
}

/// Finds out why git does not use a token for a pattern; `None` if it does.
pub(crate) fn against(
    context: &Context,
    state: &State,
    name: &TokenName,
    pattern: &Pattern,
) -> Option<Against> {
    let query = Query::at(&sample(pattern));
    if let Some(other) = used_instead(context, state, name, &query) {
        return Some(Against::Other(other));
    }
    let facts = state.tokens.get(name)?.facts.as_ref()?;
    let repo = sample(pattern).repo()?;
    let names_of_it = || {
        let reach = facts.reach(&pattern.endpoint);
        reach
            .iter()
            .any(|(_, reached)| reached.namespace == pattern.namespace)
    };
    let reaches = match pattern.names {
        Names::Exactly(_) => facts.covers(&repo, Operation::Fetch).is_some(),
        // The rule may be meant for one repo of the namespace, which a scope names.
        _ => facts.covers(&repo, Operation::Fetch).is_some() || names_of_it(),
    };
    (facts.role == Role::FineGrained && !reaches).then_some(Against::Scopes)
}

/// What takes precedence over the default token.
pub(crate) fn against_default(
    context: &Context,
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
) -> Option<String> {
    // A repo that no rule is likely to name.
    let query = Query::new(endpoint.clone(), Some("nobody/nothing".to_owned()), None);
    let other = used_instead(context, state, name, &query)?;
    Some(format!("{other} takes precedence over the default"))
}

/// Why git does not call this helper for a Hub; `None` if it does.
pub(crate) fn not_called(context: &Context, endpoint: &Endpoint) -> Option<String> {
    asked::not_called(context, &Location::of(endpoint)).map(|it| it.to_string())
}

fn used_instead(
    context: &Context,
    state: &State,
    name: &TokenName,
    query: &Query,
) -> Option<String> {
    let selection = context.select(query, state).ok()?;
    let first = selection.candidates.first()?;
    let ours = match &first.source {
        Source::Stored(other) | Source::Command(other) => other == name,
        Source::HfCli(Some(other)) => name.of_hf_cli() == Some(other.as_str()),
        _ => false,
    };
    (!ours).then(|| source_name(&first.source))
}

/// A repo that a pattern matches.
fn sample(pattern: &Pattern) -> Location {
    let name = match &pattern.names {
        Names::All => "x".to_owned(),
        Names::Glob(glob) => glob.replace('*', "x"),
        Names::Exactly(name) => name.as_str().to_owned(),
    };
    let kind = match pattern.kind {
        None | Some(RepoKind::Model) => String::new(),
        Some(kind) => format!("{}/", kind.prefix()),
    };
    Location {
        endpoint: pattern.endpoint.clone(),
        path: format!("{kind}{}/{name}", pattern.namespace.as_str()),
        username: None,
    }
}
