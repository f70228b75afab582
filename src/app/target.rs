//! The repository at hand, for commands that are given no repo.

use anyhow::Result;

use crate::app::Context;
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::repo::Location;
use crate::model::repo::parse_location;
use crate::terminal::Failure;

/// The endpoint that a bare repo name means: that of the environment.
///
/// # Errors
/// When `HF_ENDPOINT` cannot be read.
pub fn default_endpoint(context: &Context) -> Result<Endpoint> {
    match &context.env.hf_endpoint {
        None => Ok(Endpoint::hugging_face()),
        Some(Ok(endpoint)) => Ok(endpoint.clone()),
        Some(Err(error)) => Err(
            Failure::new(format!("HF_ENDPOINT is not an endpoint: {error}"))
                .help("set it to a URL such as https://huggingface.co, or unset it")
                .into(),
        ),
    }
}

/// The places on Hubs that the remotes of the current repository name.
///
/// # Errors
/// When there are none, or they cannot be read.
pub fn remotes(context: &Context) -> Result<Vec<Location>> {
    let mut found: Vec<Location> = Vec::new();
    for crate::git::remotes::Remote { location, .. } in crate::git::remotes::all()? {
        if context.serves(&location.endpoint) && !found.contains(&location) {
            found.push(location);
        }
    }
    if found.is_empty() {
        return Err(Failure::new(
            "the current folder is not a clone of a Hub repository: name a repo",
        )
        .help("such as acme/x, datasets/acme/x or https://huggingface.co/acme/x")
        .into());
    }
    Ok(found)
}

/// What to say where git would not even ask this helper.
#[must_use]
pub fn not_called(endpoint: &Endpoint) -> Option<String> {
    (crate::git::remotes::calls_us(endpoint) == Some(false)).then(|| {
        format!(
            "git does not call this helper for {endpoint} yet: run `git credential-hf configure`"
        )
    })
}

/// Reads a repo's name or URL.
///
/// # Errors
/// When it names nothing on a Hub that this helper answers for.
pub fn location(context: &Context, text: &str) -> Result<Location> {
    let default = default_endpoint(context)?;
    let location = parse_location(text, &default).map_err(|error| {
        Failure::new(format!("this does not name a repo: {error}"))
            .help("write acme/x, datasets/acme/x or https://huggingface.co/acme/x")
    })?;
    Ok(location)
}

/// The patterns that a command is given, or the one for the current repository.
///
/// # Errors
/// When one is no pattern, or there are several remotes to choose from.
pub fn patterns(context: &Context, given: &[String]) -> Result<Vec<Pattern>> {
    let default = default_endpoint(context)?;
    if !given.is_empty() {
        return given.iter().map(|text| pattern(text, &default)).collect();
    }
    let mut found = Vec::new();
    for location in remotes(context)? {
        let Some(repo) = location.repo() else {
            continue;
        };
        let pattern = Pattern::for_repo(&location.endpoint, &repo).ok_or_else(|| {
            Failure::new(format!("`{repo}` has no namespace, and a rule needs one"))
        })?;
        if !found.contains(&pattern) {
            found.push(pattern);
        }
    }
    match found.as_slice() {
        [_] => Ok(found),
        [] => Err(Failure::new("the remotes here do not name a repo: name one with --for").into()),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(
                Failure::new(format!("the remotes here name {}", names.join(" and ")))
                    .help("choose one: --for PATTERN")
                    .into(),
            )
        }
    }
}

/// Reads one pattern as a person types it.
///
/// # Errors
/// When it can match nothing.
pub fn pattern(text: &str, default: &Endpoint) -> Result<Pattern> {
    Ok(Pattern::parse_on(text, default).map_err(|error| {
        Failure::new(format!("this is not a pattern: {error}"))
            .help("patterns are acme, datasets/acme, acme/x, datasets/acme/x or acme/llama-*")
    })?)
}
