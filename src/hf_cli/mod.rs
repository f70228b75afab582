//! The hf CLI's tokens, read from its own files: the active one, and those stored by name. They are
//! not copied. Tokens are renewed only when they are due, as the hf CLI does itself.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::secret::{Secret, SecretError, TokenKind};
use crate::model::token_name::TokenName;
use crate::storage::StorageError;
use crate::system::files::{Lock, Others, read_plain};
use crate::system::home;
use crate::system::process::on_path;

pub mod ini;
pub(crate) mod locations;

pub(crate) use ini::{Ini, Section};
pub(crate) use locations::Files;

/// How many times an empty file is read, and the pause in between. The hf CLI truncates a file
/// before it writes it.
const READS: u32 = 3;
const READ_PAUSE: Duration = Duration::from_millis(2);

/// How long we wait for both writes of a renewal.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

/// The hf CLI's files on this machine.
#[derive(Debug)]
pub(crate) struct HfCli {
    files: Option<Files>,
    /// Where `huggingface_hub` before 0.12 kept its token.
    old: Option<PathBuf>,
}

/// One of the hf CLI's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// The active token, set by `hf auth switch` and `hf auth login`.
    Active,
    /// The token with this name in `stored_tokens`.
    Named(&'a str),
}

impl<'a> Which<'a> {
    /// From the name of a source; `None` means the active token.
    pub(crate) fn of(name: Option<&'a str>) -> Self {
        name.map_or(Self::Active, Self::Named)
    }
}

/// A token of the hf CLI.
#[derive(Debug)]
pub(crate) struct HfToken {
    pub(crate) secret: Secret,
    /// Its name in `stored_tokens`. The active token may be missing there.
    pub(crate) name: Option<String>,
    /// When it expires, in Unix seconds, if it is from a browser login.
    pub(crate) expires: Option<u64>,
    /// Its refresh token, if it is from a browser login.
    pub(crate) refresh_token: Option<Secret>,
}

impl HfToken {
    /// An active token that is not in `stored_tokens`.
    fn unnamed(secret: Secret) -> Self {
        Self {
            secret,
            name: None,
            expires: None,
            refresh_token: None,
        }
    }

    /// Whether it has expired for good: a browser login is renewed. `now` is in Unix seconds.
    pub(crate) fn has_expired(&self, now: u64) -> bool {
        self.refresh_token.is_none() && self.expires.is_some_and(|at| at <= now)
    }

    /// Its name in our output.
    pub(crate) fn shown_name(&self) -> String {
        match &self.name {
            Some(name) => TokenName::hf_cli(name).to_string(),
            None => "hf".to_owned(),
        }
    }
}

