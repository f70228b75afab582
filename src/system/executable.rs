//! How programs are called on this platform: Windows adds an extension to what people type.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::system::process::on_path;

/// The extensions that Windows starts without a shell of its own, in its order.
const EXTENSIONS: [&str; 4] = ["com", "exe", "bat", "cmd"];

/// The file names that a program may have in a folder of the PATH, the first one first.
#[must_use]
pub fn file_names(program: &str) -> Vec<String> {
    names(program, cfg!(windows))
}

fn names(program: &str, windows: bool) -> Vec<String> {
    let extension = Path::new(program).extension().and_then(OsStr::to_str);
    let known = |has: &str| EXTENSIONS.iter().any(|e| has.eq_ignore_ascii_case(e));
    if !windows || extension.is_some_and(known) {
        return vec![program.to_owned()];
    }
    let with = |extension| format!("{program}.{extension}");
    EXTENSIONS.into_iter().map(with).collect()
}

/// A program as it is to be started. By a bare name, Windows itself would only look for an
/// `.exe`; scripts such as `vault.cmd` are found on the PATH here.
#[must_use]
pub fn resolve(program: &OsStr) -> OsString {
    let name = program.to_str().filter(|name| {
        let is_bare = !name.contains(['/', '\\', ':']);
        cfg!(windows) && is_bare
    });
    let found = name.and_then(on_path).map(PathBuf::into_os_string);
    found.unwrap_or_else(|| program.to_owned())
}

/// The file that a path means: on Windows, the `.exe` may be left out.
#[must_use]
pub fn file(path: &Path) -> PathBuf {
    let mut with_exe = path.as_os_str().to_owned();
    with_exe.push(std::env::consts::EXE_SUFFIX);
    if cfg!(windows) && !path.is_file() && Path::new(&with_exe).is_file() {
        return PathBuf::from(with_exe);
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert_eq!(names("vault", false), ["vault"]);
        assert_eq!(
            names("vault", true),
            ["vault.com", "vault.exe", "vault.bat", "vault.cmd"]
        );
        assert_eq!(names("vault.CMD", true), ["vault.CMD"]);
        assert_eq!(names("vault.1", true)[1], "vault.1.exe");
    }
}
