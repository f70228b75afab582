//! Names for tokens that the user gave none: what the Hub or a file calls a token, which whoever owns
//! the token chooses. Such a name never takes up one that the user's settings already use, since then
//! it would decide where the token goes.

use anyhow::Result;

use crate::app::Context;
use crate::git::config;
use crate::model::text;
use crate::model::token_name::TokenName;
use crate::terminal::Failure;

/// A text from elsewhere made fit to be a name here, where it can be.
#[must_use]
pub(crate) fn fit_name(text: &str) -> Option<TokenName> {
    let clean: String = text::one_line(text).replace(':', "-");
    TokenName::parse(clean.trim().trim_start_matches('-')).ok()
}

/// Whether the user's settings give a name to git: a rule, the default, a command, a variable, or
/// a username that git is told to send.
#[must_use]
pub(crate) fn is_in_use(context: &Context, name: &TokenName) -> bool {
    let usernames = || config::read(r"^credential\.(.*\.)?username$").unwrap_or_default();
    context.config.names(name)
        || context.config.commands.contains_key(name)
        || context.env.token_name.as_deref() == Some(name.as_str())
        || usernames()
            .iter()
            .any(|entry| entry.text() == name.as_str())
}

/// The name itself if it is free, else the first free one with a number behind it.
///
/// # Errors
/// When a thousand are taken.
pub(crate) fn numbered(wanted: TokenName, taken: impl Fn(&TokenName) -> bool) -> Result<TokenName> {
    if !taken(&wanted) {
        return Ok(wanted);
    }
    // Short enough for a number behind it.
    let short: String = wanted.as_str().chars().take(20).collect();
    let mut numbered = (2..1000).filter_map(|n| fit_name(&format!("{}-{n}", short.trim_end())));
    let free = numbered.find(|name| !taken(name));
    free.ok_or_else(|| Failure::new(format!("there are too many called `{wanted}`")).into())
}
