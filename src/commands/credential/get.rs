//! `get`: answers git with a token.

use std::io;

use anyhow::Result;

use crate::app::asked::Asked;
use crate::app::choice::{Choice, Purpose};
use crate::app::token_source::{Changed, TokenReader};
use crate::app::wording;
use crate::commands::credential::request::{GitRequest, Opening};
use crate::git::protocol::{Capabilities, Credential, Reply};
use crate::git::trial::{ANSWERING, ASKED, WITH};
use crate::model::location::Location;
use crate::model::secret::Fingerprint;
use crate::model::time::since;
use crate::selection::{Candidate, LoadedToken, Mark, Notice, Outcome, Query, Selection, Tried};
use crate::state::{State, TokenInfo};
use crate::system::environment::TerminalEnvironment;
use crate::system::{clock, trace};
use crate::terminal;
use crate::terminal::AlreadyReported;

/// Answers one request.
///
/// # Errors
/// When the request or the configuration is invalid. A problem with a token is reported, and the next
/// one is used.
pub(crate) fn run() -> Result<()> {
    let git = match GitRequest::open()? {
        Opening::Ours(git) => git,
        Opening::NotOurs => return Ok(()),
        Opening::BadConfig { error, ours } => {
            // Without the rules any token could be the wrong one, so git is told to stop.
            if ours {
                Reply::Quit.write(Capabilities::default(), &mut io::stdout())?;
            }
            return Err(error);
        }
    };
    let reply = answer(&git);
    reply.write(git.request.capabilities, &mut io::stdout())?;
    match reply {
        Reply::Quit => Err(AlreadyReported.into()),
        _ => Ok(()),
    }
}

fn answer(git: &GitRequest) -> Reply {
    let context = &git.context;
    trace::line(|| format!("{ASKED}{}", git.endpoint.authority()));
    let mut state = context.state_or_empty();
    let mut query = git.query();
    let tried = match Mark::find(&git.request.states) {
        Some(Mark::Tried(tried)) => Some(tried),
        Some(Mark::Asked) | None => None,
    };
    // Git's transport returns our own answer only if that was refused. Other programs may repeat it
    // for other reasons.
    let refused = tried
        .as_ref()
        .filter(|tried| tried.was_for(query.username.as_deref()) && context.asked_by_git());
    if refused.is_some_and(|tried| tried.own_username) {
        // The username came from our answer, not from the user, so it does not narrow the choice.
        query.username = None;
    }
    let refused_candidate =
        refused.and_then(|tried| remember_rejection(git, &query, &mut state, &tried.value));
    let refused: Vec<Fingerprint> = refused.iter().map(|tried| tried.value.clone()).collect();

    let choice = match Choice::make(context, &state, &query, Purpose::Answer(&refused)) {
        Ok(choice) => choice,
        Err(error) => {
            // Without the state no name is known, and that has been reported.
            if !context.state_is_unread.get() {
                terminal::say(&context.select_failure(&state, error).in_one_line());
            }
            return Reply::Quit;
        }
    };
    let Choice {
        selection,
        outcome,
        reader,
    } = choice;
    say_notices(git, &selection);
    reader.said.iter().for_each(|line| terminal::say(line));
    learn(git, &reader);

    let resolved = ResolvedRequest {
        git,
        state: &state,
        query,
        selection,
    };
    match outcome {
        Outcome::Offer {
            candidate,
            loaded,
            value,
            more,
        } => {
            if let Some(refused) = refused_candidate {
                let refused = resolved.was_rejected(&refused);
                let next = wording::source_name(&candidate.source);
                terminal::say(&format!("{refused}; using {next}"));
            }
            // Git uses at most two answers in one command: the first request has no credential,
            // and git gives up after the third (http.c). Without `continue`, git calls `erase`
            // when the second answer is refused.
            let comes_back =
                more && tried.is_none() && git.request.capabilities.state && context.asked_by_git();
            resolved.offer(&candidate, *loaded, comes_back.then_some(value))
        }
        Outcome::Stopped(_, why) => {
            terminal::say(&why);
            Reply::Quit
        }
        Outcome::AllRejected(candidate) => {
            let rejected = resolved.was_rejected(&candidate);
            let help = git.after_rejection(resolved.selection.repo.as_ref(), &candidate, &state);
            terminal::say(&format!("{rejected}: {help}"));
            Reply::Quit
        }
        Outcome::Nothing | Outcome::Deferred(_) => resolved.without_token(reader.said.is_empty()),
    }
}

