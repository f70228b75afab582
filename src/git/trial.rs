//! Lets git itself try a fetch or a push that changes nothing, with the user's configuration,
//! variables, helpers and proxies. Its success is the verdict. This helper's trace says whether its
//! token was used.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::git::run::{TIMEOUT, ask};
use crate::model::operation::Operation;
use crate::model::secret::redact;
use crate::model::text::one_line;
use crate::system::process::{self, output_of_all_within, output_within};
use crate::system::scratch::Scratch;
use crate::system::trace;

/// How long git may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much of what git prints is read, in bytes.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// How much of git's message is shown, in characters.
const LONGEST: usize = 400;

/// The branch that the push would create. Nobody has a branch of this name, so no history conflicts.
const BRANCH: &str = "refs/heads/git-credential-hf-check";

/// What `get` writes to the trace when git asks it, before the host.
pub(crate) const ASKED: &str = "git asks for a login to ";
/// What `get` writes when it answers; a subject, [`WITH`] and a token follow.
pub(crate) const ANSWERING: &str = "answering ";
/// See [`ANSWERING`].
pub(crate) const WITH: &str = " with ";
/// What `store` writes when a login was accepted, before its kind and last four characters.
pub(crate) const ACCEPTED: &str = "git says that a login was accepted: ";

/// What `erase` writes when a login was refused, before its kind and last four characters.
pub(crate) const REFUSED: &str = "git says that a login was refused: ";

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    /// It worked.
    Worked,
    /// It failed, with git's message.
    Failed(String),
    /// It did not finish in time.
    TooSlow,
    /// It could not be started.
    NotTried(String),
}

/// What git did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// How it ended.
    pub(crate) outcome: AttemptOutcome,
    /// Whether git called this helper.
    pub(crate) asked: bool,
    /// The tokens that this helper answered with, in words; all but the last were refused.
    pub(crate) answers: Vec<String>,
    /// Whether git reported a login that worked.
    pub(crate) accepted: bool,
    /// Whether git reported a login that was refused.
    pub(crate) refused: bool,
}

/// Lets git try. `place` is the name of a remote or a URL.
pub(crate) fn attempt(place: &str, operation: Operation) -> Attempt {
    let begun = Scratch::new()
        .map_err(|error| format!("cannot make a temporary folder: {error}"))
        .and_then(|scratch| Ok((command(place, operation, &scratch)?, scratch)));
    let (command, scratch) = match begun {
        Ok(begun) => begun,
        Err(why) => return Attempt::of(AttemptOutcome::NotTried(why), ""),
    };
    let log = scratch.path().join("trace");
    let outcome = run(command, &scratch, &log);
    let traced = std::fs::read_to_string(&log).unwrap_or_default();
    Attempt::of(outcome, &traced)
}

fn run(mut command: Command, scratch: &Scratch, log: &Path) -> AttemptOutcome {
    let errors = scratch.path().join("errors");
    let stderr = match File::create(&errors) {
        Ok(file) => file,
        Err(error) => {
            return AttemptOutcome::NotTried(format!("cannot write a temporary file: {error}"));
        }
    };
    command
        .stderr(stderr)
        .env("GIT_CREDENTIAL_HF_TRACE", log)
        // Neither git, ssh nor another helper may ask anything.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "")
        .env("SSH_ASKPASS", "false")
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("GCM_INTERACTIVE", "never")
        // Git's messages are recognised by their first word.
        .env("LC_ALL", "C")
        .env_remove("LANGUAGE")
        // These traces may contain secrets, and are not needed.
        .env_remove("GIT_TRACE_CURL")
        .env_remove("GIT_CURL_VERBOSE");
    match output_of_all_within(command, PATIENCE, MAX_OUTPUT) {
        Ok(finished) if finished.status.success() => AttemptOutcome::Worked,
        Ok(_) => {
            let said = std::fs::read(&errors).unwrap_or_default();
            AttemptOutcome::Failed(words(&String::from_utf8_lossy(&said)))
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => AttemptOutcome::TooSlow,
        Err(error) => AttemptOutcome::NotTried(cannot_run(&error)),
    }
}

fn cannot_run(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "git was not found on PATH".to_owned(),
        _ => format!("git could not be run: {error}"),
    }
}

