//! `list`: shows the tokens, where each one is stored, and what it is used for.

mod json;
mod places;

use anyhow::Result;

use crate::app::Context;
use crate::model::endpoint::Endpoint;
use crate::model::token_name::TokenName;
use crate::model::{text, time};
use crate::selection::overview::{Ranking, Subject};
use crate::selection::{Candidate, Reason, Source};
use crate::state::{Eligibility, Health, State, TokenInfo};
use crate::system::clock;
use crate::terminal;
use crate::terminal::width::natural;
use crate::terminal::{Cell, Column, Cut, Screen, Style, Table, print, print_json};
use places::{ELSEWHERE, Use};

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(about = "List the tokens, where each is stored, and which one is used where")]
pub(crate) struct Args {
    /// Show every rule, and every token that could be used in a place
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the tokens and where they are used.
///
/// # Errors
/// When the configuration or the state cannot be read.
pub(crate) fn run(list: Args) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    if list.json {
        return print_json(&json::as_json(&context, &state));
    }
    print(&as_text(&context, &state, list.verbose, Screen::stdout()))
}

/// The columns. On a narrow terminal the least important ones are dropped first.
const COLUMNS: [Column; 8] = [
    Column::new("NAME").shorten(12, Cut::Middle),
    Column::new("TOKEN").drop(5),
    Column::new("ACCOUNT").shorten(8, Cut::Middle).drop(3),
    Column::new("ROLE").drop(4),
    Column::new("STORAGE").shorten(16, Cut::End).drop(1),
    Column::new("EXPIRES").drop(2),
    Column::new("VERIFIED").drop(6),
    Column::new("STATUS").shorten(12, Cut::End),
];

fn as_text(context: &Context, state: &State, verbose: bool, screen: Screen) -> String {
    let mut table = Table::new(COLUMNS);
    let mut tokens: Vec<(&TokenName, &TokenInfo)> = state.tokens.iter().collect();
    tokens.sort_by(|(a, _), (b, _)| natural(a.as_str(), b.as_str()));
    for (name, token) in tokens {
        table.row(token_row(context, state, name, token));
    }
    for (name, command) in &context.config.commands {
        table.row(row(
            name.as_str(),
            None,
            &command.described(),
            None,
            word(Eligibility::Good),
        ));
    }
    for token in &context.env.tokens {
        let (hint, status) = match &token.secret {
            Ok(secret) => {
                let eligibility = context.eligibility_here(state, secret);
                (Some(secret.hint()), word(eligibility))
            }
            Err(error) => (None, Cell::styled(error.to_string(), Style::Red)),
        };
        table.row(row(token.variable, hint, "environment", None, status));
    }
    hf_rows(context, state, &mut table);
    if table.is_empty() && context.config.rules.is_empty() {
        let help = context.lost_home();
        let help = help.unwrap_or_else(|| "run `git credential-hf login NAME`".to_owned());
        return format!("There are no tokens yet: {help}\n");
    }
    let mut text = table.render(screen);
    for endpoint in endpoints(context, state) {
        let heading = screen.paint(Style::Bold, &text::sanitize(&endpoint.to_string()));
        text.push_str(&format!("\n{heading}\n"));
        let uses = uses(context, state, &endpoint);
        if uses.is_empty() {
            text.push_str(&format!(
                "  nothing yet: git credential-hf use NAME --for {}\n",
                context.typed(&endpoint, "NAMESPACE")
            ));
        }
        text.push_str(&places::render(&uses, verbose, screen));
    }
    text
}

/// Adds the hf CLI's tokens.
fn hf_rows(context: &Context, state: &State, table: &mut Table) {
    let tokens = match context.hf_cli().all() {
        Ok(tokens) => tokens,
        Err(error) => {
            terminal::say(&format!("the hf CLI's tokens: {error}"));
            return;
        }
    };
    for (token, active) in &tokens {
        let expires = match token.refresh_token {
            Some(_) => "renewed".into(),
            None => expiry(token.expires),
        };
        let status = match context.eligibility_here(state, &token.secret) {
            _ if token.has_expired(clock::now()) => Cell::styled("expired", Style::Red),
            Eligibility::Good if *active => Cell::styled("active", Style::Green),
            eligibility => word(eligibility),
        };
        table.row(row(
            &token.shown_name(),
            Some(token.secret.hint()),
            "hf CLI",
            Some(expires),
            status,
        ));
    }
}

/// When a token expires, relative to now.
fn expiry(at: Option<u64>) -> Cell {
    let Some(at) = at else {
        return "-".into();
    };
    let now = clock::now();
    let left = || format!("in {}", time::span(at.saturating_sub(now)));
    match Health::of_expiry(at, now) {
        Health::Expired(at) => Cell::styled(time::day(at), Style::Red),
        Health::ExpiresSoon(_) => Cell::styled(left(), Style::Yellow),
        Health::Good | Health::Rejected(_) => left().into(),
    }
}

