//! The hf CLI's browser login is renewed as the hf CLI does it: at the same time, under the same
//! lock, in the same files. Whichever of the two comes first, the other finds its result; a second
//! request with a refresh token that was replaced would end the login.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use zeroize::Zeroizing;

use super::{Files, HfCli, HfToken, Section, Which};
use crate::app::Context;
use crate::app::renewal::AFTER_SLOW;
use crate::app::renewal::RenewalError;
use crate::app::renewal::SLOW;
use crate::hub::Hub;
use crate::hub::HubError;
use crate::hub::oauth;
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;
use crate::model::time::since;
use crate::state::file::StateError;
use crate::storage::StorageError;
use crate::system::clock::now;
use crate::system::files::Lock;
use crate::system::files::write_whole;
use crate::system::trace;

/// How long before its end a token is renewed, in seconds (`_OAUTH_REFRESH_MARGIN` in
/// `huggingface_hub`).
pub const MARGIN: u64 = 24 * 60 * 60;

/// For how long a file that was just written is left alone, in seconds: a token whose whole life
/// is shorter than the margin would otherwise be renewed for every request. The hf CLI looks
/// again after the same time.
const PAUSE: u64 = 5 * 60;

/// How long to wait for the hf CLI's lock; longer than a renewal's request can take.
const LOCK_DEADLINE: Duration = Duration::from_secs(30);

/// Whether it is time to renew a token; `written` is how long ago its file was, in seconds.
#[must_use]
pub fn is_due(token: &HfToken, now: u64, written: Option<u64>) -> bool {
    let (Some(expires), true) = (token.expires, token.refresh_token.is_some()) else {
        return false;
    };
    let just_written = written.is_some_and(|ago| ago < PAUSE);
    expires <= now || (expires <= now.saturating_add(MARGIN) && !just_written)
}

/// Whether it is time to renew a token, as its file stands.
#[must_use]
pub fn is_due_now(hf: &HfCli, token: &HfToken) -> bool {
    // Only what a browser login left is worth a look at the file.
    token.refresh_token.is_some()
        && is_due(token, now(), hf.files().and_then(|f| age(&f.stored_tokens)))
}

fn age(path: &Path) -> Option<u64> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    let age = SystemTime::now().duration_since(written).ok()?;
    Some(age.as_secs())
}

/// Renews the token that was read a moment ago, under the hf CLI's lock. If another process has
/// renewed it meanwhile, its result is taken.
///
/// # Errors
/// See [`RenewalError`]; the files are then as they were.
pub fn renew(
    context: &Context,
    endpoint: &Endpoint,
    token: &HfToken,
) -> Result<HfToken, RenewalError> {
    let hf = context.hf_cli();
    let files = hf.files().ok_or(RenewalError::NotRenewable)?;
    let name = token.name.as_deref().ok_or(RenewalError::NotRenewable)?;
    let _lock = Lock::acquire(&files.lock(), LOCK_DEADLINE)
        .map_err(|error| RenewalError::State(error.to_string()))?;
    let read = |which| hf.read(which).map_err(RenewalError::Storage);
    let under_lock = read(Which::Named(name))?;
    if !under_lock.secret.same_as(&token.secret) {
        return Ok(under_lock);
    }
    let refresh_token = under_lock.refresh_token.ok_or(RenewalError::NotRenewable)?;
    // All who wait for the lock would wait for a Hub that does not answer, too.
    let failed = context.state_file.load().ok();
    let failed = failed.and_then(|state| state.hf_renewal_failed);
    if failed.is_some_and(|at| since(at, now()) < AFTER_SLOW) {
        return Err(RenewalError::JustTried);
    }
    let start = Instant::now();
    let answer = Hub::impatient(endpoint).refresh(&oauth::client_id(), &refresh_token);
    if answer.is_err() && start.elapsed() >= SLOW {
        remember_slow(context);
    }
    let tokens = answer.map_err(|error| match error {
        HubError::OAuth(code) if code == "invalid_grant" => RenewalError::HfLoginNeeded,
        error => RenewalError::Hub(error),
    })?;
    let renewed = HfToken {
        expires: tokens.expires_in.map(|s| now().saturating_add(s)),
        refresh_token: Some(tokens.refresh_token.clone().unwrap_or(refresh_token)),
        secret: tokens.access_token.clone(),
        name: Some(name.to_owned()),
    };
    write(hf, files, token, &renewed)
        .map_err(|error| RenewalError::State(format!("the hf CLI's files: {error}")))?;
    trace::line(|| format!("renewed the hf CLI's token: {}", renewed.secret.hint()));
    Ok(renewed)
}

/// Not worth an error of its own.
fn remember_slow(context: &Context) {
    let result = context.state_file.update(|state| {
        state.hf_renewal_failed = Some(now());
        Ok::<_, StateError>(())
    });
    if let Err(error) = result {
        trace::line(|| error.to_string());
    }
}

/// `stored_tokens` first: should this process die in between, the hf CLI still has the refresh
/// token, and its active token only looks older than it is.
fn write(hf: &HfCli, files: &Files, old: &HfToken, renewed: &HfToken) -> Result<(), StorageError> {
    let mut stored = hf.stored()?;
    stored.set(section(renewed));
    rewrite(&files.stored_tokens, &stored.to_text())?;
    // Unless somebody has switched to another one meanwhile.
    let active = hf.active_value()?;
    if active.is_some_and(|active| active.same_as(&old.secret)) {
        rewrite(&files.token, renewed.secret.expose())?;
    }
    Ok(())
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

/// Replaces a file whole, where its link leads to: readers hold no lock, and must not find half.
fn rewrite(path: &Path, text: &str) -> Result<(), StorageError> {
    let fail =
        |error: std::io::Error| StorageError::Unavailable(format!("{}: {error}", path.display()));
    let path = std::fs::canonicalize(path).map_err(fail)?;
    write_whole(&path, text.as_bytes(), None).map_err(fail)
}
