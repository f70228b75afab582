//! `login` when the Hub says no, says nonsense, or is not to be reached: the words that a user
//! sees, and that nothing is kept.

use crate::hub::common::{asked, login, seen};
use crate::support::hub::api::{WhoAmI, account};
use crate::support::hub::{Hub, Response, TokenSeen};
use crate::support::machine::{Machine, Output};
use crate::support::user::DATA;
use serde_json::json;
use std::time::{Duration, Instant};

const HUB: &str = "huggingface.co";
const WHOAMI: &str = "/api/whoami-v2";
const UNVERIFIED: &str = "error: the token (hf_…LAST) could not be verified: ";
const NO_VERIFY: &str = "\n  = help: to store it without asking the Hub: add --no-verify\n";

/// A machine whose login as `work` the Hub does not take.
struct Refused {
    hub: Hub,
    machine: Machine,
    token: String,
}

impl Refused {
    fn new() -> Refused {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        let token = hub.add_token("work", &[]);
        Refused {
            hub,
            machine,
            token,
        }
    }

    fn answer(&self, answer: Response) {
        self.hub.route("GET", HUB, WHOAMI, move |_| answer.clone());
    }

    /// Logs in in vain. Nothing is kept, and what the user sees is returned.
    fn login(&self) -> String {
        let output = login(&self.machine, "work", &self.token).fails();
        assert_eq!(output.code, 1, "{output}");
        self.nothing_is_kept(&output);
        seen(&self.machine, &output, &self.token)
    }

    fn nothing_is_kept(&self, output: &Output) {
        assert_eq!(output.stdout, "", "{output}");
        assert!(self.machine.files_with_secrets().is_empty());
        let state = self.machine.home().join(DATA).join("state.json");
        assert!(!state.exists(), "a state was written: {output}");
    }
}

#[test]
fn each_refusal_has_its_words() {
    let forbidden = |text: &str| Response::json(403, &json!({ "error": text }));
    let refuses = |why: &str| {
        format!(
            "error: huggingface.co does not say whose token this is (hf_…LAST): {why}\n  \
             = help: to store it anyway: add --no-verify\n"
        )
    };
    let unverified = |why: &str| format!("{UNVERIFIED}{why}{NO_VERIFY}");
    let rows: Vec<(Response, String)> = vec![
        (
            Response::json(401, &json!({ "error": "Invalid username or password." })),
            "error: huggingface.co does not accept this token (hf_…LAST)\n  \
             = help: check that it was copied completely and is still listed at https://huggingface.co/settings/tokens\n  \
             = help: create a new one: https://huggingface.co/settings/tokens/new?tokenType=fineGrained&canReadGatedRepos=true\n"
                .into(),
        ),
        (
            forbidden("This organization only accepts fine-grained tokens."),
            refuses("This organization only accepts fine-grained tokens."),
        ),
        (
            forbidden("Your token needs to be approved by the organization."),
            refuses("Your token needs to be approved by the organization."),
        ),
        (
            Response::text(403, "An administrator has revoked this token's access.\r\n"),
            refuses("An administrator has revoked this token's access."),
        ),
        (Response::text(403, ""), refuses("no reason given")),
        (
            forbidden("\u{1b}[31mno\u{1b}[0m\u{202e}\n\u{9b}2J"),
            refuses("[31mno[0m 2J"),
        ),
        (
            Response::text(404, "Not found"),
            unverified("the Hub answered with status 404 (not found, or not visible to this token)"),
        ),
        (
            Response::text(429, "").header("Retry-After", "120"),
            unverified("the Hub received too many requests: try again in 120 s"),
        ),
        (
            Response::text(429, ""),
            unverified("the Hub received too many requests"),
        ),
        (
            Response::text(500, "<html>oops</html>"),
            unverified("the Hub answered with status 500"),
        ),
        (
            Response::text(503, ""),
            unverified("the Hub answered with status 503"),
        ),
    ];
    let test = Refused::new();
    for (answer, expected) in rows {
        let status = answer.status;
        test.answer(answer);
        assert_eq!(test.login(), expected, "status {status}");
    }
}

