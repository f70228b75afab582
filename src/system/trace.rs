//! `GIT_CREDENTIAL_HF_TRACE`: writes decisions to stderr or a file, but never a secret.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

static SINK: OnceLock<Mutex<Box<dyn Write + Send>>> = OnceLock::new();

/// Turns tracing on. `1`, `2` or `true` means stderr; an absolute path means a file to append to,
/// which only its owner can read.
///
/// # Errors
/// When the file cannot be opened; tracing is then off.
pub(crate) fn start(target: &OsStr) -> io::Result<()> {
    let sink: Box<dyn Write + Send> = match target.to_str() {
        Some("1" | "2" | "true") => Box::new(io::stderr()),
        _ => Box::new(open(target)?),
    };
    let _ = SINK.set(Mutex::new(sink));
    Ok(())
}

/// Opens the file for appending. A hostile repository may contain links, and a relative path could
/// lead to them. Therefore the path must be absolute, no links are followed except root's at the
/// top of the file system, and the file must belong to this user and have only one name.
fn open(target: &OsStr) -> io::Result<File> {
    let path = Path::new(target);
    if !path.is_absolute() {
        return Err(io::Error::other("its path is not absolute"));
    }
    #[cfg(unix)]
    {
        use crate::system::files::{Access, Links, Others, ResolvedPath};
        use std::os::unix::fs::MetadataExt;
        let (folder, name) = ResolvedPath::follow(path, Links::Top)?.file()?;
        match folder.create(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
        let (file, metadata) = folder.open_file(&name, Access::Append)?;
        if let Some(others) = Others::of_file(&metadata, path) {
            return Err(io::Error::other(others.to_string()));
        }
        if metadata.nlink() > 1 {
            return Err(io::Error::other("it has another name"));
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    File::options().append(true).create(true).open(path)
}

/// Writes one line if tracing is on; otherwise `line` is not called.
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
