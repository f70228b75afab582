//! The README's terminal session, run as it stands there.

use super::document;
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Response, TokenSeen};
use crate::support::keyring::Keyring;
use crate::support::machine::Machine;
use crate::support::picture;
use serde_json::{Value, json};
use std::path::Path;

/// A command and what it printed.
type Step = (String, String);

fn session() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in document("README.md").lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push((command.to_owned(), String::new())),
                (None, Some((_, output))) => {
                    output.push_str(line);
                    output.push('\n');
                }
                (None, None) => panic!("output before the first command: {line}"),
            },
        }
    }
    steps
}

/// Tokens are new in each run, and so are times: what differs is made equal.
fn made_equal(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("hf_…") {
        let end = at + "hf_…".len();
        out.push_str(&rest[..end]);
        out.push_str("7Q2x");
        rest = &rest[end + 4..];
    }
    out.push_str(rest);
    for seconds in 10..=90 {
        out = out.replace(&format!("  {seconds} s ago "), "  1 s ago  ");
    }
    for seconds in 0..10 {
        out = out.replace(&format!("  {seconds} s ago "), "  1 s ago ");
    }
    out
}

fn facts(scopes: &Value) -> Value {
    json!({
        "type": "user", "name": "alice",
        "orgs": [
            {"type": "org", "name": "acme", "roleInOrg": "write"},
            {"type": "org", "name": "umbrella", "roleInOrg": "contributor"},
        ],
        "auth": {"type": "access_token", "accessToken": {
            "displayName": "laptop", "role": "fineGrained", "fineGrained": scopes,
        }},
    })
}

/// The machine of a user with a token for each of two organisations, in files beside the home's.
fn two_organisations() -> Option<(Hub, Keyring, Machine)> {
    if !Keyring::is_possible() {
        return None;
    }
    let keyring = Keyring::start();
    let hub = Hub::start();
    for repo in ["acme/llama", "datasets/umbrella/reports"] {
        hub.add_repo(repo, true);
    }
    let machine = Machine::new(&hub);
    machine.env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    for (name, grants) in [
        ("acme", [("acme", Write)].as_slice()),
        ("umbrella", &[("datasets/umbrella/reports", Write)]),
    ] {
        let token = hub.add_token(name, grants);
        machine.write(format!("{name}.token"), format!("{token}\n"));
    }
    let scope = |kind: &str, name: &str, permissions: &[&str]| json!({"entity": {"_id": "1", "type": kind, "name": name}, "permissions": permissions});
    let acme = json!({"canReadGatedRepos": true, "global": [], "scoped": [
        scope("org", "acme", &["repo.write", "discussion.write"])]});
    let umbrella = json!({"canReadGatedRepos": false, "scoped": [
        scope("dataset", "umbrella/reports", &["repo.write"])]});
    hub.route("GET", "huggingface.co", "/api/whoami-v2", move |request| {
        let answer = match &request.token {
            TokenSeen::Known(label) if label == "acme" => facts(&acme),
            _ => facts(&umbrella),
        };
        Response::json(200, &answer)
    });

    machine.configure();
    Some((hub, keyring, machine))
}

#[test]
fn the_session_in_the_readme_is_what_one_sees() {
    let Some((hub, _keyring, machine)) = two_organisations() else {
        return;
    };
    let steps = session();
    assert!(steps.len() >= 5, "the README has a session");
    for (command, expected) in steps {
        let ran = machine.command("sh", ["-c", &command]).run();
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(made_equal(&said), made_equal(&expected), "$ {command}");
    }
    for (repo, token) in [
        ("/acme/llama", "acme"),
        ("/datasets/umbrella/reports", "umbrella"),
    ] {
        assert_eq!(hub.tokens_seen(repo), [token]);
    }
}

/// The picture at the top: two clones and a push with two tokens. `tests/pictures/make` writes it.
#[test]
fn picture_of_the_session() {
    let Some((hub, _keyring, machine)) = two_organisations() else {
        return;
    };
    for (command, _) in session()
        .iter()
        .filter(|(command, _)| command.contains("login"))
    {
        machine.command("sh", ["-c", command]).ok();
    }
    machine.write(
        ".gitconfig",
        machine.read(".gitconfig") + "[user]\n\tname = alice\n\temail = alice@example.com\n",
    );
    let mut shown = String::new();
    let mut first = "";
    for command in [
        "git clone https://huggingface.co/acme/llama",
        "git clone https://huggingface.co/datasets/umbrella/reports",
        "git -C llama commit --allow-empty --quiet -m 'Describe the training data'",
        "git -C llama push",
        "git -C llama credential-hf status",
    ] {
        match first {
            "" => first = command,
            _ => shown.push_str(&format!("\x1b[1;32m$\x1b[0m \x1b[1m{command}\x1b[0m\n")),
        }
        let run = if command.contains("credential-hf") {
            let line = format!("stty cols 92 rows 60; {command}");
            let run = machine.command("script", ["-qec", &line, "/dev/null"]);
            run.env("TERM", "xterm").ok()
        } else {
            machine.command("sh", ["-c", command]).ok()
        };
        shown.push_str(&run.stdout.replace('\r', ""));
        shown.push_str(&run.stderr);
    }
    assert_eq!(hub.tokens_seen("/acme/llama"), ["acme"]);
    assert_eq!(hub.tokens_seen("/datasets/umbrella/reports"), ["umbrella"]);
    // As in the session above, whose second token ends in other letters.
    let shown = made_equal(&shown).replace("umbrella  hf_…7Q2x", "umbrella  hf_…M4kd");
    let svg = picture::svg(first, &shown, 92);
    assert!(svg.contains("</svg>"), "{svg}");
    if let Some(folder) = std::env::var_os("PICTURES") {
        std::fs::write(Path::new(&folder).join("session.svg"), svg).expect("write a picture");
    }
}
