//! Files that survive a kill at any moment and any number of writers: private folders, whole
//! writes and locks with a deadline.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[cfg(not(unix))]
use crate::system::home::is_outside_profile;
use crate::system::sharing::patiently;

/// How long a writer waits for another one before it gives up.
pub const LOCK_DEADLINE: Duration = Duration::from_secs(10);

/// An exclusive lock on a file, held while it lives. The system drops it with the process, so
/// a killed writer locks nobody out.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "holds the lock while it is open")] File);

impl Lock {
    /// Takes the lock `path`, making the file and its folder where they are missing.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when another process holds it for `deadline`.
    pub fn acquire(path: &Path, deadline: Duration) -> io::Result<Self> {
        if let Some(dir) = path.parent() {
            create_private_dir(dir)?;
        }
        Self::take(Self::open(path)?, path, deadline)
    }

    /// Takes a lock on a folder itself, for files whose own locks are other programs'. Not every
    /// platform and file system has such locks.
    ///
    /// # Errors
    /// As for [`Lock::acquire`].
    pub fn of_folder(dir: &Path, deadline: Duration) -> io::Result<Self> {
        Self::take(File::open(dir)?, dir, deadline)
    }

    fn take(file: File, path: &Path, deadline: Duration) -> io::Result<Self> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(200);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            if start.elapsed() >= deadline {
                let message = format!("another process has held {} for too long", path.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Opens the file, or makes it. Only one that was made here changes its owner: in a folder
    /// that another user can change, any other might be a file of root's by now.
    fn open(path: &Path) -> io::Result<File> {
        match patiently(|| private_options().create_new(true).open(path)) {
            Ok(file) => {
                if let Some(dir) = path.parent() {
                    leave_to_owner_of(dir, &file);
                }
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_old_lock(path),
            Err(error) => Err(error),
        }
    }
}

/// Writes a file whole or not at all: to a temporary file beside it, synced, then renamed over
/// it. The file is readable by its owner only from its first byte on, unless `mode` widens it.
/// Writers of one file hold a lock: what a killed one has left is removed on the way.
///
/// # Errors
/// When any step fails; then the old file is untouched.
pub fn write_whole(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let dir = path
        .parent()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let temporary = temporary_name(path);
    sweep(dir, &temporary_prefix(path));
    let result = (|| {
        // `create_new` refuses a file or link that somebody else has put there.
        let mut file = patiently(|| private_options().create_new(true).open(&temporary))?;
        file.write_all(bytes)?;
        #[cfg(unix)]
        if let Some(mode) = mode {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
        }
        #[cfg(not(unix))]
        let _ = mode;
        // Of the old file where there is one, else of the folder.
        leave_to_owner_of(if path.exists() { path } else { dir }, &file);
        file.sync_all()?;
        // Windows renames no file that is open.
        drop(file);
        patiently(|| fs::rename(&temporary, path))
    })();
    if result.is_err() {
        let _ = patiently(|| fs::remove_file(&temporary));
        return result;
    }
    sync_dir(dir);
    Ok(())
}

/// A name that no other writer uses: the process and a count make it unique on one machine, the
/// time on a shared file system.
fn temporary_name(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.subsec_nanos());
    let prefix = temporary_prefix(path);
    let process = std::process::id();
    path.with_file_name(format!("{prefix}{process}-{count}-{nanos}{TEMPORARY}"))
}

/// When root writes among a user's files (`sudo git push` with the user's HOME), they stay the
/// user's; otherwise the user is locked out of all tokens.
#[cfg(unix)]
fn leave_to_owner_of(neighbour: &Path, file: &File) {
    use std::os::unix::fs::MetadataExt;
    if !is_root() {
        return;
    }
    let owner = fs::metadata(neighbour).map(|m| (m.uid(), m.gid()));
    let own = file.metadata().map(|m| m.uid());
    if let (Ok((uid, gid)), Ok(0)) = (owner, own)
        && uid != 0
    {
        let uid = rustix::process::Uid::from_raw(uid);
        let gid = rustix::process::Gid::from_raw(gid);
        let _ = rustix::fs::fchown(file, Some(uid), Some(gid));
    }
}

#[cfg(not(unix))]
fn leave_to_owner_of(_: &Path, _: &File) {}

/// What the names of temporary files end with.
const TEMPORARY: &str = ".tmp";

fn temporary_prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.")
}

/// Removes temporary files that a killed writer has left. The caller holds the lock that
/// writers hold, so none of them is in use.
pub fn sweep(dir: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.starts_with(prefix) && name.ends_with(TEMPORARY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether root runs this.
#[must_use]
pub fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    false
}

/// Makes the rename itself last over a power cut, where the platform can.
pub fn sync_dir(dir: &Path) {
    #[cfg(unix)]
    if let Ok(handle) = File::open(dir) {
        let _ = handle.sync_all();
    }
    #[cfg(not(unix))]
    let _ = dir;
}

/// The largest file read whole, in bytes: a state of 10,000 tokens is a tenth of it.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A plain file as it was read.
#[derive(Debug)]
pub struct Plain {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether somebody else may have written it.
    pub others: Option<Others>,
}

/// How somebody else may have written a file; root, who can do anything, does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// It is another user's.
    Own,
    /// Its mode lets them.
    MayWrite,
    /// It is outside the profile on Windows, and its access list is not read.
    Outside,
}

impl Others {
    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::geteuid();
        // Who runs git by sudo is the one whose files root works with then.
        let sudo = || std::env::var("SUDO_UID").ok()?.parse::<u32>().ok();
        let owner = metadata.uid();
        let ours = owner == 0
            || owner == user.as_raw()
            || (user.is_root() && sudo().is_some_and(|by| by == owner));
        // Many systems give each user a group of the same number, and let it write.
        let own_group = metadata.gid() == owner;
        let mode = metadata.mode();
        if !ours {
            Some(Self::Own)
        } else if mode & 0o002 != 0 || (mode & 0o020 != 0 && !own_group) {
            Some(Self::MayWrite)
        } else {
            None
        }
    }
}

