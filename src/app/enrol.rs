//! Verifies a new token with the Hub, stores it and describes it, for `login`, `rename` and `import`.

use crate::app::Context;
use crate::config::edit::{Change, edit};
use crate::hub::{Hub, HubError};
use crate::model::endpoint::Endpoint;
use crate::model::permissions::{Facts, Role};
use crate::model::secret::Secret;
use crate::model::text;
use crate::model::token_name::TokenName;
use crate::state::{Origin, State, TokenInfo};
use crate::storage::{Record, StorageError, StorageKind};
use crate::system::clock;
use crate::terminal;
use crate::terminal::{Column, Cut, Failure, Screen, Table};
use anyhow::Result;

/// Asks the Hub whose token this is.
///
/// # Errors
/// When the Hub does not accept the token, or cannot be reached.
pub(crate) fn verify(hub: &Hub, secret: &Secret) -> Result<Facts> {
    Ok(ask(hub, secret).map_err(|error| unverified(hub, secret, error))?)
}

/// Asks the Hub whose token this is; the caller decides by the kind of error.
///
/// # Errors
/// When the Hub does not accept the token, or cannot be reached.
pub(crate) fn ask(hub: &Hub, secret: &Secret) -> Result<Facts, HubError> {
    Ok(Facts {
        verified: clock::now(),
        ..hub.whoami(secret)?
    })
}

/// How to store a token.
pub(crate) struct Keeping<'a> {
    /// The storage, if not the configured one.
    pub(crate) storage: Option<StorageKind>,
    /// Whether the storage becomes the configured one.
    pub(crate) remember: bool,
    /// The command to run again with another `--storage`.
    pub(crate) again: &'a str,
    /// Checks whether the name may be used, while the state is locked.
    pub(crate) check: &'a dyn Fn(&State) -> Result<()>,
}

/// Stores a secret in the storage that was asked for. Without a keyring, the file storage is used
/// only if the user says so, at the prompt or with `--storage`.
///
/// # Errors
/// When the secret is not stored anywhere.
pub(crate) fn keep(
    context: &Context,
    keeping: Keeping<'_>,
    name: &TokenName,
    record: &Record,
    facts: Option<&Facts>,
) -> Result<StorageKind> {
    let chosen = keeping.storage.or(context.config.storage);
    let kind = chosen.unwrap_or(StorageKind::Keyring);
    match try_keep(context, &keeping, name, record, facts, kind) {
        Ok(()) => {
            if keeping.remember && context.config.storage != Some(kind) {
                edit(&context.paths.config(), &[Change::SetStorage(kind)])?;
            }
            Ok(kind)
        }
        Err(error)
            if is_too_long(&error) && record.refresh_token.is_some() && !terminal::can_ask() =>
        {
            // The Hub has already issued this token, and there may be nobody to log in again.
            try_keep(context, &keeping, name, record, facts, StorageKind::File)?;
            terminal::tell(&format!(
                "{error}; it is stored in a file instead, which is not encrypted"
            ));
            Ok(StorageKind::File)
        }
        Err(error) if kind == StorageKind::Keyring && needs_another_storage(&error) => {
            if !terminal::confirm(&file_instead(context, &error)) {
                let what = format!("`{name}` was not stored");
                return Err(no_keyring(&what, &error, keeping.again).into());
            }
            try_keep(context, &keeping, name, record, facts, StorageKind::File)?;
            // The next token may be short enough for the keyring again.
            if !is_too_long(&error) {
                let change = Change::SetStorage(StorageKind::File);
                edit(&context.paths.config(), &[change])?;
            }
            Ok(StorageKind::File)
        }
        Err(error) => Err(error.context(format!("`{name}` was not stored"))),
    }
}

/// Returns the storage for a new token, after checking that it can be used. This happens before
/// the user is asked for the token. Without a keyring, the user may choose the file storage here.
///
/// # Errors
/// When the storage cannot be used.
pub(crate) fn usable_storage(
    context: &Context,
    asked_for: Option<StorageKind>,
    again: &str,
    name: Option<&TokenName>,
) -> Result<StorageKind> {
    let chosen = asked_for.or(context.config.storage);
    let kind = chosen.unwrap_or(StorageKind::Keyring);
    let Err(error) = context.storage(kind).check() else {
        return Ok(kind);
    };
    let error = anyhow::Error::from(error);
    let what = match name {
        Some(name) => format!("`{name}` was not stored"),
        None => "no token can be stored".to_owned(),
    };
    if kind != StorageKind::Keyring || !needs_another_storage(&error) {
        return Err(error.context(what));
    }
    if terminal::confirm(&file_instead(context, &error)) {
        return Ok(StorageKind::File);
    }
    Err(no_keyring(&what, &error, again).into())
}

