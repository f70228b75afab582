//! Tokens from a browser login are renewed before they expire: once, whoever asks; and what
//! happens when that fails, or is cut short.

use crate::desk::BrowserDesk;
use crate::hub::common::{get, json, login, names, only_the_storage_holds_secrets};
use crate::support::hub::Right::Write;
use crate::support::hub::api::{WhoAmI, account};
use crate::support::user::{DATA, now};
use serde_json::json as value;
use std::fs;
use std::thread::{self, sleep};
use std::time::Duration;

/// What the user is told when the refresh token is good no more.
const LOGIN: &str = "it cannot be renewed any more: run `git credential-hf login me --web`";

impl BrowserDesk {
    /// What was renewed a moment ago is not renewed again; this makes it longer ago.
    fn let_a_minute_pass(&self) {
        let tokens = self.machine.home().join(DATA).join("tokens");
        for entry in fs::read_dir(tokens).expect("the storage") {
            let path = entry.expect("a file").path();
            let text = fs::read_to_string(&path).expect("a record");
            let older = |line: &str| match line.split_once('=') {
                Some(("renewed", _)) => "renewed=1700000000\n".to_owned(),
                _ => format!("{line}\n"),
            };
            fs::write(&path, text.lines().map(older).collect::<String>()).expect("written");
        }
    }

    /// One more token, which is used where `me` cannot be.
    fn with_another(self) -> BrowserDesk {
        let other = self.hub.add_token("other", &[("alice", Write)]);
        login(&self.machine, "other", &other).ok();
        self.machine.helper(["use", "me", "--for", "alice"]).ok();
        self.machine.helper(["use", "other", "--default"]).ok();
        self
    }

    /// The status of `me` in `list`.
    fn status_of_me(&self) -> String {
        let list = self.machine.helper(["list"]).ok().stdout;
        let row = list.lines().find(|line| line.starts_with("me "));
        let status = row.and_then(|row| row.split_whitespace().last());
        status.expect("a status").to_owned()
    }

