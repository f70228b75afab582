//! Lets git call this helper for the Hubs of this user.

use crate::app::Context;
use crate::config::Config;
use crate::git::config;
use crate::git::config_file;
use crate::git::setup::{self, ConfigFile};
use crate::model::endpoint::Endpoint;
use anyhow::Result;
use std::path::PathBuf;

/// What git calls from now on.
#[derive(Debug)]
pub struct Configured {
    /// Whether the file was another before.
    pub changed: bool,
    /// Our helper as it stands there.
    pub helper: String,
    /// The endpoints it is called for.
    pub endpoints: Vec<String>,
    /// The file.
    pub path: PathBuf,
}

/// The endpoints that `configure` is for, as git looks them up.
#[must_use]
pub fn endpoints(config: &Config) -> Vec<String> {
    let mut endpoints = vec![
        Endpoint::hugging_face().to_string(),
        // The same Hub; git looks its configuration up by the host as typed.
        "https://hf.co".to_owned(),
    ];
    let others = config.endpoints.keys().filter(|e| !e.is_hugging_face());
    endpoints.extend(others.map(ToString::to_string));
    endpoints
}

/// Puts our block into git's configuration.
///
/// # Errors
/// When the file cannot be read as git would, or not be written.
pub fn apply(context: &Context, which: &ConfigFile, hf_cli: bool) -> Result<Configured> {
    let endpoints = endpoints(&context.config);
    let urls: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let helper = setup::helper_value()?;
    let path = setup::file(which)?;
    let write = if hf_cli {
        config_file::configure_for_hf_cli
    } else {
        config_file::configure
    };
    let changed = setup::edit(&path, |original| {
        Ok(setup::Edited::Write(write(original, &urls, &helper)?))
    })?;
    Ok(Configured {
        changed,
        helper,
        endpoints,
        path,
    })
}

/// Whether the hf CLI would find a helper in git's configuration; `None` without git.
#[must_use]
pub fn hf_cli_sees_a_helper() -> Option<bool> {
    let entries = config::read(r"^credential\.helper$").ok()?;
    let mut values = entries.iter().map(config::Entry::text);
    Some(values.any(config_file::is_seen_by_hf_cli))
}
