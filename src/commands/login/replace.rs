//! Says which token a login replaces, and under which other names the value is stored.

use anyhow::Result;

use crate::app::Context;
use crate::model::secret::TokenKind;
use crate::model::token_name::TokenName;
use crate::state::{Eligibility, State, TokenInfo};
use crate::storage::Record;
use crate::system::clock;
use crate::terminal;
use crate::terminal::Failure;

/// Asks before a working token is replaced.
///
/// # Errors
/// When the answer is no, or the state cannot be read.
pub(crate) fn may_replace(context: &Context, name: &TokenName) -> Result<()> {
    let state = context.state_file.load()?;
    let Some(token) = state.tokens.get(name) else {
        return Ok(());
    };
    let now = clock::now();
    let good = state.eligibility(&token.endpoint, &token.fingerprint, now) == Eligibility::Good
        && token.expires.is_none_or(|at| at > now);
    let question = format!(
        "There is a token `{name}` already ({}). Replace it?",
        about(token)
    );
    if !good || !terminal::can_ask() || terminal::confirm(&question) {
        return Ok(());
    }
    Err(Failure::new(format!("`{name}` was not replaced"))
        .help("choose another name: git credential-hf login NAME")
        .into())
}

/// Describes a stored token.
fn about(token: &TokenInfo) -> String {
    match token
        .account
        .as_deref()
        .filter(|account| !account.is_empty())
    {
        Some(account) => format!("{}, account {account}", token.hint),
        None => token.hint.clone(),
    }
}

/// Says which token had the name before, and which other names have the same value.
pub(crate) fn beside(before: &State, name: &TokenName, record: &Record) -> String {
    let value = record.secret.fingerprint();
    let mut text = String::new();
    if let Some(old) = before
        .tokens
        .get(name)
        .filter(|old| old.fingerprint != value)
    {
        text.push_str(&format!(
            "it replaces the token that was there before ({})\n",
            about(old)
        ));
    }
    // Other values have fingerprints that are too short to tell them apart.
    let same = before.tokens.iter().filter(|(other, token)| {
        *other != name
            && token.fingerprint == value
            && token.endpoint == record.endpoint
            && record.secret.kind() != TokenKind::Other
    });
    let same: Vec<String> = same.map(|(other, _)| format!("`{other}`")).collect();
    if !same.is_empty() {
        text.push_str(&format!(
            "the same token is also stored as {}\n",
            same.join(", ")
        ));
    }
    text
}
