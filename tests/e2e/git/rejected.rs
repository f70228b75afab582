//! A token that the Hub no longer takes: another one does the job, or one line says what to do.

use crate::support::hub::Right::{Read, Write};
use crate::support::hub::{Hub, Logged, TokenSeen};
use crate::support::machine::Machine;
use crate::support::tools::{Git, gits};
use crate::support::user::{noise, statuses};

const X: &str = "https://huggingface.co/acme/x";

/// The private repo acme/x, with tokens that may both read it: `work` by a rule, `me` by default.
fn two_tokens(git: &Git) -> (Hub, Machine) {
    let (hub, machine) = one_token(git);
    let token = hub.add_token("me", &[("acme", Write)]);
    machine.login("me", &token, &["--default"]);
    (hub, machine)
}

fn one_token(git: &Git) -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub).with_git(git);
    let token = hub.add_token("work", &[("acme", Read)]);
    machine.login("work", &token, &["--for", "acme"]);
    machine.configure();
    (hub, machine)
}

/// Gits that come back to the same helper after a refusal.
fn asks_again(git: &Git) -> bool {
    git.at_least(2, 46)
}

fn newest() -> Git {
    gits().swap_remove(0)
}

/// A program in git's place for questions, which leaves a mark when it is asked anything.
fn watch_for_prompts(machine: &Machine) -> impl Fn() -> bool {
    let asked = machine.home().join("asked");
    let script = format!("#!/bin/sh\ntouch '{}'\nexit 1\n", asked.display());
    machine.env("GIT_ASKPASS", machine.program("askpass", &script));
    move || asked.exists()
}

#[test]
fn a_revoked_token_does_not_fail_a_clone_that_another_can_do() {
    for git in gits().into_iter().filter(asks_again) {
        let (hub, machine) = two_tokens(&git);
        hub.revoke("work");
        let cloned = machine.git(["clone", X]).ok();
        assert_eq!(hub.tokens_seen("/"), ["work", "me"]);
        // One request more than with a good token.
        assert_eq!(statuses(&hub.log())[..3], [401, 401, 200]);
        let line = cloned.helper_line();
        for word in ["`work`", "rule `acme`", "rejected", "acme/x", "`me`"] {
            assert!(line.contains(word), "{word} is not in {line}");
        }

        hub.clear_log();
        let fetched = machine.git(["fetch"]).dir("x").ok();
        assert!(fetched.helper_lines().is_empty(), "{fetched}");
        assert_eq!(hub.tokens_seen("/"), ["me"]);
    }
}

#[test]
fn an_older_git_fails_once_with_one_line_and_then_works() {
    for git in gits().into_iter().filter(|git| !asks_again(git)) {
        let (hub, machine) = two_tokens(&git);
        let asked = watch_for_prompts(&machine);
        hub.revoke("work");
        let failed = machine.git(["clone", X]).fails();
        let line = failed.helper_line();
        for word in [
            "`work`",
            "rejected",
            "git credential-hf login work",
            "next git command",
            "`me`",
        ] {
            assert!(line.contains(word), "{word} is not in {line}");
        }
        assert_eq!(statuses(&hub.log()), [401, 401]);

        hub.clear_log();
        let cloned = machine.git(["clone", X]).ok();
        assert!(cloned.helper_lines().is_empty(), "{cloned}");
        assert_eq!(hub.tokens_seen("/"), ["me"]);
        assert!(!asked(), "git asked for a password");
    }
}

#[test]
fn a_single_revoked_token_ends_in_one_line_and_never_in_a_prompt() {
    for git in gits() {
        let (hub, machine) = one_token(&git);
        let asked = watch_for_prompts(&machine);
        hub.revoke("work");
        for (attempt, requests) in [(1, vec![401, 401]), (2, vec![401]), (3, vec![401])] {
            hub.clear_log();
            let failed = machine.git(["clone", X]).fails();
            let line = failed.helper_line();
            for word in [
                "`work`",
                "(hf_…",
                "because rule `acme` names it",
                "rejected",
                "huggingface.co",
                "git credential-hf login work",
            ] {
                assert!(line.contains(word), "{word} is not in {line}");
            }
            assert_eq!(statuses(&hub.log()), requests, "{git:?}, attempt {attempt}");
        }
        assert!(!asked(), "git asked for a password");
    }
}

#[test]
fn logging_in_again_lifts_the_rejection() {
    for git in gits() {
        let (hub, machine) = one_token(&git);
        hub.revoke("work");
        machine.git(["ls-remote", X]).fails();
        let new = hub.add_token("work anew", &[("acme", Read)]);
        machine.login("work", &new, &[]);
        hub.clear_log();
        let listed = machine.git(["ls-remote", X]).ok();
        assert!(listed.helper_lines().is_empty(), "{listed}");
        assert_eq!(hub.tokens_seen("/"), ["work anew"]);
    }
}

#[test]
fn the_same_token_logged_in_again_is_offered_at_once() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Read)]);
    machine.login("work", &token, &["--for", "acme"]);
    machine.configure();
    hub.revoke("work");
    machine.git(["ls-remote", X]).fails();
    hub.restore("work");
    machine.git(["ls-remote", X]).fails();
    machine.login("work", &token, &[]);
    machine.git(["ls-remote", X]).ok();
}

#[test]
fn after_a_minute_a_rejected_token_is_the_last_resort() {
    for git in gits() {
        let (hub, machine) = two_tokens(&git);
        hub.revoke("work");
        machine.git(["ls-remote", X]).run();
        hub.restore("work");

        // The other one still comes first, although the rule names this one.
        machine.age_rejections(61);
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/"), ["me"]);

        // With the other one gone, it is all there is, and it works again.
        machine.helper(["logout", "me"]).ok();
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/"), ["work"]);
        let state = machine.state();
        assert!(state["rejected"].as_object().is_some_and(|r| r.is_empty()));
    }
}

