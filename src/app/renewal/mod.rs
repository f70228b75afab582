//! Renews the tokens of browser logins before they expire, once, however many processes ask.
//!
//! [`renew`] is the policy. [`Stored`] applies it to this program's own tokens, and
//! [`crate::app::renewal::hf_cli`] to the hf CLI's.

pub(crate) mod hf_cli;

use std::time::{Duration, Instant};

use crate::app::Context;
use crate::app::advice::login_again;
use crate::hub::{Hub, HubError, oauth};
use crate::model::secret::Secret;
use crate::model::text::one_line;
use crate::model::time::since;
use crate::model::token_name::TokenName;
use crate::state::TokenInfo;
use crate::state::file::StateError;
use crate::storage::parking::{Parked, Parking, RenewalAnswer};
use crate::storage::{Record, StorageError, parking};
use crate::system::clock::now;
use crate::system::files::Lock;
use crate::system::trace;

/// How long before its end a token is renewed, in seconds. Git and git-lfs ask again for every
/// operation, so it need only outlast one.
pub(crate) const MARGIN: u64 = 15 * 60;

/// How long a token that was just renewed is left alone, in seconds. Otherwise a short-lived one
/// would be due again at once.
const PAUSE: u64 = 60;

/// A renewal that fails after this time has timed out.
pub(crate) const SLOW: Duration = Duration::from_secs(2);

/// How long a renewal is not tried again after that, in seconds. Otherwise each process that waits
/// for the lock would then wait for the Hub as well.
pub(crate) const AFTER_SLOW: u64 = 30;

/// When to renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// If it is due, which is checked again under the lock.
    IfDue,
    /// In any case.
    Now,
}

/// Why a token was not renewed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewalError {
    /// It has no refresh token.
    #[error("it does not come from a browser login, so it cannot be renewed")]
    NotRenewable,
    /// The Hub no longer accepts the refresh token; the command logs in again.
    #[error("it cannot be renewed any more: run `{0}`")]
    LoginNeeded(String),
    /// It cannot be renewed any more, because a renewal was killed.
    #[error("its last renewal was interrupted and the Hub's answer is lost: run `{0}`")]
    Interrupted(String),
    /// The Hub did not answer another process a moment ago.
    #[error("it could not be renewed: the Hub did not answer just now")]
    JustTried,
    /// The Hub could not be reached.
    #[error("it could not be renewed: {0}")]
    Hub(HubError),
    /// The answer could not have been stored, so the Hub was not asked.
    #[error("it was not renewed, because the new token could not be stored: {0}")]
    NoRoom(StorageError),
    /// The token could not be read or written.
    #[error("it could not be renewed: {0}")]
    Storage(StorageError),
    /// The lock or the state could not be used.
    #[error("it could not be renewed: {0}")]
    State(String),
}

impl RenewalError {
    /// Whether only a new login helps. The user should know while the token is still valid.
    pub(crate) fn needs_login(&self) -> bool {
        matches!(self, Self::LoginNeeded(_) | Self::Interrupted(_))
    }
}

/// The result of a renewal.
#[derive(Debug)]
pub(crate) struct Renewed {
    /// The token to use now.
    pub(crate) record: Record,
    /// A warning for the user if the token could not be stored.
    pub(crate) warning: Option<String>,
}

/// A browser login, wherever it is stored. A value of this type holds the login's lock, which every
/// process takes before it changes that login.
pub(crate) trait BrowserLogin {
    /// Its name in messages.
    fn name(&self) -> String;

    /// The command that logs in again.
    fn remedy(&self) -> String;

    /// Reads the login. The record's endpoint is the one that renews it.
    fn read(&self) -> Result<Record, StorageError>;

    /// Whether it is time to renew the record.
    fn is_due(&self, record: &Record) -> bool;

    /// The storage for the Hub's answer until it has replaced the login.
    fn parking(&self) -> Box<dyn Parking + '_>;

    /// Replaces the login by the answer. Doing this twice is the same as doing it once.
    fn replace(&self, answer: &RenewalAnswer) -> Result<(), StorageError>;

    /// Records what is known about the new value, if that is stored apart from the value.
    fn note(&self, _: &Record) {}

    /// When the last renewal timed out (Unix seconds).
    fn timed_out(&self) -> Option<u64>;

    /// Records that a renewal timed out just now.
    fn remember_timeout(&self);

    /// Records that the Hub refused a renewal, if what is known is stored apart from the value.
    fn remember_refusal(&self) {}
}

