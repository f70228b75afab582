//! `login`: get a token, learn what it may do, keep it, and say where it is used.

mod replace;
mod web;

use crate::app::enrol;
use crate::app::enrol::{Keeping, NEW_TOKEN, ask, described, keep, unverified};
use crate::app::lookup::parse_name;
use crate::model::text::shell_quoted;

use anyhow::Result;
use serde_json::json;

use crate::app::Context;
use crate::app::assignment::Assignment;
use crate::app::claims;
use crate::app::naming::{fit_name, is_in_use, numbered};
use crate::app::target;
use crate::config::edit::Change;
use crate::config::edit::edit;
use crate::hub::Hub;
use crate::hub::HubError;
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::permissions::Facts;
use crate::model::secret::Secret;
use crate::model::secret::TokenKind;
use crate::model::text::one_line;
use crate::model::token_name::TokenName;
use crate::state::State;
use crate::state::TokenInfo;
use crate::storage::Record;
use crate::storage::StorageKind;
use crate::system::environment::Environment;
use crate::terminal;
use crate::terminal::Failure;
use crate::terminal::console;
use crate::terminal::print;
use crate::terminal::prompt;

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
  git credential-hf login work                            asks for the token
  git credential-hf login me --web --default              in the browser
  git credential-hf login data --for datasets/acme/x      a narrow token for one dataset
  pass show hf/me | git credential-hf login me --with-token
  git credential-hf login server --storage file           where there is no keyring
  git credential-hf login corp --for https://hub.corp.example/acme"
)]
pub(crate) struct Args {
    /// Its name, such as `work`; by default, the name it has on the Hub
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

/// Keeps a token, and writes the rules asked for.
///
/// # Errors
/// When the token cannot be one, the Hub does not take it, or it cannot be kept.
pub(crate) fn run(login: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let texts: Vec<&str> = login.patterns.iter().map(String::as_str).collect();
    let default = target::default_for(&context, &texts)?;
    let patterns = login
        .patterns
        .iter()
        .map(|text| target::pattern(text, &default))
        .collect::<Result<Vec<Pattern>>>()?;
    let endpoint = endpoint(&patterns, default)?;
    check_endpoint(&context, &endpoint)?;
    // What is wrong with the name is better said before the token is asked for.
    let given = login.name.as_deref().map(parse_name).transpose()?;
    if let Some(name) = &given {
        check_name(&context, &context.state_file.load()?, name, &endpoint)?;
    }

    let kind = enrol::usable_storage(&context, login.storage, &again(login), given.as_ref())?;
    if let Some(name) = &given {
        replace::may_replace(&context, name)?;
    }

    let hub = Hub::new(&endpoint);
    let record = if login.web {
        web::run(&hub, &again(login))?
    } else {
        let secret = read_secret(login, &endpoint)?;
        check_secret(&secret, &endpoint)?;
        Record {
            secret,
            endpoint: endpoint.clone(),
            expires: None,
            refresh_token: None,
            client_id: None,
            renewed: None,
        }
    };
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

    if context.config.endpoint(&endpoint).is_none() {
        edit(&context.paths.config(), &[Change::AddEndpoint(&endpoint)])?;
        let line = format!(
            "added {endpoint} to your Hubs; run `git credential-hf configure` to set up git for it"
        );
        if login.json {
            terminal::tell(&line)
        } else {
            print(&format!("{line}\n"))?
        }
    }
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
        print(&described(facts))?;
    }
    assignment
        .write_and_say(&context)
        .map_err(|error| assignment.not_written(&error))?;
    if patterns.is_empty() && !login.default {
        offer(&name, &endpoint, facts.as_ref())?;
    }
    Ok(())
}

/// The endpoint of the patterns, which must be one.
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

