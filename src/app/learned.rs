//! Remembers what the Hub says about a token when a command asks it something.

use anyhow::Result;

use crate::app::asked::Asked;
use crate::app::token_source::TokenReader;
use crate::app::{Context, wording};
use crate::hub::{Hub, HubError};
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::permissions::Facts;
use crate::model::repo::Repo;
use crate::model::secret::{Fingerprint, Secret};
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, Source, TokenSource};
use crate::state::State;
use crate::state::file::StateError;
use crate::system::clock;
use crate::terminal;

/// Asks the Hub about the candidates that are remembered as rejected. A rejection that turns out to
/// be wrong is cleared.
///
/// # Errors
/// When a token asked for by name does not exist.
pub(crate) fn ask_about_rejected(
    context: &Context,
    state: &State,
    asked: &Asked,
    hub: &Hub,
    repo: &Repo,
    operation: Operation,
) -> Result<Rejected> {
    let endpoint = hub.endpoint();
    let selection = context
        .select(&asked.query, state)
        .map_err(|error| context.select_failure(state, error))?;
    let mut reader = TokenReader::renewing(context, state);
    let mut values: Vec<Fingerprint> = Vec::new();
    let mut found = Rejected::default();
    for candidate in &selection.candidates {
        let last_printed = || match &candidate.source {
            Source::Command(name) => state.commands.get(name)?.last().cloned(),
            _ => None,
        };
        let known = reader.known_fingerprint(candidate).or_else(last_printed);
        let is_rejected = |value: &Fingerprint| state.rejected_at(endpoint, value).is_some();
        let Some(value) = known.filter(|value| is_rejected(value) && !values.contains(value))
        else {
            continue;
        };
        values.push(value);
        // The choice reports what cannot be read.
        let Ok(loaded) = reader.load(candidate) else {
            continue;
        };
        let learned = Learned {
            context,
            endpoint,
            name: candidate.source.stored(),
            secret: &loaded.secret,
        };
        let what = wording::source_name(&candidate.source);
        let host = endpoint.authority();
        match hub.try_access(repo, operation, Some(&loaded.secret)) {
            Err(HubError::Rejected) => {
                say_failure(learned.rejected());
                let dead = (candidate.clone(), loaded.secret.hint());
                found.dead.push(dead);
            }
            Ok(()) | Err(HubError::Forbidden(_) | HubError::NotFound) => {
                // The Hub refuses this repo, not the token.
                say_failure(learned.accepted(hub.whoami(&loaded.secret).ok().as_ref()));
                found.notes.push(format!(
                    "{what} was rejected before, but {host} accepts it: git uses it again"
                ));
            }
            Err(error) => {
                let unsure = format!(
                    "{what} was rejected before, and whether it works now is not known: {error}"
                );
                found.unsure.get_or_insert(unsure);
            }
        }
    }
    Ok(found)
}

/// Tells the user if what was learned cannot be remembered.
pub(crate) fn say_failure(remembered: Result<(), StateError>) {
    if let Err(error) = remembered {
        terminal::say(&error.to_string());
    }
}

/// What the Hub says about the tokens that were remembered as rejected.
#[derive(Debug, Default)]
pub(crate) struct Rejected {
    /// Tokens that the Hub still rejects, each with its kind and last four characters.
    pub(crate) dead: Vec<(Candidate, String)>,
    /// Set if the Hub gave no clear answer about one of them.
    pub(crate) unsure: Option<String>,
    /// Notes about those whose rejection was cleared.
    pub(crate) notes: Vec<String>,
}

/// A token about which the Hub has just said something.
#[derive(Debug)]
pub(crate) struct Learned<'a> {
    /// This run's handles.
    pub(crate) context: &'a Context,
    /// The Hub.
    pub(crate) endpoint: &'a Endpoint,
    /// Its name, if it is stored here.
    pub(crate) name: Option<&'a TokenName>,
    /// Its value.
    pub(crate) secret: &'a Secret,
}

impl Learned<'_> {
    /// Remembers that the Hub rejects the token, so that git's next command uses another one, even
    /// after programs that never report a refusal.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub(crate) fn rejected(&self) -> Result<(), StateError> {
        let state_file = &self.context.state_file;
        state_file.reject(self.endpoint, &self.secret.fingerprint(), clock::now())
    }

    /// Clears a rejection, and stores the facts if the Hub was asked for them.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub(crate) fn accepted(&self, facts: Option<&Facts>) -> Result<(), StateError> {
        let value = self.secret.fingerprint();
        let state_file = &self.context.state_file;
        state_file.clear_rejection(self.endpoint, &value)?;
        let (Some(facts), Some(name)) = (facts, self.name) else {
            return Ok(());
        };
        state_file.update(|state| {
            let token = state.tokens.get_mut(name);
            if let Some(token) = token.filter(|token| token.fingerprint == value) {
                token.account = Some(facts.account.clone());
                if !token.is_renewed() {
                    token.expires = facts.expires.or(token.expires);
                }
                token.facts = Some(Facts {
                    verified: clock::now(),
                    ..facts.clone()
                });
            }
            Ok(())
        })
    }
}
