//! Tokens from a browser login are renewed before they expire: once, however many processes ask.

use crate::context::{self, Context, quoted};
use crate::files::Lock;
use crate::hub::{Hub, HubError, oauth};
use crate::name::TokenName;
use crate::state::{StateError, TokenInfo};
use crate::storage::{Record, StorageError};
use crate::{trace, ui::one_line};

/// How long before its end a token is renewed, in seconds. Git and git-lfs ask again for every
/// operation, so it need only outlast one.
pub const MARGIN: u64 = 15 * 60;

/// How long a process waits for another one that is renewing the same token. Longer than the
/// other's request can take.
const WAIT: std::time::Duration = std::time::Duration::from_secs(30);

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
    #[error("`{0}` does not come from a browser login, so it cannot be renewed")]
    NotRenewable(TokenName),
    /// The Hub takes the refresh token no more.
    #[error("`{0}` cannot be renewed any more: run `git credential-hf login {1} --web`")]
    LoginNeeded(TokenName, String),
    /// The Hub could not be asked.
    #[error("`{0}` could not be renewed: {1}")]
    Hub(TokenName, HubError),
    /// The token could not be read or written.
    #[error("`{0}` could not be renewed: {1}")]
    Storage(TokenName, StorageError),
    /// The lock or the state.
    #[error("`{0}` could not be renewed: {1}")]
    State(TokenName, String),
}

/// Whether it is time to renew what the record holds.
#[must_use]
pub fn is_due(record: &Record, now: u64) -> bool {
    record.refresh_token.is_some() && record.expires.is_some_and(|at| at <= now + MARGIN)
}

/// Renews a token under a lock of its own. Who waited for the lock reads the token again, and
/// finds it renewed: a second request with the same refresh token would end both.
///
/// # Errors
/// See [`RenewalError`]; the token is then as it was.
pub fn renew(
    context: &Context,
    name: &TokenName,
    token: &TokenInfo,
    when: When,
) -> Result<Record, RenewalError> {
    let state_error = |error: &dyn std::fmt::Display| {
        RenewalError::State(name.clone(), one_line(&error.to_string()))
    };
    let storage_error = |error| RenewalError::Storage(name.clone(), error);
    let lock = context.paths.renewal_lock(name);
    let _lock = Lock::acquire(&lock, WAIT).map_err(|e| state_error(&e))?;
    let record = context.read_stored(name, token).map_err(storage_error)?;
    let Some(refresh_token) = &record.refresh_token else {
        return Err(RenewalError::NotRenewable(name.clone()));
    };
    if when == When::IfDue && !is_due(&record, context::now()) {
        return Ok(record);
    }
    let client_id = record.client_id.clone().unwrap_or_else(oauth::client_id);
    let tokens = Hub::new(&token.endpoint)
        .refresh(&client_id, refresh_token)
        .map_err(|error| match error {
            HubError::OAuth(code) if code == "invalid_grant" => {
                RenewalError::LoginNeeded(name.clone(), quoted(name.as_str()))
            }
            error => RenewalError::Hub(name.clone(), error),
        })?;
    let renewed = Record {
        expires: tokens.expires_in.map(|seconds| context::now() + seconds),
        refresh_token: tokens
            .refresh_token
            .or_else(|| record.refresh_token.clone()),
        secret: tokens.access_token,
        endpoint: record.endpoint.clone(),
        client_id: Some(client_id),
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
            state.rejected.remove(&renewed.secret.fingerprint());
            if let Some(token) = state.tokens.get_mut(name) {
                token.fingerprint = renewed.secret.fingerprint();
                token.hint = renewed.secret.hint();
                token.expires = renewed.expires;
            }
            Ok::<_, StateError>(())
        })
        .map_err(|e| state_error(&e))?;
    Ok(renewed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;
    use crate::secret::Secret;

    #[test]
    fn due_when_little_time_is_left_and_it_can_be_renewed() {
        let record = |expires, refresh: Option<&str>| Record {
            secret: Secret::exact("x").unwrap(),
            endpoint: Endpoint::hugging_face(),
            expires,
            refresh_token: refresh.map(|r| Secret::exact(r).unwrap()),
            client_id: None,
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
    }
}
