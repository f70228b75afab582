//! `unuse`: removes a rule.

use crate::app::{Context, target};
use crate::config::edit::{Change, edit};
use crate::terminal::{Failure, print};
use anyhow::Result;

/// The arguments of `unuse`.
#[derive(Debug, clap::Args)]
#[command(about = "Remove a rule or the default")]
pub(crate) struct Args {
    /// The rule's pattern, as `list` shows it; by default, the rule for the current repository
    #[arg(conflicts_with = "default")]
    pub(crate) pattern: Option<String>,
    /// Remove the default instead
    #[arg(long)]
    pub(crate) default: bool,
}

/// Removes a rule.
///
/// # Errors
/// When there is no such rule.
pub(crate) fn run(choice: &Args) -> Result<()> {
    let context = Context::with_config()?;
    if choice.default {
        return remove_default(&context);
    }
    let given: Vec<String> = choice.pattern.iter().cloned().collect();
    for pattern in target::patterns(&context, &given, "unuse PATTERN")? {
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

/// The default of the environment's Hub.
fn remove_default(context: &Context) -> Result<()> {
    let endpoint = target::default_endpoint(context)?;
    let own = context.config.defaults.contains_key(&endpoint);
    let set = context.config.default_for(&endpoint);
    let Some(name) = set.filter(|_| own || endpoint.is_hugging_face()) else {
        return Err(Failure::new(format!("there is no default for {endpoint}"))
            .help("`git credential-hf list` shows which token is used where")
            .into());
    };
    let change = Change::SetDefault(own.then_some(&endpoint), None);
    edit(&context.paths.config(), &[change])?;
    print(&format!("`{name}` is no longer the default\n"))
}
