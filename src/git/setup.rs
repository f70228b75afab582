//! Decides which file of git's configuration gets this helper's lines, and what they say.

use crate::git::config_file::quote_helper;
use crate::git::lock::GitLock;
use crate::git::{config_file, run};
use crate::system::environment::variable;
use crate::system::process::on_path;
use crate::system::sharing::patiently;
use crate::system::{executable, files};
use crate::terminal::Failure;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::{fs, io};

const PROGRAM: &str = "git-credential-hf";

/// One of git's configuration files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConfigFile {
    /// This user's.
    Global,
    /// All users'.
    System,
    /// The repository's.
    Local,
    /// A file by its path.
    File(PathBuf),
}

/// Edits one of git's files as git does: it creates a lock file beside it, which other programs
/// respect, and renames the new file over the old one. A link stays a link, even if its target does
/// not exist yet. `change` turns the old content into the new one; `None` means that there is no file.
pub(crate) fn edit(
    path: &Path,
    change: impl FnOnce(Option<&[u8]>) -> Result<Option<Vec<u8>>, config_file::EditError>,
) -> Result<bool> {
    let target = files::real_path(path)
        .with_context(|| format!("cannot follow the link {}", path.display()))?;
    let shown = target.display().to_string();
    let cannot = |what: &str| format!("cannot {what} {shown}");
    if !target.exists()
        && let Some(dir) = target.parent()
    {
        files::create_private_dir(dir).with_context(|| cannot("make the folder of"))?;
    }
    let _lock = GitLock::of(&target)?;
    let original = match files::read_plain(&target) {
        Ok(plain) => Some(plain.bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| cannot("read")),
    };
    let edited = change(original.as_deref()).with_context(|| cannot("change"))?;
    if edited == original {
        return Ok(false);
    }
    match edited {
        None => patiently(|| fs::remove_file(&target)).with_context(|| cannot("remove"))?,
        Some(bytes) => files::write_whole(&target, &bytes, mode_of(&target))
            .with_context(|| cannot("write"))?,
    }
    Ok(true)
}

/// The mode of the existing file, or the one that git would give a new file.
#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use rustix::fs::Mode;
    use rustix::process::umask;
    let new = || {
        let mask = umask(Mode::from_raw_mode(0o077));
        umask(mask);
        #[allow(
            clippy::useless_conversion,
            reason = "modes are shorter on other platforms"
        )]
        let mask = u32::from(mask.as_raw_mode());
        0o666 & !mask
    };
    Some(files::mode_of(path).unwrap_or_else(new))
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> Option<u32> {
    None
}

/// The file that `git config` would write with the same option.
///
/// # Errors
/// When there is none: without a home directory, or outside a repository for `--local`.
pub(crate) fn file(which: &ConfigFile) -> Result<PathBuf> {
    if let ConfigFile::File(file) = which {
        return Ok(std::path::absolute(file)?);
    }
    if *which == ConfigFile::Local {
        return path_from_git(&["rev-parse", "--git-path", "config"])
            .and_then(|path| std::path::absolute(path).ok())
            .ok_or_else(|| {
                Failure::new("the current folder is not in a repository")
                    .help("omit --local to configure git for all your repositories")
                    .into()
            });
    }
    if *which == ConfigFile::System {
        if let Some(path) = variable("GIT_CONFIG_SYSTEM").map(PathBuf::from) {
            return Ok(path);
        }
        // Newer gits say where it is; /etc is where distributions put it.
        let told = path_from_git(&["var", "GIT_CONFIG_SYSTEM"]);
        let told = told.filter(|path| path.is_absolute());
        let usual = cfg!(unix).then(|| PathBuf::from("/etc/gitconfig"));
        return told.or(usual).ok_or_else(|| {
            Failure::new("git does not report where its system configuration is")
                .help("name the file: git credential-hf configure --file FILE")
                .into()
        });
    }
    global_file()
}

/// Git's own order: `GIT_CONFIG_GLOBAL`, `~/.gitconfig`, and the XDG file only if it exists and the
/// other does not (git-config(1), "FILES"). Without `HOME` git reads the XDG file alone.
fn global_file() -> Result<PathBuf> {
    if let Some(path) = variable("GIT_CONFIG_GLOBAL").map(PathBuf::from) {
        return Ok(path);
    }
    let home = crate::system::home::of_git();
    let xdg = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let xdg = xdg.or_else(|| Some(home.as_ref()?.join(".config")));
    let xdg = xdg.map(|folder| folder.join("git/config"));
    match (home.map(|home| home.join(".gitconfig")), xdg) {
        (Some(usual), Some(xdg)) if !usual.exists() && xdg.exists() => Ok(xdg),
        (Some(usual), _) => Ok(usual),
        (None, Some(xdg)) => Ok(xdg),
        (None, None) => Err(Failure::new(
            "HOME is not set, so git reads no configuration of this user",
        )
        .help("set HOME, or name a file: git credential-hf configure --file FILE")
        .into()),
    }
}

/// The path on the first line that git prints, if it prints one.
fn path_from_git(arguments: &[&str]) -> Option<PathBuf> {
    let told = run::ask(arguments).ok()??;
    let line = told.lines().next().filter(|line| !line.is_empty())?;
    Some(PathBuf::from(line))
}

/// The value for `helper =`: the bare name if it is found in the system's default PATH, which is all
/// that some programs have (cron, editors started from a menu), or else the absolute path.
pub(crate) fn helper_value() -> Result<String> {
    let path = installed_path().ok_or_else(|| {
        Failure::new(format!("cannot find out where {PROGRAM} is installed"))
            .help("run it by its full path")
    })?;
    let same = |candidate: PathBuf| {
        fs::canonicalize(candidate)
            .ok()
            .is_some_and(|c| fs::canonicalize(&path).ok() == Some(c))
    };
    let system = ["/usr/bin", "/bin"];
    if cfg!(unix) && system.iter().any(|dir| same(Path::new(dir).join(PROGRAM))) {
        return Ok("hf".to_owned());
    }
    let name = path.file_stem().and_then(|stem| stem.to_str());
    let is_ours = |name: &str| match cfg!(windows) {
        true => name.eq_ignore_ascii_case(PROGRAM),
        false => name == PROGRAM,
    };
    if !name.is_some_and(is_ours) {
        let message = format!("this program must be called {PROGRAM} for git to find it");
        return Err(Failure::new(message).into());
    }
    let text = path.to_str().ok_or_else(|| {
        Failure::new(format!(
            "{} cannot be written to git's configuration",
            path.display()
        ))
    })?;
    Ok(quote_helper(text))
}

/// This program's path as it was installed. Links are not resolved: a package manager may move their
/// target, and an upgrade must not leave git with a path that no longer exists.
pub(crate) fn installed_path() -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    if called.components().count() > 1 {
        let path = std::path::absolute(called).ok()?;
        return Some(executable::file(&path));
    }
    on_path(PROGRAM).or_else(|| std::env::current_exe().ok())
}
