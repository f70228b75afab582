//! A push with git-lfs, for each git-lfs with each git: whatever the Hub answers besides a 401, a
//! good token is used, and is not taken for a rejected one.
//!
//! From 3.6 on git-lfs sends the `state[]` of an answer with every later request of its process,
//! after a success too. A helper that reads a refusal into that gives up a good token as soon as
//! git-lfs asks twice: after any answer to `locks/verify` but a 2xx, after a refused batch, and for
//! each request with `lfs.cachecredentials=false`.

use crate::support::git_lfs::{self, GitLfs};
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Logged, OBJECT_HOST};
use crate::support::machine::Machine;
use crate::support::tools::Git;
use crate::support::user::noise;
use std::fmt;

const X: &str = "https://huggingface.co/acme/x";

/// What is different from a push to a Hub that has locks and answers everything.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// `locks/verify` gets this status.
    Locks(u16),
    /// The first batch request, which nothing precedes (`lfs.locksverify=false`), gets this status.
    Batch(u16),
    /// git-lfs asks git for the token before each of its requests, and there are two batches.
    NotCached,
}

const ANSWERS: [Answer; 8] = [
    Answer::Locks(200),
    Answer::Locks(403),
    Answer::Locks(404),
    Answer::Locks(501),
    Answer::Batch(429),
    Answer::Batch(500),
    Answer::Batch(503),
    Answer::NotCached,
];

/// Where the tokens are.
#[derive(Clone, Copy, Debug)]
enum Tokens {
    One,
    /// The second one would be accepted as well, but another one is chosen for the repo.
    Two,
    /// In `HF_TOKEN`; nothing is stored.
    Environment,
    /// The hf CLI is logged in; nothing is stored.
    HfCli,
}

/// One cell of the table.
struct Cell {
    git: Git,
    lfs: GitLfs,
    answer: Answer,
    tokens: Tokens,
}

impl fmt::Display for Cell {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.git.version;
        let GitLfs { version, .. } = &self.lfs;
        let Cell { answer, tokens, .. } = self;
        write!(
            to,
            "git {major}.{minor}.{patch}, {version}, {answer:?}, {tokens:?}"
        )
    }
}

impl Cell {
    /// Pushes two large files from a fresh clone, then a third.
    fn run(&self) -> Result<(), String> {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub)
            .with_git(&self.git)
            .with_git_lfs(&self.lfs);
        self.put_tokens(&hub, &machine);
        machine.configure();
        machine.git(["clone", "--quiet", X]).ok();
        machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
        self.disturb(&hub, &machine);

        machine.write("x/one.bin", noise(1000));
        machine.write("x/two.bin", noise(2000));
        let uploaded = if self.ends_in_git_lfs() { 0 } else { 2 };
        self.judge(&hub, &machine, uploaded)?;
        machine.write("x/three.bin", noise(3000));
        self.judge(&hub, &machine, 3 - uploaded)
    }

    fn put_tokens(&self, hub: &Hub, machine: &Machine) {
        let token = |label| hub.add_token(label, &[("acme", Write)]);
        let right = token("right");
        match self.tokens {
            Tokens::Environment => machine.env("HF_TOKEN", right),
            Tokens::HfCli => machine.write(".cache/huggingface/token", right),
            Tokens::One => drop(machine.login("right", &right, &["--for", "acme"])),
            Tokens::Two => {
                machine.login("right", &right, &["--for", "acme"]);
                machine.login("other", &token("other"), &["--default"]);
            }
        }
    }

    fn disturb(&self, hub: &Hub, machine: &Machine) {
        let set = |key, value| drop(machine.git(["config", key, value]).dir("x").ok());
        hub.answer_locks_verify(200);
        match self.answer {
            Answer::Locks(status) => hub.answer_locks_verify(status),
            Answer::Batch(status) => {
                set("lfs.locksverify", "false");
                hub.refuse_next_batch(status);
            }
            Answer::NotCached => {
                set("lfs.cachecredentials", "false");
                set("lfs.transfer.batchSize", "1");
            }
        }
    }

    /// Whether git-lfs by itself gives up, and the push with it, with any helper.
    fn ends_in_git_lfs(&self) -> bool {
        match self.answer {
            Answer::Batch(429) => self.lfs.version.starts_with("git-lfs/3.3."),
            Answer::Batch(_) => true,
            Answer::Locks(_) | Answer::NotCached => false,
        }
    }

    /// Pushes, and says what is wrong if the push should have uploaded so many files; with none the
    /// push must fail, but not by the helper.
    fn judge(&self, hub: &Hub, machine: &Machine, files: usize) -> Result<(), String> {
        machine.commit_all("x");
        hub.clear_log();
        let pushed = machine.git(["push"]).dir("x").run();
        let log = hub.log();
        let upload = |entry: &&Logged| entry.method == "PUT" && entry.host == OBJECT_HOST;
        let listed = machine.helper(["list"]).ok();
        let facts = [
            ("the push ends well", (pushed.code == 0) == (files > 0)),
            ("the helper is silent", pushed.helper_lines().is_empty()),
            (
                "every file is uploaded",
                log.iter().filter(upload).count() == files,
            ),
            (
                "only the right token is used",
                hub.tokens_seen("/") == ["right"],
            ),
            ("no token is rejected", machine.rejections() == 0),
            ("none is listed so", !listed.stdout.contains("rejected")),
        ];
        let wrong = facts.iter().find(|(_, holds)| !holds);
        wrong.map_or(Ok(()), |(fact, _)| {
            let line = |it: &Logged| format!("{} {} {:?}\n", it.path, it.status, it.token);
            let log: String = log.iter().map(line).collect();
            Err(format!("{self}: it is not so that {fact}: {pushed}\n{log}"))
        })
    }
}

/// Runs each cell of the table for these tokens, and names those that failed.
fn run(tokens: Tokens) {
    let mut failed = Vec::new();
    for (git, lfs) in git_lfs::pairs() {
        for answer in ANSWERS {
            let (git, lfs) = (git.clone(), lfs.clone());
            let cell = Cell {
                git,
                lfs,
                answer,
                tokens,
            };
            failed.extend(cell.run().err());
        }
    }
    assert!(
        failed.is_empty(),
        "{} cells failed\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

#[test]
fn with_one_token() {
    run(Tokens::One);
}

#[test]
fn with_a_second_token_that_is_not_chosen() {
    run(Tokens::Two);
}

#[test]
fn with_hf_token_alone() {
    run(Tokens::Environment);
}

#[test]
fn with_the_login_of_the_hf_cli_alone() {
    run(Tokens::HfCli);
}
