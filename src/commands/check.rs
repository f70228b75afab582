//! `check`: would git's request work, and if not why.

use crate::app::token_source::Reader;
use crate::app::wording;
use crate::app::wording::remedy;
use crate::model::endpoint::Endpoint;
use crate::model::permissions::Facts;
use crate::model::secret::{Fingerprint, Secret};
use crate::selection::{Query, Source, TokenSource};
use crate::state::file::StateError;
use crate::system::clock;
use crate::terminal;
use anyhow::Result;
use serde_json::{Value, json};

use crate::app::Context;
use crate::app::choice;
use crate::app::target;
use crate::hub::Hub;
use crate::hub::HubError;
use crate::hub::diagnosis::Diagnosis;
use crate::hub::diagnosis::Evidence;
use crate::hub::diagnosis::Kind;
use crate::hub::diagnosis::diagnose;
use crate::model::permissions::Access;
use crate::model::repo::Location;
use crate::model::repo::Repo;
use crate::model::text;
use crate::selection::Candidate;
use crate::state::State;
use crate::terminal::AlreadyReported;
use crate::terminal::Failure;
use crate::terminal::print;
use crate::terminal::print_json;
use crate::terminal::{Screen, Style};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Check whether git can read a repo or push to it, and why not",
    long_about = "\
Takes the token that git would get and makes git's own first request with it. When the Hub
refuses, it is asked what the token may do, and the reason is told: the token is dead, its role
too low, a scope missing, the account's role in the organisation too low, the organisation's
policy, a gate not accepted, or no such repo. Exit code 0 means that it would work, 1 that not.",
    after_help = "\
Examples:
  git credential-hf check acme/x
  git credential-hf check datasets/acme/x --push
  cd some-clone && git credential-hf check --push && git push"
)]
pub struct Args {
    /// A repo or a URL; without one, the remotes of the current repository
    pub repo: Option<String>,
    /// Check a push instead of a read
    #[arg(long)]
    pub push: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Checks one repo, or those that the remotes at hand name.
///
/// # Errors
/// When one would not work: the reason has been printed.
pub fn run(check: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let locations = match &check.repo {
        Some(text) => vec![target::location(&context, text)?],
        None => target::remotes(&context)?,
    };
    let access = if check.push {
        Access::Write
    } else {
        Access::Read
    };
    let state = context.state_file.load()?;
    let mut results = Vec::new();
    for location in &locations {
        let repo = location.repo().ok_or_else(|| {
            Failure::new("the URL does not name a repo")
                .help("write acme/x or https://huggingface.co/acme/x")
        })?;
        results.push(one(&context, &state, location, &repo, access)?);
    }
    if check.json {
        let repos: Vec<Value> = results.iter().map(Verdict::as_json).collect();
        let json = json!({ "version": 1, "repos": repos });
        print_json(&json)?;
    } else {
        for result in &results {
            print(&result.as_text())?;
        }
    }
    if results.iter().all(|result| result.problem.is_none()) {
        Ok(())
    } else {
        Err(AlreadyReported.into())
    }
}

struct Verdict {
    repo: String,
    endpoint: String,
    access: &'static str,
    token: Option<String>,
    candidate: Option<(Candidate, String)>,
    problem: Option<Diagnosis>,
    notes: Vec<String>,
}

fn one(
    context: &Context,
    state: &State,
    location: &Location,
    repo: &Repo,
    access: Access,
) -> Result<Verdict> {
    let hub = Hub::new(&location.endpoint);
    let mut rejected = Rejected::default();
    if context.serves(&location.endpoint) {
        rejected = ask_about_rejected(context, state, location, &hub, repo, access)?;
    }
    let state = &context.state_file.load()?;
    let mut chosen = choice::choose_for(context, state, location)?;
    if chosen.rejected {
        // The Hub itself has just said more than what is remembered.
        chosen.said.pop();
    }
    let mut notes = rejected.notes;
    notes.append(&mut chosen.said);
    let mut verdict = Verdict {
        repo: repo.to_string(),
        endpoint: location.endpoint.to_string(),
        access: match access {
            Access::Read => "read",
            Access::Write => "push",
        },
        token: None,
        candidate: None,
        problem: None,
        notes,
    };
    verdict.notes.extend(target::not_called(&location.endpoint));
    let Some((candidate, loaded)) = chosen.token else {
        verdict.problem = match rejected.dead.into_iter().next() {
            None => without_token(&hub, repo, access),
            Some((candidate, hint)) => {
                let problem = diagnose(Evidence {
                    repo,
                    page: "",
                    access,
                    answer: &HubError::Rejected,
                    facts: None,
                    replace: &remedy(&candidate),
                });
                verdict.is_about(context, state, candidate, hint);
                Some(problem)
            }
        };
        return Ok(verdict);
    };
    for (candidate, _) in rejected.dead {
        verdict.notes.push(format!(
            "{} does not accept {}: {}",
            location.endpoint.authority(),
            wording::source_name(&candidate.source),
            remedy(&candidate)
        ));
    }
    verdict.is_about(context, state, candidate.clone(), loaded.secret.hint());
    let learned = Learned {
        context,
        endpoint: &location.endpoint,
        candidate: &candidate,
        secret: &loaded.secret,
    };
    let Err(answer) = hub.try_access(repo, access, Some(&loaded.secret)) else {
        learned.accepted(None);
        return Ok(verdict);
    };
    // The Hub allows few of these questions, so it is asked only where the answer can matter.
    let facts = match &answer {
        HubError::Forbidden(_) | HubError::NotFound => hub.whoami(&loaded.secret).ok(),
        _ => None,
    };
    match &facts {
        Some(facts) => learned.accepted(Some(facts)),
        None if matches!(answer, HubError::Rejected) => learned.rejected(),
        None => {}
    }
    verdict.problem = Some(diagnose(Evidence {
        repo,
        page: &format!("{}/{repo}", location.endpoint),
        access,
        answer: &answer,
        facts: facts.as_ref(),
        replace: &remedy(&candidate),
    }));
    Ok(verdict)
}

/// Asks about the tokens that would come into question here but for a rejection. It may have been
/// a wrong one: then it is cleared, and the choice is as it was before.
fn ask_about_rejected(
    context: &Context,
    state: &State,
    location: &Location,
    hub: &Hub,
    repo: &Repo,
    access: Access,
) -> Result<Rejected> {
    let wanted = Query::at(location);
    let selection = context
        .select(&wanted, state)
        .map_err(wording::select_failure)?;
    let mut reader = Reader::renewing(context, state);
    let mut asked: Vec<Fingerprint> = Vec::new();
    let mut found = Rejected::default();
    for candidate in &selection.candidates {
        let last_printed = || match &candidate.source {
            Source::Command(name) => state.commands.get(name)?.last().cloned(),
            _ => None,
        };
        let known = reader.known_fingerprint(candidate).or_else(last_printed);
        let is_rejected =
            |value: &Fingerprint| state.rejected_at(&location.endpoint, value).is_some();
        let Some(value) = known.filter(|value| is_rejected(value) && !asked.contains(value)) else {
            continue;
        };
        asked.push(value);
        // What cannot be read is said by the choice.
        let Ok(loaded) = reader.load(candidate) else {
            continue;
        };
        let learned = Learned {
            context,
            endpoint: &location.endpoint,
            candidate,
            secret: &loaded.secret,
        };
        let what = wording::source_name(&candidate.source);
        let host = location.endpoint.authority();
        match hub.try_access(repo, access, Some(&loaded.secret)) {
            Err(HubError::Rejected) => {
                learned.rejected();
                let dead = (candidate.clone(), loaded.secret.hint());
                found.dead.push(dead);
            }
            Ok(()) | Err(HubError::Forbidden(_) | HubError::NotFound) => {
                // A refusal of this repo is none of the token.
                learned.accepted(hub.whoami(&loaded.secret).ok().as_ref());
                found.notes.push(format!(
                    "{what} was rejected before, but {host} accepts it: git uses it again"
                ));
            }
            Err(error) => {
                let note = format!("{what} was rejected before, and now {error}");
                found.notes.push(note);
            }
        }
    }
    Ok(found)
}

/// What the Hub says of the tokens that were rejected before.
#[derive(Default)]
struct Rejected {
    /// Those that it does not accept now either, each with what may be shown of its value.
    dead: Vec<(Candidate, String)>,
    /// What became of the others.
    notes: Vec<String>,
}

/// What the Hub has just told of a token, to be remembered.
struct Learned<'a> {
    context: &'a Context,
    endpoint: &'a Endpoint,
    candidate: &'a Candidate,
    secret: &'a Secret,
}

