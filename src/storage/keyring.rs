//! The system's keyring. Every call has a deadline. All calls use the `keyring` crate, except for
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

/// The service of all entries. The username of an entry is [`TokenName::keyring_entry`].
const SERVICE: &str = "git-credential-hf";

/// The service of the entries where answers to renewals are parked.
const PARKING_SERVICE: &str = "git-credential-hf-renewal";

/// The keyring of this platform.
#[derive(Debug)]
pub(crate) struct KeyringStorage {
    timeout: Duration,
    /// Set once a call has timed out. Later calls then fail at once, so that a locked keyring costs
    /// one deadline and not one for each token.
    dead: Cell<bool>,
}

impl KeyringStorage {
    /// The keyring, with a deadline of `timeout` for each call. Opens nothing yet.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            dead: Cell::new(false),
        }
    }

    /// Runs `work` with the entry's username in a thread. A thread that does not finish in time is
    /// abandoned, and ends with the process.
    fn within<T: Send + 'static>(
        &self,
        name: &TokenName,
        work: impl FnOnce(&str) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        if self.dead.get() {
            return Err(self.too_slow());
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let user = name.keyring_entry();
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Sending fails if the deadline has passed.
                let _ = sender.send(work(&user));
            })
            .map_err(|error| {
                StorageError::Unavailable(format!("cannot start a thread: {error}"))
            })?;
        match receiver.recv_timeout(self.timeout) {
            Ok(outcome) => outcome,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.dead.set(true);
                Err(self.too_slow())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(StorageError::BrokeOff("the keyring failed".to_owned()))
            }
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

    /// Where the answer to a renewal of this token is parked.
    pub(crate) fn parking<'a>(&'a self, name: &'a TokenName) -> KeyringParking<'a> {
        KeyringParking {
            keyring: self,
            name,
        }
    }

    fn too_slow(&self) -> StorageError {
        let why = if cfg!(target_os = "macos") {
            "if macOS shows a window that asks for your password, type it there and click Always \
             Allow (macOS asks again after each upgrade of this program)"
        } else {
            "it may be locked, or its service hangs"
        };
        let seconds = self.timeout.as_secs_f64();
        StorageError::BrokeOff(format!(
            "the keyring did not answer within {seconds} s: {why}"
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
                    "the keyring's entry `{}` of `{SERVICE}` was not written by this program",
                    name.keyring_entry()
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

/// A second entry in the same keyring, so that an answer is never less protected than the token
/// that it renews.
#[derive(Debug)]
pub(crate) struct KeyringParking<'a> {
    keyring: &'a KeyringStorage,
    name: &'a TokenName,
}

impl Parking for KeyringParking<'_> {
    fn reserve(&self, room: Zeroizing<String>) -> Result<(), StorageError> {
        match self.write(room) {
            // The Windows Credential Manager accepts 2,560 bytes. A token that fits is renewed even
            // if there is no room to park its answer.
            Err(error @ StorageError::TooLong(_)) => {
                trace::line(|| format!("cannot reserve room for the answer: {error}"));
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

/// Checks whether an entry could be written.
#[cfg(all(unix, not(target_os = "macos")))]
fn check(_: &str) -> Result<(), StorageError> {
    why_not().map_or(Ok(()), Err)
}

/// Why nothing can be written to the Secret Service, in words for the user.
#[cfg(all(unix, not(target_os = "macos")))]
fn why_not() -> Option<StorageError> {
    use super::secret_service::{CheckError, check};
    let why = match check() {
        Ok(()) => return None,
        Err(CheckError::NotRunning(error)) => {
            trace::line(|| format!("no Secret Service: {error}"));
            NOT_RUNNING
        }
        Err(CheckError::Foreign(why)) => return Some(foreign(&why)),
        Err(CheckError::NoDefault) => {
            "the keyring has no default collection to store tokens in: create one in your \
             desktop's password manager (Seahorse, KWalletManager)"
        }
        Err(CheckError::Locked) => LOCKED,
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

const NOT_RUNNING: &str = "no keyring is running on this machine";

#[cfg(all(unix, not(target_os = "macos")))]
const LOCKED: &str = "the keyring is locked: unlock it, and try again";

/// Calls the keyring crate, and once more if its connection was broken: a connection that breaks
/// after the Hub has answered must not lose the login.
fn with_entry<T>(
    service: &str,
    user: &str,
    call: impl Fn(&Entry) -> Result<T, Error>,
) -> Result<T, StorageError> {
    #[cfg(all(unix, not(target_os = "macos")))]
    if let Err(super::secret_service::LookupError::Foreign(why)) =
        super::secret_service::check_bus()
    {
        return Err(foreign(&why));
    }
    let call = || entry(service, user).and_then(|entry| call(&entry));
    let mut outcome = call();
    if matches!(outcome, Err(Error::PlatformFailure(_))) && reconnect() {
        outcome = call();
    }
    outcome.map_err(|error| in_clear_words(describe(error)))
}

/// Replaces the keyring crate's error by the reason that the service itself gives, which is
/// clearer.
#[cfg(all(unix, not(target_os = "macos")))]
fn in_clear_words(found: StorageError) -> StorageError {
    use StorageError::{BrokeOff, Unavailable};
    if !matches!(found, BrokeOff(_) | Unavailable(_)) {
        return found;
    }
    match (found, why_not()) {
        // The call may still have had its effect.
        (BrokeOff(_), Some(Unavailable(words))) => BrokeOff(words),
        (_, Some(clearer)) => clearer,
        (found, None) => found,
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn in_clear_words(found: StorageError) -> StorageError {
    found
}

#[cfg(not(windows))]
fn entry(service: &str, user: &str) -> Result<Entry, Error> {
    Entry::new(service, user)
}

/// Names the entry `SERVICE:USER`, since the Credential Manager sorts by the whole name. With local
/// persistence, a roaming profile does not copy the entry to other machines of the domain.
#[cfg(windows)]
fn entry(service: &str, user: &str) -> Result<Entry, Error> {
    // Asking for the status initialises the store.
    if Entry::store_status().is_err() {
        return Err(Error::NoDefaultStore);
    }
    let target = format!("{service}:{user}");
    let how = [("target", target.as_str()), ("persistence", "Local")].into();
    let inner = keyring_core::Entry::new_with_modifiers(service, user, &how)?;
    Ok(Entry { inner })
}

/// Gives the keyring crate a new connection, since it keeps a broken one.
#[cfg(all(unix, not(target_os = "macos")))]
fn reconnect() -> bool {
    let store = zbus_secret_service_keyring_store::Store::new();
    store.is_ok_and(|store| {
        keyring_core::set_default_store(store);
        true
    })
}

/// Other systems do not have a connection that could break.
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

/// Reads through a plain session, which is faster. If that fails, reads through the keyring crate.
#[cfg(all(unix, not(target_os = "macos")))]
fn read(service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    use super::secret_service::{LookupError, read};
    match read(service, user) {
        Ok(secret) => Ok(secret),
        Err(LookupError::NotFound) => Err(StorageError::NotFound),
        Err(LookupError::Locked) => Err(StorageError::Unavailable(LOCKED.to_owned())),
        Err(LookupError::Ambiguous) => Err(ambiguous()),
        Err(LookupError::Foreign(why)) => Err(foreign(&why)),
        Err(LookupError::Bus(error)) => {
            trace::line(|| format!("cannot read from the Secret Service directly: {error}"));
            read_entry(service, user)
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn foreign(why: &str) -> StorageError {
    StorageError::Unavailable(format!(
        "the D-Bus session bus of the keyring (DBUS_SESSION_BUS_ADDRESS) is not trusted: {why}"
    ))
}

fn ambiguous() -> StorageError {
    StorageError::Refused(
        "the keyring has several entries with this name: remove all but one".to_owned(),
    )
}

/// Describes the keyring crate's error to the user. Its own message goes to the trace, except for
/// errors that contain the secret's bytes.
fn describe(error: Error) -> StorageError {
    #[cfg(target_os = "macos")]
    if let Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) = &error
        && let Some(cause) = cause.downcast_ref::<security_framework::base::Error>()
        && let Some(known) = keychain_error(cause.code())
    {
        return known;
    }
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
        Error::TooLong(_, limit) => StorageError::TooLong(limit),
        Error::Ambiguous(_) => ambiguous(),
        _ => StorageError::BrokeOff("the keyring failed".to_owned()),
    }
}

/// Describes the error codes of the macOS keychain (`SecBase.h`) to the user. Over SSH, macOS
/// cannot show the window in which it asks for the password.
#[cfg(any(target_os = "macos", test))]
fn keychain_error(code: i32) -> Option<StorageError> {
    const UNLOCK: &str = "run `security unlock-keychain` in this terminal and try again";
    let unavailable = |why: &str| StorageError::Unavailable(why.to_owned());
    Some(match code {
        // errSecInteractionNotAllowed
        -25308 => unavailable(&format!(
            "the keychain is locked, and macOS cannot ask for its password here (over SSH, for example): {UNLOCK}"
        )),
        // errSecAuthFailed
        -25293 => unavailable(&format!(
            "the keychain is locked, or the password for it was wrong: {UNLOCK}"
        )),
        // errSecUserCanceled
        -128 => unavailable(
            "access to the keychain was cancelled in the window that asks for it: try again, and \
             click Always Allow",
        ),
        // errSecDuplicateItem
        -25299 => StorageError::Refused(format!(
            "the keychain has an entry of `{SERVICE}` that this program may not change: delete it \
             in Keychain Access, and try again"
        )),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keychain_errors_in_words() {
        for (code, words) in [
            (-25308, "security unlock-keychain"),
            (-25293, "security unlock-keychain"),
            (-128, "click Always Allow"),
            (-25299, "Keychain Access"),
        ] {
            let error = keychain_error(code).unwrap().to_string();
            assert!(error.contains(words) && !error.contains("25"), "{error}");
        }
        assert!(keychain_error(-1).is_none());
    }
}

#[cfg(all(test, windows))]
mod windows_tests {
    use super::*;
    use crate::model::endpoint::Endpoint;
    use crate::model::secret::Secret;

    #[test]
    fn credential_manager_keeps_replaces_and_removes() {
        let storage = KeyringStorage::new(Duration::from_secs(30));
        let name = TokenName::existing(&format!("test-{}", std::process::id()));
        let record = |text: &str| Record {
            expires: Some(17),
            ..Record::new(Secret::exact(text).unwrap(), Endpoint::hugging_face())
        };
        assert!(matches!(storage.read(&name), Err(StorageError::NotFound)));
        for text in ["one", "two, with an umlaut: ü"] {
            storage.write(&name, &record(text)).unwrap();
            let read = storage.read(&name).unwrap();
            assert_eq!(read.secret.expose(), text);
            assert_eq!(read.expires, Some(17));
        }
        let entry = entry(SERVICE, &name.keyring_entry()).unwrap();
        let known = entry.inner.get_attributes().unwrap();
        assert_eq!(known["persistence"], "Local");
        let target = format!("git-credential-hf:{}", name.as_str());
        assert_eq!(known["target_name"], target);
        let long = storage.write(&name, &record(&"x".repeat(3000)));
        assert!(matches!(long, Err(StorageError::TooLong(2560))));
        storage.delete(&name).unwrap();
        storage.delete(&name).unwrap();
        assert!(matches!(storage.read(&name), Err(StorageError::NotFound)));
    }
}
