//! `explain`: which token git gets for a repo, and why. It makes the same choice as `get`.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::asked::Asked;
use crate::app::choice::{Choice, Purpose};
use crate::app::token_source::TokenReader;
use crate::app::wording::short_name;
use crate::app::{Context, target, wording};
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::model::text;
use crate::selection::{Candidate, Notice, Outcome, Reason, Selection, Source, TokenSource};
use crate::state::{Eligibility, State};
use crate::storage::StorageKind;
use crate::system::clock;
use crate::terminal::{Cell, Column, Cut, Screen, Style, Table, print, print_json};

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Show which token git gets for a repo, and why",
    long_about = "\
Chooses a token exactly as it does when git asks, and lists every candidate in the order in which it
would be used, with the reason. Nothing is changed, and no secret is shown.",
    after_help = "\
Examples:
  git credential-hf explain acme/x
  git credential-hf explain acme/x --push
  git credential-hf explain https://huggingface.co/datasets/acme/x/tree/main
  cd some-clone && git credential-hf explain"
)]
pub(crate) struct Args {
    /// A repo (acme/x, datasets/acme/x) or a URL; by default, the remotes of the current repository
    pub(crate) repo: Option<String>,
    /// Explain a push instead of a fetch
    #[arg(long)]
    pub(crate) push: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows the candidates of one repo, or of the remotes of the current repository.
///
/// # Errors
/// When it is not clear which repo is meant, or a token asked for by name does not exist.
pub(crate) fn run(explain: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let locations = match &explain.repo {
        Some(text) => vec![target::location(&context, text)?],
        None => target::remotes(&context)?,
    };
    let state = context.state_file.load()?;
    let operation = match explain.push {
        true => Operation::Push,
        false => Operation::Fetch,
    };
    let mut explanations = Vec::new();
    for location in &locations {
        explanations.push(Explanation::find(&context, &state, location, operation)?);
    }
    if explain.json {
        let explanations: Vec<Value> = explanations.iter().map(Explanation::as_json).collect();
        let json = json!({ "version": 1, "repos": explanations });
        return print_json(&json);
    }
    let screen = Screen::stdout();
    let texts: Vec<String> = explanations.iter().map(|it| it.as_text(screen)).collect();
    print(&texts.join("\n"))
}

/// The columns. On a narrow terminal the least important ones are dropped first.
const COLUMNS: [Column; 7] = [
    Column::new(""),
    Column::new("NAME").shorten(16, Cut::Middle),
    Column::new("STEP").drop(3),
    Column::new("WHY").shorten(18, Cut::End),
    Column::new("STORAGE").shorten(16, Cut::End).drop(1),
    Column::new("TOKEN").drop(2),
    Column::new("STATUS").shorten(13, Cut::End),
];

struct Explanation {
    subject: String,
    endpoint: String,
    repo: Option<String>,
    inferred: bool,
    operation: Operation,
    served: bool,
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    source: Source,
    storage: Option<StorageKind>,
    name: String,
    step: &'static str,
    reason: String,
    why: String,
    place: String,
    hint: Option<String>,
    account: Option<String>,
    status: &'static str,
    answers: bool,
}

impl Explanation {
    fn find(
        context: &Context,
        state: &State,
        location: &Location,
        operation: Operation,
    ) -> Result<Self> {
        let asked = Asked::at(location).for_operation(Some(operation));
        let mut answer = Self::empty(location, operation);
        if !context.serves(&location.endpoint) {
            answer.notes.push(format!(
                "{} is not one of your Hubs, so git gets no token there: add it below [endpoints] in {}",
                location.endpoint,
                context.paths.config().display()
            ));
            return Ok(answer);
        }
        answer.served = true;
        let endpoint = &location.endpoint;
        let Choice {
            selection,
            outcome,
            reader,
        } = Choice::make(context, state, &asked.query, Purpose::Show)
            .map_err(|error| context.select_failure(state, error))?;
        answer.say_what_it_is_about(location, &selection);
        answer.notes.extend(asked.username_note());
        answer.say_notices(&asked, &selection);
        let equals = context.equals(&asked.query, state);
        if !equals.is_empty() {
            let line = context.equal(endpoint, &selection, &equals);
            answer.notes.push(line);
        }
        let deferred = matches!(outcome, Outcome::Deferred(_));
        let chosen = match outcome {
            Outcome::Offer { candidate, .. } | Outcome::Deferred(candidate) => Some(candidate),
            Outcome::Stopped(_, why) => {
                answer.notes.push(why);
                None
            }
            Outcome::AllRejected(_) | Outcome::Nothing => None,
        };
        answer.notes.extend(reader.said.iter().cloned());
        answer.rows.extend(selection.candidates.iter().map(|it| {
            let mut row = Row::new(context, state, endpoint, &reader, it);
            if chosen.as_ref() == Some(it) {
                row.answers = true;
                row.status = match it.source {
                    _ if !deferred => "git gets this",
                    Source::Exchange(_) => "git gets this, by an exchange when it asks",
                    _ => "git gets this, renewed when it asks",
                };
            }
            row
        }));
        if let Some(chosen) = &chosen
            && let (Some(lack), Some(repo)) = (chosen.lack, &selection.repo)
        {
            let line = context.will_be_refused(&asked.query, chosen, lack, repo, state);
            answer.notes.push(line);
        }
        let not_called = asked.not_called(context).map(|it| it.to_string());
        answer.notes.extend(not_called);
        let said = selection.notices.contains(&Notice::UnknownUsername);
        if answer.rows.is_empty() && !said {
            let help = context.without_token(endpoint, selection.repo.as_ref());
            let line = format!("there is no token for it: {help}");
            answer.notes.push(line);
        } else if chosen.is_none() && !answer.rows.is_empty() {
            let line = "none of these can be used now".to_owned();
            answer.notes.push(line);
        }
        Ok(answer)
    }