impl Learned<'_> {
    /// It is dead: git's next command uses another, even where no program reports a refusal.
    fn rejected(&self) {
        let state_file = &self.context.state_file;
        let value = self.secret.fingerprint();
        if let Err(error) = state_file.reject(self.endpoint, &value, clock::now()) {
            terminal::say(&error.to_string());
        }
    }

    /// It is good; the facts are what the Hub says of it, where it was asked.
    fn accepted(&self, facts: Option<&Facts>) {
        if let Err(error) = self.try_accepted(facts) {
            terminal::say(&error.to_string());
        }
    }

    fn try_accepted(&self, facts: Option<&Facts>) -> Result<(), StateError> {
        let value = self.secret.fingerprint();
        let state_file = &self.context.state_file;
        state_file.lift(self.endpoint, &value)?;
        let (Some(facts), Source::Stored(name)) = (facts, &self.candidate.source) else {
            return Ok(());
        };
        state_file.update(|state| {
            let token = state.tokens.get_mut(name);
            if let Some(token) = token.filter(|token| token.fingerprint == value) {
                token.account = Some(facts.account.clone());
                token.expires = facts.expires.or(token.expires);
                token.facts = Some(Facts {
                    verified: clock::now(),
                    ..facts.clone()
                });
            }
            Ok(())
        })
    }
}

