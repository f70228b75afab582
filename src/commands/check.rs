//! `check`: would git's command work, and if not why. Git itself tries, and only after a failure is
//! the Hub asked for the reason.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::Context;
use crate::app::asked::Asked;
use crate::app::choice::{self, Chosen};
use crate::app::learned::{Learned, Rejected, ask_about_rejected};
use crate::app::target::Place;
use crate::app::token_source::TokenReader;
use crate::app::wording::{self, remedy};
use crate::git::elsewhere::{self, Login};
use crate::git::trial::{Attempt, Outcome, attempt};
use crate::hub::diagnosis::{Diagnosis, DiagnosisKind, Evidence, diagnose};
use crate::hub::{Hub, HubError};
use crate::model::operation::Operation;
use crate::model::permissions::{Access, MayWrite};
use crate::model::repo::Repo;
use crate::model::secret::Fingerprint;
use crate::model::text;
use crate::selection::{Candidate, LoadedToken, TokenSource};
use crate::state::{Eligibility, Origin, State};
use crate::system::clock;
use crate::terminal::{AlreadyReported, Failure, NotKnown, Screen, Style, print, print_json};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Check whether git can read a repo or push to it, and why not",
    long_about = "\
Lets git itself try, and changes nothing: `git ls-remote`, or with --push `git push --dry-run`, with
your configuration, variables, helpers and proxies. When git fails, the Hub is asked for the
reason: the token is dead, its role too low, a scope missing, the account's role in the
organisation too low, the organisation's policy, a gate not accepted, or no such repo. Exits 0 if
it would work, 1 if it would not, and 3 if the Hub cannot be reached.",
    after_help = "\
Examples:
  git credential-hf check acme/x
  git credential-hf check datasets/acme/x acme/y --push
  cd some-clone && git credential-hf check --push && git push"
)]
pub(crate) struct Args {
    /// Repos or URLs; without one, the remotes of the current repository
    #[arg(value_name = "REPO")]
    pub(crate) repos: Vec<String>,
    /// Check a push instead of a read
    #[arg(long)]
    pub(crate) push: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Checks repos, or those that the remotes of the current repository name.
///
/// # Errors
/// When one would not work, or that cannot be known: the reason has been printed.
pub(crate) fn run(check: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let access = if check.push {
        Access::Write
    } else {
        Access::Read
    };
    let places = if check.repos.is_empty() {
        Place::of_remotes(&context, access)?
    } else {
        let typed = check.repos.iter();
        typed
            .map(|text| Place::typed(&context, text))
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
            access,
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

/// Whether a problem leaves it open whether git's command would work.
fn is_open(problem: &Diagnosis) -> bool {
    problem.kind == DiagnosisKind::Unavailable
}

/// How many other tokens are tried where git's does not work.
const TRIES: usize = 3;

/// What is asked.
struct Question<'a> {
    context: &'a Context,
    place: &'a Place,
    repo: Repo,
    access: Access,
}

/// The answer.
struct Verdict {
    repo: String,
    endpoint: String,
    access: &'static str,
    /// With which token, in words.
    token: String,
    candidate: Option<(Candidate, String)>,
    problem: Option<Diagnosis>,
    notes: Vec<String>,
}

impl Question<'_> {
    fn answer(&self) -> Result<Verdict> {
        let Self { context, place, .. } = self;
        let location = &place.location;
        let hub = Hub::new(&location.endpoint);
        let state = context.state_file.load()?;
        let mut rejected = Rejected::default();
        if context.serves(&location.endpoint) {
            let (repo, access) = (&self.repo, self.access);
            rejected = ask_about_rejected(context, &state, location, &hub, repo, access)?;
        }
        let state = context.state_file.load()?;
        let mut chosen = choice::choose_for(context, &state, location, Some(self.access.into()))?;
        if chosen.rejected && !rejected.dead.is_empty() {
            // The Hub itself has just said more than what is remembered.
            chosen.said.pop();
        }
        let attempt = attempt(&place.for_git, self.access == Access::Write);
        let mut verdict = Verdict {
            repo: self.repo.to_string(),
            endpoint: location.endpoint.to_string(),
            access: match self.access {
                Access::Read => "read",
                Access::Write => "push",
            },
            token: "no token".to_owned(),
            candidate: None,
            problem: None,
            notes: std::mem::take(&mut rejected.notes),
        };
        let asked = Asked::at(location);
        verdict.notes.extend(asked.username_note());
        if let Some((last, refused)) = attempt.answers.split_last() {
            verdict.token.clone_from(last);
            verdict.candidate = self.candidate(&state, &chosen, last);
            let refused = refused.iter();
            let refused = refused.filter_map(|answer| self.candidate(&state, &chosen, answer));
            rejected.dead.extend(refused);
        }
        if attempt.outcome == Outcome::Worked {
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
            let tried = !matches!(attempt.outcome, Outcome::NotTried(_));
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
                    remedy(candidate)
                ));
            }
        }
        Ok(verdict)
    }

    /// The candidate that this helper answered git with, by the words in which it says so.
    fn candidate(
        &self,
        state: &State,
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
        let query = Asked::at(&self.place.location).query;
        let query = query.for_operation(Some(self.access.into()));
        let selection = self.context.select(&query, state).ok()?;
        let mut candidates = selection.candidates.into_iter();
        let candidate = candidates.find(|candidate| shown(candidate, hint))?;
        Some((candidate, hint.to_owned()))
    }

    /// What git logged in with, where this helper did not answer.
    fn other_login(&self, hub: &Hub, asked: &Asked, attempt: &Attempt) -> String {
        let anonymous = self.access == Access::Read && !attempt.asked && !attempt.accepted;
        if anonymous && hub.try_access(&self.repo, self.access, None).is_ok() {
            return "no token: it is public".to_owned();
        }
        let Place { location, for_git } = self.place;
        match elsewhere::login(location, for_git, asked.asking.as_ref(), attempt) {
            Some(login) => format!("another login: {}", login.what),
            None => "a login from elsewhere, such as ~/.netrc".to_owned(),
        }
    }
}

