//! git-xet, the Hub's transfer agent for git-lfs, which asks git for a token without naming the
//! repo. A stand-in does exactly what it does up to its storage; git and git-lfs are real.

use crate::hub::common::login;
use crate::support::git_lfs::{self, GitLfs};
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, fine_grained};
use crate::support::hub::{Hub, TokenSeen, XET_HOST};
use crate::support::machine::Machine;
use crate::support::tools::{Git, gits, need};
use crate::support::user::noise;
use serde_json::Value;
use std::fs::{self};

const X: &str = "https://huggingface.co/acme/x";
const UP: &str = "https://huggingface.co/umbrella/x";

/// git-lfs and git-xet installed, a token for each of two organisations that works nowhere else,
/// and a clone of `acme/x` with `umbrella/x` as its remote `up`.
fn with(pairs: impl IntoIterator<Item = (Git, GitLfs)>, test: impl Fn(&Hub, &Machine)) {
    if !need("python3") {
        return;
    }
    for (git, lfs) in pairs {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git).with_git_lfs(&lfs);
        for namespace in ["acme", "umbrella"] {
            hub.add_repo(&format!("{namespace}/x"), true);
            machine.login_for(&hub, namespace);
        }
        machine.configure();
        machine.program("git-xet", include_str!("../support/git-xet.py"));
        machine.env("XET_LOG", machine.home().join("xet.log"));
        machine.git(["xet", "install"]).ok();

        machine.git(["clone", X]).ok();
        machine.git(["remote", "add", "up", UP]).dir("x").ok();
        machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
        test(&hub, &machine);
    }
}

/// The newest git with each git-lfs.
fn newest() -> Vec<(Git, GitLfs)> {
    let newest = gits().swap_remove(0);
    let mut pairs = git_lfs::pairs();
    pairs.retain(|(git, _)| *git == newest);
    pairs
}

/// How many files are uploaded at once, each by an agent of its own.
const FILES: usize = 4;

/// Commits some large files that are in no commit yet.
fn commit_files(machine: &Machine, dir: &str, named: &str) {
    for number in 0..FILES {
        let mut bytes = noise(2000);
        bytes.extend(format!("{named}-{number}").into_bytes());
        machine.write(format!("{dir}/{named}-{number}.bin"), bytes);
    }
    machine.commit_all(dir);
}

/// Where the agent found its tokens since the last look.
fn sources(machine: &Machine) -> Vec<String> {
    let log = machine.read("xet.log");
    machine.write("xet.log", "");
    let source = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        line["source"].as_str().expect("a source").to_owned()
    };
    log.lines().map(source).collect()
}

/// With whose tokens git-xet asked for its storage.
fn uploaded_with(hub: &Hub) -> Vec<String> {
    hub.tokens_seen("/api/models/")
}

fn push(machine: &Machine, dir: &str, arguments: &[&str]) {
    let pushed = machine.git(arguments).dir(dir).ok();
    assert!(pushed.helper_lines().is_empty(), "{pushed}");
}

#[test]
fn an_upload_uses_the_token_of_the_remote_that_is_pushed_to() {
    with(git_lfs::pairs(), |hub, machine| {
        commit_files(machine, "x", "first");
        hub.clear_log();
        push(machine, "x", &["push", "origin", "main"]);
        assert_eq!(uploaded_with(hub), ["acme"]);
        assert_eq!(sources(machine), vec!["git"; FILES]);

        commit_files(machine, "x", "second");
        hub.clear_log();
        push(machine, "x", &["push", "up", "main"]);
        assert_eq!(uploaded_with(hub), ["umbrella"]);
        let log = hub.log();
        let mut stored = log.iter().filter(|entry| entry.host == XET_HOST);
        assert_eq!(stored.clone().count(), FILES);
        assert!(stored.all(|entry| entry.status == 200 && entry.token == TokenSeen::Unknown));
        // What arrived is what was sent.
        machine.git(["clone", UP, "copy"]).ok();
        let file = "second-3.bin";
        let [sent, arrived] = ["x", "copy"].map(|dir| {
            let path = machine.home().join(dir).join(file);
            fs::read(path).expect("the file")
        });
        assert_eq!(sent, arrived);
    });
}

#[test]
fn in_a_worktree_a_submodule_and_by_git_lfs_alone() {
    with(newest(), |hub, machine| {
        machine.commit_all("x");
        let tree = ["worktree", "add", "--quiet", "-b", "tree", "../tree"];
        machine.git(tree).dir("x").ok();
        let sub = ["submodule", "--quiet", "add", UP, "sub"];
        machine.git(sub).dir("x").ok();
        machine.git(["lfs", "track", "*.bin"]).dir("x/sub").ok();
        for (number, (dir, command, expected)) in [
            ("tree", "push up HEAD:refs/heads/new", "umbrella"),
            ("x/sub", "push origin HEAD:refs/heads/newer", "umbrella"),
            (".", "-C x push origin HEAD:refs/heads/new", "acme"),
            ("x", "lfs push up main", "umbrella"),
            ("x", "lfs push --all https://huggingface.co/acme/x", "acme"),
        ]
        .into_iter()
        .enumerate()
        {
            let clone = if dir == "." { "x" } else { dir };
            commit_files(machine, clone, &format!("change-{number}"));
            hub.clear_log();
            let arguments: Vec<&str> = command.split(' ').collect();
            push(machine, dir, &arguments);
            assert_eq!(uploaded_with(hub), [expected], "{dir}: {command}");
        }
    });
}

