//! Gathers the inputs of a selection: the state, the remotes, and what the hf CLI knows.

use super::Context;
use crate::app::token_source::TokenReader;
use crate::app::wording::source_name;
use crate::git::calling_process::{Asker, Callers};
use crate::git::run::ReadError;
use crate::git::{calling_process, remotes};
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::repo::Repo;
use crate::model::secret::Secret;
use crate::model::token_name::TokenName;
use crate::selection::overview::{Row, overview};
use crate::selection::{
    Candidate, HfKnown, Inputs, Query, RemoteRepo, SelectError, Selection, Source, TokenSource,
    select, select_with_equals, would_do,
};
use crate::state::{Eligibility, Health, State};
use crate::system::clock::now;
use crate::system::trace;
use crate::terminal;

impl Context {
    /// The state, or an empty one after a message to the user: the environment's tokens can still
    /// be used without it.
    pub(crate) fn state_or_empty(&self) -> State {
        match self.state_file.load() {
            Ok(state) => state,
            Err(error) => {
                terminal::say(&error.to_string());
                self.state_is_unread.set(true);
                let mut state = State::default();
                self.state_file.add_fallback(&mut state);
                state
            }
        }
    }

    /// Whether a token of the environment's Hub may be offered: of a variable, the hf CLI or a job.
    pub(crate) fn eligibility_here(&self, state: &State, secret: &Secret) -> Eligibility {
        let endpoint = self.env.endpoint();
        endpoint.map_or(Eligibility::Good, |endpoint| {
            state.eligibility(&endpoint, &secret.fingerprint(), now())
        })
    }

    /// The candidates for a query. The repository's remotes are read only if git sent no path.
    ///
    /// # Errors
    /// When a token asked for by name does not exist, or the remotes are needed and cannot be read.
    pub(crate) fn select(&self, wanted: &Query, state: &State) -> Result<Selection, SelectError> {
        let selection = self.with_inputs(wanted, state, select)??;
        self.trace_candidates(&selection, state);
        Ok(selection)
    }

    /// The candidates for git's request. The operation is looked up only if the choice, or a warning,
    /// depends on it.
    pub(crate) fn select_for_git(
        &self,
        wanted: &Query,
        state: &State,
    ) -> Result<Selection, SelectError> {
        let selection = self.with_inputs(wanted, state, |inputs| {
            let of = |operation| {
                let wanted = wanted.clone().for_operation(operation);
                select(Inputs {
                    wanted: &wanted,
                    ..inputs
                })
            };
            let [fetch, push] = Operation::ALL.map(|operation| of(Some(operation)));
            let (fetch, push) = (fetch?, push?);
            if fetch.candidates == push.candidates && fetch.repo == push.repo {
                return Ok(fetch);
            }
            match self.operation() {
                Some(Operation::Fetch) => Ok(fetch),
                Some(Operation::Push) => Ok(push),
                None => of(None),
            }
        })??;
        self.trace_candidates(&selection, state);
        Ok(selection)
    }

    /// The tokens that would do as well as the first candidate for a query.
    pub(crate) fn equals(&self, wanted: &Query, state: &State) -> Vec<TokenName> {
        let found = self.with_inputs(wanted, state, select_with_equals);
        found
            .flatten()
            .map_or_else(|_| Vec::new(), |(_, equals)| equals)
    }

    /// Lists the places on an endpoint and the token that is used for each.
    pub(crate) fn overview(&self, state: &State, endpoint: &Endpoint) -> Vec<Row> {
        let wanted = Query::new(endpoint.clone(), Some(String::new()), None);
        let rows = self.with_inputs(&wanted, state, |inputs| overview(inputs, endpoint));
        // This fails only if remotes are needed.
        let mut rows = rows.unwrap_or_default();
        let reader = TokenReader::new(self, state);
        let is_of_no_use = |candidate: &Candidate| {
            match &candidate.source {
                Source::Stored(name) => {
                    let token = state.tokens.get(name);
                    let health = token.map(|token| state.health(token, now()));
                    return matches!(health, Some(Health::Rejected(_) | Health::Expired(_)));
                }
                // A push does not go on to the next candidate.
                Source::Environment(variable) if !candidate.required => {
                    return self.env_secret(variable).is_err();
                }
                _ => {}
            }
            let value = reader.known_fingerprint(candidate);
            value.is_some_and(|value| {
                state.eligibility(endpoint, &value, now()) != Eligibility::Good
            })
        };
        let is_good = |name: &TokenName| {
            let token = state.tokens.get(name);
            token.is_some_and(|token| {
                state.eligibility(endpoint, &token.fingerprint, now()) == Eligibility::Good
            })
        };
        for row in &mut rows {
            for choice in [&mut row.fetch, &mut row.push] {
                choice.put_last(is_of_no_use);
                choice.equals.retain(is_good);
            }
        }
        rows
    }

