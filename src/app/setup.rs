//! Sets up git to call this helper for the user's Hubs.

use crate::app::{Context, asked};
use crate::config::Config;
use crate::git::config::Scope;
use crate::git::helpers::LoginSettings;
use crate::git::setup::{self, ConfigFile};
use crate::git::{config_file, run};
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::text::shell_quoted;
use crate::system::process;
use crate::terminal::Failure;
use anyhow::Result;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The result of `configure`.
#[derive(Debug)]
pub(crate) struct Configured {
    /// Whether the file was changed.
    pub(crate) changed: bool,
    /// The value of `helper` that was written.
    pub(crate) helper: String,
    /// The endpoints that git calls it for.
    pub(crate) endpoints: Vec<String>,
    /// The file.
    pub(crate) path: PathBuf,
}

/// The endpoints to configure, as git looks them up.
pub(crate) fn endpoints(config: &Config) -> Vec<String> {
    let mut endpoints = vec![
        Endpoint::hugging_face().to_string(),
        // The same Hub, but git looks up its configuration by the host as typed.
        "https://hf.co".to_owned(),
    ];
    let others = config.endpoints.keys().filter(|e| !e.is_hugging_face());
    endpoints.extend(others.map(ToString::to_string));
    endpoints
}

/// Writes our lines into git's configuration.
///
/// # Errors
/// When the file cannot be parsed as git would, or cannot be written.
pub(crate) fn apply(context: &Context, which: &ConfigFile) -> Result<Configured> {
    let endpoints = endpoints(&context.config);
    let urls: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let helper = setup::helper_value()?;
    let path = setup::file(which)?;
    let changed = setup::edit(&path, |original| {
        let bytes = config_file::configure(original, &urls, &helper)?;
        Ok(Some(bytes))
    });
    let changed = changed.map_err(|error| match which {
        ConfigFile::System if is_denied(&error) => not_permitted(&path),
        _ => error,
    })?;
    Ok(Configured {
        changed,
        helper,
        endpoints,
        path,
    })
}

fn is_denied(error: &anyhow::Error) -> bool {
    let denied = |cause: &io::Error| {
        matches!(
            cause.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        )
    };
    error
        .chain()
        .any(|cause| cause.downcast_ref().is_some_and(denied))
}

/// The error for the system's file, which only an administrator can change. Their PATH may not
/// include this program, so the command has its full path.
fn not_permitted(path: &Path) -> anyhow::Error {
    let program = setup::installed_path();
    let program = program.map_or_else(
        || "git credential-hf".to_owned(),
        |path| shell_quoted(&path.to_string_lossy()),
    );
    let message = format!("this user may not change {}", path.display());
    Failure::new(message)
        .help(format!("run `sudo {program} configure --system`"))
        .help("or for you alone: `git credential-hf configure`")
        .into()
}

/// Why git still does not call this helper after the lines were written; empty if it does.
pub(crate) fn in_the_way(context: &Context, which: &ConfigFile, path: &Path) -> Vec<String> {
    let hub = Endpoint::hugging_face();
    let others = context.config.endpoints.keys();
    let others = others.filter(|endpoint| !endpoint.is_hugging_face());
    let mut found: Vec<String> = Vec::new();
    for endpoint in [&hub].into_iter().chain(others) {
        let location = Location::of(endpoint);
        let note = match LoginSettings::read(&location) {
            Err(error) => Some(format!("cannot tell whether git calls it: {error}")),
            Ok(read) if read.helpers.ours.is_some() => None,
            Ok(read) if read.helpers.reset.is_some() => {
                asked::not_called(context, &location).map(|it| it.to_string())
            }
            Ok(_) => Some(not_read(which, path)),
        };
        found.extend(note.filter(|note| !found.contains(note)));
    }
    if *which == ConfigFile::System {
        found.extend(other_systems(path));
    }
    found
}

fn not_read(which: &ConfigFile, path: &Path) -> String {
    let shown = path.display();
    if *which == ConfigFile::System {
        return format!(
            "git does not read {shown} here, for example because GIT_CONFIG_NOSYSTEM is set; for you alone: \
             run `git credential-hf configure`"
        );
    }
    format!(
        "git does not read {shown} here: run `git config --global --add include.path {}`",
        shell_quoted(&path.to_string_lossy())
    )
}

/// The gits on PATH that read another system configuration: its path is chosen when git is built.
fn other_systems(path: &Path) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut gits = process::all_on_path("git".as_ref());
    gits.retain(|git| std::fs::canonicalize(git).is_ok_and(|real| seen.insert(real)));
    let ask = |git: &Path, arguments: &[&str]| {
        let told = run::ask_program(git, arguments).ok()??;
        Some(told.trim().to_owned())
    };
    let key = "credential.https://huggingface.co.helper";
    let mut found = Vec::new();
    for git in gits {
        let helpers = ask(&git, &["config", "--system", "--get-all", key]);
        let last = helpers.as_deref().and_then(|text| text.lines().next_back());
        if last.is_some_and(config_file::means_us) {
            continue;
        }
        let file = ask(&git, &["var", "GIT_CONFIG_SYSTEM"]);
        let file = file.map_or_else(|| "FILE".to_owned(), |file| shell_quoted(&file));
        found.push(format!(
            "{} does not read {}: run `git credential-hf configure --file {file}`",
            git.display(),
            path.display()
        ));
    }
    found
}

/// The line by which git still calls this helper after `unconfigure`, and how to remove it.
pub(crate) fn still_called() -> Option<String> {
    let settings = LoginSettings::read(&Location::of(&Endpoint::hugging_face())).ok()?;
    let line = settings.helpers.ours?;
    let again = match (line.scope, &line.file) {
        (Scope::Local, _) => "run `git credential-hf unconfigure --local`, or ".to_owned(),
        (Scope::System, _) => "run `git credential-hf unconfigure --system`, or ".to_owned(),
        (Scope::Worktree, Some(file)) => {
            let file = shell_quoted(file);
            format!("run `git credential-hf unconfigure --file {file}`, or ")
        }
        _ => String::new(),
    };
    Some(format!("{again}{}", line.how_to_remove()))
}
