//! Large files, and what must not happen with them: loops, and tokens for storage hosts.

use crate::support::git_lfs;
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Logged, OBJECT_HOST, TokenSeen};
use crate::support::machine::{Machine, Output};
use crate::support::tools::Git;
use crate::support::user::noise;
use std::fs;
use std::time::{Duration, Instant};

const X: &str = "https://huggingface.co/acme/x";

/// A machine with the helper, for each git with each git-lfs.
fn with_each_pair(test: impl Fn(&Hub, &Machine, &Git)) {
    for (git, lfs) in git_lfs::pairs() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git).with_git_lfs(&lfs);
        machine.configure();
        test(&hub, &machine, &git);
    }
}

/// Clones acme/x, and commits a large file there.
fn commit_weights(machine: &Machine, bytes: &[u8]) {
    machine.git(["clone", X]).ok();
    machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
    machine.write("x/weights.bin", bytes);
    machine.commit_all("x");
}

/// A command that must fail, and soon: a loop of git-lfs does not end at all.
fn fails_soon(machine: &Machine, arguments: &[&str], dir: &str) -> Output {
    let start = Instant::now();
    let command = machine.git(arguments).dir(dir);
    let failed = command.timeout(Duration::from_secs(20)).fails();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "took {took:?}: {failed}");
    failed
}

fn below_lfs(log: &[Logged]) -> Vec<&Logged> {
    let lfs = |entry: &&Logged| entry.path.contains("/info/lfs/");
    log.iter().filter(lfs).collect()
}

#[test]
fn twenty_megabytes_are_pushed_and_cloned() {
    with_each_pair(|hub, machine, _| {
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme"]);
        let weights = noise(20_000_000);
        commit_weights(machine, &weights);
        machine.git(["push"]).dir("x").ok();
        machine.git(["clone", X, "copy"]).ok();
        let copied = fs::read(machine.home().join("copy/weights.bin")).expect("the large file");
        assert!(copied == weights, "the large file changed on its way");
        assert_eq!(hub.tokens_seen("/acme/x.git/info/lfs"), ["work"]);
        let log = hub.log();
        let mut objects = log.iter().filter(|entry| entry.host == OBJECT_HOST);
        assert!(objects.clone().count() >= 2);
        assert!(objects.all(|entry| entry.token == TokenSeen::None));
    });
}

#[test]
fn a_bad_hf_token_ends_git_lfs_at_once() {
    with_each_pair(|hub, machine, _| {
        let good = hub.add_token("good", &[("acme", Write)]);
        machine.env("HF_TOKEN", &good);
        commit_weights(machine, &noise(1000));
        machine.git(["push"]).dir("x").ok();
        let skip = machine.git(["clone", X, "copy"]);
        skip.env("GIT_LFS_SKIP_SMUDGE", "1").ok();
        machine.write("x/weights.bin", noise(2000));
        machine.commit_all("x");

        for (dir, command) in [
            ("x", ["lfs", "push", "origin", "main"].as_slice()),
            ("copy", &["lfs", "fetch"]),
            ("copy", &["lfs", "pull"]),
            ("x", &["lfs", "push", "--all", "origin"]),
        ] {
            // A new one each time: what was rejected a moment ago is not even sent.
            for bad in [hub.unknown_token(), hub.unknown_token()] {
                machine.forbid(&bad);
                machine.env("HF_TOKEN", &bad);
                for attempt in ["first", "second"] {
                    hub.clear_log();
                    let failed = fails_soon(machine, command, dir);
                    let log = hub.log();
                    let sent = below_lfs(&log).len();
                    assert!(
                        sent <= 8,
                        "{command:?}, {attempt}: {sent} requests, {failed}"
                    );
                    assert!(failed.stderr.contains("HF_TOKEN"), "{failed}");
                    let brought = |entry: &Logged| entry.token != TokenSeen::None;
                    let brought = log.iter().any(brought);
                    assert_eq!(brought, attempt == "first", "{command:?}: {log:?}");
                }
            }
        }
    });
}

#[test]
fn a_revoked_token_by_rule_does_not_loop_either() {
    with_each_pair(|hub, machine, _| {
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme"]);
        commit_weights(machine, &noise(1000));
        hub.revoke("work");
        hub.clear_log();
        let push = ["lfs", "push", "origin", "main"];
        let failed = fails_soon(machine, &push, "x");
        assert!(
            failed.stderr.contains("git credential-hf login work"),
            "{failed}"
        );
        assert!(below_lfs(&hub.log()).len() <= 8, "{:?}", hub.log());
    });
}

