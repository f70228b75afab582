//! The output of `list --json`.

use serde_json::{Value, json};

use crate::app::Context;
use crate::app::lookup::exists;
use crate::state::State;

/// Tokens, rules and defaults. `version` is raised when a field is removed or changes its meaning.
pub(crate) fn as_json(context: &Context, state: &State) -> Value {
    let tokens: Vec<Value> = state
        .tokens
        .iter()
        .map(|(name, token)| {
            json!({
                "name": name,
                "token": token.hint,
                "account": token.account,
                "username": token.username,
                "storage": token.storage,
                "encrypted": token.storage != crate::storage::StorageKind::File,
                "endpoint": token.endpoint.to_string(),
                "origin": token.origin,
                "path": token.path,
                "expires": token.expires,
                "facts": token.facts,
                "added": token.added,
                "rejected": state.rejected_at(&token.endpoint, &token.fingerprint),
            })
        })
        .collect();
    let commands: Vec<Value> = context
        .config
        .commands
        .iter()
        .map(|(name, command)| {
            json!({
                "name": name,
                "program": command.arguments.first(),
                "endpoint": command.endpoint.to_string(),
            })
        })
        .collect();
    let rules: Vec<Value> = context
        .config
        .rules
        .iter()
        .map(|rule| {
            json!({
                "pattern": rule.pattern.to_string(),
                "endpoint": rule.pattern.endpoint.to_string(),
                "token": rule.only_token(),
                "fetch": rule.fetch,
                "push": rule.push,
                "exists": rule.tokens().all(|name| exists(context, state, name)),
            })
        })
        .collect();
    let defaults: serde_json::Map<String, Value> = context
        .config
        .defaults
        .iter()
        .map(|(endpoint, name)| (endpoint.to_string(), json!(name)))
        .collect();
    let environment: Vec<Value> = context
        .env
        .tokens
        .iter()
        .map(|token| {
            json!({
                "variable": token.variable,
                "token": token.secret.as_ref().ok().map(crate::model::secret::Secret::hint),
            })
        })
        .collect();
    let hf_cli: Vec<Value> = context
        .hf_cli()
        .all()
        .unwrap_or_default()
        .iter()
        .map(|(token, active)| {
            json!({
                "name": token.shown_name(),
                "token": token.secret.hint(),
                "active": active,
                "expires": token.expires,
                "endpoint": context.env.endpoint().map(|endpoint| endpoint.to_string()),
            })
        })
        .collect();
    json!({
        "version": 1,
        "default": context.config.default,
        "defaults": defaults,
        "storage": context.config.storage,
        "tokens": tokens,
        "commands": commands,
        "environment": environment,
        "hf_cli": hf_cli,
        "rules": rules,
    })
}
