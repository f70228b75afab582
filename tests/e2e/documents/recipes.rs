//! Recipes of the README, run as they stand there.

use super::document;
use crate::support::advice::follow;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{OAuth, WhoAmI};
use crate::support::hub::{Hub, Response};
use crate::support::keyring::Keyring;
use crate::support::machine::{Machine, Output};
use crate::support::modes::mode_of;
use crate::support::notebook;
use crate::support::user::{CONFIG, DATA};
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex};

/// The commands of the recipe with this title.
fn recipe(title: &str) -> Vec<&'static str> {
    let (_, rest) = document("README.md")
        .split_once(&format!("**{title}.**"))
        .expect("the recipe");
    let (_, block) = rest.split_once("```sh\n").expect("its commands");
    let (block, _) = block.split_once("```").expect("its end");
    block.lines().collect()
}

/// A machine with the tokens `acme` and `me`, which is the default; each may do everything.
fn machine(hub: &Hub) -> Machine {
    hub.add_repo("acme/model", true);
    let machine = Machine::new(hub);
    for (name, more) in [("acme", [].as_slice()), ("me", &["--default"])] {
        let token = hub.add_token(name, &[("acme", Write)]);
        machine.login(name, &token, more);
    }
    machine.configure();
    machine
}

/// Runs each command of a recipe, without a terminal, and gives what the last one printed.
fn run(machine: &Machine, title: &str) -> Output {
    let commands = recipe(title).into_iter();
    let outputs = commands.map(|command| machine.command("sh", ["-c", command]).ok());
    outputs.last().expect("a command")
}

/// A machine without a keyring, before a Hub on which a browser login gets a token for `acme`.
fn with_a_browser() -> (Hub, Machine, OAuth) {
    let hub = Hub::start();
    hub.add_repo("acme/model", true);
    let machine = Machine::new(&hub);
    WhoAmI::start(&hub);
    let oauth = OAuth::start(&hub, &[("acme", Write)], 28_800);
    (hub, machine, oauth)
}

#[test]
fn nothing_set_up_and_no_token_yet() {
    if !Keyring::is_possible() {
        return;
    }
    let (hub, machine, _oauth) = with_a_browser();
    let keyring = Keyring::start();
    machine.env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    let status = run(&machine, "Nothing set up, and no token yet").stdout;
    for words in [
        "git calls this helper for https://huggingface.co",
        "the default token is `me`",
        "keyring",
    ] {
        assert!(status.contains(words), "{words:?} is not in {status}");
    }
    assert_eq!(hub.tokens_seen("/acme/model"), ["oauth 1"]);
    assert!(machine.files_with_secrets().is_empty());
}

#[test]
fn a_server_without_a_keyring_or_a_browser() {
    let (hub, machine, _oauth) = with_a_browser();
    let list = run(&machine, "A server without a keyring or a browser").stdout;
    assert!(list.contains("not encrypted"), "{list}");
    assert_eq!(hub.tokens_seen("/acme/model"), ["oauth 1"]);
    let [file] = machine.files_with_secrets().try_into().expect("one file");
    assert!(file.starts_with(machine.home().join(DATA)));
    assert_eq!(mode_of(&file), 0o600);
}

#[test]
fn a_notebook() {
    let (hub, machine, _oauth) = with_a_browser();
    let cells = recipe("A notebook");
    let Some(shown) = notebook::run(&machine, &cells) else {
        return;
    };
    assert!(shown[1].contains("user_code="), "{shown:?}");
    assert_eq!(hub.tokens_seen("/acme/model"), ["oauth 1"]);
    assert!(machine.home().join("model/README.md").exists(), "{shown:?}");
}