#[test]
fn a_revoked_token_costs_one_push_at_most_where_another_one_works() {
    with_each_pair(|hub, machine, git| {
        for (name, more) in [
            ("work", ["--for", "acme"].as_slice()),
            ("me", &["--default"]),
        ] {
            let token = hub.add_token(name, &[("acme", Write)]);
            machine.login(name, &token, more);
        }
        commit_weights(machine, &noise(1000));
        hub.revoke("work");
        hub.clear_log();
        let pushed = machine.git(["push"]).dir("x").run();
        // Git's own transport meets the refusal, before git-lfs is started.
        let refused = |entry: &&Logged| entry.status == 401 && entry.token != TokenSeen::None;
        assert_eq!(hub.log().iter().filter(refused).count(), 1, "{pushed}");
        if git.at_least(2, 46) {
            assert_eq!(pushed.code, 0, "{pushed}");
        } else {
            assert_ne!(pushed.code, 0, "{pushed}");
            hub.clear_log();
            machine.git(["push"]).dir("x").ok();
        }
        assert_eq!(hub.tokens_seen("/acme/x.git/info/lfs"), ["me"]);
    });
}

#[test]
fn without_any_token_git_lfs_does_not_loop() {
    with_each_pair(|hub, machine, _| {
        machine.env("HF_TOKEN", hub.add_token("good", &[("acme", Write)]));
        commit_weights(machine, &noise(1000));
        machine.unset("HF_TOKEN");
        hub.clear_log();
        fails_soon(machine, &["lfs", "push", "origin", "main"], "x");
        assert!(below_lfs(&hub.log()).len() <= 8, "{:?}", hub.log());
    });
}

#[test]
fn nor_where_the_state_cannot_be_written_or_read() {
    with_each_pair(|hub, machine, _| {
        machine.env("HF_TOKEN", hub.add_token("good", &[("acme", Write)]));
        commit_weights(machine, &noise(1000));
        let push = ["lfs", "push", "origin", "main"];
        // No folder can be made below a file; and a damaged state is left as it is.
        for data in ["/dev/null/data", "damaged"] {
            machine.write("damaged/git-credential-hf/state.json", "{");
            let data = machine.home().join(data);
            machine.env("XDG_DATA_HOME", data);
            let bad = hub.unknown_token();
            machine.forbid(&bad);
            machine.env("HF_TOKEN", &bad);
            hub.clear_log();
            fails_soon(machine, &push, "x");
            assert!(below_lfs(&hub.log()).len() <= 8, "{:?}", hub.log());
        }
        assert_eq!(machine.read("damaged/git-credential-hf/state.json"), "{");
    });
}

#[test]
fn git_lfs_goes_on_with_the_next_token() {
    with_each_pair(|hub, machine, _| {
        let token = hub.add_token("me", &[("acme", Write)]);
        machine.login("me", &token, &["--default"]);
        commit_weights(machine, &noise(1000));
        let bad = hub.unknown_token();
        machine.forbid(&bad);
        machine.env("HF_TOKEN", &bad);
        hub.clear_log();
        // git-lfs asks again after a refusal, with every git.
        machine.git(["lfs", "push", "origin", "main"]).dir("x").ok();
        assert_eq!(hub.tokens_seen("/acme/x.git/info/lfs"), ["me"]);
    });
}

#[test]
fn an_object_host_that_asks_gets_nothing() {
    with_each_pair(|hub, machine, _| {
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme", "--default"]);
        machine.env("HF_TOKEN", &token);
        commit_weights(machine, &noise(1000));
        hub.object_host_demands_auth();
        // With its usual eight retries, each later than the one before, it takes half a minute.
        let push = ["-c", "lfs.transfer.maxRetries=1", "push"];
        machine.git(push).dir("x").fails();
        let log = hub.log();
        let mut objects = log.iter().filter(|entry| entry.host == OBJECT_HOST);
        assert!(objects.clone().count() > 0);
        assert!(objects.all(|entry| entry.token == TokenSeen::None));
        // And nothing was held against the token for it.
        machine.git(["fetch"]).dir("x").ok();
    });
}
