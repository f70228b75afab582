//! Stores, reads, locks and removes tokens, and cleans up stale copies of them.

use std::io;
use std::time::Duration;

use anyhow::Result;

use super::Context;
use crate::model::secret::Secret;
use crate::model::token_name::TokenName;
use crate::state::file::StateError;
use crate::state::{Origin, State, TokenInfo};
use crate::storage::file::FileStorage;
use crate::storage::keyring::KeyringStorage;
use crate::storage::parking::Parking;
use crate::storage::{Record, Storage, StorageError, StorageKind};
use crate::system::files::Lock;
use crate::system::trace;
use crate::terminal;

/// How long to wait for another process that changes the same token: longer than a renewal's request
/// can take.
const NAME_LOCK_DEADLINE: Duration = Duration::from_secs(30);

impl Context {
    /// The storage of this kind.
    pub(crate) fn storage(&self, kind: StorageKind) -> &dyn Storage {
        match kind {
            StorageKind::File => self.token_files(),
            StorageKind::Keyring => self.keyring(),
        }
    }

    fn token_files(&self) -> &FileStorage {
        let new = || FileStorage::new(self.paths.tokens());
        self.token_files.get_or_init(new)
    }

    fn keyring(&self) -> &KeyringStorage {
        let new = || KeyringStorage::new(self.config.keyring_timeout);
        self.keyring.get_or_init(new)
    }

