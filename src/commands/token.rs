//! `token`: prints the token that git would get.

use anyhow::Result;
use serde_json::json;
use zeroize::Zeroizing;

use crate::app::{Context, choice};
use crate::terminal;
use crate::terminal::print_secret;

/// The arguments of `token`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Print the token that git would get",
    long_about = "\
Prints the token itself, for programs that cannot ask git. Be careful where you put it: a variable of one
command is better than a file, and `run` is better than both.",
    after_help = "\
Examples:
  git credential-hf token acme/x
  curl -H @<(printf 'Authorization: Bearer %s' \"$(git credential-hf token)\") .."
)]
pub(crate) struct Args {
    /// A repo or a URL; by default, the current repository
    pub(crate) repo: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the token, and nothing else.
///
/// # Errors
/// When there is none.
pub(crate) fn run(token: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let location = choice::place(&context, token.repo.as_deref())?;
    let state = context.state_file.load()?;
    let (candidate, loaded) = choice::token_for(&context, &state, &location)?;
    let text = if token.json {
        terminal::json(&json!({
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
