//! `refresh`: renews browser logins, and asks the Hub again about the other tokens.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::advice::login_again;
use crate::app::learned::Learned;
use crate::app::renewal::When;
use crate::app::{Context, lookup, renewal};
use crate::hub::{Hub, HubError};
use crate::model::text;
use crate::model::token_name::TokenName;
use crate::state::{Origin, State, TokenInfo};
use crate::terminal::{AlreadyReported, print, print_json};

/// The arguments of `refresh`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Renew tokens from a browser login, and verify the others again",
    after_help = "\
Examples:
  git credential-hf refresh          all tokens
  git credential-hf refresh work"
)]
pub(crate) struct Args {
    /// The token's name; by default, all but those that git saved
    pub(crate) name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Refreshes one token, or all from `login`.
///
/// # Errors
/// When one of them fails. The reason has been printed, and the others were tried.
pub(crate) fn run(refresh: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    let names: Vec<TokenName> = match &refresh.name {
        Some(name) => vec![TokenName::existing(name)],
        None => from_login(&state),
    };
    let mut results = Vec::new();
    let mut failed = false;
    for name in names {
        let Some(token) = state.tokens.get(&name) else {
            return Err(lookup::no_such_token(&context, &state, name.as_str()).into());
        };
        let outcome = one(&context, &name, token);
        failed |= outcome.is_err();
        let (ok, text) = match outcome {
            Ok(text) => (true, text),
            Err(error) => (false, format!("{error:#}")),
        };
        if !refresh.json {
            let (mark, colon) = if ok { ("ok", "") } else { ("no", ":") };
            print(&format!(
                "{mark}: `{name}`{colon} {}\n",
                text::one_line(&text)
            ))?;
        }
        results.push(json!({ "name": name, "ok": ok, "message": text::one_line(&text) }));
    }
    if refresh.json {
        let json: Value = json!({ "version": 1, "tokens": results });
        print_json(&json)?;
    } else if results.is_empty() {
        print("there are no tokens to refresh\n")?;
    }
    if failed {
        Err(AlreadyReported.into())
    } else {
        Ok(())
    }
}

fn from_login(state: &State) -> Vec<TokenName> {
    let tokens = state.tokens.iter();
    tokens
        .filter(|(_, token)| token.origin == Origin::Login)
        .map(|(name, _)| name.clone())
        .collect()
}

fn one(context: &Context, name: &TokenName, token: &TokenInfo) -> Result<String> {
    let mut record = context.read_stored(name, token)?;
    let mut done = "still works";
    if record.refresh_token.is_some() && token.origin == Origin::Login {
        let renewed = renewal::renew_stored(context, name, When::Now)?;
        renewed
            .warning
            .iter()
            .for_each(|line| crate::terminal::say(line));
        record = renewed.record;
        done = "was renewed";
    }
    let hub = Hub::new(&token.endpoint);
    let learned = Learned {
        context,
        endpoint: &token.endpoint,
        name: Some(name),
        secret: &record.secret,
    };
    match hub.whoami(&record.secret) {
        Ok(facts) => {
            learned.accepted(Some(&facts))?;
            Ok(format!("{done}: {}", facts.summary()))
        }
        Err(HubError::Rejected) => {
            learned.rejected()?;
            anyhow::bail!(
                "the Hub no longer accepts it; run `{}`",
                login_again(name, Some(token))
            )
        }
        Err(error) => Err(error.into()),
    }
}
