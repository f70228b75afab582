//! The programs a test needs from the system, and what to do where one is missing.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of the gits on this system.
#[derive(Clone, Debug, PartialEq)]
pub struct Git {
    pub path: PathBuf,
    pub version: (u32, u32, u32),
}

impl Git {
    fn at(path: PathBuf) -> Option<Git> {
        let said = Command::new(&path).arg("--version").output().ok()?;
        let said = String::from_utf8(said.stdout).ok()?;
        let mut numbers = said.split_whitespace().nth(2)?.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let version = (next()?, next()?, next().unwrap_or(0));
        Some(Git { path, version })
    }

    /// Whether this is git `major.minor` or newer.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.version.0, self.version.1) >= (major, minor)
    }

    /// The program that serves a repository over HTTP, which some packages of git leave out.
    pub fn http_backend(&self) -> Option<PathBuf> {
        let said = Command::new(&self.path).arg("--exec-path").output().ok()?;
        let folder = String::from_utf8(said.stdout).ok()?;
        let program = Path::new(folder.trim_end()).join("git-http-backend");
        program.is_file().then_some(program)
    }
}

/// Every distinct version of git found here, newest first.
pub fn gits() -> Vec<Git> {
    let usual = ["/usr/local/bin/git", "/usr/bin/git"].map(PathBuf::from);
    let mut found: Vec<Git> = find("git")
        .into_iter()
        .chain(usual)
        .filter_map(Git::at)
        .collect();
    found.sort_by_key(|git| std::cmp::Reverse(git.version));
    found.dedup_by_key(|git| git.version);
    assert!(!found.is_empty(), "these tests need git");
    found
}

/// Where `tool` is on the PATH.
pub fn find(tool: &str) -> Option<PathBuf> {
    find_in(&env::var_os("PATH")?, Path::new(tool))
}

/// Finds `tool` in the folders of a PATH.
pub fn find_in(path: &OsStr, tool: &Path) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(tool))
        .find(|candidate| candidate.is_file())
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `tool` is installed. Where it is not, the test is told to return early, unless
/// `GIT_CREDENTIAL_HF_TESTS_ALL=1` asks for every test to be run in earnest.
pub fn need(tool: &str) -> bool {
    if find(tool).is_some() {
        return true;
    }
    cannot::<()>(&format!("{tool} is not installed"));
    false
}

/// Says why a test cannot run here, and fails it where every test is to be run in earnest.
pub fn cannot<T>(why: &str) -> Option<T> {
    let all = env::var_os("GIT_CREDENTIAL_HF_TESTS_ALL").is_some_and(|value| value == "1");
    assert!(!all, "{why}");
    eprintln!("skipped: {why}");
    None
}
