//! Parks the Hub's answer to a renewal until it has replaced the login that it renews.
//!
//! The Hub revokes a refresh token when it answers, so from then on its answer is the only login.
//! Room for it is reserved before the Hub is asked. The answer is first written into that room, and
//! stays there until the login itself has been replaced and read back. If anything fails in
//! between, the next renewal finds the answer here.

pub(crate) mod file;

use zeroize::Zeroizing;

use super::{Record, StorageError};
use crate::model::secret::Fingerprint;

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
