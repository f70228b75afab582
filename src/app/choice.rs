//! The token that git would get, for commands that use it as git does.

use anyhow::Result;

use crate::app::Context;
use crate::app::asked;
use crate::app::asked::Asked;
use crate::app::target;
use crate::app::token_source::Reader;
use crate::app::wording;
use crate::model::operation::Operation;
use crate::model::repo::Location;
use crate::selection::Candidate;
use crate::selection::LoadedToken;
use crate::selection::Notice;
use crate::selection::Outcome;
use crate::selection::choose;
use crate::state::State;
use crate::system::clock;
use crate::terminal;
use crate::terminal::Failure;

/// The place that a command is about: what it was given, or the only remote of the repository
/// if there is only one.
///
/// # Errors
/// When neither is clear.
pub fn place(context: &Context, given: Option<&str>) -> Result<Location> {
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

/// What the choice came to.
#[derive(Debug)]
pub struct Chosen {
    /// The token and where it comes from; `None` when there is none to answer.
    pub token: Option<(Candidate, LoadedToken)>,
    /// There are tokens, and what is remembered of them is that they were rejected.
    pub rejected: bool,
    /// The username that git asks with means nobody here: why, and what helps.
    pub unknown_username: Option<(String, String)>,
    /// What went wrong on the way, for the user.
    pub said: Vec<String>,
}

/// Makes the choice for a place, renewing the token if that is due.
///
/// # Errors
/// When a token asked for by name cannot be had, or the place is on no Hub of this user.
pub fn choose_for(
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
    let selection = context
        .select(&asked.query, state)
        .map_err(crate::app::wording::select_failure)?;
    let mut reader = Reader::renewing(context, state);
    let outcome = choose(
        &selection.candidates,
        state,
        &location.endpoint,
        &[],
        clock::now(),
        &mut reader,
    );
    let mut said = std::mem::take(&mut reader.said);
    let is_unknown = selection.notices.contains(&Notice::UnknownUsername);
    let unknown_username = is_unknown.then(|| wording::unknown_username(asked.username_line()));
    Ok(match outcome {
        Outcome::Offer {
            candidate, loaded, ..
        } => Chosen {
            token: Some((candidate, *loaded)),
            rejected: false,
            unknown_username,
            said,
        },
        Outcome::AllRejected(candidate) => {
            said.push(format!(
                "{}, was rejected less than a minute ago: {}",
                context.describe(&candidate, state),
                wording::remedy(&candidate)
            ));
            Chosen {
                token: None,
                rejected: true,
                unknown_username,
                said,
            }
        }
        Outcome::Stopped(_, why) => Chosen {
            token: None,
            rejected: false,
            unknown_username,
            said: said.into_iter().chain([why]).collect(),
        },
        Outcome::Nothing | Outcome::Deferred(_) => Chosen {
            token: None,
            rejected: false,
            unknown_username,
            said,
        },
    })
}

/// Chooses a token for a command that needs one, and does not know what it will be used for.
///
/// # Errors
/// When there is none, too.
pub fn token_for(
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
            failure = failure.help("run `git credential-hf login NAME`, or set HF_TOKEN");
        }
        if chosen.rejected {
            failure = failure.help("`git credential-hf check` asks the Hub whether it still is");
        }
        chosen.said.into_iter().fold(failure, Failure::help).into()
    })
}
