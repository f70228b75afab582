//! Where the answer to a renewal waits until it has replaced the login that it renews.
//!
//! The Hub ends a refresh token when it answers, so from then on its answer is the only login
//! there is. Room for it is reserved before the Hub is asked. The answer is written into that
//! room first, and stays there until the login itself has been replaced and read back. If
//! anything fails in between, the next renewal finds the answer here.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{Record, StorageError};
use crate::model::secret::Fingerprint;
use crate::system::files::{Access, Folder, Others};

/// How much room is reserved at least, in bytes. Tokens are a tenth of it.
const ROOM: usize = 16 * 1024;

/// The largest answer that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// What the Hub answered to a renewal.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The renewed login.
    pub(crate) record: Record,
    /// The value of the token that it replaces.
    pub(crate) renews: Fingerprint,
}

/// What an interrupted renewal has left.
#[derive(Debug)]
pub(crate) enum Parked {
    /// Nothing: no renewal was interrupted.
    Nothing,
    /// Room without an answer: the Hub may have been asked, and what it said is lost.
    Room,
    /// An answer that has not replaced its login yet.
    Answer(Box<Answer>),
}

/// A place for one answer.
pub(crate) trait Parking {
    /// Puts filler where the answer will be written.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn reserve(&self, room: Zeroizing<String>) -> Result<(), StorageError>;

    /// Writes over what was reserved.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn write(&self, text: Zeroizing<String>) -> Result<(), StorageError>;

    /// Reads what is there.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError>;

    /// Removes what is there.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn clear(&self) -> Result<(), StorageError>;
}

/// Reserves room for the answer to a renewal of `record`.
///
/// # Errors
/// See [`StorageError`].
pub(crate) fn reserve(parking: &dyn Parking, record: &Record) -> Result<(), StorageError> {
    let text = answer_text(record, &record.secret.fingerprint(), 0);
    parking.reserve(Zeroizing::new("\n".repeat(room_for(&text))))
}

/// Writes an answer into the room that was reserved for it, and reads it back.
///
/// # Errors
/// See [`StorageError`].
pub(crate) fn park(parking: &dyn Parking, answer: &Answer) -> Result<(), StorageError> {
    let room = parking.read()?.map_or(0, |there| there.len());
    parking.write(answer_text(&answer.record, &answer.renews, room))?;
    match parked(parking)? {
        Parked::Answer(there) if there.record.secret.same_as(&answer.record.secret) => Ok(()),
        _ => Err(not_read_back()),
    }
}

/// Reads what an interrupted renewal has left.
///
/// # Errors
/// See [`StorageError`].
pub(crate) fn parked(parking: &dyn Parking) -> Result<Parked, StorageError> {
    let Some(bytes) = parking.read()? else {
        return Ok(Parked::Nothing);
    };
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    // This line comes last, so an answer that has it is complete.
    let renews = text.lines().find_map(|line| line.strip_prefix(RENEWS));
    let renews = renews.and_then(Fingerprint::parse);
    Ok(match (Record::from_text(text), renews) {
        (Ok(record), Some(renews)) => Parked::Answer(Box::new(Answer { record, renews })),
        _ => Parked::Room,
    })
}

/// What was written is not what is there now.
pub(crate) fn not_read_back() -> StorageError {
    StorageError::BrokeOff("the token could not be read back after it was written".to_owned())
}

const RENEWS: &str = "renews=";

/// The answer as text, filled up to `room` with empty lines, which a record may have.
fn answer_text(record: &Record, renews: &Fingerprint, room: usize) -> Zeroizing<String> {
    let record = record.to_text();
    let renews = renews.as_str();
    let length = record.len() + RENEWS.len() + renews.len() + 1;
    let mut text = Zeroizing::new(String::with_capacity(length.max(room)));
    for part in [record.as_str(), RENEWS, renews, "\n"] {
        text.push_str(part);
    }
    for _ in text.len()..room {
        text.push('\n');
    }
    text
}

/// A renewed login is about as long as the old one.
fn room_for(text: &str) -> usize {
    text.len().saturating_add(64)
}

/// A private file for one answer.
#[derive(Debug)]
pub(crate) struct FileParking {
    dir: PathBuf,
    name: OsString,
}

impl FileParking {
    /// The file of that name, which need not be there.
    #[must_use]
    pub(crate) fn new(dir: PathBuf, name: OsString) -> Self {
        Self { dir, name }
    }

    fn fail(&self, verb: &str, error: &io::Error) -> StorageError {
        let path = self.dir.join(&self.name);
        StorageError::Unavailable(format!("cannot {verb} {}: {error}", path.display()))
    }

    /// A new file; whatever was in its place is removed, not written to.
    fn create(&self) -> io::Result<File> {
        let folder = Folder::open(&self.dir)?;
        found(folder.remove(&self.name))?;
        let file = folder.create(&self.name)?;
        folder.leave_to_owner(&file, None);
        folder.sync();
        Ok(file)
    }

    fn open(&self, access: Access) -> io::Result<File> {
        Folder::open(&self.dir)?.open_file(&self.name, access)
    }

    fn remove(&self) -> io::Result<()> {
        let folder = Folder::open(&self.dir);
        found(folder.and_then(|folder| folder.remove(&self.name))).map(drop)
    }

    /// Nobody else may read or have written it.
    fn checked(&self, file: File) -> Result<File, StorageError> {
        let path = self.dir.join(&self.name);
        let metadata = file.metadata().map_err(|e| self.fail("read", &e))?;
        let others = Others::of_file(&file, &path).map_err(|e| self.fail("read", &e))?;
        #[cfg(unix)]
        let open_to_others = {
            use std::os::unix::fs::MetadataExt;
            metadata.mode() & 0o077 != 0
        };
        #[cfg(not(unix))]
        let open_to_others = false;
        if !metadata.is_file() || open_to_others || others.is_some() {
            return Err(StorageError::Refused(format!(
                "{} is not a private file of yours: remove it",
                path.display()
            )));
        }
        Ok(file)
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
            Ok(file) => self.checked(file)?,
            Err(_) => self.create().map_err(|e| self.fail("write", &e))?,
        };
        let written = file.write_all(text.as_bytes());
        written
            .and_then(|()| file.sync_all())
            .map_err(|error| self.fail("write", &error))
    }

    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let Some(file) = found(self.open(Access::Read)).map_err(|e| self.fail("read", &e))? else {
            return Ok(None);
        };
        let file = self.checked(file)?;
        // Room for all of it at once: growing would leave copies behind.
        let length = file.metadata().map_or(0, |m| m.len().min(MAX_BYTES));
        let room = usize::try_from(length).unwrap_or_default() + 1;
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

/// `None` for what is not there.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
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
