//! `login`: gets a token, asks the Hub what it may do, stores it, and says where it is used.

mod name;
mod replace;
mod secret;
mod suggest_rules;
mod web;

use anyhow::Result;
use serde_json::json;

use crate::app::assignment::Assignment;
use crate::app::enrol::{self, Keeping, ask, described, keep, unverified};
use crate::app::lookup::parse_name;
use crate::app::{Context, target};
use crate::config::edit::{Change, edit};
use crate::hub::{Hub, HubError};
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::permissions::Facts;
use crate::model::secret::Secret;
use crate::model::text::shell_quoted;
use crate::model::token_name::TokenName;
use crate::state::State;
use crate::storage::{Record, StorageKind};
use crate::terminal::{self, Failure, print};
use name::name_from;
use secret::{check_secret, read_secret};
use suggest_rules::suggest_rules;

/// The arguments of `login`.
#[derive(Debug, Default, clap::Args)]
#[command(
    about = "Store a token on this machine, and show what it may do",
    long_about = "\
Stores a token under a name of your choice (or the name it has on the Hub). The token is asked for
at a hidden prompt, read from stdin with --with-token, or issued by the Hub after a login in
the browser with --web. It is never an argument, since other users could see that.

The Hub is asked which account it belongs to and what it may do; git then uses it for the repos that
its scopes cover, without a rule. If the name exists, the new token replaces the
old one, and an earlier rejection is forgotten.",
    after_help = "\
Examples:
  git credential-hf login work                          asks for the token
  git credential-hf login me --web --default            in the browser
  git credential-hf login data --for datasets/acme/x    for one dataset
  pass show hf/me | git credential-hf login me --with-token
  git credential-hf login server --storage file         without a keyring
  git credential-hf login corp --for https://hub.corp.example/acme"
)]
pub(crate) struct Args {
    /// The token's name, such as `work`; by default, the name it has on the Hub
    pub(crate) name: Option<String>,
    /// Use it for this namespace or repo (acme, acme/x, datasets/acme/x, acme/llama-*); repeatable
    #[arg(long = "for", value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
    /// Use it where no other token is chosen
    #[arg(long)]
    pub(crate) default: bool,
    /// Read the token from stdin
    #[arg(long, conflicts_with = "web")]
    pub(crate) with_token: bool,
    /// Log in with the browser, on this or any other machine
    #[arg(long)]
    pub(crate) web: bool,
    /// Where to store it; the choice is remembered
    #[arg(long, value_enum)]
    pub(crate) storage: Option<StorageKind>,
    /// Do not ask the Hub whose token it is
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Stores a token, and writes the rules that were asked for.
///
/// # Errors
/// When it is not a token, the Hub does not accept it, or it cannot be stored.
pub(crate) fn run(login: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let (patterns, endpoint) = places(&context, login)?;
    check_endpoint(&context, &endpoint)?;
    // A problem with the name is reported before the token is asked for.
    let given = login.name.as_deref().map(parse_name).transpose()?;
    if let Some(name) = &given {
        check_name(&context, &context.state_file.load()?, name, &endpoint)?;
    }

    let kind = enrol::usable_storage(&context, login.storage, &again(login), given.as_ref())?;
    if let Some(name) = &given {
        replace::may_replace(&context, name)?;
    }

    let hub = Hub::new(&endpoint);
    let record = obtain(login, &hub)?;
    let facts = if login.no_verify {
        None
    } else {
        learn(login, &hub, &record.secret)?
    };
    let name = match given {
        Some(name) => name,
        None => {
            let name = name_from(&context, login, facts.as_ref(), &record)?;
            replace::may_replace(&context, &name)?;
            name
        }
    };
    let before = context.state_file.load()?;
    let keeping = Keeping {
        storage: Some(kind),
        remember: login.storage.is_some() || kind == StorageKind::File,
        again: &again(login),
        check: &|state| check_name(&context, state, &name, &record.endpoint),
    };
    let kind = keep(&context, keeping, &name, &record, facts.as_ref())?;

    add_endpoint(&context, login, &endpoint)?;
    let assignment = Assignment {
        name: &name,
        endpoint: &endpoint,
        patterns: &patterns,
        operation: None,
        default: login.default,
    };
    if login.json {
        assignment.write(&context)?;
        return print_json(&name, &record, kind, facts.as_ref());
    }
    print(&format!(
        "stored `{name}` ({}) for {endpoint} in {}\n",
        record.secret.hint(),
        kind.in_words()
    ))?;
    print(&replace::beside(&before, &name, &record))?;
    if let Some(facts) = &facts {
        print(&described(facts, &endpoint))?;
    }
    assignment
        .write_and_say(&context)
        .map_err(|error| assignment.not_written(&error))?;
    if patterns.is_empty() && !login.default {
        suggest_rules(&name, &endpoint, facts.as_ref())?;
    }
    Ok(())
}

/// The patterns that were given, and the endpoint that the token is for.
fn places(context: &Context, login: &Args) -> Result<(Vec<Pattern>, Endpoint)> {
    let texts: Vec<&str> = login.patterns.iter().map(String::as_str).collect();
    let default = target::default_for(context, &texts)?;
    let patterns = texts.iter().map(|text| target::pattern(text, &default));
    let patterns = patterns.collect::<Result<Vec<Pattern>>>()?;
    let endpoint = endpoint(&patterns, default)?;
    Ok((patterns, endpoint))
}

/// Gets the token: from the browser, from stdin or from the prompt.
fn obtain(login: &Args, hub: &Hub) -> Result<Record> {
    if login.web {
        return web::run(hub, &again(login));
    }
    let endpoint = hub.endpoint();
    let secret = read_secret(login, endpoint)?;
    check_secret(&secret, endpoint)?;
    Ok(Record::new(secret, endpoint.clone()))
}

/// Adds a Hub that the configuration does not list yet.
fn add_endpoint(context: &Context, login: &Args, endpoint: &Endpoint) -> Result<()> {
    if context.config.endpoint(endpoint).is_some() {
        return Ok(());
    }
    edit(&context.paths.config(), &[Change::AddEndpoint(endpoint)])?;
    let line = format!(
        "added {endpoint} to your Hubs; run `git credential-hf configure` to set up git for it"
    );
    if login.json {
        terminal::tell(&line);
        return Ok(());
    }
    print(&format!("{line}\n"))
}

/// The endpoint of the patterns, which must all have the same one.
fn endpoint(patterns: &[Pattern], default: Endpoint) -> Result<Endpoint> {
    let Some(first) = patterns.first() else {
        return Ok(default);
    };
    if let Some(other) = patterns.iter().find(|p| p.endpoint != first.endpoint) {
        return Err(Failure::new(format!(
            "a token is for one Hub, not for {} and {}",
            first.endpoint, other.endpoint
        ))
        .help("log in once for each, under different names")
        .into());
    }
    Ok(first.endpoint.clone())
}

fn check_endpoint(context: &Context, endpoint: &Endpoint) -> Result<()> {
    if endpoint.is_plain_http() && !context.serves(endpoint) {
        return Err(Failure::new(format!(
            "{endpoint} is plain http, which anyone on the network can read"
        ))
        .help(format!(
            "to allow it, write \"{endpoint}\" = {{ allow_http = true }} below [endpoints] in {}",
            context.paths.config().display()
        ))
        .into());
    }
    Ok(())
}

/// Checks that the name is not that of an entry below `[commands]`, or of a token for another endpoint.
fn check_name(
    context: &Context,
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
) -> Result<()> {
    if context.config.commands.contains_key(name) {
        let message = format!(
            "`{name}` is an entry below [commands] in {}",
            context.paths.config().display()
        );
        return Err(Failure::new(message).help("choose another name").into());
    }
    match state.tokens.get(name) {
        Some(token) if token.endpoint != *endpoint => {
            let message = format!("`{name}` is a token for {}", token.endpoint);
            let help = format!(
                "choose another name, or `git credential-hf logout {}` first",
                shell_quoted(name.as_str())
            );
            Err(Failure::new(message).help(help).into())
        }
        _ => Ok(()),
    }
}

/// This command, to be typed again, without `--storage`.
fn again(login: &Args) -> String {
    let way = match (login.web, login.with_token) {
        (true, _) => " --web",
        (_, true) => " --with-token",
        _ => "",
    };
    format!("{}{way}", at_the_prompt(login))
}

/// This command with a token that is typed at the prompt.
fn at_the_prompt(login: &Args) -> String {
    let mut command = "git credential-hf login".to_owned();
    if let Some(name) = &login.name {
        command.push_str(&format!(" {}", shell_quoted(name)));
    }
    for pattern in &login.patterns {
        command.push_str(&format!(" --for {}", shell_quoted(pattern)));
    }
    if login.default {
        command.push_str(" --default");
    }
    command
}

/// Asks the Hub whose token it is. If the Hub fails after a browser login, the token is still stored,
/// since the Hub has just issued it and the user should not have to log in again.
fn learn(login: &Args, hub: &Hub, secret: &Secret) -> Result<Option<Facts>> {
    match ask(hub, secret) {
        Ok(facts) => Ok(Some(facts)),
        Err(error) if login.web && !matches!(error, HubError::Rejected) => {
            terminal::tell(&format!(
                "what the token may do is not known yet: {error}; \
                 to ask again: git credential-hf refresh"
            ));
            Ok(None)
        }
        Err(error) => Err(unverified(hub, secret, error).into()),
    }
}

fn print_json(
    name: &TokenName,
    record: &Record,
    kind: StorageKind,
    facts: Option<&Facts>,
) -> Result<()> {
    let json = json!({
        "version": 1,
        "name": name,
        "token": record.secret.hint(),
        "endpoint": record.endpoint.to_string(),
        "storage": kind,
        "facts": facts,
    });
    terminal::print_json(&json)
}
