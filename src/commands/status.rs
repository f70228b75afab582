//! `status`: is git set up, which tokens are there, and what goes wrong soon.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::Context;
use crate::app::asked::Asked;
use crate::app::choice::{Choice, Purpose};
use crate::app::target;
use crate::app::wording::{self, source_name};
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::model::secret::{Secret, TokenKind};
use crate::model::text::{one_line, sanitize};
use crate::model::time;
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, Outcome};
use crate::state::{Eligibility, State, TokenInfo};
use crate::system::clock;
use crate::terminal;
use crate::terminal::width::natural;
use crate::terminal::{Cell, Column, Cut, Screen, Style, Table, print, print_json};

/// The arguments of `status`.
#[derive(Debug, Default, clap::Args)]
#[command(
    about = "Show whether git is set up, and the tokens, the default and what needs attention",
    long_about = "\
Shows whether git calls this helper, which tokens there are, which one is the default, and what
needs attention: tokens that were rejected, that expire soon, or that the Hub has not been asked
about for 30 days. Inside a clone it also shows which token its fetch and its push get. Nothing is
changed, no secret is shown, and the network is not used."
)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// For how long what the Hub said of a token counts as known, in seconds.
const STALE: u64 = 30 * 86_400;

/// Shows the overview.
///
/// # Errors
/// When the configuration or the state cannot be read.
pub(crate) fn run(status: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    let overview = Overview::of(&context, &state);
    if status.json {
        return print_json(&overview.as_json());
    }
    print(&overview.as_text(Screen::stdout()))
}

struct Overview {
    hubs: Vec<HubRow>,
    named: Option<String>,
    variables: Vec<Variable>,
    tokens: Vec<TokenRow>,
    default: Option<DefaultToken>,
    here: Vec<Here>,
    /// Why the tokens may not be found.
    lost_home: Option<String>,
    /// The Hub that the environment's tokens are for.
    environments: Option<Endpoint>,
}

/// A Hub, and whether git calls this helper for it; `None` where git cannot be asked.
struct HubRow {
    endpoint: Endpoint,
    called: Option<bool>,
    /// Why not, and what helps.
    why: Option<String>,
}

/// A token in the environment.
struct Variable {
    name: &'static str,
    hint: Option<String>,
    /// What is wrong with it.
    problem: Option<String>,
}

/// A token, from wherever.
struct TokenRow {
    name: String,
    hint: Option<String>,
    account: Option<String>,
    place: String,
    endpoint: Option<Endpoint>,
    expires: Option<u64>,
    verified: Option<u64>,
    notes: Vec<String>,
}

struct DefaultToken {
    name: TokenName,
    exists: bool,
}

/// A Hub remote of the repository in the working directory, and what git gets for it.
struct Here {
    subject: String,
    endpoint: Endpoint,
    fetch: Answer,
    push: Answer,
}

/// The token that git gets, or why it gets none.
enum Answer {
    Token {
        candidate: Candidate,
        /// `None` for one that the Hub makes when git asks.
        hint: Option<String>,
        /// Why the Hub will refuse a push with it.
        lack: Option<String>,
    },
    None(String),
}

impl Overview {
    fn of(context: &Context, state: &State) -> Self {
        let default = context.config.default.clone().map(|name| DefaultToken {
            exists: exists(context, state, &name),
            name,
        });
        Self {
            hubs: hubs(context),
            named: context.env.token_name.clone(),
            variables: variables(context, state),
            tokens: tokens(context, state),
            default,
            here: here(context, state),
            lost_home: context.lost_home(),
            environments: context.env.endpoint(),
        }
    }

