//! The system's keyring, with every call under a deadline: through the `keyring` crate, but for
//! reading from the Secret Service.

use std::cell::Cell;
use std::sync::mpsc;
use std::time::Duration;

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::parking::Parking;
use super::{Record, Storage, StorageError};
use crate::model::token_name::TokenName;
use crate::system::trace;

/// The service that all entries are under; the user name of an entry is the token's name.
const SERVICE: &str = "git-credential-hf";

/// The service of the entries that the answers to renewals wait under.
const PARKING_SERVICE: &str = "git-credential-hf-renewal";

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

    fn write_text(
        &self,
        service: &'static str,
        name: &TokenName,
        text: Zeroizing<String>,
    ) -> Result<(), StorageError> {
        self.within(name, move |user| {
            with_entry(service, user, |entry| entry.set_secret(text.as_bytes()))
        })
    }

    fn remove(&self, service: &'static str, name: &TokenName) -> Result<(), StorageError> {
        let delete = |user: &str| with_entry(service, user, Entry::delete_credential);
        match self.within(name, delete) {
            Err(StorageError::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Where the answer to a renewal of this token waits.
    #[must_use]
    pub fn parking<'a>(&'a self, name: &'a TokenName) -> KeyringParking<'a> {
        KeyringParking {
            keyring: self,
            name,
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
    fn check(&self) -> Result<(), StorageError> {
        // No token has this name.
        self.within(&TokenName::existing("doctor:check"), check)
    }

    fn read(&self, name: &TokenName) -> Result<Record, StorageError> {
        let bytes = self.within(name, |user| read(SERVICE, user))?;
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
        self.write_text(SERVICE, name, record.to_text())
    }

    fn delete(&self, name: &TokenName) -> Result<(), StorageError> {
        self.remove(PARKING_SERVICE, name)?;
        self.remove(SERVICE, name)
    }
}

/// An entry beside the token's own, in the same keyring: an answer is never less protected than
/// the token that it renews.
#[derive(Debug)]
pub struct KeyringParking<'a> {
    keyring: &'a KeyringStorage,
    name: &'a TokenName,
}

impl Parking for KeyringParking<'_> {
    fn reserve(&self, room: Zeroizing<String>) -> Result<(), StorageError> {
        match self.write(room) {
            // Windows' Credential Manager takes 2,560 bytes. A token that fits alone is renewed
            // although its answer may not fit here.
            Err(StorageError::Refused(why)) => {
                trace::line(|| format!("no room for an answer: {why}"));
                Ok(())
            }
            other => other,
        }
    }

    fn write(&self, text: Zeroizing<String>) -> Result<(), StorageError> {
        self.keyring.write_text(PARKING_SERVICE, self.name, text)
    }

    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let read = |user: &str| read(PARKING_SERVICE, user);
        match self.keyring.within(self.name, read) {
            Err(StorageError::NotFound) => Ok(None),
            other => other.map(Some),
        }
    }

    fn clear(&self) -> Result<(), StorageError> {
        self.keyring.remove(PARKING_SERVICE, self.name)
    }
}

/// Looks whether an entry could be written.
#[cfg(all(unix, not(target_os = "macos")))]
fn check(_: &str) -> Result<(), StorageError> {
    why_not().map_or(Ok(()), Err)
}

/// Why nothing could be written to the Secret Service, in words for its user.
#[cfg(all(unix, not(target_os = "macos")))]
fn why_not() -> Option<StorageError> {
    use super::secret_service::{Obstacle, check};
    let why = match check() {
        Ok(()) => return None,
        Err(Obstacle::NotRunning(error)) => {
            trace::line(|| format!("no Secret Service: {error}"));
            NOT_RUNNING
        }
        Err(Obstacle::Foreign(why)) => return Some(foreign(&why)),
        Err(Obstacle::NoDefault) => {
            "the keyring has no default collection to keep tokens in: create one in your \
             desktop's password manager (Seahorse, KWalletManager)"
        }
        Err(Obstacle::Locked) => LOCKED,
    };
    Some(StorageError::Unavailable(why.to_owned()))
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn check(user: &str) -> Result<(), StorageError> {
    match read(SERVICE, user) {
        Err(StorageError::NotFound) => Ok(()),
        other => other.map(drop),
    }
}

/// No keyring answers.
const NOT_RUNNING: &str = "no keyring is running on this machine";

/// A person has to unlock it.
const LOCKED: &str = "the keyring is locked: unlock it, and try again";

/// Calls the keyring crate, and once more where its connection has broken: one that breaks after
/// the Hub has answered must not cost a login.
fn with_entry<T>(
    service: &str,
    user: &str,
    call: impl Fn(&Entry) -> Result<T, Error>,
) -> Result<T, StorageError> {
    #[cfg(all(unix, not(target_os = "macos")))]
    if let Err(super::secret_service::Failure::Foreign(why)) = super::secret_service::check_bus() {
        return Err(foreign(&why));
    }
    let call = || Entry::new(service, user).and_then(|entry| call(&entry));
    let mut outcome = call();
    if matches!(outcome, Err(Error::PlatformFailure(_))) && reconnect() {
        outcome = call();
    }
    outcome.map_err(|error| in_clear_words(describe(error)))
}

/// What the service says of itself is clearer than what the keyring crate makes of it.
#[cfg(all(unix, not(target_os = "macos")))]
fn in_clear_words(found: StorageError) -> StorageError {
    use StorageError::{BrokeOff, Unavailable};
    if !matches!(found, BrokeOff(_) | Unavailable(_)) {
        return found;
    }
    match (found, why_not()) {
        // It may have done what was asked all the same.
        (BrokeOff(_), Some(Unavailable(words))) => BrokeOff(words),
        (_, Some(clearer)) => clearer,
        (found, None) => found,
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn in_clear_words(found: StorageError) -> StorageError {
    found
}

/// Gives the keyring crate a new connection: it keeps the one it has, broken or not.
#[cfg(all(unix, not(target_os = "macos")))]
fn reconnect() -> bool {
    let store = zbus_secret_service_keyring_store::Store::new();
    store.is_ok_and(|store| {
        keyring_core::set_default_store(store);
        true
    })
}

/// The other systems have no connection that could break.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn reconnect() -> bool {
    false
}

fn read_entry(service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    with_entry(service, user, |entry| {
        entry.get_secret().map(Zeroizing::new)
    })
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
use read_entry as read;

/// Reads the short way; where that does not lead on, the keyring crate has more ways, and words
/// for what is wrong.
#[cfg(all(unix, not(target_os = "macos")))]
fn read(service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    use super::secret_service::{Failure, read};
    match read(service, user) {
        Ok(secret) => Ok(secret),
        Err(Failure::NotFound) => Err(StorageError::NotFound),
        Err(Failure::Locked) => Err(StorageError::Unavailable(LOCKED.to_owned())),
        Err(Failure::Ambiguous) => Err(ambiguous()),
        Err(Failure::Foreign(why)) => Err(foreign(&why)),
        Err(Failure::Bus(error)) => {
            trace::line(|| format!("no plain session with the Secret Service: {error}"));
            read_entry(service, user)
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn foreign(why: &str) -> StorageError {
    StorageError::Unavailable(format!(
        "the keyring's bus (DBUS_SESSION_BUS_ADDRESS) is not this user's: {why}"
    ))
}

fn ambiguous() -> StorageError {
    StorageError::Refused(
        "the keyring has several entries of this name: remove all but one".to_owned(),
    )
}

/// The keyring's error in words. The library's own words are for the trace; errors that carry the
/// secret's bytes are not shown at all.
fn describe(error: Error) -> StorageError {
    let traced = |cause: &dyn std::fmt::Display| {
        trace::line(|| format!("the keyring's client: {cause}"));
    };
    match error {
        Error::NoEntry => StorageError::NotFound,
        Error::NoDefaultStore => {
            if let Err(Error::PlatformFailure(cause) | Error::NoStorageAccess(cause)) =
                Entry::store_status()
            {
                traced(&cause);
            }
            StorageError::Unavailable(NOT_RUNNING.to_owned())
        }
        Error::NoStorageAccess(cause) => {
            traced(&cause);
            StorageError::Unavailable("the keyring is locked, or refuses access".to_owned())
        }
        Error::PlatformFailure(cause) => {
            traced(&cause);
            StorageError::BrokeOff("the keyring failed".to_owned())
        }
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
