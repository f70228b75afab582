//! Git's lock on a file, for files that git's own programs change as well: `FILE.lock`, which is created
//! if it does not exist, and removed at the end.
//!
//! A killed process leaves its lock behind, and nothing in the file says whose it was. So a lock is
//! never taken over. `doctor` reports it, and removes it if it is old and no git is running.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use crate::git::processes::running_gits;
use crate::system::files::Folder;
use crate::terminal::Failure;

/// How long to wait for a lock (as git's own `store`: `credentialStore.lockTimeoutMS`), and how often
/// to try.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// No git holds a lock for longer than this.
const STALE: Duration = Duration::from_secs(600);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct GitLock {
    folder: Folder,
    name: OsString,
}

impl GitLock {
    /// Locks a file, which must not be a link.
    ///
    /// # Errors
    /// When another program holds the lock, or it cannot be created.
    pub(crate) fn of(file: &Path) -> Result<Self> {
        let path = lock_of(file);
        let failure =
            |error: &io::Error| Failure::new(format!("cannot make {}: {error}", path.display()));
        let folder = Folder::open(path.parent().unwrap_or(Path::new("/")));
        let cannot = |error: io::Error| {
            let message = failure(&error);
            anyhow::Error::new(error).context(message)
        };
        let folder = folder.map_err(cannot)?;
        let name = path.file_name().unwrap_or_default().to_owned();
        let start = Instant::now();
        loop {
            match folder.create(&name) {
                Ok(made) => {
                    folder.leave_to_owner(&made, None);
                    return Ok(Self { folder, name });
                }
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(cannot(error));
                }
                Err(_) if start.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(error) => {
                    return Err(failure(&error)
                        .help(
                            "another git is changing this file; if none is running, \
                             `git credential-hf doctor --fix` removes that file",
                        )
                        .into());
                }
            }
        }
    }
}

impl Drop for GitLock {
    fn drop(&mut self) {
        let _ = self.folder.remove(&self.name);
    }
}

/// The path of git's lock on a file.
pub(crate) fn lock_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

/// The age of a lock; `None` if there is none. A lock from the future counts as new.
pub(crate) fn age(lock: &Path) -> Option<Duration> {
    let made = std::fs::symlink_metadata(lock).ok()?.modified().ok()?;
    Some(SystemTime::now().duration_since(made).unwrap_or_default())
}

/// Why a lock may still be in use; `None` if it is stale.
pub(crate) fn in_use(lock: &Path) -> Option<String> {
    if age(lock).is_some_and(|age| age < STALE) {
        return Some("it is less than ten minutes old".to_owned());
    }
    match running_gits().as_deref() {
        Some([]) => None,
        Some([process, ..]) => Some(format!("process {process} is running git")),
        None => Some("it is not known whether git is running".to_owned()),
    }
}

/// Removes a lock that a killed program left behind.
///
/// # Errors
/// When it may still be in use, or cannot be removed.
pub(crate) fn remove_stale(lock: &Path) -> Result<()> {
    if let Some(why) = in_use(lock) {
        let message = format!("{} is not removed: {why}", lock.display());
        return Err(Failure::new(message).into());
    }
    match std::fs::remove_file(lock) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn held_by_git_it_is_not_taken_and_ours_goes_away() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let lock = dir.path().join("config.lock");
        drop(GitLock::of(&file).unwrap());
        assert!(fs::symlink_metadata(&lock).is_err());
        fs::write(&lock, "").unwrap();
        let error = GitLock::of(&file).unwrap_err().to_string();
        assert!(error.contains("config.lock"), "{error}");
        assert!(lock.is_file());
        let error = remove_stale(&lock).unwrap_err().to_string();
        assert!(error.contains("less than ten minutes old"), "{error}");
        assert!(lock.is_file());
    }
}