/// Renews a login. A process that had to wait for the lock reads the login again and finds it
/// renewed, since a second request with the same refresh token would end the login.
///
/// # Errors
/// See [`RenewalError`]; the login is then as it was.
pub(crate) fn renew(login: &dyn BrowserLogin, when: When) -> Result<Renewed, RenewalError> {
    let mut record = login.read().map_err(RenewalError::Storage)?;
    let parking = login.parking();
    let parking = parking.as_ref();
    let mut interrupted = false;
    match parking::parked(parking).map_err(RenewalError::Storage)? {
        Parked::Answer(answer) if renews(&answer, &record) => {
            let warning = finish(login, parking, &answer)
                .err()
                .map(|error| parked_only(login, &error));
            record = answer.record;
            if warning.is_some() || when == When::Now || !login.is_due(&record) {
                return Ok(Renewed { record, warning });
            }
        }
        // The login that it renews has been replaced by another one.
        Parked::Answer(_) => parking.clear().map_err(RenewalError::Storage)?,
        Parked::Room => interrupted = true,
        Parked::Nothing => {}
    }
    let Some(refresh_token) = record.refresh_token.clone() else {
        return Err(RenewalError::NotRenewable);
    };
    if when == When::IfDue {
        if !login.is_due(&record) {
            let warning = None;
            return Ok(Renewed { record, warning });
        }
        let ago = login.timed_out().map(|at| since(at, now()));
        if ago.is_some_and(|ago| ago < AFTER_SLOW) {
            return Err(RenewalError::JustTried);
        }
    }
    parking::reserve(parking, &record).map_err(RenewalError::NoRoom)?;
    let answer = ask(login, record, &refresh_token).map_err(|error| {
        let refused = error.is_oauth("invalid_grant");
        // Reserved room without an answer means that a renewal was killed before it got one.
        if !interrupted && let Err(error) = parking.clear() {
            trace::line(|| error.to_string());
        }
        if refused {
            login.remember_refusal();
        }
        match (refused, interrupted) {
            (true, true) => RenewalError::Interrupted(login.remedy()),
            (true, false) => RenewalError::LoginNeeded(login.remedy()),
            (false, _) => RenewalError::Hub(error),
        }
    })?;
    // From here on nothing is an error: the old token is no longer valid, and this is the new one.
    let parked = parking::park(parking, &answer);
    let warning = match (finish(login, parking, &answer), parked) {
        (Ok(()), _) => None,
        (Err(error), Ok(())) => Some(parked_only(login, &error)),
        (Err(error), Err(_)) => Some(format!(
            "{} was renewed and is used now, but it cannot be stored; run `{}` afterwards: {error}",
            login.name(),
            login.remedy()
        )),
    };
    login.note(&answer.record);
    let record = answer.record;
    trace::line(|| format!("renewed {}: {}", login.name(), record.secret.hint()));
    Ok(Renewed { record, warning })
}

/// Whether a parked answer is for this login: it is to replace it, or already has.
fn renews(answer: &RenewalAnswer, record: &Record) -> bool {
    answer.renews == record.secret.fingerprint() || answer.record.secret.same_as(&record.secret)
}

fn ask(
    login: &dyn BrowserLogin,
    old: Record,
    refresh_token: &Secret,
) -> Result<RenewalAnswer, HubError> {
    let client_id = old.client_id.unwrap_or_else(oauth::client_id);
    let start = Instant::now();
    let answer = Hub::impatient(&old.endpoint).refresh(&client_id, refresh_token);
    if answer.is_err() && start.elapsed() >= SLOW {
        login.remember_timeout();
    }
    let tokens = answer?;
    let lasts = |seconds| now().saturating_add(seconds);
    Ok(RenewalAnswer {
        renews: old.secret.fingerprint(),
        record: Record {
            expires: tokens.expires_in.map(lasts),
            // Without a new refresh token in the answer, the old one stays valid.
            refresh_token: tokens.refresh_token.or(old.refresh_token),
            secret: tokens.access_token,
            endpoint: old.endpoint,
            client_id: Some(client_id),
            renewed: Some(now()),
        },
    })
}

/// Replaces the login, reads it back, and only then removes the parked answer.
fn finish(
    login: &dyn BrowserLogin,
    parking: &dyn Parking,
    answer: &RenewalAnswer,
) -> Result<(), StorageError> {
    login.replace(answer)?;
    if !login.read()?.secret.same_as(&answer.record.secret) {
        return Err(parking::not_read_back());
    }
    if let Err(error) = parking.clear() {
        trace::line(|| error.to_string());
    }
    Ok(())
}

fn parked_only(login: &dyn BrowserLogin, error: &StorageError) -> String {
    format!(
        "{} was renewed and is used now, but cannot replace the old one yet; the next command \
         tries again: {error}",
        login.name()
    )
}

