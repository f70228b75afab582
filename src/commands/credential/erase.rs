//! `erase`: the server refused a credential, or the user wants to remove one.

use anyhow::Result;

use crate::app::{renewal, wording};
use crate::commands::credential::request::GitRequest;
use crate::model::repo::Repo;
use crate::model::secret::{Secret, TokenKind};
use crate::model::time::since;
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, Mark, Source, TokenSource};
use crate::state::{Origin, REJECTED_SECONDS, State, TokenInfo};
use crate::system::{clock, trace};
use crate::terminal;

/// Handles one `erase`.
///
/// # Errors
/// When the state or a storage fails.
pub(crate) fn run() -> Result<()> {
    let Some(git) = GitRequest::open_silently()? else {
        return Ok(());
    };
    // If the state cannot be read, this goes on without it, so that git-lfs does not ask for ever.
    let state = git.context.state_or_empty();
    let is_token = |secret: &Secret| secret.kind() != TokenKind::Other;
    if git.username_is_token() && !git.request.password.as_ref().is_some_and(is_token) {
        terminal::say(super::get::TOKEN_AS_USERNAME);
    }
    match &git.request.password {
        Some(secret) => erase_value(&git, &state, secret),
        None => erase_scope(&git, &state),
    }
}

/// Without a password: removes what git's `store` saved for that host, username and path, as far as
/// they are given, and never a token from `login`.
fn erase_scope(git: &GitRequest, state: &State) -> Result<()> {
    let request = &git.request;
    for (name, token) in kept(git, state) {
        let same_user = request.username.is_none() || request.username == token.username;
        if same_user && same_path(git, token) {
            trace::line(|| format!("erase: removing `{name}`"));
            git.context.forget(name, token)?;
        }
    }
    Ok(())
}

fn same_path(git: &GitRequest, token: &TokenInfo) -> bool {
    match (&git.request.path, &token.path) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some(kept)) => {
            wanted == kept
                || Repo::from_path(wanted).is_some_and(|repo| Repo::from_path(kept) == Some(repo))
        }
    }
}

/// With a password: affects exactly that secret. If `store` saved it, it is removed. Any other token of
/// ours is remembered as rejected, since `erase` does not prove that it is bad.
fn erase_value(git: &GitRequest, state: &State, secret: &Secret) -> Result<()> {
    trace::line(|| format!("{}{}", crate::git::trial::REFUSED, secret.hint()));
    let value = secret.fingerprint();
    let mut removed = false;
    for (name, token) in kept(git, state) {
        if token.fingerprint == value && is_same(git, name, token, secret) {
            trace::line(|| format!("erase: removing `{name}`"));
            git.context.forget(name, token)?;
            removed = true;
        }
    }
    let mut candidate = git.candidate_with(&git.query(), state, &value);
    if secret.kind() == TokenKind::Other {
        // The fingerprint of such a value is short, so the value itself is compared.
        candidate = candidate.filter(|c| has_value(git, state, c, secret));
        if candidate.is_none() {
            return Ok(());
        }
    }
    let answered = matches!(
        Mark::find(&git.request.states),
        Some(Mark::Tried(tried)) if tried.value == value
    );
    let stored = state.tokens.values().any(|token| {
        token.origin == Origin::Login
            && token.endpoint == git.endpoint
            && token.fingerprint == value
    });
    if removed || !(candidate.is_some() || answered || stored) {
        return Ok(());
    }
    let now = clock::now();
    if let Some(name) = renewed(git, state, candidate.as_ref(), now) {
        let host = git.endpoint.authority();
        terminal::say(&format!(
            "token `{name}` was rejected by {host}, and has now been renewed: try again"
        ));
        return Ok(());
    }
    let remembered = git.context.state_file.reject(&git.endpoint, &value, now);
    let state = git.context.state_or_empty();
    if let Some(candidate) = candidate {
        let what = git.context.describe(&candidate, &state);
        let host = git.endpoint.authority();
        let next = if candidate.source.is_final() {
            String::new()
        } else {
            next_after(git, &state, &value)
        };
        let repo = git.request.path.as_deref().and_then(Repo::from_path);
        terminal::say(&format!(
            "{what}, was rejected by {host}: {}{next}",
            git.after_rejection(repo.as_ref(), &candidate, &state)
        ));
    }
    // This comes last: the user needs to know about the refusal first.
    Ok(remembered?)
}

/// Renews a token of a browser login that the server refused before it expired. If the token was
/// renewed or stored within the last minute, its age is not the reason for the refusal, and git-lfs
/// would have it renewed for ever. So then it is not renewed.
fn renewed<'a>(
    git: &GitRequest,
    state: &State,
    candidate: Option<&'a Candidate>,
    now: u64,
) -> Option<&'a TokenName> {
    let Source::Stored(name) = &candidate?.source else {
        return None;
    };
    let token = state
        .tokens
        .get(name)
        .filter(|token| token.origin == Origin::Login)?;
    let record = git.context.read_stored(name, token).ok()?;
    let age = since(record.renewed.unwrap_or(0), now).min(since(token.added, now));
    if record.refresh_token.is_none() || age < REJECTED_SECONDS {
        return None;
    }
    match renewal::renew_stored(&git.context, name, renewal::When::Now) {
        Ok(renewed) => {
            renewed
                .warning
                .iter()
                .for_each(|line| crate::terminal::say(line));
            Some(name)
        }
        Err(error) => {
            trace::line(|| format!("renewing `{name}`: {error}"));
            None
        }
    }
}

/// Whether a candidate's token is this secret.
fn has_value(git: &GitRequest, state: &State, candidate: &Candidate, secret: &Secret) -> bool {
    let mut reader = crate::app::token_source::TokenReader::new(&git.context, state);
    reader
        .load(candidate)
        .is_ok_and(|loaded| loaded.secret.same_as(secret))
}

/// What the next git command will use, now that this value is rejected.
fn next_after(
    git: &GitRequest,
    state: &State,
    value: &crate::model::secret::Fingerprint,
) -> String {
    let Ok(selection) = git.context.select(&git.query(), state) else {
        return String::new();
    };
    let reader = crate::app::token_source::TokenReader::new(&git.context, state);
    let now = clock::now();
    let next = selection.candidates.iter().find(|candidate| {
        let known = reader.known_fingerprint(candidate);
        !matches!(candidate.source, Source::Unusable(..))
            && known.as_ref() != Some(value)
            && known.is_none_or(|k| {
                state.eligibility(&git.endpoint, &k, now) == crate::state::Eligibility::Good
            })
    });
    next.map_or_else(String::new, |candidate| {
        format!(
            "; the next git command uses {}",
            wording::source_name(&candidate.source)
        )
    })
}

/// Whether the stored token is this secret, for this username. The Hub ignores usernames, so for its
/// tokens only the value counts.
fn is_same(git: &GitRequest, name: &TokenName, token: &TokenInfo, secret: &Secret) -> bool {
    if secret.kind() != TokenKind::Other {
        return true;
    }
    let username = &git.request.username;
    (username.is_none() || *username == token.username)
        && git
            .context
            .read_stored(name, token)
            .is_ok_and(|record| record.secret.same_as(secret))
}

fn kept<'a>(
    git: &'a GitRequest,
    state: &'a State,
) -> impl Iterator<Item = (&'a TokenName, &'a TokenInfo)> {
    state
        .tokens
        .iter()
        .filter(|(_, token)| token.origin == Origin::Git && token.endpoint == git.endpoint)
}
