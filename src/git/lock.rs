//! Git's lock on a file, for the files that git's own programs change too: `FILE.lock`, made only
//! if it is not there, removed at the end.
//!
//! Git makes an empty file, which after a kill stays until a person removes it. Ours is a link
//! to nowhere with our name in it, which is there in one step; so one that a kill has left is
//! known for what it is and taken over. Who makes one holds a lock on the folder meanwhile.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::system::files;
use crate::system::files::Lock;
use crate::system::sharing::patiently;
use crate::terminal::Failure;

/// What our lock on a file of git's points to.
const MARK: &str = "git-credential-hf";

/// How long git's own store waits for another one (`credentialStore.lockTimeoutMS`), and how
/// often it looks meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// A lock of git's, held while it lives.
#[derive(Debug)]
pub struct GitLock {
    path: PathBuf,
    _turn: Option<Lock>,
}

impl GitLock {
    /// Takes the lock of a file, which is no link.
    ///
    /// # Errors
    /// When another program holds it, or it cannot be made.
    pub fn of(file: &Path) -> Result<Self> {
        let path = lock_of(file);
        let folder = path.parent().unwrap_or(Path::new("/"));
        let turn = Lock::of_folder(folder, files::LOCK_DEADLINE).ok();
        let start = Instant::now();
        let mut made = make(&path);
        while let Err(error) = &made
            && error.kind() == io::ErrorKind::AlreadyExists
        {
            if turn.is_some() && is_ours(&path) {
                made = fs::remove_file(&path).and_then(|()| make(&path));
            } else if start.elapsed() < PATIENCE {
                std::thread::sleep(PAUSE);
                made = make(&path);
            } else {
                break;
            }
        }
        made.map_err(|error| {
            let failure = Failure::new(format!("cannot make {}: {error}", path.display()));
            if error.kind() == io::ErrorKind::AlreadyExists {
                failure.help("another git is changing this file; if none runs, remove that file")
            } else {
                failure
            }
        })?;
        Ok(Self { path, _turn: turn })
    }
}

/// Removes a lock of ours on a file that a kill has left: git would not touch the file any more.
pub fn clear(file: &Path) {
    if is_ours(&lock_of(file)) {
        // One that is in use is waited for.
        drop(GitLock::of(file));
    }
}

fn lock_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

fn is_ours(lock: &Path) -> bool {
    fs::read_link(lock).is_ok_and(|to| to == Path::new(MARK))
}

impl Drop for GitLock {
    fn drop(&mut self) {
        let _ = patiently(|| fs::remove_file(&self.path));
    }
}

fn make(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match std::os::unix::fs::symlink(MARK, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        done => return done,
    }
    // Where there are no links: as git does it.
    let make = || fs::File::options().write(true).create_new(true).open(path);
    patiently(make).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }

    #[cfg(unix)]
    #[test]
    fn what_a_kill_has_left_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::os::unix::fs::symlink(MARK, dir.path().join("config.lock")).unwrap();
        let held = GitLock::of(&file).unwrap();
        assert!(
            fs::File::options()
                .write(true)
                .create_new(true)
                .open(dir.path().join("config.lock"))
                .is_err(),
            "git takes it too"
        );
        drop(held);
        std::os::unix::fs::symlink(MARK, dir.path().join("config.lock")).unwrap();
        clear(&file);
        assert!(!dir.path().join("config.lock").is_symlink());
        fs::write(dir.path().join("config.lock"), "").unwrap();
        clear(&file);
        assert!(dir.path().join("config.lock").is_file(), "git's own stays");
    }
}
