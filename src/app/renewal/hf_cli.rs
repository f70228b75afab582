//! Renews the hf CLI's browser login when the hf CLI would, under the same lock and in the same
//! files, so that only one of the two does it: a second request with a used refresh token would end
//! the login.

use std::path::Path;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::app::advice::HF_LOGIN_AGAIN;
use crate::app::renewal::{BrowserLogin, RenewalError, When};
use crate::app::{Context, renewal};
use crate::hf_cli::{Files, HfCli, HfToken, Section, Which};
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;
use crate::state::file::StateError;
use crate::storage::parking::{Parking, RenewalAnswer};
use crate::storage::{Record, StorageError};
use crate::system::clock::now;
use crate::system::files::{Lock, real_path, write_whole};
use crate::system::sharing::patiently;
use crate::system::trace;

/// How long before its end a token is renewed, in seconds (`_OAUTH_REFRESH_MARGIN` in
/// `huggingface_hub`).
pub(crate) const MARGIN: u64 = 24 * 60 * 60;

/// How long a file that was just written is left alone, in seconds. Otherwise a token that lives
/// shorter than the margin would be renewed for every request. The hf CLI uses the same time.
const PAUSE: u64 = 5 * 60;

/// How long to wait for the hf CLI's lock: longer than a renewal's request can take.
const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// Whether it is time to renew a token; its file was written `written` seconds ago.
pub(crate) fn is_due(token: &HfToken, now: u64, written: Option<u64>) -> bool {
    let (Some(expires), true) = (token.expires, token.refresh_token.is_some()) else {
        return false;
    };
    let just_written = written.is_some_and(|ago| ago < PAUSE);
    expires <= now || (expires <= now.saturating_add(MARGIN) && !just_written)
}

/// How many seconds ago the tokens were written; `None` if there are none. To be asked before a token
/// is read: a file that another process has renewed since then would make the old token look new.
pub(crate) fn written(hf: &HfCli) -> Option<u64> {
    age(&hf.files()?.stored_tokens)
}

/// Whether a token is to be renewed: it is time, or an earlier renewal was interrupted. `written` is
/// from [`written`].
pub(crate) fn is_due_now(hf: &HfCli, token: &HfToken, written: Option<u64>) -> bool {
    let (Some(files), Some(name), Some(_)) = (hf.files(), &token.name, &token.refresh_token) else {
        return false;
    };
    is_due(token, now(), written) || files.answer_for(name).is_some()
}

fn age(path: &Path) -> Option<u64> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(written).ok()?;
    Some(age.as_secs())
}

/// A login in the hf CLI's files.
struct Login<'a> {
    context: &'a Context,
    endpoint: &'a Endpoint,
    files: &'a Files,
    name: &'a str,
    _lock: Lock,
}

/// Renews a token that was just read. If another process has renewed it since, that result is used.
/// The warning is for the user.
pub(crate) fn renew(
    context: &Context,
    endpoint: &Endpoint,
    token: &HfToken,
) -> Result<(HfToken, Option<String>), RenewalError> {
    let files = context.hf_cli().files();
    let files = files.ok_or(RenewalError::NotRenewable)?;
    let name = token.name.as_deref().ok_or(RenewalError::NotRenewable)?;
    let lock = Lock::acquire(&files.lock(), LOCK_DEADLINE)
        .map_err(|error| RenewalError::State(error.to_string()))?;
    let login = Login {
        context,
        endpoint,
        files,
        name,
        _lock: lock,
    };
    let renewed = renewal::renew(&login, When::IfDue)?;
    if let Err(error) = remove_orphans(context.hf_cli()) {
        trace::line(|| error.to_string());
    }
    Ok((token_of(name, &renewed.record), renewed.warning))
}

