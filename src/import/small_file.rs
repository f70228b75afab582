//! Reads files that may contain tokens: only the user's own, and only small ones.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use crate::system::files::{self, Others};

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Reads a file that belongs to this user and is not too large.
///
/// # Errors
/// When it is missing, is not a plain file, belongs to another user, is too large, or cannot be read.
pub(crate) fn read_small(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    if std::fs::metadata(path)?.len() > MAX_BYTES as u64 {
        return Err(io::Error::other("it is too large to contain tokens"));
    }
    let plain = files::read_plain(path)?;
    let bytes = Zeroizing::new(plain.bytes);
    if let Some(Others::Own(_)) = plain.others {
        return Err(io::Error::other("it belongs to another user"));
    }
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::other("it is too large to contain tokens"));
    }
    Ok(bytes)
}
