//! `logout`: removes tokens from this machine, and revokes them on the Hub if asked to.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::app::{Context, lookup, menu, renewal, target};
use crate::hub::Hub;
use crate::model::secret::{Secret, TokenKind};
use crate::model::text;
use crate::model::token_name::TokenName;
use crate::state::{State, TokenInfo};
use crate::storage::StorageKind;
use crate::terminal;
use crate::terminal::{AlreadyReported, Failure, print, print_json, prompt};

/// The arguments of `logout`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Remove a token from this machine, and with --revoke also from the Hub",
    long_about = "\
Removes a token's secret from its storage, and everything known about it. Rules that name it stay,
so that a later login under that name replaces it. The token itself stays valid on the
Hub, unless you revoke it with --revoke: it then stops working everywhere, permanently.

With --with-token you give the token itself, on stdin or at a hidden prompt: it is removed
wherever it is stored here, and --revoke revokes it even if it is not stored here.",
    after_help = "\
Examples:
  git credential-hf logout work
  git credential-hf logout work --revoke            also revoke it on the Hub
  git credential-hf logout --with-token --revoke    one that is not stored here
  git credential-hf logout --all --yes"
)]
pub(crate) struct Args {
    /// The token's name; by default, you choose one from a list
    #[arg(conflicts_with = "all")]
    pub(crate) name: Option<String>,
    /// All tokens
    #[arg(long)]
    pub(crate) all: bool,
    /// Read the token itself from stdin or at a hidden prompt
    #[arg(long, conflicts_with_all = ["name", "all"])]
    pub(crate) with_token: bool,
    /// Revoke the token on the Hub too
    #[arg(long)]
    pub(crate) revoke: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Removes one token, or all.
///
/// # Errors
/// When the token does not exist, or its storage or the Hub fails. The token is then still listed.
pub(crate) fn run(logout: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    let given = logout.with_token.then(read_token).transpose()?;
    let names = names(&context, &state, logout, given.as_ref())?;
    if let Some(secret) = given.as_ref().filter(|_| names.is_empty()) {
        return revoke_unstored(&context, logout, secret);
    }
    if !names.is_empty() {
        confirm(logout, &names)?;
    }
    let mut removed = Vec::new();
    for name in names {
        if let Some(token) = state.tokens.get(&name) {
            removed.push(remove(&context, logout, &name, token)?);
        }
    }
    if logout.all {
        context.clear_stale_copies(None, &[StorageKind::Keyring]);
        if let Err(error) = renewal::hf_cli::sweep(&context) {
            terminal::say(&error.to_string());
        }
    }
    if logout.json {
        let json = json!({ "version": 1, "removed": removed });
        return print_json(&json);
    }
    if removed.is_empty() {
        print("there are no tokens to remove\n")?;
    }
    Ok(())
}

/// The tokens to remove. There are none if the given token is not stored here.
fn names(
    context: &Context,
    state: &State,
    logout: &Args,
    given: Option<&Secret>,
) -> Result<Vec<TokenName>> {
    let Some(name) = &logout.name else {
        return Ok(match given {
            Some(secret) => holding(context, state, secret),
            None if logout.all || state.tokens.is_empty() => state.tokens.keys().cloned().collect(),
            None => vec![menu::stored_token(state, "Remove which one?").ok_or_else(not_said)?],
        });
    };
    let name = TokenName::existing(name);
    if state.tokens.contains_key(&name) {
        return Ok(vec![name]);
    }
    let mut failure = lookup::no_such_token(context, state, name.as_str());
    if logout.revoke {
        failure = failure.help(format!(
            "to revoke a token that is not stored here: {UNSTORED}"
        ));
    }
    Err(failure.into())
}

/// Removes a token, says so, and returns it for the JSON output.
fn remove(context: &Context, logout: &Args, name: &TokenName, token: &TokenInfo) -> Result<Value> {
    if logout.revoke {
        revoke(context, name, token)?;
    }
    context
        .forget(name, token)
        .with_context(|| format!("`{name}` could not be removed"))?;
    let left = still_naming(context, name);
    if !logout.json {
        let revoked = if logout.revoke {
            ", and revoked it on the Hub"
        } else {
            ""
        };
        print(&format!("removed `{name}` ({}){revoked}\n", token.hint))?;
        if !left.is_empty() {
            let config = context.paths.config();
            print(&format!(
                "  {} still names it: {}\n",
                config.display(),
                left.join(", ")
            ))?;
        }
    }
    Ok(json!({ "name": name, "revoked": logout.revoke, "named_by": left }))
}

fn not_said() -> Failure {
    Failure::usage("no token was named")
        .help("name one: git credential-hf logout NAME (`git credential-hf list` shows the names)")
        .help("or remove all of them: git credential-hf logout --all")
}

fn read_token() -> Result<Secret> {
    let given = prompt::token(true, "Token (not shown)")
        .map_err(|error| Failure::new(text::one_line(&error.to_string())))?;
    let given = given.ok_or_else(|| {
        Failure::new("cannot ask for the token without a terminal")
            .help("give it on stdin: git credential-hf logout --with-token < FILE")
    })?;
    Ok(given.map_err(|error| Failure::new(error.to_string()))?)
}

/// The names under which a token is stored. Only values that are not in the Hub's form must be read for
/// this, since their fingerprints are too short.
fn holding(context: &Context, state: &State, secret: &Secret) -> Vec<TokenName> {
    let value = secret.fingerprint();
    let is_it = |name: &TokenName, token: &TokenInfo| {
        let stored = || context.read_stored(name, token);
        token.fingerprint == value
            && (secret.kind() != TokenKind::Other
                || stored().is_ok_and(|record| record.secret.same_as(secret)))
    };
    let found = state
        .tokens
        .iter()
        .filter(|(name, token)| is_it(name, token));
    found.map(|(name, _)| name.clone()).collect()
}

/// Revokes a token that is not stored here.
fn revoke_unstored(context: &Context, logout: &Args, secret: &Secret) -> Result<()> {
    let hint = secret.hint();
    let endpoint = target::default_endpoint(context)?;
    if !secret.may_belong_to(&endpoint) {
        return Err(Failure::new("this is not a Hub token: those begin with hf_").into());
    }
    if !logout.revoke {
        return Err(Failure::new(format!("the token {hint} is not stored here"))
            .help(format!("to revoke it on the Hub: {UNSTORED}"))
            .into());
    }
    confirm(logout, &[])?;
    Hub::new(&endpoint)
        .revoke(&[secret])
        .with_context(|| format!("the token {hint} could not be revoked on the Hub"))?;
    if logout.json {
        return print_json(&json!({ "version": 1, "removed": [], "revoked": hint }));
    }
    print(&format!(
        "revoked {hint} on the Hub; it was not stored here\n"
    ))
}

/// Asks before something that cannot be undone.
fn confirm(logout: &Args, names: &[TokenName]) -> Result<()> {
    let count = names.len();
    let what = match (names, logout.all, logout.revoke) {
        _ if logout.yes => return Ok(()),
        (_, false, false) => return Ok(()),
        (_, true, false) => format!("Remove every token from this machine ({count})?"),
        (_, true, true) => {
            format!("Revoke every token ({count}) on the Hub? They will stop working everywhere.")
        }
        ([name], false, true) if !logout.with_token => {
            format!("Revoke `{name}` on the Hub? It will stop working everywhere.")
        }
        (_, false, true) => {
            "Revoke this token on the Hub? It will stop working everywhere.".to_owned()
        }
    };
    if terminal::confirm(&what) {
        return Ok(());
    }
    if terminal::can_ask() {
        // The answer was no, which is not an error.
        terminal::tell("nothing was removed");
        return Err(AlreadyReported.into());
    }
    let verb = if logout.revoke { "revoke" } else { "remove" };
    Err(
        Failure::new(format!("refusing to {verb} anything without confirmation"))
            .help("to confirm: pass --yes")
            .into(),
    )
}

/// The command that revokes a token that is not stored here.
const UNSTORED: &str = "git credential-hf logout --with-token --revoke";

/// Revokes a token, before it is removed here: afterwards it could not be sent to the Hub any more.
fn revoke(context: &Context, name: &TokenName, token: &TokenInfo) -> Result<()> {
    let unread = || {
        let why = format!("`{name}` cannot be revoked on the Hub, because it cannot be read");
        Failure::new(why)
            .help(format!("give the token itself: {UNSTORED}"))
            .help(format!(
                "to remove it here only: git credential-hf logout {}",
                text::shell_quoted(name.as_str())
            ))
    };
    renewal::settle(context, name).with_context(unread)?;
    let record = context.read_stored(name, token).with_context(unread)?;
    // The refresh token of a browser login can be used to get a new token.
    let mut secrets = vec![&record.secret];
    secrets.extend(&record.refresh_token);
    Hub::new(&token.endpoint).revoke(&secrets).with_context(|| {
        format!("`{name}` could not be revoked on the Hub, and is still stored here")
    })
}

fn still_naming(context: &Context, name: &TokenName) -> Vec<String> {
    let mut left: Vec<String> = context
        .config
        .rules
        .iter()
        .filter(|rule| rule.tokens().any(|token| token == name))
        .map(|rule| format!("rule `{}`", rule.pattern))
        .collect();
    let defaults = context.config.defaults_to(name);
    left.extend(defaults.into_iter().map(|endpoint| match endpoint {
        None => "`default`".to_owned(),
        Some(endpoint) => format!("`default` of {endpoint}"),
    }));
    left
}