    fn as_text(&self, screen: Screen) -> String {
        let mut text = String::new();
        let mut say = |style: Option<Style>, line: &str| {
            // Styles of others, in a name or an error, do not pass.
            let line = screen.wrap(&sanitize(line), 0, 2);
            let line = style.map_or_else(|| line.clone(), |style| screen.paint(style, &line));
            text.push_str(&line);
            text.push('\n');
        };
        for HubRow {
            endpoint,
            called,
            why,
        } in &self.hubs
        {
            match called {
                Some(true) => say(
                    Some(Style::Green),
                    &format!("git calls this helper for {endpoint}"),
                ),
                Some(false) => say(Some(Style::Red), why.as_deref().unwrap_or_default()),
                None => say(
                    Some(Style::Red),
                    &format!(
                        "whether git calls this helper for {endpoint} is not known: git does not run"
                    ),
                ),
            }
        }
        if let Some(name) = &self.named {
            let name = one_line(name);
            say(
                Some(Style::Yellow),
                &format!(
                    "GIT_CREDENTIAL_HF_TOKEN_NAME is set: git gets `{name}` everywhere, and nothing else"
                ),
            );
        }
        for Variable {
            name,
            hint,
            problem,
        } in &self.variables
        {
            let line = match (hint, problem) {
                (Some(hint), None) => {
                    let endpoint = self.environments.as_ref();
                    let of = endpoint.filter(|endpoint| !endpoint.is_hugging_face());
                    let of = of.map_or_else(String::new, |endpoint| format!(" of {endpoint}"));
                    format!(
                        "{name} is set ({hint}): it takes precedence over the default token{of}"
                    )
                }
                (Some(hint), Some(problem)) => format!("{name} is set ({hint}), but {problem}"),
                (None, problem) => {
                    let problem = problem.as_deref().unwrap_or("it is not a token");
                    format!("{name} is set, but is not used: {problem}")
                }
            };
            let style = problem.as_ref().map_or(Style::Yellow, |_| Style::Red);
            say(Some(style), &line);
        }
        match &self.default {
            Some(DefaultToken { name, exists: true }) => {
                say(None, &format!("the default token is `{name}`"));
            }
            Some(DefaultToken { name, .. }) => say(
                Some(Style::Red),
                &format!(
                    "the default token is `{name}`, which does not exist: run `git credential-hf use NAME --default`"
                ),
            ),
            None => {}
        }
        text.push('\n');
        if self.tokens.is_empty() && self.variables.is_empty() {
            let help = self.lost_home.as_deref();
            let help = help.unwrap_or("run `git credential-hf login`");
            text.push_str(&format!("there are no tokens yet: {help}\n"));
        } else if self.tokens.is_empty() {
            text.push_str("there are no stored tokens\n");
        } else {
            let mut table = Table::new([
                Column::new("NAME").shorten(12, Cut::Middle),
                Column::new("TOKEN").drop(3),
                Column::new("ACCOUNT").shorten(8, Cut::Middle).drop(2),
                Column::new("STORAGE").shorten(16, Cut::End).drop(1),
                Column::new("STATUS").shorten(12, Cut::End),
            ]);
            let mut tokens: Vec<&TokenRow> = self.tokens.iter().collect();
            tokens.sort_by(|a, b| natural(&a.name, &b.name));
            for token in tokens {
                table.row(token.cells());
            }
            text.push_str(&table.render(screen));
        }
        if !self.here.is_empty() {
            text.push('\n');
        }
        for here in &self.here {
            for line in here.as_text().lines() {
                text.push_str(&screen.wrap(&sanitize(line), 0, 2));
                text.push('\n');
            }
        }
        text
    }

