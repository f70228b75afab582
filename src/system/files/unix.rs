//! Follows a path one component at a time. As soon as somebody else could replace a folder with a
//! link meanwhile, each is opened relative to the one before.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::Access;
use super::ownership::{Others, is_ours};

/// More links than this are treated as a loop, as on Linux.
const MAX_LINKS: usize = 40;

/// The flags for a folder that is only passed through. On Linux, this does not need the permission
/// to list it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: OFlags = OFlags::RDONLY;

/// Which links a path may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// Follow all links, for reading. [`ResolvedPath::others`] says whether others can change one
    /// of them.
    Read,
    /// Follow all links, except another user's links that do not lead to a file or folder of that
    /// user: they could make root create or write files anywhere.
    Follow,
    /// Follow links to folders as [`Links::Follow`] does, but do not look up the last component.
    Folders,
    /// Follow only root's links at the top of the file system, which are part of the system. Do not
    /// look up the last component.
    Top,
}

/// An open folder and its real path.
#[derive(Debug)]
pub(crate) struct Folder {
    file: File,
    path: PathBuf,
}

/// The result of following a path.
#[derive(Debug)]
pub(crate) struct ResolvedPath {
    /// The last folder that exists.
    pub(crate) folder: Folder,
    /// The components after that folder: none if the path is a folder, one if it is a file, and
    /// more if folders are missing.
    pub(crate) rest: Vec<OsString>,
    /// The first folder, link or file on the path that somebody else can change.
    pub(crate) others: Option<Others>,
}

impl ResolvedPath {
    /// Follows a path as far as its folders exist.
    ///
    /// # Errors
    /// When a folder cannot be entered, a link is not allowed, or there are too many of them.
    pub(crate) fn follow(path: &Path, links: Links) -> io::Result<Self> {
        let path = match path.is_absolute() {
            true => Cow::Borrowed(path),
            false => Cow::Owned(std::path::absolute(path)?),
        };
        let (mut folder, depth) = Folder::above(&path)?;
        let mut others = Others::of_stat(&folder.stat()?, &folder.path);
        let mut todo: Vec<OsString> = names(&path).skip(depth).collect();
        todo.reverse();
        let mut count = 0;
        let mut bound_to = Vec::new();
        let mut last = None;
        while let Some(name) = todo.pop() {
            if todo.is_empty() && matches!(links, Links::Folders | Links::Top) {
                todo.push(name);
                break;
            }
            let at = folder.path.join(&name);
            let stat = match fs::statat(&folder.file, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => {
                    todo.push(name);
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            others = others.or_else(|| Others::of_stat(&stat, &at));
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => folder = folder.enter(&name)?,
                FileType::Symlink => {
                    count += 1;
                    if count > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let top = stat.st_uid == 0 && folder.path.parent().is_none();
                    if links == Links::Top && !top {
                        return Err(io::Error::other(format!("{} is a link", at.display())));
                    }
                    if links != Links::Read && !is_ours(stat.st_uid) {
                        bound_to.push((stat.st_uid, at));
                    }
                    let target = fs::readlinkat(&folder.file, &name, Vec::new())?;
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        folder = Folder::root()?;
                    }
                    todo.extend(names(&target).rev());
                }
                _ if todo.is_empty() => {
                    last = Some(stat);
                    todo.push(name);
                    break;
                }
                _ => return Err(Errno::NOTDIR.into()),
            }
        }
        todo.reverse();
        if !bound_to.is_empty() {
            let target = last.map_or_else(|| folder.stat(), Ok)?;
            // Check each link: a link may lead to a second link of another user.
            if let Some((_, link)) = bound_to.iter().find(|(owner, _)| *owner != target.st_uid) {
                let message = format!("{} is a link of another user", link.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
            }
        }
        Ok(Self {
            folder,
            rest: todo,
            others,
        })
    }

    /// The real path.
    pub(crate) fn path(&self) -> PathBuf {
        let mut path = self.folder.path.clone();
        path.extend(&self.rest);
        path
    }

    /// The folder of the file, and the file's name.
    ///
    /// # Errors
    /// When a folder is missing, or the path is a folder.
    pub(crate) fn file(self) -> io::Result<(Folder, OsString)> {
        let mut rest = self.rest.into_iter();
        match (rest.next(), rest.next()) {
            (Some(name), None) => Ok((self.folder, name)),
            (None, _) => Err(Errno::ISDIR.into()),
            (Some(_), Some(_)) => Err(Errno::NOENT.into()),
        }
    }
}

/// The components of a path, without the root and `.`.
fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

/// The owner of files that root creates in another user's folder. Otherwise, `sudo git push` with
/// the user's HOME would lock the user out of all tokens.
#[derive(Debug, Clone, Copy)]
struct NewOwner(Uid, Gid);

impl NewOwner {
    fn of(stat: &Stat) -> Option<Self> {
        let is_other = rustix::process::geteuid().is_root() && stat.st_uid != 0;
        is_other.then(|| Self(Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid)))
    }

