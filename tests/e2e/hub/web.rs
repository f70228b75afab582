//! `login --web`: the page, the code, the waiting, and every way in which it can end.
#![cfg_attr(
    not(target_os = "linux"),
    allow(unused_imports, dead_code, reason = "some tests here are for Linux")
)]

use crate::desk::Desk;
use crate::hub::common::{asked, get, label, names, only_the_storage_holds_secrets, seen};
use crate::support::hub::api::{OAuth, WhoAmI, account};
use crate::support::hub::{Hub, Response};
use crate::support::machine::{Machine, Run};
use crate::support::tools::need;
use crate::support::user::DATA;
use serde_json::json;
use std::collections::HashMap;
use std::fs::{self};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const HUB: &str = "huggingface.co";
const LOGIN: [&str; 5] = ["login", "me", "--web", "--storage", "file"];
const OPEN: &str = "Open https://huggingface.co/oauth/device?user_code=ABCD-1234 in a browser, here or on any other device.\n\
    The code is ABCD-1234, and it is valid for 10 min.\n";
/// The public client of the hf CLI.
const CLIENT: &str = "26be6b09-91c5-47da-9861-d2d2bb7a7e36";

struct Browser {
    hub: Hub,
    machine: Machine,
    oauth: OAuth,
}

impl Browser {
    fn new() -> Browser {
        let Desk { hub, machine, .. } = Desk::new();
        let oauth = OAuth::start(&hub, &[], 3600);
        Browser {
            hub,
            machine,
            oauth,
        }
    }

    fn login(&self) -> Run<'_> {
        self.machine.helper(LOGIN)
    }

    /// Logs in in vain; what the user sees after the page and the code.
    fn fails(&self) -> String {
        let output = self.login().fails();
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{output}");
        self.nothing_is_kept();
        let rest = output.stderr.strip_prefix(OPEN);
        rest.unwrap_or_else(|| panic!("{output}")).to_owned()
    }

    fn nothing_is_kept(&self) {
        assert!(self.machine.files_with_secrets().is_empty());
        assert!(!self.machine.home().join(DATA).join("state.json").exists());
    }

    fn polls(&self) -> usize {
        let forms = self.oauth.forms();
        forms.iter().filter(|form| is_poll(form)).count()
    }
}

fn is_poll(form: &HashMap<String, String>) -> bool {
    form.get("grant_type").map(String::as_str)
        == Some("urn:ietf:params:oauth:grant-type:device_code")
}

#[test]
fn a_browser_login_waits_as_long_as_it_is_told() {
    let test = Browser::new();
    let Browser {
        hub,
        machine,
        oauth,
    } = &test;
    machine.configure();
    oauth.polls_are_answered(&["authorization_pending", "slow_down"]);
    let start = Instant::now();
    let output = test.login().ok();
    // One second twice, and after `slow_down` five more (RFC 8628, 3.5).
    assert!(start.elapsed() >= Duration::from_secs(8));
    assert_eq!(output.stderr, OPEN);
    let known = hub.secrets()();
    let token = known.iter().find(|(label, _)| label == "oauth 1");
    let token = &token.expect("a token").1;
    assert_eq!(
        seen(machine, &output, token),
        format!(
            "stored `me` (hf_oauth_…LAST) for https://huggingface.co in a file (readable by you only, not encrypted)\n\
             account alice, role write, organisations acme (write), umbrella (read)\n\
             git uses it for alice, acme, umbrella, unless a rule says otherwise\n\
             to write rules for that: git credential-hf use me --for alice --for acme --for umbrella\n{OPEN}"
        )
    );
    let forms = oauth.forms();
    assert_eq!(forms.len(), 4);
    assert!(forms.iter().all(|form| form["client_id"] == CLIENT));
    let mut polls = forms.iter().skip(1);
    assert!(polls.all(|form| is_poll(form) && form["device_code"] == "a-device-code"));
    assert_eq!(
        label(hub, &get(machine, "alice/x").ok()).as_deref(),
        Some("oauth 1")
    );
    assert!(machine.state()["tokens"]["me"]["expires"].is_u64());
    only_the_storage_holds_secrets(machine, 1);
}

#[test]
fn a_browser_login_that_ends_otherwise_keeps_nothing() {
    for (error, expected) in [
        (
            "access_denied",
            "error: the login was refused in the browser\n",
        ),
        (
            "expired_token",
            "error: the code expired before it was entered\n  \
             = help: start again: git credential-hf login me --web\n",
        ),
        (
            "invalid_client",
            "error: the browser login at huggingface.co failed: the Hub answered `invalid_client`\n",
        ),
    ] {
        let test = Browser::new();
        test.oauth.polls_are_answered(&[error]);
        assert_eq!(test.fails(), expected);
        assert_eq!(test.polls(), 1);
    }
}

