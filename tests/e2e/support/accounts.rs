//! Further users of the machine. Only root can run programs as they would.

use super::machine::{Machine, Run};
use super::modes::set_mode;
use super::tools::need;
use crate::support::programs::copy_program;
use std::ffi::OsStr;
use std::fs::{self};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The helper's user.
pub const ANN: u32 = 54_322;
/// Somebody else.
pub const BOB: u32 = 54_321;

/// A folder that all users can reach, with a home for each of the two and a copy of the helper.
pub struct Accounts {
    root: TempDir,
}

impl Accounts {
    /// `None`, after a word, where only root could go on.
    pub fn new(machine: &Machine) -> Option<Accounts> {
        let root = tempfile::tempdir().expect("a folder");
        let accounts = Accounts { root };
        if !rustix::process::geteuid().is_root() || !need("setpriv") {
            eprintln!("skipped: only root can run programs as another user");
            return None;
        }
        set_mode(accounts.root.path(), 0o755);
        for (user, name) in [(ANN, "ann"), (BOB, "bob")] {
            accounts.folder(name, user, 0o755);
        }
        let helper = machine.bin().join("git-credential-hf");
        accounts.program(&helper, "git-credential-hf");
        Some(accounts)
    }

    /// A path in the shared folder.
    pub fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// Makes a folder for a user.
    pub fn folder(&self, name: &str, owner: u32, mode: u32) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(&path).expect("a folder");
        give(&path, owner);
        set_mode(&path, mode);
        path
    }

    /// Writes a file for a user.
    pub fn file(&self, name: &str, owner: u32, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, text).expect("a file");
        give(&path, owner);
        set_mode(&path, 0o644);
        path
    }

    /// Makes a link for a user.
    pub fn link(&self, name: &str, owner: u32, target: impl AsRef<Path>) -> PathBuf {
        let path = self.at(name);
        std::os::unix::fs::symlink(target, &path).expect("a link");
        std::os::unix::fs::lchown(&path, Some(owner), Some(owner)).expect("give the link away");
        path
    }

    /// Copies a program to where every user can run it.
    pub fn program(&self, program: &Path, name: &str) -> PathBuf {
        let copy = self.at(name);
        copy_program(program, &copy);
        copy
    }

    /// Runs a program as one of the users, in that user's home.
    pub fn run_as<'m>(
        &self,
        machine: &'m Machine,
        user: u32,
        program: impl AsRef<OsStr>,
        arguments: &[&str],
    ) -> Run<'m> {
        let home = self.at(if user == ANN { "ann" } else { "bob" });
        let ids = [format!("--reuid={user}"), format!("--regid={user}")];
        let words = ids.iter().map(AsRef::as_ref);
        let words = words.chain(["--clear-groups", "--"].map(OsStr::new));
        let words = words.chain([program.as_ref()]);
        let words = words.chain(arguments.iter().map(OsStr::new));
        let run = machine.command("setpriv", words).env("HOME", &home);
        run.env("XDG_RUNTIME_DIR", "")
            .env("TMPDIR", "/tmp")
            .dir(home)
    }

    /// Runs the helper as Ann.
    pub fn ann<'m>(&self, machine: &'m Machine, arguments: &[&str]) -> Run<'m> {
        self.run_as(machine, ANN, self.at("git-credential-hf"), arguments)
    }
}

/// Gives a file or folder to a user.
pub fn give(path: &Path, owner: u32) {
    chown(path, Some(owner), Some(owner)).expect("give it away");
}