#[test]
fn a_minute_is_waited_even_if_nothing_else_is_left() {
    for git in gits() {
        let (hub, machine) = one_token(&git);
        hub.revoke("work");
        machine.git(["ls-remote", X]).fails();
        hub.restore("work");
        machine.git(["ls-remote", X]).fails();
        // Some seconds of room for a slow machine.
        machine.age_rejections(20);
        machine.git(["ls-remote", X]).fails();
        machine.age_rejections(41);
        machine.git(["ls-remote", X]).ok();
        let state = machine.state();
        assert!(state["rejected"].as_object().is_some_and(|r| r.is_empty()));
    }
}

#[test]
fn a_last_resort_is_tried_in_the_command_that_needs_it() {
    for git in gits().into_iter().filter(asks_again) {
        let (hub, machine) = two_tokens(&git);
        hub.revoke("work");
        machine.git(["ls-remote", X]).ok();
        hub.restore("work");
        hub.revoke("me");
        machine.age_rejections(61);
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/"), ["me", "work"]);
    }
}

#[test]
fn a_bad_hf_token_gives_way_to_the_default() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        let token = hub.add_token("me", &[("acme", Read)]);
        machine.login("me", &token, &["--default"]);
        machine.configure();
        let bad = hub.unknown_token();
        machine.forbid(&bad);
        machine.env("HF_TOKEN", &bad);
        let first = machine.git(["ls-remote", X]).run();
        assert_eq!(first.code == 0, asks_again(&git), "{first}");
        assert!(first.helper_line().contains("HF_TOKEN"), "{first}");
        let second = machine.git(["ls-remote", X]).ok();
        assert!(second.helper_lines().is_empty(), "{second}");
        // What was rejected is remembered without its value.
        assert!(!machine.state().to_string().contains(&bad));
    }
}

#[test]
fn when_every_token_is_revoked_git_stops_after_each_was_tried_once() {
    for git in gits() {
        let (hub, machine) = two_tokens(&git);
        let asked = watch_for_prompts(&machine);
        let bad = hub.unknown_token();
        machine.forbid(&bad);
        machine.env("HF_TOKEN", &bad);
        hub.revoke("work");
        hub.revoke("me");
        for _ in 0..4 {
            machine.git(["ls-remote", X]).fails();
        }
        let sent = |entry: &&Logged| entry.token != TokenSeen::None;
        // Git gives up after two, without a word to us about the second.
        let count = hub.log().iter().filter(sent).count();
        assert!((3..=4).contains(&count), "{:?}", hub.log());
        hub.clear_log();
        let failed = machine.git(["ls-remote", X]).fails();
        assert!(failed.helper_line().contains("rejected"), "{failed}");
        assert_eq!(statuses(&hub.log()), [401]);
        assert!(!asked(), "git asked for a password");
    }
}

#[test]
fn a_token_that_may_not_do_this_is_not_taken_for_a_bad_one() {
    for git in gits() {
        let (hub, machine) = one_token(&git);
        machine.git(["clone", X]).ok();
        machine.write("x/new", "new");
        machine.commit_all("x");
        let failed = machine.git(["push"]).dir("x").fails().says(&["403"]);
        assert!(failed.helper_lines().is_empty(), "{failed}");
        let missing = "https://huggingface.co/acme/missing";
        machine.git(["ls-remote", missing]).fails();
        machine.git(["fetch"]).dir("x").ok();
        assert_eq!(hub.tokens_seen("/"), ["work"]);
    }
}

#[test]
fn a_rejection_is_seen_where_people_look_for_it() {
    let (hub, machine) = two_tokens(&newest());
    hub.revoke("work");
    machine.git(["ls-remote", X]).run();
    let listed = machine.helper(["list"]).ok().stdout;
    let line = |name: &str| listed.lines().find(|line| line.starts_with(name));
    assert!(
        line("work").is_some_and(|l| l.contains("rejected")),
        "{listed}"
    );
    assert!(
        line("me").is_some_and(|l| !l.contains("rejected")),
        "{listed}"
    );
    let explained = machine.helper(["explain", "acme/x"]).ok().stdout;
    assert!(explained.contains("rejected just now"), "{explained}");
}

#[test]
fn a_user_name_in_the_url_does_not_change_that() {
    for git in gits().into_iter().filter(asks_again) {
        for user in ["git", "hf_user"] {
            let (hub, machine) = two_tokens(&git);
            hub.revoke("work");
            let url = format!("https://{user}@huggingface.co/acme/x");
            let cloned = machine.git(["clone", &url]).ok();
            assert!(cloned.helper_line().contains("`work`"), "{cloned}");
            assert_eq!(hub.tokens_seen("/"), ["work", "me"]);
            machine.write("x/new", "new");
            machine.commit_all("x");
            machine.git(["push"]).dir("x").ok();
        }
    }
}

#[test]
fn a_push_goes_on_with_another_token_too() {
    for git in gits().into_iter().filter(asks_again) {
        let (hub, machine) = two_tokens(&git);
        machine.git(["clone", X]).ok();
        machine.write("x/noise", noise(1_200_000));
        machine.commit_all("x");
        hub.revoke("work");
        hub.clear_log();
        let pushed = machine.git(["push"]).dir("x").ok();
        assert!(pushed.helper_line().contains("`work`"), "{pushed}");
        let head = machine.git(["rev-parse", "HEAD"]).dir("x").ok().stdout;
        assert_eq!(head.trim(), hub.head("acme/x"));
    }
}