#[test]
fn a_moment_without_the_hub_does_not_end_a_browser_login() {
    let test = Browser::new();
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let token = test.hub.add_token_like("hf_oauth_", "late", &[]);
    test.machine.forbid(&token);
    test.hub.route("POST", HUB, "/oauth/token", move |_| {
        match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Response::text(502, "<html>"),
            _ => Response::json(200, &json!({ "access_token": token })),
        }
    });
    test.login().ok();
    // Without an end and a refresh token it is a token like any other.
    let answer = get(&test.machine, "alice/x").ok();
    assert_eq!(label(&test.hub, &answer).as_deref(), Some("late"));
    assert!(!answer.stdout.contains("password_expiry_utc"));
}

#[test]
fn a_browser_login_that_cannot_begin_says_why() {
    for (answer, why) in [
        (Response::text(500, ""), "the Hub answered with status 500"),
        (
            Response::text(404, ""),
            "the Hub answered with status 404 (not found, or not visible to this token)",
        ),
        (
            Response::json(400, &json!({ "error": "invalid_client" })),
            "the Hub answered `invalid_client`",
        ),
        (
            Response::text(429, "").header("Retry-After", "60"),
            "the Hub received too many requests: try again in 60 s",
        ),
        (
            Response::redirect(307, "https://evil.example/oauth/device"),
            "huggingface.co redirects to another site; the redirect is not followed, since the token is only for huggingface.co",
        ),
    ] {
        let test = Browser::new();
        test.hub
            .route("POST", HUB, "/oauth/device", move |_| answer.clone());
        let output = test.login().fails();
        let expected = format!("error: the browser login at huggingface.co cannot start: {why}\n");
        assert_eq!(output.stderr, expected);
        test.nothing_is_kept();
        assert!(test.hub.log().iter().all(|it| it.host == HUB));
    }
}

#[test]
fn a_code_that_nobody_enters_expires() {
    let test = Browser::new();
    test.oauth
        .polls_are_answered(&["authorization_pending"; 50]);
    test.hub.route("POST", HUB, "/oauth/device", |_| {
        Response::json(
            200,
            &json!({
                "device_code": "a-device-code",
                "user_code": "ABCD-1234",
                "verification_uri": "https://huggingface.co/oauth/device",
                "interval": 1,
                "expires_in": 2,
            }),
        )
    });
    let expected = "Open https://huggingface.co/oauth/device in a browser, here or on any other device.\n\
        The code is ABCD-1234, and it is valid for 2 s.\n\
        error: the code expired before it was entered\n  \
        = help: start again: git credential-hf login me --web\n";
    let failed = test.login().fails();
    assert_eq!((failed.code, failed.stderr.as_str()), (1, expected));
    test.nothing_is_kept();
}

#[test]
fn another_client_can_be_named() {
    let test = Browser::new();
    let machine = &test.machine;
    machine.env("HF_DEVICE_CODE_OAUTH_CLIENT_ID", "a-client-of-our-own");
    test.login().ok();
    // The client that a token was handed to is the only one that can renew it.
    machine.unset("HF_DEVICE_CODE_OAUTH_CLIENT_ID");
    machine.helper(["refresh", "me"]).ok();
    let forms = test.oauth.forms();
    assert_eq!(forms.len(), 3);
    assert!(
        forms
            .iter()
            .all(|form| form["client_id"] == "a-client-of-our-own")
    );
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let test = Browser::new();
    test.oauth
        .polls_are_answered(&["authorization_pending"; 100]);
    // A test that runs in the background of a shell has the signal ignored, as its children do.
    let login = ["--default-signal=INT", "git-credential-hf", "login", "me"];
    let login = login.into_iter().chain(["--web", "--storage", "file"]);
    let started = test.machine.command("env", login).start();
    let start = Instant::now();
    while test.polls() == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "it never asks");
        sleep(Duration::from_millis(10));
    }
    let id = started.id().to_string();
    test.machine.command("kill", ["-INT", &id]).ok();
    let output = started.wait();
    assert_ne!(output.code, 0, "{output}");
    test.nothing_is_kept();
}

#[test]
fn a_login_that_the_hub_then_does_not_know_keeps_nothing() {
    let test = Browser::new();
    test.hub
        .route("GET", HUB, "/api/whoami-v2", |_| Response::text(401, ""));
    let said = test.fails();
    assert!(
        said.starts_with("error: huggingface.co does not accept this token (hf_oauth_…"),
        "{said}"
    );
    assert_eq!(asked(&test.hub, "/api/whoami-v2"), 1);
}

