//! `configure` and `unconfigure`: our block in git's configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::cli::Scope;
use crate::context::{Context, print};
use crate::endpoint::Endpoint;
use crate::files::{self, Lock};
use crate::git_config_file::{self, Unconfigured, quote_helper};
use crate::process::{self, output_within};
use crate::ui::Failure;

const PROGRAM: &str = "git-credential-hf";

/// Puts our block into git's configuration.
///
/// # Errors
/// When the file cannot be read as git would, or not be written.
pub fn configure(scope: &Scope) -> Result<()> {
    let context = Context::with_config()?;
    let mut endpoints = vec![
        Endpoint::hugging_face().to_string(),
        // The same Hub; git looks its configuration up by the host as typed.
        "https://hf.co".to_owned(),
    ];
    let others = context.config.endpoints.keys();
    endpoints.extend(
        others
            .filter(|e| !e.is_hugging_face())
            .map(ToString::to_string),
    );
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let helper = helper_value()?;
    let path = file(scope)?;
    let changed = edit(&path, |original| {
        let edited = git_config_file::configure(original, &endpoints, &helper)?;
        Ok(Edited::Write(edited))
    })?;
    let what = if changed {
        "now calls"
    } else {
        "already calls"
    };
    print(&format!(
        "git {what} `{helper}` for {} ({})\n",
        endpoints.join(", "),
        path.display()
    ))
}

/// Takes our block out again.
///
/// # Errors
/// When the file cannot be read as git would, or not be written.
pub fn unconfigure(scope: &Scope) -> Result<()> {
    let path = file(scope)?;
    let changed = edit(&path, |original| {
        let Some(original) = original else {
            return Ok(Edited::Write(Vec::new()));
        };
        let Unconfigured { bytes, delete_file } = git_config_file::unconfigure(original)?;
        Ok(if delete_file {
            Edited::Delete
        } else {
            Edited::Write(bytes)
        })
    })?;
    let what = if changed {
        "no longer calls"
    } else {
        "did not call"
    };
    print(&format!("git {what} this helper ({})\n", path.display()))
}

enum Edited {
    Write(Vec<u8>),
    Delete,
}

/// Edits one of git's files in git's own way: a lock file beside it, which other programs
/// respect, is filled and renamed over it. A link stays a link.
fn edit(
    path: &Path,
    change: impl FnOnce(Option<&[u8]>) -> Result<Edited, git_config_file::EditError>,
) -> Result<bool> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let shown = target.display().to_string();
    let cannot = |what: &str| format!("cannot {what} {shown}");
    if !target.exists()
        && let Some(dir) = target.parent()
    {
        fs::create_dir_all(dir).with_context(|| cannot("make the folder of"))?;
    }
    let mut lock_name = target.clone().into_os_string();
    lock_name.push(".lock");
    let _lock = LockFile::create(PathBuf::from(lock_name))?;
    let original = match files::read_plain(&target) {
        Ok(plain) => Some(plain.bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| cannot("read")),
    };
    let edited = change(original.as_deref()).with_context(|| cannot("change"))?;
    match edited {
        Edited::Delete => {
            fs::remove_file(&target).with_context(|| cannot("remove"))?;
            Ok(true)
        }
        Edited::Write(bytes) if bytes.as_slice() == original.as_deref().unwrap_or_default() => {
            Ok(false)
        }
        Edited::Write(bytes) => {
            files::write_whole(&target, &bytes, mode_of(&target))
                .with_context(|| cannot("write"))?;
            Ok(true)
        }
    }
}

/// What our lock on a file of git's points to.
const MARK: &str = "git-credential-hf";

/// Git's lock on a file: `FILE.lock`, made only if it is not there, removed at the end.
///
/// Git makes an empty file, which after a kill stays until a person removes it. Ours is a link
/// to nowhere with our name in it, which is there in one step; so one that a kill has left is
/// known for what it is and taken over. Who makes one holds a lock on the folder meanwhile.
struct LockFile {
    path: PathBuf,
    _turn: Option<Lock>,
}

