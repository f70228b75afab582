//! The file storage: a 0600 file for each token in a 0700 folder. Not encrypted.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::parking::{FileParking, Parking};
use super::{Record, Storage, StorageError};
use crate::model::token_name::TokenName;
use crate::system::files;
use crate::system::files::Lock;

/// The largest file read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// The folder of token files.
#[derive(Debug, Clone)]
pub struct FileStorage {
    dir: PathBuf,
}

impl FileStorage {
    /// The storage in `dir`, which is made at the first write.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The file of a name: its plain characters for people, and its hash.
    fn path(&self, name: &TokenName) -> PathBuf {
        self.file(name, "token")
    }

    fn file(&self, name: &TokenName, extension: &str) -> PathBuf {
        let plain: String = name
            .as_str()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(32)
            .collect();
        self.dir
            .join(format!("{plain}-{}.{extension}", name.hash()))
    }

    /// Where the answer to a renewal of this token waits.
    #[must_use]
    pub fn parking(&self, name: &TokenName) -> FileParking {
        FileParking::new(self.file(name, "renewal"))
    }

    fn lock(&self) -> Result<Lock, StorageError> {
        let path = self.dir.with_extension("lock");
        Lock::acquire(&path, files::LOCK_DEADLINE)
            .map_err(|error| unavailable("lock", &path, &error))
    }

    /// The folder must be ours alone: who can write into it can replace a token by a link.
    fn check_dir(&self) -> Result<(), StorageError> {
        match fs::symlink_metadata(&self.dir) {
            Ok(metadata) if metadata.is_dir() => private(&self.dir, &metadata, "700"),
            Ok(_) => Err(StorageError::Refused(format!(
                "{} is not a folder",
                self.dir.display()
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StorageError::NotFound),
            Err(error) => Err(unavailable("read", &self.dir, &error)),
        }
    }
}

impl Storage for FileStorage {
    fn check(&self) -> Result<(), StorageError> {
        match self.check_dir() {
            Err(StorageError::NotFound) => Ok(()),
            other => other,
        }
    }

    fn read(&self, name: &TokenName) -> Result<Record, StorageError> {
        self.check_dir()?;
        let path = self.path(name);
        let mut file = files::open_no_follow(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StorageError::NotFound,
            _ => unavailable("read", &path, &error),
        })?;
        // Asked of the open file, so that what is checked is what is read.
        let metadata = file
            .metadata()
            .map_err(|error| unavailable("read", &path, &error))?;
        if !metadata.is_file() {
            let message = format!("{} is not a plain file", path.display());
            return Err(StorageError::Refused(message));
        }
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
        files::create_private_dir(&self.dir)
            .map_err(|error| unavailable("make", &self.dir, &error))?;
        self.check_dir()?;
        let _lock = self.lock()?;
        files::sweep(&self.dir, "");
        let path = self.path(name);
        files::write_whole(&path, record.to_text().as_bytes(), None)
            .map_err(|error| unavailable("write", &path, &error))
    }

    fn delete(&self, name: &TokenName) -> Result<(), StorageError> {
        match self.check_dir() {
            Err(StorageError::NotFound) => return Ok(()),
            other => other?,
        }
        let _lock = self.lock()?;
        // A copy that a kill has left must not outlive the token.
        files::sweep(&self.dir, "");
        self.parking(name).clear()?;
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unavailable("remove", &path, &error))
            }
            _ => {
                files::sync_dir(&self.dir);
                Ok(())
            }
        }
    }
}

fn unavailable(verb: &str, path: &Path, error: &io::Error) -> StorageError {
    StorageError::Unavailable(format!("cannot {verb} {}: {error}", path.display()))
}

/// Refuses what another user owns or can reach.
#[cfg(unix)]
fn private(path: &Path, metadata: &Metadata, wanted: &str) -> Result<(), StorageError> {
    use std::os::unix::fs::MetadataExt;
    let shown = path.display();
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let message = format!("{shown} belongs to another user: it is not used");
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

/// On Windows the folder lies in the user's profile, whose access list keeps others out.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other platforms can refuse")]
fn private(_: &Path, _: &Metadata, _: &str) -> Result<(), StorageError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;
    use crate::model::secret::Secret;

    fn storage() -> (tempfile::TempDir, FileStorage) {
        let dir = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(dir.path().join("data/tokens"));
        (dir, storage)
    }

    fn record(secret: &str) -> Record {
        Record {
            secret: Secret::exact(secret).unwrap(),
            endpoint: Endpoint::hugging_face(),
            expires: None,
            refresh_token: None,
            client_id: None,
            renewed: None,
        }
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
            .map(|n| storage.path(&TokenName::existing(n)))
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
        let path = storage.path(&name);
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
