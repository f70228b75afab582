//! The programs that wait for this one, read once from their command lines: who asks, what git is
//! about to do, and which place is in use where git's request does not say.
//!
//! Git's own HTTP transport asks a second time within one command only after a refusal. Other
//! programs, which ask through `git credential fill`, repeat what they were told for no such
//! reason (git-lfs 3.6), so it matters who asks.
//!
//! Without a path git's request names a host only, and nothing in its environment says more. But
//! git and git-lfs hand the remote and its URL on as arguments: `git-remote-https NAME URL` for
//! every fetch and push, `git-lfs pre-push NAME URL` for what git-lfs and its transfer agents
//! (git-xet) upload.
//!
//! What is read here only chooses among the user's own tokens for the very endpoint that asks.

use std::collections::HashSet;

use crate::git::processes::ancestors;
use crate::git::remotes::Remote;
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::location::parse_location;
use crate::model::operation::Operation;

/// Whether looking costs next to nothing here: elsewhere another program has to be run for it.
pub(crate) const IS_CHEAP: bool = cfg!(target_os = "linux");

/// How far up we look. Between git-lfs and us are git-xet, `git credential fill`, a shell, `git`.
const MAX_LEVELS: usize = 8;

/// What is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InUse {
    /// This very place.
    At(Location),
    /// The remote of this name.
    Remote {
        /// Its name.
        name: String,
        /// Whether it is written to.
        push: bool,
    },
}

/// The program that asks for a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Git's own HTTP transport, for a fetch or a push.
    GitTransport,
    /// Any other, `git credential fill` included.
    Other,
    /// It cannot be told here.
    Unknown,
}

/// The programs that have called this one and wait for it, the nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers(Vec<Program>);

/// A program by its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    /// Without its folder, and `git-remote-https` for `git remote-https`.
    name: String,
    arguments: Vec<String>,
}

impl Callers {
    /// Reads them; what is hidden, or has ended, ends the list.
    #[must_use]
    pub fn read() -> Self {
        let programs = ancestors(MAX_LEVELS);
        Self(programs.iter().map(|words| Program::parse(words)).collect())
    }

    /// Who asks. Between git and this program may be the shell and the `git` that git starts for
    /// a helper's bare name.
    #[must_use]
    pub(crate) fn asker(&self) -> Asker {
        let between =
            |program: &&Program| program.is_shell() || program.name == "git-credential-hf";
        match self.0.iter().find(|program| !between(program)) {
            None => Asker::Unknown,
            Some(program) if program.is_transport() => Asker::GitTransport,
            Some(_) => Asker::Other,
        }
    }

    /// What the nearest program that says so is about to do. Below `git-lfs pre-push` runs a
    /// `git ls-remote`, which fetches.
    #[must_use]
    pub(crate) fn operation(&self) -> Option<Operation> {
        self.0.iter().find_map(Program::operation)
    }

    /// What the nearest program that says so has in use.
    #[must_use]
    pub(crate) fn in_use(&self) -> Option<InUse> {
        self.0.iter().find_map(Program::in_use)
    }
}

impl Program {
    fn parse(words: &[String]) -> Self {
        let (first, rest) = words.split_first().map_or(("", &[][..]), |(f, r)| (f, r));
        let name = first.rsplit(['/', '\\']).next().unwrap_or_default();
        // On Windows the case of a program's name does not count.
        let lower = name.to_ascii_lowercase();
        let name = lower.strip_suffix(".exe").unwrap_or(name);
        match rest.split_first() {
            // Git starts its own programs so, without options in front of their names.
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

    /// What it is about to do, if its command says so.
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

    /// What the arguments say.
    fn in_use(&self) -> Option<InUse> {
        let mut given = self.arguments.iter().filter(|word| !word.starts_with('-'));
        if self.is_transport() {
            // NAME URL, or a URL alone.
            return place(given.next_back()?);
        }
        if self.name != "git-lfs" {
            return None;
        }
        let verb = given.next()?.as_str();
        let remote = given.next()?;
        match verb {
            "pre-push" => place(given.next()?).or_else(|| named(remote, true)),
            "push" => named(remote, true),
            "fetch" | "pull" => named(remote, false),
            _ => None,
        }
    }
}

/// The command among git's arguments, past the options of git itself, and what follows it.
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
    // Without a scheme it is a path or an ssh host.
    let url = Some(url).filter(|url| url.contains("://"))?;
    parse_location(url, &Endpoint::hugging_face())
        .ok()
        .map(InUse::At)
}

/// Where git-lfs takes a remote's name it takes a URL, too.
fn named(remote: &str, push: bool) -> Option<InUse> {
    if remote.contains("://") {
        return place(remote);
    }
    Some(InUse::Remote {
        name: remote.to_owned(),
        push,
    })
}

/// The places on an endpoint that a request without a path may be about: what is in use, where
/// that is known, else all that the remotes name. They are not even looked up where they do not
/// count.
///
/// # Errors
/// When they were looked up, and that failed.
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
    if let Some(InUse::Remote { name, push }) = used
        && found.iter().any(|remote| remote.name == *name)
    {
        found.retain(|remote| remote.name == *name);
        // With a URL for pushing only, that one; and never for anything else.
        let wanted = *push && found.iter().any(|remote| remote.push);
        found.retain(|remote| remote.push == wanted);
    }
    let mut seen = HashSet::new();
    found.retain(|remote| seen.insert(&remote.location));
    let places = found.into_iter().map(|remote| remote.location.clone());
    Ok(places.collect())
}

#[cfg(test)]
#[path = "calling_process_tests.rs"]
mod tests;
