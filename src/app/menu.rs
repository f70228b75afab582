//! Asks on a terminal which token is meant, where a command was given no name.

use crate::app::Context;
use crate::model::token_name::TokenName;
use crate::state::State;
use crate::terminal;

/// Lets a person choose one of the stored tokens. `None` if there is no terminal, no answer or no token.
pub(crate) fn stored_token(state: &State, question: &str) -> Option<TokenName> {
    which(
        state
            .tokens
            .keys()
            .map(|name| stored(state, name))
            .collect(),
        question,
    )
}

/// Lets a person choose one of the tokens that a rule can name.
pub(crate) fn any_token(context: &Context, state: &State, question: &str) -> Option<TokenName> {
    let mut choices: Vec<_> = state
        .tokens
        .keys()
        .map(|name| stored(state, name))
        .collect();
    for name in context.config.commands.keys() {
        choices.push((name.clone(), "from a command".to_owned()));
    }
    for name in context.hf_cli().names() {
        let name = TokenName::existing(&format!("hf:{name}"));
        choices.push((name, "of the hf CLI".to_owned()));
    }
    which(choices, question)
}

fn stored(state: &State, name: &TokenName) -> (TokenName, String) {
    let about = state.tokens.get(name).map_or_else(String::new, |token| {
        let account = token
            .account
            .as_deref()
            .filter(|account| !account.is_empty());
        match account {
            Some(account) => format!("{}, account {account}", token.hint),
            None => token.hint.clone(),
        }
    });
    (name.clone(), about)
}

fn which(mut choices: Vec<(TokenName, String)>, question: &str) -> Option<TokenName> {
    let shown: Vec<(String, String)> = choices
        .iter()
        .map(|(name, about)| (name.to_string(), about.clone()))
        .collect();
    let at = terminal::choose(question, &shown)?;
    Some(choices.swap_remove(at).0)
}