/// Removes the answers of interrupted renewals whose login is gone, since they contain a token that
/// may still be valid.
///
/// # Errors
/// When it is not known which logins there are, or a file cannot be removed.
pub(crate) fn sweep(context: &Context) -> Result<(), StorageError> {
    let hf = context.hf_cli();
    let (Some(files), false) = (hf.files(), hf.orphaned_answers()?.is_empty()) else {
        return Ok(());
    };
    let _lock = Lock::acquire(&files.lock(), LOCK_DEADLINE)
        .map_err(|error| StorageError::Unavailable(error.to_string()))?;
    remove_orphans(hf)
}

/// The caller holds the lock, so no renewal is about to write one.
fn remove_orphans(hf: &HfCli) -> Result<(), StorageError> {
    for path in hf.orphaned_answers()? {
        let removed = patiently(|| std::fs::remove_file(&path));
        removed.map_err(|error| {
            StorageError::Unavailable(format!("cannot remove {}: {error}", path.display()))
        })?;
    }
    Ok(())
}

fn token_of(name: &str, record: &Record) -> HfToken {
    HfToken {
        secret: record.secret.clone(),
        name: Some(name.to_owned()),
        expires: record.expires,
        refresh_token: record.refresh_token.clone(),
    }
}

impl BrowserLogin for Login<'_> {
    fn name(&self) -> String {
        format!("the hf CLI's token `{}`", self.name)
    }

    fn remedy(&self) -> String {
        HF_LOGIN_AGAIN.to_owned()
    }

    fn read(&self) -> Result<Record, StorageError> {
        let token = self.context.hf_cli().read(Which::Named(self.name))?;
        Ok(Record {
            expires: token.expires,
            refresh_token: token.refresh_token,
            ..Record::new(token.secret, self.endpoint.clone())
        })
    }

    fn is_due(&self, record: &Record) -> bool {
        let token = token_of(self.name, record);
        is_due(&token, now(), age(&self.files.stored_tokens))
    }

    fn parking(&self) -> Box<dyn Parking + '_> {
        Box::new(self.files.parking(self.name))
    }

    /// `stored_tokens` first: should this process die in between, the hf CLI has the new refresh
    /// token, and the parked answer says which active token it replaces.
    fn replace(&self, answer: &RenewalAnswer) -> Result<(), StorageError> {
        let hf = self.context.hf_cli();
        let mut stored = hf.stored()?;
        stored.set(section(&token_of(self.name, &answer.record)));
        rewrite(&self.files.stored_tokens, &stored.to_text())?;
        // Unless the user has switched to another login since.
        let active = hf.active_value()?;
        if active.is_some_and(|active| active.fingerprint() == answer.renews) {
            rewrite(&self.files.token, answer.record.secret.expose())?;
        }
        Ok(())
    }

    fn timed_out(&self) -> Option<u64> {
        self.context.state_file.load().ok()?.hf_renewal_failed
    }

    fn remember_timeout(&self) {
        let result = self.context.state_file.update(|state| {
            state.hf_renewal_failed = Some(now());
            Ok::<_, StateError>(())
        });
        if let Err(error) = result {
            trace::line(|| error.to_string());
        }
    }
}

fn section(token: &HfToken) -> Section {
    let secret = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
    let expires = token.expires.map(|at| Zeroizing::new(at.to_string()));
    let fields = [
        ("hf_token", Some(secret(&token.secret))),
        ("refresh_token", token.refresh_token.as_ref().map(secret)),
        ("expires_at", expires),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let name = token.name.as_deref().unwrap_or_default();
    Section::new(name, fields.collect())
}

/// Replaces a file, or the target of a link, in one step: readers do not lock it, and must not see
/// half of it.
fn rewrite(path: &Path, text: &str) -> Result<(), StorageError> {
    let fail =
        |error: std::io::Error| StorageError::Unavailable(format!("{}: {error}", path.display()));
    // A link of another user is not followed: it could lead to any of this user's files.
    let path = real_path(path).map_err(fail)?;
    write_whole(&path, text.as_bytes(), None).map_err(fail)
}