impl HfCli {
    /// Finds the files through the environment of this process.
    pub(crate) fn from_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name), home::of_python().as_deref())
    }

    /// Finds the files through an environment.
    pub(crate) fn from_lookup(
        lookup: impl Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Self {
        Self {
            files: Files::locate(lookup, home),
            old: home.map(|home| home.join(".huggingface").join("token")),
        }
    }

    /// The files, if their location is known. They need not exist.
    pub(crate) fn files(&self) -> Option<&Files> {
        self.files.as_ref()
    }

    /// Whether the hf CLI is installed or was used: its folder or its program exists.
    pub(crate) fn is_here(&self) -> bool {
        let folder = self.files.as_ref().and_then(|files| files.token.parent());
        let programs = ["hf", "huggingface-cli"];
        folder.is_some_and(Path::is_dir) || programs.iter().any(|p| on_path(p).is_some())
    }

    /// The value of the active token, if any.
    ///
    /// # Errors
    /// When the file exists but cannot be read or does not contain a token.
    pub(crate) fn active_value(&self) -> Result<Option<Secret>, StorageError> {
        let Some(files) = &self.files else {
            return Ok(None);
        };
        match read_text(&files.token)? {
            Some(text) => token_in(&text, &files.token),
            None => Ok(None),
        }
    }

    /// The token that `huggingface_hub` before 0.12 left in the home directory, and its file.
    /// Current versions do not read it.
    pub(crate) fn old(&self) -> Option<(PathBuf, Secret)> {
        let file = self.old.as_ref()?;
        if self
            .files
            .as_ref()
            .is_some_and(|files| files.token == *file)
        {
            return None;
        }
        let text = read_text(file).ok()??;
        Some((file.clone(), token_in(&text, file).ok()??))
    }

    /// The content of `stored_tokens`; empty if the file does not exist.
    ///
    /// # Errors
    /// When it cannot be read, or when the hf CLI itself could not parse it.
    pub(crate) fn stored(&self) -> Result<Ini, StorageError> {
        let Some(files) = &self.files else {
            return Ok(Ini::default());
        };
        let text = read_text(&files.stored_tokens)?;
        Ini::parse(text.as_deref().map_or("", String::as_str)).map_err(|error| {
            StorageError::Refused(format!("{}: {error}", files.stored_tokens.display()))
        })
    }

    /// The names in `stored_tokens`; empty if it cannot be read.
    pub(crate) fn names(&self) -> Vec<String> {
        let stored = self.stored().unwrap_or_default();
        let names = stored.sections().map(|section| section.name().to_owned());
        names.collect()
    }

    /// The parked answers whose login is no longer in `stored_tokens`.
    ///
    /// # Errors
    /// When `stored_tokens` cannot be read.
    pub(crate) fn orphaned_answers(&self) -> Result<Vec<PathBuf>, StorageError> {
        let Some(files) = &self.files else {
            return Ok(Vec::new());
        };
        let stored = self.stored()?;
        let names = stored.sections().map(|section| section.name().to_owned());
        Ok(files.orphaned_answers(&names.collect::<Vec<_>>()))
    }

    /// Reads a token, with its details from `stored_tokens`.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when it does not exist; other errors when a file cannot be read.
    pub(crate) fn read(&self, which: Which<'_>) -> Result<HfToken, StorageError> {
        match which {
            Which::Named(name) => {
                let stored = self.stored()?;
                let section = stored.section(name).ok_or(StorageError::NotFound)?;
                self.token_of(section)?.ok_or(StorageError::NotFound)
            }
            Which::Active => {
                let token = self.active()?;
                // A renewal writes `stored_tokens` before the active token. In between, the active
                // token is not in `stored_tokens`. The lock is free once both are written.
                if token.name.is_none()
                    && token.secret.kind() == TokenKind::OAuth
                    && let Some(files) = self.files.as_ref().filter(|f| f.stored_tokens.exists())
                    && let Ok(_written) = Lock::acquire(&files.lock(), SETTLES_WITHIN)
                {
                    let token = self.active()?;
                    return Ok(self.half_renewed(&token).unwrap_or(token));
                }
                Ok(token)
            }
        }
    }

    /// The new token of a renewal that was interrupted after it wrote `stored_tokens`, when
    /// `active` is still the old token.
    fn half_renewed(&self, active: &HfToken) -> Option<HfToken> {
        let files = self.files.as_ref().filter(|_| active.name.is_none())?;
        let old = active.secret.fingerprint();
        let stored = self.stored().ok()?;
        stored.sections().find_map(|section| {
            let answer = files.answer_for(section.name())?;
            let token = self.token_of(section).ok().flatten()?;
            let is_new = answer.renews == old && token.secret.same_as(&answer.record.secret);
            is_new.then_some(token)
        })
    }

    /// The active token as currently written in the files.
    fn active(&self) -> Result<HfToken, StorageError> {
        let secret = self.active_value()?.ok_or(StorageError::NotFound)?;
        // Use the token even if `stored_tokens` cannot be read: the hf CLI does too, without
        // renewing it.
        let stored = self.stored().unwrap_or_default();
        let same = stored.sections().find_map(|section| {
            let token = self.token_of(section).ok().flatten()?;
            token.secret.same_as(&secret).then_some(token)
        });
        Ok(same.unwrap_or_else(|| HfToken::unnamed(secret)))
    }

    /// All tokens by name, each with whether it is active. An active token without a name comes
    /// last.
    ///
    /// # Errors
    /// When a file exists but cannot be read.
    pub(crate) fn all(&self) -> Result<Vec<(HfToken, bool)>, StorageError> {
        let active = self.active_value()?;
        let mut found = Vec::new();
        for section in self.stored()?.sections() {
            // Ignore values that cannot be tokens.
            if let Ok(Some(token)) = self.token_of(section) {
                let is_active = active.as_ref().is_some_and(|a| a.same_as(&token.secret));
                found.push((token, is_active));
            }
        }
        if let (Some(secret), false) = (active, found.iter().any(|(_, active)| *active)) {
            found.push((HfToken::unnamed(secret), true));
        }
        Ok(found)
    }

    /// Whether `stored_tokens` contains this value.
    pub(crate) fn stores(&self, secret: &Secret) -> bool {
        let stored = self.stored().unwrap_or_default();
        stored.sections().any(|section| {
            let token = self.token_of(section).ok().flatten();
            token.is_some_and(|token| token.secret.same_as(secret))
        })
    }

    /// The token of a section, if it has one.
    fn token_of(&self, section: &Section) -> Result<Option<HfToken>, StorageError> {
        let file = self
            .files
            .as_ref()
            .map(|files| files.stored_tokens.as_path());
        let file = file.unwrap_or(Path::new(""));
        let value = section.value("hf_token").map(|value| token_in(value, file));
        let Some(secret) = value.transpose()?.flatten() else {
            return Ok(None);
        };
        Ok(Some(HfToken {
            secret,
            name: Some(section.name().to_owned()),
            expires: section
                .value("expires_at")
                .and_then(|at| at.trim().parse().ok()),
            refresh_token: section
                .value("refresh_token")
                .and_then(|value| clean(value).ok().flatten()),
        }))
    }
}

