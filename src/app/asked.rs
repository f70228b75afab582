//! What git asks this helper for, and whether it asks at all. Every command that says what git gets
//! reads this from git's configuration.

use std::fmt;

use crate::app::Context;
use crate::git::config::Entry;
use crate::git::helpers::{Helpers, LoginSettings};
use crate::git::run::ReadError;
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::model::secret::holds_token;
use crate::selection::{Query, is_generic};

/// What git asks for at a location.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The query that git's request amounts to.
    pub(crate) query: Query,
    /// What git's configuration says, or why it cannot be read.
    pub(crate) settings: Result<LoginSettings, ReadError>,
}

/// Why git does not call this helper, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotCalled {
    /// The reason.
    pub(crate) why: String,
    /// The command to run, or the line to remove.
    pub(crate) help: String,
    /// Whether this helper is configured, and another line cancels that.
    pub(crate) undone: bool,
}

impl fmt::Display for NotCalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.why, self.help)
    }
}

impl Asked {
    /// Reads git's configuration for a location. Git sends the username of the URL, or else the one
    /// that `credential.username` sets.
    pub(crate) fn at(location: &Location) -> Self {
        let settings = LoginSettings::read(location);
        let mut query = Query::at(location);
        if let Ok(LoginSettings {
            username: Some(entry),
            ..
        }) = &settings
        {
            query.username = Some(entry.text().to_owned());
        }
        Self { query, settings }
    }

    /// What git asks when it does this.
    pub(crate) fn for_operation(self, operation: Option<Operation>) -> Self {
        Self {
            query: self.query.for_operation(operation),
            ..self
        }
    }

    /// The helpers that git calls there; `None` where its configuration cannot be read.
    pub(crate) fn helpers(&self) -> Option<&Helpers> {
        Some(&self.settings.as_ref().ok()?.helpers)
    }

    /// The line of git's configuration that sets the username, unless it is a generic one.
    pub(crate) fn username_line(&self) -> Option<&Entry> {
        let entry = self.settings.as_ref().ok()?.username.as_ref()?;
        (!is_generic(entry.text())).then_some(entry)
    }

    /// Says where the username comes from, if it does not come from the URL.
    pub(crate) fn username_note(&self) -> Option<String> {
        let entry = self.username_line()?;
        let name = entry.text();
        let whom = if holds_token(name) {
            "an access token in place of a username".to_owned()
        } else {
            format!("the username `{name}`")
        };
        Some(format!(
            "git asks with {whom} ({}, {})",
            entry.key,
            entry.place()
        ))
    }

    /// Why git does not call this helper here; `None` if it does, or if git cannot be asked.
    pub(crate) fn not_called(&self, context: &Context) -> Option<NotCalled> {
        let helpers = self.helpers()?;
        if helpers.ours.is_some() {
            return None;
        }
        let endpoint = &self.query.endpoint;
        let subject = match (&self.query.path, &helpers.reset) {
            (Some(path), Some(_)) => format!("{endpoint}/{path}"),
            _ => endpoint.to_string(),
        };
        let why = format!("git does not call this helper for {subject}");
        if let Some(reset) = &helpers.reset {
            return Some(NotCalled {
                why: format!(
                    "{why}: the empty `{}` ({}) cancels it",
                    reset.key,
                    reset.place()
                ),
                help: reset.how_to_follow(),
                undone: true,
            });
        }
        let help = if context.config.endpoint(endpoint).is_some() {
            "run `git credential-hf configure`".to_owned()
        } else {
            format!(
                "add \"{endpoint}\" = {{}} below [endpoints] in {}, then run \
                 `git credential-hf configure`",
                context.paths.config().display()
            )
        };
        Some(NotCalled {
            why,
            help,
            undone: false,
        })
    }
}

/// Why git does not call this helper for a location; see [`Asked::not_called`].
pub(crate) fn not_called(context: &Context, location: &Location) -> Option<NotCalled> {
    Asked::at(location).not_called(context)
}

/// Whether git calls this helper for an endpoint; `None` where its configuration cannot be read.
pub(crate) fn calls_us(endpoint: &Endpoint) -> Option<bool> {
    let settings = LoginSettings::read(&Location::of(endpoint)).ok()?;
    Some(settings.helpers.ours.is_some())
}
