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

use std::collections::{HashMap, HashSet};

use crate::git::remotes::Remote;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::repo::Location;
use crate::model::repo::parse_location;

/// Whether looking costs next to nothing here: elsewhere another program has to be run for it.
pub const IS_CHEAP: bool = cfg!(target_os = "linux");

/// How far up we look. Between git-lfs and us are git-xet, `git credential fill`, a shell, `git`.
const MAX_LEVELS: usize = 8;

/// What is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InUse {
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
pub enum Asker {
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
        let mut parent = parent();
        let table = if IS_CHEAP { None } else { Some(processes()) };
        let mut programs = Vec::new();
        while programs.len() < MAX_LEVELS {
            let process = match &table {
                Some(table) => table.get(&parent).cloned(),
                None => process(parent),
            };
            let Some(Process { words, parent: up }) = process else {
                break;
            };
            programs.push(Program::parse(&words));
            parent = up;
        }
        Self(programs)
    }

    /// Who asks. Between git and this program may be the shell and the `git` that git starts for
    /// a helper's bare name.
    #[must_use]
    pub fn asker(&self) -> Asker {
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
    pub fn operation(&self) -> Option<Operation> {
        self.0.iter().find_map(Program::operation)
    }

    /// What the nearest program that says so has in use.
    #[must_use]
    pub fn in_use(&self) -> Option<InUse> {
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
pub fn places<'a, E>(
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

/// A running program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    words: Vec<String>,
    parent: u32,
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// Nobody is looked at.
#[cfg(not(unix))]
fn parent() -> u32 {
    0
}

/// One program, from Linux's `/proc`; `None` where it is hidden or has ended.
fn process(id: u32) -> Option<Process> {
    use std::io::Read;
    // Real ones are short; what a person typed need not be.
    const MAX_WORDS: u64 = 128 * 1024;
    let read = |file: &str| {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(format!("/proc/{id}/{file}")).ok()?;
        file.take(MAX_WORDS).read_to_end(&mut bytes).ok()?;
        // What was cut off may be the URL.
        if bytes.len() as u64 == MAX_WORDS {
            bytes.clear();
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    // `ID (NAME) STATE PARENT ..`, where the name may hold anything.
    let stat = read("stat")?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
    let words = read("cmdline")?;
    let words = words.strip_suffix('\0').unwrap_or(&words);
    Some(Process {
        words: words.split('\0').map(str::to_owned).collect(),
        parent: parent.parse().ok()?,
    })
}

/// All programs, from `ps`, which every other Unix has.
#[cfg(unix)]
fn processes() -> HashMap<u32, Process> {
    use std::process::Stdio;
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
    const MAX_OUTPUT: u64 = 8 * 1024 * 1024;
    let mut command = crate::system::process::command("ps");
    command
        .args(["-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="])
        .stderr(Stdio::null());
    match crate::system::process::output_within(command, TIMEOUT, MAX_OUTPUT) {
        Ok(finished) => table(&String::from_utf8_lossy(&finished.output)),
        Err(_) => HashMap::new(),
    }
}

#[cfg(not(unix))]
fn processes() -> HashMap<u32, Process> {
    HashMap::new()
}

/// Reads lines of `ID PARENT WORDS..`. `ps` does not tell where a word ends that has a space in
/// it; names of remotes and URLs have none.
#[cfg(unix)]
fn table(listing: &str) -> HashMap<u32, Process> {
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let id = words.next()?.parse().ok()?;
        let parent = words.next()?.parse().ok()?;
        let words = words.collect();
        Some((id, Process { words, parent }))
    };
    listing.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn said(line: &str) -> String {
        match Program::parse(&words(line)).in_use() {
            None => "-".to_owned(),
            Some(InUse::Remote { name, push: true }) => format!("push {name}"),
            Some(InUse::Remote { name, push: false }) => format!("fetch {name}"),
            Some(InUse::At(place)) => {
                let user = place.username.map_or_else(String::new, |u| format!("{u}@"));
                format!("{user}{}/{}", place.endpoint, place.path)
            }
        }
    }

    #[test]
    fn what_programs_have_in_use() {
        const X: &str = "https://huggingface.co/acme/x";
        for (line, expected) in [
            (format!("/usr/lib/git-core/git-remote-https origin {X}"), X),
            (format!("git-remote-https {X} {X}"), X),
            (format!("git-remote-https {X}"), X),
            (format!("git remote-https origin {X}"), X),
            (format!("git lfs pre-push origin {X}"), X),
            (
                "git-remote-https up https://work@HF.co/acme/x.git/".to_owned(),
                "work@https://huggingface.co/acme/x.git",
            ),
            (
                "git-remote-http up http://127.0.0.1:8080/acme/x".to_owned(),
                "http://127.0.0.1:8080/acme/x",
            ),
            (format!("git-lfs pre-push origin {X}"), X),
            (format!("git-lfs pre-push --dry-run {X} {X}"), X),
            ("git-lfs push origin main".to_owned(), "push origin"),
            ("git-lfs push --all up".to_owned(), "push up"),
            (format!("git-lfs push {X} main"), X),
            ("git-lfs fetch up".to_owned(), "fetch up"),
            ("/usr/bin/git-lfs pull up".to_owned(), "fetch up"),
            // By ssh: git asks no helper there, but git-xet may.
            (
                "git-lfs pre-push origin git@hf.co:acme/x".to_owned(),
                "push origin",
            ),
        ] {
            assert_eq!(said(&line), expected, "{line}");
        }
    }

    #[test]
    fn what_says_nothing() {
        for line in [
            "",
            "git fetch https://huggingface.co/acme/x",
            "git-remote-https",
            "git-remote-https origin",
            "git-remote-https origin ssh://git@hf.co/acme/x",
            "git-lfs",
            "git-lfs push",
            "git-lfs filter-process",
            "git-lfs smudge -- a.bin",
            "git-lfs pre-push",
            "git-lfs pre-push origin",
            "vi git-lfs pre-push origin https://huggingface.co/acme/x",
            "my-git-lfs push origin",
        ] {
            assert_eq!(said(line), "-", "{line}");
        }
    }

    #[test]
    fn what_programs_are_about_to_do() {
        const X: &str = "https://huggingface.co/acme/x";
        // The nearest program first; what each line of callers comes to.
        for (lines, expected) in [
            (&["git push"][..], "push"),
            (&["git -C /srv/repo push origin main"], "push"),
            (
                &["/usr/bin/git -c a.b=c --git-dir /x --no-pager push"],
                "push",
            ),
            (&["git --git-dir=/x fetch"], "fetch"),
            (
                &["git clone --depth 1 https://huggingface.co/acme/x"],
                "fetch",
            ),
            (&["git pull"], "fetch"),
            (&["git submodule update --init"], "fetch"),
            (&["git remote update"], "fetch"),
            (&["/usr/libexec/git-core/git-push origin"], "push"),
            (&["C:\\Git\\cmd\\GIT.EXE push"], "push"),
            (
                &["C:/Git/git-lfs.exe pre-push origin https://hf.co/acme/x"],
                "push",
            ),
            (
                &["git-remote-https origin https://hf.co/acme/x", "git push"],
                "push",
            ),
            (
                &["git remote-https origin https://hf.co/acme/x", "git fetch"],
                "fetch",
            ),
            // The wrapper of a bare helper name, an alias, a shell alias, a hook.
            (
                &[
                    "git credential-hf get",
                    "sh -c git_credential-hf_get",
                    "git-remote-https origin https://hf.co/acme/x",
                    "git remote-https origin https://hf.co/acme/x",
                    "git push",
                    "git publish",
                ],
                "push",
            ),
            (
                &[
                    "git-remote-https o x",
                    "git push",
                    "sh -c git_push",
                    "git up",
                ],
                "push",
            ),
            (
                &[
                    "git-remote-https o x",
                    "git fetch",
                    "sh pre-push",
                    "git push",
                ],
                "fetch",
            ),
            // git-lfs, git-xet below it, and a `git ls-remote` below it.
            (
                &["git-lfs pre-push origin url", "sh pre-push", "git push"],
                "push",
            ),
            (
                &[
                    "git credential fill",
                    "git-xet transfer",
                    "sh -c git-xet",
                    "git-lfs push origin",
                ],
                "push",
            ),
            (
                &[
                    "git-remote-https o x",
                    "git ls-remote",
                    "git-lfs pre-push o x",
                ],
                "fetch",
            ),
            (&["git lfs push origin main"], "push"),
            (&["git -C x lfs --debug pull"], "fetch"),
            (&["git-lfs smudge -- a.bin", "git checkout push"], "fetch"),
            (&["git-lfs filter-process", "git checkout main"], "fetch"),
            (
                &[
                    "git credential fill",
                    "git-lfs filter-process",
                    "git clone url",
                ],
                "fetch",
            ),
            // A folder, a remote and a branch of such names.
            (&["git -C push fetch"], "fetch"),
            (&["git fetch push push"], "fetch"),
            (&["git checkout push"], "-"),
            (&["git -c push"], "-"),
            (&["git"], "-"),
            (&["git --exec-path"], "-"),
            (&["push"], "-"),
            (&["vi git-lfs pre-push"], "-"),
            (&["sh -c git push"], "-"),
            (&["my-git push"], "-"),
            (&["git credential fill", "python -m dvc push"], "-"),
            (&["git-lfs"], "-"),
            (&["git-lfs version"], "-"),
            (&[""], "-"),
            (&[], "-"),
        ] {
            let programs = lines.iter().map(|line| Program::parse(&words(line)));
            let operation = Callers(programs.collect()).operation();
            let said = operation.map_or_else(|| "-".to_owned(), |it| it.to_string());
            assert_eq!(said, expected, "{lines:?}");
        }
        // A folder of that name is part of one word where the system tells words apart.
        let folder = ["/home/me/git-lfs pre-push/bin/editor", "x"].map(str::to_owned);
        assert_eq!(Program::parse(&folder).operation(), None);
        // The place in use and the operation come out of one reading.
        let both = Program::parse(&words(&format!("git-lfs pre-push origin {X}")));
        assert!(both.in_use().is_some() && both.operation().is_some());
    }

    #[test]
    fn who_asks() {
        use Asker::{GitTransport, Other, Unknown};
        const TRANSPORT: &str = "/usr/lib/git-core/git-remote-https origin https://hf.co/acme/x";
        for (lines, expected) in [
            (&[TRANSPORT][..], GitTransport),
            (
                &["git-remote-http up http://127.0.0.1:8080/acme/x"],
                GitTransport,
            ),
            (
                &["git remote-https up https://hf.co/acme/x", "git push"],
                GitTransport,
            ),
            (
                &[
                    "git credential-hf get",
                    "sh -c git credential-hf get",
                    TRANSPORT,
                ],
                GitTransport,
            ),
            (
                &["/bin/sh -c /opt/git-credential-hf get", TRANSPORT],
                GitTransport,
            ),
            (&["/usr/bin/git credential-hf get", TRANSPORT], GitTransport),
            (
                &["git credential fill", "git-lfs pre-push origin url"],
                Other,
            ),
            // Git's transport further up does not ask.
            (
                &[
                    "git credential-hf get",
                    "git credential fill",
                    "git-lfs smudge",
                    TRANSPORT,
                ],
                Other,
            ),
            (&["git push"], Other),
            (&["git clone https://hf.co/acme/x", TRANSPORT], Other),
            (&["/home/me/wrapper get", TRANSPORT], Other),
            (&["sh /home/me/wrapper get", TRANSPORT], Other),
            (&["bash"], Other),
            (&["cargo fetch"], Other),
            (&[""], Other),
            (&["my-git-remote-https origin url"], Other),
            (&["git -c x=y remote-https origin url"], Other),
            (
                &["git credential-hf get", "sh -c git credential-hf get"],
                Unknown,
            ),
            (&[], Unknown),
        ] {
            let programs = lines.iter().map(|line| Program::parse(&words(line)));
            let callers = Callers(programs.collect());
            assert_eq!(callers.asker(), expected, "{lines:?}");
        }
    }

    #[test]
    fn places_in_use_and_all_others() {
        let hub = Endpoint::hugging_face();
        let remote = |name: &str, path: &str, push| Remote {
            name: name.to_owned(),
            location: parse_location(path, &hub).unwrap(),
            push,
        };
        let remotes = [
            remote("origin", "acme/x", false),
            remote("up", "umbrella/x", false),
            remote("up", "https://me@hf.co/umbrella/x", true),
            remote("again", "acme/x", false),
            remote("corp", "https://hub.corp.example/acme/z", false),
        ];
        let named = |name: &str, push| {
            Some(InUse::Remote {
                name: name.to_owned(),
                push,
            })
        };
        let all = "acme/x umbrella/x me@umbrella/x";
        for (used, expected) in [
            (None, all),
            (place("https://huggingface.co/other/y"), "other/y"),
            (place("https://me@hf.co/acme/x"), "me@acme/x"),
            // A remote elsewhere is not the one that asks.
            (place("https://hub.corp.example/acme/z"), all),
            (named("corp", true), all),
            (named("none", true), all),
            (named("origin", false), "acme/x"),
            (named("origin", true), "acme/x"),
            (named("up", false), "umbrella/x"),
            (named("up", true), "me@umbrella/x"),
        ] {
            let remotes = || Ok::<_, ()>(remotes.as_slice());
            let places = places(&hub, used.as_ref(), remotes).unwrap();
            let shown = places.iter().map(|place| match &place.username {
                Some(user) => format!("{user}@{}", place.path),
                None => place.path.clone(),
            });
            assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{used:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn listings_of_ps() {
        let table = table("    1     0 /sbin/init\n  17 1 git-lfs push  up\nx 1 y\n 18\n 19 17\n");
        let words = |id| table.get(&id).map(|p| (p.parent, p.words.join("|")));
        assert_eq!(words(17), Some((1, "git-lfs|push|up".to_owned())));
        assert_eq!(words(19), Some((17, String::new())));
        assert_eq!(table.len(), 3);
    }

    /// Both ways of asking the system tell the same of this very program.
    #[cfg(target_os = "linux")]
    #[test]
    fn this_program_and_its_parent() {
        let id = std::process::id();
        let this = process(id).unwrap();
        assert_eq!(this.parent, parent());
        assert_eq!(this.words.first(), std::env::args().next().as_ref());
        assert!(process(this.parent).is_some());
        // Without procps there is no ps, and nothing to compare.
        if let Some(listed) = processes().get(&id) {
            assert_eq!(*listed, this);
        }
    }
}
