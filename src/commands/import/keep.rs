//! Stores the tokens that were found, and reads them back.

use anyhow::{Context as _, Result};

use super::report::Report;
use super::{Args, Fate, Token};
use crate::app::Context;
use crate::app::enrol::{Keeping, keep, verify};
use crate::app::naming::{fit_name, is_in_use, numbered};
use crate::hub::Hub;
use crate::model::permissions::Facts;
use crate::model::text;
use crate::model::token_name::TokenName;
use crate::selection::is_generic;
use crate::state::{Origin, State};
use crate::storage::{Record, StorageError, StorageKind};
use crate::terminal;
use crate::terminal::Progress;

/// Stores the tokens that are not stored yet, and reads all of them back.
///
/// # Errors
/// When stdout fails. A token that cannot be stored is reported, and stays where it is.
pub(crate) fn all(
    context: &Context,
    import: &Args,
    name: Option<&TokenName>,
    report: &mut Report<'_>,
) -> Result<()> {
    let mut storage = import.storage;
    let mut broken = false;
    let mut progress = Progress::begin();
    for at in 0..report.tokens.len() {
        let Some(token) = report.tokens.get(at) else {
            break;
        };
        let hint = token.secret.hint();
        progress.show(&format!("{} of {}: {hint}", at + 1, report.tokens.len()));
        let fate = if broken {
            Err(anyhow::anyhow!("the storage cannot be used"))
        } else {
            one(context, import, name, storage, token)
        };
        progress.clear();
        let fate = fate.unwrap_or_else(|error| {
            if !broken {
                terminal::print_error(&error);
            }
            // A storage that fails once will fail for the next token too.
            broken |= !error.is::<NotVerified>();
            Fate::Failed(text::one_line(&format!("{error:#}")))
        });
        if let Fate::Kept(_, kind, _) = &fate {
            storage = Some(*kind);
        }
        if let Some(token) = report.tokens.get_mut(at) {
            token.fate = fate;
        }
        report.kept(at)?;
    }
    Ok(())
}

/// The Hub does not accept this token, or cannot be reached. The next token may work.
#[derive(Debug, thiserror::Error)]
#[error("{0} was not moved")]
struct NotVerified(String);

/// Whether a value is stored here.
enum Known {
    No,
    /// It was read back.
    Whole(TokenName),
    /// It is listed, but a kill came before its secret was stored.
    Listed(TokenName, StorageKind),
}

fn known(context: &Context, state: &State, token: &Token) -> Result<Known> {
    let value = token.secret.fingerprint();
    for (name, info) in &state.tokens {
        // What git's `store` saved does not count: git may have it erased.
        let named = info.origin == Origin::Login;
        if !named || info.endpoint != token.endpoint || info.fingerprint != value {
            continue;
        }
        match context.read_stored(name, info) {
            Ok(record) if record.secret.same_as(&token.secret) => {
                return Ok(Known::Whole(name.clone()));
            }
            // Another value is stored there, or a password with the same short fingerprint.
            Ok(_) | Err(StorageError::AnotherValue(_)) => {}
            Err(StorageError::NotFound) => {
                return Ok(Known::Listed(name.clone(), info.storage));
            }
            Err(error) => {
                let what = format!("`{name}` is already stored, but cannot be read back");
                return Err(anyhow::Error::from(error).context(what));
            }
        }
    }
    Ok(Known::No)
}

fn one(
    context: &Context,
    import: &Args,
    name: Option<&TokenName>,
    storage: Option<StorageKind>,
    token: &Token,
) -> Result<Fate> {
    let state = context.state_file.load()?;
    let known = known(context, &state, token)?;
    if let Known::Whole(name) = known {
        return Ok(Fate::Known(name));
    }
    let facts = if import.no_verify {
        None
    } else {
        let asked = verify(&Hub::new(&token.endpoint), &token.secret);
        Some(asked.map_err(|error| {
            let hint = token.secret.hint();
            error.context(NotVerified(hint))
        })?)
    };
    let (name, storage) = match known {
        Known::Listed(name, storage) => (name, Some(storage)),
        _ => (
            free_name(context, &state, name, facts.as_ref(), token)?,
            storage,
        ),
    };
    let record = Record::new(token.secret.clone(), token.endpoint.clone());
    let value = token.secret.fingerprint();
    let keeping = Keeping {
        storage,
        remember: import.storage == storage && storage.is_some(),
        again: "git credential-hf import",
        check: &|state| {
            // Another process may have used the name meanwhile. Its token is not replaced.
            let taken = state.tokens.get(&name);
            if taken.is_some_and(|it| it.fingerprint != value || it.endpoint != token.endpoint) {
                return Err(terminal::Failure::new(format!(
                    "there is another token called `{name}`"
                ))
                .help("run it again")
                .into());
            }
            Ok(())
        },
    };
    let kind = keep(context, keeping, &name, &record, facts.as_ref())?;
    let read = context.storage(kind).read(&name);
    let read = read.with_context(|| format!("`{name}` cannot be read back"))?;
    if !read.secret.same_as(&token.secret) || read.endpoint != token.endpoint {
        return Err(terminal::Failure::new(format!(
            "`{name}` was read back with a different value"
        ))
        .into());
    }
    Ok(Fate::Kept(name, kind, facts.map(Box::new)))
}

/// A free name: the given one, which rules may already refer to; the name on the Hub; or the name in the
/// place where it was found, with a number if needed.
fn free_name(
    context: &Context,
    state: &State,
    given: Option<&TokenName>,
    facts: Option<&Facts>,
    token: &Token,
) -> Result<TokenName> {
    let taken = |name: &TokenName| {
        state.tokens.contains_key(name) || context.config.commands.contains_key(name)
    };
    if let Some(name) = given {
        if taken(name) {
            return Err(
                terminal::Failure::new(format!("there is another token called `{name}`"))
                    .help("choose another name with --name")
                    .into(),
            );
        }
        return Ok(name.clone());
    }
    let on_the_hub = facts.iter().flat_map(|facts| {
        [facts.display_name.as_deref(), Some(facts.account.as_str())]
            .into_iter()
            .flatten()
    });
    let there = token
        .copies
        .iter()
        .filter_map(|copy| copy.found.name.as_deref());
    let there = there.filter(|name| !is_generic(name));
    let mut wanted = on_the_hub.chain(there).filter_map(fit_name);
    let wanted = wanted
        .next()
        .unwrap_or_else(|| TokenName::existing("imported"));
    numbered(wanted, |name| taken(name) || is_in_use(context, name))
}
