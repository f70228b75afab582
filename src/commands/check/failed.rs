//! Finds out why git's attempt failed, and which command helps.

use super::Question;
use super::verdict::Verdict;
use crate::app::advice::FIND_CAUSE;
use crate::app::asked::Asked;
use crate::app::choice::Chosen;
use crate::app::learned::{Learned, Rejected, say_failure};
use crate::app::token_source::TokenReader;
use crate::app::wording::{self, remedy};
use crate::git::other_login::{self, Login};
use crate::git::trial::{Attempt, AttemptOutcome};
use crate::hub::diagnosis::{Diagnosis, DiagnosisKind, Evidence, diagnose};
use crate::hub::{Hub, HubError};
use crate::model::operation::Operation;
use crate::model::permissions::{Facts, MayWrite};
use crate::model::secret::Fingerprint;
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, LoadedToken, Source, TokenSource};
use crate::state::{Eligibility, Origin, State};
use crate::system::clock;

/// How many other tokens are tried if git's does not work.
const TRIES: usize = 3;

/// A failed attempt by git.
pub(super) struct Failed<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) hub: &'a Hub,
    pub(super) state: &'a State,
    pub(super) asked: &'a Asked,
    pub(super) attempt: &'a Attempt,
}

impl Failed<'_> {
    pub(super) fn explain(&self, verdict: &mut Verdict, chosen: Chosen, rejected: &mut Rejected) {
        match &self.attempt.outcome {
            AttemptOutcome::TooSlow => {
                let host = self.hub.endpoint().authority();
                verdict.problem = Some(unavailable(format!(
                    "git's attempt timed out: {host} does not answer"
                )));
                return;
            }
            AttemptOutcome::NotTried(why) => {
                verdict.problem = Some(Diagnosis {
                    kind: DiagnosisKind::Unavailable,
                    message: why.clone(),
                    help: FIND_CAUSE.to_owned(),
                });
                return;
            }
            AttemptOutcome::Worked | AttemptOutcome::Failed(_) => {}
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
            operation,
        } = self.question;
        let learned = Learned {
            context,
            endpoint: &place.location.endpoint,
            name: candidate.source.stored(),
            secret: &loaded.secret,
        };
        let Err(answer) = self.hub.try_access(repo, *operation, Some(&loaded.secret)) else {
            say_failure(learned.accepted(None));
            let accepted = "the Hub accepts this token, but git still fails";
            return match other_login::header(&place.location) {
                None => self.in_gits_words(accepted),
                Some(Login { what, help }) => Diagnosis {
                    help,
                    ..self.in_gits_words(&format!("{accepted}, because it also sends {what}"))
                },
            };
        };
        // The Hub limits these requests, so it is asked only if the answer can matter.
        let facts = match &answer {
            HubError::Forbidden(_) | HubError::NotFound => self.hub.whoami(&loaded.secret).ok(),
            _ => None,
        };
        match &facts {
            Some(facts) => say_failure(learned.accepted(Some(facts))),
            None if matches!(answer, HubError::Rejected) => say_failure(learned.rejected()),
            None => {}
        }
        self.diagnose(candidate, &answer, facts.as_ref())
    }

    fn diagnose(
        &self,
        candidate: &Candidate,
        answer: &HubError,
        facts: Option<&Facts>,
    ) -> Diagnosis {
        let Question {
            repo, operation, ..
        } = self.question;
        diagnose(Evidence {
            repo,
            endpoint: self.hub.endpoint(),
            operation: *operation,
            answer,
            facts,
            replace: &self.replace(candidate),
        })
    }

    /// What to do about a rejected token. If git's `store` saved it, git has already had it erased.
    fn replace(&self, candidate: &Candidate) -> String {
        let Question { context, repo, .. } = self.question;
        let is_gone = |name: &TokenName| {
            let now = context.state_file.load();
            self.state.tokens.contains_key(name)
                && now.is_ok_and(|now| !now.tokens.contains_key(name))
        };
        match &candidate.source {
            Source::Stored(name) if is_gone(name) => {
                let help = context.without_token(self.hub.endpoint(), Some(repo));
                format!("it was removed just now; {help}")
            }
            _ => remedy(candidate, self.state),
        }
    }

    /// Finds another stored token that works, and the command that lets git use it.
    fn other_that_works(&self, failed: &Candidate, value: &Fingerprint) -> Option<String> {
        let Question {
            context,
            place,
            repo,
            operation,
        } = self.question;
        // A named token takes precedence over every rule.
        if failed.reason.step() == "named" {
            return None;
        }
        let endpoint = &place.location.endpoint;
        let query = &self.asked.query;
        let mut others = context.would_do(query, repo, self.state, *operation);
        let unknown = self.state.tokens.iter().filter(|(_, token)| {
            token.facts.is_none() && token.origin == Origin::Login && token.endpoint == *endpoint
        });
        others.extend(unknown.map(|(name, _)| name.clone()));
        let mut tried = 0;
        others.into_iter().find_map(|name| {
            let token = self.state.tokens.get(&name)?;
            let eligibility = self
                .state
                .eligibility(endpoint, &token.fingerprint, clock::now());
            if token.fingerprint == *value || eligibility != Eligibility::Good || tried == TRIES {
                return None;
            }
            tried += 1;
            let record = context.read_stored(&name, token).ok()?;
            self.hub
                .try_access(repo, *operation, Some(&record.secret))
                .ok()?;
            let may_write = token.facts.as_ref().map(|facts| facts.may_write(repo));
            let for_rule = match operation {
                Operation::Fetch if may_write == Some(MayWrite::Yes) => None,
                _ => Some(*operation),
            };
            let command = context.use_command(&name, endpoint, repo, for_rule);
            Some(format!("`{name}` works: run `{command}`"))
        })
    }

    /// Says why this helper gave git no token: the Hub cannot be reached, the Hub refuses a login
    /// from elsewhere, git does not call this helper, or there is no token.
    fn without_token(&self, chosen: &Chosen) -> Diagnosis {
        let Question {
            context,
            place,
            repo,
            operation,
        } = self.question;
        let anonymous = self.hub.try_access(repo, *operation, None);
        if let Err(error @ (HubError::Unavailable(_) | HubError::Busy(_))) = &anonymous {
            return unavailable(error.to_string());
        }
        let login = other_login::find(
            &place.location,
            &place.for_git,
            self.asked.helpers(),
            self.attempt,
        );
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
        // The help says it once for all of them.
        let said = chosen.said.iter();
        let said: Vec<&str> = said
            .map(|line| match line.strip_suffix(FIND_CAUSE) {
                Some(why) => why.trim_end_matches("; "),
                None => line,
            })
            .collect();
        if !said.is_empty() {
            return Diagnosis {
                kind: if chosen.rejected {
                    DiagnosisKind::TokenDead
                } else {
                    DiagnosisKind::NoToken
                },
                message: format!("{missing}: {}", said.join("; ")),
                help: FIND_CAUSE.to_owned(),
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
            AttemptOutcome::Failed(words) if !words.is_empty() => format!(": {words}"),
            _ => String::new(),
        };
        Diagnosis {
            kind: DiagnosisKind::Git,
            message: format!("{why}{said}"),
            help: FIND_CAUSE.to_owned(),
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
