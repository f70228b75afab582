//! What `explain` and `doctor` tell of a job, without asking anybody.

use super::exchange::{job, request};
use crate::support::hub::trusted::Identity;
use crate::support::machine::Machine;
use serde_json::Value;

fn explain(machine: &Machine, repo: &str) -> Value {
    let said = machine.helper(["explain", repo, "--json"]).ok();
    let json: Value = serde_json::from_str(&said.stdout).expect("JSON");
    json["repos"][0].clone()
}

fn check(machine: &Machine) -> Value {
    let said = machine.helper(["doctor", "--offline", "--json"]).run();
    let json: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let checks = json["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["id"] == "exchange");
    check.expect("the check").clone()
}

#[test]
fn explain_knows_the_exchange_before_and_after_it() {
    let (hub, trusted, machine) = job("acme/x");
    let secret = hub.add_token("secret", &[]);
    machine.env("HF_TOKEN", secret);
    let before = explain(&machine, "acme/x");
    let first = &before["candidates"][0];
    assert_eq!(first["kind"], "exchange", "{before}");
    assert_eq!(first["answers"], true);
    assert_eq!(
        first["status"],
        "git gets this, by an exchange when it asks"
    );
    assert_eq!(first["token"], Value::Null);
    assert_eq!(before["candidates"][1]["kind"], "environment");
    assert!(trusted.asked().is_empty(), "explain asked the Hub");

    machine.ask("get", request("acme/x")).ok();
    let after = explain(&machine, "acme/x");
    let first = &after["candidates"][0];
    assert_eq!(first["status"], "git gets this");
    let token = first["token"].as_str().expect("a hint");
    assert!(token.starts_with("hf_jwt_"), "{token}");
    let text = machine.helper(["explain", "acme/x"]).ok().stdout;
    for word in ["job token", "HF_OIDC_RESOURCE is set"] {
        assert!(text.contains(word), "{text}");
    }

    let other = explain(&machine, "acme/y");
    assert_eq!(other["candidates"][0]["kind"], "environment");
    assert_eq!(trusted.asked().len(), 1);
}

#[test]
fn explain_says_why_git_would_stop() {
    let (_hub, trusted, machine) = job("acme/x");
    let expired = Identity {
        expires_in: -120,
        ..Identity::job()
    };
    machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&expired));
    let told = explain(&machine, "acme/x");
    assert_eq!(told["candidates"][0]["answers"], false);
    let notes = told["notes"].to_string();
    assert!(notes.contains("expired 2 min ago"), "{notes}");
}

#[test]
fn doctor_looks_at_the_identity() {
    let (_hub, trusted, machine) = job("acme/x");
    let verdict = |word: &str| {
        let check = check(&machine);
        let text = check.to_string();
        assert!(text.contains(word), "{word:?} is not in {text}");
        check["verdict"].as_str().expect("a verdict").to_owned()
    };
    assert_eq!(verdict("an ID token from GitHub Actions"), "ok");
    let expired = Identity {
        expires_in: -120,
        ..Identity::job()
    };
    machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&expired));
    assert_eq!(verdict("expired 2 min ago"), "problem");
    machine.env("HF_OIDC_RESOURCE", "not a resource");
    assert_eq!(verdict("HF_OIDC_RESOURCE cannot be used"), "problem");
    machine.unset("HF_OIDC_RESOURCE");
    assert_eq!(verdict("HF_OIDC_RESOURCE is not set"), "ok");
    assert!(trusted.asked().is_empty());
}
