//! The state file. It is read and written as a whole, written under a lock, and never overwritten
//! if this program cannot read it.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::endpoint::Endpoint;
use crate::model::secret::Fingerprint;
use crate::state::{Origin, State, VERSION};
use crate::system::files;
use crate::system::files::{Lock, Others, Plain};

/// Why the state cannot be used. The file is then not overwritten.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read, written or locked.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Somebody else may have written it.
    #[error("cannot use the state: {why}")]
    NotTrusted {
        /// Who, by which file or folder, and what to do.
        why: String,
    },
    /// Its content is not valid.
    #[error("{} is damaged (line {line}): repair it, or move it away and log in again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A newer version of this program wrote it.
    #[error("{} was written by a newer git-credential-hf (format {version}): update git-credential-hf", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u32,
    },
}

/// The state file on disk.
#[derive(Debug, Clone)]
pub struct StateFile {
    path: PathBuf,
    fallback: Option<PathBuf>,
}

impl StateFile {
    /// The state file at `path`, which need not exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            fallback: None,
        }
    }

    /// Adds a second file that remembers rejections if the first cannot be written, as in a
    /// read-only home. If a rejection is not remembered, git-lfs asks for ever.
    pub(crate) fn with_fallback(self, fallback: Option<PathBuf>) -> Self {
        Self { fallback, ..self }
    }

    /// Reads the state; a missing file is an empty state.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn load(&self) -> Result<State, StateError> {
        let mut state = self.load_alone()?;
        self.add_fallback(&mut state);
        Ok(state)
    }

    /// Adds the rejections that are remembered in the fallback file.
    pub(crate) fn add_fallback(&self, state: &mut State) {
        let Some(fallback) = self.fallback_file() else {
            return;
        };
        for (value, at) in fallback.load_alone().unwrap_or_default().rejected {
            let known = state.rejected.entry(value).or_insert(at);
            *known = at.max(*known);
        }
    }

    /// The fallback file, if there is one that nobody else can have written.
    fn fallback_file(&self) -> Option<Self> {
        let path = self.fallback.clone()?;
        let dir = path.parent()?;
        files::is_private_dir(dir).then(|| Self::new(path))
    }

    /// Remembers a rejection, in the fallback file if the state file cannot be written. `now` is in
    /// Unix seconds.
    ///
    /// # Errors
    /// When neither file can be written.
    pub(crate) fn reject(
        &self,
        endpoint: &Endpoint,
        value: &Fingerprint,
        now: u64,
    ) -> Result<(), StateError> {
        let reject = |state: &mut State| {
            state.reject(endpoint, value, now);
            Ok::<_, StateError>(())
        };
        let Err(error) = self.update(reject) else {
            return Ok(());
        };
        if let Some(dir) = self.fallback.as_deref().and_then(Path::parent) {
            let _ = files::create_private_dir(dir);
        }
        match self.fallback_file() {
            Some(fallback) => fallback.update(reject),
            None => Err(error),
        }
    }

    /// Clears a rejection in both files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn clear_rejection(
        &self,
        endpoint: &Endpoint,
        value: &Fingerprint,
    ) -> Result<(), StateError> {
        for file in [Some(Self::new(self.path.clone())), self.fallback_file()]
            .into_iter()
            .flatten()
        {
            if file.load_alone()?.rejected_at(endpoint, value).is_some() {
                file.update(|state| {
                    state.clear_rejection(endpoint, value);
                    Ok::<_, StateError>(())
                })?;
            }
        }
        Ok(())
    }

    fn load_alone(&self) -> Result<State, StateError> {
        let bytes = match files::read_deciding(&self.path) {
            // Outside the user's profile on Windows, it is not known who else may write. The file
            // does not contain tokens, so it is still read.
            Ok(Plain {
                others: Some(others),
                ..
            }) if others.is_known() => return Err(not_trusted(&others)),
            Ok(Plain { bytes, .. }) => bytes,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(State {
                    version: VERSION,
                    ..State::default()
                });
            }
            Err(error) => return Err(self.io(error)),
        };
        parse(&self.path, &bytes)
    }

    /// Changes the state under its lock: reads it again, calls `change`, and writes it if anything
    /// changed.
    ///
    /// # Errors
    /// When the lock, the file or `change` fails; the file is then unchanged.
    pub(crate) fn update<T, E: From<StateError>>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        let lock = self.path.with_extension("lock");
        let _lock = Lock::acquire(&lock, files::LOCK_DEADLINE).map_err(|e| self.io(e))?;
        let mut state = self.load_alone()?;
        let before = to_json(&state);
        let value = change(&mut state)?;
        let after = to_json(&state);
        if before != after {
            files::write_whole(&self.path, &after, None).map_err(|e| self.io(e))?;
        }
        Ok(value)
    }

    fn io(&self, source: io::Error) -> StateError {
        StateError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

/// The error for a file that somebody else may have written.
fn not_trusted(others: &Others) -> StateError {
    let why = format!("{others}: {}", others.remedy());
    StateError::NotTrusted { why }
}

/// Reads the content of a state file; `path` is for messages only.
///
/// # Errors
/// When it is damaged, or a newer version of this program wrote it.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<State, StateError> {
    // Read the version alone if all else fails: a newer format may look different.
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let path = path.to_owned();
    match serde_json::from_slice::<State>(bytes) {
        Ok(mut state) if state.version == VERSION => {
            for token in state.tokens.values_mut() {
                // Older versions wrote the username that git saved a token with as `account`. It
                // may come from any URL, so it is not an account that the Hub confirmed.
                if token.origin == Origin::Git && token.facts.is_none() {
                    token.username = token.username.take().or(token.account.take());
                }
            }
            Ok(state)
        }
        outcome => match serde_json::from_slice::<Version>(bytes) {
            Ok(Version { version }) if version > VERSION => {
                Err(StateError::Newer { path, version })
            }
            version => {
                let error = version.err().or(outcome.err());
                let line = error.map_or(1, |error| error.line());
                Err(StateError::Damaged { path, line })
            }
        },
    }
}

