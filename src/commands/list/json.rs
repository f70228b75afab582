//! The output of `list --json`.

use serde_json::{Value, json};

use crate::app::Context;
use crate::app::lookup::exists;
use crate::config::{Config, Rule};
use crate::hf_cli::HfToken;
use crate::model::secret::Secret;
use crate::model::token_name::TokenName;
use crate::state::{State, TokenInfo};
use crate::storage::StorageKind;
use crate::storage::command::TokenCommand;
use crate::system::environment::EnvToken;

/// Tokens, rules and defaults. `version` is raised when a field is removed or changes its meaning.
pub(crate) fn as_json(context: &Context, state: &State) -> Value {
    let Config {
        commands,
        rules,
        defaults,
        ..
    } = &context.config;
    let tokens = state.tokens.iter();
    let tokens = tokens.map(|(name, token)| stored(state, name, token));
    let commands = commands.iter().map(|(name, it)| command(name, it));
    let environment = context.env.tokens.iter().map(variable);
    let of_hf_cli = context.hf_cli().all().unwrap_or_default();
    let endpoint = context.env.endpoint().map(|it| it.to_string());
    let of_hf_cli = of_hf_cli
        .iter()
        .map(|(token, active)| hf_cli(token, *active, endpoint.as_deref()));
    let rules = rules.iter().map(|it| rule(context, state, it));
    let defaults = defaults.iter();
    let defaults = defaults.map(|(endpoint, name)| (endpoint.to_string(), json!(name)));
    json!({
        "version": 1,
        "default": context.config.default,
        "defaults": defaults.collect::<serde_json::Map<String, Value>>(),
        "storage": context.config.storage,
        "tokens": tokens.collect::<Vec<Value>>(),
        "commands": commands.collect::<Vec<Value>>(),
        "environment": environment.collect::<Vec<Value>>(),
        "hf_cli": of_hf_cli.collect::<Vec<Value>>(),
        "rules": rules.collect::<Vec<Value>>(),
    })
}

fn stored(state: &State, name: &TokenName, token: &TokenInfo) -> Value {
    json!({
        "name": name,
        "token": token.hint,
        "account": token.account,
        "username": token.username,
        "storage": token.storage,
        "encrypted": token.storage != StorageKind::File,
        "endpoint": token.endpoint.to_string(),
        "origin": token.origin,
        "path": token.path,
        "expires": token.expires,
        "facts": token.facts,
        "added": token.added,
        "rejected": state.rejected_at(&token.endpoint, &token.fingerprint),
    })
}

fn command(name: &TokenName, command: &TokenCommand) -> Value {
    json!({
        "name": name,
        "program": command.arguments.first(),
        "endpoint": command.endpoint.to_string(),
    })
}

fn variable(token: &EnvToken) -> Value {
    json!({
        "variable": token.variable,
        "token": token.secret.as_ref().ok().map(Secret::hint),
    })
}

fn hf_cli(token: &HfToken, active: bool, endpoint: Option<&str>) -> Value {
    json!({
        "name": token.shown_name(),
        "token": token.secret.hint(),
        "active": active,
        "expires": token.expires,
        "endpoint": endpoint,
    })
}

fn rule(context: &Context, state: &State, rule: &Rule) -> Value {
    json!({
        "pattern": rule.pattern.to_string(),
        "endpoint": rule.pattern.endpoint.to_string(),
        "token": rule.only_token(),
        "fetch": rule.fetch,
        "push": rule.push,
        "exists": rule.tokens().all(|name| exists(context, state, name)),
    })
}