    fn chown(self, made: impl AsFd) {
        let _ = fs::fchown(made, Some(self.0), Some(self.1));
    }
}

/// Flags for opening a folder: do not follow a link.
const FOLDER: OFlags = PASS
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Flags for opening a file: do not follow a link, and do not wait for a pipe.
const OWN: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

impl Folder {
    fn root() -> io::Result<Self> {
        Self::at(PathBuf::from("/"))
    }

    /// Opens the last folder above `path` that can be opened by its path, since only root and this
    /// user can replace it or a folder above it: one call for each folder instead of three. Unlike
    /// for [`Others`], neither the user behind `sudo` nor a group counts as this user. Also returns
    /// how many components of the path lead to that folder.
    fn above(path: &Path) -> io::Result<(Self, usize)> {
        let user = rustix::process::geteuid().as_raw();
        let is_safe = |folder: &Path| {
            fs::lstat(folder).is_ok_and(|stat| {
                let mode = Mode::from_raw_mode(stat.st_mode);
                let others_may_write = mode.intersects(Mode::WGRP | Mode::WOTH);
                FileType::from_raw_mode(stat.st_mode) == FileType::Directory
                    && [0, user].contains(&stat.st_uid)
                    && (mode.contains(Mode::SVTX) || !others_may_write)
            })
        };
        let goes_up = path.components().any(|part| part == Component::ParentDir);
        let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
        folders.reverse();
        let safe = folders
            .into_iter()
            .take_while(|folder| !goes_up && is_safe(folder))
            .enumerate();
        let (depth, folder) = safe.last().unwrap_or((0, Path::new("/")));
        Ok((Self::at(folder.to_owned())?, depth))
    }

    fn at(path: PathBuf) -> io::Result<Self> {
        let file = File::from(fs::open(&path, FOLDER, Mode::empty())?);
        Ok(Self { file, path })
    }

    /// Opens a folder, and follows links.
    ///
    /// # Errors
    /// See [`ResolvedPath::follow`]. Also fails if it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let resolved = ResolvedPath::follow(path, Links::Follow)?;
        resolved
            .rest
            .iter()
            .try_fold(resolved.folder, |folder, name| folder.enter(name))
    }

    /// Opens a folder whose last component must not be a link.
    ///
    /// # Errors
    /// See [`Folder::open`]; also [`io::ErrorKind::NotADirectory`] for a link.
    pub(crate) fn open_no_follow(path: &Path) -> io::Result<Self> {
        let resolved = ResolvedPath::follow(path, Links::Folders)?;
        resolved
            .rest
            .iter()
            .try_fold(resolved.folder, |folder, name| folder.enter(name))
    }

    /// Opens a folder as [`Folder::open`] does, and creates it and its parents if they are missing.
    /// Only their owner can enter them.
    ///
    /// # Errors
    /// When one cannot be created, or somebody replaces it meanwhile.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        Self::make_on(ResolvedPath::follow(path, Links::Follow)?)
    }

    /// Does what [`Folder::make`] does, but the last component must not be a link.
    ///
    /// # Errors
    /// See [`Folder::make`]; also [`io::ErrorKind::NotADirectory`] for a link.
    pub(crate) fn make_no_follow(path: &Path) -> io::Result<Self> {
        Self::make_on(ResolvedPath::follow(path, Links::Folders)?)
    }

    fn make_on(resolved: ResolvedPath) -> io::Result<Self> {
        resolved
            .rest
            .iter()
            .try_fold(resolved.folder, |folder, name| {
                match fs::mkdirat(&folder.file, name, Mode::RWXU) {
                    Ok(()) => folder.enter_made(name),
                    Err(Errno::EXIST) => folder.enter(name),
                    Err(error) => Err(error.into()),
                }
            })
    }

    /// Opens a folder in this one.
    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let file = File::from(fs::openat(&self.file, name, FOLDER, Mode::empty())?);
        let path = match name.as_bytes() {
            b".." => self.path.parent().unwrap_or(&self.path).to_owned(),
            _ => self.path.join(name),
        };
        Ok(Self { file, path })
    }

    /// Opens a folder that was just created here, and gives it to the owner of this folder. That
    /// owner may have replaced it meanwhile, so it is given away only if it is empty and still has
    /// root as its owner and its original mode.
    fn enter_made(&self, name: &OsStr) -> io::Result<Self> {
        let made = self.enter(name)?;
        if let Some(new_owner) = NewOwner::of(&self.stat()?) {
            let list = made.reopen()?;
            let stat = fs::fstat(&list)?;
            let as_made = stat.st_uid == 0 && Mode::from_raw_mode(stat.st_mode) == Mode::RWXU;
            if as_made && made.names()?.is_empty() {
                new_owner.chown(&list);
            }
        }
        Ok(made)
    }

    /// Opens the folder again, with the right to list and sync it.
    fn reopen(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(fs::openat(&self.file, ".", flags, Mode::empty())?)
    }

    fn stat(&self) -> io::Result<Stat> {
        Ok(fs::fstat(&self.file)?)
    }

    /// The folder's metadata: its owner and mode.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Creates a file that only its owner can read and write.
    ///
    /// # Errors
    /// When the name exists, or the file cannot be created.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OWN;
        let file = fs::openat(&self.file, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(File::from(file))
    }

    /// If root has just created this file, gives it to the owner of the file that it replaces, or
    /// else of this folder.
    pub(crate) fn leave_to_owner(&self, file: &File, replaced: Option<&OsStr>) {
        let old = replaced.map(|name| fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW));
        let neighbour = match old {
            Some(Ok(old)) => Ok(old),
            _ => self.stat(),
        };
        if let Some(new_owner) = neighbour.ok().and_then(|stat| NewOwner::of(&stat)) {
            new_owner.chown(file);
        }
    }

    /// Opens an existing plain file, without truncating it, and returns its metadata too.
    ///
    /// # Errors
    /// When it is missing, not a plain file, or cannot be opened.
    pub(crate) fn open_file(&self, name: &OsStr, access: Access) -> io::Result<(File, Metadata)> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::WRONLY,
            Access::Append => OFlags::WRONLY | OFlags::APPEND,
        };
        let file = match fs::openat(&self.file, name, flags | OWN, Mode::empty()) {
            Ok(file) => File::from(file),
            // The errors for a link, and for a pipe that nobody reads.
            Err(Errno::LOOP | Errno::NXIO) => return Err(super::not_plain()),
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        if metadata.is_file() {
            Ok((file, metadata))
        } else {
            Err(super::not_plain())
        }
    }

    /// Renames a file, and replaces an existing one.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.file, from, &self.file, to)?)
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// When it is missing or the system refuses.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.file, name, AtFlags::empty())?)
    }

    /// The names of the folder's entries.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(self.reopen()?)? {
            match entry?.file_name().to_bytes() {
                b"." | b".." => {}
                name => names.push(OsStr::from_bytes(name).to_owned()),
            }
        }
        Ok(names)
    }

    /// Makes a rename in this folder survive a power cut, if the platform supports it.
    pub(crate) fn sync(&self) {
        let _ = self.reopen().map(fs::fsync);
    }
}

