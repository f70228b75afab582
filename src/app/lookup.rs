//! Finds a token by the name that a person typed.

use crate::app::Context;
use crate::model::endpoint::Endpoint;
use crate::model::token_name::TokenName;
use crate::state::State;
use crate::terminal::Failure;
use anyhow::Result;

/// The endpoint of the token with this name.
///
/// # Errors
/// When there is no such token.
pub(crate) fn endpoint_of(context: &Context, state: &State, name: &TokenName) -> Result<Endpoint> {
    if let Some(token) = state.tokens.get(name) {
        return Ok(token.endpoint.clone());
    }
    if let Some(command) = context.config.commands.get(name) {
        return Ok(command.endpoint.clone());
    }
    if let Some(hf_name) = name.of_hf_cli() {
        let names = context.hf_cli().stored()?;
        if names.section(hf_name).is_some() {
            return context.env.endpoint().ok_or_else(|| {
                Failure::new("HF_ENDPOINT does not name a Hub, so the hf CLI's tokens are not used")
                    .into()
            });
        }
    }
    Err(no_such_token(context, state, name.as_str()).into())
}

/// The error for a name that no token has. It does not repeat what was typed if that may be a token.
pub(crate) fn no_such_token(context: &Context, state: &State, typed: &str) -> Failure {
    if let Some(hf_name) = TokenName::existing(typed).of_hf_cli() {
        return no_such_hf_token(context, hf_name);
    }
    let names: Vec<&str> = state
        .tokens
        .keys()
        .chain(context.config.commands.keys())
        .map(TokenName::as_str)
        .collect();
    if context
        .config
        .commands
        .contains_key(&TokenName::existing(typed))
    {
        let config = context.paths.config();
        return Failure::new(format!(
            "`{typed}` is an entry below [commands] in {}, not a stored token",
            config.display()
        ))
        .help("change it in that file");
    }
    let failure = match TokenName::parse(typed) {
        Err(error @ crate::model::token_name::NameError::IsToken) => {
            Failure::new(error.to_string())
        }
        _ => Failure::new(format!("there is no token called `{typed}`")),
    };
    if let Some(lost) = context.lost_home() {
        return failure.help(lost);
    }
    match suggestion(context, state, typed) {
        Some(near) => failure.help(near),
        None if names.is_empty() => {
            failure.help("no token is stored here yet: `git credential-hf login NAME` adds one")
        }
        None => failure.help(format!("there are: {}", names.join(", "))),
    }
}

/// Suggests a similar name, also one of the hf CLI's tokens.
pub(crate) fn suggestion(context: &Context, state: &State, typed: &str) -> Option<String> {
    let ours = state.tokens.keys().chain(context.config.commands.keys());
    let ours: Vec<&str> = ours.map(TokenName::as_str).collect();
    let of_hf = context.hf_cli().names();
    let of_hf: Vec<&str> = of_hf.iter().map(String::as_str).collect();
    let of_hf_cli = |name: &str| format!("did you mean `hf:{name}`, the hf CLI's token?");
    if of_hf.contains(&typed) {
        return Some(of_hf_cli(typed));
    }
    let near = crate::config::nearest(typed, &ours);
    near.map(|near| format!("did you mean `{near}`?"))
        .or_else(|| crate::config::nearest(typed, &of_hf).map(of_hf_cli))
}

/// The error for a name of the form `hf:NAME`, whose token only the hf CLI can change.
fn no_such_hf_token(context: &Context, typed: &str) -> Failure {
    let names = context.hf_cli().names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.contains(&typed) {
        return Failure::new(format!("`hf:{typed}` is the hf CLI's token"))
            .help("`hf auth list`, `hf auth switch` and `hf auth logout` manage it");
    }
    let failure = match TokenName::parse(typed) {
        Err(error @ crate::model::token_name::NameError::IsToken) => {
            Failure::new(error.to_string())
        }
        _ => Failure::new(format!("the hf CLI has no token called `{typed}`")),
    };
    match crate::config::nearest(typed, &names) {
        Some(near) => failure.help(format!("did you mean `hf:{near}`?")),
        None if names.is_empty() => failure.help("add one with `hf auth login`"),
        None => failure.help(format!("there are: hf:{}", names.join(", hf:"))),
    }
}

/// Whether there is a token with this name.
pub(crate) fn exists(context: &Context, state: &State, name: &TokenName) -> bool {
    match name.of_hf_cli() {
        Some(hf_name) => context
            .hf_cli()
            .names()
            .iter()
            .any(|known| known == hf_name),
        None => state.tokens.contains_key(name) || context.config.commands.contains_key(name),
    }
}

/// Parses a token's name as it was typed.
///
/// # Errors
/// When it is not a valid name.
pub(crate) fn parse_name(text: &str) -> Result<TokenName> {
    Ok(TokenName::parse(text).map_err(|error| {
        Failure::new(error.to_string()).help("such as: git credential-hf login work")
    })?)
}
