//! Private folders, atomic writes, and locks with a deadline. Files stay intact if a writer is
//! killed at any moment, and with any number of writers.

#[cfg(not(unix))]
mod elsewhere;
mod ownership;
#[cfg(unix)]
mod unix;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

#[cfg(not(unix))]
pub(crate) use elsewhere::{Folder, real_path};
pub(crate) use ownership::Others;
#[cfg(unix)]
pub(crate) use unix::{Folder, Links, ResolvedPath, real_path};

use crate::system::sharing::patiently;

/// How long a writer waits for another one.
pub(crate) const LOCK_DEADLINE: Duration = Duration::from_secs(10);

/// An exclusive lock on a file, released when dropped. The system releases the lock of a killed
/// process.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "holds the lock while it is open")] File);

impl Lock {
    /// Acquires the lock `path`. Creates the file and its folder if they are missing.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when another process holds the lock for longer than `deadline`.
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

    /// Opens the file, or creates it.
    fn open(folder: &Folder, name: &OsStr) -> io::Result<File> {
        match folder.create(name) {
            Ok(file) => {
                folder.leave_to_owner(&file, None);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                folder.open_file(name, Access::Write).map(|(file, _)| file)
            }
            Err(error) => Err(error),
        }
    }
}

/// The error for a file system without locks, such as some NFS and cluster file systems.
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
        "the file system of {folder} does not support locks: set GIT_CREDENTIAL_HF_HOME to a \
         folder on a local disk"
    );
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// How to open an existing file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    Read,
    Write,
    #[cfg_attr(not(unix), expect(dead_code, reason = "only used for traces on Unix"))]
    Append,
}

/// The folder and the name in a path.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    path.parent()
        .zip(path.file_name())
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Writes a file atomically: writes and syncs a temporary file in the same folder, and renames it.
/// From the start, only the owner can read the file, unless `mode` allows more. The caller must
/// hold the lock of the file's writers, since files that a killed writer left behind are removed.
///
/// # Errors
/// When any step fails; the old file is then unchanged.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let (dir, name) = split(path)?;
    write_in(&Folder::open(dir)?, name, bytes, mode)
}

/// Writes a file as [`write_whole`] does, in an open folder.
pub(crate) fn write_in(
    folder: &Folder,
    name: &OsStr,
    bytes: &[u8],
    mode: Option<u32>,
) -> io::Result<()> {
    let temporary = temporary_name(name);
    sweep(folder, |file| OsStr::new(file) == name);
    let result = (|| {
        // Fails if somebody else has created a file or link there.
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
        // Windows cannot rename an open file.
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

/// A name that no other writer uses. The process id and a counter make it unique on one machine,
/// and the time on a shared file system.
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

/// The name of the file that one of our temporary files was to replace; `None` for other programs'
/// files.
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

/// Removes the temporary files that a killed writer of certain files left behind. The caller must
/// hold the lock of these writers, so that no temporary file is in use.
pub(crate) fn sweep(folder: &Folder, is_for: impl Fn(&str) -> bool) {
    for name in folder.names().unwrap_or_default() {
        if temporary_for(&name).is_some_and(&is_for) {
            let _ = folder.remove(&name);
        }
    }
}

/// The largest file that is read, in bytes. A state with 10,000 tokens has about a tenth of it.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The content of a plain file.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) bytes: Vec<u8>,
    /// Whether somebody else may have written it.
    pub(crate) others: Option<Others>,
}

fn not_plain() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file")
}

/// Reads a plain file. Follows links, since people link to configuration that they keep elsewhere.
/// Fails at once for a pipe or device instead of waiting for it.
///
/// # Errors
/// When it is missing, is not a plain file, or cannot be read.
pub(crate) fn read_plain(path: &Path) -> io::Result<Plain> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    // On Windows, opening a folder gives the same error as opening a file that is in use.
    if cfg!(windows) && path.is_dir() {
        return Err(not_plain());
    }
    patiently(|| {
        let file = options.open(path)?;
        // Check the open file, so that it is the one that is read.
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(not_plain());
        }
        read_open((file, metadata), path)
    })
}

/// Reads a plain file that decides what happens with tokens. Anybody who can change a folder or
/// link on the path can make it lead to another file, even one of this user's, so `others` covers
/// these too.
pub(crate) fn read_deciding(path: &Path) -> io::Result<Plain> {
    #[cfg(unix)]
    {
        let resolved = ResolvedPath::follow(path, Links::Read)?;
        let (others, path) = (resolved.others.clone(), resolved.path());
        let (folder, name) = resolved.file()?;
        let plain = read_open(folder.open_file(&name, Access::Read)?, &path)?;
        let others = others.or(plain.others);
        Ok(Plain { others, ..plain })
    }
    #[cfg(not(unix))]
    read_plain(path)
}

/// Who else can change a file, or a folder or link on its path.
#[cfg(unix)]
pub(crate) fn others_along(path: &Path) -> Option<Others> {
    ResolvedPath::follow(path, Links::Read).ok()?.others
}

fn read_open((file, metadata): (File, Metadata), path: &Path) -> io::Result<Plain> {
    use std::io::Read;
    let others = Others::of_file(&metadata, path);
    let length = metadata.len().min(MAX_FILE);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    // If a part were read, changed and written back, the rest would be lost.
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok(Plain { bytes, others })
}

/// The mode of a file; `None` if it does not exist.
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

/// Whether a file has other names (hard links). If it is replaced or removed, its content still
/// exists under those.
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

/// Whether a folder belongs to this user and nobody else can access it.
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

/// Creates a folder that only its owner can enter, and its missing parents. An existing folder
/// keeps its mode.
///
/// # Errors
/// When it cannot be created.
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
    fn waiting_for_a_lock_ends_at_the_deadline() {
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
