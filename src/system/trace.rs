//! `GIT_CREDENTIAL_HF_TRACE`: decisions, on stderr or in a file, never a secret.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Mutex, OnceLock};

static SINK: OnceLock<Mutex<Box<dyn Write + Send>>> = OnceLock::new();

/// Turns tracing on: `1` or `2` is stderr, anything else a file that is appended to, readable
/// by its owner only. A file that cannot be opened is said once on stderr.
pub fn start(target: &OsStr) {
    let sink: Box<dyn Write + Send> = match target.to_str() {
        Some("1" | "2" | "true") => Box::new(io::stderr()),
        _ => match open(target) {
            Ok(file) => Box::new(file),
            Err(error) => {
                crate::terminal::say(&format!("cannot open the trace file: {error}"));
                return;
            }
        },
    };
    let _ = SINK.set(Mutex::new(sink));
}

fn open(target: &OsStr) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A pipe that nobody reads must not hold git up.
        options
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(target)
}

/// Writes one line, if tracing is on; `line` is not even made otherwise.
pub fn line(line: impl FnOnce() -> String) {
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
