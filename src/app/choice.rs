//! The choice of a token: gathers the inputs, puts the candidates in order, and loads the first
//! that can be had. Git's `get` and every command that uses or shows the choice make it here.

use anyhow::Result;

use crate::app::Context;
use crate::app::asked;
use crate::app::asked::Asked;
use crate::app::target;
use crate::app::token_source::TokenReader;
use crate::app::wording;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::model::secret::Fingerprint;
use crate::selection::{
    Candidate, LoadedToken, Notice, Outcome, Query, SelectError, Selection, choose,
};
use crate::state::State;
use crate::system::clock;
use crate::terminal;
use crate::terminal::Failure;

/// The place that a command is about: what it was given, or the only remote of the repository
/// if there is only one.
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
    /// To answer git, which was given these values before and had them refused. What it is about
    /// to do is read from the command lines of the programs that wait for this one.
    Answer(&'a [Fingerprint]),
    /// To use it as git would.
    Use,
    /// To show what git would get. Nothing is changed.
    Show,
}

/// The choice of a token: the candidates in order, and the first that can be had.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    /// What was to choose from.
    pub(crate) selection: Selection,
    /// The token, or why there is none.
    pub(crate) outcome: Outcome,
    /// What reading the tokens has told.
    pub(crate) reader: TokenReader<'a>,
}

impl<'a> Choice<'a> {
    /// Makes the choice.
    ///
    /// # Errors
    /// When a token asked for by name cannot be had, or the remotes are needed and cannot be read.
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

/// What a choice came to, for a command.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// The token and where it comes from; `None` when there is none to answer.
    pub(crate) token: Option<(Candidate, LoadedToken)>,
    /// There are tokens, and what is remembered of them is that they were rejected.
    pub(crate) rejected: bool,
    /// The username that git asks with matches nobody here: why, and what helps.
    pub(crate) unknown_username: Option<(String, String)>,
    /// What went wrong on the way, for the user.
    pub(crate) said: Vec<String>,
}

/// Makes the choice for a place, renewing the token if that is due.
///
/// # Errors
/// When a token asked for by name cannot be had, or the place is on no Hub of this user.
pub(crate) fn choose_for(
    context: &Context,
    state: &State,
    location: &Location,
    operation: Option<Operation>,
) -> Result<Chosen> {
    if !context.serves(&location.endpoint) {
        return Err(
            Failure::new(format!("{} is not one of your Hubs", location.endpoint))
                .help(format!(
                    "add it below [endpoints] in {}",
                    context.paths.config().display()
                ))
                .into(),
        );
    }
    let mut asked = Asked::at(location);
    asked.query = asked.query.for_operation(operation);
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
                wording::remedy(&candidate)
            ));
        }
        Outcome::Stopped(_, why) => chosen.said.push(why),
        Outcome::Nothing | Outcome::Deferred(_) => {}
    }
    Ok(chosen)
}

/// Chooses a token for a command that needs one, and does not know what it will be used for.
///
/// # Errors
/// When there is none, too.
pub(crate) fn token_for(
    context: &Context,
    state: &State,
    location: &Location,
) -> Result<(Candidate, LoadedToken)> {
    let chosen = choose_for(context, state, location, None)?;
    // Not a word where nobody has let git call this helper: a token may be all that is wanted.
    if let Some(not_called) = asked::not_called(context, location).filter(|it| it.undone) {
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
        if chosen.rejected {
            let about = context.typed(&location.endpoint, &subject);
            failure = failure.help(format!(
                "`git credential-hf check {about}` asks the Hub whether it still is"
            ));
        }
        chosen.said.into_iter().fold(failure, Failure::help).into()
    })
}
