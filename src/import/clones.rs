//! The configuration files of clones: of one and its submodules, or of all below a folder.

use std::fs;
use std::path::{Path, PathBuf};

/// How deep clones are looked for, and how many folders are looked into.
const MAX_DEPTH: usize = 12;
const MAX_FOLDERS: usize = 100_000;

/// What was found, and whether that is all of it.
#[derive(Debug, Default)]
pub struct Clones {
    /// The configuration files.
    pub files: Vec<PathBuf>,
    /// There were too many folders to look into all of them.
    pub stopped: bool,
    folders: usize,
}

impl Clones {
    /// Adds the files of the clone with this `.git` folder, of its worktrees and submodules.
    pub fn add_clone(&mut self, git_dir: &Path) {
        self.files.push(git_dir.join("config"));
        self.files.push(git_dir.join("config.worktree"));
        self.add_modules(&git_dir.join("modules"), 0);
        for worktree in self.folders_in(&git_dir.join("worktrees")) {
            self.files.push(worktree.join("config.worktree"));
            self.add_modules(&worktree.join("modules"), 0);
        }
    }

    /// Adds all clones below a folder. Links are not followed.
    pub fn add_below(&mut self, folder: &Path) {
        self.below(folder, 0);
    }

    fn below(&mut self, folder: &Path, depth: usize) {
        for found in self.folders_in(folder) {
            if found.file_name().is_some_and(|name| name == ".git") {
                self.add_clone(&found);
            } else if found.join("HEAD").is_file() && found.join("config").is_file() {
                // A bare one.
                self.add_clone(&found);
            } else if depth < MAX_DEPTH {
                self.below(&found, depth + 1);
            }
        }
    }

    /// A submodule's name may have slashes in it.
    fn add_modules(&mut self, folder: &Path, depth: usize) {
        for found in self.folders_in(folder) {
            if found.join("HEAD").is_file() {
                self.add_clone(&found);
            } else if depth < MAX_DEPTH {
                self.add_modules(&found, depth + 1);
            }
        }
    }

    fn folders_in(&mut self, folder: &Path) -> Vec<PathBuf> {
        if self.folders >= MAX_FOLDERS {
            self.stopped = true;
            return Vec::new();
        }
        self.folders += 1;
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let is_dir = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        let mut found: Vec<PathBuf> = entries.filter(is_dir).map(|entry| entry.path()).collect();
        found.sort();
        found
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn clones_worktrees_submodules_and_bare_ones() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for clone in [
            "a/.git",
            "b/c/.git",
            "b/c/.git/modules/lib/one",
            "b/c/.git/modules/lib/one/modules/two",
            "d.git",
        ] {
            fs::create_dir_all(at(clone)).unwrap();
            fs::write(at(clone).join("HEAD"), "").unwrap();
            fs::write(at(clone).join("config"), "").unwrap();
        }
        fs::create_dir_all(at("a/.git/worktrees/w")).unwrap();
        fs::write(at("a/.git/worktrees/w/config.worktree"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), at("b/loop")).unwrap();
        let mut clones = Clones::default();
        clones.add_below(dir.path());
        let there = clones.files.iter().filter(|file| file.is_file());
        let there: Vec<&str> = there
            .map(|file| file.strip_prefix(dir.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            there,
            [
                "a/.git/config",
                "a/.git/worktrees/w/config.worktree",
                "b/c/.git/config",
                "b/c/.git/modules/lib/one/config",
                "b/c/.git/modules/lib/one/modules/two/config",
                "d.git/config",
            ]
        );
        assert!(!clones.stopped);
    }
}