/// The person has done their part, and the Hub has handed out the token: it is not thrown away.
#[test]
fn a_browser_login_is_kept_when_the_hub_then_fails_to_say_whose_it_is() {
    for (status, why) in [
        (500, "the Hub answered with status 500"),
        (429, "the Hub received too many requests"),
        (403, "the Hub refused the request: no reason given"),
    ] {
        let test = Browser::new();
        let Browser { hub, machine, .. } = &test;
        hub.route("GET", HUB, "/api/whoami-v2", move |_| {
            Response::text(status, "")
        });
        let output = test.login().ok();
        assert!(output.stderr.contains(why), "{output}");
        assert!(
            output.stderr.contains("git credential-hf refresh"),
            "{output}"
        );
        let unnamed = ["login", "--web", "--default"];
        machine.helper(unnamed).ok();
        assert_eq!(names(machine), ["me", "web"]);
        let answer = get(machine, "alice/x").ok();
        assert_eq!(label(hub, &answer).as_deref(), Some("oauth 2"));
        // And when the Hub is well again, it is known.
        WhoAmI::start(hub);
        machine.helper(["refresh", "web"]).ok();
        let token = &machine.state()["tokens"]["web"];
        assert_eq!(token["facts"]["account"], "alice", "{token}");
    }
}

#[test]
fn codes_and_pages_cannot_write_to_the_terminal() {
    let test = Browser::new();
    test.hub.route("POST", HUB, "/oauth/device", |_| {
        Response::json(
            200,
            &json!({
                "device_code": "a-device-code",
                "user_code": "A\u{1b}[2J\u{202e}\nB\u{9b}",
                "verification_uri": "https://huggingface.co/\u{1b}]0;x\u{7}",
                "interval": 1,
            }),
        )
    });
    let output = test.login().ok();
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!output.stderr.contains(bad), "{output}");
    assert!(
        output
            .stderr
            .contains("The code is A[2J B, and it is valid"),
        "{output}"
    );
}

/// Logs in on a terminal with a browser that writes down which page it was to open.
fn opened(page: &str, remote: bool) -> Option<String> {
    let test = Browser::new();
    let machine = &test.machine;
    test.oauth.device_page(page, &test.hub);
    let browser = "#!/bin/sh\nprintf '%s' \"$1\" >\"$HOME/opened\"\n";
    machine.program("xdg-open", browser);
    machine.env("DISPLAY", ":0");
    machine.env("TERM", "xterm");
    if remote {
        machine.env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
    }
    let command = "git-credential-hf login me --web --storage file";
    let output = machine
        .command("script", ["-qec", command, "/dev/null"])
        .ok();
    assert!(output.stdout.contains("The code is ABCD-1234"), "{output}");
    assert!(
        output.stdout.contains("Waiting for the browser"),
        "{output}"
    );
    assert_eq!(names(machine), ["me"]);
    fs::read_to_string(machine.home().join("opened")).ok()
}

#[test]
#[cfg(target_os = "linux")]
fn only_a_page_of_the_hub_is_opened_and_only_where_somebody_sits() {
    if !need("script") {
        return;
    }
    let page = "https://huggingface.co/oauth/device";
    let complete = format!("{page}?user_code=ABCD-1234");
    let rows = [
        (page, false, Some(complete)),
        (page, true, None),
        ("https://evil.example/oauth/device", false, None),
        ("https://huggingface.co.evil.example/oauth", false, None),
        ("https://huggingface.co@evil.example/oauth", false, None),
        ("http://huggingface.co/oauth/device", false, None),
    ];
    // Each one waits for a second.
    thread::scope(|scope| {
        for (page, remote, expected) in rows {
            scope.spawn(move || assert_eq!(opened(page, remote), expected, "{page}"));
        }
    });
}

#[test]
fn the_account_of_a_browser_login_is_known_without_a_role() {
    let test = Browser::new();
    let whoami = WhoAmI::start(&test.hub);
    let mut answer = account("");
    answer["auth"] = json!({ "type": "oauth", "expiresAt": "2199-01-31T12:00:00.000Z" });
    whoami.says("oauth 1", answer);
    let output = test.login().ok();
    let told = "account alice, organisations acme (write), umbrella (read)\n";
    assert!(output.stdout.contains(told), "{output}");
    assert_eq!(
        label(&test.hub, &get(&test.machine, "acme/y").ok()).as_deref(),
        Some("oauth 1")
    );
}
