//! Names a new token.

use anyhow::Result;

use super::Args;
use crate::app::Context;
use crate::app::naming::{fit_name, is_in_use, numbered};
use crate::model::permissions::Facts;
use crate::model::text::shell_quoted;
use crate::model::token_name::TokenName;
use crate::state::TokenInfo;
use crate::storage::Record;
use crate::terminal::{self, Failure};

/// Names a token that the user did not name, after its name on the Hub. The owner of the token chose that
/// name, so it must not replace a token of another account, or be one that the user's settings refer to.
pub(super) fn name_from(
    context: &Context,
    login: &Args,
    facts: Option<&Facts>,
    record: &Record,
) -> Result<TokenName> {
    let state = context.state_file.load()?;
    let own = facts.map(|facts| facts.display_name.as_deref().unwrap_or(&facts.account));
    // A browser login is stored even if the Hub says nothing about it.
    let own = own.or(login.web.then_some("web"));
    let wanted = own.and_then(fit_name).ok_or_else(|| {
        Failure::new("the token needs a name").help("such as: git credential-hf login work")
    })?;
    let value = record.secret.fingerprint();
    let taken = |name: &TokenName| {
        let stored = state.tokens.get(name);
        if let Some(token) = stored
            && token.fingerprint == value
            && token.endpoint == record.endpoint
        {
            return false;
        }
        let account = facts.map(|facts| facts.account.as_str());
        let is_same = |token: &TokenInfo| {
            token.endpoint == record.endpoint
                && account.is_some()
                && token.account.as_deref() == account
        };
        stored.is_some_and(|token| !is_same(token)) || is_in_use(context, name)
    };
    let name = numbered(wanted.clone(), taken)?;
    if name != wanted {
        terminal::tell(&format!(
            "`{wanted}` is already used here, so this token is called `{name}`; to give it that \
             name: git credential-hf login {}",
            shell_quoted(wanted.as_str())
        ));
    }
    Ok(name)
}
