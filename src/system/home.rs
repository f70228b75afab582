//! The user's home directory as git and Python find it, and the folders that Windows protects from
//! other users.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::system::environment::variable;

/// The home directory as git finds it: `HOME`. If that is not set on Windows, the account's home
/// share (`HOMEDRIVE` and `HOMEPATH`) if it exists, or else the profile
/// (`setup_windows_environment` in git's `compat/mingw.c`).
pub(crate) fn of_git() -> Option<PathBuf> {
    as_git_finds_it(cfg!(windows), variable, Path::is_dir)
}

/// The home directory as git finds it, or else the system's for this user.
pub(crate) fn home() -> Option<PathBuf> {
    of_git().or_else(of_python)
}

/// The home directory as Python's `expanduser` finds it, which the hf CLI uses. On Windows, it does
/// not read `HOME`.
pub(crate) fn of_python() -> Option<PathBuf> {
    let set = variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    set.map(PathBuf::from)
        .or_else(|| BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()))
}

fn as_git_finds_it(
    windows: bool,
    lookup: impl Fn(&str) -> Option<OsString>,
    is_dir: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    if let Some(home) = set("HOME") {
        return Some(PathBuf::from(home));
    }
    if !windows {
        return None;
    }
    let share = set("HOMEDRIVE").and_then(|mut drive| {
        drive.push(set("HOMEPATH")?);
        Some(PathBuf::from(drive))
    });
    // In services and elevated consoles, this is the system folder.
    let of_system = |path: &Path| {
        let text = path.to_string_lossy().to_ascii_lowercase();
        text.trim_end_matches(['\\', '/']).ends_with("\\system32")
    };
    let share = share.filter(|path| !of_system(path) && is_dir(path));
    share.or_else(|| set("USERPROFILE").map(PathBuf::from))
}

/// Whether a path on Windows is outside the user's profile, so that other users may be able to read
/// or change it. The profile's access lists keep others out; we do not read access lists elsewhere.
/// On other platforms this is always false, since owners and modes are checked instead.
pub(crate) fn is_outside_profile(path: &Path) -> bool {
    cfg!(windows) && !BaseDirs::new().is_some_and(|dirs| is_inside(path, &profile_folders(&dirs)))
}

/// The profile, and two of its folders that an administrator can redirect to a share.
fn profile_folders(dirs: &BaseDirs) -> [PathBuf; 3] {
    [dirs.home_dir(), dirs.config_dir(), dirs.data_local_dir()].map(Path::to_owned)
}

/// Whether a path is in one of the folders. Links and `..` are resolved in the part of the path
/// that exists.
fn is_inside(path: &Path, folders: &[PathBuf]) -> bool {
    let real = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        path.ancestors().find_map(|above| {
            let rest = path.strip_prefix(above).ok()?;
            Some(std::fs::canonicalize(above).ok()?.join(rest))
        })
    };
    let lower = |path: PathBuf| PathBuf::from(path.to_string_lossy().to_lowercase());
    let Some(path) = real(path).map(lower) else {
        return false;
    };
    let mut folders = folders.iter().filter_map(|folder| real(folder).map(lower));
    folders.any(|folder| folder.parent().is_some() && path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_as_git_finds_it() {
        let find = |windows, pairs: &[(&str, &str)]| {
            let lookup = |name: &str| {
                let pair = pairs.iter().find(|(n, _)| *n == name)?;
                Some(OsString::from(pair.1))
            };
            let is_dir = |path: &Path| !path.to_string_lossy().contains("gone");
            let home = as_git_finds_it(windows, lookup, is_dir)?;
            Some(home.to_string_lossy().into_owned())
        };
        let share = [("HOMEDRIVE", "H:"), ("HOMEPATH", "\\u")];
        let profile = [("USERPROFILE", "C:\\Users\\u")];
        let gone = [("HOMEDRIVE", "H:"), ("HOMEPATH", "\\gone")];
        let system = [("HOMEDRIVE", "C:"), ("HOMEPATH", "\\Windows\\System32\\")];
        let both = |a: &[(&'static str, &'static str)], b: &[(&'static str, &'static str)]| {
            [a, b].concat()
        };
        for (windows, pairs, expected) in [
            (true, both(&[("HOME", "D:\\h")], &share), Some("D:\\h")),
            (true, both(&[("HOME", "")], &share), Some("H:\\u")),
            (true, both(&share, &profile), Some("H:\\u")),
            (true, both(&gone, &profile), Some("C:\\Users\\u")),
            (true, both(&system, &profile), Some("C:\\Users\\u")),
            (
                true,
                both(&[("HOMEDRIVE", "H:")], &profile),
                Some("C:\\Users\\u"),
            ),
            (true, Vec::new(), None),
            (false, both(&[("HOME", "/h")], &share), Some("/h")),
            (false, both(&share, &profile), None),
        ] {
            assert_eq!(find(windows, &pairs).as_deref(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn inside_and_outside_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let profile = dir.path().join("Users").join("alice");
        std::fs::create_dir_all(profile.join("data")).unwrap();
        std::fs::create_dir_all(dir.path().join("Users").join("alice2")).unwrap();
        let profiles = [profile.clone()];
        for (path, inside) in [
            (profile.clone(), true),
            (profile.join("data").join("new").join("file"), true),
            (profile.join("nothing").join("here"), true),
            (dir.path().join("Users").join("alice2").join("x"), false),
            (dir.path().join("Users"), false),
            (profile.join("..").join("alice2"), false),
        ] {
            assert_eq!(is_inside(&path, &profiles), inside, "{}", path.display());
        }
        // A profile at the top of a drive would contain everything, so it does not count.
        let top = profile.ancestors().last().unwrap().to_owned();
        assert!(!is_inside(&profile, &[top]));
    }
}
