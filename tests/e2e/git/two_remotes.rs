//! A clone with two remotes on the Hub that need different tokens: a fork and where it came from.

use crate::support::hub::Hub;
use crate::support::machine::{Machine, with_each_git};
use crate::support::user::{pushed_with, read_with};

const PATHS: &str = "credential.https://huggingface.co.useHttpPath";

/// A clone of `acme/x` with the remote `up` for `umbrella/x`, whose tokens work nowhere else.
/// Another repo is `other/z`.
fn two_remotes(hub: &Hub, machine: &Machine) {
    for repo in ["acme/x", "umbrella/x", "other/z"] {
        hub.add_repo(repo, true);
        let namespace = repo.split('/').next().expect("a namespace");
        machine.login_for(hub, namespace);
    }
    machine.configure();
    machine.git(["clone", "https://huggingface.co/acme/x"]).ok();
    let add = ["remote", "add", "up", "https://huggingface.co/umbrella/x"];
    machine.git(add).dir("x").ok();
}

/// Runs git in the clone, and checks whose tokens read and wrote.
fn git(hub: &Hub, machine: &Machine, command: &str, read: &[&str], pushed: &[&str]) {
    hub.clear_log();
    let done = machine.git(command.split(' ')).dir("x").ok();
    assert!(done.helper_lines().is_empty(), "{done}");
    let log = hub.log();
    assert!(read_with(&log).iter().eq(read.iter()), "{command}: {log:?}");
    assert!(
        pushed_with(&log).iter().eq(pushed.iter()),
        "{command}: {log:?}"
    );
}

/// What each remote is read and written with, whichever of them is named.
fn each_has_its_own(hub: &Hub, machine: &Machine) {
    let git = |command: &str, read: &[&str], pushed: &[&str]| {
        git(hub, machine, command, read, pushed);
    };
    git("fetch --all", &["acme", "umbrella"], &[]);
    git("fetch up", &["umbrella"], &[]);
    git("pull up main", &["umbrella"], &[]);
    git("fetch https://huggingface.co/other/z", &["other"], &[]);
    git(
        "ls-remote https://huggingface.co/other/z.git",
        &["other"],
        &[],
    );
    machine.write("x/new", "new");
    machine.commit_all("x");
    git("push up main", &[], &["umbrella"]);
    git("push", &[], &["acme"]);
    for repo in ["acme/x", "umbrella/x"] {
        let head = machine.git(["rev-parse", "HEAD"]).dir("x").ok().stdout;
        assert_eq!(head.trim(), hub.head(repo));
    }
    // Read here, written there.
    machine.write("x/newer", "newer");
    machine.commit_all("x");
    git("config remote.pushDefault up", &[], &[]);
    git("push", &[], &["umbrella"]);
    git("fetch", &["acme"], &[]);
    git("config --unset remote.pushDefault", &[], &[]);
    git(
        "remote set-url --push origin https://huggingface.co/umbrella/x",
        &[],
        &[],
    );
    git("push --force", &[], &["umbrella"]);
    git("fetch", &["acme"], &[]);
}

#[test]
fn each_has_its_own_token() {
    with_each_git(two_remotes, each_has_its_own);
}

/// Git's arguments tell which remote is in use, also where its request does not.
#[cfg(target_os = "linux")]
#[test]
fn also_where_git_sends_no_path() {
    with_each_git(two_remotes, |hub, machine| {
        machine.git(["config", "--global", PATHS, "false"]).ok();
        let trace = machine.home().join("trace");
        machine.env("GIT_CREDENTIAL_HF_TRACE", &trace);
        each_has_its_own(hub, machine);
        let trace = machine.read("trace");
        assert!(trace.contains("asked without a path"), "{trace}");
    });
}

#[test]
fn a_clone_without_a_path_goes_by_what_is_cloned() {
    with_each_git(two_remotes, |hub, machine| {
        machine.git(["config", "--global", PATHS, "false"]).ok();
        hub.clear_log();
        // In a folder of another one's clone, by another name, and rewritten.
        let short = "url.https://huggingface.co/umbrella/.insteadOf";
        machine.git(["config", "--global", short, "um:"]).ok();
        let clone = ["clone", "--origin", "up", "um:x", "within"];
        machine.git(clone).dir("x").ok();
        assert_eq!(hub.tokens_seen("/"), ["umbrella"]);
        machine.git(["fetch"]).dir("x/within").ok();
        machine
            .git(["clone", "--mirror", "https://huggingface.co/other/z"])
            .ok();
        machine.git(["remote", "update"]).dir("z.git").ok();
        assert_eq!(hub.tokens_seen("/"), ["umbrella", "other"]);
    });
}