/// A request for which the candidates are known.
struct ResolvedRequest<'a> {
    git: &'a GitRequest,
    state: &'a State,
    query: Query,
    selection: Selection,
}

impl ResolvedRequest<'_> {
    /// Answers with a token; `again` is its value if git is to come back when it is refused.
    fn offer(
        self,
        candidate: &Candidate,
        loaded: LoadedToken,
        again: Option<Fingerprint>,
    ) -> Reply {
        let context = &self.git.context;
        self.say_what_will_fail(candidate);
        if context.config.hints && !loaded.renews {
            let line = wording::expires_soon(&candidate.source, self.state, clock::now());
            line.iter().for_each(|line| terminal::say(line));
        }
        trace::line(|| {
            let subject = self.git.subject(self.selection.repo.as_ref());
            let what = wording::describe(candidate, Some(&loaded.secret.hint()));
            format!("{ANSWERING}{subject}{WITH}{what}")
        });
        credential(self.query.username, loaded, again)
    }

    /// Warns if the Hub will refuse the push, since git does not tell helpers about a 403.
    fn say_what_will_fail(&self, candidate: &Candidate) {
        let Self {
            git, state, query, ..
        } = self;
        if let (Some(lack), Some(repo)) = (candidate.lack, &self.selection.repo) {
            let context = &git.context;
            terminal::say(&context.will_be_refused(query, candidate, lack, repo, state));
        }
    }

    /// That the Hub rejected a candidate.
    fn was_rejected(&self, candidate: &Candidate) -> String {
        let what = self.git.context.describe(candidate, self.state);
        let host = self.git.endpoint.authority();
        match &self.selection.repo {
            Some(repo) => format!("{what}, was rejected by {host} for {repo}"),
            None => format!("{what}, was rejected by {host}"),
        }
    }

    /// Leaves the question to git's prompt, or stops git in a notebook, where nobody could answer that.
    /// `hints` is whether nothing has been said yet about why.
    fn without_token(&self, hints: bool) -> Reply {
        let context = &self.git.context;
        let repo = self.selection.repo.as_ref();
        let subject = self.git.subject(repo);
        if TerminalEnvironment::from_process().notebook {
            terminal::say(&format!(
                "no token for {subject}, and a notebook cannot answer git's prompt: run in a \
                 cell `!{} --web`",
                context.login_command(&self.git.endpoint, repo)
            ));
            return Reply::Quit;
        }
        if hints && context.config.hints && !context.state_is_unread.get() {
            hint(self.git, &self.selection, &subject);
        }
        Reply::Unanswered(Mark::Asked.to_text())
    }
}

/// The answer with a token.
fn credential(asked: Option<String>, loaded: LoadedToken, again: Option<Fingerprint>) -> Reply {
    let asked = asked.filter(|name| !name.is_empty());
    let is_asked_for = asked.is_some();
    // The hf CLI writes the same; the Hub ignores it.
    let username = asked
        .or(loaded.username)
        .unwrap_or_else(|| "hf_user".to_owned());
    let again = again.map(|value| {
        let tried = Tried::new(value, &username, is_asked_for);
        Mark::Tried(tried).to_text()
    });
    Reply::Credential(Box::new(Credential {
        username,
        password: loaded.secret,
        password_expiry_utc: loaded.expires,
        oauth_refresh_token: loaded.refresh_token,
        again,
    }))
}

