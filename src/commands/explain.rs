//! `explain`: which token git gets for a repo, and why, from the very choice that `get` makes.

use crate::app::wording::select_failure;
use anyhow::Result;
use serde_json::{Value, json};

use crate::app::Context;
use crate::app::asked::Asked;
use crate::app::target;
use crate::app::token_source::Reader;
use crate::app::wording;
use crate::app::wording::source_name;
use crate::hf_cli::Which;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::repo::Location;
use crate::model::text;
use crate::selection::Candidate;
use crate::selection::Notice;
use crate::selection::Outcome;
use crate::selection::Source;
use crate::selection::TokenSource;
use crate::selection::choose;
use crate::state::Eligibility;
use crate::state::State;
use crate::storage::StorageKind;
use crate::system::clock;
use crate::terminal;
use crate::terminal::Style;
use crate::terminal::print;
use crate::terminal::print_json;

/// What `explain` is given.
#[derive(Debug, clap::Args)]
#[command(
    about = "Show which token git gets for a repo, and why",
    long_about = "\
Runs the very choice that git's request runs, and shows every candidate in order with the reason
it stands there. Nothing is changed and no secret is shown.",
    after_help = "\
Examples:
  git credential-hf explain acme/x
  git credential-hf explain acme/x --push
  git credential-hf explain https://huggingface.co/datasets/acme/x/tree/main
  cd some-clone && git credential-hf explain"
)]
pub struct Args {
    /// A repo (acme/x, datasets/acme/x) or a URL; without one, the remotes of the repository at hand
    pub repo: Option<String>,
    /// Explain a push instead of a fetch
    #[arg(long)]
    pub push: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Shows the candidates of one repo, or of the remotes of the repository at hand.
///
/// # Errors
/// When it is not clear which repo is meant, or a token asked for by name is not there.
pub fn run(explain: &Args) -> Result<()> {
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
    let mut answers = Vec::new();
    for location in &locations {
        answers.push(Answer::find(&context, &state, location, operation)?);
    }
    if explain.json {
        let answers: Vec<Value> = answers.iter().map(Answer::as_json).collect();
        let json = json!({ "version": 1, "repos": answers });
        return print_json(&json);
    }
    let texts: Vec<String> = answers.iter().map(Answer::as_text).collect();
    print(&texts.join("\n"))
}

struct Answer {
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
    place: String,
    hint: Option<String>,
    account: Option<String>,
    standing: &'static str,
    answers: bool,
}

impl Answer {
    fn find(
        context: &Context,
        state: &State,
        location: &Location,
        operation: Operation,
    ) -> Result<Self> {
        let mut asked = Asked::at(location);
        asked.query = asked.query.for_operation(Some(operation));
        let repo = location.repo().map(|repo| repo.to_string());
        let mut answer = Self {
            subject: repo
                .clone()
                .unwrap_or_else(|| "no repo in particular".to_owned()),
            endpoint: location.endpoint.to_string(),
            repo,
            inferred: false,
            operation,
            served: context.serves(&location.endpoint),
            rows: Vec::new(),
            notes: Vec::new(),
        };
        if !answer.served {
            answer.notes.push(format!(
                "{} is not a Hub of yours, so nothing is answered there; add it below [endpoints] in {}",
                location.endpoint,
                context.paths.config().display()
            ));
            return Ok(answer);
        }
        let selection = context
            .select(&asked.query, state)
            .map_err(select_failure)?;
        if selection.inferred
            && let Some(repo) = &selection.repo
        {
            answer.subject = repo.to_string();
            answer.repo = Some(repo.to_string());
            answer.inferred = true;
            answer
                .notes
                .push("asked without a path: the repo is taken from the remotes here".to_owned());
        }
        if let Some(alone) = location.repo().filter(|repo| repo.namespace.is_none()) {
            answer.notes.push(format!(
                "this is about the repo `{alone}`, which has no namespace; for those of a \
                 namespace, name one of them, such as {alone}/NAME"
            ));
        }
        answer.notes.extend(asked.username_note());
        for notice in &selection.notices {
            answer.notes.push(match notice {
                Notice::RemotesDisagree(repos) => format!(
                    "{}, so a program that asks without a path (git-xet) gets what suits none in \
                     particular, unless it is known which remote is in use",
                    crate::app::wording::disagree(repos)
                ),
                Notice::Equal(names) => wording::equal(&selection, names),
                Notice::UnknownUsername => {
                    let (why, help) = wording::unknown_username(asked.username_line());
                    format!("{why}: {help}")
                }
            });
        }
        let mut reader = Reader::new(context, state);
        let outcome = choose(
            &selection.candidates,
            state,
            &location.endpoint,
            &[],
            clock::now(),
            &mut reader,
        );
        let chosen = match outcome {
            Outcome::Offer { candidate, .. } | Outcome::Deferred(candidate) => Some(candidate),
            Outcome::Stopped(_, why) => {
                answer.notes.push(why);
                None
            }
            Outcome::AllRejected(_) | Outcome::Nothing => None,
        };
        answer.notes.append(&mut reader.said.clone());
        for candidate in &selection.candidates {
            let answers = chosen.as_ref() == Some(candidate);
            answer.rows.push(Row::new(
                context,
                state,
                &location.endpoint,
                &reader,
                candidate,
                answers,
            ));
        }
        if let Some(chosen) = chosen.as_ref()
            && let (Some(lack), Some(repo)) = (chosen.lack, &selection.repo)
        {
            let helps = context.would_do(&asked.query, repo, state);
            answer
                .notes
                .push(wording::will_be_refused(chosen, lack, repo, helps.as_ref()));
        }
        let not_called = asked.not_called(context).map(|it| it.to_string());
        answer.notes.extend(not_called);
        if answer.rows.is_empty() {
            answer
                .notes
                .push("no token: run `git credential-hf login NAME`, or set HF_TOKEN".to_owned());
        } else if chosen.is_none() {
            answer
                .notes
                .push("none of them can be answered now".to_owned());
        }
        Ok(answer)
    }