    /// Sleeps until the token that was handed out last is good no more.
    fn wait_until_it_has_expired(&self) {
        let at = self.machine.state()["tokens"]["me"]["expires"].as_u64();
        let at = at.expect("a token that expires");
        while now() <= at {
            sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn a_token_with_time_left_is_answered_with_its_end_and_nobody_is_asked() {
    let desk = BrowserDesk::new(3600);
    desk.hub.clear_log();
    let output = desk.get();
    assert_eq!(desk.label(&output), "oauth 1");
    let expiry = output.value("password_expiry_utc").expect("its end");
    let left = expiry.parse::<u64>().expect("a number") - now();
    assert!((3000..=3600).contains(&left), "{left} s are left");
    assert_eq!(output.value("username"), Some("alice"));
    assert_eq!(output.value("oauth_refresh_token"), None);
    assert_eq!(output.stderr, "");
    assert!(desk.hub.log().is_empty(), "{:?}", desk.hub.log());
}

#[test]
fn git_gets_a_renewed_token_and_keeps_no_copy() {
    let desk = BrowserDesk::new(60);
    let BrowserDesk { hub, machine, .. } = &desk;
    machine.configure();
    hub.clear_log();
    let url = "https://huggingface.co/alice/x";
    machine.git(["clone", "--quiet", url]).ok();
    assert_eq!(hub.tokens_seen("/alice/x"), ["oauth 2"]);
    assert_eq!(names(machine), ["me"]);
    only_the_storage_holds_secrets(machine, 1);
    machine.git(["fetch"]).dir("x").ok();
    assert_eq!(desk.oauth.renewals(), 1);
}

#[test]
fn a_renewal_is_remembered_and_traced() {
    let desk = BrowserDesk::new(60);
    let BrowserDesk { machine, .. } = &desk;
    let trace = machine.home().join("trace");
    machine.env("GIT_CREDENTIAL_HF_TRACE", &trace);
    let output = desk.get();
    assert_eq!(desk.label(&output), "oauth 2");
    let expiry = output.value("password_expiry_utc").expect("its end");
    assert!(expiry.parse::<u64>().expect("a number") > now() + 3000);
    let token = &machine.state()["tokens"]["me"];
    assert!(token["expires"].as_u64() > Some(now() + 3000), "{token}");
    let trace = machine.read("trace");
    assert!(trace.contains("renewed token `me`: hf_oauth_…"), "{trace}");
    only_the_storage_holds_secrets(machine, 1);
}

#[test]
fn each_renewal_uses_the_refresh_token_that_the_last_one_gave() {
    let desk = BrowserDesk::new(60);
    desk.oauth.expires_in(60);
    // The stand-in takes each refresh token once.
    for count in 2..=4 {
        assert_eq!(desk.label(&desk.get()), format!("oauth {count}"));
        // It is short-lived, and is left alone for a minute all the same.
        assert_eq!(desk.label(&desk.get()), format!("oauth {count}"));
        desk.let_a_minute_pass();
    }
    assert_eq!(desk.oauth.renewals(), 3);
    only_the_storage_holds_secrets(&desk.machine, 1);

    // A server that keeps it sends none, and the old one must stay.
    let desk = BrowserDesk::new(60);
    desk.oauth.expires_in(60);
    desk.oauth.does_not_rotate();
    for count in 2..=4 {
        assert_eq!(desk.label(&desk.get()), format!("oauth {count}"));
        desk.let_a_minute_pass();
    }
}

#[test]
fn refresh_renews_at_once_and_tells_whose_it_is() {
    let desk = BrowserDesk::new(3600);
    let BrowserDesk { machine, oauth, .. } = &desk;
    let renewed =
        "was renewed: account alice, role write, organisations acme (write), umbrella (read)";
    let output = machine.helper(["refresh", "me"]).ok();
    assert_eq!(output.stdout, format!("ok: `me` {renewed}\n"));
    assert_eq!(desk.label(&desk.get()), "oauth 2");
    let told = json(&machine.helper(["refresh", "--json"]).ok());
    assert_eq!(
        told["tokens"],
        value!([{ "name": "me", "ok": true, "message": renewed }])
    );
    assert_eq!(desk.label(&desk.get()), "oauth 3");
    assert_eq!(oauth.renewals(), 2);
}

#[test]
fn an_expired_token_that_cannot_be_renewed_gives_way_to_the_next() {
    let desk = BrowserDesk::new(1).with_another();
    desk.wait_until_it_has_expired();
    let state = desk.machine.state();
    let hint = state["tokens"]["me"]["hint"].as_str().expect("a hint");
    let told =
        |why: &str| format!("git-credential-hf: token `me` ({hint}) cannot be used: {why}\n");
    let could_not = |why: &str| told(&format!("it could not be renewed: {why}"));
    for (failure, expected) in [
        (
            (500, value!({})),
            could_not("the Hub answered with status 500"),
        ),
        (
            (400, value!({ "error": "invalid_client" })),
            could_not("the Hub answered `invalid_client`"),
        ),
        ((400, value!({ "error": "invalid_grant" })), told(LOGIN)),
        (
            (
                401,
                value!({ "error": "invalid_grant", "error_description": "gone" }),
            ),
            told(LOGIN),
        ),
    ] {
        desk.oauth.fails_with(Some(failure));
        let output = desk.get();
        assert_eq!(desk.label(&output), "other");
        assert_eq!(output.stderr, expected);
        // What the Hub has refused to renew is not shown as a token that git gets.
        let is_over = expected == told(LOGIN);
        let explained = json(&desk.machine.helper(["explain", "alice/x", "--json"]).ok());
        let me = &explained["repos"][0]["candidates"][0];
        assert_eq!(me["answers"], !is_over, "{explained}");
        assert_eq!(desk.status_of_me(), if is_over { "expired" } else { "ok" });
    }
    // Alone it is no answer, and the one line stays the same.
    desk.machine.helper(["use", "me", "--default"]).ok();
    desk.machine.helper(["logout", "other"]).ok();
    let output = desk.get();
    assert_eq!((output.stdout.as_str(), output.stderr), ("", told(LOGIN)));
    // It is not lost: when the Hub is well again, so is the token.
    desk.oauth.fails_with(None);
    assert_eq!(desk.label(&desk.get()), "oauth 2");
    assert_eq!(desk.status_of_me(), "ok");
}

#[test]
fn what_is_shown_of_a_login_that_is_due_is_what_git_gets_and_nobody_is_asked() {
    let desk = BrowserDesk::new(1).with_another();
    desk.wait_until_it_has_expired();
    desk.hub.clear_log();
    let helper = |arguments: &[&str]| desk.machine.helper(arguments).ok();
    let explained = json(&helper(&["explain", "alice/x", "--json"]));
    let first = &explained["repos"][0]["candidates"][0];
    assert_eq!(first["name"], "me");
    assert_eq!(first["status"], "git gets this, renewed when it asks");
    assert_eq!(first["answers"], true);
    let notes = explained["repos"][0]["notes"].to_string();
    assert!(!notes.contains("`me`"), "{notes}");
    let list = helper(&["list"]).stdout;
    let row = list.lines().find(|line| line.contains("hf_oauth_"));
    let row = row.expect("the login's row");
    assert!(
        row.contains("renewed") && !row.contains("expired"),
        "{list}"
    );
    let place = list.lines().find(|line| line.trim().starts_with("alice"));
    assert!(place.expect("its rule").contains("me"), "{list}");
    let doctor = desk.machine.helper(["doctor", "--offline"]).run().stdout;
    assert!(!doctor.contains("has expired"), "{doctor}");
    assert_eq!(desk.hub.log().len(), 0, "the Hub was asked");
    assert_eq!(desk.label(&desk.get()), "oauth 2");
}

#[test]
fn a_renewal_killed_before_its_answer_is_written_harms_nothing_else() {
    let desk = BrowserDesk::new(2).with_another();
    let BrowserDesk { machine, oauth, .. } = &desk;
    let tokens = machine.home().join(DATA).join("tokens");
    let contents = || {
        let entries = fs::read_dir(&tokens).expect("the storage");
        let paths = entries.map(|entry| entry.expect("a file").path());
        let tokens = paths.filter(|path| path.extension().is_some_and(|end| end == "token"));
        let mut all: Vec<Vec<u8>> = tokens.map(|path| fs::read(path).expect("a file")).collect();
        all.sort();
        all
    };
    let (files, before) = (contents(), machine.state());

    oauth.hold();
    let killed = get(machine, "alice/x").start();
    oauth.wait_for_renewals(1);
    killed.kill();
    oauth.release();
    // The server has given the only good refresh token to a process that is no more.
    assert!(contents() == files, "a killed renewal changed the storage");
    assert_eq!(machine.state(), before);

    let output = machine.helper(["refresh", "me"]).fails();
    assert!(output.stdout.starts_with("no: `me`: "), "{output}");
    assert!(
        output
            .stdout
            .contains("run `git credential-hf login me --web`"),
        "{output}"
    );
    desk.wait_until_it_has_expired();
    let output = desk.get();
    assert_eq!(desk.label(&output), "other");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    let why = "its last renewal was interrupted and the Hub's answer is lost: run \
               `git credential-hf login me --web`\n";
    assert!(output.stderr.ends_with(why), "{output}");
    assert_eq!(names(machine), ["me", "other"]);
    assert!(contents() == files, "another token was touched");

    machine.helper(["login", "me", "--web"]).ok();
    assert_eq!(desk.label(&desk.get()), "oauth 3");
}

#[test]
fn a_renewal_killed_at_any_moment_leaves_a_token_or_a_way_out() {
    let killed_after = |delay: u64| {
        let desk = BrowserDesk::new(900).with_another();
        let killed = get(&desk.machine, "alice/x").start();
        sleep(Duration::from_millis(delay));
        killed.kill();
        let state = desk.machine.state();
        assert_eq!(state["tokens"]["other"]["facts"]["account"], "alice");
        let next = desk.get();
        let next = desk.label(&next);
        assert!(next.starts_with("oauth "), "{next} after {delay} ms");
        desk.machine.helper(["list"]).ok();
        only_the_storage_holds_secrets(&desk.machine, 2);
    };
    // From before the request to after the last write; how far each one comes is chance.
    thread::scope(|scope| {
        for delay in [0, 5, 10, 15, 20, 30, 50, 80] {
            scope.spawn(move || killed_after(delay));
        }
    });
}

#[test]
fn a_rejected_browser_login_is_good_again_after_a_login() {
    let desk = BrowserDesk::new(3600);
    let BrowserDesk { hub, machine, .. } = &desk;
    machine.configure();
    hub.revoke("oauth 1");
    let url = "https://huggingface.co/alice/x";
    machine.git(["ls-remote", url]).fails();
    let said = machine.git(["ls-remote", url]).fails();
    let advised = "run `git credential-hf login me --web`";
    assert!(said.stderr.contains(advised), "{said}");
    WhoAmI::start(hub).says("oauth 2", account("read"));
    machine.helper(["login", "me", "--web"]).ok();
    machine.git(["ls-remote", url]).ok();
}