#[test]
fn what_git_xet_takes_before_it_asks_git() {
    with(newest(), |hub, machine| {
        let wrong = hub.add_token("wrong", &[("umbrella", Write)]);
        let push = || {
            hub.clear_log();
            machine.git(["push", "origin", "main"]).dir("x").run()
        };
        // Git itself goes by the rule, and git-xet by HF_TOKEN, even by an empty one.
        commit_files(machine, "x", "first");
        for (value, sent) in [(wrong.as_str(), ["wrong"].as_slice()), ("", &[])] {
            machine.env("HF_TOKEN", value);
            let failed = push().fails();
            assert!(failed.stderr.contains("xet-write-token"), "{failed}");
            assert_eq!(uploaded_with(hub), *sent);
            assert_eq!(hub.tokens_seen("/acme/x"), ["acme"]);
            assert_eq!(sources(machine), vec!["HF_TOKEN"; FILES]);
        }
        // What helps: HF_TOKEN is what git gets.
        let run = [
            "run", "--for", "acme/x", "--", "git", "push", "origin", "main",
        ];
        hub.clear_log();
        machine.helper(run).dir("x").ok();
        assert_eq!(uploaded_with(hub), ["acme"]);
        assert_eq!(sources(machine), vec!["HF_TOKEN"; FILES]);
        machine.unset("HF_TOKEN");

        commit_files(machine, "x", "second");
        let netrc = format!("machine huggingface.co login me password {wrong}\n");
        machine.write(".netrc", netrc);
        push().fails();
        // Git takes a netrc first, too.
        assert_eq!(hub.tokens_seen("/"), ["wrong"]);
        fs::remove_file(machine.home().join(".netrc")).expect("remove the netrc");

        let acme = hub.value_of("acme");
        let url = format!("https://me:{acme}@huggingface.co/acme/x");
        machine
            .git(["remote", "set-url", "origin", &url])
            .dir("x")
            .ok();
        push().ok();
        assert_eq!(uploaded_with(hub), ["acme"]);
        assert_eq!(sources(machine), vec!["url"; FILES]);
    });
}

/// It asks git for the token of every file, and then has no use for it.
#[test]
fn a_short_upload_asks_for_each_file_and_sends_no_token() {
    with(newest(), |hub, machine| {
        hub.give_fresh_xet_tokens();
        commit_files(machine, "x", "first");
        hub.clear_log();
        push(machine, "x", &["push", "origin", "main"]);
        assert_eq!(sources(machine), vec!["git"; FILES]);
        assert!(uploaded_with(hub).is_empty());
        let log = hub.log();
        let stored = log.iter().filter(|entry| entry.host == XET_HOST);
        assert_eq!(stored.count(), FILES);
    });
}

/// Nobody wrote a rule: git-xet says no more than a host, and the push above it is what counts.
#[test]
fn an_upload_uses_the_token_that_may_write() {
    with(git_lfs::pairs(), |hub, machine| {
        machine.helper(["unuse", "acme"]).ok();
        let whoami = WhoAmI::start(hub);
        for (name, right, permission) in [
            ("ro", Read, "repo.content.read"),
            ("fg", Write, "repo.write"),
        ] {
            let token = hub.add_token(name, &[("acme", right)]);
            whoami.says(name, fine_grained(&[("model", "acme/x", &[permission])]));
            login(machine, name, &token).ok();
        }
        commit_files(machine, "x", "first");
        hub.clear_log();
        push(machine, "x", &["push", "origin", "main"]);
        assert_eq!(uploaded_with(hub), ["fg"]);
        machine.git(["fetch", "origin"]).dir("x").ok();
        assert!(hub.tokens_seen("/acme/x").contains(&"ro".to_owned()));
    });
}

#[test]
fn without_a_token_the_push_ends_with_the_line_that_helps() {
    with(newest(), |hub, machine| {
        commit_files(machine, "x", "first");
        machine.helper(["unuse", "acme"]).ok();
        // Git has it from elsewhere, as it may for one command.
        let header = format!("Authorization: Bearer {}", hub.value_of("acme"));
        machine.write("once", format!("[http]\n\textraHeader = \"{header}\"\n"));
        let include = format!("include.path={}", machine.home().join("once").display());
        let failed = machine.git(["-c", &include, "push"]).dir("x").fails();
        for word in [
            "no token for acme/x",
            "git credential-hf login NAME --for acme",
        ] {
            assert!(failed.stderr.contains(word), "{failed}");
        }
        assert!(uploaded_with(hub).is_empty());
    });
}
