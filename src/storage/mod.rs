//! Where secrets lie: one file a storage, behind one small trait.

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

/// The storages that `login` can put a token into.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// macOS Keychain, Windows Credential Manager, Secret Service.
    Keyring,
    /// A private file; not encrypted.
    File,
}

impl StorageKind {
    /// The name as it stands in the configuration.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    /// The name as a listing shows it: a storage that does not encrypt says so.
    #[must_use]
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file, not encrypted",
        }
    }

    /// Its name within a sentence.
    #[must_use]
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Keyring => "the keyring",
            Self::File => "a file (readable by you only, not encrypted)",
        }
    }
}

/// What went wrong with a storage, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The secret does not exist.
    #[error("the secret is missing")]
    NotFound,
    /// The storage does not answer: locked, not running, too slow. Another candidate may do.
    #[error("{0}")]
    Unavailable(String),
    /// The storage does not answer, and may have done what was asked before it failed.
    #[error("{0}")]
    BrokeOff(String),
    /// The storage takes no record that long; what was there before is still there.
    #[error("the keyring of this system accepts at most {0} bytes, and this token is longer")]
    TooLong(u32),
    /// The secret is not the one that was stored.
    #[error("{} contains a different token under this name from the one that was stored", .0.in_words())]
    AnotherValue(StorageKind),
    /// There is something that must not be used.
    #[error("{0}")]
    Refused(String),
}

/// A place that keeps one [`Record`] for each name.
pub trait Storage {
    /// Looks whether a record could be written, before somebody is asked for one. Nothing is
    /// written.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn check(&self) -> Result<(), StorageError>;

    /// Reads a record.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn read(&self, name: &TokenName) -> Result<Record, StorageError>;

    /// Writes a record, whole, in the place of an older one.
    ///
    /// # Errors
    /// See [`StorageError`]; the older one is then still there.
    fn write(&self, name: &TokenName, record: &Record) -> Result<(), StorageError>;

    /// Removes a record; one that is not there is success.
    ///
    /// # Errors
    /// See [`StorageError`].
    fn delete(&self, name: &TokenName) -> Result<(), StorageError>;
}

impl<S: Storage> Storage for &S {
    fn check(&self) -> Result<(), StorageError> {
        (**self).check()
    }

    fn read(&self, name: &TokenName) -> Result<Record, StorageError> {
        (**self).read(name)
    }

    fn write(&self, name: &TokenName, record: &Record) -> Result<(), StorageError> {
        (**self).write(name, record)
    }

    fn delete(&self, name: &TokenName) -> Result<(), StorageError> {
        (**self).delete(name)
    }
}