#[test]
fn a_token_has_leaked() {
    let hub = Hub::start();
    hub.add_repo("acme/model", true);
    let machine = Machine::new(&hub);
    WhoAmI::start(&hub);
    let ended: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&ended);
    hub.route(
        "POST",
        "huggingface.co",
        "/api/credentials/revoke",
        move |request| {
            let body = request.json();
            seen.lock()
                .expect("the bodies")
                .push(body["credentials"][0].clone());
            Response::json(200, &json!({}))
        },
    );
    let [leaked, fresh, elsewhere] =
        ["leaked", "fresh", "elsewhere"].map(|label| hub.add_token(label, &[("acme", Write)]));
    machine.login("acme", &leaked, &["--for", "acme"]);
    machine.configure();
    let line = format!("machine huggingface.co login u password {leaked}\n");
    machine.write(".netrc", line);

    let [end, login, end_other, copies] = recipe("A token has leaked").try_into().expect("four");
    follow(&machine, ".", end, &leaked);
    assert_eq!(*ended.lock().expect("the bodies"), [json!(leaked)]);
    hub.revoke("leaked");
    follow(&machine, ".", login, &fresh);
    follow(&machine, ".", end_other, &elsewhere);
    assert_eq!(ended.lock().expect("the bodies")[1..], [json!(elsewhere)]);
    let copies = machine.command("sh", ["-c", copies]).ok().stdout;
    assert!(copies.contains(".netrc:1"), "{copies}");

    fs::remove_file(machine.home().join(".netrc")).expect("remove the copy");
    assert!(machine.read(CONFIG).contains("acme = \"acme\""), "the rule");
    let clone = ["clone", "--quiet", "https://huggingface.co/acme/model"];
    machine.git(clone).ok();
    assert_eq!(hub.tokens_seen("/acme/model"), ["fresh"]);
}

#[test]
fn a_new_machine() {
    let hub = Hub::start();
    hub.add_repo("acme/model", true);
    let (old, new) = (Machine::new(&hub), Machine::new(&hub));
    WhoAmI::start(&hub);
    for name in ["acme", "data"] {
        let token = hub.add_token(name, &[(name, Write)]);
        old.login(name, &token, &["--for", name]);
    }
    // Another host's files are those of another home here.
    let script = format!(
        "#!/bin/sh\ncp '{}'/\"${{1#old:}}\" \"$2\"\n",
        old.home().display()
    );
    new.program("scp", &script);
    let mut commands = recipe("A new machine");
    let login = commands.pop().expect("the login");
    for command in commands {
        new.command("sh", ["-c", command]).ok();
    }
    follow(&new, ".", login, &hub.value_of("acme"));

    let list = new.helper(["list"]).ok().stdout;
    let is_missing = |name: &str| {
        let mut lines = list.lines().filter(|line| line.contains("(missing)"));
        lines.any(|line| line.contains(name))
    };
    assert!(is_missing("data") && !is_missing("acme"), "{list}");
    let clone = ["clone", "--quiet", "https://huggingface.co/acme/model"];
    new.git(clone).ok();
    assert_eq!(hub.tokens_seen("/acme/model"), ["acme"]);
}

#[test]
fn work_and_private_folders() {
    let hub = Hub::start();
    let machine = machine(&hub);
    let said = run(&machine, "Work and private folders").stdout;
    assert_eq!(hub.tokens_seen("/acme/model"), ["acme"]);
    let chosen = said.lines().find(|line| line.contains("git gets this"));
    assert!(chosen.is_some_and(|line| line.contains("acme ")), "{said}");

    hub.clear_log();
    machine
        .git(["clone", "-q", "https://huggingface.co/acme/model"])
        .ok();
    assert_eq!(hub.tokens_seen("/acme/model"), ["me"]);
}

#[test]
fn hf_auth_login_done() {
    let hub = Hub::start();
    hub.add_repo("acme/model", true);
    let machine = Machine::new(&hub);
    let active = hub.add_token("active", &[("acme", Write)]);
    let other = hub.add_token("other", &[]);
    let stored = format!("[acme-write]\nhf_token = {other}\n\n[mine]\nhf_token = {active}\n");
    machine.write(".cache/huggingface/token", &active);
    machine.write(".cache/huggingface/stored_tokens", stored);
    run(&machine, "You have run `hf auth login`");
    assert_eq!(hub.tokens_seen("/acme/model"), ["active"]);
    let list = machine.helper(["list"]).ok().stdout;
    assert!(list.contains("hf:acme-write"), "{list}");
}

#[test]
fn ci_and_uninstalling() {
    let hub = Hub::start();
    hub.add_repo("acme/model", true);
    let machine = Machine::new(&hub);
    let token = hub.add_token("ci", &[("acme", Write)]);
    machine.write(
        ".gitconfig",
        "[user]\n\tname = ci\n\temail = ci@example.com\n",
    );
    machine.env("HF_TOKEN", &token);
    run(&machine, "CI");
    assert_eq!(hub.tokens_seen("/acme/model"), ["ci"]);
    machine.unset("HF_TOKEN");
    let commands = recipe("Uninstalling");
    for command in commands
        .iter()
        .filter(|command| command.starts_with("git "))
    {
        machine.command("sh", ["-c", command]).ok();
    }
    let left = machine.read(".gitconfig");
    assert_eq!(left, "[user]\n\tname = ci\n\temail = ci@example.com\n");
}
