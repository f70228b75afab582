//! Finds out, by the command lines of the calling programs, who asks, what git is about to do, and
//! which remote is in use if git's request does not say.
//!
//! Who asks matters because git's own HTTP transport asks a second time within one command only after
//! the Hub refused the first answer. Other programs, which ask through `git credential fill`, may repeat
//! our `state[]` for other reasons (git-lfs 3.6).
//!
//! Without a path, git's request names only a host, and nothing in the environment says more. But git
//! and git-lfs pass the remote and its URL as arguments: `git-remote-https NAME URL` for
//! every fetch and push, `git-lfs pre-push NAME URL` for what git-lfs and its transfer agents
//! (git-xet) upload.
//!
//! What is read here only selects among the user's own tokens for the endpoint that asks.

use std::collections::HashSet;

use crate::git::processes::ancestors;
use crate::git::remotes::{Remote, used_for};
use crate::model::endpoint::Endpoint;
use crate::model::location::{Location, parse_location};
use crate::model::operation::Operation;

/// Whether reading command lines is cheap: on other systems another program has to be run.
pub(crate) const IS_CHEAP: bool = cfg!(target_os = "linux");

/// How many levels are read. Between git-lfs and this program there may be git-xet, `git credential
/// fill`, a shell and `git`.
const MAX_LEVELS: usize = 8;

/// What is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InUse {
    /// This location.
    At(Location),
    /// The remote of this name.
    Remote {
        name: String,
        /// What is done with it.
        operation: Operation,
    },
}

/// The program that asks for a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Git's own HTTP transport, for a fetch or a push.
    GitTransport,
    /// Any other program, including `git credential fill`.
    Other,
    /// Not known.
    Unknown,
}

/// The calling programs, the nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers(Vec<Program>);

/// A program by its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    /// The program without its folder; `git remote-https` is `git-remote-https`.
    name: String,
    arguments: Vec<String>,
}

impl Callers {
    /// Reads the calling programs, up to the first one that is hidden or has ended.
    #[must_use]
    pub fn read() -> Self {
        let programs = ancestors(MAX_LEVELS);
        Self(programs.iter().map(|words| Program::parse(words)).collect())
    }

    /// Who asks. Between git and this program there may be the shell and the `git` that git starts
    /// for a bare helper name.
    pub(crate) fn asker(&self) -> Asker {
        let between =
            |program: &&Program| program.is_shell() || program.name == "git-credential-hf";
        match self.0.iter().find(|program| !between(program)) {
            None => Asker::Unknown,
            Some(program) if program.is_transport() => Asker::GitTransport,
            Some(_) => Asker::Other,
        }
    }

    /// The operation of the nearest program that has one. For example, `git-lfs pre-push` runs
    /// `git ls-remote`, which is a fetch.
    pub(crate) fn operation(&self) -> Option<Operation> {
        self.0.iter().find_map(Program::operation)
    }

    /// The remote in use, by the nearest program that names one.
    pub(crate) fn in_use(&self) -> Option<InUse> {
        self.0.iter().find_map(Program::in_use)
    }
}

impl Program {
    fn parse(words: &[String]) -> Self {
        let (first, rest) = words.split_first().map_or(("", &[][..]), |(f, r)| (f, r));
        let name = first.rsplit(['/', '\\']).next().unwrap_or_default();
        // On Windows the case of a program's name does not matter.
        let lower = name.to_ascii_lowercase();
        let name = lower.strip_suffix(".exe").unwrap_or(name);
        match rest.split_first() {
            // Git starts its own programs this way, without options before their names.
            Some((verb, arguments)) if name == "git" && !verb.starts_with('-') => Self {
                name: format!("git-{verb}"),
                arguments: arguments.to_vec(),
            },
            _ => Self {
                name: name.to_owned(),
                arguments: rest.to_vec(),
            },
        }
    }

