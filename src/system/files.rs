//! Files that survive a kill at any moment and any number of writers: private folders, whole
//! writes and locks with a deadline.

#[cfg(not(unix))]
mod elsewhere;
mod ownership;
#[cfg(unix)]
mod unix;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

#[cfg(not(unix))]
pub(crate) use elsewhere::{Folder, real_path};
pub(crate) use ownership::Others;
#[cfg(unix)]
pub(crate) use unix::{Folder, Links, Way, real_path};

use crate::system::sharing::patiently;

/// How long a writer waits for another one before it gives up.
pub(crate) const LOCK_DEADLINE: Duration = Duration::from_secs(10);

/// An exclusive lock on a file, held while it lives. The system drops it with the process, so
/// a killed writer locks nobody out.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "holds the lock while it is open")] File);

impl Lock {
    /// Takes the lock `path`, making the file and its folder where they are missing.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when another process holds it for `deadline`.
    pub(crate) fn acquire(path: &Path, deadline: Duration) -> io::Result<Self> {
        let (dir, name) = split(path)?;
        Self::take(Self::open(&Folder::make(dir)?, name)?, path, deadline)
    }

    fn take(file: File, path: &Path, deadline: Duration) -> io::Result<Self> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(200);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(no_locks(error, path)),
                Err(TryLockError::WouldBlock) => {}
            }
            if start.elapsed() >= deadline {
                let message = format!("another process has locked {} for too long", path.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Opens the file, or makes it.
    fn open(folder: &Folder, name: &OsStr) -> io::Result<File> {
        match folder.create(name) {
            Ok(file) => {
                folder.leave_to_owner(&file, None);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder.open_file(name, Access::Write)
            }
            Err(error) => Err(error),
        }
    }
}

/// The error for a file system that has no locks, as some of NFS and of clusters have none.
fn no_locks(error: io::Error, path: &Path) -> io::Error {
    #[cfg(unix)]
    let has_none = {
        use rustix::io::Errno;
        let none = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP];
        none.iter()
            .any(|none| error.raw_os_error() == Some(none.raw_os_error()))
    };
    #[cfg(not(unix))]
    let has_none = error.kind() == io::ErrorKind::Unsupported;
    if !has_none {
        return error;
    }
    let folder = path.parent().unwrap_or(path).display();
    let message = format!(
        "the file system of {folder} has no locks, as some network drives: set \
         GIT_CREDENTIAL_HF_HOME to a folder on a local disk"
    );
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// How a file is opened that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    /// To read it.
    Read,
    /// To write to it.
    Write,
    /// To write at its end.
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "only traces on Unix are opened so")
    )]
    Append,
}

/// A path's folder and name.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    path.parent()
        .zip(path.file_name())
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Writes a file whole or not at all: to a temporary file beside it, synced, then renamed over
/// it. The file is readable by its owner only from its first byte on, unless `mode` widens it.
/// Writers of one file hold a lock: what a killed one has left is removed on the way.
///
/// # Errors
/// When any step fails; then the old file is untouched.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let (dir, name) = split(path)?;
    write_in(&Folder::open(dir)?, name, bytes, mode)
}

/// Writes a file as [`write_whole`] does, into a folder that is open already.
///
/// # Errors
/// As for [`write_whole`].
pub(crate) fn write_in(
    folder: &Folder,
    name: &OsStr,
    bytes: &[u8],
    mode: Option<u32>,
) -> io::Result<()> {
    let temporary = temporary_name(name);
    sweep(folder, |file| OsStr::new(file) == name);
    let result = (|| {
        // Something that somebody else has put there is refused.
        let mut file = folder.create(&temporary)?;
        file.write_all(bytes)?;
        #[cfg(unix)]
        if let Some(mode) = mode {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
        }
        #[cfg(not(unix))]
        let _ = mode;
        folder.leave_to_owner(&file, Some(name));
        file.sync_all()?;
        // Windows renames no file that is open.
        drop(file);
        folder.rename(&temporary, name)
    })();
    if result.is_err() {
        let _ = folder.remove(&temporary);
        return result;
    }
    folder.sync();
    Ok(())
}

/// A name that no other writer uses: the process and a count make it unique on one machine, the
/// time on a shared file system.
fn temporary_name(name: &OsStr) -> OsString {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.subsec_nanos());
    let process = std::process::id();
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{process}-{count}-{nanos}.tmp"));
    temporary
}

