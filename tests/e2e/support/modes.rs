//! The modes of files and folders.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Sets the mode of a file or folder.
pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set the mode");
}

/// Who may read, write and run a file, or list, change and enter a folder.
pub fn mode_of(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).expect("the mode").permissions().mode() & 0o777
}
