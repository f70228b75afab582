//! The system's keyring, with every call under a deadline: through the `keyring` crate, but for
//! reading from the Secret Service.

use std::cell::Cell;
use std::sync::mpsc;
use std::time::Duration;

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::{Record, Storage, StorageError};
use crate::model::token_name::TokenName;
#[cfg(all(unix, not(target_os = "macos")))]
use crate::system::trace;

/// The service that all entries are under; the user name of an entry is the token's name.
const SERVICE: &str = "git-credential-hf";

/// The keyring of this platform.
#[derive(Debug)]
pub struct KeyringStorage {
    timeout: Duration,
    /// Set once a call ran out of time: the next ones fail at once, so that several tokens in a
    /// locked keyring cost one deadline and not one each.
    dead: Cell<bool>,
}

impl KeyringStorage {
    /// The keyring, whose every call may take `timeout`. Nothing is opened yet.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            dead: Cell::new(false),
        }
    }

    /// Runs `work` on a name in a thread that is left behind when it is not done in time. The
    /// thread ends with the process; nothing waits for it.
    fn within<T: Send + 'static>(
        &self,
        name: &TokenName,
        work: impl FnOnce(&str) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        if self.dead.get() {
            return Err(self.too_slow());
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let user = name.as_str().to_owned();
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Nobody listens any more when the deadline has passed.
                let _ = sender.send(work(&user));
            })
            .map_err(|error| StorageError::Unavailable(format!("no thread: {error}")))?;
        match receiver.recv_timeout(self.timeout) {
            Ok(outcome) => outcome,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.dead.set(true);
                Err(self.too_slow())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(StorageError::BrokeOff(
                "the keyring's client failed".to_owned(),
            )),
        }
    }

    fn too_slow(&self) -> StorageError {
        StorageError::BrokeOff(format!(
            "the keyring did not answer within {} s: it may be locked, or its service hangs",
            self.timeout.as_secs_f64()
        ))
    }
}

impl Storage for KeyringStorage {
    fn read(&self, name: &TokenName) -> Result<Record, StorageError> {
        let bytes = self.within(name, read)?;
        std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| Record::from_text(text).ok())
            .ok_or_else(|| {
                StorageError::Refused(format!(
                    "the keyring's entry `{SERVICE}` / `{name}` was not written by this program"
                ))
            })
    }

    fn write(&self, name: &TokenName, record: &Record) -> Result<(), StorageError> {
        let text = record.to_text();
        self.within(name, move |user| {
            with_entry(user, |entry| entry.set_secret(text.as_bytes()))
        })
    }

    fn delete(&self, name: &TokenName) -> Result<(), StorageError> {
        let delete = |user: &str| with_entry(user, Entry::delete_credential);
        match self.within(name, delete) {
            Err(StorageError::NotFound) => Ok(()),
            other => other,
        }
    }
}

/// Calls the keyring crate.
fn with_entry<T>(
    user: &str,
    call: impl FnOnce(&Entry) -> Result<T, Error>,
) -> Result<T, StorageError> {
    let entry = Entry::new(SERVICE, user);
    entry.and_then(|entry| call(&entry)).map_err(describe)
}

fn read_entry(user: &str) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    with_entry(user, |entry| entry.get_secret().map(Zeroizing::new))
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
use read_entry as read;

/// Reads the short way; where that does not lead on, the keyring crate has more ways, and words
/// for what is wrong.
#[cfg(all(unix, not(target_os = "macos")))]
fn read(user: &str) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    use super::secret_service::{Failure, read};
    match read(SERVICE, user) {
        Ok(secret) => Ok(secret),
        Err(Failure::NotFound) => Err(StorageError::NotFound),
        Err(Failure::Locked) => Err(StorageError::Unavailable(
            "the keyring is locked: unlock it, and try again".to_owned(),
        )),
        Err(Failure::Ambiguous) => Err(ambiguous()),
        Err(Failure::Bus(error)) => {
            trace::line(|| format!("no plain session with the Secret Service: {error}"));
            read_entry(user)
        }
    }
}

fn ambiguous() -> StorageError {
    StorageError::Refused(
        "the keyring has several entries of this name: remove all but one".to_owned(),
    )
}

/// The keyring's error in words. Errors that carry the secret's bytes are not shown.
fn describe(error: Error) -> StorageError {
    match error {
        Error::NoEntry => StorageError::NotFound,
        Error::NoDefaultStore => {
            let why = match Entry::store_status() {
                Err(Error::PlatformFailure(cause) | Error::NoStorageAccess(cause)) => {
                    format!(": {}", crate::model::text::one_line(&cause.to_string()))
                }
                _ => String::new(),
            };
            StorageError::Unavailable(format!("no keyring is running here{why}"))
        }
        Error::NoStorageAccess(cause) => StorageError::Unavailable(format!(
            "the keyring is locked or refuses access: {}",
            crate::model::text::one_line(&cause.to_string())
        )),
        Error::PlatformFailure(cause) => StorageError::BrokeOff(format!(
            "the keyring failed: {}",
            crate::model::text::one_line(&cause.to_string())
        )),
        Error::TooLong(what, limit) => {
            StorageError::Refused(format!("the keyring takes no {what} of over {limit} bytes"))
        }
        Error::Ambiguous(_) => ambiguous(),
        _ => StorageError::BrokeOff("the keyring failed".to_owned()),
    }
}

#[cfg(all(test, windows))]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;
    use crate::model::secret::Secret;

    #[test]
    fn credential_manager_keeps_replaces_and_removes() {
        let storage = KeyringStorage::new(Duration::from_secs(30));
        let name = TokenName::existing(&format!("test-{}", std::process::id()));
        let record = |text: &str| Record {
            secret: Secret::exact(text).unwrap(),
            endpoint: Endpoint::hugging_face(),
            expires: Some(17),
            refresh_token: None,
            client_id: None,
            renewed: None,
        };
        assert!(matches!(storage.read(&name), Err(StorageError::NotFound)));
        for text in ["one", "two, with an umlaut: ü"] {
            storage.write(&name, &record(text)).unwrap();
            let read = storage.read(&name).unwrap();
            assert_eq!(read.secret.expose(), text);
            assert_eq!(read.expires, Some(17));
        }
        // The Credential Manager takes 2,560 bytes, which is said in words.
        let long = storage.write(&name, &record(&"x".repeat(3000)));
        assert!(long.unwrap_err().to_string().contains("bytes"));
        storage.delete(&name).unwrap();
        storage.delete(&name).unwrap();
        assert!(matches!(storage.read(&name), Err(StorageError::NotFound)));
    }
}
