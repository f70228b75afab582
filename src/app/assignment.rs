//! Rules and the default: where a token is to be used.

use crate::app::Context;
use crate::config::edit::Change;
use crate::config::edit::edit;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::token_name::TokenName;
use crate::terminal::Failure;
use crate::terminal::print;
use anyhow::Result;

/// Where a token is to be used.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// The token.
    pub name: &'a TokenName,
    /// The endpoint it is for.
    pub endpoint: &'a Endpoint,
    /// The patterns that get a rule.
    pub patterns: &'a [Pattern],
    /// The operation that the rules are for, if not both.
    pub operation: Option<Operation>,
    /// Whether it becomes the default.
    pub default: bool,
}

impl Assignment<'_> {
    /// Writes the rules and the default, and says so.
    ///
    /// # Errors
    /// As [`Assignment::write`].
    pub fn write_and_say(self, context: &Context) -> Result<()> {
        self.write(context)?;
        let name = self.name;
        for pattern in self.patterns {
            print(&match self.operation {
                Some(operation) => format!("a {operation} of {pattern} uses `{name}`\n"),
                None => format!("{pattern} uses `{name}`\n"),
            })?;
        }
        if self.default {
            print(&match self.endpoint.is_hugging_face() {
                true => format!("everything without a rule uses `{name}`\n"),
                false => format!(
                    "everything without a rule on {} uses `{name}`\n",
                    self.endpoint
                ),
            })?;
        }
        Ok(())
    }

    /// Writes the rules and the default.
    ///
    /// # Errors
    /// When a pattern is of another endpoint than the token, or the configuration cannot be
    /// changed.
    pub fn write(self, context: &Context) -> Result<()> {
        let Self {
            name,
            endpoint,
            patterns,
            operation,
            default,
        } = self;
        if let Some(pattern) = patterns.iter().find(|p| p.endpoint != *endpoint) {
            return Err(Failure::new(format!(
                "`{name}` is a token for {endpoint}, and `{pattern}` is on {}",
                pattern.endpoint
            ))
            .help("a token goes to the Hub it was stored for, and to no other")
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