fn not_plain() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")
}

/// Reads a plain file, through links too: people keep their configuration elsewhere. A pipe or
/// device in its place is refused at once instead of being waited for.
///
/// # Errors
/// When it is missing, no plain file, or cannot be read.
pub fn read_plain(path: &Path) -> io::Result<Plain> {
    // Windows says of a folder what it says of a file that is held.
    if cfg!(windows) && path.is_dir() {
        return Err(not_plain());
    }
    patiently(|| read_plain_once(path))
}

fn read_plain_once(path: &Path) -> io::Result<Plain> {
    use std::io::Read;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    // Asked of the open file, so that what is judged is what is read.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_plain());
    }
    let length = metadata.len().min(MAX_FILE);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    // The rest of it would be lost if what was read is changed and written back.
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    #[cfg(unix)]
    let others = Others::of(&metadata);
    #[cfg(not(unix))]
    let others = is_outside_profile(path).then_some(Others::Outside);
    Ok(Plain { bytes, others })
}

/// The mode of a file, to write it again with; `None` where it is not there.
#[must_use]
pub fn mode_of(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).ok().map(|m| m.permissions().mode())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Whether a folder belongs to this user and nobody else can reach into it.
#[must_use]
pub fn is_private_dir(dir: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(dir) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let ours = metadata.uid() == rustix::process::geteuid().as_raw();
        metadata.is_dir() && ours && metadata.mode() & 0o077 == 0
    }
    #[cfg(not(unix))]
    {
        metadata.is_dir() && !is_outside_profile(dir)
    }
}

/// Makes a folder that only its owner can enter, with the folders above it; one that is there
/// keeps its mode.
///
/// # Errors
/// When it cannot be made.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    let above = dir.ancestors().find(|above| above.is_dir());
    builder.create(dir)?;
    for made in dir.ancestors().take_while(|made| Some(*made) != above) {
        if let (Some(above), Ok(made)) = (above, File::open(made)) {
            leave_to_owner_of(above, &made);
        }
    }
    Ok(())
}

/// Opens a lock's file that was there. A pipe or device in its place is refused.
fn open_old_lock(path: &Path) -> io::Result<File> {
    let opened = patiently(|| private_options().create(true).truncate(false).open(path));
    match opened.and_then(|file| Ok((file.metadata()?.is_file(), file))) {
        Ok((true, file)) => Ok(file),
        Ok((false, _)) => Err(not_plain()),
        // What opening a pipe that nobody reads ends in.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|m| !m.is_file()) => Err(not_plain()),
        Err(error) => Err(error),
    }
}

/// For writing a file of this user's own: links are not followed, pipes not waited for.
fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options
            .mode(0o600)
            // NONBLOCK, so that a pipe put in a file's place cannot hold us up.
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_whole_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_whole(&path, b"one, which is longer", None).unwrap();
        write_whole(&path, b"two", None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_up_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for name in [
            ".file.17-0-5.tmp",
            ".other.17-0-5.tmp",
            "file.tmp",
            ".file.bak",
        ] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        write_whole(&path, b"two", None).unwrap();
        let mut left: Vec<String> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".file.bak", ".other.17-0-5.tmp", "file", "file.tmp"]);
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        create_private_dir(&inner).unwrap();
        let path = inner.join("file");
        write_whole(&path, b"x", None).unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&inner), 0o700);
    }

    #[test]
    fn a_held_lock_costs_the_deadline_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::acquire(&path, LOCK_DEADLINE).unwrap();
        let start = Instant::now();
        let error = Lock::acquire(&path, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= Duration::from_millis(50));
        drop(held);
        Lock::acquire(&path, Duration::from_millis(50)).unwrap();
    }
}