/// An attempt of git's that did not work.
struct Failed<'a> {
    question: &'a Question<'a>,
    hub: &'a Hub,
    state: &'a State,
    asked: &'a Asked,
    attempt: &'a Attempt,
}

impl Failed<'_> {
    fn explain(&self, verdict: &mut Verdict, chosen: Chosen, rejected: &mut Rejected) {
        match &self.attempt.outcome {
            Outcome::TooSlow => {
                let host = self.hub.endpoint().authority();
                verdict.problem = Some(unavailable(format!(
                    "git's attempt did not come to an end: {host} does not answer in time"
                )));
                return;
            }
            Outcome::NotTried(why) => {
                verdict.problem = Some(Diagnosis {
                    kind: DiagnosisKind::Unavailable,
                    message: why.clone(),
                    help: "see what is wrong with git: git credential-hf doctor".to_owned(),
                });
                return;
            }
            Outcome::Worked | Outcome::Failed(_) => {}
        }
        if let Some((candidate, hint)) = verdict.candidate.clone() {
            verdict.notes.extend(chosen.said);
            let loaded = match chosen.token {
                Some((same, loaded)) if same == candidate => Some(loaded),
                _ => TokenReader::new(self.question.context, self.state)
                    .load(&candidate)
                    .ok(),
            };
            let mut problem = match &loaded {
                Some(loaded) => self.with_token(&candidate, loaded),
                None => self.in_gits_words(&format!("git fails with {hint}")),
            };
            if let Some(loaded) = loaded
                && !matches!(
                    problem.kind,
                    DiagnosisKind::Unavailable | DiagnosisKind::Git
                )
                && let Some(other) = self.other_that_works(&candidate, &loaded.secret.fingerprint())
            {
                problem.help = format!("{other}; or {}", problem.help);
            }
            verdict.problem = Some(problem);
            return;
        }
        if let Some(dead) = rejected
            .dead
            .first()
            .cloned()
            .filter(|_| self.attempt.asked)
        {
            rejected.dead.remove(0);
            let (candidate, hint) = dead;
            verdict.problem = Some(self.diagnose(&candidate, &HubError::Rejected, None));
            verdict.token = wording::describe(&candidate, Some(&hint));
            verdict.candidate = Some((candidate, hint));
            return;
        }
        verdict.problem = Some(match rejected.unsure.take() {
            Some(unsure) if self.attempt.asked => unavailable(unsure),
            _ => self.without_token(&chosen),
        });
    }

    fn with_token(&self, candidate: &Candidate, loaded: &LoadedToken) -> Diagnosis {
        let Question {
            context,
            place,
            repo,
            access,
        } = self.question;
        let learned = Learned {
            context,
            endpoint: &place.location.endpoint,
            candidate,
            secret: &loaded.secret,
        };
        let Err(answer) = self.hub.try_access(repo, *access, Some(&loaded.secret)) else {
            learned.accepted(None);
            let accepted = "the Hub accepts this token, and git fails all the same";
            return match elsewhere::header(&place.location) {
                None => self.in_gits_words(accepted),
                Some(Login { what, help }) => Diagnosis {
                    help,
                    ..self.in_gits_words(&format!("{accepted}, for it sends {what} with it"))
                },
            };
        };
        // The Hub allows few of these questions, so it is asked only where the answer can matter.
        let facts = match &answer {
            HubError::Forbidden(_) | HubError::NotFound => self.hub.whoami(&loaded.secret).ok(),
            _ => None,
        };
        match &facts {
            Some(facts) => learned.accepted(Some(facts)),
            None if matches!(answer, HubError::Rejected) => learned.rejected(),
            None => {}
        }
        self.diagnose(candidate, &answer, facts.as_ref())
    }

    fn diagnose(
        &self,
        candidate: &Candidate,
        answer: &HubError,
        facts: Option<&crate::model::permissions::Facts>,
    ) -> Diagnosis {
        let Question { repo, access, .. } = self.question;
        diagnose(Evidence {
            repo,
            page: &format!("{}/{repo}", self.hub.endpoint()),
            access: *access,
            answer,
            facts,
            replace: &remedy(candidate),
        })
    }

    /// Another stored token with which the Hub allows it, and the command that lets git use that
    /// one.
    fn other_that_works(&self, failed: &Candidate, value: &Fingerprint) -> Option<String> {
        let Question {
            context,
            place,
            repo,
            access,
        } = self.question;
        // A token that was named takes precedence over every rule.
        if failed.reason.step() == "named" {
            return None;
        }
        let endpoint = &place.location.endpoint;
        let query = &self.asked.query;
        let mut others = context.would_do(query, repo, self.state, (*access).into());
        let unknown = self.state.tokens.iter().filter(|(_, token)| {
            token.facts.is_none() && token.origin == Origin::Login && token.endpoint == *endpoint
        });
        others.extend(unknown.map(|(name, _)| name.clone()));
        let mut tried = 0;
        others.into_iter().find_map(|name| {
            let token = self.state.tokens.get(&name)?;
            let standing = self
                .state
                .eligibility(endpoint, &token.fingerprint, clock::now());
            if token.fingerprint == *value || standing != Eligibility::Good || tried == TRIES {
                return None;
            }
            tried += 1;
            let record = context.read_stored(&name, token).ok()?;
            self.hub
                .try_access(repo, *access, Some(&record.secret))
                .ok()?;
            let may_write = token.facts.as_ref().map(|facts| facts.may_write(repo));
            let operation = match access {
                Access::Write => Some(Operation::Push),
                Access::Read if may_write == Some(MayWrite::Yes) => None,
                Access::Read => Some(Operation::Fetch),
            };
            let command = context.use_command(&name, endpoint, repo, operation);
            Some(format!("`{name}` works: run `{command}`"))
        })
    }

    /// This helper gave git nothing. Why, in the order in which it stands in the way: no way to
    /// the Hub, a login from elsewhere that the Hub refuses, git does not call, nothing to give.
    fn without_token(&self, chosen: &Chosen) -> Diagnosis {
        let Question {
            context,
            place,
            repo,
            access,
        } = self.question;
        let anonymous = self.hub.try_access(repo, *access, None);
        if let Err(error @ (HubError::Unavailable(_) | HubError::Busy(_))) = &anonymous {
            return unavailable(error.to_string());
        }
        let asking = self.asked.asking.as_ref();
        let login = elsewhere::login(&place.location, &place.for_git, asking, self.attempt);
        if let Some(Login { what, help }) = login {
            let why = format!("git uses another login, which does not work: {what}");
            return Diagnosis {
                help,
                ..self.in_gits_words(&why)
            };
        }
        if !self.attempt.asked {
            return match self.asked.not_called(context) {
                Some(not_called) => Diagnosis {
                    kind: DiagnosisKind::NotCalled,
                    message: not_called.why,
                    help: not_called.help,
                },
                None => self.in_gits_words("git fails before it asks for a token"),
            };
        }
        let missing = format!("git has no token for {repo}, and the Hub asks for one");
        if let Some((why, help)) = &chosen.unknown_username {
            return Diagnosis {
                kind: DiagnosisKind::NoToken,
                message: format!("{missing}: {why}"),
                help: help.clone(),
            };
        }
        if !chosen.said.is_empty() {
            return Diagnosis {
                kind: if chosen.rejected {
                    DiagnosisKind::TokenDead
                } else {
                    DiagnosisKind::NoToken
                },
                message: format!("{missing}: {}", chosen.said.join("; ")),
                help: "see what is wrong: git credential-hf doctor".to_owned(),
            };
        }
        Diagnosis {
            kind: DiagnosisKind::NoToken,
            message: missing,
            help: context.without_token(&place.location.endpoint, Some(repo)),
        }
    }

    fn in_gits_words(&self, why: &str) -> Diagnosis {
        let said = match &self.attempt.outcome {
            Outcome::Failed(words) if !words.is_empty() => format!(": {words}"),
            _ => String::new(),
        };
        Diagnosis {
            kind: DiagnosisKind::Git,
            message: format!("{why}{said}"),
            help: "see what is in the way: git credential-hf doctor".to_owned(),
        }
    }
}

