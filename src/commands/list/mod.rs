//! `list`: the tokens, where each lies, and what goes where.

mod json;

use crate::app::lookup::exists;
use anyhow::Result;

use crate::app::Context;
use crate::hf_cli::HfToken;
use crate::model::endpoint::Endpoint;
use crate::model::permissions::Coverage;
use crate::model::permissions::Facts;
use crate::model::text;
use crate::model::time;
use crate::model::token_name::TokenName;
use crate::state::Eligibility;
use crate::state::Origin;
use crate::state::State;
use crate::state::TokenInfo;
use crate::system::clock;
use crate::terminal;
use crate::terminal::print;
use crate::terminal::print_json;

/// What `list` is given.
#[derive(Debug, clap::Args)]
#[command(about = "Show the tokens, where each lies, and what goes where")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints what there is.
///
/// # Errors
/// When configuration or state cannot be read.
pub fn run(list: Args) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    if list.json {
        return print_json(&json::as_json(&context, &state));
    }
    print(&as_text(&context, &state))
}

fn as_text(context: &Context, state: &State) -> String {
    let mut rows: Vec<Vec<String>> = state
        .tokens
        .iter()
        .map(|(name, token)| token_row(state, name, token))
        .collect();
    for (name, command) in &context.config.commands {
        let program = command.arguments.first().map_or("", String::as_str);
        rows.push(row(&[
            name.as_str(),
            "-",
            "-",
            "-",
            &format!("command {program}"),
            "-",
            "-",
            "-",
        ]));
    }
    for token in &context.env.tokens {
        let (hint, status) = match &token.secret {
            Ok(secret) => {
                let endpoint = context.env.endpoint();
                let value = secret.fingerprint();
                let standing = endpoint.map_or(Eligibility::Good, |endpoint| {
                    state.standing(&endpoint, &value, clock::now())
                });
                (secret.hint(), word(standing).to_owned())
            }
            Err(error) => ("-".to_owned(), error.to_string()),
        };
        rows.push(row(&[
            token.variable,
            &hint,
            "-",
            "-",
            "environment",
            "-",
            "-",
            &status,
        ]));
    }
    rows.extend(hf_rows(context, state));
    if rows.is_empty() && context.config.rules.is_empty() {
        return "there are no tokens yet: run `git credential-hf login NAME`\n".to_owned();
    }
    let header = [
        "NAME", "TOKEN", "ACCOUNT", "ROLE", "STORAGE", "EXPIRES", "VERIFIED", "STATUS",
    ];
    let mut text = terminal::table(&header, &rows);
    for endpoint in endpoints(context, state) {
        text.push('\n');
        text.push_str(&text::sanitize(&tree(context, state, &endpoint)));
    }
    text
}

/// The hf CLI's tokens, which it keeps itself.
fn hf_rows(context: &Context, state: &State) -> Vec<Vec<String>> {
    let tokens = match context.hf_cli().all() {
        Ok(tokens) => tokens,
        Err(error) => {
            terminal::say(&format!("the hf CLI's tokens: {error}"));
            return Vec::new();
        }
    };
    let endpoint = context.env.endpoint();
    let row_of = |(token, active): &(HfToken, bool)| {
        let value = token.secret.fingerprint();
        let standing = endpoint.as_ref().map_or(Eligibility::Good, |endpoint| {
            state.standing(endpoint, &value, clock::now())
        });
        let mut status = word(standing).to_owned();
        if token.expires.is_some_and(|at| at <= clock::now()) {
            status = "expired".to_owned();
        }
        if *active {
            status.push_str(", active");
        }
        row(&[
            &token.shown_name(),
            &token.secret.hint(),
            "-",
            "-",
            "hf CLI",
            &expiry(token.expires),
            "-",
            &status,
        ])
    };
    tokens.iter().map(row_of).collect()
}