    fn is_shell(&self) -> bool {
        const SHELLS: [&str; 6] = ["sh", "dash", "bash", "ash", "ksh", "zsh"];
        SHELLS.contains(&self.name.as_str()) && self.arguments.first().is_some_and(|a| a == "-c")
    }

    fn is_transport(&self) -> bool {
        matches!(self.name.as_str(), "git-remote-https" | "git-remote-http")
    }

    /// The operation, if the command has one.
    fn operation(&self) -> Option<Operation> {
        let arguments = self.arguments.as_slice();
        let (command, rest) = match self.name.strip_prefix("git-") {
            Some(command) => (command, arguments),
            None if self.name == "git" => command_of_git(arguments)?,
            None => return None,
        };
        if command == "lfs" {
            let command = rest.iter().find(|word| !word.starts_with('-'))?;
            return Operation::of_git_lfs(command);
        }
        Operation::of_git(command)
    }

    /// The remote in use, if the arguments name one.
    fn in_use(&self) -> Option<InUse> {
        let mut given = self.arguments.iter().filter(|word| !word.starts_with('-'));
        if self.is_transport() {
            // `NAME URL`, or only a URL.
            return place(given.next_back()?);
        }
        if self.name != "git-lfs" {
            return None;
        }
        let verb = given.next()?.as_str();
        let remote = given.next()?;
        match verb {
            "pre-push" => place(given.next()?).or_else(|| named(remote, Operation::Push)),
            "push" => named(remote, Operation::Push),
            "fetch" | "pull" => named(remote, Operation::Fetch),
            _ => None,
        }
    }
}

/// The command among git's arguments, after git's own options, and the arguments that follow it.
fn command_of_git(arguments: &[String]) -> Option<(&str, &[String])> {
    const TAKE_A_VALUE: [&str; 8] = [
        "-C",
        "-c",
        "--git-dir",
        "--work-tree",
        "--namespace",
        "--super-prefix",
        "--config-env",
        "--attr-source",
    ];
    let mut rest = arguments;
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        if TAKE_A_VALUE.contains(&first.as_str()) {
            rest = rest.get(1..)?;
        } else if !first.starts_with('-') {
            return Some((first, rest));
        }
    }
}

fn place(url: &str) -> Option<InUse> {
    // Without a scheme, this is a path or an ssh host.
    let url = Some(url).filter(|url| url.contains("://"))?;
    parse_location(url, &Endpoint::hugging_face())
        .ok()
        .map(InUse::At)
}

/// git-lfs accepts a URL wherever it accepts a remote's name.
fn named(remote: &str, operation: Operation) -> Option<InUse> {
    if remote.contains("://") {
        return place(remote);
    }
    Some(InUse::Remote {
        name: remote.to_owned(),
        operation,
    })
}

/// The locations on an endpoint that a request without a path may be for: the one in use, if known,
/// or else those of all remotes, which are looked up only if they are needed.
///
/// # Errors
/// When the remotes were needed and could not be read.
pub(crate) fn places<'a, E>(
    endpoint: &Endpoint,
    used: Option<&InUse>,
    remotes: impl FnOnce() -> Result<&'a [Remote], E>,
) -> Result<Vec<Location>, E> {
    if let Some(InUse::At(place)) = used
        && place.endpoint == *endpoint
    {
        return Ok(vec![place.clone()]);
    }
    let here = remotes()?
        .iter()
        .filter(|remote| remote.location.endpoint == *endpoint);
    let mut found: Vec<&Remote> = here.collect();
    if let Some(InUse::Remote { name, operation }) = used
        && found.iter().any(|remote| remote.name == *name)
    {
        found.retain(|remote| remote.name == *name);
        let operation = used_for(found.iter().copied(), *operation);
        found.retain(|remote| remote.operation == operation);
    }
    let mut seen = HashSet::new();
    found.retain(|remote| seen.insert(&remote.location));
    let places = found.into_iter().map(|remote| remote.location.clone());
    Ok(places.collect())
}

#[cfg(test)]
#[path = "calling_process_tests.rs"]
mod tests;
