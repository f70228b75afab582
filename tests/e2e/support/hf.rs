//! The real hf CLI, in a virtual environment that the tests make once and keep beside the build.

use super::machine::{Machine, Run};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The version that the facts about its files were read in. A newer one is tried by changing
/// this line, not by chance.
const PACKAGE: &str = "huggingface_hub==2.4.0";

/// Where `hf` is; `None` where it cannot be had, with a word about it. Like any other missing
/// tool that is a failure under `GIT_CREDENTIAL_HF_TESTS_ALL=1`.
pub fn hf() -> Option<PathBuf> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| match make() {
        Ok(program) => Some(program),
        Err(words) => {
            eprintln!("skipped: the hf CLI cannot be had here: {words}");
            None
        }
    });
    let all = std::env::var_os("GIT_CREDENTIAL_HF_TESTS_ALL").is_some_and(|value| value == "1");
    assert!(made.is_some() || !all, "the hf CLI cannot be had");
    made.clone()
}

fn make() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE.replace("==", "-"));
    let (program, done) = (folder.join("bin/hf"), folder.join("done"));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // Two test programs at once: one makes it, the other waits.
    let lock = File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !done.exists() {
        let _ = fs::remove_dir_all(&folder);
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let install = ["-m", "pip", "install", "--quiet", "--no-input", PACKAGE];
        run(Command::new(folder.join("bin/python")).args(install))?;
        File::create(&done).map_err(|error| error.to_string())?;
    }
    Ok(program)
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

impl Machine {
    /// The hf CLI with these arguments, with the Hub as its only network.
    pub fn hf<'a>(&self, program: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Run<'_> {
        let ca = self.hub_ca();
        self.command(program, arguments)
            .env("SSL_CERT_FILE", ca)
            .env("HF_HUB_DISABLE_UPDATE_CHECK", "1")
            .env("HF_HUB_DISABLE_TELEMETRY", "1")
    }
}