impl LockFile {
    fn create(path: PathBuf) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let turn = Lock::of_folder(folder, files::LOCK_DEADLINE).ok();
        let mut made = make_lock(&path);
        let left = || fs::read_link(&path).is_ok_and(|to| to == Path::new(MARK));
        if turn.is_some() && made.is_err() && left() {
            made = fs::remove_file(&path).and_then(|()| make_lock(&path));
        }
        made.map_err(|error| {
            let failure = Failure::new(format!("cannot make {}: {error}", path.display()));
            if error.kind() == io::ErrorKind::AlreadyExists {
                failure.help("another git is changing this file; if none runs, remove that file")
            } else {
                failure
            }
        })?;
        Ok(Self { path, _turn: turn })
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn make_lock(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match std::os::unix::fs::symlink(MARK, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        done => return done,
    }
    // Where there are no links: as git does it.
    fs::File::options()
        .write(true)
        .create_new(true)
        .open(path)
        .map(drop)
}

/// The mode of the file as it is, or what git would give a new one.
#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use rustix::fs::Mode;
    use rustix::process::umask;
    use std::os::unix::fs::PermissionsExt;
    if let Ok(metadata) = fs::metadata(path) {
        return Some(metadata.permissions().mode());
    }
    let mask = umask(Mode::from_raw_mode(0o077));
    umask(mask);
    #[allow(
        clippy::useless_conversion,
        reason = "modes are shorter on other platforms"
    )]
    let mask = u32::from(mask.as_raw_mode());
    Some(0o666 & !mask)
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> Option<u32> {
    None
}

/// The file that `git config` would write with the same option.
fn file(scope: &Scope) -> Result<PathBuf> {
    if let Some(file) = &scope.file {
        return Ok(std::path::absolute(file)?);
    }
    if scope.local {
        return ask_git(&["rev-parse", "--git-path", "config"])
            .and_then(|path| Ok(std::path::absolute(path)?))
            .context(
                Failure::new("there is no repository here to configure")
                    .help("leave out --local to configure git for all your repositories"),
            );
    }
    if scope.system {
        if let Some(path) = set("GIT_CONFIG_SYSTEM") {
            return Ok(path);
        }
        // Newer gits say where it is; /etc is where distributions put it.
        return Ok(ask_git(&["var", "GIT_CONFIG_SYSTEM"])
            .ok()
            .filter(|path| path.is_absolute())
            .unwrap_or_else(|| PathBuf::from("/etc/gitconfig")));
    }
    global_file()
}

/// A path in a variable.
fn set(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(PathBuf::from(value))
}

/// Git's own order: `GIT_CONFIG_GLOBAL`, `~/.gitconfig`, and the XDG file only where it is
/// there and the other is not (git-config(1), "FILES").
fn global_file() -> Result<PathBuf> {
    if let Some(path) = set("GIT_CONFIG_GLOBAL") {
        return Ok(path);
    }
    let home = set("HOME")
        .or_else(|| directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()))
        .ok_or_else(|| Failure::new("this user has no home directory: name a file with --file"))?;
    let usual = home.join(".gitconfig");
    let xdg = set("XDG_CONFIG_HOME")
        .unwrap_or_else(|| home.join(".config"))
        .join("git/config");
    Ok(if !usual.exists() && xdg.exists() {
        xdg
    } else {
        usual
    })
}

fn ask_git(arguments: &[&str]) -> Result<PathBuf> {
    let mut command = process::command("git");
    command.args(arguments).stderr(Stdio::null());
    let output =
        output_within(command, Duration::from_secs(5), 64 * 1024).context("cannot run git")?;
    let text = String::from_utf8_lossy(&output.output);
    let line = text.lines().next().unwrap_or("");
    if !output.status.success() || line.is_empty() {
        return Err(Failure::new("git does not know").into());
    }
    Ok(PathBuf::from(line))
}

/// What stands behind `helper =`: the bare name where programs that get only the system's own
/// folders (mail clients, cron, editors started from a menu) would find it, else the path.
fn helper_value() -> Result<String> {
    let path = installed_path().ok_or_else(|| {
        Failure::new(format!("cannot tell where {PROGRAM} is installed"))
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
    if name != Some(PROGRAM) {
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

/// This program's path as it was installed. Links are not resolved: a package manager moves
/// what they point to, and an upgrade must not leave git with a path that is gone.
fn installed_path() -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    if called.components().count() > 1 {
        return std::path::absolute(called).ok();
    }
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(&name))
            .find(|file| file.is_file())
    });
    found.or_else(|| std::env::current_exe().ok())
}
