//! `logout`, which removes a token here, and `--revoke`, which ends it on the Hub.

use crate::hub::common::{get, json, label, login, names, only_the_storage_holds_secrets};
use crate::hub::life::{HUB, Home};
use crate::support::hub::Response;
use serde_json::{Value, json as value};
use std::sync::{Arc, Mutex};

const REVOKE: &str = "/api/credentials/revoke";

/// Every body that the Hub was sent to end tokens, answered with `status`.
fn revocations(home: &Home, status: u16) -> Arc<Mutex<Vec<Value>>> {
    let bodies: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&bodies);
    home.hub.route("POST", HUB, REVOKE, move |request| {
        assert!(request.header("Authorization").is_none());
        seen.lock().expect("the bodies").push(request.json());
        Response::text(status, "")
    });
    bodies
}
#[test]
fn logout_removes_a_token_here_and_leaves_it_on_the_hub() {
    let home = Home::new();
    let Home { hub, machine, .. } = &home;
    machine.helper(["use", "narrow", "--for", "acme/x"]).ok();
    let output = machine.helper(["logout", "narrow"]).ok();
    assert_eq!(
        home.said(&output, &home.narrow),
        "removed `narrow` (hf_…LAST)\n  ~/.config/git-credential-hf/config.toml still names it: rule `acme/x`\n"
    );
    assert!(hub.log().is_empty());
    assert_eq!(names(machine), ["wide"]);
    only_the_storage_holds_secrets(machine, 1);
    assert_eq!(
        label(hub, &get(machine, "acme/x").ok()).as_deref(),
        Some("wide")
    );
    let output = machine.helper(["logout", "narrow"]).fails();
    assert_eq!(
        output.stderr,
        "error: there is no token called `narrow`\n  = help: there are: wide\n"
    );
    assert_eq!(machine.helper(["logout"]).fails().code, 2);
}

#[test]
fn revoke_ends_the_token_on_the_hub_before_it_is_removed_here() {
    let home = Home::new();
    let machine = &home.machine;
    let bodies = revocations(&home, 202);
    let output = machine
        .helper(["logout", "narrow", "--revoke", "--yes"])
        .ok();
    assert_eq!(
        home.said(&output, &home.narrow),
        "removed `narrow` (hf_…LAST), and revoked it on the Hub\n"
    );
    let sent = bodies.lock().expect("the bodies").clone();
    assert!(
        sent == [value!({ "credentials": [home.narrow] })],
        "another body"
    );
    assert_eq!(names(machine), ["wide"]);
    only_the_storage_holds_secrets(machine, 1);

    let output = machine
        .helper(["logout", "--all", "--revoke", "--yes", "--json"])
        .ok();
    assert_eq!(
        json(&output)["removed"],
        value!([{ "name": "wide", "revoked": true, "named_by": [] }])
    );
    assert!(names(machine).is_empty());
    assert!(machine.files_with_secrets().is_empty());
}

#[test]
fn a_token_that_the_hub_did_not_end_is_still_here() {
    let home = Home::new();
    let Home { hub, machine, .. } = &home;
    let before = machine.state();
    for (answer, cause) in [
        (Response::text(500, ""), "the Hub answered with status 500"),
        (
            Response::text(429, "").header("Retry-After", "60"),
            "the Hub received too many requests: try again in 60 s",
        ),
        // The body would go along with a 307 or 308.
        (
            Response::redirect(307, "https://evil.example/api/credentials/revoke"),
            "huggingface.co redirects to another site; the redirect is not followed, since the token is only for huggingface.co",
        ),
        (
            Response::redirect(308, "http://huggingface.co/api/credentials/revoke"),
            "huggingface.co redirects to another site; the redirect is not followed, since the token is only for huggingface.co",
        ),
    ] {
        hub.route("POST", HUB, REVOKE, move |_| answer.clone());
        let output = machine
            .helper(["logout", "narrow", "--revoke", "--yes"])
            .fails();
        assert_eq!(
            home.said(&output, &home.narrow),
            format!(
                "error: `narrow` could not be revoked on the Hub, and is still stored here\n  = cause: {cause}\n"
            )
        );
        assert_eq!(machine.state(), before);
        only_the_storage_holds_secrets(machine, 2);
    }
    let log = hub.log();
    assert!(
        log.iter().all(|it| it.host == HUB && it.scheme == "https"),
        "{log:?}"
    );
}