    fn as_json(&self) -> Value {
        let hubs = self
            .hubs
            .iter()
            .map(|hub| json!({ "endpoint": hub.endpoint.to_string(), "git_calls_us": hub.called }));
        let variables = self.variables.iter().map(|variable| {
            json!({
                "variable": variable.name,
                "token": variable.hint,
                "problem": variable.problem,
            })
        });
        let tokens = self.tokens.iter().map(|token| {
            json!({
                "name": token.name,
                "token": token.hint,
                "account": token.account,
                "storage": token.place,
                "endpoint": token.endpoint.as_ref().map(ToString::to_string),
                "expires": token.expires,
                "verified": token.verified,
                "notes": token.notes,
            })
        });
        let here = self.here.iter().map(|here| {
            json!({
                "repo": here.subject,
                "endpoint": here.endpoint.to_string(),
                "fetch": here.fetch.as_json(),
                "push": here.push.as_json(),
            })
        });
        let default = self.default.as_ref();
        json!({
            "version": 1,
            "hubs": hubs.collect::<Vec<_>>(),
            "token_name": self.named.as_deref().map(one_line),
            "environment": variables.collect::<Vec<_>>(),
            "default": default.map(|default| json!({
                "name": default.name,
                "exists": default.exists,
            })),
            "tokens": tokens.collect::<Vec<_>>(),
            "here": here.collect::<Vec<_>>(),
        })
    }
}

impl TokenRow {
    fn cells(&self) -> [Cell; 5] {
        let or_dash = |text: &Option<String>| text.as_deref().unwrap_or("-").into();
        let bad = ["rejected", "expired"];
        let status = match self.notes.as_slice() {
            [] => Cell::styled("ok", Style::Green),
            notes if notes.iter().any(|note| bad.contains(&note.as_str())) => {
                Cell::styled(notes.join(", "), Style::Red)
            }
            notes => Cell::styled(notes.join(", "), Style::Yellow),
        };
        [
            self.name.as_str().into(),
            or_dash(&self.hint),
            or_dash(&self.account),
            self.place.as_str().into(),
            status,
        ]
    }

    fn stored(state: &State, name: &TokenName, token: &TokenInfo) -> Self {
        Self {
            name: name.to_string(),
            hint: Some(token.hint.clone()),
            account: token.account.clone().filter(|account| !account.is_empty()),
            place: token.storage.described().to_owned(),
            endpoint: Some(token.endpoint.clone()),
            expires: token.expires,
            verified: token.facts.as_ref().map(|facts| facts.verified),
            notes: notes(state, token, clock::now()),
        }
    }
}

/// What needs attention.
fn notes(state: &State, token: &TokenInfo, now: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if state.eligibility(&token.endpoint, &token.fingerprint, now) != Eligibility::Good {
        notes.push("rejected".to_owned());
    }
    // Those of a browser login are renewed by themselves.
    let renewed =
        token.hint.starts_with(TokenKind::OAuth.prefix()) && token.renewal_failed.is_none();
    match token.expires {
        _ if renewed => {}
        Some(at) if at <= now => notes.push("expired".to_owned()),
        Some(at) if time::ends_soon(at, now) => {
            notes.push(format!("expires in {}", time::span(at - now)));
        }
        _ => {}
    }
    match token
        .facts
        .as_ref()
        .map(|facts| time::since(facts.verified, now))
    {
        None => notes.push("not verified".to_owned()),
        Some(u64::MAX) => notes.push("verified at a time in the future".to_owned()),
        Some(ago) if ago > STALE => notes.push(format!("not verified for {}", time::span(ago))),
        Some(_) => {}
    }
    notes
}

impl Here {
    fn as_text(&self) -> String {
        let subject = &self.subject;
        let both = self.fetch.in_words("get");
        if both == self.push.in_words("get") {
            return format!("{subject}: fetch and push {both}\n");
        }
        let (fetch, push) = (self.fetch.in_words("gets"), self.push.in_words("gets"));
        format!("{subject}: fetch {fetch}\n{subject}: push {push}\n")
    }
}

impl Answer {
    fn in_words(&self, verb: &str) -> String {
        match self {
            Self::Token {
                candidate,
                hint,
                lack,
            } => {
                let lack = lack.iter().map(|lack| format!(", but {lack}"));
                let what = wording::describe(candidate, hint.as_deref());
                format!("{verb} {what}{}", lack.collect::<String>())
            }
            Self::None(why) => format!("{verb} no token: {why}"),
        }
    }

