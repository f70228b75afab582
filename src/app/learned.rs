//! What the Hub tells of a token while a command asks it something: remembered for the next one.

use anyhow::Result;

use crate::app::Context;
use crate::app::asked::Asked;
use crate::app::token_source::TokenReader;
use crate::app::wording;
use crate::hub::Hub;
use crate::hub::HubError;
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::permissions::Access;
use crate::model::permissions::Facts;
use crate::model::repo::Repo;
use crate::model::secret::Fingerprint;
use crate::model::secret::Secret;
use crate::selection::Candidate;
use crate::selection::Source;
use crate::selection::TokenSource;
use crate::state::State;
use crate::state::file::StateError;
use crate::system::clock;
use crate::terminal;

/// Asks about the tokens that would come into question here but for a rejection. It may have been
/// a wrong one: then it is cleared, and the choice is as it was before.
///
/// # Errors
/// When a token asked for by name cannot be had.
pub(crate) fn ask_about_rejected(
    context: &Context,
    state: &State,
    location: &Location,
    hub: &Hub,
    repo: &Repo,
    access: Access,
) -> Result<Rejected> {
    let query = Asked::at(location).query;
    let query = query.for_operation(Some(access.into()));
    let selection = context
        .select(&query, state)
        .map_err(|error| context.select_failure(state, error))?;
    let mut reader = TokenReader::renewing(context, state);
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
                let unsure = format!("{what} was rejected before, and now {error}");
                found.unsure.get_or_insert(unsure);
            }
        }
    }
    Ok(found)
}

/// What the Hub says of the tokens that were rejected before.
#[derive(Debug, Default)]
pub(crate) struct Rejected {
    /// Those that it does not accept now either, each with what may be shown of its value.
    pub(crate) dead: Vec<(Candidate, String)>,
    /// Of one of them the Hub says neither yes nor no.
    pub(crate) unsure: Option<String>,
    /// What became of the others.
    pub(crate) notes: Vec<String>,
}

/// What the Hub has just told of a token, to be remembered.
#[derive(Debug)]
pub(crate) struct Learned<'a> {
    /// This run's handles.
    pub(crate) context: &'a Context,
    /// The Hub.
    pub(crate) endpoint: &'a Endpoint,
    /// The token.
    pub(crate) candidate: &'a Candidate,
    /// Its value.
    pub(crate) secret: &'a Secret,
}

impl Learned<'_> {
    /// It is dead: git's next command uses another, even where no program reports a refusal.
    pub(crate) fn rejected(&self) {
        let state_file = &self.context.state_file;
        let value = self.secret.fingerprint();
        if let Err(error) = state_file.reject(self.endpoint, &value, clock::now()) {
            terminal::say(&error.to_string());
        }
    }

    /// It is good; the facts are what the Hub says of it, where it was asked.
    pub(crate) fn accepted(&self, facts: Option<&Facts>) {
        if let Err(error) = self.try_accepted(facts) {
            terminal::say(&error.to_string());
        }
    }

    fn try_accepted(&self, facts: Option<&Facts>) -> Result<(), StateError> {
        let value = self.secret.fingerprint();
        let state_file = &self.context.state_file;
        state_file.clear_rejection(self.endpoint, &value)?;
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