/// Whether it is time to renew the record.
pub(crate) fn is_due(record: &Record, now: u64) -> bool {
    record.refresh_token.is_some() && expires_soon(record, now)
}

/// Whether the token is about to expire, or has expired.
pub(crate) fn expires_soon(record: &Record, now: u64) -> bool {
    let Some(expires) = record.expires else {
        return false;
    };
    let just_renewed = record
        .renewed
        .is_some_and(|at| at <= now && now - at < PAUSE);
    expires <= now || (expires <= now.saturating_add(MARGIN) && !just_renewed)
}

/// A token of this program's own, in one of its storages.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    context: &'a Context,
    name: &'a TokenName,
    token: TokenInfo,
    _lock: Lock,
}

impl<'a> Stored<'a> {
    /// Locks the name, and reads what is known about the token.
    ///
    /// # Errors
    /// When another process holds the lock for too long, or the token does not exist.
    pub(crate) fn lock(context: &'a Context, name: &'a TokenName) -> Result<Self, RenewalError> {
        let failed =
            |error: &dyn std::fmt::Display| RenewalError::State(one_line(&error.to_string()));
        let lock = context.lock_name(name).map_err(|e| failed(&e))?;
        let mut state = context.state_file.load().map_err(|e| failed(&e))?;
        let token = state.tokens.remove(name);
        let token = token.ok_or(RenewalError::Storage(StorageError::NotFound))?;
        Ok(Self {
            context,
            name,
            token,
            _lock: lock,
        })
    }

    /// Changes what is known about the token. A failure is ignored: the next command that reads the
    /// token corrects it.
    fn update(&self, change: impl FnOnce(&mut TokenInfo)) {
        let result = self.context.state_file.update(|state| {
            if let Some(token) = state.tokens.get_mut(self.name) {
                change(token);
            }
            Ok::<_, StateError>(())
        });
        if let Err(error) = result {
            trace::line(|| error.to_string());
        }
    }
}

impl BrowserLogin for Stored<'_> {
    fn name(&self) -> String {
        format!("token `{}`", self.name)
    }

    fn remedy(&self) -> String {
        login_again(self.name, Some(&self.token))
    }

    fn read(&self) -> Result<Record, StorageError> {
        self.context.read_stored(self.name, &self.token)
    }

    fn is_due(&self, record: &Record) -> bool {
        is_due(record, now())
    }

    fn parking(&self) -> Box<dyn Parking + '_> {
        self.context.parking(self.token.storage, self.name)
    }

    fn replace(&self, answer: &RenewalAnswer) -> Result<(), StorageError> {
        let storage = self.context.storage(self.token.storage);
        storage.write(self.name, &answer.record)
    }

    fn note(&self, record: &Record) {
        self.context.clear_rejection(record);
        self.update(|token| {
            token.replace_value(record.secret.fingerprint(), record.secret.hint());
            token.expires = record.expires;
            token.renewal_failed = None;
            token.renewal_refused = false;
        });
    }

    fn timed_out(&self) -> Option<u64> {
        self.token.renewal_failed
    }

    fn remember_timeout(&self) {
        self.update(|token| token.renewal_failed = Some(now()));
    }

    fn remember_refusal(&self) {
        self.update(|token| token.renewal_refused = true);
    }
}

/// Renews a token of this program's own.
pub(crate) fn renew_stored(
    context: &Context,
    name: &TokenName,
    when: When,
) -> Result<Renewed, RenewalError> {
    renew(&Stored::lock(context, name)?, when)
}

/// Finishes an interrupted renewal without asking the Hub: an answer that is still parked replaces
/// the token. Before a token is copied or revoked, it must be the valid one.
///
/// # Errors
/// When the token or the answer cannot be read or written.
pub(crate) fn settle(context: &Context, name: &TokenName) -> Result<(), RenewalError> {
    let login = Stored::lock(context, name)?;
    let parking = login.parking();
    let parking = parking.as_ref();
    let parked = parking::parked(parking).map_err(RenewalError::Storage)?;
    let Parked::Answer(answer) = parked else {
        return Ok(());
    };
    let record = login.read().map_err(RenewalError::Storage)?;
    if renews(&answer, &record) {
        finish(&login, parking, &answer).map_err(RenewalError::Storage)?;
        login.note(&answer.record);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;

    #[test]
    fn due_when_little_time_is_left_and_it_can_be_renewed() {
        let secret = |text: &str| Secret::exact(text).unwrap();
        let record = |expires, refresh: Option<&str>| Record {
            expires,
            refresh_token: refresh.map(secret),
            ..Record::new(secret("x"), Endpoint::hugging_face())
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
