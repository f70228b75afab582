//! The hf CLI's own login, read live: its active token, and the others that it keeps by name.
//! Nothing is copied; only a token that is due is renewed, as the hf CLI does it itself.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::secret::Kind;
use crate::model::secret::Secret;
use crate::model::secret::SecretError;
use crate::model::token_name::TokenName;
use crate::storage::StorageError;
use crate::system::files::Lock;
use crate::system::files::Others;
use crate::system::files::read_plain;
use crate::system::home;
use crate::system::process::on_path;

pub mod ini;
pub(crate) mod locations;

pub(crate) use ini::{Ini, Section};
pub(crate) use locations::Files;

/// How many times a file is read that is found empty, and the pause between: the hf CLI empties
/// a file before it writes it.
const READS: u32 = 3;
const READ_PAUSE: Duration = Duration::from_millis(2);

/// How long the two writes of a renewal may take.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

/// The hf CLI's login on this machine.
#[derive(Debug)]
pub(crate) struct HfCli {
    files: Option<Files>,
    /// Where a `huggingface_hub` before 0.12 kept its token.
    old: Option<PathBuf>,
}

/// Which of the hf CLI's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// The one that `hf auth switch` and `hf auth login` make active.
    Active,
    /// The one of that name in `stored_tokens`.
    Named(&'a str),
}

impl<'a> Which<'a> {
    /// From the name of a source: none is the active one.
    #[must_use]
    pub(crate) fn of(name: Option<&'a str>) -> Self {
        name.map_or(Self::Active, Self::Named)
    }
}

/// A token as the hf CLI keeps it.
#[derive(Debug)]
pub(crate) struct HfToken {
    /// Its value.
    pub(crate) secret: Secret,
    /// The name it has in `stored_tokens`; the active token may be there under none.
    pub(crate) name: Option<String>,
    /// From a browser login: when it expires, in seconds since 1970.
    pub(crate) expires: Option<u64>,
    /// From a browser login: what it is renewed with.
    pub(crate) refresh_token: Option<Secret>,
}

impl HfToken {
    /// An active token that `stored_tokens` does not know.
    fn unnamed(secret: Secret) -> Self {
        Self {
            secret,
            name: None,
            expires: None,
            refresh_token: None,
        }
    }

    /// What it is called here.
    #[must_use]
    pub(crate) fn shown_name(&self) -> String {
        match &self.name {
            Some(name) => TokenName::hf_cli(name).to_string(),
            None => "hf".to_owned(),
        }
    }
}

