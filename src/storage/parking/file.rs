//! Parks an answer in a private file: of the file storage, or beside the hf CLI's files.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::Parking;
use crate::storage::StorageError;
use crate::system::files::{Access, Folder, Others};

/// The least room that is reserved, in bytes. Tokens need about a tenth of it.
const ROOM: usize = 16 * 1024;

/// The largest answer that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// A private file for one answer.
#[derive(Debug)]
pub(crate) struct FileParking {
    dir: PathBuf,
    name: OsString,
}

impl FileParking {
    /// The file with this name, which need not exist.
    pub(crate) fn new(dir: PathBuf, name: OsString) -> Self {
        Self { dir, name }
    }

    fn fail(&self, verb: &str, error: &io::Error) -> StorageError {
        let path = self.dir.join(&self.name);
        StorageError::Unavailable(format!("cannot {verb} {}: {error}", path.display()))
    }

    /// Creates a new file. An existing file is removed, not overwritten.
    fn create(&self) -> io::Result<File> {
        let folder = Folder::open(&self.dir)?;
        optional(folder.remove(&self.name))?;
        let file = folder.create(&self.name)?;
        folder.leave_to_owner(&file, None);
        folder.sync();
        Ok(file)
    }

    fn open(&self, access: Access) -> io::Result<(File, Metadata)> {
        Folder::open(&self.dir)?.open_file(&self.name, access)
    }

    fn remove(&self) -> io::Result<()> {
        let folder = Folder::open(&self.dir);
        optional(folder.and_then(|folder| folder.remove(&self.name))).map(drop)
    }

    /// Refuses a file that others can read or may have written.
    fn check(&self, metadata: &Metadata) -> Result<(), StorageError> {
        let path = self.dir.join(&self.name);
        let others = Others::of_file(metadata, &path);
        #[cfg(unix)]
        let open_to_others = {
            use std::os::unix::fs::MetadataExt;
            metadata.mode() & 0o077 != 0
        };
        #[cfg(not(unix))]
        let open_to_others = false;
        if open_to_others || others.is_some() {
            return Err(StorageError::Refused(format!(
                "{} is not a private file of yours: remove it",
                path.display()
            )));
        }
        Ok(())
    }
}

impl Parking for FileParking {
    fn reserve(&self, room: Zeroizing<String>) -> Result<(), StorageError> {
        let room = "\n".repeat(room.len().max(ROOM));
        let written = self.create().and_then(|mut file| {
            file.write_all(room.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| {
            let _ = self.remove();
            self.fail("write", &error)
        })
    }

    fn write(&self, text: Zeroizing<String>) -> Result<(), StorageError> {
        let mut file = match self.open(Access::Write) {
            Ok((file, metadata)) => {
                self.check(&metadata)?;
                file
            }
            Err(_) => self.create().map_err(|e| self.fail("write", &e))?,
        };
        let written = file.write_all(text.as_bytes());
        written
            .and_then(|()| file.sync_all())
            .map_err(|error| self.fail("write", &error))
    }

    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let opened = optional(self.open(Access::Read)).map_err(|e| self.fail("read", &e))?;
        let Some((file, metadata)) = opened else {
            return Ok(None);
        };
        self.check(&metadata)?;
        // Enough capacity from the start: growing would leave copies behind.
        let room = usize::try_from(metadata.len().min(MAX_BYTES)).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| self.fail("read", &error))?;
        Ok(Some(bytes))
    }

    fn clear(&self) -> Result<(), StorageError> {
        self.remove().map_err(|error| self.fail("remove", &error))
    }
}

/// Turns "not found" into `None`.
fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