    /// The stored tokens that may do an operation on a repo as far as is known, the best one first.
    pub(crate) fn would_do(
        &self,
        wanted: &Query,
        repo: &Repo,
        state: &State,
        operation: Operation,
    ) -> Vec<TokenName> {
        let wanted = wanted.clone().for_operation(Some(operation));
        let found = self.with_inputs(&wanted, state, |inputs| would_do(inputs, repo));
        found.unwrap_or_default()
    }

    fn with_inputs<T>(
        &self,
        wanted: &Query,
        state: &State,
        then: impl FnOnce(Inputs<'_>) -> T,
    ) -> Result<T, SelectError> {
        // A named token is used for any repo.
        let remotes = if wanted.path.is_none() && self.env.token_name.is_none() {
            self.remotes(&wanted.endpoint)
                .map_err(SelectError::Remotes)?
        } else {
            Vec::new()
        };
        let names = self.hf_names_asked_for(wanted, &remotes);
        Ok(then(Inputs {
            wanted,
            config: &self.config,
            state,
            env: &self.env,
            remotes: &remotes,
            hf: HfKnown {
                // An unreadable token counts as existing; the error is reported when it is loaded.
                active: !matches!(self.hf_cli().active_value(), Ok(None)),
                names: &names,
            },
        }))
    }

    fn trace_candidates(&self, selection: &Selection, state: &State) {
        for (at, candidate) in selection.candidates.iter().enumerate() {
            trace::line(|| {
                let source = source_name(&candidate.source);
                let place = self.place(&candidate.source, state);
                let place = place.map_or_else(String::new, |place| format!(" ({place})"));
                format!(
                    "candidate {}: {source}{place}: {}",
                    at + 1,
                    candidate.reason
                )
            });
        }
    }

    /// The names of the hf CLI's tokens, read only if the configuration refers to one of them.
    fn hf_names_asked_for(&self, wanted: &Query, remotes: &[RemoteRepo]) -> Vec<String> {
        let mut configured = self.config.all_names();
        let typed = [&self.env.token_name, &wanted.username].into_iter();
        let typed = typed.chain(remotes.iter().map(|remote| &remote.username));
        let asked_for = configured.any(|name| name.of_hf_cli().is_some())
            || typed
                .flatten()
                .any(|name| TokenName::existing(name).of_hf_cli().is_some());
        if asked_for {
            self.hf_cli().names()
        } else {
            Vec::new()
        }
    }

    fn callers(&self) -> &Callers {
        self.callers.get_or_init(Callers::read)
    }

    /// The operation, by the command lines of the calling programs.
    fn operation(&self) -> Option<Operation> {
        let operation = self.callers().operation();
        trace::line(|| match operation {
            Some(operation) => format!("asked for a {operation}"),
            None => "asked for an unknown operation".to_owned(),
        });
        operation
    }

    /// Whether the request comes from git's own HTTP transport, and not from another program through git.
    pub(crate) fn asked_by_git(&self) -> bool {
        let asker = self.callers().asker();
        trace::line(|| format!("asked by: {asker:?}"));
        asker == Asker::GitTransport
    }

    /// The repos that a request without a path may be for.
    fn remotes(&self, endpoint: &Endpoint) -> Result<Vec<RemoteRepo>, ReadError> {
        let all = || match self.remotes.get_or_init(remotes::all) {
            Ok(remotes) => Ok(remotes.as_slice()),
            Err(error) => Err(*error),
        };
        let mut used = None;
        if calling_process::IS_CHEAP {
            used = self.callers().in_use();
        }
        let mut places = calling_process::places(endpoint, used.as_ref(), all)?;
        if !calling_process::IS_CHEAP && places.len() > 1 {
            used = self.callers().in_use();
            places = calling_process::places(endpoint, used.as_ref(), all)?;
        }
        let remotes: Vec<RemoteRepo> = places
            .into_iter()
            .filter_map(|location| {
                let repo = location.repo()?;
                let username = location.username;
                Some(RemoteRepo { repo, username })
            })
            .collect();
        trace::line(|| {
            let repos: Vec<String> = remotes.iter().map(|r| r.repo.to_string()).collect();
            format!("asked without a path, so about: {}", repos.join(", "))
        });
        Ok(remotes)
    }
}
