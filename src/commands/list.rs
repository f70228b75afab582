//! `list`: the tokens, where each lies, and the rules.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::List;
use crate::context::{self, Context, print};
use crate::name::TokenName;
use crate::state::{Origin, Standing, State, TokenInfo};
use crate::ui;

/// Prints what there is.
///
/// # Errors
/// When configuration or state cannot be read.
pub fn run(list: List) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    if list.json {
        let text = serde_json::to_string_pretty(&as_json(&context, &state))?;
        return print(&format!("{text}\n"));
    }
    print(&as_text(&context, &state))
}

fn as_text(context: &Context, state: &State) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, token) in &state.tokens {
        rows.push(vec![
            name.to_string(),
            token.hint.clone(),
            token.account.clone().unwrap_or_else(|| "-".to_owned()),
            token.storage.described().to_owned(),
            token.endpoint.authority(),
            status(state, token),
            uses(context, name, token),
        ]);
    }
    for (name, command) in &context.config.commands {
        rows.push(vec![
            name.to_string(),
            "-".to_owned(),
            "-".to_owned(),
            format!(
                "command {}",
                command.arguments.first().map_or("", String::as_str)
            ),
            command.endpoint.authority(),
            "-".to_owned(),
            used_for(context, name),
        ]);
    }
    for token in &context.env.tokens {
        let (hint, status) = match &token.secret {
            Ok(secret) => {
                let standing = state.standing(&secret.fingerprint(), context::now());
                (secret.hint(), word(standing).to_owned())
            }
            Err(error) => ("-".to_owned(), error.to_string()),
        };
        let endpoint = context.env.endpoint();
        rows.push(vec![
            token.variable.to_owned(),
            hint,
            "-".to_owned(),
            "environment".to_owned(),
            endpoint.map_or_else(|| "-".to_owned(), |e| e.authority()),
            status,
            "where no rule matches".to_owned(),
        ]);
    }
    if rows.is_empty() {
        return "there are no tokens yet: run `git credential-hf login NAME`\n".to_owned();
    }
    let header = [
        "NAME", "TOKEN", "ACCOUNT", "STORAGE", "HUB", "STATUS", "USED FOR",
    ];
    let mut text = ui::table(&header, &rows);
    let missing: Vec<String> = context
        .config
        .rules
        .iter()
        .filter(|rule| !exists(context, state, &rule.token))
        .map(|rule| format!("`{}` = `{}`", rule.pattern, rule.token))
        .collect();
    if !missing.is_empty() {
        let line = format!("\nrules whose token is not there: {}\n", missing.join(", "));
        text.push_str(&ui::shown(&line));
    }
    text
}

fn exists(context: &Context, state: &State, name: &TokenName) -> bool {
    state.tokens.contains_key(name) || context.config.commands.contains_key(name)
}

fn status(state: &State, token: &TokenInfo) -> String {
    let now = context::now();
    match state.standing(&token.fingerprint, now) {
        Standing::Good if token.expires.is_some_and(|at| at <= now) => "expired".to_owned(),
        standing => word(standing).to_owned(),
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "ok",
        Standing::LastResort | Standing::Withheld => "rejected",
    }
}

fn uses(context: &Context, name: &TokenName, token: &TokenInfo) -> String {
    match (token.origin, &token.path) {
        (Origin::Git, Some(path)) => path.clone(),
        (Origin::Git, None) => "what has no rule".to_owned(),
        (Origin::Login, _) => used_for(context, name),
    }
}

fn used_for(context: &Context, name: &TokenName) -> String {
    let mut uses: Vec<String> = context
        .config
        .rules
        .iter()
        .filter(|rule| rule.token == *name)
        .map(|rule| rule.pattern.to_string())
        .collect();
    if context.config.default.as_ref() == Some(name) {
        uses.push("default".to_owned());
    }
    if uses.is_empty() {
        "-".to_owned()
    } else {
        uses.join(", ")
    }
}

/// The same for programs. `version` changes when a field changes its meaning or goes.
fn as_json(context: &Context, state: &State) -> Value {
    let tokens: Vec<Value> = state
        .tokens
        .iter()
        .map(|(name, token)| {
            json!({
                "name": name,
                "token": token.hint,
                "account": token.account,
                "storage": token.storage,
                "encrypted": token.storage != crate::storage::StorageKind::File,
                "endpoint": token.endpoint.to_string(),
                "origin": token.origin,
                "path": token.path,
                "expires": token.expires,
                "added": token.added,
                "rejected": state.rejected.get(&token.fingerprint),
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
                "token": rule.token,
                "exists": exists(context, state, &rule.token),
            })
        })
        .collect();
    let environment: Vec<Value> = context
        .env
        .tokens
        .iter()
        .map(|token| {
            json!({
                "variable": token.variable,
                "token": token.secret.as_ref().ok().map(crate::secret::Secret::hint),
            })
        })
        .collect();
    json!({
        "version": 1,
        "default": context.config.default,
        "storage": context.config.storage,
        "tokens": tokens,
        "commands": commands,
        "environment": environment,
        "rules": rules,
    })
}
