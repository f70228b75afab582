//! `check` against git's own verdict, over configurations that decide which login git uses, if any;
//! and that what it advises changes the verdict.

mod desk;
mod rows;

use crate::support::tools::gits;
use desk::*;
use rows::Then::{Helped, Open};
use rows::*;
use std::fs;

#[test]
fn check_says_what_git_does() {
    for Row {
        what,
        push,
        set,
        says,
        then,
    } in ROWS
    {
        // What git reports changes what is known, so each has a machine of its own.
        let [told, asked] = [(); 2].map(|()| {
            let desk = Desk::new();
            set(&desk);
            desk
        });
        let works = told.gits_verdict(*push);
        let said = asked.check(*push);
        let code = if *then == Open { 3 } else { i32::from(!works) };
        assert_eq!(said.code, code, "{what}: git works: {works}, {said}");
        for words in *says {
            assert!(
                said.stdout.contains(words),
                "{what}: {words:?} is not in {said}"
            );
        }
        assert_eq!(said.stderr, "", "{what}: {said}");
        if *then == Helped {
            asked.follow(&said);
            let again = asked.check(*push);
            assert_eq!(again.code, 0, "{what}, after what was advised: {again}");
            assert!(
                again.stdout.contains("with token `work`"),
                "{what}: {again}"
            );
        }
    }
}

#[test]
fn explain_and_the_request_itself_name_the_line_too() {
    let desk = Desk::new();
    desk.config("credential.username", "nobody");
    let said = desk.machine.helper(["explain"]).dir("x").ok().stdout;
    assert!(
        said.contains("git asks with the username `nobody`"),
        "{said}"
    );
    assert!(
        said.contains("remove `credential.username` from "),
        "{said}"
    );
    let failed = desk.machine.git(["fetch"]).dir("x").fails();
    let line = failed.helper_line();
    assert!(
        line.contains("the username that git's configuration gives"),
        "{line}"
    );
    assert!(line.contains("home/.gitconfig, line "), "{line}");
    desk.machine
        .helper(["token"])
        .dir("x")
        .fails()
        .says(&["home/.gitconfig, line "]);
    desk.config("credential.username", "reader");
    for command in [["token"].as_slice(), &["run", "--", "printenv", "HF_TOKEN"]] {
        let run = desk
            .machine
            .helper(command)
            .dir("x")
            .may_print_secret()
            .ok();
        assert_eq!(
            run.stdout.trim(),
            desk.hub.value_of("reader"),
            "{command:?}"
        );
    }
    // A username in the URL is the URL's.
    let url = "https://nobody@huggingface.co/acme/x";
    let said = desk.machine.helper(["explain", url]).ok().stdout;
    assert!(said.contains("the username in the URL"), "{said}");
    let failed = desk.machine.git(["ls-remote", url]).fails();
    assert!(
        failed.helper_line().contains("the username in the URL"),
        "{failed}"
    );
}

#[test]
fn a_reset_is_told_by_every_command_that_speaks_of_git() {
    let desk = Desk::new();
    desk.local("credential.helper", "");
    let words = "the empty `credential.helper` (.git/config, line ";
    let said = desk.machine.helper(["explain"]).dir("x").ok().stdout;
    assert!(said.contains(words), "{said}");
    let token = desk.machine.helper(["token"]).dir("x").may_print_secret();
    token.ok().says(&[words]);
    let run = desk.machine.helper(["run", "--", "true"]).dir("x");
    run.ok().says(&[words]);
    let said = desk
        .machine
        .helper(["doctor", "--offline"])
        .dir("x")
        .fails()
        .stdout;
    assert!(said.contains(words), "{said}");
    assert!(
        said.contains("= fix: git credential-hf configure --local"),
        "{said}"
    );
    desk.machine.helper(["configure", "--local"]).dir("x").ok();
    let said = desk
        .machine
        .helper(["doctor", "--offline"])
        .dir("x")
        .run()
        .stdout;
    assert!(!said.contains("keeps git from calling"), "{said}");
    // From git's own command line.
    let git = [
        "-c",
        "credential.helper=",
        "credential-hf",
        "check",
        "acme/x",
    ];
    let said = desk.machine.git(git).fails().stdout;
    assert!(
        said.contains("(git -c, or GIT_CONFIG_PARAMETERS)"),
        "{said}"
    );
}

#[test]
fn a_push_is_tried_without_a_commit_and_writes_nothing() {
    for git in gits() {
        let desk = Desk::new();
        let machine = desk.machine.with_git(&git);
        let head = desk.hub.head("acme/x");
        machine.git(["init", "--quiet", "new"]).ok();
        machine.git(["remote", "add", "origin", X]).dir("new").ok();
        machine
            .git(["config", "push.gpgSign", "true"])
            .dir("new")
            .ok();
        let files = || {
            let list = machine.command("find", [".", "-type", "f"]).dir("new").ok();
            list.stdout
        };
        let before = files();
        for dir in ["new", "."] {
            let said = machine.helper(["check", X, "--push"]).dir(dir).ok().stdout;
            assert!(
                said.starts_with("ok: push to acme/x works with token `work`"),
                "{said}"
            );
        }
        machine
            .git(["config", "credential.helper", ""])
            .dir("new")
            .ok();
        let said = machine
            .helper(["check", "--push"])
            .dir("new")
            .fails()
            .stdout;
        assert!(said.contains("(.git/config, line "), "{said}");
        assert_eq!(files(), before);
        assert_eq!(desk.hub.head("acme/x"), head);
        // A mirror takes no refspec, and its own settings count.
        machine
            .git(["config", "remote.origin.mirror", "true"])
            .dir("x")
            .ok();
        machine.helper(["check", "--push"]).dir("x").ok();
        let left = machine.home().parent().expect("the machine").join("run");
        let left: Vec<_> = fs::read_dir(left).expect("the runtime folder").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn several_repos_are_checked_at_once() {
    let desk = Desk::new();
    let check = ["check", "acme/x", "acme/open", "acme/typo"];
    let said = desk.machine.helper(check).fails();
    let lines: Vec<&str> = said
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!((said.code, lines.len()), (1, 3), "{said}");
    assert!(
        lines[1] == "ok: fetch from acme/open works with no token: it is public",
        "{said}"
    );
    // One that is not known does not hide one that is.
    for name in ["HTTPS_PROXY", "https_proxy"] {
        desk.machine.env(name, "http://127.0.0.1:1");
    }
    let said = desk
        .machine
        .helper(["check", "acme/x", "acme/open"])
        .fails();
    assert_eq!(said.code, 3, "{said}");
}
