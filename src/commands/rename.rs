//! `rename`: gives a token another name, also in the configuration. This turns what git saved into a
//! token like any other, once the Hub has verified it.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::app::{Context, enrol, lookup, renewal};
use crate::config::Config;
use crate::config::edit::{Change, edit};
use crate::hub::Hub;
use crate::model::operation::Operation;
use crate::model::permissions::Facts;
use crate::model::text::shell_quoted;
use crate::model::token_name::TokenName;
use crate::state::{Origin, State, TokenInfo};
use crate::storage::Record;
use crate::terminal::{Failure, print, print_json};

/// The arguments of `rename`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Rename a token, also in the rules that name it",
    long_about = "\
Renames a token, and changes the rules and the default that name it. A token that git saved when
you typed it at git's prompt (`git:..` in `list`) becomes a token like any other in this way, once the
Hub has said which account it belongs to and what it may do.",
    after_help = "\
Examples:
  git credential-hf rename work acme-write
  git credential-hf rename git:alice@huggingface.co/acme/x acme"
)]
pub(crate) struct Args {
    /// The token's name
    pub(crate) old: String,
    /// Its new name
    #[arg(value_parser = TokenName::parse)]
    pub(crate) new: TokenName,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Renames one token.
///
/// # Errors
/// When the token does not exist, the new name is taken, or the Hub does not accept a token that git
/// saved. Nothing is changed then.
pub(crate) fn run(rename: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let (old, new) = (TokenName::existing(&rename.old), &rename.new);
    if context.state_file.load()?.tokens.contains_key(&old) {
        // The answer of an interrupted renewal is parked under the old name, and would be lost.
        renewal::settle(&context, &old).with_context(|| format!("`{old}` cannot be read"))?;
    }
    // No other process may change the secret until it has moved, or a renewal would be lost.
    let _lock = context.lock_name(&old)?;
    let state = context.state_file.load()?;
    let Some(token) = state.tokens.get(&old) else {
        return Err(lookup::no_such_token(&context, &state, &rename.old).into());
    };
    may_take(&context, &state, token, &old, new)?;
    let record = context
        .read_stored(&old, token)
        .with_context(|| format!("`{old}` cannot be read"))?;
    let facts = match token.origin {
        Origin::Login => None,
        Origin::Git => Some(enrol::verify(&Hub::new(&token.endpoint), &record.secret)?),
    };
    // First the copy is made, then the rules are changed, then the old token is removed. A kill in
    // between leaves a token for every rule, and the same command again does the rest.
    copy(&context, &state, token, &record, facts.as_ref(), &old, new)?;
    if let Err(error) = move_rules(&context, &old, new) {
        // If the configuration cannot be written, the copy is removed again. A copy that a killed
        // rename left behind stays, since rules may already name it.
        if !state.tokens.contains_key(new)
            && let Some(copy) = context.state_file.load()?.tokens.get(new)
        {
            context.forget(new, copy)?;
        }
        return Err(error);
    }
    context
        .forget_locked(&old, token)
        .with_context(|| format!("`{new}` was stored, but `{old}` could not be removed"))?;
    if rename.json {
        return print_json(&json!({
            "version": 1,
            "name": new,
            "was": old,
            "facts": facts,
        }));
    }
    print(&format!("renamed `{old}` to `{new}`\n"))?;
    facts.map_or(Ok(()), |facts| {
        print(&enrol::described(&facts, &token.endpoint))
    })
}

/// Checks that the new name is free, or is that of the copy which a killed rename made.
fn may_take(
    context: &Context,
    state: &State,
    token: &TokenInfo,
    old: &TokenName,
    new: &TokenName,
) -> Result<()> {
    let is_copy = |other: &TokenInfo| {
        other.endpoint == token.endpoint && other.fingerprint == token.fingerprint
    };
    let is_other = state.tokens.get(new).is_some_and(|other| !is_copy(other));
    if old == new {
        return Err(Failure::new(format!("`{old}` already has this name")).into());
    }
    if context.config.commands.contains_key(new) {
        let config = context.paths.config();
        let taken = format!(
            "`{new}` is an entry below [commands] in {}",
            config.display()
        );
        return Err(Failure::new(taken).help("choose another name").into());
    }
    if is_other {
        return Err(
            Failure::new(format!("a token called `{new}` already exists"))
                .help(format!(
                    "choose another name, or remove that one first: git credential-hf logout {}",
                    shell_quoted(new.as_str())
                ))
                .into(),
        );
    }
    Ok(())
}

fn copy(
    context: &Context,
    state: &State,
    token: &TokenInfo,
    record: &Record,
    facts: Option<&Facts>,
    old: &TokenName,
    new: &TokenName,
) -> Result<()> {
    let facts = facts.or(token.facts.as_ref());
    let copy = TokenInfo {
        origin: Origin::Login,
        account: facts
            .map(|facts| facts.account.clone())
            .or_else(|| token.account.clone()),
        username: None,
        path: None,
        expires: record
            .expires
            .or(token.expires)
            .or_else(|| facts.and_then(|facts| facts.expires)),
        facts: facts.cloned(),
        ..token.clone()
    };
    let rejected = state.rejected_at(&token.endpoint, &token.fingerprint);
    context.keep(new, copy, record, |state| {
        let token = state.tokens.get(old).cloned();
        let token = token.with_context(|| format!("`{old}` no longer exists"))?;
        may_take(context, state, &token, old, new)
    })?;
    // A new name does not clear a rejection, but the Hub's answer does.
    if let Some(at) = rejected.filter(|_| token.origin == Origin::Login) {
        let file = &context.state_file;
        file.reject(&token.endpoint, &token.fingerprint, at)?;
    }
    Ok(())
}

/// Changes the name wherever the configuration refers to it.
fn move_rules(context: &Context, old: &TokenName, new: &TokenName) -> Result<()> {
    // The Hub took a while to answer. A rule that was changed meanwhile must not be changed back.
    let config = Config::load(&context.paths.config())?;
    let mut changes: Vec<Change<'_>> = Vec::new();
    for rule in &config.rules {
        for operation in Operation::ALL {
            if rule.token(Some(operation)) == Some(old) {
                changes.push(Change::SetRule(&rule.pattern, new, Some(operation)));
            }
        }
    }
    let defaults = config.defaults_to(old).into_iter();
    changes.extend(defaults.map(|endpoint| Change::SetDefault(endpoint, Some(new))));
    if !changes.is_empty() {
        edit(&context.paths.config(), &changes)?;
    }
    Ok(())
}