#[test]
fn a_token_that_the_hub_echoes_is_not_shown() {
    let test = Refused::new();
    let echo = format!("Token {} is not approved by the organization", test.token);
    test.answer(Response::json(403, &json!({ "error": echo })));
    // That the token is not in the output is checked wherever a command runs.
    let seen = test.login();
    assert!(
        seen.contains("is not approved by the organization"),
        "{seen}"
    );
    let quoted = format!("(\"{}\")", test.token);
    test.answer(Response::text(200, &quoted));
    test.login();
    test.answer(Response::text(500, &quoted));
    test.login();
}

#[test]
fn nonsense_is_told_as_such() {
    let test = Refused::new();
    let huge = json!({ "name": "alice", "junk": "x".repeat(6_000_000) }).to_string();
    for (what, body) in [
        ("HTML", "<html>a login page</html>"),
        ("nothing", ""),
        ("half of it", r#"{"name": "ali"#),
        ("no name", r#"{"type": "user"}"#),
        ("a name that is none", r#"{"name": 7}"#),
        ("six megabytes", &huge),
    ] {
        test.answer(Response::new(200, "application/json", body));
        let seen = test.login();
        let start = format!("{UNVERIFIED}the Hub's answer ");
        assert!(seen.starts_with(&start), "{what}: {seen}");
        assert!(seen.ends_with(NO_VERIFY), "{what}: {seen}");
    }
}

#[test]
fn a_short_pause_that_the_hub_asks_for_is_waited_for() {
    let test = Refused::new();
    let Refused {
        hub,
        machine,
        token,
    } = &test;
    let busy = std::sync::atomic::AtomicBool::new(true);
    hub.route("GET", HUB, WHOAMI, move |_| {
        if busy.swap(false, std::sync::atomic::Ordering::SeqCst) {
            Response::text(429, "").header("Retry-After", "1")
        } else {
            Response::json(200, &account("write"))
        }
    });
    let start = Instant::now();
    let output = login(machine, "work", token).ok();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        output.stderr,
        "git-credential-hf: huggingface.co is busy, waiting 1 s\n"
    );
    assert!(output.stdout.starts_with("stored `work` ("), "{output}");
    assert_eq!(asked(hub, WHOAMI), 2);
}

#[test]
fn a_hub_that_stays_busy_is_not_asked_for_ever() {
    let test = Refused::new();
    test.answer(Response::text(429, "").header("Retry-After", "1"));
    let seen = test.login();
    let end =
        format!("{UNVERIFIED}the Hub received too many requests: try again in 1 s{NO_VERIFY}");
    assert!(seen.ends_with(&end), "{seen}");
    let asked = asked(&test.hub, WHOAMI);
    assert!((2..=4).contains(&asked), "asked {asked} times");
}

#[test]
fn a_hub_that_does_not_answer_costs_ten_seconds() {
    let test = Refused::new();
    test.hub.route("GET", HUB, WHOAMI, |_| {
        std::thread::sleep(Duration::from_secs(11));
        Response::text(200, "{}")
    });
    let start = Instant::now();
    let expected = format!("{UNVERIFIED}huggingface.co did not answer within 10 s{NO_VERIFY}");
    assert_eq!(test.login(), expected);
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_secs(9), "{elapsed:?}");
}

#[test]
fn a_redirect_to_another_site_is_not_followed() {
    let test = Refused::new();
    let expected = format!(
        "{UNVERIFIED}huggingface.co redirects to another site; the redirect is not followed, \
         since the token is only for huggingface.co{NO_VERIFY}"
    );
    for to in [
        "https://evil.example/api/whoami-v2",
        "https://huggingface.co.evil.example/api/whoami-v2",
        "https://www.huggingface.co/api/whoami-v2",
        "https://huggingface.co:8443/api/whoami-v2",
        "http://huggingface.co/api/whoami-v2",
        "//evil.example/api/whoami-v2",
    ] {
        for status in [301, 302, 303, 307, 308] {
            test.answer(Response::redirect(status, to));
            assert_eq!(test.login(), expected, "{status} to {to}");
        }
    }
    let log = test.hub.log();
    let elsewhere = |host: &str, scheme: &str| (host, scheme) != (HUB, "https");
    assert!(
        !log.iter().any(|it| elsewhere(&it.host, it.scheme)),
        "{log:?}"
    );
}

#[test]
fn a_redirect_within_the_hub_is_followed() {
    let test = Refused::new();
    test.answer(Response::redirect(307, "/api/whoami-v3"));
    test.hub.route("GET", HUB, "/api/whoami-v3", |request| {
        let known = request.token == TokenSeen::Known("work".into());
        let status = if known { 200 } else { 401 };
        Response::json(status, &account("write"))
    });
    login(&test.machine, "work", &test.token).ok();
}

#[test]
fn a_hub_that_cannot_be_reached_is_told_in_words() {
    let test = Refused::new();
    WhoAmI::start(&test.hub);
    let cannot = format!("{UNVERIFIED}cannot reach huggingface.co: ");
    // Nobody trusts the authority: the certificate is refused, and nothing is sent.
    test.machine.unset("GIT_SSL_CAINFO");
    let seen = test.login();
    assert!(seen.starts_with(&cannot), "{seen}");
    assert!(seen.contains("certificate"), "{seen}");
    assert!(test.hub.log().is_empty(), "{:?}", test.hub.log());
    // A proxy that is not there.
    for key in ["HTTPS_PROXY", "https_proxy"] {
        test.machine.env(key, "http://127.0.0.1:1");
    }
    let seen = test.login();
    assert!(seen.starts_with(&cannot), "{seen}");
    assert!(seen.ends_with(NO_VERIFY), "{seen}");
    assert!(test.hub.log().is_empty(), "{:?}", test.hub.log());
}

#[test]
fn each_setting_for_an_authority_counts() {
    for key in [
        "GIT_SSL_CAINFO",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
    ] {
        let test = Refused::new();
        WhoAmI::start(&test.hub);
        test.machine.unset("GIT_SSL_CAINFO");
        test.machine.env(key, test.hub.ca_file());
        login(&test.machine, "work", &test.token).ok();
        assert_eq!(asked(&test.hub, WHOAMI), 1, "{key}");
    }
}

#[test]
fn an_organisation_token_and_a_password_are_refused_before_the_hub_is_asked() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let form =
        "https://huggingface.co/settings/tokens/new?tokenType=fineGrained&canReadGatedRepos=true";
    let organisation = hub.add_token_like("api_org_", "organisation", &[]);
    let password = "correct-horse-battery-staple";
    machine.forbid(password);
    for (secret, expected) in [
        (
            organisation.as_str(),
            format!(
                "error: this is an organisation token (api_org_), which the Hub no longer accepts\n  \
                 = help: create a fine-grained token for the organisation: {form}\n"
            ),
        ),
        (
            password,
            format!(
                "error: this is not a Hub token: those begin with hf_\n  \
                 = help: the Hub does not accept account passwords; create a token: {form}\n"
            ),
        ),
        (
            "",
            format!(
                "error: the token is empty\n  \
                 = help: a token is one line of letters and digits, such as hf_..\n  \
                 = help: create one: {form}\n"
            ),
        ),
    ] {
        for more in [&["--no-verify"][..], &[]] {
            let arguments = ["login", "work", "--with-token", "--storage", "file"];
            let output = machine.helper(arguments.iter().chain(more)).stdin(secret);
            let output = output.fails();
            assert_eq!(output.stderr, expected);
            assert_eq!(output.stdout, "");
        }
    }
    assert!(hub.log().is_empty(), "{:?}", hub.log());
    assert!(machine.files_with_secrets().is_empty());
}