/// A name stands for one thing: not for a command too, and not for tokens of two endpoints.
fn check_name(
    context: &Context,
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
) -> Result<()> {
    if context.config.commands.contains_key(name) {
        let message = format!(
            "`{name}` is a command in {}",
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

/// This login as a command to type again, without `--storage`.
fn again(login: &Args) -> String {
    let way = match (login.web, login.with_token) {
        (true, _) => " --web",
        (_, true) => " --with-token",
        _ => "",
    };
    format!("{}{way}", at_the_prompt(login))
}

/// The same login, with a token that is typed.
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

fn read_secret(login: &Args, endpoint: &Endpoint) -> Result<Secret> {
    let again = at_the_prompt(login);
    if terminal::can_ask() && !console::hides_typing() {
        return Err(Failure::new(
            "this terminal (Git Bash) shows what is typed, so it cannot ask for a token",
        )
        .help(format!("log in with the browser: {again} --web"))
        .help(format!(
            "or give the token on stdin: {again} --with-token < FILE"
        ))
        .help(format!("or ask in a Windows console: winpty {again}"))
        .into());
    }
    if terminal::can_ask() && endpoint.is_hugging_face() {
        terminal::tell(&format!(
            "Create a token here, and paste it below: {NEW_TOKEN}"
        ));
    }
    let question = format!("Token for {endpoint} (not shown)");
    let given = prompt::token(login.with_token, &question)
        .map_err(|error| Failure::new(one_line(&error.to_string())))?;
    let given = given.ok_or_else(|| nobody_to_ask(login))?;
    Ok(given.map_err(|error| {
        Failure::new(error.to_string())
            .help("a token is one line of letters and digits, such as hf_..")
            .help(format!("create one: {NEW_TOKEN}"))
    })?)
}

/// What to run instead where nobody can be asked for the token.
fn nobody_to_ask(login: &Args) -> Failure {
    let again = at_the_prompt(login);
    if Environment::from_process().notebook {
        return Failure::new("a notebook cannot ask for a token")
            .help(format!("run in a cell: !{again} --web"))
            .help(format!(
                "or with the token in a file: !{again} --with-token < FILE"
            ))
            .help("or set HF_TOKEN before the kernel starts, which needs no login");
    }
    Failure::new("cannot ask for the token without a terminal")
        .help(format!("give it on stdin: {again} --with-token < FILE"))
        .help(format!("or create one first: {NEW_TOKEN}"))
}

fn check_secret(secret: &Secret, endpoint: &Endpoint) -> Result<()> {
    match secret.kind() {
        TokenKind::Organisation => Err(Failure::new(
            "this is an organisation token (api_org_), which the Hub no longer accepts",
        )
        .help(format!(
            "create a fine-grained token for the organisation: {NEW_TOKEN}"
        ))
        .into()),
        TokenKind::Other if endpoint.is_hugging_face() && secret.expose().contains("hf_") => Err(
            Failure::new("this does not look like a complete token (hf_ and 34 letters or digits)")
                .help("check whether it was cut off, or has something before or after it")
                .into(),
        ),
        TokenKind::Other if endpoint.is_hugging_face() => Err(Failure::new(
            "this is not a Hub token: those begin with hf_",
        )
        .help(format!(
            "the Hub does not accept account passwords; create a token: {NEW_TOKEN}"
        ))
        .into()),
        _ => Ok(()),
    }
}

/// Asks the Hub whose token it is. A browser login is not lost when the Hub fails just then: the
/// person has done their part, and the Hub has handed the token out a moment ago.
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

/// A name for a token that the user gave none: its own on the Hub, made fit to be one here. Whoever
/// owns the token chose that, so it replaces no token of another account, and takes up no name that
/// the user's settings use.
fn name_from(
    context: &Context,
    login: &Args,
    facts: Option<&Facts>,
    record: &Record,
) -> Result<TokenName> {
    let state = context.state_file.load()?;
    let own = facts.map(|facts| facts.display_name.as_deref().unwrap_or(&facts.account));
    // A browser login is not lost where the Hub tells nothing of it.
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
             place: git credential-hf login {}",
            shell_quoted(wanted.as_str())
        ));
    }
    Ok(name)
}

/// Rules that fit what the token may do: asked for on a terminal, named elsewhere, and never
/// written without a word.
fn offer(name: &TokenName, endpoint: &Endpoint, facts: Option<&Facts>) -> Result<()> {
    // With the Hub that may have been added just now.
    let context = &Context::with_config()?;
    if context.config.names(name) {
        return Ok(());
    }
    let command = format!("git credential-hf use {}", shell_quoted(name.as_str()));
    let patterns: Vec<Pattern> = facts
        .map(Facts::reach)
        .unwrap_or_default()
        .iter()
        .filter_map(|(_, text)| Pattern::parse_on(text, endpoint).ok())
        .collect();
    if patterns.is_empty() {
        print(&format!(
            "next, say where to use it: `{command} --for NAMESPACE`, or `{command} --default`\n"
        ))?;
        return match claims::not_called(context, endpoint) {
            None => Ok(()),
            Some(why) => print(&format!("note: {why}\n")),
        };
    }
    let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    let state = context.state_file.load()?;
    let tied: Vec<&str> = names
        .iter()
        .filter(|pattern| is_tied(&state, name, endpoint, facts, pattern))
        .map(String::as_str)
        .collect();
    let free: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| !tied.contains(n))
        .collect();
    let mut used = Vec::new();
    for pattern in patterns
        .iter()
        .filter(|it| free.contains(&it.to_string().as_str()))
    {
        match claims::against(context, &state, name, pattern) {
            None => used.push(pattern.to_string()),
            Some(why) => print(&format!("note: {why}\n"))?,
        }
    }
    let not_called = claims::not_called(context, endpoint);
    if !used.is_empty() {
        let used = used.join(", ");
        print(&match &not_called {
            None => format!("git uses it for {used}, unless a rule says otherwise\n"),
            Some(why) => format!("it is for {used}, but {why}\n"),
        })?;
    } else if let Some(why) = &not_called {
        print(&format!("note: {why}\n"))?;
    }
    if !tied.is_empty() {
        let tied = tied.join(", ");
        print(&format!(
            "another token is as good for {tied}, and there git gets the oldest login unless a rule \
             says otherwise\n"
        ))?;
    }
    if terminal::confirm("Always use it there, even if HF_TOKEN is set?") {
        let assignment = Assignment {
            name,
            endpoint,
            patterns: &patterns,
            operation: None,
            default: false,
        };
        return assignment.write_and_say(context);
    }
    let flags: Vec<String> = names
        .iter()
        .map(|n| format!("--for {}", shell_quoted(n)))
        .collect();
    print(&format!(
        "to write rules for that: {command} {}\n",
        flags.join(" ")
    ))
}

/// Whether another token reaches the same just as narrowly.
fn is_tied(
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
    facts: Option<&Facts>,
    pattern: &str,
) -> bool {
    let reaches = |facts: &Facts| {
        let found = facts
            .reach()
            .into_iter()
            .find(|(_, p)| p.eq_ignore_ascii_case(pattern));
        found.map(|(coverage, _)| coverage)
    };
    let ours = facts.and_then(reaches);
    ours.is_some()
        && state.tokens.iter().any(|(other, token)| {
            other != name
                && token.endpoint == *endpoint
                && token.facts.as_ref().and_then(reaches) == ours
        })
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
