//! What keeps a token from being used where it was just said to be used. Found by the same choice
//! that git's request makes, so that no command claims what is not so.

use crate::app::Context;
use crate::app::asked;
use crate::app::wording::source_name;
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::pattern::{Names, Pattern};
use crate::model::permissions::{Access, Role};
use crate::model::repo::RepoKind;
use crate::model::token_name::TokenName;
use crate::selection::{Query, Source};
use crate::state::State;

/// Why git does not use the token for what a pattern means, if it does not.
#[must_use]
pub(crate) fn against(
    context: &Context,
    state: &State,
    name: &TokenName,
    pattern: &Pattern,
) -> Option<String> {
    let query = Query::at(&sample(pattern));
    if let Some(other) = used_instead(context, state, name, &query) {
        return Some(format!("for {pattern} {other} takes precedence over it"));
    }
    let facts = state.tokens.get(name)?.facts.as_ref()?;
    let repo = sample(pattern).repo()?;
    let names_of_it = || {
        facts.reach().into_iter().any(|(_, reached)| {
            Pattern::parse_on(&reached, &pattern.endpoint)
                .is_ok_and(|reached| reached.namespace == pattern.namespace)
        })
    };
    let reaches = match pattern.names {
        Names::Exactly(_) => facts.covers(&repo, Access::Read).is_some(),
        // A scope for one repo of the namespace is what the rule may be for.
        _ => facts.covers(&repo, Access::Read).is_some() || names_of_it(),
    };
    (facts.role == Role::FineGrained && !reaches).then(|| {
        format!(
            "the token's scopes do not reach {pattern}: add one at \
             https://huggingface.co/settings/tokens, then run `git credential-hf refresh`"
        )
    })
}

/// What git uses instead of the default token where nothing else is chosen.
#[must_use]
pub(crate) fn against_default(
    context: &Context,
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
) -> Option<String> {
    // One that nobody has a rule for.
    let query = Query::new(endpoint.clone(), Some("nobody/nothing".to_owned()), None);
    let other = used_instead(context, state, name, &query)?;
    Some(format!("{other} takes precedence over the default"))
}

/// Why git does not call this helper for a Hub at all.
#[must_use]
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
