//! `login`: keep a token under a name.

use std::io::{IsTerminal, Read};

use anyhow::Result;
use zeroize::Zeroizing;

use super::{here, rules};
use crate::cli::Login;
use crate::config_edit::{Change, edit};
use crate::context::{self, Context, print, quoted};
use crate::endpoint::Endpoint;
use crate::name::TokenName;
use crate::pattern::Pattern;
use crate::secret::{Kind, MAX_BYTES, Secret};
use crate::state::{Origin, State, TokenInfo};
use crate::storage::{Record, StorageError, StorageKind};
use crate::ui::{self, Failure};

/// Keeps a token, and writes the rules asked for.
///
/// # Errors
/// When the token cannot be one, or cannot be kept.
pub fn run(login: Login) -> Result<()> {
    let context = Context::with_config()?;
    let name = TokenName::parse(&login.name).map_err(|error| {
        Failure::new(error.to_string()).help("such as: git credential-hf login work")
    })?;
    let default = here::default_endpoint(&context)?;
    let patterns = login
        .patterns
        .iter()
        .map(|text| here::pattern(text, &default))
        .collect::<Result<Vec<Pattern>>>()?;
    let endpoint = endpoint(&patterns, default)?;
    check_endpoint(&context, &endpoint)?;
    check_name(&context, &context.state_file.load()?, &name, &endpoint)?;

    let secret = read_secret(&login, &endpoint)?;
    check_secret(&secret, &endpoint)?;

    let kind = keep(&context, &login, &name, &endpoint, &secret)?;
    print(&format!(
        "kept `{name}` ({}) for {endpoint} in the {}\n",
        secret.hint(),
        kind.described()
    ))?;
    if !context.serves(&endpoint) {
        edit(&context.paths.config(), &[Change::AddEndpoint(&endpoint)])?;
        print(&format!(
            "added {endpoint} to the endpoints; run `git credential-hf configure` to let git ask for it\n"
        ))?;
    }
    rules::set(&context, &name, &endpoint, &patterns, login.default)?;
    if patterns.is_empty() && !login.default && !is_used(&context, &name) {
        let name = quoted(name.as_str());
        print(&format!(
            "next: say where to use it: `git credential-hf use {name} --for NAMESPACE`, or `use {name} --default`\n"
        ))?;
    }
    Ok(())
}

/// The endpoint of the patterns, which must be one.
fn endpoint(patterns: &[Pattern], default: Endpoint) -> Result<Endpoint> {
    let Some(first) = patterns.first() else {
        return Ok(default);
    };
    if let Some(other) = patterns.iter().find(|p| p.endpoint != first.endpoint) {
        return Err(Failure::new(format!(
            "a token is for one Hub, not for {} and {}",
            first.endpoint, other.endpoint
        ))
        .help("log in once for each, under two names")
        .into());
    }
    Ok(first.endpoint.clone())
}

fn check_endpoint(context: &Context, endpoint: &Endpoint) -> Result<()> {
    if endpoint.is_plain_http() && !context.serves(endpoint) {
        return Err(Failure::new(format!("{endpoint} is plain http, which anybody on the way can read"))
            .help(format!(
                "if that is meant, write \"{endpoint}\" = {{ allow_http = true }} below [endpoints] in {}",
                context.paths.config().display()
            ))
            .into());
    }
    Ok(())
}

/// A name stands for one thing: not for a command too, and not for tokens of two endpoints.
fn check_name(
    context: &Context,
    state: &State,
    name: &TokenName,
    endpoint: &Endpoint,
) -> Result<()> {
    if context.config.commands.contains_key(name) {
        let message = format!(
            "`{name}` is a command in {}",
            context.paths.config().display()
        );
        return Err(Failure::new(message).help("choose another name").into());
    }
    match state.tokens.get(name) {
        Some(token) if token.endpoint != *endpoint => {
            let message = format!("`{name}` is a token for {}", token.endpoint);
            let help = format!(
                "choose another name, or `git credential-hf logout {}` first",
                quoted(name.as_str())
            );
            Err(Failure::new(message).help(help).into())
        }
        _ => Ok(()),
    }
}

