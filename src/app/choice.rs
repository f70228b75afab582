//! Chooses a token: gathers the inputs, puts the candidates in order, and loads the first usable
//! one. Git's `get` and every command that uses or shows the choice go through here.

use anyhow::Result;

use crate::app::asked::Asked;
use crate::app::token_source::TokenReader;
use crate::app::{Context, target, wording};
use crate::model::location::Location;
use crate::model::secret::Fingerprint;
use crate::selection::{
    Candidate, LoadedToken, Notice, Outcome, Query, SelectError, Selection, choose,
};
use crate::state::State;
use crate::system::clock;
use crate::terminal;
use crate::terminal::Failure;

/// The location that a command is about: the one it was given, or else the repository's only
/// remote.
///
/// # Errors
/// When neither is clear.
pub(crate) fn place(context: &Context, given: Option<&str>) -> Result<Location> {
    if let Some(text) = given {
        return target::location(context, text);
    }
    let mut found = target::remotes(context)?;
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        _ => Err(
            Failure::new("the current repository has several Hub remotes")
                .help("name the repo, such as acme/x")
                .into(),
        ),
    }
}

/// What a token is chosen for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// To answer git. The Hub has refused these values, which git was given before. The operation
    /// is read from the command lines of the calling programs.
    Answer(&'a [Fingerprint]),
    /// To use it as git would.
    Use,
    /// To show what git would get. Nothing is changed.
    Show,
}

/// A choice of a token: the candidates in order, and the first usable one.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    /// The candidates and what is to be said about them.
    pub(crate) selection: Selection,
    /// The token, or why there is none.
    pub(crate) outcome: Outcome,
    /// The reader that loaded the tokens, with what it found on the way.
    pub(crate) reader: TokenReader<'a>,
}

impl<'a> Choice<'a> {
    /// Chooses a token.
    ///
    /// # Errors
    /// When a token asked for by name does not exist, or the remotes are needed and cannot be read.
    pub(crate) fn make(
        context: &'a Context,
        state: &'a State,
        query: &Query,
        purpose: Purpose<'_>,
    ) -> Result<Self, SelectError> {
        let (selection, refused) = match purpose {
            Purpose::Answer(refused) => (context.select_for_git(query, state)?, refused),
            Purpose::Use | Purpose::Show => (context.select(query, state)?, &[][..]),
        };
        let mut reader = match purpose {
            Purpose::Answer(_) | Purpose::Use => TokenReader::renewing(context, state),
            Purpose::Show => TokenReader::new(context, state),
        };
        let outcome = choose(
            &selection.candidates,
            state,
            &query.endpoint,
            refused,
            clock::now(),
            &mut reader,
        );
        Ok(Self {
            selection,
            outcome,
            reader,
        })
    }
}

/// The result of a choice, as commands use it.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// The token and where it comes from; `None` if there is none.
    pub(crate) token: Option<(Candidate, LoadedToken)>,
    /// Whether the only usable tokens are remembered as rejected.
    pub(crate) rejected: bool,
    /// Set if the username that git asks with matches no token or account: why, and what to do.
    pub(crate) unknown_username: Option<(String, String)>,
    /// Messages about candidates that could not be used.
    pub(crate) said: Vec<String>,
}

/// Chooses a token for what git asks, and renews it if that is due.
///
/// # Errors
/// When a token asked for by name does not exist, or the location is not on one of this user's Hubs.
pub(crate) fn choose_for(context: &Context, state: &State, asked: &Asked) -> Result<Chosen> {
    let endpoint = &asked.query.endpoint;
    if !context.serves(endpoint) {
        return Err(Failure::new(format!("{endpoint} is not one of your Hubs"))
            .help(format!(
                "add it below [endpoints] in {}",
                context.paths.config().display()
            ))
            .into());
    }
    let choice = Choice::make(context, state, &asked.query, Purpose::Use)
        .map_err(|error| context.select_failure(state, error))?;
    let mut chosen = Chosen {
        said: choice.reader.said,
        ..Chosen::default()
    };
    if choice.selection.notices.contains(&Notice::UnknownUsername) {
        chosen.unknown_username = Some(wording::unknown_username(asked.username_line()));
    }
    match choice.outcome {
        Outcome::Offer {
            candidate, loaded, ..
        } => chosen.token = Some((candidate, *loaded)),
        Outcome::AllRejected(candidate) => {
            chosen.rejected = true;
            chosen.said.push(format!(
                "{}, was rejected less than a minute ago: {}",
                context.describe(&candidate, state),
                wording::remedy(&candidate, state)
            ));
        }
        Outcome::Stopped(_, why) => chosen.said.push(why),
        Outcome::Nothing | Outcome::Deferred(_) => {}
    }
    Ok(chosen)
}

/// Chooses a token for a command that needs one for an unknown operation.
///
/// # Errors
/// See [`choose_for`]. Also fails if there is no token.
pub(crate) fn token_for(
    context: &Context,
    state: &State,
    location: &Location,
) -> Result<(Candidate, LoadedToken)> {
    let asked = Asked::at(location);
    let chosen = choose_for(context, state, &asked)?;
    // Nothing is said where this helper was never configured: the user may only want the token.
    if let Some(not_called) = asked.not_called(context).filter(|it| it.undone) {
        terminal::say(&not_called.to_string());
    }
    chosen.token.ok_or_else(|| {
        let subject = location
            .repo()
            .map_or_else(|| location.endpoint.to_string(), |r| r.to_string());
        let mut failure = Failure::new(format!("there is no token for {subject}"));
        if let Some((why, help)) = chosen.unknown_username {
            failure = failure.help(format!("{why}: {help}"));
        } else if chosen.said.is_empty() {
            let repo = location.repo();
            failure = failure.help(context.without_token(&location.endpoint, repo.as_ref()));
        }
        failure = chosen.said.into_iter().fold(failure, Failure::help);
        if chosen.rejected {
            let about = context.typed(&location.endpoint, &subject);
            failure = failure.help(format!(
                "to ask the Hub again: git credential-hf check {about}"
            ));
        }
        failure.into()
    })
}
