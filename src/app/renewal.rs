//! Tokens from a browser login are renewed before they expire: once, however many processes ask.

use crate::model::text::shell_quoted;
use std::time::{Duration, Instant};

use crate::app::Context;
use crate::hub::Hub;
use crate::hub::HubError;
use crate::hub::oauth;
use crate::model::text::one_line;
use crate::model::time::since;
use crate::model::token_name::TokenName;
use crate::state::file::StateError;
use crate::storage::Record;
use crate::storage::StorageError;
use crate::system::clock;
use crate::system::trace;

/// How long before its end a token is renewed, in seconds. Git and git-lfs ask again for every
/// operation, so it need only outlast one.
pub const MARGIN: u64 = 15 * 60;

/// For how long a token that was just renewed is left alone, in seconds: one with a short life
/// would otherwise be due again at once.
const PAUSE: u64 = 60;

/// A renewal that takes this long and fails has met a Hub that does not answer.
pub const SLOW: Duration = Duration::from_secs(2);

/// For how long such a renewal is not tried again, in seconds: all who wait for the lock would
/// wait for the Hub too, one after the other.
pub const AFTER_SLOW: u64 = 30;

/// When to renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// If it is due, asked again once the lock is held.
    IfDue,
    /// Whenever asked.
    Now,
}

/// Why a token was not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// There is nothing to renew it with.
    #[error("it does not come from a browser login, so it cannot be renewed")]
    NotRenewable,
    /// The Hub takes the refresh token no more.
    #[error("it cannot be renewed any more: run `git credential-hf login {0} --web`")]
    LoginNeeded(String),
    /// The same for the hf CLI's login.
    #[error("it cannot be renewed any more: run `hf auth login`")]
    HfLoginNeeded,
    /// The Hub did not answer the one who asked before.
    #[error("it could not be renewed: the Hub did not answer a moment ago")]
    JustTried,
    /// The Hub could not be asked.
    #[error("it could not be renewed: {0}")]
    Hub(HubError),
    /// The token could not be read or written.
    #[error("it could not be renewed: {0}")]
    Storage(StorageError),
    /// The lock or the state.
    #[error("it could not be renewed: {0}")]
    State(String),
}

/// Whether it is time to renew what the record holds.
#[must_use]
pub fn is_due(record: &Record, now: u64) -> bool {
    let Some(expires) = record.expires.filter(|_| record.refresh_token.is_some()) else {
        return false;
    };
    let just_renewed = record
        .renewed
        .is_some_and(|at| at <= now && now - at < PAUSE);
    expires <= now || (expires <= now.saturating_add(MARGIN) && !just_renewed)
}

/// Renews a token under the lock of its name. Who waited for the lock reads the token again, and
/// finds it renewed: a second request with the same refresh token would end both.
///
/// # Errors
/// See [`RenewalError`]; the token is then as it was.
pub fn renew(context: &Context, name: &TokenName, when: When) -> Result<Record, RenewalError> {
    let state_error =
        |error: &dyn std::fmt::Display| RenewalError::State(one_line(&error.to_string()));
    let storage_error = RenewalError::Storage;
    let _lock = context.lock_name(name).map_err(|e| state_error(&e))?;
    let state = context.state_file.load().map_err(|e| state_error(&e))?;
    let token = state.tokens.get(name);
    let token = token.ok_or(RenewalError::Storage(StorageError::NotFound))?;
    let record = context.read_stored(name, token).map_err(storage_error)?;
    let Some(refresh_token) = &record.refresh_token else {
        return Err(RenewalError::NotRenewable);
    };
    if when == When::IfDue && !is_due(&record, clock::now()) {
        return Ok(record);
    }
    let failed = token.renewal_failed.map(|at| since(at, clock::now()));
    if when == When::IfDue && failed.is_some_and(|ago| ago < AFTER_SLOW) {
        return Err(RenewalError::JustTried);
    }
    let client_id = record.client_id.clone().unwrap_or_else(oauth::client_id);
    let start = Instant::now();
    let answer = Hub::impatient(&token.endpoint).refresh(&client_id, refresh_token);
    if answer.is_err() && start.elapsed() >= SLOW {
        remember_slow(context, name);
    }
    let tokens = answer.map_err(|error| match error {
        HubError::OAuth(code) if code == "invalid_grant" => {
            RenewalError::LoginNeeded(shell_quoted(name.as_str()))
        }
        error => RenewalError::Hub(error),
    })?;
    let renewed = Record {
        expires: tokens
            .expires_in
            .map(|seconds| clock::now().saturating_add(seconds)),
        refresh_token: tokens
            .refresh_token
            .or_else(|| record.refresh_token.clone()),
        secret: tokens.access_token,
        endpoint: record.endpoint.clone(),
        client_id: Some(client_id),
        renewed: Some(clock::now()),
    };
    // The storage first: should this process die here, the next one finds the new token, and a
    // description that is mended when it is read.
    context
        .storage(token.storage)
        .write(name, &renewed)
        .map_err(storage_error)?;
    trace::line(|| format!("renewed `{name}`: {}", renewed.secret.hint()));
    context
        .state_file
        .update(|state| {
            let value = renewed.secret.fingerprint();
            state.lift(&renewed.endpoint, &value);
            if let Some(token) = state.tokens.get_mut(name) {
                token.replace_value(value, renewed.secret.hint());
                token.expires = renewed.expires;
                token.renewal_failed = None;
            }
            Ok::<_, StateError>(())
        })
        .map_err(|e| state_error(&e))?;
    Ok(renewed)
}

/// Not worth an error of its own.
fn remember_slow(context: &Context, name: &TokenName) {
    let result = context.state_file.update(|state| {
        if let Some(token) = state.tokens.get_mut(name) {
            token.renewal_failed = Some(clock::now());
        }
        Ok::<_, StateError>(())
    });
    if let Err(error) = result {
        trace::line(|| error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;
    use crate::model::secret::Secret;

    #[test]
    fn due_when_little_time_is_left_and_it_can_be_renewed() {
        let record = |expires, refresh: Option<&str>| Record {
            secret: Secret::exact("x").unwrap(),
            endpoint: Endpoint::hugging_face(),
            expires,
            refresh_token: refresh.map(|r| Secret::exact(r).unwrap()),
            client_id: None,
            renewed: None,
        };
        let now = 1_000_000;
        for (expires, refresh, due) in [
            (Some(now + MARGIN + 1), Some("r"), false),
            (Some(now + MARGIN), Some("r"), true),
            (Some(now - 1), Some("r"), true),
            (Some(now - 1), None, false),
            (None, Some("r"), false),
        ] {
            assert_eq!(is_due(&record(expires, refresh), now), due);
        }
        let mut short = record(Some(now + 300), Some("r"));
        for (renewed, due) in [(now - 1, false), (now - PAUSE, true), (now + 5, true)] {
            short.renewed = Some(renewed);
            assert_eq!(is_due(&short, now), due);
        }
    }
}