/// Without a token a public repo can be read, and nothing else.
fn without_token(hub: &Hub, repo: &Repo, access: Access) -> Option<Diagnosis> {
    match (access, hub.try_access(repo, access, None)) {
        (Access::Read, Ok(())) => None,
        (_, Err(answer @ (HubError::Unavailable(_) | HubError::Busy(_)))) => Some(Diagnosis {
            kind: Kind::Unavailable,
            message: answer.to_string(),
            help: "try again later".to_owned(),
        }),
        _ => Some(Diagnosis {
            kind: Kind::NoToken,
            message: format!("git has no token for {repo}, and the Hub asks for one"),
            help: "run `git credential-hf login NAME`, or set HF_TOKEN".to_owned(),
        }),
    }
}

impl Verdict {
    fn is_about(&mut self, context: &Context, state: &State, candidate: Candidate, hint: String) {
        self.token = Some(format!("{}, {hint}", context.describe(&candidate, state)));
        self.candidate = Some((candidate, hint));
    }

    fn as_text(&self) -> String {
        let screen = Screen::stdout();
        let token = self.token.clone().unwrap_or_else(|| "no token".to_owned());
        let mut text = String::new();
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        match &self.problem {
            None => {
                let ok = screen.paint(Style::Green, "ok");
                text.push_str(&format!(
                    "{ok}: {} {} works with {token}\n",
                    self.access, self.repo
                ));
            }
            Some(problem) => {
                let no = screen.paint(Style::Red, "no");
                text.push_str(&format!(
                    "{no}: {} {} fails with {token}\n  = reason: {}\n  = help: {}\n",
                    self.access,
                    self.repo,
                    text::one_line(&problem.message),
                    text::one_line(&problem.help)
                ));
            }
        }
        // The styles are ours; what came from outside was made safe above or is a name of ours.
        text
    }

    fn as_json(&self) -> Value {
        json!({
            "repo": self.repo,
            "endpoint": self.endpoint,
            "access": self.access,
            "works": self.problem.is_none(),
            "kind": self.candidate.as_ref().map(|(c, _)| c.source.kind()),
            "name": self.candidate.as_ref().and_then(|(c, _)| c.source.name()),
            "reason": self.candidate.as_ref().map(|(c, _)| c.reason.to_string()),
            "token": self.candidate.as_ref().map(|(_, hint)| hint),
            "problem": self.problem.as_ref().map(|p| json!({
                "kind": p.kind.name(),
                "message": text::one_line(&p.message),
                "help": text::one_line(&p.help),
            })),
            "notes": self.notes,
        })
    }
}
