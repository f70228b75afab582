//! `check`: finds out whether git can read a repo or push to it, and why not. Git itself tries. Only
//! after a failure is the Hub asked for the reason.

mod failed;
mod verdict;

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::Context;
use crate::app::asked::Asked;
use crate::app::choice::{self, Chosen};
use crate::app::learned::{Learned, Rejected, ask_about_rejected, say_failure};
use crate::app::target::Target;
use crate::app::wording::{self, remedy};
use crate::git::other_login;
use crate::git::trial::{Attempt, AttemptOutcome, attempt};
use crate::hub::Hub;
use crate::model::operation::Operation;
use crate::model::repo::Repo;
use crate::selection::Candidate;
use crate::state::State;
use crate::terminal::{AlreadyReported, Failure, NotKnown, print, print_json};
use failed::Failed;
use verdict::{Verdict, is_open};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Check whether git can fetch from or push to a repo, and if not, why",
    long_about = "\
Lets git itself try, and changes nothing: `git ls-remote`, or with --push `git push --dry-run`, with
your configuration, variables, helpers and proxies. When git fails, the Hub is asked for the
reason: the token is dead, its role too low, a scope missing, the account's role in the
organisation too low, the organisation's policy, the terms of a gated repo not accepted, or no such repo. Exits 0 if
it would work, 1 if it would not, and 3 if the Hub cannot be reached.",
    after_help = "\
Examples:
  git credential-hf check acme/x
  git credential-hf check datasets/acme/x acme/y --push
  cd some-clone && git credential-hf check --push && git push"
)]
pub(crate) struct Args {
    /// Repos or URLs; by default, the remotes of the current repository
    #[arg(value_name = "REPO")]
    pub(crate) repos: Vec<String>,
    /// Check a push instead of a fetch
    #[arg(long)]
    pub(crate) push: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Checks repos, or those that the remotes of the current repository name.
///
/// # Errors
/// When one of them does not work, or that is not known. The reason has been printed.
pub(crate) fn run(check: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let operation = if check.push {
        Operation::Push
    } else {
        Operation::Fetch
    };
    let places = if check.repos.is_empty() {
        Target::of_remotes(&context, operation)?
    } else {
        let typed = check.repos.iter();
        typed
            .map(|text| Target::typed(&context, text))
            .collect::<Result<_>>()?
    };
    let mut verdicts = Vec::new();
    for place in &places {
        let repo = place.location.repo().ok_or_else(|| {
            Failure::new("the URL does not name a repo")
                .help("write acme/x or https://huggingface.co/acme/x")
        })?;
        let question = Question {
            context: &context,
            place,
            repo,
            operation,
        };
        verdicts.push(question.answer()?);
    }
    if check.json {
        let repos: Vec<Value> = verdicts.iter().map(Verdict::as_json).collect();
        print_json(&json!({ "version": 1, "repos": repos }))?;
    } else {
        for verdict in &verdicts {
            print(&verdict.as_text())?;
        }
    }
    let problems = verdicts.iter().filter_map(|it| it.problem.as_ref());
    let known: Vec<bool> = problems.map(|problem| !is_open(problem)).collect();
    match known.as_slice() {
        [] => Ok(()),
        known if known.contains(&true) => Err(AlreadyReported.into()),
        _ => Err(NotKnown.into()),
    }
}

/// A question: may git read this repo, or push to it?
struct Question<'a> {
    context: &'a Context,
    place: &'a Target,
    repo: Repo,
    operation: Operation,
}

