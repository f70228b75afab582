//! `rename`: a token's new name, in every place that has the old one.

use crate::support::hub::Right::Write;
use crate::support::hub::api::{WhoAmI, account};
use crate::support::hub::{Hub, Response};
use crate::support::machine::Machine;
use crate::support::modes::set_mode;
use crate::support::user::{CONFIG, STATE};

const X: &str = "https://huggingface.co/acme/x";

fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    machine.configure();
    (hub, machine)
}

#[test]
fn rules_and_the_default_follow() {
    let (hub, machine) = machine();
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login(
        "work",
        &token,
        &["--for", "acme", "--for", "other/y", "--default"],
    );
    let config = machine.read(CONFIG);
    let said = machine.helper(["rename", "work", "acme write"]).ok();
    assert_eq!(said.stdout, "renamed `work` to `acme write`\n");
    assert_eq!(
        machine.read(CONFIG),
        config.replace("\"work\"", "\"acme write\"")
    );
    assert_eq!(Vec::from_iter(machine.names()), ["acme write"]);
    assert_eq!(machine.files_with_secrets().len(), 1);
    machine.git(["ls-remote", X]).ok();
    assert_eq!(hub.tokens_seen("/acme/x"), ["work"]);
    // A rejected one is no better for it.
    hub.revoke("work");
    machine.git(["ls-remote", X]).fails();
    machine.helper(["rename", "acme write", "work"]).ok();
    let listed = machine.helper(["list"]).ok().stdout;
    assert!(listed.contains("rejected"), "{listed}");

    let other = hub.add_token("other", &[]);
    machine.login("other", &other, &[]);
    let before = machine.read(STATE);
    for (old, new, word) in [
        ("work", "other", "a token called `other` already exists"),
        ("work", "work", "already"),
        ("wrok", "x", "`work`"),
        ("work", "a:b", "cannot contain `:`"),
        ("work", "-x", "unexpected argument"),
    ] {
        machine.helper(["rename", old, new]).fails().says(&[word]);
    }
    assert_eq!(machine.read(STATE), before);
}

#[test]
fn what_git_saved_becomes_a_token_like_any_other_once_the_hub_knows_it() {
    let (hub, machine) = machine();
    let whoami = WhoAmI::start(&hub);
    let token = hub.add_token("typed", &[("acme", Write)]);
    let place = "protocol=https\nhost=huggingface.co\npath=acme/x\nusername=mallory\n";
    machine
        .store_typed(format!("{place}password={token}\n"))
        .silent();
    let saved = "git:mallory@huggingface.co/acme/x";
    assert_eq!(Vec::from_iter(machine.names()), [saved]);
    hub.revoke("typed");
    machine
        .helper(["rename", saved, "acme"])
        .fails()
        .says(&["does not accept"]);
    assert_eq!(Vec::from_iter(machine.names()), [saved]);

    hub.restore("typed");
    whoami.says("typed", account("write"));
    let said = machine.helper(["rename", saved, "acme"]).ok().stdout;
    assert!(said.contains("account alice"), "{said}");
    let state = machine.state();
    let token = &state["tokens"]["acme"];
    assert_eq!(Vec::from_iter(machine.names()), ["acme"]);
    assert_eq!(
        (&token["origin"], &token["account"]),
        (&"login".into(), &"alice".into())
    );
    assert!(
        token.get("username").is_none() && token.get("path").is_none(),
        "{token}"
    );
    assert_eq!(machine.files_with_secrets().len(), 1);
}

/// A kill leaves a token for every rule, and the same command does the rest.
#[test]
fn a_rename_that_was_killed_half_way_is_finished_by_the_next() {
    let (hub, machine) = machine();
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme"]);
    let data = ".local/share/git-credential-hf/tokens";
    let before = (machine.read(STATE), machine.read(CONFIG));
    let files = || {
        let folder = machine.home().join(data);
        let entries = std::fs::read_dir(folder).expect("the folder of tokens");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect::<Vec<_>>()
    };
    let old: Vec<_> = files()
        .into_iter()
        .map(|at| (std::fs::read(&at).expect("a file"), at))
        .collect();
    machine.helper(["rename", "work", "new"]).ok();
    let mut both = machine.state();
    // As after the copy, and as after the rules.
    for config in [before.1.clone(), machine.read(CONFIG)] {
        let old_state: serde_json::Value = serde_json::from_str(&before.0).expect("JSON");
        both["tokens"]["work"] = old_state["tokens"]["work"].clone();
        machine.write(STATE, both.to_string());
        machine.write(CONFIG, config);
        for (bytes, at) in &old {
            std::fs::write(at, bytes).expect("write the old one");
            set_mode(at, 0o600);
        }
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/acme/x"), ["work"]);
        machine.helper(["rename", "work", "new"]).ok();
        assert_eq!(Vec::from_iter(machine.names()), ["new"]);
        assert_eq!(machine.files_with_secrets().len(), 1);
        assert!(machine.read(CONFIG).contains("acme = \"new\""));
        both = machine.state();
    }
}

#[test]
fn a_rename_that_cannot_change_the_rules_leaves_one_name() {
    let (hub, machine) = machine();
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme"]);
    let config = machine.read(CONFIG);
    let lock = machine.home().join(CONFIG).with_extension("lock");
    std::fs::remove_file(&lock).expect("the lock");
    std::fs::create_dir(&lock).expect("a folder in its place");
    machine.helper(["rename", "work", "new"]).fails();
    assert_eq!(Vec::from_iter(machine.names()), ["work"]);
    assert_eq!(machine.files_with_secrets().len(), 1);
    std::fs::remove_dir(&lock).expect("the folder");
    machine.helper(["rename", "work", "new"]).ok();
    assert_eq!(machine.read(CONFIG), config.replace("\"work\"", "\"new\""));
}

#[test]
fn a_rule_that_changes_while_the_hub_is_asked_is_not_changed_back() {
    let (hub, machine) = machine();
    let token = hub.add_token("typed", &[("acme", Write)]);
    let place = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
    let typed = format!("{place}password={token}\n");
    machine.store_typed(typed).silent();
    let saved = "git:huggingface.co/acme/x";
    machine.helper(["use", saved, "--for", "acme"]).ok();
    let rule = machine.read(CONFIG);
    let path = machine.home().join(CONFIG);
    hub.route("GET", "huggingface.co", "/api/whoami-v2", move |_| {
        std::fs::write(&path, rule.replace(saved, "other")).expect("another rule");
        Response::json(200, &account("write"))
    });
    machine.helper(["rename", saved, "acme"]).ok();
    assert!(machine.read(CONFIG).contains("acme = \"other\""));
}