/// Remembers that a value was refused, and returns its candidate. A `state[]` that does not belong to
/// one of our candidates is ignored. If the state cannot be written, this command still knows the
/// refusal from `state[]`.
fn remember_rejection(
    git: &GitRequest,
    query: &Query,
    state: &mut State,
    value: &Fingerprint,
) -> Option<Candidate> {
    let candidate = git.candidate_with(query, state, value)?;
    let (endpoint, now) = (&git.endpoint, clock::now());
    state.reject(endpoint, value, now);
    if let Err(error) = git.context.state_file.reject(endpoint, value, now) {
        terminal::say(&error.to_string());
    }
    Some(candidate)
}

/// How long a login can take between its two writes, in seconds, with a margin.
const SETTLED: u64 = 30;

/// Records what loading the tokens revealed: a stored value that another process replaced, or that a
/// kill left without its description; and what a command printed, so that the value is known when git
/// returns it. A failure is only traced.
fn learn(git: &GitRequest, reader: &TokenReader<'_>) {
    if reader.changed.is_empty() && reader.printed.is_empty() {
        return;
    }
    let now = clock::now();
    let result = git.context.state_file.update(|state| {
        for Changed {
            name,
            value,
            hint,
            renewable,
        } in &reader.changed
        {
            // A login in progress records the new value before it writes it.
            let settled = |token: &TokenInfo| {
                token.fingerprint != *value && since(token.added, now) > SETTLED
            };
            if let Some(token) = state.tokens.get_mut(name).filter(|token| settled(token)) {
                if !renewable {
                    // The facts about the old value do not apply to the new one.
                    token.facts = None;
                }
                token.replace_value(value.clone(), hint.clone());
            }
        }
        for (name, fingerprint) in &reader.printed {
            state.printed(name, fingerprint);
        }
        Ok::<_, crate::state::file::StateError>(())
    });
    if let Err(error) = result {
        trace::line(|| error.to_string());
    }
}

fn say_notices(git: &GitRequest, selection: &Selection) {
    if git.context.config.hints && git.username_is_token() {
        terminal::say(TOKEN_AS_USERNAME);
    }
    for notice in &selection.notices {
        if let Notice::RemotesDisagree(repos) = notice {
            terminal::say(&format!(
                "{} was asked without a path, and {}: name a token with \
                 GIT_CREDENTIAL_HF_TOKEN_NAME",
                git.endpoint.authority(),
                wording::disagree(repos),
            ));
        }
    }
}

/// The message for a username that is a token, which does not repeat it.
pub(crate) const TOKEN_AS_USERNAME: &str = "the username that git sends is an access token, which belongs \
    in the password: remove it from the URL, if it is there (git remote set-url), and run \
    `git credential-hf login NAME`";

/// Prints the hint for a request without an answer.
fn hint(git: &GitRequest, selection: &Selection, subject: &str) {
    let unknown = selection.notices.contains(&Notice::UnknownUsername);
    if git.username_is_token() {
        // That has been said.
        return;
    }
    if unknown {
        // The configuration may set the same username as the URL, but git ignores the configuration
        // if the URL has a username.
        let place = Location {
            endpoint: git.endpoint.clone(),
            path: git.request.path.clone().unwrap_or_default(),
            username: None,
        };
        let asked = Asked::at(&place);
        let username = git.request.username.as_deref();
        let line = asked
            .username_line()
            .filter(|line| Some(line.text()) == username);
        let (why, help) = wording::unknown_username(line);
        terminal::say(&format!("no token for {subject}: {why}: {help}"));
        return;
    }
    let help = git
        .context
        .without_token(&git.endpoint, selection.repo.as_ref());
    terminal::say(&format!("no token for {subject}: {help}{}", not_saved(git)));
}

/// Added to the hint before git's prompt, if what is typed there cannot be told from a login in a URL.
fn not_saved(git: &GitRequest) -> &'static str {
    if git.request.capabilities.state || git.saves_any() {
        ""
    } else {
        "; a token typed at git's prompt is not saved (that needs git 2.46 or newer)"
    }
}
