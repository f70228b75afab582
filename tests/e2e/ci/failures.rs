//! Each way an exchange fails: an error in words, and git stops. Never another token, and never
//! a prompt.

use super::exchange::{job, request};
use crate::support::hub::Right::Write;
use crate::support::hub::trusted::Identity;
use crate::support::machine::{Machine, Output};
use serde_json::json;
use std::time::{Duration, Instant};

const X: &str = "https://huggingface.co/acme/x";

/// Git stops with one line from the helper that has all these words, although `HF_TOKEN` is set.
fn stops(machine: &Machine, words: &[&str]) {
    let answer = machine.ask("get", request("acme/x"));
    assert_eq!(answer.stdout, "quit=1\n", "{answer}");
    has(&answer, words);
    has(&machine.git(["ls-remote", X]).fails(), words);
}

fn has(said: &Output, words: &[&str]) {
    let line = said.helper_line();
    for word in words {
        assert!(line.contains(word), "{word:?} is not in {line}");
    }
}

#[test]
fn a_job_without_permission_for_an_id_token() {
    let (hub, trusted, machine) = job("acme/x");
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    machine.unset("ACTIONS_ID_TOKEN_REQUEST_URL");
    machine.unset("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    stops(&machine, &["no ID token", "`permissions: id-token: write`"]);
    for (variable, word) in [
        ("GITLAB_CI", "`aud: https://huggingface.co`"),
        ("CIRCLECI", "circleci run oidc get"),
        ("BITBUCKET_BUILD_NUMBER", "`audiences`"),
        ("CI", "HF_OIDC_ID_TOKEN"),
    ] {
        machine.unset("GITHUB_ACTIONS");
        machine.env(variable, "true");
        stops(&machine, &["no ID token", word]);
        machine.unset(variable);
    }
    assert!(trusted.asked().is_empty());
    assert!(hub.tokens_seen("/acme/x").is_empty());
}

#[test]
fn an_id_token_that_says_itself_that_it_is_no_good() {
    let (hub, trusted, machine) = job("acme/x");
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    let give = |identity: Identity| machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&identity));
    give(Identity {
        audience: "https://hf.co",
        ..Identity::job()
    });
    stops(
        &machine,
        &["HF_OIDC_ID_TOKEN", "the audience `https://hf.co`"],
    );
    give(Identity {
        expires_in: -120,
        ..Identity::job()
    });
    stops(&machine, &["HF_OIDC_ID_TOKEN", "expired 2 min ago"]);
    let not_one = format!("not-a-jwt-{}", hub.unknown_token());
    machine.forbid(&not_one);
    machine.env("HF_OIDC_ID_TOKEN", not_one);
    stops(&machine, &["HF_OIDC_ID_TOKEN", "is not an ID token"]);
    // The Hub was not even asked.
    assert!(trusted.asked().is_empty());
}

#[test]
fn the_audience_that_a_service_sets_by_itself() {
    let (_hub, trusted, machine) = job("acme/x");
    for (key, _) in trusted.github_variables() {
        machine.unset(key);
    }
    let own = Identity {
        audience: "5f2b-an-organisation",
        ..Identity::job()
    };
    for (service, variable, word) in [
        ("CIRCLECI", "CIRCLE_OIDC_TOKEN_V2", "circleci run oidc get"),
        (
            "BITBUCKET_BUILD_NUMBER",
            "BITBUCKET_STEP_OIDC_TOKEN",
            "`audiences`",
        ),
    ] {
        machine.env(service, "1");
        machine.env(variable, trusted.sign(&own));
        stops(&machine, &[variable, "`5f2b-an-organisation`", word]);
        machine.env(variable, trusted.sign(&Identity::job()));
        machine.git(["ls-remote", X]).ok();
        machine.unset(service);
        machine.unset(variable);
    }
    assert_eq!(trusted.asked().len(), 2);
}

#[test]
fn no_publisher_matches_a_named_resource() {
    let (hub, trusted, machine) = job("acme/y");
    let token = hub.add_token("secret", &[("acme", Write)]);
    machine.env("HF_TOKEN", token);
    let said = machine.git(["ls-remote", "https://huggingface.co/acme/y"]);
    has(
        &said.fails(),
        &[
            "no trusted publisher of acme/y on huggingface.co",
            "`invalid_grant`: No trusted publisher matches",
            "`repo:acme/ci:ref:refs/heads/main` of https://token.actions.githubusercontent.com",
        ],
    );
    assert_eq!(trusted.asked(), ["acme/y"]);
    assert!(hub.tokens_seen("/acme/y").is_empty());
}

