//! The state file: what is known of each token, and which were rejected. Never a secret.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::files::{self, Lock};
use crate::grants::Facts;
use crate::name::TokenName;
use crate::secret::Fingerprint;
use crate::storage::StorageKind;

/// The version of the file that this program writes.
const VERSION: u32 = 1;

/// For how long a rejected token is not offered at all, in seconds.
pub const REJECTED_SECONDS: u64 = 60;

/// How long a rejection is remembered for a value that no stored token has, in seconds: 30 days.
const FORGET_SECONDS: u64 = 30 * 24 * 3600;

/// All that is remembered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The version of the format.
    pub version: u32,
    /// The stored tokens, by name.
    #[serde(default)]
    pub tokens: BTreeMap<TokenName, TokenInfo>,
    /// When each value was last rejected by an endpoint, in seconds since 1970.
    #[serde(default)]
    pub rejected: BTreeMap<Rejection, u64>,
    /// The values that commands last handed out, the newest last, so that git's `store` can tell
    /// them from a token that somebody typed.
    #[serde(default)]
    pub commands: BTreeMap<TokenName, Vec<Fingerprint>>,
}

/// A value and the endpoint that rejected it: another may well take it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rejection(String);

impl Rejection {
    fn new(endpoint: &Endpoint, value: &Fingerprint) -> Self {
        Self(format!("{} {endpoint}", value.as_str()))
    }
}

/// What is known of a stored token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// The only endpoint that gets it.
    #[serde(with = "endpoint_text")]
    pub endpoint: Endpoint,
    /// Where its secret lies.
    pub storage: StorageKind,
    /// Whether a person logged in, or git's `store` kept what a person typed.
    pub origin: Origin,
    /// Names its value.
    pub fingerprint: Fingerprint,
    /// The values it had before, the newest last: git may still bring one back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Fingerprint>,
    /// Kind and last four characters.
    pub hint: String,
    /// The account it belongs to, or the user name that git kept it with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The path that git kept it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When it expires, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// What the Hub said of it, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// When it was stored, in seconds since 1970.
    pub added: u64,
    /// A count that orders tokens stored within one second.
    #[serde(default)]
    pub order: u64,
}

/// How a token came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `login`.
    Login,
    /// Git's `store`: typed at git's own prompt, or approved by another program.
    Git,
}

/// Whether a value may be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is held against it.
    Good,
    /// It was rejected a while ago: offered when nothing else is left.
    LastResort,
    /// It was rejected within the last [`REJECTED_SECONDS`]: not offered.
    Withheld,
}

impl State {
    /// Whether a value with this fingerprint may be offered to the endpoint at `now` (seconds
    /// since 1970).
    #[must_use]
    pub fn standing(&self, endpoint: &Endpoint, value: &Fingerprint, now: u64) -> Standing {
        match self.rejected.get(&Rejection::new(endpoint, value)) {
            None => Standing::Good,
            // A clock that went back must not withhold a token for longer than asked.
            Some(at) if *at <= now && now - at >= REJECTED_SECONDS => Standing::LastResort,
            Some(at) if *at > now.saturating_add(REJECTED_SECONDS) => Standing::LastResort,
            Some(_) => Standing::Withheld,
        }
    }

    /// Remembers that a value was rejected, and forgets what is long past.
    pub fn reject(&mut self, endpoint: &Endpoint, value: &Fingerprint, now: u64) {
        self.rejected.insert(Rejection::new(endpoint, value), now);
        let stored: Vec<Rejection> = self
            .tokens
            .values()
            .map(|token| Rejection::new(&token.endpoint, &token.fingerprint))
            .collect();
        self.rejected
            .retain(|known, at| now.saturating_sub(*at) < FORGET_SECONDS || stored.contains(known));
    }

    /// Lifts what the endpoint held against a value.
    pub fn lift(&mut self, endpoint: &Endpoint, value: &Fingerprint) {
        self.rejected.remove(&Rejection::new(endpoint, value));
    }

    /// When the endpoint last rejected a value, in seconds since 1970.
    #[must_use]
    pub fn rejected_at(&self, endpoint: &Endpoint, value: &Fingerprint) -> Option<u64> {
        self.rejected.get(&Rejection::new(endpoint, value)).copied()
    }

