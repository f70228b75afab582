//! Where secrets are stored: one file for each storage, behind one small trait.

pub mod command;
pub mod file;
pub(crate) mod keyring;
pub(crate) mod parking;
pub(crate) mod record;
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) mod secret_service;

use serde::{Deserialize, Serialize};

pub use record::Record;

use crate::model::token_name::TokenName;

/// The storages in which `login` can store a token.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// macOS Keychain, Windows Credential Manager or Secret Service.
    Keyring,
    /// A private file; not encrypted.
    File,
}

impl StorageKind {
    /// The name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    /// The name in listings, which say if a storage does not encrypt.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file, not encrypted",
        }
    }

    /// The name within a sentence.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Keyring => "the keyring",
            Self::File => "a file (readable by you only, not encrypted)",
        }
    }
}

/// Why a storage failed, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The secret does not exist.
    #[error("the secret is missing")]
    NotFound,
    /// The storage is locked or does not answer. Another candidate may be used.
    #[error("{0}")]
    Unavailable(String),
    /// The storage failed, but the call may have had its effect.
    #[error("{0}")]
    BrokeOff(String),
    /// The record is longer than the storage accepts (this many bytes). The old record is
    /// unchanged.
    #[error("the keyring of this system accepts at most {0} bytes, and this token is longer")]
    TooLong(u32),
    /// The storage contains a different value from the one that was stored.
    #[error("the token in {} is not the one that was stored under this name", .0.in_words())]
    AnotherValue(StorageKind),
    /// What is stored must not be used.
    #[error("{0}")]
    Refused(String),
}

/// A place that keeps one [`Record`] for each name.
pub trait Storage {
    /// Checks whether a record could be written, before the user is asked for one. Writes nothing.
    fn check(&self) -> Result<(), StorageError>;

    /// Reads a record.
    fn read(&self, name: &TokenName) -> Result<Record, StorageError>;

    /// Writes a record as a whole, and replaces an older one.
    ///
    /// # Errors
    /// See [`StorageError`]; the older record is then unchanged, except after
    /// [`StorageError::BrokeOff`].
    fn write(&self, name: &TokenName, record: &Record) -> Result<(), StorageError>;

    /// Removes a record. It is not an error if it does not exist.
    fn delete(&self, name: &TokenName) -> Result<(), StorageError>;
}
