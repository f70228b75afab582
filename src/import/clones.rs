//! Finds the configuration files of a clone and its submodules, or of all clones below a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::small_file::read_small;
use crate::git::config_file;

/// How many folders are searched. Their depth is not limited, since a clone below the limit would be
/// missed silently.
const MAX_FOLDERS: usize = 1_000_000;

/// Tracked files from which git or git-lfs reads URLs.
const TRACKED: [&str; 2] = [".gitmodules", ".lfsconfig"];

/// The files that were found, and whether these are all.
#[derive(Debug, Default)]
pub(crate) struct Clones {
    /// The configuration files.
    pub(crate) files: Vec<PathBuf>,
    /// Files in work trees from which git or git-lfs reads URLs. They are part of the repository,
    /// and not the user's own.
    pub(crate) tracked: Vec<PathBuf>,
    /// Whether there were too many folders to search all of them.
    pub(crate) stopped: bool,
    folders: usize,
}

impl Clones {
    /// Adds the files of the clone with this `.git` folder, of its worktrees and submodules.
    pub(crate) fn add_clone(&mut self, git_dir: &Path) {
        let config = git_dir.join("config");
        let work_tree = match git_dir.file_name() {
            Some(name) if name == ".git" => git_dir.parent().map(Path::to_owned),
            // A submodule's own configuration.
            _ => read_small(&config)
                .ok()
                .and_then(|bytes| config_file::work_tree(&bytes))
                .map(|work_tree| git_dir.join(work_tree)),
        };
        if let Some(work_tree) = work_tree {
            self.add_work_tree(&work_tree);
        }
        self.files.push(config);
        self.files.push(git_dir.join("config.worktree"));
        self.add_modules(&git_dir.join("modules"));
        for worktree in self.folders_in(&git_dir.join("worktrees")) {
            self.files.push(worktree.join("config.worktree"));
            self.add_modules(&worktree.join("modules"));
        }
    }

    /// Adds the tracked files of the work tree with this top.
    pub(crate) fn add_work_tree(&mut self, top: &Path) {
        self.tracked.extend(TRACKED.map(|name| top.join(name)));
    }

    /// Adds all clones below a folder. Links are not followed.
    pub(crate) fn add_below(&mut self, folder: &Path) {
        self.below(folder, is_in_work_tree(folder));
    }

    /// In a work tree, only real `.git` folders are clones. Git does not track a file of that name,
    /// but a repository can track the files of a bare one, with a configuration of its choice.
    fn below(&mut self, folder: &Path, in_work_tree: bool) {
        let is_top = has_git(folder);
        if is_top {
            self.add_work_tree(folder);
        }
        let in_work_tree = in_work_tree || is_top;
        for found in self.folders_in(folder) {
            let is_git = found.file_name().is_some_and(|name| name == ".git");
            let is_bare = || found.join("HEAD").is_file() && found.join("config").is_file();
            if is_git || (!in_work_tree && is_bare()) {
                self.add_clone(&found);
            } else {
                self.below(&found, in_work_tree);
            }
        }
    }

    /// A submodule's name may contain slashes.
    fn add_modules(&mut self, folder: &Path) {
        for found in self.folders_in(folder) {
            if found.join("HEAD").is_file() {
                self.add_clone(&found);
            } else {
                self.add_modules(&found);
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

/// Whether this is the top of a work tree: it has a `.git` folder or file.
fn has_git(folder: &Path) -> bool {
    folder.join(".git").symlink_metadata().is_ok()
}

fn is_in_work_tree(folder: &Path) -> bool {
    let real = fs::canonicalize(folder);
    real.is_ok_and(|real| real.ancestors().skip(1).any(has_git))
}

/// Whether a repository's folder is in the work tree of another one, where anyone who can write to
/// that one may have put it. No tracked file has `.git` in its path.
pub(crate) fn is_embedded(git_dir: &Path) -> bool {
    let Ok(real) = fs::canonicalize(git_dir) else {
        return false;
    };
    let in_git = real.components().any(|part| part.as_os_str() == ".git");
    !in_git && is_in_work_tree(&real)
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
            // Tracked by `a` and by a worktree.
            "a/bare.git",
            "a/.github/bare",
            "w/deep/bare",
        ] {
            fs::create_dir_all(at(clone)).unwrap();
            fs::write(at(clone).join("HEAD"), "").unwrap();
            fs::write(at(clone).join("config"), "").unwrap();
        }
        fs::write(at("w/.git"), "gitdir: ../a/.git/worktrees/w\n").unwrap();
        fs::write(
            at("b/c/.git/modules/lib/one/config"),
            "[core]\n\tworktree = ../../../../one\n",
        )
        .unwrap();
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
        let tops = clones.tracked.iter().filter_map(|file| {
            let top = file.strip_prefix(dir.path()).ok()?.to_str()?;
            top.strip_suffix("/.gitmodules")
        });
        let one = "b/c/.git/modules/lib/one/../../../../one";
        assert_eq!(tops.collect::<Vec<_>>(), ["a", "a", "b/c", "b/c", one, "w"]);
        let mut within = Clones::default();
        within.add_below(&at("w/deep"));
        assert!(within.files.is_empty());
        for (git_dir, embedded) in [
            ("a/.git", false),
            ("b/c/.git/modules/lib/one", false),
            ("d.git", false),
            ("a/bare.git", true),
            ("w/deep/bare", true),
        ] {
            assert_eq!(is_embedded(&at(git_dir)), embedded, "{git_dir}");
        }
    }
}
