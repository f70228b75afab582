//! Removes tokens from the files in which they were found: exactly these values, under the locks of the
//! programs that own the files, and all or nothing. The rest stays as it is, byte for byte.
//!
//! The caller has read each value back from its new storage.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use zeroize::Zeroizing;

use super::login_url::LoginUrl;
use super::small_file::read_small;
use super::{Place, Source, git_credentials, hf, netrc};
use crate::app::Context;
use crate::git::config_file::urls;
use crate::git::lock::GitLock;
use crate::hf_cli::{HfCli, Which};
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;
use crate::system::files;
use crate::system::files::Lock;
use crate::terminal::Failure;

/// A value to remove.
#[derive(Debug)]
pub(crate) struct Gone<'a> {
    /// Where it was found.
    pub(crate) place: &'a Place,
    /// The value.
    pub(crate) secret: &'a Secret,
    /// The Hub that it is for.
    pub(crate) endpoint: &'a Endpoint,
    /// What replaces the login in a URL: nothing, or a username.
    pub(crate) instead: Option<String>,
}

/// Removes values from one file, or from the hf CLI's two, and returns whether any of them was still
/// there.
///
/// # Errors
/// When the file cannot be locked, read or written. It is then unchanged.
pub(crate) fn remove(context: &Context, gone: &[Gone<'_>]) -> Result<bool> {
    let Some(first) = gone.first() else {
        return Ok(false);
    };
    let source = first.place.source();
    if let Place::HfOld { file } = first.place {
        let old = context.hf_cli().old();
        let same = old.is_some_and(|(_, secret)| secret.same_as(first.secret));
        return same
            .then(|| remove_active(file))
            .transpose()
            .map(|it| it.is_some());
    }
    if source == Source::Hf {
        return from_hf(context.hf_cli(), gone);
    }
    // A link stays a link.
    let file = only_name(first.place.file())?;
    // Files that git writes are locked as git does.
    let _lock = (source != Source::Netrc)
        .then(|| GitLock::of(&file))
        .transpose()?;
    // Nobody locks a netrc file, so it is read again if it has changed.
    for _ in 0..TRIES {
        let before = read_small(&file)?;
        let after = match source {
            Source::Git => git_credentials::without(&before, |entry| {
                gone.iter().any(|gone| gone.is_login(&entry.url))
            }),
            Source::Netrc => netrc::without(&before, |entry| {
                let secret = entry.secret().and_then(Result::ok);
                entry.machine.is_some()
                    && secret.is_some_and(|it| gone.iter().any(|gone| gone.is_machine(entry, &it)))
            })?,
            Source::Remotes | Source::Hf => urls::replace(&before, |found| {
                let login = LoginUrl::parse(&found.url)?;
                let gone = gone.iter().find(|gone| gone.is_login(&login))?;
                let old = found.url.get(login.userinfo)?.to_owned();
                Some((
                    Zeroizing::new(old),
                    gone.instead.clone().unwrap_or_default(),
                ))
            })?,
        };
        if *after == *before {
            return Ok(false);
        }
        if *read_small(&file)? == *before {
            files::write_whole(&file, &after, files::mode_of(&file))?;
            return Ok(true);
        }
    }
    bail!("{} keeps changing", file.display())
}

/// The real path of a file. A file with a second hard link is refused, since the token would stay
/// there.
fn only_name(path: &Path) -> Result<PathBuf> {
    let file = files::real_path(path)?;
    if files::has_other_names(&file) {
        let message = format!(
            "{} has another name (a hard link), under which the token would stay",
            file.display()
        );
        let find = "a hard link: `find DIR -samefile FILE` shows all names of a file in a folder";
        return Err(Failure::new(message).help(find).into());
    }
    Ok(file)
}

/// How many times a file that keeps changing is read.
const TRIES: usize = 5;

impl Gone<'_> {
    fn is_login(&self, login: &LoginUrl) -> bool {
        let secret = login.secret().and_then(Result::ok);
        login.endpoint.as_ref() == Some(self.endpoint)
            && secret.is_some_and(|secret| secret.same_as(self.secret))
    }

    fn is_machine(&self, entry: &netrc::Entry, secret: &Secret) -> bool {
        let host = entry.machine.as_deref();
        let host = host.and_then(|host| Endpoint::from_git("https", host));
        host.is_some_and(|it| it.host() == self.endpoint.host()) && secret.same_as(self.secret)
    }
}

fn from_hf(hf: &HfCli, gone: &[Gone<'_>]) -> Result<bool> {
    let Some(files) = hf.files() else {
        return Ok(false);
    };
    let _lock = Lock::acquire(&files.lock(), files::LOCK_DEADLINE)?;
    let is_gone = |secret: &Secret| gone.iter().any(|gone| gone.secret.same_as(secret));
    let mut removed = false;
    // The active token first. The other way round, a kill in between would leave the hf CLI with
    // an active token that has no name.
    if hf.active_value()?.is_some_and(|active| is_gone(&active)) {
        remove_active(&files.token)?;
        removed = true;
    }
    let names = hf.names();
    for name in names {
        let token = hf.read(Which::Named(&name));
        if !token.is_ok_and(|token| is_gone(&token.secret)) {
            continue;
        }
        let file = only_name(&files.stored_tokens)?;
        let bytes = read_small(&file)?;
        let text = std::str::from_utf8(&bytes).context("the hf CLI's file is not UTF-8")?;
        let left = hf::without(text, &name)?;
        files::write_whole(&file, left.as_bytes(), files::mode_of(&file))?;
        removed = true;
    }
    Ok(removed)
}

/// Deletes the file that contains only the token, as `hf auth logout` does. A link stays and its
/// target is emptied, which means the same to the hf CLI.
fn remove_active(file: &Path) -> Result<()> {
    let real = only_name(file)?;
    if file.is_symlink() {
        files::write_whole(&real, b"", files::mode_of(&real))?;
    } else {
        std::fs::remove_file(file)?;
    }
    Ok(())
}
