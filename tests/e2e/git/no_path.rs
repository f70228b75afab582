//! Callers that name no repo: `git credential fill` as tools run it, in every kind of folder.

use crate::hub::common::label;
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::{Machine, Output, with_each_git};

/// Tokens for acme, for umbrella and for the rest, and a clone of `acme/x` in `x`.
fn three_tokens(hub: &Hub, machine: &Machine) {
    for repo in ["acme/x", "acme/y", "umbrella/x"] {
        hub.add_repo(repo, true);
    }
    for (name, more) in [
        ("acme", ["--for", "acme"].as_slice()),
        ("umbrella", &["--for", "umbrella"]),
        ("rest", &["--default"]),
    ] {
        let token = hub.add_token(name, &[("acme", Write), ("umbrella", Write)]);
        machine.login(name, &token, more);
    }
    machine.configure();
    machine
        .git(["clone", "--quiet", "https://huggingface.co/acme/x"])
        .ok();
}

/// Asks as git-xet does, with options of git before the command.
fn fill(machine: &Machine, dir: &str, options: &[&str], env: &[(&str, &str)]) -> Output {
    let command = options.iter().copied().chain(["credential", "fill"]);
    let run = machine.git(command).dir(dir).may_print_secret();
    let run = env
        .iter()
        .fold(run, |run, (key, value)| run.env(key, value));
    run.stdin("url=https://huggingface.co\n\n").ok()
}

/// Whose token an answer to git holds.
fn whose(hub: &Hub, filled: &Output) -> String {
    label(hub, filled).expect("a token")
}

/// Whose token it gets, without a word on stderr.
fn gets(hub: &Hub, machine: &Machine, dir: &str) -> String {
    let filled = fill(machine, dir, &[], &[]);
    assert!(filled.helper_lines().is_empty(), "{dir}: {filled}");
    whose(hub, &filled)
}

fn git(machine: &Machine, dir: &str, command: &str) {
    machine.git(command.split(' ')).dir(dir).ok();
}

#[test]
fn in_every_folder_that_belongs_to_a_clone() {
    with_each_git(three_tokens, |hub, machine| {
        let at = |dir: &str| gets(hub, machine, dir);
        assert_eq!(at("."), "rest");
        machine.write("x/sub/folder/file", "");
        git(machine, "x", "worktree add --quiet ../tree -b other");
        for dir in ["x", "x/sub/folder", "x/.git", "x/.git/refs/heads"] {
            assert_eq!(at(dir), "acme", "{dir}");
        }
        for dir in ["tree", "x/.git/worktrees/tree"] {
            assert_eq!(at(dir), "acme", "{dir}");
        }
        git(machine, ".", "clone --quiet --bare x bare");
        assert_eq!(at("bare"), "rest", "its remote is a folder");
        git(
            machine,
            "bare",
            "remote set-url origin https://huggingface.co/umbrella/x",
        );
        assert_eq!(at("bare"), "umbrella");
        git(machine, "bare", "worktree add --quiet ../bare-tree -b more");
        assert_eq!(at("bare-tree"), "umbrella");

        // Below the other one's clone, and of another organisation.
        git(
            machine,
            "x",
            "submodule --quiet add https://huggingface.co/umbrella/x nested",
        );
        for dir in ["x/nested", "x/.git/modules/nested"] {
            assert_eq!(at(dir), "umbrella", "{dir}");
        }
        assert_eq!(at("x"), "acme");
        git(
            machine,
            "x/nested",
            "worktree add --quiet ../../nested-tree -b n",
        );
        assert_eq!(at("nested-tree"), "umbrella");
    });
}

#[test]
fn a_folder_named_to_git() {
    with_each_git(three_tokens, |hub, machine| {
        let home = machine.home();
        let x = home.join("x").display().to_string();
        let folder = format!("{x}/.git");
        let by_option = format!("--git-dir={folder}");
        let no_env: &[(&str, &str)] = &[];
        for (dir, options, env) in [
            (".", ["-C", "x"].as_slice(), no_env),
            (".", &[by_option.as_str()], no_env),
            (".", &["--git-dir=x/.git", "--work-tree=x"], no_env),
            (".", &[], &[("GIT_DIR", folder.as_str())]),
            ("x", &[], &[("GIT_DIR", ".git")]),
            ("x", &[], &[("GIT_DIR", ".git"), ("GIT_WORK_TREE", ".")]),
        ] {
            let filled = fill(machine, dir, options, env);
            assert_eq!(whose(hub, &filled), "acme", "{dir} {options:?} {env:?}");
        }
        // A folder that is no repository is not left for another one around it.
        machine.write("x/empty/.keep", "");
        let elsewhere = fill(machine, "x", &[], &[("GIT_DIR", "empty")]);
        assert_eq!(whose(hub, &elsewhere), "rest");
    });
}

