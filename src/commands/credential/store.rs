//! `store`: saves what the user typed at git's prompt, but nothing that is already known.

use anyhow::{Context as _, Result};

use crate::commands::credential::request::GitRequest;
use crate::model::repo::Repo;
use crate::model::secret::{Fingerprint, Secret, TokenKind};
use crate::model::token_name::TokenName;
use crate::selection::Mark;
use crate::state::{Origin, State, TokenInfo};
use crate::storage::{Record, StorageKind};
use crate::system::{clock, trace};
use crate::terminal::Failure;

/// Handles one credential that the server accepted.
///
/// # Errors
/// When a new token cannot be saved.
pub(crate) fn run() -> Result<()> {
    let Some(git) = GitRequest::open_silently()? else {
        return Ok(());
    };
    let request = &git.request;
    let Some(secret) = &request.password else {
        return Ok(());
    };
    trace::line(|| format!("{}{}", crate::git::trial::ACCEPTED, secret.hint()));
    let state = git.context.state_file.load()?;
    accepted(&git, &state, secret)?;
    // A login in a URL, which any `.gitmodules` can contain, arrives here as well. Only what the user
    // typed after an unanswered `get` has our mark.
    let is_typed = Mark::find(&request.states) == Some(Mark::Asked);
    if !is_typed && !git.saves_any() {
        trace::line(|| "store: not typed at a prompt, so not saved".to_owned());
        return Ok(());
    }
    if request.ephemeral || is_known(&git, &state, secret) {
        trace::line(|| "store: the token is known, or not to be saved".to_owned());
        return Ok(());
    }
    if !git.saves_any() && secret.kind() == TokenKind::Other {
        let message = "the typed password is not a Hub token, so it is not saved: \
                       the Hub accepts access tokens, not account passwords";
        return Err(Failure::new(message)
            .help(format!("create a token at {}", git.endpoint.tokens_page()))
            .into());
    }
    if git.request.path.as_deref().is_some_and(is_odd) {
        trace::line(|| {
            "store: a path with dot segments does not name a repo, so nothing is saved".to_owned()
        });
        return Ok(());
    }
    keep(&git, secret)
}

/// Whether a path means another location than it seems to. The URL of a hostile submodule could have a
/// token saved for another repo.
fn is_odd(path: &str) -> bool {
    path.split('/').any(|part| part == "." || part == "..")
}

/// The server accepted the value, so an earlier rejection is cleared.
fn accepted(git: &GitRequest, state: &State, secret: &Secret) -> Result<()> {
    let fingerprint = secret.fingerprint();
    if state.rejected_at(&git.endpoint, &fingerprint).is_some() {
        git.context
            .state_file
            .clear_rejection(&git.endpoint, &fingerprint)?;
    }
    Ok(())
}

/// Whether the token is already stored somewhere, as far as that is known without a request or a
/// command.
fn is_known(git: &GitRequest, state: &State, secret: &Secret) -> bool {
    let fingerprint = secret.fingerprint();
    let mut in_environment = git.context.env.tokens.iter();
    if in_environment.any(|t| t.secret.as_ref().is_ok_and(|known| known.same_as(secret))) {
        return true;
    }
    let hf = git.context.hf_cli();
    let active = hf.active_value().ok().flatten();
    if active.is_some_and(|active| active.same_as(secret)) || hf.stores(secret) {
        return true;
    }
    // Only an exchange issues these, for an hour.
    if secret.kind() == TokenKind::Jwt {
        return true;
    }
    let known_before = |values: &[Fingerprint]| values.contains(&fingerprint);
    // A command printed it, or it is an earlier value of a stored token.
    if secret.kind() != TokenKind::Other
        && (state.commands.values().any(|values| known_before(values))
            || state
                .tokens
                .values()
                .filter(|token| token.origin == Origin::Login)
                .any(|token| known_before(&token.former)))
    {
        return true;
    }
    for (name, token) in &state.tokens {
        if token.endpoint != git.endpoint || token.fingerprint != fingerprint {
            continue;
        }
        if token.origin == Origin::Login && secret.kind() != TokenKind::Other {
            return true;
        }
        // A value that git saved for another repo does not count here, but one for the whole host is
        // what we have just answered. A password belongs to one username.
        let same_user =
            secret.kind() != TokenKind::Other || token.username.as_deref() == username_of(git);
        let same_scope = token.origin == Origin::Login
            || *name == name_for(git)
            || (token.path.is_none() && same_user);
        // The fingerprint of a password is short, so the values are compared.
        let record = git.context.read_stored(name, token);
        if same_scope
            && record.is_ok_and(|record| {
                record.secret.same_as(secret) && record.expires == git.request.password_expiry_utc
            })
        {
            return true;
        }
    }
    false
}

/// The name under which git's credential is saved: its scope as git gave it, with a repo in its
/// shortest form.
fn name_for(git: &GitRequest) -> TokenName {
    let path = path_for(git);
    let username = username_of(git);
    TokenName::kept_by_git(&git.endpoint.to_string(), username, path.as_deref())
}

/// The username that git gave, unless it is a token, since usernames are not kept secret.
fn username_of(git: &GitRequest) -> Option<&str> {
    let username = git.request.username.as_deref()?;
    (!crate::model::secret::holds_token(username)).then_some(username)
}

fn path_for(git: &GitRequest) -> Option<String> {
    let path = git.request.path.as_deref()?;
    Some(Repo::from_path(path).map_or_else(|| path.to_owned(), |repo| repo.to_string()))
}

fn keep(git: &GitRequest, secret: &Secret) -> Result<()> {
    let request = &git.request;
    let name = name_for(git);
    let storage = git.context.config.storage.unwrap_or(StorageKind::Keyring);
    let record = Record {
        expires: request.password_expiry_utc,
        refresh_token: request.oauth_refresh_token.clone(),
        ..Record::new(secret.clone(), git.endpoint.clone())
    };
    let token = TokenInfo {
        username: username_of(git).map(str::to_owned),
        path: path_for(git),
        ..TokenInfo::of(&record, storage, Origin::Git, clock::now())
    };
    git.context
        .keep(&name, token, &record, |_| Ok(()))
        .with_context(|| {
            Failure::new(format!(
                "the token typed for {} was not saved",
                git.endpoint.authority()
            ))
            .help("to store tokens in a file: git credential-hf login NAME --storage file")
        })
}