impl Question<'_> {
    fn answer(&self) -> Result<Verdict> {
        let Self { context, place, .. } = self;
        let location = &place.location;
        let hub = Hub::new(&location.endpoint);
        let asked = Asked::at(location).for_operation(Some(self.operation));
        let state = context.state_file.load()?;
        let mut rejected = Rejected::default();
        if context.serves(&location.endpoint) {
            rejected =
                ask_about_rejected(context, &state, &asked, &hub, &self.repo, self.operation)?;
        }
        let state = context.state_file.load()?;
        let mut chosen = choice::choose_for(context, &state, &asked)?;
        if chosen.rejected && !rejected.dead.is_empty() {
            // The Hub has just confirmed the rejection.
            chosen.said.pop();
        }
        let attempt = attempt(&place.for_git, self.operation);
        let mut verdict = Verdict {
            repo: self.repo.to_string(),
            endpoint: location.endpoint.to_string(),
            operation: self.operation,
            token: "no token".to_owned(),
            candidate: None,
            problem: None,
            notes: std::mem::take(&mut rejected.notes),
        };
        verdict.notes.extend(asked.username_note());
        if let Some((last, refused)) = attempt.answers.split_last() {
            verdict.token.clone_from(last);
            verdict.candidate = self.candidate(&state, &asked, &chosen, last);
            let refused = refused.iter();
            let refused =
                refused.filter_map(|answer| self.candidate(&state, &asked, &chosen, answer));
            rejected.dead.extend(refused);
        }
        if attempt.outcome == AttemptOutcome::Worked {
            self.correct(&hub, &chosen);
            verdict.notes.append(&mut chosen.said);
            if attempt.answers.is_empty() {
                verdict.token = self.other_login(&hub, &asked, &attempt);
            }
        } else {
            let failure = Failed {
                question: self,
                hub: &hub,
                state: &state,
                asked: &asked,
                attempt: &attempt,
            };
            failure.explain(&mut verdict, chosen, &mut rejected);
            let tried = !matches!(attempt.outcome, AttemptOutcome::NotTried(_));
            if let Some(problem) = verdict.problem.as_mut().filter(|it| tried && is_open(it))
                && let Some(proxy) = hub.proxy()
            {
                let message = &problem.message;
                problem.message = format!("{message}; requests go through the proxy {proxy}");
            }
        }
        verdict.notes.extend(rejected.unsure.take());
        if verdict.candidate.is_some() {
            for (candidate, _) in &rejected.dead {
                verdict.notes.push(format!(
                    "{} does not accept {}: {}",
                    location.endpoint.authority(),
                    wording::source_name(&candidate.source),
                    remedy(candidate, &state)
                ));
            }
        }
        Ok(verdict)
    }

    /// Asks the Hub about a token that has just done what it was not known to be able to do.
    fn correct(&self, hub: &Hub, chosen: &Chosen) {
        let Some((candidate, loaded)) = &chosen.token else {
            return;
        };
        if candidate.lack.is_some()
            && let Ok(facts) = hub.whoami(&loaded.secret)
        {
            let learned = Learned {
                context: self.context,
                endpoint: hub.endpoint(),
                name: candidate.source.stored(),
                secret: &loaded.secret,
            };
            say_failure(learned.accepted(Some(&facts)));
        }
    }

    /// The candidate that this helper answered with, found by its description in the trace.
    fn candidate(
        &self,
        state: &State,
        asked: &Asked,
        chosen: &Chosen,
        answered: &str,
    ) -> Option<(Candidate, String)> {
        let shown = |candidate: &Candidate, hint: &str| {
            wording::describe(candidate, Some(hint)) == answered
        };
        if let Some((candidate, loaded)) = &chosen.token {
            let hint = loaded.secret.hint();
            if shown(candidate, &hint) {
                return Some((candidate.clone(), hint));
            }
        }
        let hint = wording::hint_in(answered)?;
        let selection = self.context.select(&asked.query, state).ok()?;
        let mut candidates = selection.candidates.into_iter();
        let candidate = candidates.find(|candidate| shown(candidate, hint))?;
        Some((candidate, hint.to_owned()))
    }

    /// What git logged in with, if this helper did not answer.
    fn other_login(&self, hub: &Hub, asked: &Asked, attempt: &Attempt) -> String {
        let anonymous = self.operation == Operation::Fetch && !attempt.asked && !attempt.accepted;
        if anonymous && hub.try_access(&self.repo, self.operation, None).is_ok() {
            return "no token: it is public".to_owned();
        }
        let Target { location, for_git } = self.place;
        match other_login::find(location, for_git, asked.helpers(), attempt) {
            Some(login) => format!("another login: {}", login.what),
            None => "a login from elsewhere, such as ~/.netrc".to_owned(),
        }
    }
}