    fn as_text(&self) -> String {
        let bold = Style::new(std::io::IsTerminal::is_terminal(&std::io::stdout()), "1");
        let mut text = format!(
            "{}{} on {}\n",
            match self.operation {
                Operation::Fetch => "",
                Operation::Push => "push to ",
            },
            bold.paint(&text::sanitize(&self.subject)),
            self.endpoint
        );
        if !self.rows.is_empty() {
            let rows: Vec<Vec<String>> = self.rows.iter().map(Row::cells).collect();
            let header = ["", "TOKEN", "STEP", "WHY", "WHERE", "VALUE", "STATUS"];
            text.push_str(&terminal::table(&header, &rows));
        }
        for note in &self.notes {
            text.push_str(&format!("note: {}\n", text::one_line(note)));
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
        reader: &Reader<'_>,
        candidate: &Candidate,
        answers: bool,
    ) -> Self {
        let token = match &candidate.source {
            Source::Stored(name) => state.tokens.get(name),
            _ => None,
        };
        let hint = match &candidate.source {
            Source::Environment(variable) => context
                .env
                .tokens
                .iter()
                .find(|t| t.variable == *variable)
                .and_then(|t| {
                    t.secret
                        .as_ref()
                        .ok()
                        .map(crate::model::secret::Secret::hint)
                }),
            Source::HfCli(name) => {
                let read = context.hf_cli().read(Which::of(name.as_deref()));
                read.ok().map(|token| token.secret.hint())
            }
            Source::Exchange(exchange) => {
                let kept = reader.exchanged(exchange);
                kept.map(|kept| kept.secret.hint())
            }
            _ => token.map(|token| token.hint.clone()),
        };
        let standing = reader
            .known_fingerprint(candidate)
            .map_or(Eligibility::Good, |f| {
                state.standing(endpoint, &f, clock::now())
            });
        let is_exchanged = hint.is_some() || !matches!(candidate.source, Source::Exchange(_));
        Self {
            source: candidate.source.clone(),
            storage: token.map(|token| token.storage),
            name: source_name(&candidate.source),
            step: candidate.reason.step(),
            reason: candidate.reason.to_string(),
            place: context
                .place(&candidate.source, state)
                .unwrap_or_else(|| "not there".to_owned()),
            hint,
            account: token.and_then(|token| token.account.clone()),
            standing: match (answers, standing) {
                (true, _) if !is_exchanged => "git gets this, by an exchange when it asks",
                (true, _) => "git gets this",
                (_, Eligibility::Good) => "",
                (_, Eligibility::LastResort) => "rejected: only if nothing else is left",
                (_, Eligibility::Withheld) => "rejected a moment ago: not offered",
            },
            answers,
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            if self.answers { "->" } else { "" }.to_owned(),
            self.name.clone(),
            self.step.to_owned(),
            self.reason.clone(),
            self.place.clone(),
            self.hint.clone().unwrap_or_else(|| "-".to_owned()),
            self.standing.to_owned(),
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
            "status": self.standing,
            "answers": self.answers,
        })
    }
}
