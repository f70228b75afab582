//! `GIT_CREDENTIAL_HF_TRACE`: decisions, on stderr or in a file, never a secret.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

static SINK: OnceLock<Mutex<Box<dyn Write + Send>>> = OnceLock::new();

/// Turns tracing on: `1` or `2` is stderr, an absolute path a file that is appended to, readable
/// by its owner only.
///
/// # Errors
/// When the file cannot be opened; then there is no trace.
pub(crate) fn start(target: &OsStr) -> io::Result<()> {
    let sink: Box<dyn Write + Send> = match target.to_str() {
        Some("1" | "2" | "true") => Box::new(io::stderr()),
        _ => Box::new(open(target)?),
    };
    let _ = SINK.set(Mutex::new(sink));
    Ok(())
}

/// Opens the file for appending. A cloned repository can hold a link, and a relative path would
/// lead into it; so no link is followed but those at the top of the system, and no file is appended to that
/// has another name or is not this user's.
fn open(target: &OsStr) -> io::Result<File> {
    let path = Path::new(target);
    if !path.is_absolute() {
        return Err(io::Error::other("its path is not absolute"));
    }
    #[cfg(unix)]
    {
        use crate::system::files::{Access, Links, Others, Way};
        use std::os::unix::fs::MetadataExt;
        let (folder, name) = Way::follow(path, Links::Top)?.file()?;
        match folder.create(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
        let file = folder.open_file(&name, Access::Append)?;
        if let Some(others) = Others::of_file(&file, path)? {
            return Err(io::Error::other(others.to_string()));
        }
        if file.metadata()?.nlink() > 1 {
            return Err(io::Error::other("it has another name"));
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    File::options().append(true).create(true).open(path)
}

/// Writes one line, if tracing is on; `line` is not even made otherwise.
pub(crate) fn line(line: impl FnOnce() -> String) {
    if let Some(sink) = SINK.get()
        && let Ok(mut sink) = sink.lock()
    {
        let text = format!(
            "git-credential-hf[{}]: {}\n",
            std::process::id(),
            crate::model::secret::redact(&crate::model::text::one_line(&line()))
        );
        let _ = sink.write_all(text.as_bytes());
    }
}