/// The name of the file that a temporary one of ours was to become. Other programs have names of
/// their own in the same folders; those are not taken for ours.
#[must_use]
pub(crate) fn temporary_for(name: &OsStr) -> Option<&str> {
    let (file, numbers) = name
        .to_str()?
        .strip_prefix('.')?
        .strip_suffix(".tmp")?
        .rsplit_once('.')?;
    let mut numbers = numbers.split('-');
    let three = [numbers.next(), numbers.next(), numbers.next()];
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (numbers.next().is_none() && three.into_iter().all(|text| text.is_some_and(is_number)))
        .then_some(file)
}

/// Removes the temporary files that a killed writer of certain files has left. The caller holds
/// the lock that writers hold, so none of them is in use.
pub(crate) fn sweep(folder: &Folder, is_for: impl Fn(&str) -> bool) {
    for name in folder.names().unwrap_or_default() {
        if temporary_for(&name).is_some_and(&is_for) {
            let _ = folder.remove(&name);
        }
    }
}

/// The largest file read whole, in bytes: a state of 10,000 tokens is a tenth of it.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A plain file as it was read.
#[derive(Debug)]
pub(crate) struct Plain {
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
    /// Whether somebody else may have written it.
    pub(crate) others: Option<Others>,
}

fn not_plain() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")
}

/// Reads a plain file, through links too: people keep their configuration elsewhere. A pipe or
/// device in its place is refused at once instead of being waited for.
///
/// # Errors
/// When it is missing, no plain file, or cannot be read.
pub(crate) fn read_plain(path: &Path) -> io::Result<Plain> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    // Windows says of a folder what it says of a file that is held.
    if cfg!(windows) && path.is_dir() {
        return Err(not_plain());
    }
    patiently(|| read_open(options.open(path)?, path))
}

/// Reads a plain file that decides what happens with tokens. Anyone who can change a folder or link on
/// the way to it can have put another file there, one of this user's own even, so `others` tells
/// about these too.
///
/// # Errors
/// As for [`read_plain`].
pub(crate) fn read_deciding(path: &Path) -> io::Result<Plain> {
    #[cfg(unix)]
    {
        let way = Way::follow(path, Links::Read)?;
        let (others, path) = (way.others.clone(), way.path());
        let (folder, name) = way.file()?;
        let plain = read_open(folder.open_file(&name, Access::Read)?, &path)?;
        let others = others.or(plain.others);
        Ok(Plain { others, ..plain })
    }
    #[cfg(not(unix))]
    read_plain(path)
}

/// Who else can change a file, or a folder or link on the way to it.
#[cfg(unix)]
#[must_use]
pub(crate) fn others_on_the_way(path: &Path) -> Option<Others> {
    Way::follow(path, Links::Read).ok()?.others
}

fn read_open(file: File, path: &Path) -> io::Result<Plain> {
    use std::io::Read;
    // Asked of the open file, so that what is judged is what is read.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(not_plain());
    }
    let others = Others::of_file(&file, path)?;
    let length = metadata.len().min(MAX_FILE);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    // The rest of it would be lost if what was read is changed and written back.
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok(Plain { bytes, others })
}

/// The mode of a file, to write it again with; `None` where it is not there.
#[must_use]
pub(crate) fn mode_of(path: &Path) -> Option<u32> {
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

/// Whether a file has further names, as a hard link gives it: what is written in its place, or
/// removed, is still there under those.
#[must_use]
pub(crate) fn has_other_names(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::symlink_metadata(path).is_ok_and(|m| m.is_file() && m.nlink() > 1)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Whether a folder belongs to this user and nobody else can reach into it.
#[must_use]
pub(crate) fn is_private_dir(dir: &Path) -> bool {
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
        metadata.is_dir() && !crate::system::home::is_outside_profile(dir)
    }
}

/// Makes a folder that only its owner can enter, with the folders above it; one that is there
/// keeps its mode.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    Folder::make(dir).map(drop)
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
        let others = [
            ".file.17-0-5-2.tmp",
            ".file.17-0.tmp",
            ".file.X.tmp",
            ".file.bak",
            ".other.17-0-5.tmp",
            "file.17-0-5.tmp",
        ];
        for name in others.into_iter().chain([".file.17-0-5.tmp"]) {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        write_whole(&path, b"two", None).unwrap();
        let mut left: Vec<String> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = others.to_vec();
        expected.push("file");
        expected.sort_unstable();
        assert_eq!(left, expected);
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