#[test]
fn remotes_that_agree_and_remotes_that_do_not() {
    with_each_git(three_tokens, |hub, machine| {
        let at = || gets(hub, machine, "x");
        git(machine, "x", "remote add fork https://hf.co/acme/y.git");
        assert_eq!(at(), "acme");
        // By ssh, in a folder, or on another host: none of these asks for a token of the Hub.
        git(machine, "x", "remote add ssh git@hf.co:umbrella/x");
        git(machine, "x", "remote add folder ../umbrella/x");
        git(
            machine,
            "x",
            "remote add mirror https://git.example.com/umbrella/x",
        );
        assert_eq!(at(), "acme");

        git(
            machine,
            "x",
            "remote add up https://huggingface.co/umbrella/x",
        );
        // What a branch follows is for fetching, and what is pushed to is another setting: a
        // request does not say which of them it is for.
        git(machine, "x", "config branch.main.remote up");
        let unsure = fill(machine, "x", &[], &[]);
        assert_eq!(whose(hub, &unsure), "rest");
        let line = unsure.helper_line();
        for word in ["acme/x", "umbrella/x", "GIT_CREDENTIAL_HF_TOKEN_NAME"] {
            assert!(line.contains(word), "{unsure}");
        }
        let named = fill(
            machine,
            "x",
            &[],
            &[("GIT_CREDENTIAL_HF_TOKEN_NAME", "acme")],
        );
        assert_eq!(whose(hub, &named), "acme");
        assert!(named.helper_lines().is_empty(), "{named}");

        let explained = machine.helper(["explain", "https://huggingface.co"]);
        let explained = explained.dir("x").ok().stdout;
        for word in ["no repo in particular", "umbrella/x", "→  rest "] {
            assert!(explained.contains(word), "{explained}");
        }
        git(machine, "x", "remote remove up");
        let explained = machine.helper(["explain", "https://huggingface.co"]);
        let explained = explained.dir("x").ok().stdout;
        for word in ["acme/x on", "rule `acme`", "from the remotes of"] {
            assert!(explained.contains(word), "{explained}");
        }
    });
}

#[test]
fn remotes_as_git_rewrites_them() {
    with_each_git(three_tokens, |hub, machine| {
        let at = || gets(hub, machine, "x");
        let set = |key: &str, value: &str| {
            machine.git(["config", key, value]).dir("x").ok();
        };
        git(machine, "x", "remote set-url origin up:x");
        assert_eq!(at(), "rest");
        set("url.https://huggingface.co/umbrella/.insteadOf", "up:");
        assert_eq!(at(), "umbrella");
        let rewritten = machine.git(["remote", "get-url", "origin"]).dir("x").ok();
        assert_eq!(
            rewritten.stdout.trim(),
            "https://huggingface.co/umbrella/x",
            "what git itself makes of it"
        );
        // Written to another place than it is read from.
        set("url.https://huggingface.co/acme/.pushInsteadOf", "up:");
        let unsure = fill(machine, "x", &[], &[]);
        assert_eq!(whose(hub, &unsure), "rest");
        assert!(unsure.helper_line().contains("umbrella/x"), "{unsure}");
        // With a push URL of its own, pushInsteadOf counts no more.
        set("remote.origin.pushUrl", "up:x");
        assert_eq!(at(), "umbrella");
        // The same repo, written to as somebody else.
        set(
            "remote.origin.pushUrl",
            "https://acme@huggingface.co/umbrella/x",
        );
        let unsure = fill(machine, "x", &[], &[]);
        assert_eq!(whose(hub, &unsure), "rest");
        assert!(
            unsure.helper_line().contains("different usernames"),
            "{unsure}"
        );
        // Both as the same.
        git(
            machine,
            "x",
            "remote set-url origin https://acme@huggingface.co/umbrella/x",
        );
        assert_eq!(at(), "acme");
    });
}

#[test]
fn remotes_that_are_configured_elsewhere() {
    with_each_git(three_tokens, |hub, machine| {
        git(machine, ".", "init --quiet plain");
        assert_eq!(gets(hub, machine, "plain"), "rest");
        machine.write(
            "work.gitconfig",
            "[remote \"origin\"]\n\turl = https://huggingface.co/umbrella/x\n",
        );
        let condition = format!(
            "includeIf.gitdir:{}.path",
            machine.home().join("plain/").display()
        );
        let include = machine.home().join("work.gitconfig");
        let include = include.to_str().expect("a UTF-8 path");
        machine
            .git(["config", "--global", &condition, include])
            .ok();
        assert_eq!(gets(hub, machine, "plain"), "umbrella");
        assert_eq!(gets(hub, machine, "x"), "acme");
        // For one command only.
        let once = ["-c", "remote.origin.url=https://huggingface.co/acme/y"];
        assert_eq!(whose(hub, &fill(machine, "x", &once, &[])), "acme");

        // Each worktree its own.
        git(machine, "x", "config extensions.worktreeConfig true");
        git(machine, "x", "worktree add --quiet ../tree -b other");
        git(
            machine,
            "tree",
            "config --worktree remote.origin.url https://huggingface.co/umbrella/x",
        );
        git(machine, "x", "config --unset remote.origin.url");
        assert_eq!(gets(hub, machine, "tree"), "umbrella");
        assert_eq!(gets(hub, machine, "x"), "rest");
    });
}

#[test]
fn what_git_does_not_trust_is_not_read() {
    with_each_git(three_tokens, |hub, machine| {
        let refused = [("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")];
        let status = machine.git(["status"]).dir("x");
        status
            .env(refused[0].0, refused[0].1)
            .fails()
            .says(&["dubious"]);
        let filled = fill(machine, "x", &[], &refused);
        assert_eq!(whose(hub, &filled), "rest");
        assert!(filled.helper_lines().is_empty(), "{filled}");
        machine
            .git(["config", "--global", "safe.directory", "*"])
            .ok();
        assert_eq!(whose(hub, &fill(machine, "x", &[], &refused)), "acme");
        // Only folders that are given by name.
        let strict = ["-c", "safe.bareRepository=explicit"];
        assert_eq!(whose(hub, &fill(machine, "x", &strict, &[])), "acme");
        git(
            machine,
            ".",
            "clone --quiet --bare https://huggingface.co/acme/y",
        );
        assert_eq!(whose(hub, &fill(machine, "y.git", &strict, &[])), "rest");
        assert_eq!(gets(hub, machine, "y.git"), "acme");
    });
}
