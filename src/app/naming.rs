//! Names tokens that the user did not name, after what the Hub or a file calls them. The owner of a
//! token chose that name, so it must never be one that the user's settings already refer to: then the
//! owner would decide where the token is sent.

use anyhow::Result;

use crate::app::Context;
use crate::git::config;
use crate::model::text;
use crate::model::token_name::TokenName;
use crate::terminal::Failure;

/// Turns a name from elsewhere into a valid one, if possible.
pub(crate) fn fit_name(text: &str) -> Option<TokenName> {
    let clean: String = text::one_line(text).replace(':', "-");
    TokenName::parse(clean.trim().trim_start_matches('-')).ok()
}

/// Whether the user's settings refer to a name: a rule, the default, a command, a variable, or a
/// username in git's configuration.
pub(crate) fn is_in_use(context: &Context, name: &TokenName) -> bool {
    let usernames = || config::read(r"^credential\.(.*\.)?username$").unwrap_or_default();
    context.config.names(name)
        || context.config.commands.contains_key(name)
        || context.env.token_name.as_deref() == Some(name.as_str())
        || usernames()
            .iter()
            .any(|entry| entry.text() == name.as_str())
}

/// Returns the name if it is free, or else the first free one with a number appended.
///
/// # Errors
/// When a thousand such names are taken.
pub(crate) fn numbered(wanted: TokenName, taken: impl Fn(&TokenName) -> bool) -> Result<TokenName> {
    if !taken(&wanted) {
        return Ok(wanted);
    }
    // Leaves room for the number.
    let short: String = wanted.as_str().chars().take(20).collect();
    let mut numbered = (2..1000).filter_map(|n| fit_name(&format!("{}-{n}", short.trim_end())));
    let free = numbered.find(|name| !taken(name));
    free.ok_or_else(|| Failure::new(format!("too many tokens are called `{wanted}`")).into())
}
