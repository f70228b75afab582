//! `status`: shows whether git is set up, the tokens, and what needs attention.

mod clone;
mod tokens;

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::asked::{Asked, NotCalled};
use crate::app::{Context, lookup};
use crate::git::run::ReadError;
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::secret::Secret;
use crate::model::text::{one_line, sanitize};
use crate::model::token_name::TokenName;
use crate::state::{Eligibility, State};
use crate::system::environment::EnvToken;
use crate::terminal::width::natural;
use crate::terminal::{Column, Cut, Screen, Style, Table, print, print_json};
use clone::Here;
use tokens::TokenRow;

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
    /// Why the tokens may not be found, if that is known.
    lost_home: Option<String>,
}

/// A Hub, and why git does not call this helper for it, if it does not; or why this is not known.
struct HubRow {
    endpoint: Endpoint,
    not_called: Result<Option<NotCalled>, ReadError>,
}

/// A token in an environment variable.
struct Variable {
    name: &'static str,
    hint: Option<String>,
    /// What is wrong with it.
    problem: Option<String>,
    /// The tokens that it takes precedence over, if there are any.
    shadows: Option<String>,
}

struct DefaultToken {
    name: TokenName,
    exists: bool,
}

impl HubRow {
    fn as_text(&self) -> (Style, String) {
        let endpoint = &self.endpoint;
        match &self.not_called {
            Ok(None) => (
                Style::Green,
                format!("git calls this helper for {endpoint}"),
            ),
            Ok(Some(why)) => (Style::Red, why.to_string()),
            Err(error) => {
                let why = error.in_gits_words();
                let line =
                    format!("cannot tell whether git calls this helper for {endpoint}: {why}");
                (Style::Red, line)
            }
        }
    }
}

impl Variable {
    fn as_text(&self) -> (Style, String) {
        let name = self.name;
        let line = match (&self.hint, &self.problem) {
            (Some(hint), None) => match &self.shadows {
                Some(others) => {
                    format!("{name} is set ({hint}): it takes precedence over {others}")
                }
                None => format!("{name} is set ({hint})"),
            },
            (Some(hint), Some(problem)) => format!("{name} is set ({hint}), but {problem}"),
            (None, problem) => {
                let problem = problem.as_deref().unwrap_or("it is not a token");
                format!("{name} is set, but is not used: {problem}")
            }
        };
        let style = self.problem.as_ref().map_or(Style::Yellow, |_| Style::Red);
        (style, line)
    }
}

impl DefaultToken {
    fn as_text(&self) -> (Option<Style>, String) {
        let line = format!("the default token is `{}`", self.name);
        match self.exists {
            true => (None, line),
            false => (
                Some(Style::Red),
                format!("{line}, which does not exist: run `git credential-hf use NAME --default`"),
            ),
        }
    }
}

impl Overview {
    fn of(context: &Context, state: &State) -> Self {
        let default = context.config.default.clone().map(|name| DefaultToken {
            exists: lookup::exists(context, state, &name),
            name,
        });
        Self {
            hubs: hubs(context),
            named: context.env.token_name.clone(),
            variables: variables(context, state),
            tokens: tokens::tokens(context, state),
            default,
            here: clone::here(context, state),
            lost_home: context.lost_home(),
        }
    }

    fn as_text(&self, screen: Screen) -> String {
        let mut text = String::new();
        let mut say = |style: Option<Style>, line: &str| {
            // Escapes in a name or an error are removed.
            let line = screen.wrap(&sanitize(line), 0, 2);
            let line = style.map_or_else(|| line.clone(), |style| screen.paint(style, &line));
            text.push_str(&line);
            text.push('\n');
        };
        for hub in &self.hubs {
            let (style, line) = hub.as_text();
            say(Some(style), &line);
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
        for variable in &self.variables {
            let (style, line) = variable.as_text();
            say(Some(style), &line);
        }
        if let Some(default) = &self.default {
            let (style, line) = default.as_text();
            say(style, &line);
        }
        text.push('\n');
        text.push_str(&self.tokens_as_text(screen));
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

    fn tokens_as_text(&self, screen: Screen) -> String {
        if self.tokens.is_empty() {
            if !self.variables.is_empty() {
                return "there are no stored tokens\n".to_owned();
            }
            let help = self.lost_home.as_deref();
            let help = help.unwrap_or("run `git credential-hf login`");
            return format!("there are no tokens yet: {help}\n");
        }
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
        table.render(screen)
    }

    fn as_json(&self) -> Value {
        let hubs = self.hubs.iter().map(|hub| {
            json!({
                "endpoint": hub.endpoint.to_string(),
                "git_calls_us": hub.not_called.as_ref().ok().map(Option::is_none),
            })
        });
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
        let not_called = match &asked.settings {
            Ok(_) => Ok(asked.not_called(context)),
            Err(error) => Err(*error),
        };
        HubRow {
            endpoint,
            not_called,
        }
    };
    endpoints.into_iter().map(row).collect()
}

fn variables(context: &Context, state: &State) -> Vec<Variable> {
    let endpoint = context.env.endpoint();
    let shadows = endpoint.and_then(|endpoint| shadowed(context, state, &endpoint));
    let variable = |token: &EnvToken| match &token.secret {
        Ok(secret) => Variable {
            name: token.variable,
            shadows: shadows.clone(),
            hint: Some(secret.hint()),
            problem: if context.eligibility_here(state, secret) != Eligibility::Good {
                Some("it was rejected".to_owned())
            } else {
                not_a_token(context, secret)
            },
        },
        Err(error) => Variable {
            name: token.variable,
            hint: None,
            problem: Some(error.to_string()),
            shadows: None,
        },
    };
    context.env.tokens.iter().map(variable).collect()
}

/// The tokens that the environment takes precedence over on its Hub.
fn shadowed(context: &Context, state: &State, endpoint: &Endpoint) -> Option<String> {
    let of = match endpoint.is_hugging_face() {
        true => String::new(),
        false => format!(" of {endpoint}"),
    };
    if context.config.default_for(endpoint).is_some() {
        return Some(format!("the default token{of}"));
    }
    let mut tokens = state.tokens.values();
    let others = tokens.any(|token| token.endpoint == *endpoint);
    others.then(|| format!("each token{of} that neither a rule nor its scopes choose"))
}

/// Why a value that could be a token is not used.
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
