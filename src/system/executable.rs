//! File names of programs: on Windows, the extension may be left out.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The extensions that Windows runs without another program, in its order.
const EXTENSIONS: [&str; 4] = ["com", "exe", "bat", "cmd"];

/// The file names that a program may have in a folder of the PATH, in order of precedence.
pub(crate) fn file_names(program: &OsStr) -> Vec<OsString> {
    names(program, cfg!(windows))
}

fn names(program: &OsStr, windows: bool) -> Vec<OsString> {
    let extension = Path::new(program).extension().and_then(OsStr::to_str);
    let known = |has: &str| EXTENSIONS.iter().any(|e| has.eq_ignore_ascii_case(e));
    if !windows || extension.is_some_and(known) {
        return vec![program.to_owned()];
    }
    let with = |extension| {
        let mut name = program.to_owned();
        name.push(".");
        name.push(extension);
        name
    };
    EXTENSIONS.into_iter().map(with).collect()
}

/// The file that a path means. On Windows, `.exe` may be left out.
pub(crate) fn file(path: &Path) -> PathBuf {
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
        assert_eq!(names("vault".as_ref(), false), ["vault"]);
        assert_eq!(
            names("vault".as_ref(), true),
            ["vault.com", "vault.exe", "vault.bat", "vault.cmd"]
        );
        assert_eq!(names("vault.CMD".as_ref(), true), ["vault.CMD"]);
        assert_eq!(names("vault.1".as_ref(), true)[1], "vault.1.exe");
    }
}