/// The real path of a file, which need not exist. A dangling link is followed to where its target
/// would be.
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    Ok(ResolvedPath::follow(path, Links::Follow)?.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_is_followed_through_links() {
        let dir = tempfile::tempdir().unwrap();
        let dir = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        std::fs::write(dir.join("a/b/file"), "x").unwrap();
        for (target, link) in [
            ("b", "a/relative"),
            ("../a/./b/../b/file", "a/up"),
            ("missing/file", "a/dangling"),
            ("circle", "a/circle"),
        ] {
            symlink(target, dir.join(link)).unwrap();
        }
        symlink(dir.join("a"), dir.join("absolute")).unwrap();
        for (path, expected) in [
            ("a/b/file", "a/b/file"),
            ("absolute/relative/file", "a/b/file"),
            ("absolute/up", "a/b/file"),
            ("absolute/dangling", "a/missing/file"),
            ("a/b/../../a/b", "a/b"),
            ("new/one", "new/one"),
        ] {
            assert_eq!(
                real_path(&dir.join(path)).unwrap(),
                dir.join(expected),
                "{path}"
            );
        }
        assert!(real_path(&dir.join("a/circle")).is_err());
        assert!(real_path(&dir.join("a/b/file/more")).is_err());
        let (folder, name) = ResolvedPath::follow(&dir.join("absolute/up"), Links::Folders)
            .unwrap()
            .file()
            .unwrap();
        assert_eq!(name, "up");
        assert!(folder.open_file(&name, Access::Read).is_err());
        assert!(
            ResolvedPath::follow(&dir.join("new/one"), Links::Follow)
                .unwrap()
                .file()
                .is_err()
        );
    }

    #[test]
    fn a_path_is_opened_at_once_as_far_as_nobody_else_can_replace_a_folder() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let dir = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir_all(dir.join("a/b/c")).unwrap();
        symlink("b", dir.join("a/link")).unwrap();
        let above = |path: &str| Folder::above(&dir.join(path)).unwrap().0.path;
        for (path, mode, expected) in [
            ("a/b/c/file", 0o755, "a/b/c"),
            ("a/b/missing/file", 0o700, "a/b"),
            ("a/link/c/file", 0o700, "a"),
            // In a folder that others can write to, they could replace `c`.
            ("a/b/c/file", 0o757, "a"),
            ("a/b/c/file", 0o775, "a"),
            // But they cannot if it is sticky.
            ("a/b/c/file", 0o1777, "a/b/c"),
        ] {
            let b = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(dir.join("a/b"), b).unwrap();
            assert_eq!(above(path), dir.join(expected), "{path} {mode:o}");
        }
        assert_eq!(above("a/b/../b/c/file"), Path::new("/"));
    }
}
