//! The common beginning of `get`, `store` and `erase`: reads the request, and decides whether it is ours.

use std::io;
use std::path::Path;

use anyhow::Result;

use crate::app::Context;
use crate::app::token_source::TokenReader;
use crate::app::wording::remedy;
use crate::config::ConfigError;
use crate::git::protocol::Request;
use crate::model::endpoint::Endpoint;
use crate::model::repo::Repo;
use crate::model::secret::Fingerprint;
use crate::selection::{Candidate, Query, Source, TokenSource};
use crate::state::State;
use crate::system::files;
use crate::terminal;

/// Whether the folder of a file cannot be entered.
fn is_out_of_reach(path: &Path) -> bool {
    std::fs::symlink_metadata(path)
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Whether a request is ours if the configuration, which lists the other Hubs, has a mistake. If it does
/// not even contain the host, the request is not ours.
fn bad_config(context: &Context, endpoint: &Endpoint, error: ConfigError) -> Opening {
    let ours = context.serves(endpoint);
    let text = files::read_plain(&context.paths.config());
    let text = text.map_or_else(|_| Vec::new(), |plain| plain.bytes);
    let text = String::from_utf8_lossy(&text).to_lowercase();
    if !ours && !text.contains(&endpoint.authority()) {
        return Opening::NotOurs;
    }
    let error = error.into();
    Opening::BadConfig { error, ours }
}

/// A request for this helper.
#[derive(Debug)]
pub(crate) struct GitRequest {
    pub(crate) request: Request,
    /// The endpoint that it is for.
    pub(crate) endpoint: Endpoint,
    /// The handles of this run.
    pub(crate) context: Context,
}

/// How a request begins.
#[derive(Debug)]
pub(crate) enum Opening {
    /// It is ours.
    Ours(Box<GitRequest>),
    /// It is for a host that is not an endpoint: other helpers get their turn.
    NotOurs,
    /// It is or may be ours, but the configuration has a mistake.
    BadConfig {
        /// The mistake.
        error: anyhow::Error,
        /// Whether it is ours whatever the configuration says.
        ours: bool,
    },
}

impl GitRequest {
    /// Reads the request from stdin.
    ///
    /// # Errors
    /// When the request breaks git's protocol, or the user has no home directory.
    pub(crate) fn open() -> Result<Opening> {
        let request = Request::read(&mut io::stdin().lock())?;
        let endpoint = match (&request.protocol, &request.host) {
            (Some(protocol), Some(host)) => Endpoint::from_git(protocol, host),
            _ => None,
        };
        let Some(endpoint) = endpoint else {
            return Ok(Opening::NotOurs);
        };
        let mut context = Context::new()?;
        if let Err(error) = context.load_config() {
            let config = context.paths.config();
            if !is_out_of_reach(&config) {
                return Ok(bad_config(&context, &endpoint, error));
            }
            // In some containers HOME belongs to another user. The environment's token still works.
            terminal::say(&format!(
                "{} cannot be read: going on without it",
                config.display()
            ));
        }
        if !context.serves(&endpoint) {
            return Ok(Opening::NotOurs);
        }
        Ok(Opening::Ours(Box::new(Self {
            request,
            endpoint,
            context,
        })))
    }

    /// Reads the request of `store` or `erase`, which answer nothing.
    ///
    /// # Errors
    /// See [`GitRequest::open`]. Also fails if the configuration has a mistake.
    pub(crate) fn open_silently() -> Result<Option<Box<Self>>> {
        match Self::open()? {
            Opening::Ours(git) => Ok(Some(git)),
            Opening::NotOurs => Ok(None),
            Opening::BadConfig { error, .. } => Err(error),
        }
    }

    /// The query that the request amounts to.
    pub(crate) fn query(&self) -> Query {
        let Request { path, username, .. } = &self.request;
        Query::new(self.endpoint.clone(), path.clone(), username.clone())
    }

    /// Whether this endpoint saves whatever git asks it to. Any other endpoint is a Hub.
    pub(crate) fn saves_any(&self) -> bool {
        let configured = self.context.config.endpoint(&self.endpoint);
        configured.is_some_and(|options| options.save_any)
    }

    /// Whether the username is a token.
    pub(crate) fn username_is_token(&self) -> bool {
        let username = self.request.username.as_deref();
        username.is_some_and(crate::model::secret::holds_token)
    }

    /// What to do after a rejection, which does not prove that a token is bad.
    pub(crate) fn after_rejection(
        &self,
        repo: Option<&Repo>,
        candidate: &Candidate,
        state: &State,
    ) -> String {
        let about = repo.map_or_else(String::new, |repo| {
            let typed = self.context.typed(&self.endpoint, &repo.to_string());
            format!(" {typed}")
        });
        format!(
            "`git credential-hf check{about}` asks the Hub again; if the token is dead, {}",
            remedy(candidate, state)
        )
    }

    /// What the request is for, in words: the repo and its host, or only the host.
    pub(crate) fn subject(&self, repo: Option<&Repo>) -> String {
        let host = self.endpoint.authority();
        match repo {
            Some(repo) => format!("{repo} on {host}"),
            None => host,
        }
    }

    /// The candidate with this value, as far as that is known without loading tokens.
    pub(crate) fn candidate_with(
        &self,
        query: &Query,
        state: &State,
        value: &Fingerprint,
    ) -> Option<Candidate> {
        let selection = self.context.select_for_git(query, state).ok()?;
        let reader = TokenReader::new(&self.context, state);
        let last_value = |candidate: &Candidate| match &candidate.source {
            Source::Command(name) => state.commands.get(name)?.last().cloned(),
            Source::Exchange(exchange) => {
                let kept = reader.exchanged(exchange)?;
                Some(kept.secret.fingerprint())
            }
            _ => None,
        };
        selection.candidates.into_iter().find(|candidate| {
            let known = reader.known_fingerprint(candidate);
            known.or_else(|| last_value(candidate)).as_ref() == Some(value)
        })
    }
}