/// A row for a token that is not stored here.
fn row(
    name: &str,
    hint: Option<String>,
    storage: &str,
    expires: Option<Cell>,
    status: Cell,
) -> [Cell; 8] {
    let dash = || Cell::from("-");
    [
        name.into(),
        hint.map_or_else(dash, Cell::from),
        dash(),
        dash(),
        storage.into(),
        expires.unwrap_or_else(dash),
        dash(),
        status,
    ]
}

fn token_row(context: &Context, state: &State, name: &TokenName, token: &TokenInfo) -> [Cell; 8] {
    let now = clock::now();
    let health = state.health(token, now);
    let facts = token.facts.as_ref();
    let account = token.account.clone().filter(|account| !account.is_empty());
    let verified = facts.map_or_else(
        || "never".to_owned(),
        |facts| match now.saturating_sub(facts.verified) {
            0..60 => "just now".to_owned(),
            seconds => format!("{} ago", time::span(seconds)),
        },
    );
    let is_default = context.config.default.as_ref() == Some(name);
    [
        match is_default {
            true => Cell::styled(name.as_str(), Style::Bold),
            false => name.as_str().into(),
        },
        token.hint.clone().into(),
        account.unwrap_or_else(|| "-".to_owned()).into(),
        facts
            .map_or_else(|| "-".to_owned(), |facts| facts.role.to_string())
            .into(),
        token.storage.described().into(),
        match token.is_renewed() && health == Health::Good {
            true => "renewed".into(),
            false => expiry(token.expires),
        },
        verified.into(),
        match health {
            Health::Expired(_) => Cell::styled("expired", Style::Red),
            Health::Rejected(_) => word(Eligibility::LastResort),
            // Only the Hub can say that a token is valid.
            _ if facts.is_some() => Cell::styled("ok", Style::Green),
            _ => word(Eligibility::Good),
        },
    ]
}

/// The Hubs that have a token or a rule, the public one first.
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

/// The table of places on one Hub and the tokens used there. The order is the one that `get` uses.
fn uses(context: &Context, state: &State, endpoint: &Endpoint) -> Vec<Use> {
    let mut uses = Vec::new();
    for row in context.overview(state, endpoint) {
        let place = match &row.subject {
            Subject::Repos(pattern) => pattern.without_endpoint(),
            Subject::Path(path) => path.clone(),
            Subject::Rest => ELSEWHERE.to_owned(),
        };
        let may_not_push = |source: &Source| {
            let mut push = row.push.candidates.iter();
            push.any(|it| it.source == *source && it.lack.is_some())
        };
        let mut add = |place: &str, of: &Ranking, push: bool| {
            for (at, candidate) in of.candidates.iter().enumerate() {
                // Otherwise it would be shown for every place.
                if at > 0 && candidate.reason == Reason::Any {
                    continue;
                }
                let equals = if at == 0 { of.equals.as_slice() } else { &[] };
                let lacks = push && may_not_push(&candidate.source);
                let mut used = used(place, candidate, equals, lacks);
                if let Source::Environment(variable) = &candidate.source
                    && context.env_secret(variable).is_err()
                {
                    used.broken = true;
                    used.why = "cannot be used".to_owned();
                }
                uses.push(used);
            }
        };
        let first = |of: &Ranking| of.first().map(|it| it.source.clone());
        if first(&row.fetch) == first(&row.push) {
            add(&place, &row.fetch, true);
        } else {
            add(&format!("{place}, fetch"), &row.fetch, false);
            add(&format!("{place}, push"), &row.push, true);
        }
    }
    uses
}

/// A token that git gets, and the step that chooses it.
fn used(place: &str, candidate: &Candidate, equals: &[TokenName], may_not_push: bool) -> Use {
    let token = match &candidate.source {
        Source::HfCli(None) => "hf".to_owned(),
        Source::HfCli(Some(name)) => format!("hf:{name}"),
        source => source.name().unwrap_or("the job's token").to_owned(),
    };
    let broken = matches!(candidate.source, Source::Unusable(..));
    let mut why = match candidate.reason.step() {
        "rule" | "scoped" => Vec::new(),
        step => vec![step.to_owned()],
    };
    if broken {
        why.push("missing".to_owned());
    }
    if may_not_push {
        why.push("may not push".to_owned());
    }
    if !equals.is_empty() {
        let others: Vec<&str> = equals.iter().map(TokenName::as_str).collect();
        why.push(format!("equal: {}", others.join(", ")));
    }
    Use {
        place: place.to_owned(),
        token,
        why: why.join(", "),
        broken,
    }
}

fn word(eligibility: Eligibility) -> Cell {
    match eligibility {
        Eligibility::Good => Cell::styled("not verified", Style::Yellow),
        Eligibility::LastResort | Eligibility::Withheld => Cell::styled("rejected", Style::Red),
    }
}