#[test]
fn a_resource_that_cannot_be_read() {
    let (hub, trusted, machine) = job("$REPO");
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    stops(&machine, &["HF_OIDC_RESOURCE cannot be used", "acme/x"]);
    assert!(trusted.asked().is_empty());
}

#[test]
fn a_hub_that_is_down_is_not_asked_by_everyone_in_turn() {
    let (hub, trusted, machine) = job("auto");
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    let down = json!({ "message": "down" });
    trusted.fails_with(Some((503, down.clone(), Duration::ZERO)));
    // Even under `auto`: that the Hub is down does not mean that there is no publisher.
    stops(
        &machine,
        &["could not be exchanged", "acme/x", "status 503"],
    );
    assert_eq!(trusted.asked().len(), 2);

    trusted.fails_with(Some((503, down, Duration::from_secs(3))));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let answer = machine.ask("get", request("acme/x"));
                assert_eq!(answer.stdout, "quit=1\n", "{answer}");
                has(&answer, &["could not be exchanged", "status 503"]);
            });
        }
    });
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(trusted.asked().len(), 3);
}

#[test]
fn a_hub_that_cannot_be_reached() {
    let (_hub, trusted, machine) = job("acme/x");
    machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&Identity::job()));
    for key in ["HTTPS_PROXY", "https_proxy"] {
        machine.env(key, "http://127.0.0.1:9");
    }
    let answer = machine.ask("get", request("acme/x"));
    assert_eq!(answer.stdout, "quit=1\n");
    has(
        &answer,
        &["could not be exchanged", "cannot reach huggingface.co"],
    );
}

#[test]
fn what_the_hub_refuses_otherwise_is_told_in_its_words() {
    let (_hub, trusted, machine) = job("acme/x");
    let odd = json!({
        "error": "invalid_target",
        "error_description": "resource is\n\u{1b}[31mnot known",
    });
    trusted.fails_with(Some((400, odd, Duration::ZERO)));
    stops(&machine, &["acme/x", "`invalid_target`: resource is"]);
    trusted.fails_with(Some((200, json!({ "access_token": "" }), Duration::ZERO)));
    stops(&machine, &["acme/x", "contains an empty token"]);
    trusted.fails_with(Some((200, json!([]), Duration::ZERO)));
    stops(&machine, &["acme/x", "not a JSON object"]);
}

#[test]
fn github_refuses_an_id_token() {
    let (hub, trusted, machine) = job("acme/x");
    let wrong = hub.add_token_like("", "a wrong one", &[]);
    machine.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", wrong);
    stops(&machine, &["no ID token", "GitHub answers with status 401"]);
    for url in [
        "http://run-actions.actions.githubusercontent.com/12/idtoken/job/34?api-version=2.0",
        "not an address",
        "https://user@run-actions.actions.githubusercontent.com/",
    ] {
        machine.env("ACTIONS_ID_TOKEN_REQUEST_URL", url);
        stops(&machine, &["not an https address"]);
    }
    assert!(trusted.asked().is_empty());
    assert!(hub.log().iter().all(|one| one.scheme == "https"));
}

#[test]
fn a_rejected_token_is_not_replaced_by_another() {
    let (hub, trusted, machine) = job("acme/x");
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    machine.git(["ls-remote", X]).ok();
    hub.revoke("job 1");
    hub.clear_log();
    let said = machine.git(["ls-remote", X]).fails();
    has(&said, &["the job's token", "rejected by huggingface.co"]);
    let said = machine.git(["ls-remote", X]).fails();
    has(&said, &["the job's token", "rejected by huggingface.co"]);
    assert_eq!(hub.tokens_seen("/acme/x"), ["job 1"]);
    assert_eq!(trusted.asked().len(), 1);
    // After the minute in which it is not offered, the job gets another.
    machine.age_rejections(61);
    machine.git(["ls-remote", X]).ok();
    assert_eq!(trusted.asked().len(), 2);
    assert_eq!(hub.tokens_seen("/acme/x"), ["job 1", "job 2"]);
}
