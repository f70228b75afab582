//! Faults at exactly one system call: strace runs the helper once to see which calls change
//! anything, and then again for each of them, with a kill or an error in its place.

use super::machine::{Machine, Output, Run};
use super::tools::find;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

/// Calls by which a program changes files, or talks to others. A kernel that has no call of that
/// name does without.
pub const CALLS: &[&str] = &[
    "openat",
    "write",
    "pwrite64",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "fchmod",
    "fchmodat",
    "fchown",
    "fsync",
    "fdatasync",
    "ftruncate",
    "flock",
    "sendto",
    "sendmsg",
    "recvfrom",
    "recvmsg",
];

const HELPER: &str = "git-credential-hf";

/// What the threads of the network write to wake each other, which is no file.
const WAKES: &str = "\"\\1\\0\\0\\0\\0\\0\\0\\0\", 8)";

/// Calls by which the outside world is changed without a file.
const TALK: &[&str] = &["sendto", "sendmsg", "recvfrom", "recvmsg"];

/// What goes wrong at a [`Point`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// `kill -9` before the call is carried out, which is also after the one before.
    Kill,
    /// The call fails with this error.
    Error(&'static str),
}

/// What a fault has hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hit {
    /// The call that was meant.
    Point,
    /// The message about an error: another one that came first, or this fault in another thread.
    Words,
    /// No call: there were fewer of that kind this time.
    Nothing,
}

/// One call of one kind in a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub call: String,
    /// Counted from 1, by threads.
    pub nth: usize,
    /// What it is about, for messages.
    pub shown: String,
    /// It is certainly about a file, and can fail as such.
    pub of_a_file: bool,
}

/// A run of the helper: its arguments and its input.
#[derive(Clone, Debug)]
pub struct Action {
    pub arguments: Vec<String>,
    pub stdin: String,
    /// Git's own transport starts it.
    by_git: bool,
}

impl Action {
    pub fn new(arguments: &[&str], stdin: impl Into<String>) -> Action {
        Action {
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            stdin: stdin.into(),
            by_git: false,
        }
    }

    /// As git's own transport would run it. That is strace by another name, since strace is the
    /// program that waits for the helper here.
    pub fn by_git(mut self) -> Action {
        self.by_git = true;
        self
    }

