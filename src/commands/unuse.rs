//! `unuse`: removes a rule.

use crate::app::Context;
use crate::app::target;
use crate::config::edit::Change;
use crate::config::edit::edit;
use crate::terminal::Failure;
use crate::terminal::print;
use anyhow::Result;

/// The arguments of `unuse`.
#[derive(Debug, clap::Args)]
#[command(about = "Remove a rule")]
pub struct Args {
    /// The rule's pattern, as `list` shows it; by default, the rule for the current repository
    pub pattern: Option<String>,
}

/// Removes a rule.
///
/// # Errors
/// When there is no such rule.
pub fn run(choice: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let given: Vec<String> = choice.pattern.iter().cloned().collect();
    for pattern in target::patterns(&context, &given)? {
        if !context
            .config
            .rules
            .iter()
            .any(|rule| rule.pattern == pattern)
        {
            let rules: Vec<String> = context
                .config
                .rules
                .iter()
                .map(|rule| rule.pattern.to_string())
                .collect();
            let names: Vec<&str> = rules.iter().map(String::as_str).collect();
            let failure = Failure::new(format!("there is no rule for `{pattern}`"));
            return Err(match crate::config::nearest(&pattern.to_string(), &names) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help("`git credential-hf list` shows the rules"),
            }
            .into());
        }
        edit(&context.paths.config(), &[Change::RemoveRule(&pattern)])?;
        print(&format!("removed the rule for {pattern}\n"))?;
    }
    Ok(())
}