/// Cleans a value as the hf CLI does: removes CR and LF, then outer white space. An empty value is
/// not a token.
fn clean(value: &str) -> Result<Option<Secret>, SecretError> {
    let cleaned = Zeroizing::new(value.replace(['\r', '\n'], ""));
    match Secret::from_input(cleaned) {
        Ok(secret) => Ok(Some(secret)),
        Err(SecretError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a token from a value. Accepts only what looks like a Hub token, since the file may be a
/// link to any file that this user can read.
fn token_in(value: &str, file: &Path) -> Result<Option<Secret>, StorageError> {
    match clean(value) {
        Ok(None) => Ok(None),
        Ok(Some(secret)) if secret.kind() != TokenKind::Other => Ok(Some(secret)),
        Ok(Some(_)) | Err(_) => Err(StorageError::Refused(format!(
            "the content of {} does not look like a Hub token",
            file.display()
        ))),
    }
}

/// The text of a file; `None` if it does not exist. A file that another user may have written is
/// refused: that user could choose the token that git uses.
fn read_text(path: &Path) -> Result<Option<Zeroizing<String>>, StorageError> {
    let fail = |what: &str| StorageError::Unavailable(format!("{}: {what}", path.display()));
    let refused = |what: &str| StorageError::Refused(format!("{}: {what}", path.display()));
    let mut reads = 0;
    loop {
        reads += 1;
        let bytes = match read_plain(path) {
            Ok(plain) => {
                let bytes = Zeroizing::new(plain.bytes);
                match plain.others {
                    Some(Others::Own(_)) => return Err(refused("it belongs to another user")),
                    Some(Others::MayWrite(_)) => {
                        return Err(refused("other users can write to it"));
                    }
                    // Outside the profile on Windows, it is not known whether others can write to
                    // it.
                    None | Some(Others::Outside(_)) => bytes,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(fail(&error.to_string())),
        };
        if bytes.is_empty() && reads < READS {
            std::thread::sleep(READ_PAUSE);
            continue;
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| fail("it is not UTF-8"))?;
        return Ok(Some(Zeroizing::new(text.to_owned())));
    }
}
