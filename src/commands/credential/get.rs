//! `get`: answer git with a token.

use std::io;

use anyhow::Result;

use crate::app::asked::Asked;
use crate::app::token_source::Changed;
use crate::app::token_source::Reader;
use crate::app::wording;
use crate::commands::credential::request::Opening;
use crate::commands::credential::request::Session;
use crate::git::protocol::Capabilities;
use crate::git::protocol::Credential;
use crate::git::protocol::Reply;
use crate::git::trial::{ANSWERING, ASKED, WITH};
use crate::model::repo::Location;
use crate::model::secret::Fingerprint;
use crate::model::time::since;
use crate::selection::Notice;
use crate::selection::Outcome;
use crate::selection::SelectError;
use crate::selection::Selection;
use crate::selection::choose;
use crate::selection::{Mark, Tried};
use crate::state::State;
use crate::state::TokenInfo;
use crate::system::clock;
use crate::system::trace;
use crate::terminal;
use crate::terminal::AlreadyReported;

/// Answers one request.
///
/// # Errors
/// When the request or the configuration is broken; what goes wrong with a token is said, and
/// the next one answered.
pub fn run() -> Result<()> {
    let session = match Session::open()? {
        Opening::Ours(session) => session,
        Opening::NotOurs => return Ok(()),
        Opening::BadConfig { error, ours } => {
            // Without the rules a guess could be any token: git is told to stop.
            if ours {
                Reply::Quit.write(Capabilities::default(), &mut io::stdout())?;
            }
            return Err(error);
        }
    };
    let reply = answer(&session)?;
    reply.write(session.request.capabilities, &mut io::stdout())?;
    match reply {
        Reply::Quit => Err(AlreadyReported.into()),
        _ => Ok(()),
    }
}

fn answer(session: &Session) -> Result<Reply> {
    let context = &session.context;
    trace::line(|| format!("{ASKED}{}", session.endpoint.authority()));
    let now = clock::now();
    let mut wanted = session.wanted();
    let tried = match Mark::find(&session.request.states) {
        Some(Mark::Tried(tried)) => Some(tried),
        Some(Mark::Asked) | None => None,
    };
    // Git's transport comes back with our own answer only because that was refused. Anybody else
    // may repeat what we once said.
    let refused = tried
        .as_ref()
        .filter(|tried| tried.was_for(wanted.username.as_deref()) && context.asked_by_git());
    if refused.is_some_and(|tried| tried.own_username) {
        // Nobody asked for that user name: it narrows nothing.
        wanted.username = None;
    }
    let mut state = context.state_or_empty();
    let values: Vec<Fingerprint> = refused.iter().map(|tried| tried.value.clone()).collect();
    let refused = values.first().and_then(|value| {
        let candidate = session.candidate_with(&wanted, &state, value);
        // A `state[]` that names no candidate of ours is not believed.
        if candidate.is_some() {
            remember_rejection(session, &mut state, value, now);
        }
        candidate
    });
    let selection = match context.select_for_git(&wanted, &state) {
        Ok(selection) => selection,
        Err(error) => {
            // Without the state no name is known, and that has been said.
            if !context.state_is_unread.get() {
                terminal::say(&explain_error(session, &error));
            }
            return Ok(Reply::Quit);
        }
    };
    let subject = session.subject(selection.repo.as_ref());
    say_notices(session, &selection);
    if context.config.hints && session.username_is_token() {
        terminal::say(TOKEN_AS_USERNAME);
    }

    let mut reader = Reader::renewing(context, &state);
    let outcome = choose(
        &selection.candidates,
        &state,
        &session.endpoint,
        &values,
        now,
        &mut reader,
    );
    reader.said.iter().for_each(|line| terminal::say(line));
    learn(session, &reader);

    let host = session.endpoint.authority();
    match outcome {
        Outcome::Offer {
            candidate,
            loaded,
            value,
            more,
        } => {
            if let Some(refused) = refused {
                let refused = context.describe(&refused, &state);
                let next = wording::source_name(&candidate.source);
                terminal::say(&format!(
                    "{refused}, was rejected by {host} for {subject}; using {next}"
                ));
            }
            // Git tells no helper of a 403, so this is said before it comes.
            if let (Some(lack), Some(repo)) = (candidate.lack, &selection.repo) {
                let helps = context.would_do(&wanted, repo, &state);
                let line = wording::will_be_refused(&candidate, lack, repo, helps.as_ref());
                terminal::say(&line);
            }
            if context.config.hints && !loaded.renews {
                let line = wording::expires_soon(&candidate.source, &state, now);
                line.iter().for_each(|line| terminal::say(line));
            }
            trace::line(|| {
                let what = wording::describe(&candidate, Some(&loaded.secret.hint()));
                format!("{ANSWERING}{subject}{WITH}{what}")
            });
            let asked = wanted.username.filter(|name| !name.is_empty());
            let is_asked_for = asked.is_some();
            // What the hf CLI writes, too; the Hub does not look at it.
            let username = asked
                .or(loaded.username)
                .unwrap_or_else(|| "hf_user".to_owned());
            // Git uses two answers in one command at most: it asks without a credential, and
            // gives up after the third request (http.c). Without `continue` it tells us when
            // the second is refused too.
            let comes_back = more
                && tried.is_none()
                && session.request.capabilities.state
                && context.asked_by_git();
            let again = comes_back.then(|| {
                let tried = Tried::new(value, &username, is_asked_for);
                Mark::Tried(tried).to_text()
            });
            Ok(Reply::Credential(Box::new(Credential {
                username,
                password: loaded.secret,
                password_expiry_utc: loaded.expires,
                oauth_refresh_token: loaded.refresh_token,
                again,
            })))
        }
        Outcome::Stopped(_, why) => {
            terminal::say(&why);
            Ok(Reply::Quit)
        }
        Outcome::AllRejected(candidate) => {
            let what = context.describe(&candidate, &state);
            terminal::say(&format!(
                "{what}, was rejected by {host} for {subject}: {}",
                session.after_rejection(selection.repo.as_ref(), &candidate)
            ));
            Ok(Reply::Quit)
        }
        Outcome::Nothing | Outcome::Deferred(_) => {
            if context.env.notebook {
                // Git would ask, and nobody could answer.
                terminal::say(&format!(
                    "no token for {subject}, and a notebook cannot answer git's prompt: run in a \
                     cell `!git credential-hf login NAME --web`, or set HF_TOKEN"
                ));
                return Ok(Reply::Quit);
            }
            let unread = context.state_is_unread.get();
            if context.config.hints && reader.said.is_empty() && !unread {
                hint(session, &selection, &subject);
            }
            Ok(Reply::Unanswered(Mark::Asked.to_text()))
        }
    }
}

