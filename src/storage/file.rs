//! The file storage: a file with mode 0600 for each token, in a folder with mode 0700. The files
//! are not encrypted.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::parking::Parking;
use super::parking::file::FileParking;
use super::{Record, Storage, StorageError};
use crate::model::token_name::TokenName;
use crate::system::files::{self, Access, Folder, Lock};
use crate::system::home::is_outside_profile;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// The extension of token files.
const EXTENSION: &str = ".token";

/// The folder of token files.
#[derive(Debug, Clone)]
pub struct FileStorage {
    dir: PathBuf,
}

impl FileStorage {
    /// The storage in `dir`, which is created at the first write.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The file name for a token: its plain characters, to be readable, and its hash.
    fn file_name(name: &TokenName) -> OsString {
        Self::named(name, EXTENSION)
    }

    fn named(name: &TokenName, extension: &str) -> OsString {
        let plain: String = name
            .as_str()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(32)
            .collect();
        format!("{plain}-{}{extension}", name.hash()).into()
    }

    /// Where the answer to a renewal of this token is parked.
    pub(crate) fn parking(&self, name: &TokenName) -> FileParking {
        FileParking::new(self.dir.clone(), Self::named(name, ".renewal"))
    }

    fn lock(&self) -> Result<Lock, StorageError> {
        let path = self.dir.with_extension("lock");
        Lock::acquire(&path, files::LOCK_DEADLINE)
            .map_err(|error| unavailable("lock", &path, &error))
    }

    /// Refuses a folder that others can use: they could replace a token with a link. All later
    /// reads and writes go through the open folder that was checked.
    fn checked(&self, opened: io::Result<Folder>) -> Result<Folder, StorageError> {
        let looked = opened.and_then(|folder| Ok((folder.metadata()?, folder)));
        let (metadata, folder) = looked.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StorageError::NotFound,
            io::ErrorKind::NotADirectory => {
                let message = format!("{} is not a folder", self.dir.display());
                StorageError::Refused(message)
            }
            _ => unavailable("use", &self.dir, &error),
        })?;
        private(&self.dir, &metadata, "700")?;
        Ok(folder)
    }

    fn folder(&self) -> Result<Folder, StorageError> {
        self.checked(Folder::open_no_follow(&self.dir))
    }

    /// Removes half-written tokens: a copy left behind by a killed process must not outlive the
    /// token.
    fn sweep(folder: &Folder) {
        files::sweep(folder, |file| file.ends_with(EXTENSION));
    }
}

impl Storage for FileStorage {
    fn check(&self) -> Result<(), StorageError> {
        match self.folder() {
            Err(StorageError::NotFound) => Ok(()),
            other => other.map(drop),
        }
    }

    fn read(&self, name: &TokenName) -> Result<Record, StorageError> {
        let folder = self.folder()?;
        let file_name = Self::file_name(name);
        let path = self.dir.join(&file_name);
        let opened = folder.open_file(&file_name, Access::Read);
        let (mut file, metadata) = opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StorageError::NotFound,
            io::ErrorKind::InvalidInput => {
                StorageError::Refused(format!("{} is not a plain file", path.display()))
            }
            _ => unavailable("read", &path, &error),
        })?;
        private(&path, &metadata, "600")?;
        let mut text = Zeroizing::new(String::with_capacity(1024));
        file.by_ref()
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| unavailable("read", &path, &error))?;
        Record::from_text(&text)
            .map_err(|error| StorageError::Refused(format!("{}: {error}", path.display())))
    }

    fn write(&self, name: &TokenName, record: &Record) -> Result<(), StorageError> {
        // Refuse before creating anything.
        if let Some(refused) = outside(&self.dir) {
            return Err(refused);
        }
        let folder = self.checked(Folder::make_no_follow(&self.dir))?;
        let _lock = self.lock()?;
        Self::sweep(&folder);
        let name = Self::file_name(name);
        files::write_in(&folder, &name, record.to_text().as_bytes(), None)
            .map_err(|error| unavailable("write", &self.dir.join(&name), &error))
    }

    fn delete(&self, name: &TokenName) -> Result<(), StorageError> {
        let folder = match self.folder() {
            Err(StorageError::NotFound) => return Ok(()),
            other => other?,
        };
        let _lock = self.lock()?;
        Self::sweep(&folder);
        self.parking(name).clear()?;
        let name = Self::file_name(name);
        if files::has_other_names(&self.dir.join(&name)) {
            // Empty the file first: a backup made with hard links would keep the token.
            let emptied = folder.open_file(&name, Access::Write);
            let emptied = emptied.and_then(|(file, _)| file.set_len(0));
            emptied.map_err(|error| unavailable("empty", &self.dir.join(&name), &error))?;
        }
        match folder.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unavailable("remove", &self.dir.join(&name), &error))
            }
            _ => {
                folder.sync();
                Ok(())
            }
        }
    }
}