impl HfCli {
    /// The one that this process's environment means.
    #[must_use]
    pub(crate) fn from_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name), home::of_python().as_deref())
    }

    /// The one that an environment means.
    pub(crate) fn from_lookup(
        lookup: impl Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Self {
        Self {
            files: Files::locate(lookup, home),
            old: home.map(|home| home.join(".huggingface").join("token")),
        }
    }

    /// Its files, where their place is known; they need not be there.
    #[must_use]
    pub(crate) fn files(&self) -> Option<&Files> {
        self.files.as_ref()
    }

    /// Whether the hf CLI was ever used here, or could be: its folder is there, or the program.
    #[must_use]
    pub(crate) fn is_here(&self) -> bool {
        let folder = self.files.as_ref().and_then(|files| files.token.parent());
        let programs = ["hf", "huggingface-cli"];
        folder.is_some_and(Path::is_dir) || programs.iter().any(|p| on_path(p).is_some())
    }

    /// The value of the active token; `None` without one.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or holds no token.
    pub(crate) fn active_value(&self) -> Result<Option<Secret>, StorageError> {
        let Some(files) = &self.files else {
            return Ok(None);
        };
        match read_text(&files.token)? {
            Some(text) => token_in(&text, &files.token),
            None => Ok(None),
        }
    }

    /// The token that a `huggingface_hub` before 0.12 has left in the home, where nothing looks
    /// any more, and its file.
    #[must_use]
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

    /// What `stored_tokens` holds; empty without the file.
    ///
    /// # Errors
    /// When it cannot be read, or the hf CLI itself could not read it.
    pub(crate) fn stored(&self) -> Result<Ini, StorageError> {
        let Some(files) = &self.files else {
            return Ok(Ini::default());
        };
        let text = read_text(&files.stored_tokens)?;
        Ini::parse(text.as_deref().map_or("", String::as_str)).map_err(|error| {
            StorageError::Refused(format!("{}: {error}", files.stored_tokens.display()))
        })
    }

    /// The names in `stored_tokens`; none where it cannot be read.
    #[must_use]
    pub(crate) fn names(&self) -> Vec<String> {
        let stored = self.stored().unwrap_or_default();
        let names = stored.sections().map(|section| section.name().to_owned());
        names.collect()
    }

    /// The answers of interrupted renewals whose login is gone from `stored_tokens`.
    ///
    /// # Errors
    /// When it is not known which logins there are.
    pub(crate) fn orphaned_answers(&self) -> Result<Vec<PathBuf>, StorageError> {
        let Some(files) = &self.files else {
            return Ok(Vec::new());
        };
        let stored = self.stored()?;
        let names = stored.sections().map(|section| section.name().to_owned());
        Ok(files.orphaned_answers(&names.collect::<Vec<_>>()))
    }

    /// Reads a token, with what `stored_tokens` knows of it.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when it is not there; others when a file cannot be read.
    pub(crate) fn read(&self, which: Which<'_>) -> Result<HfToken, StorageError> {
        match which {
            Which::Named(name) => {
                let stored = self.stored()?;
                let section = stored.section(name).ok_or(StorageError::NotFound)?;
                self.token_of(section)?.ok_or(StorageError::NotFound)
            }
            Which::Active => {
                let token = self.active()?;
                // Its renewal writes `stored_tokens` first. A reader in between finds an active
                // token that is kept under no name; the lock is free when both are written.
                if token.name.is_none()
                    && token.secret.kind() == Kind::OAuth
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

    /// The login whose renewal was interrupted when `stored_tokens` had the new token, and the
    /// active token was still this old one.
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

    /// The active token as the files have it right now.
    fn active(&self) -> Result<HfToken, StorageError> {
        let secret = self.active_value()?.ok_or(StorageError::NotFound)?;
        // A `stored_tokens` that cannot be read is not a reason to refuse the token: the hf
        // CLI uses it too, without renewing it.
        let stored = self.stored().unwrap_or_default();
        let same = stored.sections().find_map(|section| {
            let token = self.token_of(section).ok().flatten()?;
            token.secret.same_as(&secret).then_some(token)
        });
        Ok(same.unwrap_or_else(|| HfToken::unnamed(secret)))
    }

    /// All its tokens, by name; the active one is marked, and stands alone at the end where it
    /// has no name.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(crate) fn all(&self) -> Result<Vec<(HfToken, bool)>, StorageError> {
        let active = self.active_value()?;
        let mut found = Vec::new();
        for section in self.stored()?.sections() {
            // One that cannot be a token is none.
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

    /// Whether a value is one of its tokens by name.
    #[must_use]
    pub(crate) fn stores(&self, secret: &Secret) -> bool {
        let stored = self.stored().unwrap_or_default();
        stored.sections().any(|section| {
            let token = self.token_of(section).ok().flatten();
            token.is_some_and(|token| token.secret.same_as(secret))
        })
    }

    /// The token of a section; `None` where it holds none.
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

/// A value as the hf CLI cleans it: without CR and LF, then without outer spaces; empty is none.
fn clean(value: &str) -> Result<Option<Secret>, SecretError> {
    let cleaned = Zeroizing::new(value.replace(['\r', '\n'], ""));
    match Secret::from_input(cleaned) {
        Ok(secret) => Ok(Some(secret)),
        Err(SecretError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A token, cleaned. Only what has the form of one is taken: the file may be a link to anything
/// that this user can read.
fn token_in(value: &str, file: &Path) -> Result<Option<Secret>, StorageError> {
    match clean(value) {
        Ok(None) => Ok(None),
        Ok(Some(secret)) if secret.kind() != Kind::Other => Ok(Some(secret)),
        Ok(Some(_)) | Err(_) => Err(StorageError::Refused(format!(
            "the content of {} does not look like a Hub token",
            file.display()
        ))),
    }
}

/// The text of a file; `None` without it. One that another user may have written is refused: it
/// would choose whose token git uses.
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
                    // Whether others can write there is not known.
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
