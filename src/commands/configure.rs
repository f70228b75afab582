//! `configure` and `unconfigure`: our block in git's configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::app::Context;
use crate::config::Config;
use crate::git::config;
use crate::git::config_file;
use crate::git::config_file::Unconfigured;
use crate::git::config_file::quote_helper;
use crate::git::lock::GitLock;
use crate::model::endpoint::Endpoint;
use crate::system::files;
use crate::system::process;
use crate::system::process::on_path;
use crate::system::process::output_within;
use crate::terminal::Failure;
use crate::terminal::print;

/// Which of git's configuration files to change.
#[derive(Debug, Default, clap::Args)]
pub struct Scope {
    /// For all users of this machine
    #[arg(long, group = "where")]
    pub system: bool,
    /// For the repository at hand
    #[arg(long, group = "where")]
    pub local: bool,
    /// In this file
    #[arg(long, group = "where", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// What `configure` is given.
#[derive(Debug, Default, clap::Args)]
#[command(
    about = "Let git call this helper for the Hub",
    long_about = "\
Writes one block at the end of git's configuration file: for each Hub an empty `helper =`, so
that no other helper is handed the token, this helper, and `useHttpPath = true`, so that git says
which repository it asks for. Running it again changes nothing, or brings the block up to date.
`unconfigure` takes the block out again and leaves the file as it was, byte for byte.",
    after_help = "\
Examples:
  git credential-hf configure              for you (~/.gitconfig)
  git credential-hf configure --local      for the repository at hand
  git credential-hf configure --hf-cli     for `hf auth login --add-to-git-credential` too
  sudo git credential-hf configure --system"
)]
pub struct Args {
    /// Which file.
    #[command(flatten)]
    pub scope: Scope,
    /// Add a line that the hf CLI sees, so that `hf auth login --add-to-git-credential` hands its
    /// token to git; kept by later runs
    #[arg(long)]
    pub hf_cli: bool,
}

const PROGRAM: &str = "git-credential-hf";

/// Puts our block into git's configuration, and says so.
///
/// # Errors
/// When the file cannot be read as git would, or not be written.
pub fn configure(options: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let Configured {
        changed,
        helper,
        endpoints,
        path,
    } = apply(&context, options)?;
    let what = if changed {
        "now calls"
    } else {
        "already calls"
    };
    print(&format!(
        "git {what} `{helper}` for {} ({})\n",
        endpoints.join(", "),
        path.display()
    ))?;
    if !options.hf_cli && context.hf_cli().is_here() && hf_cli_sees_a_helper() == Some(false) {
        print(
            "`hf auth login --add-to-git-credential` does not see a helper set up for one Hub: \
             `git credential-hf configure --hf-cli` adds the line that it looks for\n",
        )?;
    }
    Ok(())
}

/// What git calls from now on.
#[derive(Debug)]
pub struct Configured {
    /// Whether the file was another before.
    pub changed: bool,
    /// Our helper as it stands there.
    pub helper: String,
    /// The endpoints it is called for.
    pub endpoints: Vec<String>,
    /// The file.
    pub path: PathBuf,
}

/// The endpoints that `configure` is for, as git looks them up.
#[must_use]
pub fn endpoints(config: &Config) -> Vec<String> {
    let mut endpoints = vec![
        Endpoint::hugging_face().to_string(),
        // The same Hub; git looks its configuration up by the host as typed.
        "https://hf.co".to_owned(),
    ];
    let others = config.endpoints.keys().filter(|e| !e.is_hugging_face());
    endpoints.extend(others.map(ToString::to_string));
    endpoints
}

/// Puts our block into git's configuration.
///
/// # Errors
/// When the file cannot be read as git would, or not be written.
pub fn apply(context: &Context, options: &Args) -> Result<Configured> {
    let endpoints = endpoints(&context.config);
    let urls: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let helper = helper_value()?;
    let path = file(&options.scope)?;
    let write = if options.hf_cli {
        config_file::configure_for_hf_cli
    } else {
        config_file::configure
    };
    let changed = edit(&path, |original| {
        Ok(Edited::Write(write(original, &urls, &helper)?))
    })?;
    Ok(Configured {
        changed,
        helper,
        endpoints,
        path,
    })
}

/// Whether the hf CLI would find a helper in git's configuration; `None` without git.
#[must_use]
pub fn hf_cli_sees_a_helper() -> Option<bool> {
    let entries = config::read(r"^credential\.helper$").ok()?;
    let mut values = entries.iter().map(config::Entry::text);
    Some(values.any(config_file::is_seen_by_hf_cli))
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
        let Unconfigured { bytes, delete_file } = config_file::unconfigure(original)?;
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
/// respect, is made, and the new file is renamed over the old one. A link stays a link, also one
/// whose target is not there yet.
fn edit(
    path: &Path,
    change: impl FnOnce(Option<&[u8]>) -> Result<Edited, config_file::EditError>,
) -> Result<bool> {
    let target = files::real_path(path)
        .with_context(|| format!("cannot tell where {} leads", path.display()))?;
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

/// The mode of the file as it is, or what git would give a new one.
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
/// When there is none: no home, or no repository for `--local`.
pub fn file(scope: &Scope) -> Result<PathBuf> {
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
    let home = files::home()
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
    on_path(PROGRAM).or_else(|| std::env::current_exe().ok())
}
