//! Gathers the inputs of a selection: the state, the remotes, and what the hf CLI knows.

use super::Context;
use crate::git::{calling_process, remotes};
use crate::model::endpoint::Endpoint;
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::{HfKnown, Inputs, Query, Remote, SelectError, Selection, select};
use crate::state::State;
use crate::state::text::Relevant;
use crate::system::trace;
use crate::terminal;

impl Context {
    /// The state, or an empty one with a word to the user: the environment's tokens can still
    /// be answered without it.
    #[must_use]
    pub fn state_or_empty(&self) -> State {
        self.state_or_empty_with(None)
    }

    /// The same with what matters to one request. Without a path it may turn out to be about any
    /// repo.
    #[must_use]
    pub fn state_for(&self, wanted: &Query) -> State {
        let Some(path) = &wanted.path else {
            return self.state_or_empty();
        };
        let repo = Repo::from_path(path);
        let typed = [&self.env.token_name, &wanted.username];
        let typed: Vec<TokenName> = typed
            .into_iter()
            .flatten()
            .map(|name| TokenName::existing(name))
            .collect();
        let rules = self.config.rules.iter().map(|rule| &rule.token);
        let names = rules.chain(&self.config.default).chain(&typed);
        self.state_or_empty_with(Some(&Relevant {
            namespace: repo.as_ref().and_then(|repo| repo.namespace.as_ref()),
            username: wanted.username.as_deref(),
            names: names.collect(),
        }))
    }

    fn state_or_empty_with(&self, relevant: Option<&Relevant<'_>>) -> State {
        match self.state_file.load_with(relevant) {
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
    /// When a token asked for by name cannot be had.
    pub fn select(&self, wanted: &Query, state: &State) -> Result<Selection, SelectError> {
        let remotes = if wanted.path.is_none() {
            self.remotes(&wanted.endpoint)
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

    /// What a request without a path may be about.
    fn remotes(&self, endpoint: &Endpoint) -> Vec<Remote> {
        let all = || self.remotes.get_or_init(remotes::all).as_slice();
        let mut used = None;
        if calling_process::IS_CHEAP {
            used = calling_process::in_use();
        }
        let mut places = calling_process::places(endpoint, used.as_ref(), all);
        if !calling_process::IS_CHEAP && places.len() > 1 {
            used = calling_process::in_use();
            places = calling_process::places(endpoint, used.as_ref(), all);
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
        remotes
    }
}
