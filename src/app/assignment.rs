//! Rules and the default: where a token is to be used.

use crate::app::Context;
use crate::app::claims::{self, Against};
use crate::config::edit::{Change, edit};
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::token_name::TokenName;
use crate::terminal::{Failure, print};
use anyhow::Result;

/// Where a token is to be used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assignment<'a> {
    /// The token.
    pub(crate) name: &'a TokenName,
    /// The endpoint it is for.
    pub(crate) endpoint: &'a Endpoint,
    /// The patterns that get a rule.
    pub(crate) patterns: &'a [Pattern],
    /// The operation that the rules are for, if not both.
    pub(crate) operation: Option<Operation>,
    /// Whether it becomes the default.
    pub(crate) default: bool,
}

impl Assignment<'_> {
    /// Writes the rules and the default, and says so.
    pub(crate) fn write_and_say(self, context: &Context) -> Result<()> {
        self.write(context)?;
        let name = self.name;
        for pattern in self.patterns {
            print(&match self.operation {
                Some(operation) => format!("a {} {pattern} uses `{name}`\n", operation.with_repo()),
                None => format!("{pattern} uses `{name}`\n"),
            })?;
        }
        if self.default {
            print(&match self.endpoint.is_hugging_face() {
                true => format!("the default token is `{name}`\n"),
                false => format!("the default token for {} is `{name}`\n", self.endpoint),
            })?;
        }
        self.say_what_is_in_the_way()
    }

    /// Says where git will not use the token, and why.
    fn say_what_is_in_the_way(self) -> Result<()> {
        if self.patterns.is_empty() && !self.default {
            return Ok(());
        }
        // The rules as they are now.
        let context = Context::with_config()?;
        let state = context.state_file.load()?;
        let name = self.name;
        let patterns = self.patterns.iter();
        let found: Vec<(Against, &Pattern)> = patterns
            .filter_map(|pattern| {
                Some((claims::against(&context, &state, name, pattern)?, pattern))
            })
            .collect();
        let mut found = claims::in_words(&found);
        if self.default {
            let other = claims::against_default(&context, &state, name, self.endpoint);
            found.extend(other);
        }
        found.extend(claims::not_called(&context, self.endpoint));
        for note in found {
            print(&format!("note: {note}\n"))?;
        }
        Ok(())
    }

    /// The error for a token that is stored, but whose rules cannot be written, for example because
    /// another program generates the configuration. It says what to write by hand.
    pub(crate) fn not_written(self, error: &anyhow::Error) -> Failure {
        let name = self.name;
        let mut failure = Failure::new(format!(
            "`{name}` is stored, but where to use it could not be written: {error:#}"
        ));
        for pattern in self.patterns {
            failure = failure.help(format!("write below [rules]: \"{pattern}\" = \"{name}\""));
        }
        if self.default {
            failure = failure.help(format!("write at the top: default = \"{name}\""));
        }
        failure
    }

    /// Writes the rules and the default.
    ///
    /// # Errors
    /// When a pattern is for another endpoint than the token, or the configuration cannot be
    /// changed.
    pub(crate) fn write(self, context: &Context) -> Result<()> {
        let Self {
            name,
            endpoint,
            patterns,
            operation,
            default,
        } = self;
        if let Some(pattern) = patterns.iter().find(|p| p.endpoint != *endpoint) {
            return Err(Failure::new(format!(
                "`{name}` is a token for {endpoint}, but `{pattern}` is on {}",
                pattern.endpoint
            ))
            .help("a token is sent only to the Hub it was stored for")
            .into());
        }
        let rules = patterns
            .iter()
            .map(|pattern| Change::SetRule(pattern, name, operation));
        let own = (!endpoint.is_hugging_face()).then_some(endpoint);
        let default = default.then_some(Change::SetDefault(own, Some(name)));
        let changes: Vec<Change<'_>> = rules.chain(default).collect();
        if changes.is_empty() {
            return Ok(());
        }
        Ok(edit(&context.paths.config(), &changes)?)
    }
}
