//! Parks the Hub's answer to a renewal until it has replaced the login that it renews.
//!
//! The Hub revokes a refresh token when it answers, so from then on its answer is the only login.
//! Room for it is reserved before the Hub is asked. The answer is first written into that room, and
//! stays there until the login itself has been replaced and read back. If anything fails in
//! between, the next renewal finds the answer here.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{Record, StorageError};
use crate::model::secret::Fingerprint;
use crate::system::files::{Access, Folder, Others};

/// The least room that is reserved, in bytes. Tokens need about a tenth of it.
const ROOM: usize = 16 * 1024;

/// The largest answer that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// The Hub's answer to a renewal.
#[derive(Debug)]
pub(crate) struct RenewalAnswer {
    pub(crate) record: Record,
    /// The fingerprint of the token that it replaces.
    pub(crate) renews: Fingerprint,
}

/// What an interrupted renewal left behind.
#[derive(Debug)]
pub(crate) enum Parked {
    /// Nothing: no renewal was interrupted.
    Nothing,
    /// Room without an answer: the Hub may have answered, and the answer is lost.
    Room,
    /// An answer that has not yet replaced the login.
    Answer(Box<RenewalAnswer>),
}

/// A place for one answer.
pub(crate) trait Parking {
    /// Writes filler where the answer will be written.
    fn reserve(&self, room: Zeroizing<String>) -> Result<(), StorageError>;

    /// Overwrites the filler.
    fn write(&self, text: Zeroizing<String>) -> Result<(), StorageError>;

    /// Reads the filler or the answer.
    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError>;

    /// Removes the filler or the answer.
    fn clear(&self) -> Result<(), StorageError>;
}

/// Reserves room for the answer to a renewal of `record`.
pub(crate) fn reserve(parking: &dyn Parking, record: &Record) -> Result<(), StorageError> {
    let text = answer_text(record, &record.secret.fingerprint(), 0);
    parking.reserve(Zeroizing::new("\n".repeat(room_for(&text))))
}

/// Writes an answer into the reserved room, and reads it back.
pub(crate) fn park(parking: &dyn Parking, answer: &RenewalAnswer) -> Result<(), StorageError> {
    let room = parking.read()?.map_or(0, |there| there.len());
    parking.write(answer_text(&answer.record, &answer.renews, room))?;
    match parked(parking)? {
        Parked::Answer(there) if there.record.secret.same_as(&answer.record.secret) => Ok(()),
        _ => Err(not_read_back()),
    }
}

/// Reads what an interrupted renewal left behind.
pub(crate) fn parked(parking: &dyn Parking) -> Result<Parked, StorageError> {
    let Some(bytes) = parking.read()? else {
        return Ok(Parked::Nothing);
    };
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    // This line comes last, so an answer with this line is complete.
    let renews = text.lines().find_map(|line| line.strip_prefix(RENEWS));
    let renews = renews.and_then(Fingerprint::parse);
    Ok(match (Record::from_text(text), renews) {
        (Ok(record), Some(renews)) => Parked::Answer(Box::new(RenewalAnswer { record, renews })),
        _ => Parked::Room,
    })
}

/// The error for a token that could not be read back.
pub(crate) fn not_read_back() -> StorageError {
    StorageError::BrokeOff("the token could not be read back after it was written".to_owned())
}

const RENEWS: &str = "renews=";

/// The answer as text, padded to `room` bytes with empty lines, which the format of a record
/// allows.
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

/// How much room to reserve: a renewed login is about as long as the old one.
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