fn unavailable(message: String) -> Diagnosis {
    Diagnosis {
        kind: DiagnosisKind::Unavailable,
        message,
        help: "try again later".to_owned(),
    }
}

impl Verdict {
    fn as_text(&self) -> String {
        let screen = Screen::stdout();
        let mut text = String::new();
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        let (word, style, ends) = match &self.problem {
            None => ("ok", Style::Green, "works"),
            Some(problem) if is_open(problem) => ("not known", Style::Yellow, "could not be tried"),
            Some(_) => ("no", Style::Red, "fails"),
        };
        text.push_str(&format!(
            "{}: {} {} {ends} with {}\n",
            screen.paint(style, word),
            self.access,
            self.repo,
            self.token
        ));
        if let Some(problem) = &self.problem {
            text.push_str(&format!(
                "  = reason: {}\n  = help: {}\n",
                text::one_line(&problem.message),
                text::one_line(&problem.help)
            ));
        }
        // The styles are ours; what came from outside was made safe above or is a name of ours.
        text
    }

    fn as_json(&self) -> Value {
        let works = match &self.problem {
            None => Some(true),
            Some(problem) if is_open(problem) => None,
            Some(_) => Some(false),
        };
        json!({
            "repo": self.repo,
            "endpoint": self.endpoint,
            "access": self.access,
            "works": works,
            "with": self.token,
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
