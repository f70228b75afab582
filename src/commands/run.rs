//! `run`: runs a command with `HF_TOKEN` set to the token that git would get.

use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::app::{Context, choice};
use crate::system::{process, trace};
use crate::terminal::Failure;

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Run a command with HF_TOKEN set to the token that git would get",
    long_about = "\
Sets HF_TOKEN for one command, so that git-xet, the hf CLI and Python use the token that git uses.
Exits with the exit code of the command.",
    after_help = "\
Examples:
  git credential-hf run --for acme/x -- hf download acme/x
  cd some-clone && git credential-hf run -- python train.py"
)]
pub(crate) struct Args {
    /// A repo or a URL; by default, the current repository
    #[arg(long = "for", value_name = "REPO")]
    pub(crate) repo: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Runs the command in place of this process, or ends with its exit code.
///
/// # Errors
/// When there is no token, or the command cannot be started.
pub(crate) fn run(run: &Args) -> Result<()> {
    let [program, arguments @ ..] = run.command.as_slice() else {
        return Err(Failure::new("there is no command to run").into());
    };
    let context = Context::with_config()?;
    let location = choice::place(&context, run.repo.as_deref())?;
    let state = context.state_file.load()?;
    let (candidate, loaded) = choice::token_for(&context, &state, &location)?;
    trace::line(|| {
        format!(
            "running a command with {}",
            context.describe(&candidate, &state)
        )
    });
    let mut command = Command::new(process::find(program.as_ref()));
    command
        .args(arguments)
        .env("HF_TOKEN", loaded.secret.expose())
        .env_remove("HUGGING_FACE_HUB_TOKEN")
        // With this set, the hf CLI would prefer a token of its own to HF_TOKEN.
        .env_remove("HF_OIDC_RESOURCE");
    // The command sends HF_TOKEN to HF_ENDPOINT, so that must be the token's endpoint.
    if location.endpoint.is_hugging_face() {
        command.env_remove("HF_ENDPOINT");
    } else {
        command.env("HF_ENDPOINT", location.endpoint.to_string());
    }
    start(command, program)
}

#[cfg(unix)]
fn start(mut command: Command, program: &std::ffi::OsStr) -> Result<()> {
    use std::os::unix::process::CommandExt;
    crate::system::hardening::restore();
    // Some programs behave differently under different names.
    command.arg0(program);
    // Returns only when it fails.
    let error = command.exec();
    cannot_start(program, &error)
}

#[cfg(not(unix))]
fn start(mut command: Command, program: &std::ffi::OsStr) -> Result<()> {
    // Ctrl-C reaches the command as well, which decides what it means. It must not end this process,
    // for which the caller waits.
    let _ = ctrlc::set_handler(|| {});
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => cannot_start(program, &error),
    }
}

/// The exit codes that shells and env(1) use for a command that cannot be run.
fn cannot_start(program: &std::ffi::OsStr, error: &std::io::Error) -> Result<()> {
    let failure = Failure::new(format!(
        "cannot run `{}`: {error}",
        program.to_string_lossy()
    ));
    let code = match error.kind() {
        std::io::ErrorKind::NotFound => 127,
        std::io::ErrorKind::PermissionDenied => 126,
        _ => return Err(failure.into()),
    };
    crate::terminal::print_error(&failure.into());
    std::process::exit(code);
}