    /// The storage for a renewed token until it has replaced the old one.
    pub(crate) fn parking<'a>(
        &'a self,
        kind: StorageKind,
        name: &'a TokenName,
    ) -> Box<dyn Parking + 'a> {
        match kind {
            StorageKind::File => Box::new(self.token_files().parking(name)),
            StorageKind::Keyring => Box::new(self.keyring().parking(name)),
        }
    }

    /// Reads a stored token, and checks it against the state: a token for another endpoint is not
    /// used.
    ///
    /// # Errors
    /// When it cannot be read, or is stored for another endpoint.
    pub(crate) fn read_stored(
        &self,
        name: &TokenName,
        token: &TokenInfo,
    ) -> Result<Record, StorageError> {
        let record = match self.storage(token.storage).read(name) {
            Err(StorageError::NotFound) => self.read_stale_copy(name)?,
            other => other?,
        };
        if record.endpoint != token.endpoint {
            return Err(StorageError::Refused(format!(
                "the secret stored there is for {}, not for {}",
                record.endpoint, token.endpoint
            )));
        }
        if !self.is_expected(name, token, &record) {
            return Err(StorageError::AnotherValue(token.storage));
        }
        Ok(record)
    }

    /// Whether this program stored the value under this name. The entry of another program, or of a
    /// token whose name is the same to the storage, must not be sent. A renewal writes its new
    /// value before it records it.
    fn is_expected(&self, name: &TokenName, token: &TokenInfo, record: &Record) -> bool {
        let value = record.secret.fingerprint();
        let knows = |token: &TokenInfo| token.fingerprint == value || token.former.contains(&value);
        if record.renewed.is_some() || knows(token) {
            return true;
        }
        // Another process may have logged in since the state was read.
        let state = self.state_file.load().unwrap_or_default();
        state.tokens.get(name).is_some_and(knows)
    }

    /// Reads a token whose move to another storage was interrupted by a kill.
    fn read_stale_copy(&self, name: &TokenName) -> Result<Record, StorageError> {
        let state = self.state_file.load().unwrap_or_default();
        let left = state.stale_copies.get(name).into_iter().flatten();
        let mut found = left.map(|kind| self.storage(*kind).read(name));
        found.next().unwrap_or(Err(StorageError::NotFound))
    }

    /// Locks a name. Every process that changes its secret holds this lock. Otherwise a login, a
    /// logout and a renewal at the same time could undo each other, or leave an unlisted secret.
    ///
    /// # Errors
    /// When another process holds it for too long.
    pub(crate) fn lock_name(&self, name: &TokenName) -> io::Result<Lock> {
        let path = self.paths.name_lock(name);
        Lock::acquire(&path, NAME_LOCK_DEADLINE).map_err(|error| match error.kind() {
            // The error names the file.
            io::ErrorKind::TimedOut => error,
            kind => io::Error::new(kind, format!("cannot lock {}: {error}", path.display())),
        })
    }

    /// Stores a secret under a name. The state is written first, so that a kill in between leaves
    /// a token without a secret, which is reported, and never an unlisted secret. `check` runs
    /// under the lock.
    ///
    /// # Errors
    /// When a file, the storage or `check` fails.
    pub(crate) fn keep(
        &self,
        name: &TokenName,
        token: TokenInfo,
        record: &Record,
        check: impl FnOnce(&State) -> Result<()>,
    ) -> Result<()> {
        let _lock = self.lock_name(name)?;
        let storage = token.storage;
        let value = record.secret.fingerprint();
        let before = self.state_file.update(|state| {
            check(state)?;
            let mut token = token;
            let old = state
                .tokens
                .get(name)
                .filter(|old| old.origin == Origin::Login);
            token.order = match (token.origin, token.order, old) {
                // A new login under the same name, or a new name for the same value, keeps its age.
                (Origin::Login, 1.., _) => token.order,
                (Origin::Login, 0, Some(old)) => old.order,
                _ => state.next_order(),
            };
            let before = state.tokens.get(name).cloned();
            if let Some(before) = &before {
                if before.storage != storage {
                    state.add_stale_copy(name, before.storage);
                }
                let (hint, new) = (token.hint.clone(), token.fingerprint.clone());
                token.former.clone_from(&before.former);
                token.fingerprint.clone_from(&before.fingerprint);
                token.replace_value(new, hint);
            }
            state.tokens.insert(name.clone(), token);
            Ok::<_, anyhow::Error>(before)
        })?;
        if let Err(error) = self.storage(storage).write(name, record) {
            // If the secret was stored after all, it must not stay there unlisted.
            let lies_there = before.as_ref().is_some_and(|old| old.storage == storage);
            let unsure = matches!(error, StorageError::BrokeOff(_))
                && !lies_there
                && self.storage(storage).delete(name).is_err();
            self.state_file.update(|state| {
                match before {
                    Some(mut before) => {
                        // It may have been stored anyway, and replaced the old one.
                        before.may_have_value(&value);
                        state.remove_stale_copy(name, before.storage);
                        state.tokens.insert(name.clone(), before)
                    }
                    None => state.tokens.remove(name),
                };
                if unsure {
                    state.add_stale_copy(name, storage);
                }
                Ok::<_, StateError>(())
            })?;
            return Err(error.into());
        }
        // The user gave this value again.
        self.clear_rejection(record);
        // A parked answer belongs to the token that was just replaced.
        if let Err(error) = self.parking(storage, name).clear() {
            trace::line(|| error.to_string());
        }
        self.clear_stale_copies(Some(name), &[storage]);
        Ok(())
    }

    /// Clears an earlier rejection of a value that is stored now.
    pub(crate) fn clear_rejection(&self, record: &Record) {
        let value = record.secret.fingerprint();
        if let Err(error) = self.state_file.clear_rejection(&record.endpoint, &value) {
            trace::line(|| error.to_string());
        }
    }

    /// Removes stale copies from these storages, which have just answered or are cheap to ask, and
    /// all stale copies of the token whose lock is held. What cannot be removed now is left for
    /// another time.
    pub(crate) fn clear_stale_copies(&self, own: Option<&TokenName>, storages: &[StorageKind]) {
        let Ok(state) = self.state_file.load() else {
            return;
        };
        for (name, kind) in state
            .stale_copies
            .iter()
            .flat_map(|(name, kinds)| kinds.iter().map(move |kind| (name, *kind)))
        {
            let is_own = own == Some(name);
            if !is_own && kind != StorageKind::File && !storages.contains(&kind) {
                continue;
            }
            if let Err(error) = self.clear_stale_copy(name, kind, is_own) {
                let place = kind.in_words();
                terminal::say(&format!(
                    "an old copy of `{name}` is still in {place}, and a later command will remove it: {error:#}"
                ));
            }
        }
    }

    /// `own` means that the caller holds the name's lock, and has just moved or removed its token.
    fn clear_stale_copy(&self, name: &TokenName, kind: StorageKind, own: bool) -> Result<()> {
        let path = self.paths.name_lock(name);
        let lock = (!own).then(|| Lock::acquire(&path, Duration::ZERO));
        if matches!(lock, Some(Err(_))) {
            // The process that holds the lock does this.
            return Ok(());
        }
        let state = self.state_file.load()?;
        // The storage itself is asked, since `read_stored` would find this very copy.
        let is_there = |token: &TokenInfo| self.storage(token.storage).read(name).is_ok();
        let token = state.tokens.get(name);
        if !own && token.is_some_and(|token| token.storage != kind && !is_there(token)) {
            // A move was killed half way, so the old copy may be the only one.
            return Ok(());
        }
        let in_use = |token: &TokenInfo| token.storage == kind;
        if !state.tokens.get(name).is_some_and(in_use) {
            self.storage(kind).delete(name)?;
        }
        self.state_file.update(|state| {
            state.remove_stale_copy(name, kind);
            Ok(())
        })
    }

    /// Removes a token: first its secret, then its entry in the state. If another process has
    /// replaced `token` since it was read, the new one stays.
    ///
    /// # Errors
    /// When the storage or the state fails. The token is then still listed.
    pub(crate) fn forget(&self, name: &TokenName, token: &TokenInfo) -> Result<()> {
        let _lock = self.lock_name(name)?;
        self.forget_locked(name, token)
    }

    /// [`Context::forget`] for a caller that holds the name's lock.
    pub(crate) fn forget_locked(&self, name: &TokenName, token: &TokenInfo) -> Result<()> {
        let same = |state: &State| {
            let now = state.tokens.get(name);
            now.is_some_and(|now| now.order == token.order)
        };
        if !same(&self.state_file.load()?) {
            return Ok(());
        }
        self.storage(token.storage).delete(name)?;
        // Otherwise the copy would be read in its place.
        self.clear_stale_copies(Some(name), &[token.storage]);
        self.state_file.update(|state| {
            if same(state) {
                state.tokens.remove(name);
            }
            Ok::<_, StateError>(())
        })?;
        Ok(())
    }

    /// The token in an environment variable.
    ///
    /// # Errors
    /// When the variable is not set, or its value cannot be a token.
    pub(crate) fn env_secret(&self, variable: &str) -> Result<&Secret, StorageError> {
        let token = self.env.tokens.iter().find(|t| t.variable == variable);
        match token.map(|token| &token.secret) {
            Some(Ok(secret)) => Ok(secret),
            Some(Err(error)) => Err(StorageError::Refused(error.to_string())),
            None => Err(StorageError::NotFound),
        }
    }
}
