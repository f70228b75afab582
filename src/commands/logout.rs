//! `logout`: remove tokens from this machine.

use anyhow::{Context as _, Result};

use super::rules;
use crate::cli::Logout;
use crate::context::{Context, print};
use crate::name::TokenName;
use crate::ui::{self, Failure};

/// Removes one token, or all.
///
/// # Errors
/// When there is none of that name, or its storage fails; then it is still listed.
pub fn run(logout: &Logout) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    let names: Vec<TokenName> = match &logout.name {
        Some(name) => vec![TokenName::existing(name)],
        None => state.tokens.keys().cloned().collect(),
    };
    if names.is_empty() {
        return print("there are no tokens to remove\n");
    }
    if logout.all && !logout.yes && !ui::confirm(&format!("Remove all {} tokens?", names.len())) {
        return Err(Failure::new("nothing was removed")
            .help("to remove all tokens without a question: git credential-hf logout --all --yes")
            .into());
    }
    for name in names {
        let Some(token) = state.tokens.get(&name) else {
            return Err(rules::no_such_token(&context, &state, name.as_str()).into());
        };
        context
            .forget(&name, token)
            .with_context(|| format!("`{name}` could not be removed"))?;
        print(&format!("removed `{name}` ({})\n", token.hint))?;
        let mut left: Vec<String> = context
            .config
            .rules
            .iter()
            .filter(|rule| rule.token == name)
            .map(|rule| format!("the rule for `{}`", rule.pattern))
            .collect();
        if context.config.default.as_ref() == Some(&name) {
            left.push("`default`".to_owned());
        }
        if !left.is_empty() {
            print(&format!(
                "  still naming it in {}: {}\n",
                context.paths.config().display(),
                left.join(", ")
            ))?;
        }
    }
    Ok(())
}