/// When a token ends, from now.
fn expiry(at: Option<u64>) -> String {
    at.map_or_else(
        || "-".to_owned(),
        |at| match at.checked_sub(clock::now()) {
            Some(left) => format!("in {}", time::span(left)),
            None => time::day(at),
        },
    )
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn token_row(state: &State, name: &TokenName, token: &TokenInfo) -> Vec<String> {
    let now = clock::now();
    let dash = || "-".to_owned();
    let facts = token.facts.as_ref();
    vec![
        name.to_string(),
        token.hint.clone(),
        token
            .account
            .clone()
            .filter(|a| !a.is_empty())
            .unwrap_or_else(dash),
        facts.map_or_else(dash, |facts| facts.role.to_string()),
        token.storage.described().to_owned(),
        expiry(token.expires),
        facts.map_or_else(
            || "never".to_owned(),
            |facts| format!("{} ago", time::span(now.saturating_sub(facts.verified))),
        ),
        status(state, token),
    ]
}

/// The Hubs that anything is known of, the public one first.
fn endpoints(context: &Context, state: &State) -> Vec<Endpoint> {
    let mut found: Vec<Endpoint> = context
        .config
        .rules
        .iter()
        .map(|rule| rule.pattern.endpoint.clone())
        .chain(state.tokens.values().map(|token| token.endpoint.clone()))
        .chain(
            context
                .config
                .commands
                .values()
                .map(|command| command.endpoint.clone()),
        )
        .chain(
            context
                .env
                .endpoint()
                .filter(|_| !context.env.tokens.is_empty() || has_hf_token(context)),
        )
        .collect();
    found.sort_by_key(|endpoint| (!endpoint.is_hugging_face(), endpoint.to_string()));
    found.dedup();
    found
}

/// Whether the environment's tokens are for this Hub.
fn is_environments(context: &Context, endpoint: &Endpoint) -> bool {
    let configured = context.config.endpoint(endpoint).unwrap_or_default();
    configured.env || context.env.endpoint().as_ref() == Some(endpoint)
}

fn has_hf_token(context: &Context) -> bool {
    matches!(context.hf_cli().active_value(), Ok(Some(_)))
}

/// What goes where on one Hub, in the order in which it counts.
fn tree(context: &Context, state: &State, endpoint: &Endpoint) -> String {
    let mut branches: Vec<(String, String)> = Vec::new();
    for rule in context
        .config
        .rules
        .iter()
        .filter(|rule| rule.pattern.endpoint == *endpoint)
    {
        let missing = if exists(context, state, &rule.token) {
            ""
        } else {
            " (not there)"
        };
        branches.push((
            path_of(&rule.pattern.to_string(), endpoint),
            format!("{}{missing}", rule.token),
        ));
    }
    let here = || {
        state
            .tokens
            .iter()
            .filter(|(_, token)| token.endpoint == *endpoint)
    };
    if is_environments(context, endpoint) {
        for token in &context.env.tokens {
            branches.push(("any other repo".to_owned(), token.variable.to_owned()));
        }
    }
    branches.extend(by_scope(context, state, endpoint));
    if let Some(name) = &context.config.default {
        if default_is_for(context, state, name, endpoint) {
            branches.push(("any other repo".to_owned(), format!("{name} (default)")));
        } else if endpoint.is_hugging_face() && !exists(context, state, name) {
            branches.push((
                "any other repo".to_owned(),
                format!("{name} (default, not there)"),
            ));
        }
    }
    let mut saved: Vec<_> = here()
        .filter(|(_, token)| token.origin == Origin::Git)
        .collect();
    saved.sort_by_key(|(_, token)| {
        let newest = std::cmp::Reverse((token.added, token.order));
        (token.path.is_none(), newest)
    });
    for (name, token) in saved {
        let path = token.path.as_deref().unwrap_or("any other repo");
        branches.push((path.to_owned(), format!("{name} (saved by git)")));
    }
    if has_hf_token(context) && is_environments(context, endpoint) {
        let label = "hf (the hf CLI's active token)".to_owned();
        branches.push(("any other repo".to_owned(), label));
    }
    let width = branches
        .iter()
        .map(|(path, _)| path.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = format!("{endpoint}\n");
    let last = branches.len().saturating_sub(1);
    for (at, (path, token)) in branches.iter().enumerate() {
        let fork = if at == last { "└─" } else { "├─" };
        let pad = " ".repeat(width - path.chars().count());
        text.push_str(&format!("{fork} {path}{pad}  {token}\n"));
    }
    if branches.is_empty() {
        let prefix = if endpoint.is_hugging_face() {
            String::new()
        } else {
            format!("{endpoint}/")
        };
        text.push_str(&format!(
            "└─ nothing yet: git credential-hf use NAME --for {prefix}NAMESPACE\n"
        ));
    }
    text
}

/// What the tokens' scopes reach on a Hub, narrowest first, without what a rule says already.
fn by_scope(context: &Context, state: &State, endpoint: &Endpoint) -> Vec<(String, String)> {
    let tokens = state
        .tokens
        .iter()
        .filter(|(_, token)| token.endpoint == *endpoint && token.origin == Origin::Login);
    let mut reach: Vec<(Coverage, String, &TokenName)> = tokens
        .flat_map(|(name, token)| {
            let facts = token.facts.iter().flat_map(Facts::reach);
            facts.map(move |(coverage, path)| (coverage, path.to_lowercase(), name))
        })
        .collect();
    reach.sort();
    let ruled = |path: &str, name: &TokenName| {
        context.config.rules.iter().any(|rule| {
            let pattern = path_of(&rule.pattern.to_string(), endpoint);
            rule.token == *name
                && rule.pattern.endpoint == *endpoint
                && pattern.eq_ignore_ascii_case(path)
        })
    };
    let ties = |coverage: Coverage, path: &str| {
        reach
            .iter()
            .filter(|(c, p, _)| *c == coverage && p == path)
            .count()
            > 1
    };
    reach
        .iter()
        .filter(|(_, path, name)| !ruled(path, name))
        .map(|(coverage, path, name)| {
            let why = if ties(*coverage, path) {
                "not used: another token is as narrow"
            } else {
                "by its scopes"
            };
            (path.clone(), format!("{name} ({why})"))
        })
        .collect()
}

fn path_of(pattern: &str, endpoint: &Endpoint) -> String {
    let prefix = format!("{endpoint}/");
    pattern.strip_prefix(&prefix).unwrap_or(pattern).to_owned()
}

fn default_is_for(context: &Context, state: &State, name: &TokenName, endpoint: &Endpoint) -> bool {
    let stored = state.tokens.get(name).map(|token| &token.endpoint);
    let command = context
        .config
        .commands
        .get(name)
        .map(|command| &command.endpoint);
    let of_hf_cli = name.of_hf_cli().is_some() && is_environments(context, endpoint);
    stored.or(command) == Some(endpoint) || (of_hf_cli && exists(context, state, name))
}

fn status(state: &State, token: &TokenInfo) -> String {
    let now = clock::now();
    match state.standing(&token.endpoint, &token.fingerprint, now) {
        Eligibility::Good if token.expires.is_some_and(|at| at <= now) => "expired".to_owned(),
        standing => word(standing).to_owned(),
    }
}

fn word(standing: Eligibility) -> &'static str {
    match standing {
        Eligibility::Good => "ok",
        Eligibility::LastResort | Eligibility::Withheld => "rejected",
    }
}