/// Remembers that a value was refused. Where the state cannot be written, this operation still
/// knows it from `state[]`.
fn remember_rejection(session: &Session, state: &mut State, value: &Fingerprint, now: u64) {
    let endpoint = &session.endpoint;
    state.reject(endpoint, value, now);
    if let Err(error) = session.context.state_file.reject(endpoint, value, now) {
        terminal::say(&error.to_string());
    }
}

/// How long a login can take between its two writes, in seconds, with room to spare.
const SETTLED: u64 = 30;

/// Writes down what reading has taught: a stored value that another process replaced, or that a
/// kill left without its description; and what a command printed, so that the value is known when
/// git brings it back. Not worth an error.
fn learn(session: &Session, reader: &Reader<'_>) {
    if reader.changed.is_empty() && reader.printed.is_empty() {
        return;
    }
    let now = clock::now();
    let result = session.context.state_file.update(|state| {
        for Changed {
            name,
            value,
            hint,
            renewable,
        } in &reader.changed
        {
            // A login that is under way has described what it is about to write.
            let settled = |token: &TokenInfo| {
                token.fingerprint != *value && since(token.added, now) > SETTLED
            };
            if let Some(token) = state.tokens.get_mut(name).filter(|token| settled(token)) {
                if !renewable {
                    // What was known of the old value says nothing of this one.
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

fn say_notices(session: &Session, selection: &Selection) {
    for notice in &selection.notices {
        if let Notice::RemotesDisagree(repos) = notice {
            terminal::say(&format!(
                "{} was asked without a path, and {}: name a token with \
                 GIT_CREDENTIAL_HF_TOKEN_NAME",
                session.endpoint.authority(),
                wording::disagree(repos),
            ));
        }
    }
}

fn explain_error(session: &Session, error: &SelectError) -> String {
    let known: Vec<&str> = session
        .context
        .config
        .commands
        .keys()
        .map(|n| n.as_str())
        .collect();
    match error {
        SelectError::Remotes(error) => format!(
            "{error}, so the repo is not known: name a token with \
             GIT_CREDENTIAL_HF_TOKEN_NAME, or run `git credential-hf doctor`"
        ),
        SelectError::NoSuchToken(name) => {
            let state = session.context.state_or_empty();
            let names: Vec<&str> = state
                .tokens
                .keys()
                .map(|n| n.as_str())
                .chain(known)
                .collect();
            let near = crate::config::nearest(name.as_str(), &names)
                .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            format!(
                "GIT_CREDENTIAL_HF_TOKEN_NAME names a token that does not exist{near}: \
                 run `git credential-hf list`"
            )
        }
        SelectError::OtherEndpoint(name, endpoint) => format!(
            "GIT_CREDENTIAL_HF_TOKEN_NAME names `{name}`, a token for {endpoint}, not for {}",
            session.endpoint
        ),
    }
}

/// What is wrong where the user name is a token, without repeating it.
pub const TOKEN_AS_USERNAME: &str = "the username that git sends is an access token, which belongs \
    in the password: remove it from the URL, if it is there (git remote set-url), and run \
    `git credential-hf login NAME`";

/// The line for a request that nothing can answer.
fn hint(session: &Session, selection: &Selection, subject: &str) {
    let unknown = selection.notices.contains(&Notice::UnknownUsername);
    if session.username_is_token() {
        // That was said already.
        return;
    }
    if unknown {
        // The same user name may be in the configuration and in the URL; what the configuration
        // gives is not looked at where the URL has one.
        let place = Location {
            endpoint: session.endpoint.clone(),
            path: session.request.path.clone().unwrap_or_default(),
            username: None,
        };
        let asked = Asked::at(&place);
        let username = session.request.username.as_deref();
        let line = asked
            .username_line()
            .filter(|line| Some(line.text()) == username);
        let (why, help) = wording::unknown_username(line);
        terminal::say(&format!("no token for {subject}: {why}: {help}"));
        return;
    }
    let namespace = selection
        .repo
        .as_ref()
        .and_then(|repo| repo.namespace.as_ref());
    let pattern = match namespace {
        Some(namespace) if session.endpoint.is_hugging_face() => {
            format!(" --for {}", namespace.as_str())
        }
        Some(namespace) => format!(" --for {}/{}", session.endpoint, namespace.as_str()),
        None => " --default".to_owned(),
    };
    terminal::say(&format!(
        "no token for {subject}: run `git credential-hf login NAME{pattern}`{}",
        not_saved(session)
    ));
}

/// Said before git's prompt, where what is typed there cannot be told from a login in a URL.
fn not_saved(session: &Session) -> &'static str {
    if session.request.capabilities.state || session.saves_any() {
        ""
    } else {
        "; a token typed at git's prompt is not saved (that needs git 2.46 or newer)"
    }
}
