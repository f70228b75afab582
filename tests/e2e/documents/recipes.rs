//! Recipes of the README, run as they stand there.

use super::document;
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;

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

#[test]
fn work_and_private_folders() {
    let hub = Hub::start();
    let machine = machine(&hub);
    let mut said = String::new();
    for command in recipe("Work and private folders") {
        said = machine.command("sh", ["-c", command]).ok().stdout;
    }
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
    for command in recipe("You have run `hf auth login`") {
        machine.command("sh", ["-c", command]).ok();
    }
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
    for command in recipe("CI") {
        machine.command("sh", ["-c", command]).ok();
    }
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