/// The content of a state file.
#[must_use]
pub fn to_json(state: &State) -> Vec<u8> {
    // Serialising maps with text keys and plain values cannot fail.
    serde_json::to_vec_pretty(state).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::token_name::TokenName;
    #[cfg(unix)]
    use crate::state::Eligibility;
    use crate::state::samples::{fingerprint, hub, token};

    fn file() -> (tempfile::TempDir, StateFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = StateFile::new(dir.path().join("data/state.json"));
        (dir, file)
    }

    #[test]
    fn what_is_written_reads_back() {
        let (_dir, file) = file();
        assert!(file.load().unwrap().tokens.is_empty());
        file.update(|state| {
            state.tokens.insert(TokenName::existing("work"), token());
            state.reject(&hub(), &fingerprint('b'), 100);
            Ok::<_, StateError>(())
        })
        .unwrap();
        let state = file.load().unwrap();
        assert_eq!(
            state.tokens.get(&TokenName::existing("work")),
            Some(&token())
        );
        assert_eq!(state.rejected_at(&hub(), &fingerprint('b')), Some(100));
    }

    #[test]
    fn a_damaged_or_newer_file_is_refused_and_kept() {
        for (text, expected) in [
            ("{\"version\": 1, \"tokens\": {", "is damaged"),
            ("", "is damaged"),
            ("{\"version\": 1, \"tokens\": []}", "is damaged"),
            ("{\"version\": 0}", "is damaged"),
            (
                "{\"version\": 1, \"commands\": {\"vault\": [\"../x\\nhost=evil.example\"]}}",
                "is damaged",
            ),
            (
                "{\"version\": 2, \"tokens\": [\"other\"]}",
                "newer git-credential-hf (format 2)",
            ),
        ] {
            let (_dir, file) = file();
            std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
            std::fs::write(&file.path, text).unwrap();
            let error = file.update(|_| Ok::<_, StateError>(())).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(std::fs::read_to_string(&file.path).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_rejection_is_remembered_where_the_state_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        // A file in place of the folder makes the state impossible to write.
        std::fs::write(dir.path().join("data"), "").unwrap();
        let fallback = dir.path().join("run/git-credential-hf/rejected.json");
        let file = StateFile::new(dir.path().join("data/state.json"));
        assert!(file.reject(&hub(), &fingerprint('a'), 100).is_err());
        let file = file.with_fallback(Some(fallback.clone()));
        file.reject(&hub(), &fingerprint('a'), 100).unwrap();
        assert_eq!(
            file.load()
                .unwrap()
                .eligibility(&hub(), &fingerprint('a'), 110),
            Eligibility::Withheld
        );
        file.clear_rejection(&hub(), &fingerprint('a')).unwrap();
        assert_eq!(
            file.load()
                .unwrap()
                .eligibility(&hub(), &fingerprint('a'), 110),
            Eligibility::Good
        );
        // A folder that others can write to is not trusted.
        file.reject(&hub(), &fingerprint('a'), 100).unwrap();
        use std::os::unix::fs::PermissionsExt;
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(fallback.parent().unwrap(), open).unwrap();
        assert!(file.load().unwrap().rejected.is_empty());
    }

    #[test]
    fn writers_at_once_lose_nothing() {
        let (_dir, file) = file();
        std::thread::scope(|scope| {
            for n in 0..20 {
                let file = &file;
                scope.spawn(move || {
                    file.update(|state| {
                        let name = TokenName::existing(&format!("t{n}"));
                        state.tokens.insert(name, token());
                        Ok::<_, StateError>(())
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(file.load().unwrap().tokens.len(), 20);
    }
}
