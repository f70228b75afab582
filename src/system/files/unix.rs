//! The way to a file, one name at a time. Each folder is opened below the one before, so that
//! another user who swaps a folder for a link meanwhile leads nobody anywhere else.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::Access;
use super::ownership::{Others, is_ours};

/// More links than this lead in a circle, as far as Linux is concerned.
const MAX_LINKS: usize = 40;

/// For a folder that is only passed: on Linux that takes no right to list it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: OFlags = OFlags::RDONLY;

/// Which links a path may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// All. Whose they are is told by [`Way::others`], for who only reads.
    Read,
    /// All but another user's, unless they lead to a file or folder of that same user: what root
    /// makes or writes there would be anywhere otherwise.
    Follow,
    /// In the place of a folder only; the last name is not looked up.
    Folders,
    /// Only those of root's at the top of the file system, which are a part of it; the last name
    /// is not looked up.
    Top,
}

/// An open folder and its real path.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Way {
    /// The last folder on it that is there.
    pub(crate) folder: Folder,
    /// What is to come below that folder: nothing where the path is a folder's, one name where
    /// it is a file's, more where folders are missing.
    pub(crate) rest: Vec<OsString>,
    /// The first on the way that somebody else can change, the file itself included.
    pub(crate) others: Option<Others>,
}

impl Way {
    /// Goes as far as there are folders.
    ///
    /// # Errors
    /// When a folder cannot be entered, a link is not allowed, or there are too many of them.
    pub(crate) fn follow(path: &Path, links: Links) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let mut folder = Folder::root()?;
        let mut others = Others::of(&folder.stat()?, &folder.path);
        let mut todo = names(&path);
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
            let stat = match fs::statat(&folder.fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => {
                    todo.push(name);
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            others = others.or_else(|| Others::of(&stat, &at));
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
                    let target = fs::readlinkat(&folder.fd, &name, Vec::new())?;
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        folder = Folder::root()?;
                    }
                    todo.extend(names(&target).into_iter().rev());
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
            // Each of them: one user's link to another's is that user's choice as well.
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

    /// The folder that the file is in, and the file's name.
    ///
    /// # Errors
    /// When a folder is missing, or the path is a folder's.
    pub(crate) fn file(self) -> io::Result<(Folder, OsString)> {
        let mut rest = self.rest.into_iter();
        match (rest.next(), rest.next()) {
            (Some(name), None) => Ok((self.folder, name)),
            (None, _) => Err(Errno::ISDIR.into()),
            (Some(_), Some(_)) => Err(Errno::NOENT.into()),
        }
    }
}

/// The names in a path, without those that stand still.
fn names(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// Who gets what root makes in another user's folder: with `sudo git push` and the user's HOME,
/// the user would be locked out of all tokens otherwise.
#[derive(Debug, Clone, Copy)]
struct Heir(Uid, Gid);

impl Heir {
    fn of(stat: &Stat) -> Option<Self> {
        let is_other = rustix::process::geteuid().is_root() && stat.st_uid != 0;
        is_other.then(|| Self(Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid)))
    }

    fn receive(self, made: impl AsFd) {
        let _ = fs::fchown(made, Some(self.0), Some(self.1));
    }
}

/// For a file of this user's own: a pipe in its place is not waited for.
const OWN: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

impl Folder {
    fn root() -> io::Result<Self> {
        let path = PathBuf::from("/");
        let fd = fs::open(
            &path,
            PASS | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self { fd, path })
    }

    /// Opens a folder, through links too.
    ///
    /// # Errors
    /// As for [`Way::follow`], and when it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let way = Way::follow(path, Links::Follow)?;
        way.rest
            .iter()
            .try_fold(way.folder, |folder, name| folder.enter(name))
    }

    /// Opens a folder that is not a link itself.
    ///
    /// # Errors
    /// As for [`Folder::open`]; [`io::ErrorKind::NotADirectory`] for a link.
    pub(crate) fn open_itself(path: &Path) -> io::Result<Self> {
        let way = Way::follow(path, Links::Folders)?;
        way.rest
            .iter()
            .try_fold(way.folder, |folder, name| folder.enter(name))
    }

