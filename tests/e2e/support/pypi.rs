//! What the tests take from PyPI: a virtual environment for each thing, made once and kept beside
//! the build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Something to install. The versions are pinned: a newer one is tried by changing a line in these
/// tests, not by chance.
pub struct Package {
    /// What a skipped test calls it.
    name: &'static str,
    /// Lines of a requirements file, with hashes where the whole of it is pinned.
    requirements: &'static str,
    /// Further arguments of `pip install`, which runs in the virtual environment's folder.
    options: &'static [&'static str],
    folder: OnceLock<Option<PathBuf>>,
}

impl Package {
    pub const fn new(
        name: &'static str,
        requirements: &'static str,
        options: &'static [&'static str],
    ) -> Package {
        Package {
            name,
            requirements,
            options,
            folder: OnceLock::new(),
        }
    }

    /// The virtual environment; `None` where it cannot be had, with a word about it. Like any other
    /// missing tool that is a failure under `GIT_CREDENTIAL_HF_TESTS_ALL=1`.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.folder.get_or_init(|| match self.make() {
            Ok(folder) => Some(folder),
            Err(words) => {
                eprintln!("skipped: {} cannot be had here: {words}", self.name);
                None
            }
        });
        let all = std::env::var_os("GIT_CREDENTIAL_HF_TESTS_ALL").is_some_and(|value| value == "1");
        assert!(folder.is_some() || !all, "{} cannot be had", self.name);
        folder.as_deref()
    }

    fn make(&self) -> Result<PathBuf, String> {
        let name = self.name.replace(' ', "-");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let (wanted, done) = (folder.join("requirements.txt"), folder.join("done"));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        // Two test programs at once: one makes it, the other waits.
        let lock = File::create(folder.with_extension("lock")).map_err(|e| e.to_string())?;
        lock.lock().map_err(|error| error.to_string())?;
        let made = fs::read_to_string(&done).is_ok_and(|done| done == self.requirements);
        if !made {
            let _ = fs::remove_dir_all(&folder);
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            fs::write(&wanted, self.requirements).map_err(|error| error.to_string())?;
            let install = ["-m", "pip", "install", "--quiet", "--no-input"];
            let from = ["--requirement", "requirements.txt"];
            let mut python = Command::new(folder.join("bin/python"));
            let python = python.current_dir(&folder);
            run(python.args(install).args(self.options).args(from))?;
            fs::write(&done, self.requirements).map_err(|error| error.to_string())?;
        }
        Ok(folder)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{shown}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{shown}: {}",
        said.trim().lines().last().unwrap_or("failed")
    ))
}