    /// Remembers the value that a command printed.
    pub fn printed(&mut self, name: &TokenName, value: &Fingerprint) {
        remember(self.commands.entry(name.clone()).or_default(), value);
    }

    /// The next value of [`TokenInfo::order`].
    #[must_use]
    pub fn next_order(&self) -> u64 {
        let last = self.tokens.values().map(|token| token.order).max();
        last.map_or(1, |order| order.saturating_add(1))
    }
}

/// How many earlier values are remembered of one token.
const FORMER: usize = 8;

/// Puts a value at the end of a short list, once.
fn remember(values: &mut Vec<Fingerprint>, value: &Fingerprint) {
    values.retain(|known| known != value);
    values.push(value.clone());
    let surplus = values.len().saturating_sub(FORMER);
    values.drain(..surplus);
}

impl TokenInfo {
    /// Gives the token another value.
    pub fn replace_value(&mut self, value: Fingerprint, hint: String) {
        if value != self.fingerprint {
            remember(&mut self.former, &self.fingerprint.clone());
            self.former.retain(|known| *known != value);
            self.fingerprint = value;
        }
        self.hint = hint;
    }
}

/// Why the state cannot be used. The file is never written over then.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read, written or locked.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what this program writes.
    #[error("{} is damaged (line {line}): put it right, or move it away and log in again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
    },
    /// It comes from a newer program.
    #[error("{} was written by a newer git-credential-hf (format {version}): update this one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
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
    /// The file at `path`, which need not be there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            fallback: None,
        }
    }

    /// The same, with a file for rejections where this one cannot be written (a read-only home):
    /// a rejection that nobody remembers lets git-lfs ask for ever.
    #[must_use]
    pub fn with_fallback(self, fallback: Option<PathBuf>) -> Self {
        Self { fallback, ..self }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
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

    /// Adds the rejections that could only be remembered in the fallback.
    pub fn add_fallback(&self, state: &mut State) {
        let Some(fallback) = self.fallback_file() else {
            return;
        };
        for (value, at) in fallback.load_alone().unwrap_or_default().rejected {
            let known = state.rejected.entry(value).or_insert(at);
            *known = at.max(*known);
        }
    }

    /// The fallback, where there is one that only this user can have written.
    fn fallback_file(&self) -> Option<Self> {
        let path = self.fallback.clone()?;
        let dir = path.parent()?;
        files::is_private_dir(dir).then(|| Self::new(path))
    }

    /// Remembers a rejection, in the fallback if need be.
    ///
    /// # Errors
    /// When neither file can be written.
    pub fn reject(
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

    /// Lifts a rejection, wherever it is remembered.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn lift(&self, endpoint: &Endpoint, value: &Fingerprint) -> Result<(), StateError> {
        for file in [Some(Self::new(self.path.clone())), self.fallback_file()]
            .into_iter()
            .flatten()
        {
            if file.load_alone()?.rejected_at(endpoint, value).is_some() {
                file.update(|state| {
                    state.lift(endpoint, value);
                    Ok::<_, StateError>(())
                })?;
            }
        }
        Ok(())
    }

    fn load_alone(&self) -> Result<State, StateError> {
        let bytes = match files::read_plain(&self.path) {
            Ok(bytes) => bytes,
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
        // The version comes first: what a newer format looks like is not ours to judge.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |error: &serde_json::Error| StateError::Damaged {
            path: self.path.clone(),
            line: error.line(),
        };
        match serde_json::from_slice::<State>(&bytes) {
            Ok(state) if state.version == VERSION => Ok(state),
            outcome => match serde_json::from_slice::<Version>(&bytes) {
                Ok(Version { version }) if version > VERSION => Err(StateError::Newer {
                    path: self.path.clone(),
                    version,
                }),
                Err(error) => Err(damaged(&error)),
                Ok(_) => match outcome {
                    Err(error) => Err(damaged(&error)),
                    Ok(_) => Err(StateError::Damaged {
                        path: self.path.clone(),
                        line: 1,
                    }),
                },
            },
        }
    }

    /// Changes the state under its lock: reads it anew, lets `change` at it, and writes it whole
    /// if that changed anything.
    ///
    /// # Errors
    /// When the lock, the file or `change` fails; then the file is as it was.
    pub fn update<T, E: From<StateError>>(
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

fn to_json(state: &State) -> Vec<u8> {
    // Maps with text keys and plain values always serialise.
    let mut bytes = serde_json::to_vec_pretty(state).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

mod endpoint_text {
    use super::Endpoint;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(endpoint: &Endpoint, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(endpoint)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Endpoint, D::Error> {
        let text = String::deserialize(input)?;
        Endpoint::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(c: char) -> Fingerprint {
        Fingerprint::parse(&c.to_string().repeat(32)).unwrap()
    }

    fn hub() -> Endpoint {
        Endpoint::hugging_face()
    }

    fn token() -> TokenInfo {
        TokenInfo {
            endpoint: Endpoint::hugging_face(),
            storage: StorageKind::File,
            origin: Origin::Login,
            fingerprint: fingerprint('a'),
            former: Vec::new(),
            hint: "hf_…abcd".into(),
            account: None,
            path: None,
            expires: None,
            facts: None,
            added: 1,
            order: 1,
        }
    }

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
    fn rejection_is_withheld_then_last_resort() {
        let mut state = State::default();
        let f = fingerprint('a');
        assert_eq!(state.standing(&hub(), &f, 1000), Standing::Good);
        state.reject(&hub(), &f, 1000);
        for (now, standing) in [
            (1000, Standing::Withheld),
            (1059, Standing::Withheld),
            (1060, Standing::LastResort),
            (9_999_999, Standing::LastResort),
            // The clock went back: a little is still the same minute, a lot is not.
            (990, Standing::Withheld),
            (10, Standing::LastResort),
        ] {
            assert_eq!(state.standing(&hub(), &f, now), standing, "at {now}");
        }
    }

    #[test]
    fn old_rejections_go_unless_a_token_has_the_value() {
        let mut state = State::default();
        state.tokens.insert(TokenName::existing("work"), token());
        state.reject(&hub(), &fingerprint('a'), 1);
        state.reject(&hub(), &fingerprint('b'), 1);
        state.reject(&hub(), &fingerprint('c'), 1 + FORGET_SECONDS);
        assert!(state.rejected_at(&hub(), &fingerprint('a')).is_some());
        assert!(state.rejected_at(&hub(), &fingerprint('b')).is_none());
    }

    #[test]
    fn a_damaged_or_newer_file_is_refused_and_kept() {
        for (text, expected) in [
            ("{\"version\": 1, \"tokens\": {", "is damaged"),
            ("", "is damaged"),
            ("{\"version\": 1, \"tokens\": []}", "is damaged"),
            ("{\"version\": 0}", "is damaged"),
            (
                "{\"version\": 2, \"tokens\": [\"other\"]}",
                "newer git-credential-hf (format 2)",
            ),
        ] {
            let (_dir, file) = file();
            std::fs::create_dir_all(file.path().parent().unwrap()).unwrap();
            std::fs::write(file.path(), text).unwrap();
            let error = file.update(|_| Ok::<_, StateError>(())).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_rejection_is_remembered_where_the_state_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        // A file in the place of the folder stands for a home that cannot be written.
        std::fs::write(dir.path().join("data"), "").unwrap();
        let fallback = dir.path().join("run/git-credential-hf/rejected.json");
        let file = StateFile::new(dir.path().join("data/state.json"));
        assert!(file.reject(&hub(), &fingerprint('a'), 100).is_err());
        let file = file.with_fallback(Some(fallback.clone()));
        file.reject(&hub(), &fingerprint('a'), 100).unwrap();
        assert_eq!(
            file.load()
                .unwrap()
                .standing(&hub(), &fingerprint('a'), 110),
            Standing::Withheld
        );
        file.lift(&hub(), &fingerprint('a')).unwrap();
        assert_eq!(
            file.load()
                .unwrap()
                .standing(&hub(), &fingerprint('a'), 110),
            Standing::Good
        );
        // A folder that others can write to is not believed.
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