fn read_secret(login: &Login, endpoint: &Endpoint) -> Result<Secret> {
    let text = if login.with_token {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        if std::io::stdin().is_terminal() {
            text = ui::ask_secret("Token")?;
        } else {
            std::io::stdin()
                .lock()
                .take(MAX_BYTES as u64 + 1)
                .read_to_string(&mut text)?;
        }
        text
    } else if ui::can_ask() {
        if endpoint.is_hugging_face() {
            eprintln!(
                "Create a token at https://huggingface.co/settings/tokens and paste it here."
            );
        }
        ui::ask_secret(&format!("Token for {endpoint}, not shown"))?
    } else {
        return Err(Failure::new("there is no terminal to ask for the token")
            .help("give it on stdin: git credential-hf login NAME --with-token < FILE")
            .into());
    };
    Ok(Secret::from_input(text).map_err(|error| {
        Failure::new(error.to_string())
            .help("a token is one line of letters and digits, such as hf_..")
    })?)
}

fn check_secret(secret: &Secret, endpoint: &Endpoint) -> Result<()> {
    match secret.kind() {
        Kind::Organisation => Err(Failure::new(
            "this is an organisation token (api_org_), which the Hub no longer takes",
        )
        .help("create a fine-grained token for the organisation at https://huggingface.co/settings/tokens")
        .into()),
        Kind::Other if endpoint.is_hugging_face() => Err(Failure::new(
            "this is not a Hub token: those begin with hf_",
        )
        .help("create one at https://huggingface.co/settings/tokens; account passwords are not taken")
        .into()),
        _ => Ok(()),
    }
}

/// Keeps the secret where it was asked for. Without a keyring nothing is kept elsewhere unless
/// a person says so, here or with `--storage`.
fn keep(
    context: &Context,
    login: &Login,
    name: &TokenName,
    endpoint: &Endpoint,
    secret: &Secret,
) -> Result<StorageKind> {
    let chosen = login.storage.or(context.config.storage);
    let kind = chosen.unwrap_or(StorageKind::Keyring);
    match try_keep(context, name, endpoint, secret, kind) {
        Ok(()) => {
            if login.storage.is_some() && login.storage != context.config.storage {
                edit(&context.paths.config(), &[Change::SetStorage(kind)])?;
            }
            Ok(kind)
        }
        Err(error) if kind == StorageKind::Keyring && is_unavailable(&error) => {
            let question = format!(
                "{error}\nKeep the token in a file instead? It is readable by you only ({}), but not encrypted.",
                context.paths.tokens().display()
            );
            if !ui::confirm(&question) {
                let again = format!(
                    "git credential-hf login {} --storage file",
                    quoted(name.as_str())
                );
                return Err(Failure::new(format!("`{name}` is not kept: {error}"))
                    .help("start or unlock the keyring, and try again")
                    .help(format!(
                        "or keep it in a file, readable by you only but not encrypted: {again}"
                    ))
                    .help("or set HF_TOKEN, which needs no storage")
                    .into());
            }
            try_keep(context, name, endpoint, secret, StorageKind::File)?;
            edit(
                &context.paths.config(),
                &[Change::SetStorage(StorageKind::File)],
            )?;
            Ok(StorageKind::File)
        }
        Err(error) => Err(error.context(format!("`{name}` is not kept"))),
    }
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StorageError::Unavailable(_)))
}

fn try_keep(
    context: &Context,
    name: &TokenName,
    endpoint: &Endpoint,
    secret: &Secret,
    storage: StorageKind,
) -> Result<()> {
    let token = TokenInfo {
        endpoint: endpoint.clone(),
        storage,
        origin: Origin::Login,
        fingerprint: secret.fingerprint(),
        hint: secret.hint(),
        account: None,
        path: None,
        expires: None,
        added: context::now(),
        order: 0,
    };
    let record = Record {
        secret: secret.clone(),
        endpoint: endpoint.clone(),
        expires: None,
        refresh_token: None,
    };
    context.keep(name, token, &record, |state| {
        check_name(context, state, name, endpoint)
    })
}

fn is_used(context: &Context, name: &TokenName) -> bool {
    context.config.default.as_ref() == Some(name)
        || context.config.rules.iter().any(|rule| rule.token == *name)
}
