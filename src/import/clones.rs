//! The configuration files of clones: of one and its submodules, or of all below a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::small_file::read_small;
use crate::git::config_file;

/// How many folders are looked into. Their depth has no limit: a clone below it would be missed
/// without a word.
const MAX_FOLDERS: usize = 1_000_000;

/// Files that a repository tracks, and that git or git-lfs reads URLs from.
const TRACKED: [&str; 2] = [".gitmodules", ".lfsconfig"];

/// What was found, and whether that is all of it.
#[derive(Debug, Default)]
pub(crate) struct Clones {
    /// The configuration files.
    pub(crate) files: Vec<PathBuf>,
    /// The files of work trees that git or git-lfs reads URLs from: they are part of the
    /// repository, whoever wrote it.
    pub(crate) tracked: Vec<PathBuf>,
    /// There were too many folders to look into all of them.
    pub(crate) stopped: bool,
    folders: usize,
}

impl Clones {
    /// Adds the files of the clone with this `.git` folder, of its worktrees and submodules.
    pub(crate) fn add_clone(&mut self, git_dir: &Path) {
        let config = git_dir.join("config");
        let work_tree = match git_dir.file_name() {
            Some(name) if name == ".git" => git_dir.parent().map(Path::to_owned),
            // A submodule's own.
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

    /// Adds what the work tree with this top tracks.
    pub(crate) fn add_work_tree(&mut self, top: &Path) {
        self.tracked.extend(TRACKED.map(|name| top.join(name)));
    }

    /// Adds all clones below a folder. Links are not followed.
    pub(crate) fn add_below(&mut self, folder: &Path) {
        self.below(folder, is_in_work_tree(folder));
    }

    /// In a work tree only real `.git` folders are clones: git tracks no file of that name, but a
    /// repository can track the files of a bare one, and with them a configuration of its choice.
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

    /// A submodule's name may have slashes in it.
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

/// Whether a `.git`, a folder or a file, makes this the top of a work tree.
fn has_git(folder: &Path) -> bool {
    folder.join(".git").symlink_metadata().is_ok()
}

fn is_in_work_tree(folder: &Path) -> bool {
    let real = fs::canonicalize(folder);
    real.is_ok_and(|real| real.ancestors().skip(1).any(has_git))
}

/// Whether a repository's folder is in another one's work tree, where anyone who can write to
/// that one may have put it. No tracked file has `.git` in its path.
#[must_use]
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
