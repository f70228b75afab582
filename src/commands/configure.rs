//! `configure` and `unconfigure`: write and remove this helper's lines in git's configuration.

use std::path::PathBuf;

use anyhow::Result;

use crate::app::Context;
use crate::app::setup::{self, Configured};
use crate::git::config_file;
use crate::git::config_file::Unconfigured;
use crate::git::setup::{ConfigFile, edit, file};
use crate::terminal::print;

/// Which of git's configuration files to change.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct WhichFile {
    /// For all users of this machine (git's system configuration)
    #[arg(long, group = "where")]
    pub(crate) system: bool,
    /// For the current repository only
    #[arg(long, group = "where")]
    pub(crate) local: bool,
    /// In this file
    #[arg(long, group = "where", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

impl WhichFile {
    /// The file that is meant.
    pub(crate) fn which(&self) -> ConfigFile {
        match &self.file {
            Some(path) => ConfigFile::File(path.clone()),
            None if self.system => ConfigFile::System,
            None if self.local => ConfigFile::Local,
            None => ConfigFile::Global,
        }
    }
}

/// The arguments of `configure`.
#[derive(Debug, Default, clap::Args)]
#[command(
    about = "Set up git to use this helper",
    long_about = "\
Writes one block at the end of git's configuration file. For each Hub it has an empty `helper =`, so
that no other helper is given the token, this helper, and `useHttpPath = true`, so that git tells the helper which repository it asks for. Running it again only brings the block up to date.
`unconfigure` removes the block and leaves the file as it was, byte for byte.",
    after_help = "\
Examples:
  git credential-hf configure              for you (~/.gitconfig)
  git credential-hf configure --local      for the current repository
  sudo git credential-hf configure --system"
)]
pub(crate) struct Args {
    /// Which file.
    #[command(flatten)]
    pub(crate) scope: WhichFile,
}

/// Writes our lines into git's configuration, and reports it.
///
/// # Errors
/// When the file cannot be parsed as git would, or cannot be written.
pub(crate) fn configure(options: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let which = options.scope.which();
    let Configured {
        changed,
        helper,
        endpoints,
        path,
    } = setup::apply(&context, &which)?;
    let in_the_way = setup::in_the_way(&context, &which, &path);
    let what = match (in_the_way.is_empty(), changed) {
        (true, true) => "git now calls",
        (true, false) => "git already calls",
        (false, true) => "configured",
        (false, false) => "already configured:",
    };
    print(&format!(
        "{what} `{helper}` for {} ({})\n",
        endpoints.join(", "),
        path.display()
    ))?;
    for note in in_the_way {
        print(&format!("note: {note}\n"))?;
    }
    Ok(())
}

/// Removes our lines.
///
/// # Errors
/// When the file cannot be parsed as git would, or cannot be written.
pub(crate) fn unconfigure(scope: &WhichFile) -> Result<()> {
    let path = file(&scope.which())?;
    let changed = edit(&path, |original| {
        let Some(original) = original else {
            return Ok(None);
        };
        let Unconfigured { bytes, delete_file } = config_file::unconfigure(original)?;
        Ok((!delete_file).then_some(bytes))
    })?;
    let path = path.display();
    let line = match (setup::still_called(), changed) {
        (None, true) => format!("git no longer calls this helper ({path})"),
        (None, false) => format!("git did not call this helper ({path})"),
        (Some(line), true) => {
            format!("removed this helper from {path}, but git still calls it: {line}")
        }
        (Some(line), false) => {
            format!("this helper was not configured in {path}, but git calls it: {line}")
        }
    };
    print(&format!("{line}\n"))
}