/// The question that is asked if there is no keyring.
fn file_instead(context: &Context, error: &anyhow::Error) -> String {
    format!(
        "{error}\nStore the token in a file instead? Only you can read it ({}), but it is not encrypted.",
        context.paths.tokens().display()
    )
}

/// The error if there is no keyring and no other storage was chosen.
fn no_keyring(what: &str, error: &anyhow::Error, again: &str) -> Failure {
    let mut failure = Failure::new(format!("{what}: {error}"));
    if !is_too_long(error) {
        failure = failure.help("start or unlock the keyring, and try again");
    }
    failure
        .help(format!(
            "or store it in a file that only you can read, but that is not encrypted: {again} --storage file"
        ))
        .help("or set HF_TOKEN, which needs no storage")
}

/// Whether a storage is unavailable, or cannot hold a token of this length.
fn needs_another_storage(error: &anyhow::Error) -> bool {
    is_too_long(error)
        || matches!(
            error.downcast_ref(),
            Some(StorageError::Unavailable(_) | StorageError::BrokeOff(_))
        )
}

fn is_too_long(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StorageError::TooLong(_)))
}

fn try_keep(
    context: &Context,
    keeping: &Keeping<'_>,
    name: &TokenName,
    record: &Record,
    facts: Option<&Facts>,
    storage: StorageKind,
) -> Result<()> {
    let token = TokenInfo {
        account: facts.map(|facts| facts.account.clone()),
        expires: record
            .expires
            .or_else(|| facts.and_then(|facts| facts.expires)),
        facts: facts.cloned(),
        ..TokenInfo::of(record, storage, Origin::Login, clock::now())
    };
    context.keep(name, token, record, keeping.check)
}

/// Describes what the Hub says about a token.
pub(crate) fn described(facts: &Facts, endpoint: &Endpoint) -> String {
    let mut text = format!("{}\n", text::one_line(&facts.summary()));
    if let Some(at) = facts.expires {
        text.push_str(&format!("expires on {}\n", crate::model::time::day(at)));
    }
    let rows = facts.table();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&rights(&rows, Screen::stdout()));
        text.push('\n');
    } else if facts.role == Role::FineGrained {
        text.push_str(&format!(
            "it has no scopes, so it may not do anything yet: edit it at {}\n",
            endpoint.tokens_page()
        ));
    }
    text
}

/// A table of what a token may do where. Long cells are wrapped, not shortened, since all of it
/// matters.
fn rights(rows: &[(String, String)], screen: Screen) -> String {
    const WIDEST_PLACE: usize = 32;
    let places = rows.iter().map(|(place, _)| terminal::width::of(place));
    let used = places.max().unwrap_or(0).clamp(5, WIDEST_PLACE) + 2;
    let narrow = Screen {
        width: screen.width.map(|width| width.saturating_sub(used).max(24)),
        ..screen
    };
    let mut table = Table::new([
        Column::new("WHERE").shorten(WIDEST_PLACE, Cut::Middle),
        Column::new("WHAT IT MAY DO"),
    ]);
    for (place, what) in rows {
        let what = narrow.wrap(&text::one_line(what), 0, 0);
        for (nth, line) in what.lines().enumerate() {
            let place = if nth == 0 { place.as_str() } else { "" };
            table.row([place.into(), line.into()]);
        }
    }
    table.render(screen)
}

/// The error for a token that could not be verified.
pub(crate) fn unverified(hub: &Hub, secret: &Secret, error: HubError) -> Failure {
    let host = hub.endpoint().authority();
    let hint = secret.hint();
    match error {
        HubError::Rejected => Failure::new(format!("{host} does not accept this token ({hint})"))
            .help(format!(
                "check that it was copied completely and is still listed at {}",
                hub.endpoint().tokens_page()
            ))
            .help(format!(
                "create a new one: {}",
                hub.endpoint().new_token_page()
            )),
        HubError::Forbidden(why) => Failure::new(format!(
            "{host} does not say whose token this is ({hint}): {why}"
        ))
        .help("to store it anyway: add --no-verify"),
        error => Failure::new(format!("the token ({hint}) could not be verified: {error}"))
            .help("to store it without asking the Hub: add --no-verify"),
    }
}