    fn empty(location: &Location, operation: Operation) -> Self {
        let repo = location.repo().map(|repo| repo.to_string());
        Self {
            subject: repo
                .clone()
                .unwrap_or_else(|| "no repo in particular".to_owned()),
            endpoint: location.endpoint.to_string(),
            repo,
            inferred: false,
            operation,
            served: false,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Says which repo the answer is about, where the location leaves that open.
    fn say_what_it_is_about(&mut self, location: &Location, selection: &Selection) {
        if selection.inferred
            && let Some(repo) = &selection.repo
        {
            self.subject = repo.to_string();
            self.repo = Some(repo.to_string());
            self.inferred = true;
            let line = "this URL has no path: the repo is taken from the remotes of the current repository";
            self.notes.push(line.to_owned());
        }
        if let Some(alone) = location.repo().filter(|repo| repo.namespace.is_none()) {
            self.notes.push(format!(
                "`{alone}` is read as a repo without a namespace; for the repos of the namespace \
                 `{alone}`, name one of them, such as {alone}/NAME"
            ));
        }
    }

    fn say_notices(&mut self, asked: &Asked, selection: &Selection) {
        for notice in &selection.notices {
            self.notes.push(match notice {
                Notice::RemotesDisagree(repos) => format!(
                    "{}, so a program that asks without a path (git-xet) gets a token that is for \
                     neither in particular, unless the remote in use is known",
                    wording::disagree(repos)
                ),
                Notice::UnknownUsername => {
                    let (why, help) = wording::unknown_username(asked.username_line());
                    format!("{why}: {help}")
                }
            });
        }
    }

    fn as_text(&self, screen: Screen) -> String {
        let subject = screen.paint(Style::Bold, &screen.text(&text::sanitize(&self.subject)));
        let what = match self.operation {
            Operation::Fetch => "",
            Operation::Push => "push to ",
        };
        let mut text = format!("{what}{subject} on {}\n", self.endpoint);
        if !self.rows.is_empty() {
            let mut table = Table::new(COLUMNS);
            for row in &self.rows {
                table.row(row.cells());
            }
            text.push_str(&table.render(screen));
        }
        for note in &self.notes {
            let note = screen.wrap(&text::one_line(note), 6, 6);
            text.push_str(&format!("{}: {note}\n", screen.paint(Style::Cyan, "note")));
        }
        text
    }

    fn as_json(&self) -> Value {
        let candidates: Vec<Value> = self.rows.iter().map(Row::as_json).collect();
        json!({
            "endpoint": self.endpoint,
            "repo": self.repo,
            "inferred": self.inferred,
            "operation": self.operation.to_string(),
            "served": self.served,
            "candidates": candidates,
            "notes": self.notes,
        })
    }
}

impl Row {
    fn new(
        context: &Context,
        state: &State,
        endpoint: &Endpoint,
        reader: &TokenReader<'_>,
        candidate: &Candidate,
    ) -> Self {
        let name = candidate.source.stored();
        let token = name.and_then(|name| state.tokens.get(name));
        let hint = match &candidate.source {
            Source::Exchange(exchange) => {
                let kept = reader.exchanged(exchange);
                kept.map(|kept| kept.secret.hint())
            }
            source => context.hint(source, state),
        };
        let eligibility = reader
            .known_fingerprint(candidate)
            .map_or(Eligibility::Good, |f| {
                state.eligibility(endpoint, &f, clock::now())
            });
        Self {
            source: candidate.source.clone(),
            storage: token.map(|token| token.storage),
            name: short_name(&candidate.source),
            step: candidate.reason.step(),
            reason: candidate.reason.to_string(),
            why: match &candidate.reason {
                // Under the heading WHY this is enough.
                Reason::Rule(pattern) => format!("rule `{pattern}`"),
                reason => reason.to_string(),
            },
            place: context
                .place(&candidate.source, state)
                .unwrap_or_else(|| "missing".to_owned()),
            hint,
            account: token.and_then(|token| token.account.clone()),
            status: match eligibility {
                Eligibility::Good => "",
                Eligibility::LastResort => "rejected: a last resort",
                Eligibility::Withheld => "rejected just now",
            },
            answers: false,
        }
    }

    fn cells(&self) -> [Cell; 7] {
        let status = match self.answers {
            true => Cell::styled(self.status, Style::Green),
            false => Cell::styled(self.status, Style::Red),
        };
        [
            match self.answers {
                true => Cell::styled("→", Style::Green),
                false => " ".into(),
            },
            match self.answers {
                true => Cell::styled(self.name.as_str(), Style::Bold),
                false => self.name.as_str().into(),
            },
            self.step.into(),
            self.why.as_str().into(),
            self.place.as_str().into(),
            self.hint.clone().unwrap_or_else(|| "-".to_owned()).into(),
            status,
        ]
    }

    fn as_json(&self) -> Value {
        json!({
            "kind": self.source.kind(),
            "name": self.source.name(),
            "step": self.step,
            "reason": self.reason,
            "storage": self.storage,
            "token": self.hint,
            "account": self.account,
            "status": self.status,
            "answers": self.answers,
        })
    }
}