    /// As a user would run it.
    pub fn plain<'m>(&self, machine: &'m Machine) -> Run<'m> {
        let run = if self.by_git {
            let quiet = ["-f", "-e", "trace=none", "-o", "/dev/null", "--", HELPER];
            let arguments = quiet
                .into_iter()
                .chain(self.arguments.iter().map(String::as_str));
            machine.command(self.strace(machine), arguments)
        } else {
            machine.helper(&self.arguments)
        };
        run.may_print_secret().stdin(&self.stdin)
    }

    fn strace(&self, machine: &Machine) -> PathBuf {
        if !self.by_git {
            return PathBuf::from("strace");
        }
        let named = machine
            .home()
            .with_extension("transport")
            .join("git-remote-https");
        if !named.exists() {
            let folder = named.parent().expect("a folder");
            fs::create_dir_all(folder).expect("make the folder");
            let strace = find("strace").expect("strace");
            std::os::unix::fs::symlink(strace, &named).expect("name strace");
        }
        named
    }

    /// Runs it to its end, and finds the calls that change anything.
    pub fn points(&self, machine: &Machine) -> Vec<Point> {
        let calls: Vec<String> = CALLS.iter().map(|call| format!("?{call}")).collect();
        let trace = format!("trace={}", calls.join(","));
        let (_, log) = self.under_strace(machine, &["--seccomp-bpf", "-e", &trace]);
        points_in(&log)
    }

    /// Runs it with a fault at a point, and says what that hit.
    pub fn with_fault(&self, machine: &Machine, point: &Point, fault: Fault) -> (Output, Hit) {
        let Point { call, nth, .. } = point;
        let what = match fault {
            Fault::Kill => "signal=KILL".to_owned(),
            Fault::Error(name) => format!("error={name}"),
        };
        let inject = format!("inject={call}:{what}:when={nth}");
        let trace = format!("trace={call}");
        let mut options = vec!["-e", &trace, "-e", &inject];
        // Without it strace stops at every call, but with it a kill does not always come to pass.
        if fault != Fault::Kill {
            options.push("--seccomp-bpf");
        }
        let (output, log) = self.under_strace(machine, &options);
        let hit = match fault {
            Fault::Kill if output.code == 128 + 9 => Hit::Point,
            Fault::Kill => Hit::Nothing,
            Fault::Error(_) => {
                // Strace counts for each thread, so a fault may come to pass in more than one.
                let mut hits = log.lines().filter(|line| line.contains("(INJECTED)"));
                if hits.clone().any(|line| line.contains("write(2, ")) {
                    Hit::Words
                } else if hits.next().is_some() {
                    Hit::Point
                } else {
                    Hit::Nothing
                }
            }
        };
        (output, hit)
    }

    /// Runs it to its end, and gives what strace has seen.
    fn under_strace(&self, machine: &Machine, options: &[&str]) -> (Output, String) {
        let log = machine.home().with_extension("strace");
        let log_name = log.to_str().expect("a UTF-8 path");
        let fixed = ["-f", "-e", "signal=none", "-s", "80", "-o", log_name];
        let helper = ["--", HELPER];
        let all = fixed.iter().chain(options).chain(&helper).copied();
        let arguments = all.chain(self.arguments.iter().map(String::as_str));
        let run = machine
            .command(self.strace(machine), arguments)
            .may_print_secret();
        let output = run.stdin(&self.stdin).run();
        let seen = fs::read(&log).expect("the log of strace");
        fs::remove_file(&log).expect("remove the log");
        (output, String::from_utf8_lossy(&seen).into_owned())
    }
}

/// The calls in a log that change anything, from the first file on that is written: before it
/// nothing can be half done.
fn points_in(log: &str) -> Vec<Point> {
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    let mut found = BTreeSet::new();
    let (mut begun, mut threads) = (false, false);
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else {
            continue;
        };
        if !CALLS.contains(&call) {
            continue;
        }
        let count = counts.entry((thread, call)).or_default();
        *count += 1;
        let wakes = call == "write" && arguments.contains(WAKES);
        threads |= wakes;
        let reads = call == "openat" && !arguments.contains("O_CREAT");
        // Half of all attempts to receive come too early.
        if reads || wakes || arguments.contains("EAGAIN") {
            continue;
        }
        begun |= call != "write" && !TALK.contains(&call);
        let to_terminal = ["1, ", "2, "].iter().any(|fd| arguments.starts_with(fd));
        if begun {
            found.insert(Point {
                call: call.to_owned(),
                nth: *count,
                shown: arguments.chars().take(100).collect(),
                of_a_file: !(TALK.contains(&call) || call == "write" && to_terminal),
            });
        }
    }
    // The same call of two threads is one point: whichever thread comes there first.
    let mut points: Vec<Point> = found.into_iter().collect();
    points.dedup_by(|a, b| (&a.call, a.nth) == (&b.call, b.nth));
    for point in &mut points {
        point.of_a_file &= !(threads && point.call == "write");
    }
    points
}

impl Point {
    /// Whether something is different after it: what is received changes nothing elsewhere.
    pub fn changes(&self) -> bool {
        !self.call.starts_with("recv")
    }

    /// Whether it is a call that fails when a disk is full.
    pub fn needs_space(&self) -> bool {
        self.of_a_file && !self.call.starts_with("unlink") && self.call != "flock"
    }

    /// Whether it is a word with another process.
    pub fn is_talk(&self) -> bool {
        TALK.contains(&self.call.as_str())
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{} {}: {}", self.call, self.nth, self.shown)
    }
}
