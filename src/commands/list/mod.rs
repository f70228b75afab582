//! `list`: the tokens, where each lies, and what goes where.

mod json;

use anyhow::Result;

use crate::app::Context;
use crate::hf_cli::HfToken;
use crate::model::endpoint::Endpoint;
use crate::model::text;
use crate::model::time;
use crate::model::token_name::TokenName;
use crate::selection::overview::{Choice, Subject};
use crate::selection::{Candidate, Reason, Source};
use crate::state::Eligibility;
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

fn has_hf_token(context: &Context) -> bool {
    matches!(context.hf_cli().active_value(), Ok(Some(_)))
}

/// What goes where on one Hub, as git's own requests have it.
fn tree(context: &Context, state: &State, endpoint: &Endpoint) -> String {
    let mut branches: Vec<(String, String)> = Vec::new();
    for row in context.overview(state, endpoint) {
        let subject = match &row.subject {
            Subject::Repos(pattern) => path_of(&pattern.to_string(), endpoint),
            Subject::Path(path) => path.clone(),
            Subject::Rest => "any other repo".to_owned(),
        };
        let lacks = |source: &Source| {
            let mut push = row.push.candidates.iter();
            push.any(|it| it.source == *source && it.lack.is_some())
        };
        if row.subject == Subject::Rest {
            // What comes next shows what the first one hides.
            let all = row.fetch.candidates.iter().enumerate();
            let all = all.filter(|(at, it)| *at == 0 || it.reason != Reason::Any);
            branches
                .extend(all.map(|(_, it)| (subject.clone(), choice(it, &[], lacks(&it.source)))));
            continue;
        }
        let shown = |of: &Choice, push: bool| {
            let first = of.first()?;
            Some(choice(first, &of.equals, push && lacks(&first.source)))
        };
        match (row.fetch.first(), row.push.first()) {
            (None, None) => {}
            (fetch, push) if fetch.map(|it| &it.source) == push.map(|it| &it.source) => {
                branches.extend(shown(&row.fetch, true).map(|it| (subject, it)));
            }
            _ => {
                let fetch = shown(&row.fetch, false);
                branches.extend(fetch.map(|it| (format!("{subject}, fetch"), it)));
                let push = shown(&row.push, true);
                branches.extend(push.map(|it| (format!("{subject}, push"), it)));
            }
        }
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

/// A token that git gets, and the step that chose it.
fn choice(first: &Candidate, equals: &[TokenName], may_not_push: bool) -> String {
    let name = match &first.source {
        Source::HfCli(None) => "hf (the hf CLI's active token)",
        source => source.name().unwrap_or("the job's token"),
    };
    let mut why = match first.reason.step() {
        "rule" | "environment" | "hf CLI" => Vec::new(),
        step => vec![step.to_owned()],
    };
    if matches!(first.source, Source::Unusable(..)) {
        why.push("not there".to_owned());
    }
    if may_not_push {
        why.push("may not push".to_owned());
    }
    if !equals.is_empty() {
        let others: Vec<&str> = equals.iter().map(TokenName::as_str).collect();
        why.push(format!("equal: {}", others.join(", ")));
    }
    match why.is_empty() {
        true => name.to_owned(),
        false => format!("{name} ({})", why.join(", ")),
    }
}

fn path_of(pattern: &str, endpoint: &Endpoint) -> String {
    let prefix = format!("{endpoint}/");
    pattern.strip_prefix(&prefix).unwrap_or(pattern).to_owned()
}

fn status(state: &State, token: &TokenInfo) -> String {
    let now = clock::now();
    match state.standing(&token.endpoint, &token.fingerprint, now) {
        Eligibility::Good if token.expires.is_some_and(|at| at <= now) => "expired".to_owned(),
        // Only the Hub can say that a token is good, and it has said so of this one.
        Eligibility::Good if token.facts.is_some() => "ok".to_owned(),
        standing => word(standing).to_owned(),
    }
}

fn word(standing: Eligibility) -> &'static str {
    match standing {
        Eligibility::Good => "not verified",
        Eligibility::LastResort | Eligibility::Withheld => "rejected",
    }
}