/// The command, which runs in the user's directory. It is not made by [`process::command`], since
/// the secrets in the environment must reach git.
fn command(place: &str, operation: Operation, scratch: &Scratch) -> Result<Command, String> {
    let mut command = Command::new("git");
    if operation == Operation::Fetch {
        command.args(["ls-remote", "--quiet", "--", place, "HEAD"]);
        return Ok(command);
    }
    let mut source = "HEAD".to_owned();
    if answer(&["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])?.is_none() {
        let repository = Temporary::make(scratch)?;
        repository.used_by(&mut command, answer(&["rev-parse", "--git-dir"])?.is_some());
        source = repository.commit;
    }
    if !place.contains("://") {
        // A mirror does not accept a single branch.
        command.args(["-c", &format!("remote.{place}.mirror=false")]);
    }
    let refspec = format!("{source}:{BRANCH}");
    command.args(["push", "--dry-run", "--no-verify"]).args([
        "--recurse-submodules=no",
        "--no-follow-tags",
        "--signed=no",
        "--",
        place,
        &refspec,
    ]);
    Ok(command)
}

fn answer(arguments: &[&str]) -> Result<Option<String>, String> {
    ask(arguments).map_err(|error| error.to_string())
}

/// A repository with one empty commit, for a push from where there is none.
struct Temporary {
    folder: PathBuf,
    commit: String,
}

impl Temporary {
    fn make(scratch: &Scratch) -> Result<Self, String> {
        let folder = scratch.path().join("repository");
        let git = |arguments: &[&str]| -> Result<String, String> {
            let mut command = process::command("git");
            command
                .args(arguments)
                .stderr(std::process::Stdio::null())
                .env("GIT_DIR", &folder)
                .env("GIT_DEFAULT_HASH", "sha1");
            for variable in OF_A_REPOSITORY {
                command.env_remove(variable);
            }
            for who in ["AUTHOR", "COMMITTER"] {
                command
                    .env(format!("GIT_{who}_NAME"), "git-credential-hf")
                    .env(format!("GIT_{who}_EMAIL"), "check@localhost")
                    .env(format!("GIT_{who}_DATE"), "1700000000 +0000");
            }
            let finished = output_within(command, TIMEOUT, MAX_OUTPUT);
            let finished = finished.map_err(|error| cannot_run(&error))?;
            if !finished.status.success() {
                return Err("git could not make a temporary repository".to_owned());
            }
            let text = String::from_utf8_lossy(&finished.output);
            Ok(text.trim().to_owned())
        };
        git(&["init", "--quiet", "--bare", "--template="])?;
        let tree = git(&["mktree"])?;
        let commit = git(&["commit-tree", "--no-gpg-sign", "-m", "check", &tree])?;
        Ok(Self { folder, commit })
    }

    /// Lets a command push from it. In a repository without a commit, whose configuration counts, the
    /// temporary commit is used there; outside a repository, the temporary repository itself.
    fn used_by(&self, command: &mut Command, in_repository: bool) {
        if !in_repository {
            command.env("GIT_DIR", &self.folder);
            for variable in OF_A_REPOSITORY {
                command.env_remove(variable);
            }
            return;
        }
        const MORE: &str = "GIT_ALTERNATE_OBJECT_DIRECTORIES";
        let objects = self.folder.join("objects");
        let before = std::env::var_os(MORE).unwrap_or_default();
        let all = std::env::split_paths(&before).filter(|path| !path.as_os_str().is_empty());
        let all = std::env::join_paths(all.chain([objects.clone()]));
        command.env(MORE, all.unwrap_or_else(|_| objects.into()));
    }
}

/// The variables that make git see another repository than `GIT_DIR` says.
const OF_A_REPOSITORY: [&str; 4] = [
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
];

impl Attempt {
    fn of(outcome: AttemptOutcome, traced: &str) -> Self {
        let mut attempt = Self {
            outcome,
            asked: false,
            answers: Vec::new(),
            accepted: false,
            refused: false,
        };
        for line in traced.lines() {
            trace::line(|| format!("in the attempt: {line}"));
            // The message follows `git-credential-hf[PID]: `.
            let Some((_, said)) = line.split_once(": ") else {
                continue;
            };
            attempt.asked |= said.starts_with(ASKED);
            attempt.accepted |= said.starts_with(ACCEPTED);
            attempt.refused |= said.starts_with(REFUSED);
            let answer = said.strip_prefix(ANSWERING);
            if let Some((_, token)) = answer.and_then(|rest| rest.split_once(WITH)) {
                attempt.answers.push(token.to_owned());
            }
        }
        attempt
    }
}

/// What git and the Hub say about a failure, without traces and this helper's own lines.
fn words(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| {
        ["remote: ", "fatal: ", "error: "]
            .iter()
            .any(|word| line.starts_with(word))
    });
    let mut told: Vec<String> = Vec::new();
    for line in lines.map(one_line) {
        if !told.contains(&line) {
            told.push(line);
        }
    }
    redact(&told.join("; ")).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_trace_tells() {
        let traced = "git-credential-hf[1]: git asks for a login to huggingface.co\n\
                      git-credential-hf[1]: candidate 1: token `a` (x)\n\
                      git-credential-hf[1]: answering acme/x on huggingface.co with token `a` (hf_…aaaa), chosen because it is the default token\n\
                      git-credential-hf[2]: git asks for a login to huggingface.co\n\
                      git-credential-hf[2]: answering acme/x on huggingface.co with token `b` (hf_…bbbb), chosen because its scopes cover acme\n\
                      git-credential-hf[3]: git says that a login was accepted: hf_…bbbb\n";
        let attempt = Attempt::of(AttemptOutcome::Worked, traced);
        let token = "token `b` (hf_…bbbb), chosen because its scopes cover acme";
        assert_eq!(attempt.answers.last().map(String::as_str), Some(token));
        assert!(attempt.asked && attempt.accepted);
        let none = Attempt::of(AttemptOutcome::Worked, "");
        assert!(!none.asked && !none.accepted && none.answers.is_empty());
    }

    #[test]
    fn what_git_says_is_kept_short_and_without_secrets() {
        let token = format!("hf_{}", "aB3".repeat(12));
        let said = format!(
            "12:00 trace: x\ngit-credential-hf: no token\nremote: Forbidden\x1b[2J {token}\n\
             remote: Forbidden\x1b[2J {token}\nfatal: unable to access 'https://hf.co/acme/x/'\n"
        );
        let words = words(&said);
        assert!(words.starts_with("remote: Forbidden"), "{words}");
        assert!(words.ends_with("; fatal: unable to access 'https://hf.co/acme/x/'"));
        assert!(!words.contains(&token) && !words.contains('\x1b'));
    }
}