    fn as_json(&self) -> Value {
        match self {
            Self::Token {
                candidate, hint, ..
            } => json!({
                "token": hint,
                "source": source_name(&candidate.source),
                "reason": candidate.reason.to_string(),
            }),
            Self::None(why) => json!({ "token": null, "reason": why }),
        }
    }
}

fn hubs(context: &Context) -> Vec<HubRow> {
    let mut endpoints: Vec<Endpoint> = vec![Endpoint::hugging_face()];
    let others = context.config.endpoints.keys().cloned();
    for endpoint in others.chain(context.env.endpoint()) {
        if !endpoints.contains(&endpoint) && context.serves(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    let row = |endpoint: Endpoint| {
        let asked = Asked::at(&Location::of(&endpoint));
        HubRow {
            called: asked.asking.as_ref().map(|asking| asking.ours.is_some()),
            why: asked.not_called(context).map(|why| why.to_string()),
            endpoint,
        }
    };
    endpoints.into_iter().map(row).collect()
}

fn variables(context: &Context, state: &State) -> Vec<Variable> {
    let endpoint = context.env.endpoint();
    let rejected = |secret: &Secret| {
        let standing = endpoint
            .as_ref()
            .map(|endpoint| state.eligibility(endpoint, &secret.fingerprint(), clock::now()));
        standing.is_some_and(|standing| standing != Eligibility::Good)
    };
    let variable = |token: &crate::system::environment::EnvToken| match &token.secret {
        Ok(secret) => Variable {
            name: token.variable,
            hint: Some(secret.hint()),
            problem: if rejected(secret) {
                Some("it was rejected".to_owned())
            } else {
                not_a_token(context, secret)
            },
        },
        Err(error) => Variable {
            name: token.variable,
            hint: None,
            problem: Some(error.to_string()),
        },
    };
    context.env.tokens.iter().map(variable).collect()
}

/// Why a value that could be a token is of no use.
fn not_a_token(context: &Context, secret: &Secret) -> Option<String> {
    match context.env.endpoint() {
        None => {
            let sent = context.config.endpoints.values().any(|options| options.env);
            let why = "is not used, because HF_ENDPOINT does not name a Hub";
            (!sent).then(|| why.to_owned())
        }
        Some(endpoint) => (!secret.may_belong_to(&endpoint))
            .then(|| "it does not look like a Hub token".to_owned()),
    }
}

fn tokens(context: &Context, state: &State) -> Vec<TokenRow> {
    let stored = state.tokens.iter();
    let mut rows: Vec<TokenRow> = stored
        .map(|(name, token)| TokenRow::stored(state, name, token))
        .collect();
    for (name, command) in &context.config.commands {
        let program = command.arguments.first().map_or("", String::as_str);
        rows.push(TokenRow {
            name: name.to_string(),
            hint: None,
            account: None,
            place: format!("command {program}"),
            endpoint: Some(command.endpoint.clone()),
            expires: None,
            verified: None,
            notes: Vec::new(),
        });
    }
    match context.hf_cli().all() {
        Err(error) => terminal::say(&format!("the hf CLI's tokens: {error}")),
        Ok(tokens) => rows.extend(tokens.iter().map(|(token, active)| TokenRow {
            name: token.shown_name(),
            hint: Some(token.secret.hint()),
            account: None,
            place: "hf CLI".to_owned(),
            endpoint: context.env.endpoint(),
            expires: token.expires,
            verified: None,
            notes: hf_notes(context, state, token, *active),
        })),
    }
    rows
}

fn hf_notes(
    context: &Context,
    state: &State,
    token: &crate::hf_cli::HfToken,
    active: bool,
) -> Vec<String> {
    let now = clock::now();
    let standing = context
        .env
        .endpoint()
        .map(|endpoint| state.eligibility(&endpoint, &token.secret.fingerprint(), now));
    let mut notes = Vec::new();
    if active {
        notes.push("active".to_owned());
    }
    if standing.is_some_and(|standing| standing != Eligibility::Good) {
        notes.push("rejected".to_owned());
    }
    if token.expires.is_some_and(|at| at <= now) {
        notes.push("expired".to_owned());
    }
    notes
}

fn exists(context: &Context, state: &State, name: &TokenName) -> bool {
    match name.of_hf_cli() {
        Some(hf_name) => context
            .hf_cli()
            .names()
            .iter()
            .any(|known| known == hf_name),
        None => state.tokens.contains_key(name) || context.config.commands.contains_key(name),
    }
}

fn here(context: &Context, state: &State) -> Vec<Here> {
    // Outside a clone there is nothing to say.
    let locations = target::remotes(context).unwrap_or_default();
    let one = |location: &Location| {
        let get = |operation| answer(context, state, location, operation);
        let repo = location.repo().map(|repo| repo.to_string());
        Here {
            subject: repo.unwrap_or_else(|| location.endpoint.to_string()),
            endpoint: location.endpoint.clone(),
            fetch: get(Operation::Fetch),
            push: get(Operation::Push),
        }
    };
    locations.iter().map(one).collect()
}

/// What git gets at a place, without a renewal or any other request to the Hub.
fn answer(context: &Context, state: &State, location: &Location, operation: Operation) -> Answer {
    let wanted = Asked::at(location).query.for_operation(Some(operation));
    let choice = match Choice::make(context, state, &wanted, Purpose::Show) {
        Ok(choice) => choice,
        Err(error) => return Answer::None(context.select_failure(state, error).to_string()),
    };
    let lack = |candidate: &Candidate| {
        let (lack, repo) = (candidate.lack?, choice.selection.repo.as_ref()?);
        Some(wording::lack(lack, repo))
    };
    match choice.outcome {
        Outcome::Offer {
            candidate, loaded, ..
        } => Answer::Token {
            lack: lack(&candidate),
            hint: Some(loaded.secret.hint()),
            candidate,
        },
        Outcome::Deferred(candidate) => Answer::Token {
            candidate,
            hint: None,
            lack: None,
        },
        Outcome::Stopped(_, why) => Answer::None(why),
        Outcome::AllRejected(candidate) => {
            Answer::None(format!("{} was rejected", source_name(&candidate.source)))
        }
        Outcome::Nothing => Answer::None(match choice.reader.said.first() {
            Some(why) => why.clone(),
            None => context.without_token(&location.endpoint, location.repo().as_ref()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permissions::Facts;
    use crate::state::samples::{hub, token};

    const DAY: u64 = 86_400;
    const NOW: u64 = 1000 * DAY;

    #[test]
    fn what_needs_attention() {
        let verified = |at: u64| {
            Some(Facts {
                verified: at,
                ..Facts::default()
            })
        };
        let with = |expires: Option<u64>, facts: Option<Facts>, hint: &str| TokenInfo {
            expires,
            facts,
            hint: hint.to_owned(),
            ..token()
        };
        let fresh = verified(NOW - DAY);
        for (token, expected) in [
            (with(None, fresh.clone(), "hf_x"), &[][..]),
            (with(None, None, "hf_x"), &["not verified"]),
            (
                with(None, verified(NOW - 31 * DAY), "hf_x"),
                &["not verified for 31 days"],
            ),
            (with(None, verified(NOW - 30 * DAY), "hf_x"), &[]),
            (with(Some(NOW), fresh.clone(), "hf_x"), &["expired"]),
            (
                with(Some(NOW + 7 * DAY), fresh.clone(), "hf_x"),
                &["expires in 7 days"],
            ),
            (with(Some(NOW + 7 * DAY + 1), fresh.clone(), "hf_x"), &[]),
            // A browser login is renewed.
            (with(Some(NOW + 60), fresh.clone(), "hf_oauth_x"), &[]),
        ] {
            assert_eq!(notes(&State::default(), &token, NOW), expected);
        }
        let mut state = State::default();
        let rejected = with(None, fresh, "hf_x");
        state.reject(&hub(), &rejected.fingerprint, NOW);
        assert_eq!(notes(&state, &rejected, NOW), ["rejected"]);
    }
}