    /// Opens a folder as [`Folder::open`] does, and makes those that are missing, for their owner
    /// only.
    ///
    /// # Errors
    /// When one cannot be made, or somebody puts something else in its place meanwhile.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        Self::make_on(Way::follow(path, Links::Follow)?)
    }

    /// Makes a folder that is not a link itself, as [`Folder::make`] does.
    ///
    /// # Errors
    /// As for [`Folder::make`]; [`io::ErrorKind::NotADirectory`] for a link.
    pub(crate) fn make_itself(path: &Path) -> io::Result<Self> {
        Self::make_on(Way::follow(path, Links::Folders)?)
    }

    fn make_on(way: Way) -> io::Result<Self> {
        way.rest.iter().try_fold(way.folder, |folder, name| {
            match fs::mkdirat(&folder.fd, name, Mode::RWXU) {
                Ok(()) => folder.enter_made(name),
                Err(Errno::EXIST) => folder.enter(name),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Opens a folder in this one.
    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let flags = PASS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, name, flags, Mode::empty())?;
        let path = match name.as_bytes() {
            b".." => self.path.parent().unwrap_or(&self.path).to_owned(),
            _ => self.path.join(name),
        };
        Ok(Self { fd, path })
    }

    /// Opens a folder that was just made here. The owner of this one can have put another in its
    /// place by now, and gets it only if it looks as it was made and nothing is in it.
    fn enter_made(&self, name: &OsStr) -> io::Result<Self> {
        let made = self.enter(name)?;
        if let Some(heir) = Heir::of(&self.stat()?) {
            let list = made.reopen()?;
            let stat = fs::fstat(&list)?;
            let as_made = stat.st_uid == 0 && Mode::from_raw_mode(stat.st_mode) == Mode::RWXU;
            if as_made && made.names()?.is_empty() {
                heir.receive(&list);
            }
        }
        Ok(made)
    }

    /// Opens it for more than passing through.
    fn reopen(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(fs::openat(&self.fd, ".", flags, Mode::empty())?)
    }

    fn stat(&self) -> io::Result<Stat> {
        Ok(fs::fstat(&self.fd)?)
    }

    /// Whose it is, and who can reach it.
    ///
    /// # Errors
    /// When the system does not say.
    pub(crate) fn metadata(&self) -> io::Result<std::fs::Metadata> {
        File::from(self.fd.try_clone()?).metadata()
    }

    /// Makes a file for its owner only, where there is nothing of that name.
    ///
    /// # Errors
    /// When there is something, or it cannot be made.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OWN;
        let file = fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(File::from(file))
    }

    /// Leaves a file that was just made here to the owner of the one that it replaces, or of this
    /// folder.
    pub(crate) fn leave_to_owner(&self, file: &File, replaced: Option<&OsStr>) {
        let old = replaced.map(|name| fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW));
        let neighbour = match old {
            Some(Ok(old)) => Ok(old),
            _ => self.stat(),
        };
        if let Some(heir) = neighbour.ok().and_then(|stat| Heir::of(&stat)) {
            heir.receive(file);
        }
    }

    /// Opens a plain file to read it or to write to it as it is.
    ///
    /// # Errors
    /// When it is missing, not a plain file, or cannot be opened.
    pub(crate) fn open_file(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::WRONLY,
            Access::Append => OFlags::WRONLY | OFlags::APPEND,
        };
        let file = match fs::openat(&self.fd, name, flags | OWN, Mode::empty()) {
            Ok(file) => File::from(file),
            // Opening a link ends in the one, a pipe that nobody reads in the other.
            Err(Errno::LOOP | Errno::NXIO) => return Err(super::not_plain()),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(super::not_plain())
        }
    }

    /// Gives a file another name, in the place of what has it.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// When it is missing or the system refuses.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// The names of what is in it.
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

    /// Makes a rename in it last over a power cut, where the platform can.
    pub(crate) fn sync(&self) {
        let _ = self.reopen().map(fs::fsync);
    }
}

/// The real path of a file, which need not be there: a link that leads to nothing yet is
/// followed to where its target would be.
///
/// # Errors
/// As for [`Way::follow`].
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    Ok(Way::follow(path, Links::Follow)?.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_way_leads_through_links_to_what_is_there_or_not() {
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
        let (folder, name) = Way::follow(&dir.join("absolute/up"), Links::Folders)
            .unwrap()
            .file()
            .unwrap();
        assert_eq!(name, "up");
        assert!(folder.open_file(&name, Access::Read).is_err());
        assert!(
            Way::follow(&dir.join("new/one"), Links::Follow)
                .unwrap()
                .file()
                .is_err()
        );
    }
}
