//! The repairs that `--fix` makes: only to this helper's own files and lines, where they can be undone,
//! and to stale locks of git.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::app::{Context, renewal, setup};
use crate::git::lock;
use crate::git::setup::ConfigFile;
use crate::model::quoting;
use crate::system::files;
use crate::system::files::Lock;
use crate::system::sharing::patiently;

/// One repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Writes our lines into git's configuration, or updates them.
    Configure(ConfigFile),
    /// Removes the permissions of others on one of our files or folders.
    #[cfg_attr(not(unix), expect(dead_code, reason = "files elsewhere have no modes"))]
    Close {
        /// The file or folder.
        path: PathBuf,
        /// The new mode.
        mode: u32,
    },
    /// Removes our half-written files that a killed process left behind, each under the lock that
    /// its writers hold.
    Sweep(Vec<Leftover>),
    /// Removes the answers to renewals of logins that the hf CLI no longer has.
    SweepAnswers(Vec<PathBuf>),
    /// Removes a lock of git that a killed program left behind.
    Unlock(PathBuf),
}

/// One of our half-written files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leftover {
    /// The file.
    pub(crate) path: PathBuf,
    /// The lock that its writers hold.
    pub(crate) lock: PathBuf,
}

impl Repair {
    /// The repair as a command that a person can run.
    pub(crate) fn command(&self) -> String {
        match self {
            Self::Configure(which) => {
                let option = match which {
                    ConfigFile::Global => String::new(),
                    ConfigFile::System => " --system".to_owned(),
                    ConfigFile::Local => " --local".to_owned(),
                    ConfigFile::File(path) => format!(" --file {}", shell_path(path)),
                };
                format!("git credential-hf configure{option}")
            }
            Self::Close { path, mode } => format!("chmod {mode:o} {}", shell_path(path)),
            Self::Unlock(lock) => format!("rm {}", shell_path(lock)),
            Self::Sweep(files) => rm(files.iter().map(|file| file.path.as_path())),
            Self::SweepAnswers(files) => rm(files.iter().map(PathBuf::as_path)),
        }
    }

    /// Makes the repair.
    ///
    /// # Errors
    /// When the repair fails.
    pub(crate) fn apply(&self, context: &Context) -> Result<()> {
        match self {
            Self::Configure(place) => setup::apply(context, place).map(|_| ()),
            Self::Close { path, mode } => {
                close(path, *mode).with_context(|| format!("cannot change {}", path.display()))
            }
            Self::Unlock(path) => lock::remove_stale(path),
            Self::SweepAnswers(_) => Ok(renewal::hf_cli::sweep(context)?),
            Self::Sweep(leftovers) => {
                for Leftover { path, lock } in leftovers {
                    let _lock = Lock::acquire(lock, files::LOCK_DEADLINE)?;
                    match patiently(|| std::fs::remove_file(path)) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(error)
                                .with_context(|| format!("cannot remove {}", path.display()));
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
        }
    }
}

fn rm<'a>(paths: impl Iterator<Item = &'a Path>) -> String {
    let paths: Vec<String> = paths.map(shell_path).collect();
    format!("rm {}", paths.join(" "))
}

/// Changes the mode of a file or folder, but not of the target of a link.
#[cfg(unix)]
fn close(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = std::fs::File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// Quotes a path for a shell.
pub(crate) fn shell_path(path: &Path) -> String {
    quoting::path(&path.to_string_lossy())
}
