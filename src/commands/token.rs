//! `token`: the token that git would get, on stdout.

use anyhow::Result;
use serde_json::json;
use zeroize::Zeroizing;

use super::chosen;
use crate::cli::Token;
use crate::context::{Context, print_secret};
use crate::ui;

/// Prints the token, and nothing else.
///
/// # Errors
/// When there is none.
pub fn run(token: &Token) -> Result<()> {
    let context = Context::with_config()?;
    let location = chosen::place(&context, token.repo.as_deref())?;
    let state = context.state_file.load()?;
    let (candidate, loaded) = chosen::token_for(&context, &state, &location)?;
    let text = if token.json {
        ui::json(&json!({
            "version": 1,
            "token": loaded.secret.expose(),
            "kind": candidate.source.kind(),
            "name": candidate.source.name(),
            "reason": candidate.reason.to_string(),
            "endpoint": location.endpoint.to_string(),
            "expires": loaded.expires,
        }))?
    } else {
        Zeroizing::new(format!("{}\n", loaded.secret.expose()))
    };
    print_secret(&text)
}
