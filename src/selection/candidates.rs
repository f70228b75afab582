//! Which tokens a request could get, and why. One pure function turns the query, the configuration,
//! the state and the environment into an ordered list of candidates. Every command that uses or
//! shows the choice calls it.

use crate::git::run::ReadError;
use crate::model::endpoint::Endpoint;
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::query::Who;
use crate::selection::steps::{candidates, set_lack};
use crate::selection::{Candidate, Inputs, Reason, RemoteRepo, Source, Unusable, order};

/// The outcome of the choice.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The repo of the request, if known.
    pub repo: Option<Repo>,
    /// Whether the repo was inferred from the remotes.
    pub inferred: bool,
    /// The candidates, best first.
    pub candidates: Vec<Candidate>,
    /// What to tell the user.
    pub notices: Vec<Notice>,
}

/// Something to tell the user about the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Git sent no path, and the remotes need different tokens. These are their repos; it is one
    /// repo if the remotes differ only in the username.
    RemotesDisagree(Vec<Repo>),
    /// The username in the URL does not match a token or an account.
    UnknownUsername,
}

/// Why there are no candidates. Falling back would use a token that the user did not ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectError {
    /// Git sent no path, and the repository's remotes cannot be read.
    Remotes(ReadError),
    /// `GIT_CREDENTIAL_HF_TOKEN_NAME` names a token that does not exist.
    NoSuchToken(TokenName),
    /// `GIT_CREDENTIAL_HF_TOKEN_NAME` names a token of another endpoint.
    OtherEndpoint(TokenName, Endpoint),
}

/// Lists the candidates for a request, best first.
///
/// # Errors
/// See [`SelectError`].
pub fn select(inputs: Inputs<'_>) -> Result<Selection, SelectError> {
    if let Some(name) = &inputs.env.token_name {
        return named_by_environment(inputs, &TokenName::existing(name));
    }
    Ok(select_for_user(inputs).0)
}

/// As [`select`], with the tokens that would do as well as the first candidate, which was chosen
/// because it is the oldest.
///
/// # Errors
/// See [`SelectError`].
pub fn select_with_equals(inputs: Inputs<'_>) -> Result<(Selection, Vec<TokenName>), SelectError> {
    if inputs.env.token_name.is_some() {
        return Ok((select(inputs)?, Vec::new()));
    }
    let (selection, who) = select_for_user(inputs);
    let mut equals = Vec::new();
    if let (Some(repo), Some(first)) = (&selection.repo, selection.candidates.first())
        && let Source::Stored(name) = &first.source
        && matches!(first.reason.step(), "scoped" | "account")
    {
        equals = order::equals(inputs, &who, repo, name);
    }
    Ok((selection, equals))
}

/// The selection where no token is named by the environment, and whose tokens these are.
fn select_for_user(inputs: Inputs<'_>) -> (Selection, Who) {
    let wanted = inputs.wanted;
    let mut who = Who::read(inputs, wanted.username.as_deref());
    if matches!(who, Who::Token(_)) {
        let selection = Selection {
            repo: wanted.repo.clone(),
            inferred: false,
            candidates: candidates(inputs, &who, wanted.repo.as_ref()),
            notices: Vec::new(),
        };
        return (selection, who);
    }
    let mut notices = Vec::new();
    let (mut repo, mut inferred) = (None, false);
    match &wanted.path {
        Some(_) => repo.clone_from(&wanted.repo),
        None => match agreed(inputs, &who) {
            Agreement::NoRemotes => {}
            Agreement::On(one, its) => {
                (repo, inferred) = (Some(one), true);
                who = its;
            }
            Agreement::None => {
                let mut repos: Vec<Repo> = Vec::new();
                for RemoteRepo { repo, .. } in inputs.remotes {
                    if !repos.contains(repo) {
                        repos.push(repo.clone());
                    }
                }
                notices.push(Notice::RemotesDisagree(repos));
            }
        },
    }
    if !who.is_known(inputs) {
        notices.push(Notice::UnknownUsername);
    }
    let candidates = candidates(inputs, &who, repo.as_ref());
    let selection = Selection {
        repo,
        inferred,
        candidates,
        notices,
    };
    (selection, who)
}

fn named_by_environment(inputs: Inputs<'_>, name: &TokenName) -> Result<Selection, SelectError> {
    let source = match inputs.find(name) {
        Source::Unusable(name, Unusable::Missing) => return Err(SelectError::NoSuchToken(name)),
        Source::Unusable(name, Unusable::OtherEndpoint(endpoint)) => {
            return Err(SelectError::OtherEndpoint(name, endpoint));
        }
        source => source,
    };
    let mut only = Candidate::new(source, Reason::NamedByEnvironment);
    set_lack(inputs, inputs.wanted.repo.as_ref(), &mut only);
    Ok(Selection {
        repo: inputs.wanted.repo.clone(),
        inferred: false,
        candidates: vec![only],
        notices: Vec::new(),
    })
}

enum Agreement {
    NoRemotes,
    On(Repo, Who),
    None,
}

/// The repo to assume when git sent no path: the first remote's, if all remotes get the same token.
fn agreed(inputs: Inputs<'_>, who: &Who) -> Agreement {
    let Some((first, rest)) = inputs.remotes.split_first() else {
        return Agreement::NoRemotes;
    };
    // The username in a remote's URL counts as if git had sent it, unless git sent one.
    let choice = |remote: &RemoteRepo| {
        let who = match (&inputs.wanted.username, &remote.username) {
            (None, Some(username)) => Who::read(inputs, Some(username)),
            _ => who.clone(),
        };
        let list = candidates(inputs, &who, Some(&remote.repo));
        let source = list.into_iter().next().map(|candidate| candidate.source);
        (source, who)
    };
    let (chosen, its) = choice(first);
    if rest.iter().all(|remote| choice(remote).0 == chosen) {
        Agreement::On(first.repo.clone(), its)
    } else {
        Agreement::None
    }
}

#[cfg(test)]
#[path = "candidates_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "operation_tests.rs"]
mod operation_tests;
