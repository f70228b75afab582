//! Which repo or pattern a command means: what was typed, or else the current repository.

use std::borrow::Cow;

use anyhow::Result;

use crate::app::Context;
use crate::git::remotes::{Remote, used_for};
use crate::model::endpoint::Endpoint;
use crate::model::location::{Location, parse_location};
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::repo::strip_git;
use crate::terminal::Failure;

/// The endpoint that a bare repo name refers to: the environment's.
///
/// # Errors
/// When `HF_ENDPOINT` cannot be read.
pub(crate) fn default_endpoint(context: &Context) -> Result<Endpoint> {
    default_for(context, &[])
}

/// The endpoint that bare names among these texts refer to. If each of them names its Hub, the
/// environment does not matter.
///
/// # Errors
/// When `HF_ENDPOINT` is needed and cannot be read.
pub(crate) fn default_for(context: &Context, texts: &[&str]) -> Result<Endpoint> {
    if !texts.is_empty() && texts.iter().all(|text| names_its_hub(text)) {
        return Ok(Endpoint::hugging_face());
    }
    match &context.env.hf_endpoint {
        None => Ok(Endpoint::hugging_face()),
        Some(Ok(endpoint)) => Ok(endpoint.clone()),
        Some(Err(error)) => Err(
            Failure::new(format!("HF_ENDPOINT does not name a Hub: {error}"))
                .help("set it to a URL such as https://huggingface.co, or unset it")
                .into(),
        ),
    }
}

/// The locations of the current repository's remotes that are on a Hub.
///
/// # Errors
/// When there are none, or they cannot be read.
pub(crate) fn remotes(context: &Context) -> Result<Vec<Location>> {
    let mut found: Vec<Location> = Vec::new();
    for Remote { location, .. } in served_remotes(context)? {
        if !found.contains(&location) {
            found.push(location);
        }
    }
    Ok(found)
}

fn served_remotes(context: &Context) -> Result<Vec<Remote>> {
    let mut found = crate::git::remotes::all()?;
    found.retain(|remote| context.serves(&remote.location.endpoint));
    if found.is_empty() {
        return Err(Failure::new(
            "the current folder is not a clone of a Hub repository: name a repo",
        )
        .help("such as acme/x, datasets/acme/x or https://huggingface.co/acme/x")
        .into());
    }
    Ok(found)
}

/// A location, and how to name it to git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) location: Location,
    /// The name of a remote, or a URL.
    pub(crate) for_git: String,
}

impl Target {
    /// Parses the name or URL of a repo as it was typed. The rest of a web page's URL is ignored.
    pub(crate) fn typed(context: &Context, text: &str) -> Result<Self> {
        let mut location = location(context, text)?;
        if let Some(repo) = location.repo()
            && !strip_git(&location.path).eq_ignore_ascii_case(&repo.to_string())
        {
            location.path = repo.to_string();
        }
        let for_git = location.url();
        Ok(Self { location, for_git })
    }

    /// The locations of the current repository's remotes for a fetch or a push. A remote is named
    /// to git by its name, so that all of its settings apply.
    pub(crate) fn of_remotes(context: &Context, operation: Operation) -> Result<Vec<Self>> {
        let all = served_remotes(context)?;
        let mut found: Vec<Self> = Vec::new();
        for remote in &all {
            let urls = all.iter().filter(|it| it.name == remote.name);
            let used = used_for(urls.clone(), operation);
            let is_known = found.iter().any(|it| it.location == remote.location);
            if remote.operation != used || is_known {
                continue;
            }
            let for_git = match urls.filter(|it| it.operation == used).count() {
                1 => remote.name.clone(),
                _ => remote.location.url(),
            };
            found.push(Self {
                location: remote.location.clone(),
                for_git,
            });
        }
        Ok(found)
    }
}

/// Reads a repo's name or URL.
///
/// # Errors
/// When it does not name a repo on one of this user's Hubs.
pub(crate) fn location(context: &Context, text: &str) -> Result<Location> {
    let default = default_for(context, &[text])?;
    let location = parse_location(&with_scheme(text), &default).map_err(|error| {
        Failure::new(format!("this does not name a repo: {error}"))
            .help("write acme/x, datasets/acme/x or https://huggingface.co/acme/x")
    })?;
    Ok(location)
}

/// Whether a text names its Hub.
fn names_its_hub(text: &str) -> bool {
    with_scheme(text).contains("://")
}

/// A text that begins with the Hub's host is a URL without its scheme, and not a namespace.
fn with_scheme(text: &str) -> Cow<'_, str> {
    let host = text.split('/').next().unwrap_or("");
    let is_hub = ["hf.co", "huggingface.co"]
        .iter()
        .any(|hub| host.eq_ignore_ascii_case(hub));
    if is_hub {
        Cow::Owned(format!("https://{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The patterns that a command was given, or else the one for the current repository. `how` is how to
/// give it one.
///
/// # Errors
/// When one of them is not a pattern, or there are several remotes to choose from.
pub(crate) fn patterns(context: &Context, given: &[String], how: &str) -> Result<Vec<Pattern>> {
    if !given.is_empty() {
        let texts: Vec<&str> = given.iter().map(String::as_str).collect();
        let default = default_for(context, &texts)?;
        return given.iter().map(|text| pattern(text, &default)).collect();
    }
    let mut found = Vec::new();
    for location in remotes(context)? {
        let Some(repo) = location.repo() else {
            continue;
        };
        let pattern = Pattern::for_repo(&location.endpoint, &repo).ok_or_else(|| {
            Failure::new(format!("`{repo}` has no namespace, and a rule needs one"))
                .help("make a token the default instead: git credential-hf use NAME --default")
        })?;
        if !found.contains(&pattern) {
            found.push(pattern);
        }
    }
    match found.as_slice() {
        [_] => Ok(found),
        [] => Err(Failure::new("the remotes here do not name a repo")
            .help(format!("name one: {how}"))
            .into()),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(
                Failure::new(format!("the remotes here name {}", names.join(" and ")))
                    .help(format!("choose one: {how}"))
                    .into(),
            )
        }
    }
}

/// Parses one pattern as it was typed.
///
/// # Errors
/// When it cannot match any repo.
pub(crate) fn pattern(text: &str, default: &Endpoint) -> Result<Pattern> {
    Ok(
        Pattern::parse_on(&with_scheme(text), default).map_err(|error| {
            Failure::new(format!("this is not a pattern: {error}"))
                .help("patterns are acme, datasets/acme, acme/x, datasets/acme/x or acme/llama-*")
        })?,
    )
}
