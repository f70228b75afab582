//! Folders on platforms other than Unix, addressed by path: access lists keep other users out.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::Access;
use crate::system::sharing::patiently;

/// An existing folder.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder, and follows links.
    ///
    /// # Errors
    /// When it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let folder = Self(path.to_owned());
        if folder.metadata()?.is_dir() {
            Ok(folder)
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens a folder whose last component must not be a link.
    pub(crate) fn open_no_follow(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path)?.is_dir() {
            Ok(Self(path.to_owned()))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// Opens a folder, and creates it and its parents if they are missing.
    ///
    /// # Errors
    /// When one cannot be created.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Opens or creates a folder whose last component must not be a link.
    pub(crate) fn make_no_follow(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Self::open_no_follow(path)
    }

    /// The folder's metadata.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        fs::metadata(&self.0)
    }

    /// Creates a file.
    ///
    /// # Errors
    /// When the name exists, or the file cannot be created.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        let path = self.0.join(name);
        patiently(|| File::options().write(true).create_new(true).open(&path))
    }

    /// Does nothing: this is for root on Unix.
    pub(crate) const fn leave_to_owner(&self, _: &File, _: Option<&OsStr>) {}

    /// Opens an existing plain file, without truncating it, and returns its metadata too.
    ///
    /// # Errors
    /// When it is missing, not a plain file, or cannot be opened.
    pub(crate) fn open_file(&self, name: &OsStr, access: Access) -> io::Result<(File, Metadata)> {
        let mut options = File::options();
        match access {
            Access::Read => options.read(true),
            Access::Write => options.write(true),
            Access::Append => options.append(true),
        };
        let path = self.0.join(name);
        // On Windows, opening a folder gives the same error as opening a file that is in use.
        if path.is_dir() {
            return Err(super::not_plain());
        }
        let file = patiently(|| options.open(&path))?;
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
        patiently(|| fs::rename(self.0.join(from), self.0.join(to)))
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// When it is missing or the system refuses.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        patiently(|| fs::remove_file(self.0.join(name)))
    }

    /// The names of the folder's entries.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(&self.0)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Does nothing: Windows does not need it to keep a rename.
    pub(crate) const fn sync(&self) {}
}

/// The real path of a file, which need not exist.
///
/// # Errors
/// When the path is not valid.
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path))
}