fn unavailable(verb: &str, path: &Path, error: &io::Error) -> StorageError {
    StorageError::Unavailable(format!("cannot {verb} {}: {error}", path.display()))
}

/// Refuses a file or folder that another user owns or can access.
#[cfg(unix)]
fn private(path: &Path, metadata: &Metadata, wanted: &str) -> Result<(), StorageError> {
    use std::os::unix::fs::MetadataExt;
    let shown = path.display();
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let message = format!("{shown} belongs to another user, so it is not used");
        return Err(StorageError::Refused(message));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StorageError::Refused(format!(
            "{shown} has mode {mode:04o}, so other users may have read it: \
             run `chmod {wanted} {shown}`, and replace the token if they could"
        )));
    }
    Ok(())
}

/// Refuses a path outside the user's profile, whose access list keeps others out.
#[cfg(not(unix))]
fn private(path: &Path, _: &Metadata, _: &str) -> Result<(), StorageError> {
    outside(path).map_or(Ok(()), Err)
}

/// The error for a path outside the profile; `None` if it is inside.
fn outside(path: &Path) -> Option<StorageError> {
    is_outside_profile(path).then(|| {
        StorageError::Refused(format!(
            "{} is outside your user profile, so other users may be able to read it; tokens are \
             not stored in files there",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;
    use crate::model::secret::Secret;
    #[cfg(unix)]
    use std::fs;

    fn storage() -> (tempfile::TempDir, FileStorage) {
        let dir = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(dir.path().join("data/tokens"));
        (dir, storage)
    }

    fn record(secret: &str) -> Record {
        Record::new(Secret::exact(secret).unwrap(), Endpoint::hugging_face())
    }

    #[test]
    fn write_read_replace_delete() {
        let (_dir, storage) = storage();
        let name = TokenName::existing("work");
        assert!(matches!(storage.read(&name), Err(StorageError::NotFound)));
        storage.delete(&name).unwrap();
        storage.write(&name, &record("one")).unwrap();
        storage.write(&name, &record("two")).unwrap();
        assert_eq!(storage.read(&name).unwrap().secret.expose(), "two");
        storage.delete(&name).unwrap();
        assert!(matches!(storage.read(&name), Err(StorageError::NotFound)));
    }

    #[test]
    fn names_that_file_systems_confuse_are_kept_apart() {
        let (_dir, storage) = storage();
        let names = [
            "Work",
            "work",
            "wo/rk",
            "wo:rk",
            "../work",
            "git:a@hub.example/x",
        ];
        for name in names {
            storage
                .write(&TokenName::existing(name), &record(name))
                .unwrap();
        }
        for name in names {
            let kept = storage.read(&TokenName::existing(name)).unwrap();
            assert_eq!(kept.secret.expose(), name);
        }
        let paths: std::collections::BTreeSet<String> = names
            .iter()
            .map(|n| {
                storage
                    .dir
                    .join(FileStorage::file_name(&TokenName::existing(n)))
            })
            .map(|p| p.to_string_lossy().to_lowercase())
            .collect();
        assert_eq!(paths.len(), names.len());
    }

    #[cfg(unix)]
    #[test]
    fn what_others_could_read_or_replace_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (_dir, storage) = storage();
        let name = TokenName::existing("work");
        storage.write(&name, &record("one")).unwrap();
        let path = storage.dir.join(FileStorage::file_name(&name));
        let set_mode = |p: &Path, m| fs::set_permissions(p, fs::Permissions::from_mode(m)).unwrap();
        let refusal = || storage.read(&name).unwrap_err().to_string();

        set_mode(&path, 0o644);
        assert!(refusal().contains("mode 0644"), "{}", refusal());
        assert!(refusal().contains("chmod 600"));
        set_mode(&path, 0o600);
        set_mode(&storage.dir, 0o755);
        assert!(refusal().contains("chmod 700"), "{}", refusal());
        set_mode(&storage.dir, 0o700);
        assert!(storage.read(&name).is_ok());

        let elsewhere = storage.dir.join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(storage.read(&name).is_err());
    }
}
