//! Gathers the inputs of a selection: the state, the remotes, and what the hf CLI knows.

use super::Context;
use crate::git::calling_process::{Asker, Callers};
use crate::git::run::ReadError;
use crate::git::{calling_process, remotes};
use crate::model::endpoint::Endpoint;
use crate::model::token_name::TokenName;
use crate::selection::{HfKnown, Inputs, Query, Remote, SelectError, Selection, select};
use crate::state::State;
use crate::system::trace;
use crate::terminal;

impl Context {
    /// The state, or an empty one with a word to the user: the environment's tokens can still
    /// be answered without it.
    #[must_use]
    pub fn state_or_empty(&self) -> State {
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

    /// The candidates for what is wanted. The repository's remotes are read only when git sent
    /// no path.
    ///
    /// # Errors
    /// When a token asked for by name cannot be had, or the remotes are needed and cannot be read.
    pub fn select(&self, wanted: &Query, state: &State) -> Result<Selection, SelectError> {
        // A token that is named needs no repo.
        let remotes = if wanted.path.is_none() && self.env.token_name.is_none() {
            self.remotes(&wanted.endpoint)
                .map_err(SelectError::Remotes)?
        } else {
            Vec::new()
        };
        let names = self.hf_names_asked_for(wanted, &remotes);
        let inputs = Inputs {
            wanted,
            config: &self.config,
            state,
            env: &self.env,
            remotes: &remotes,
            hf: HfKnown {
                // One that cannot be read is there, and what is wrong is said when it is tried.
                active: !matches!(self.hf_cli().active_value(), Ok(None)),
                names: &names,
            },
        };
        let selection = select(inputs)?;
        for (at, candidate) in selection.candidates.iter().enumerate() {
            trace::line(|| format!("candidate {}: {}", at + 1, self.describe(candidate, state)));
        }
        Ok(selection)
    }

    /// The names of the hf CLI's tokens, if anything here asks for one of them.
    fn hf_names_asked_for(&self, wanted: &Query, remotes: &[Remote]) -> Vec<String> {
        let rules = self.config.rules.iter().map(|rule| &rule.token);
        let mut configured = rules.chain(&self.config.default);
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

    /// Whether git's own HTTP transport asks, and not another program by way of git. Where
    /// looking is not cheap, nothing is known.
    #[must_use]
    pub fn asked_by_git(&self) -> bool {
        let asker = if calling_process::IS_CHEAP {
            self.callers().asker()
        } else {
            Asker::Unknown
        };
        trace::line(|| format!("asked by: {asker:?}"));
        asker == Asker::GitTransport
    }

    /// What a request without a path may be about.
    fn remotes(&self, endpoint: &Endpoint) -> Result<Vec<Remote>, ReadError> {
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
        let remotes: Vec<Remote> = places
            .into_iter()
            .filter_map(|location| {
                let repo = location.repo()?;
                let username = location.username;
                Some(Remote { repo, username })
            })
            .collect();
        trace::line(|| {
            let repos: Vec<String> = remotes.iter().map(|r| r.repo.to_string()).collect();
            format!("asked without a path, so about: {}", repos.join(", "))
        });
        Ok(remotes)
    }
}