#[test]
fn what_cannot_be_undone_is_not_done_without_a_yes() {
    let home = Home::new();
    let machine = &home.machine;
    revocations(&home, 202);
    for (arguments, verb) in [
        (&["logout", "narrow", "--revoke"][..], "revoke"),
        (&["logout", "--all", "--revoke"], "revoke"),
        (&["logout", "--all"], "remove"),
    ] {
        // A yes on stdin is none: nobody is at a terminal.
        let output = machine.helper(arguments).stdin("y\n").fails();
        let refused = format!(
            "error: refusing to {verb} anything without confirmation\n  = help: to confirm: pass --yes\n"
        );
        let said = (output.stdout.as_str(), output.stderr.as_str());
        assert_eq!(said, ("", refused.as_str()));
    }
    assert!(home.hub.log().is_empty());
    assert_eq!(names(machine), ["narrow", "wide"]);
    only_the_storage_holds_secrets(machine, 2);
}

#[test]
fn a_token_that_is_given_is_ended_whether_it_is_stored_or_not() {
    let home = Home::new();
    let Home { hub, machine, .. } = &home;
    let bodies = revocations(&home, 202);
    let leaked = hub.unknown_token();
    machine.forbid(&leaked);
    let end = ["logout", "--with-token", "--revoke", "--yes"];
    let output = machine.helper(end).stdin(format!("{leaked}\n")).ok();
    assert_eq!(
        home.said(&output, &leaked),
        "revoked hf_…LAST on the Hub; it was not stored here\n"
    );
    let sent = || std::mem::take(&mut *bodies.lock().expect("the bodies"));
    assert!(
        sent() == [value!({ "credentials": [leaked] })],
        "another body"
    );
    assert_eq!(names(machine), ["narrow", "wide"]);

    // One that is stored goes too, under each of its names.
    login(machine, "again", &home.narrow).ok();
    let output = machine.helper(end).stdin(&home.narrow).ok();
    assert_eq!(
        home.said(&output, &home.narrow),
        "removed `again` (hf_…LAST), and revoked it on the Hub\n\
         removed `narrow` (hf_…LAST), and revoked it on the Hub\n"
    );
    assert_eq!(sent().len(), 2);
    assert_eq!(names(machine), ["wide"]);
    let output = machine
        .helper(["logout", "--with-token"])
        .stdin(&home.wide)
        .ok();
    assert_eq!(
        home.said(&output, &home.wide),
        "removed `wide` (hf_…LAST)\n"
    );
    assert!(sent().is_empty());
    only_the_storage_holds_secrets(machine, 0);
}

#[test]
fn a_token_that_is_given_is_not_ended_unless_it_is_one_and_that_was_said() {
    let home = Home::new();
    let Home { hub, machine, .. } = &home;
    hub.clear_log();
    let leaked = hub.unknown_token();
    let password = "correct-horse-battery";
    machine.forbid(&leaked);
    machine.forbid(password);
    for (more, given, words) in [
        (&[][..], leaked.as_str(), "not stored here"),
        (&["--revoke"], &leaked, "pass --yes"),
        (&["--revoke", "--yes"], password, "not a Hub token"),
        (&["--revoke", "--yes"], "", "the token is empty"),
    ] {
        let logout = ["logout", "--with-token"].iter().chain(more);
        machine.helper(logout).stdin(given).fails().says(&[words]);
    }
    for more in [["narrow", "--with-token"], ["--all", "--with-token"]] {
        let logout = ["logout"].into_iter().chain(more);
        assert_eq!(machine.helper(logout).stdin(&leaked).fails().code, 2);
    }
    assert!(hub.log().is_empty());
    assert_eq!(names(machine), ["narrow", "wide"]);
}
