//! The token that may do what git is about to do: nobody says which one to use, and no rule is
//! written.

use crate::hub::common::{get, label, login};
use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::machine::Machine;
use serde_json::Value;

const URL: &str = "https://huggingface.co/acme/x";

struct Desk {
    hub: Hub,
    machine: Machine,
    whoami: WhoAmI,
}

impl Desk {
    /// A token that reads acme/x, and one that writes to all of acme.
    fn with_two_scoped_tokens() -> Desk {
        let desk = Desk::new();
        let (read, write) = (&["repo.content.read"], &["repo.write"]);
        desk.login("ro", Read, fine_grained(&[("model", "acme/x", read)]));
        desk.login("fg", Write, fine_grained(&[("org", "acme", write)]));
        desk
    }

    fn new() -> Desk {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub);
        let whoami = WhoAmI::start(&hub);
        machine.configure();
        Desk {
            hub,
            machine,
            whoami,
        }
    }

    fn login(&self, name: &str, right: crate::support::hub::Right, answer: Value) {
        let token = self.hub.add_token(name, &[("acme", right)]);
        self.whoami.says(name, answer);
        login(&self.machine, name, &token).ok();
    }

    /// The tokens that a command's requests brought.
    fn seen(&self, run: impl FnOnce()) -> Vec<String> {
        self.hub.clear_log();
        run();
        assert!(self.hub.log().iter().all(|entry| entry.status != 403));
        self.hub.tokens_seen("/acme/x")
    }

    fn clone(&self) {
        self.machine.git(["clone", "--quiet", URL, "x"]).ok();
    }

    fn commit(&self) {
        self.machine
            .git(["commit", "--quiet", "--allow-empty", "-m", "more"])
            .dir("x")
            .ok();
    }
}

#[test]
fn a_clone_takes_the_token_that_reads_and_a_push_the_one_that_writes() {
    let desk = Desk::with_two_scoped_tokens();
    let git = |arguments: &[&str]| desk.machine.git(arguments).dir("x").ok();
    assert_eq!(desk.seen(|| desk.clone()), ["ro"]);
    git(&["config", "alias.publish", "push --quiet"]);
    git(&["config", "alias.up", "!git push --quiet"]);
    for push in [
        &["push", "--quiet"][..],
        &["publish"],
        &["up"],
        &["-C", ".", "-c", "a.b=c", "push", "--quiet"],
        &["push", "--quiet", "--recurse-submodules=on-demand"],
    ] {
        desk.commit();
        let seen = desk.seen(|| drop(git(push)));
        assert_eq!(seen, ["fg"], "{push:?}");
    }
    assert_eq!(desk.seen(|| drop(git(&["fetch", "--quiet"]))), ["ro"]);
    // Names that say push, and a fetch from there.
    git(&["remote", "add", "push", URL]);
    let fetch = ["fetch", "--quiet", "push"];
    assert_eq!(desk.seen(|| drop(git(&fetch))), ["ro"]);
    // A hook of a push fetches.
    let hook = "x/.git/hooks/pre-push";
    desk.machine.write(hook, "#!/bin/sh\ngit fetch --quiet\n");
    desk.machine.command("chmod", ["+x", hook]).ok();
    desk.commit();
    let mut seen = desk.seen(|| drop(git(&["push", "--quiet"])));
    seen.sort();
    assert_eq!(seen, ["fg", "ro"]);
}

#[test]
fn an_accounts_read_and_write_tokens() {
    let desk = Desk::new();
    let member = |role: &str| {
        let mut answer = account(role);
        answer["orgs"] = serde_json::json!([{"type": "org", "name": "acme", "roleInOrg": "write"}]);
        answer
    };
    desk.login("w", Write, member("write"));
    desk.login("r", Read, member("read"));
    assert_eq!(desk.seen(|| desk.clone()), ["r"]);
    desk.commit();
    let push = || drop(desk.machine.git(["push", "--quiet"]).dir("x").ok());
    assert_eq!(desk.seen(push), ["w"]);
    // Asked by nobody that says what it does: the one that may do either.
    assert_eq!(
        label(&desk.hub, &get(&desk.machine, "acme/x").ok()).as_deref(),
        Some("w")
    );
}

#[test]
fn split_rules() {
    let desk = Desk::with_two_scoped_tokens();
    let machine = &desk.machine;
    desk.login("a", Read, account("read"));
    desk.login("b", Write, account("write"));
    machine
        .helper(["use", "a", "--for", "acme", "--fetch"])
        .ok();
    machine.helper(["use", "b", "--for", "acme", "--push"]).ok();
    let config = machine.read(".config/git-credential-hf/config.toml");
    assert!(
        config.contains(r#"acme = { fetch = "a", push = "b" }"#),
        "{config}"
    );
    assert_eq!(desk.seen(|| desk.clone()), ["a"]);
    desk.commit();
    let push = || drop(machine.git(["push", "--quiet"]).dir("x").ok());
    assert_eq!(desk.seen(push), ["b"]);
    for (flags, token) in [
        (&["explain", "acme/x"][..], "a"),
        (&["explain", "acme/x", "--push"], "b"),
    ] {
        let said = machine.helper(flags).ok().stdout;
        let row = said
            .lines()
            .find(|line| line.starts_with("→"))
            .expect("a row");
        assert_eq!(row.split_whitespace().nth(1), Some(token), "{said}");
    }
    let listed = machine.helper(["list"]).ok().stdout;
    assert!(
        listed.contains("acme, fetch") && listed.contains("acme, push"),
        "{listed}"
    );
}

#[test]
fn a_push_that_the_hub_will_refuse_is_told_before() {
    let desk = Desk::with_two_scoped_tokens();
    desk.clone();
    desk.commit();
    desk.machine.helper(["use", "ro", "--for", "acme/x"]).ok();
    let refused = desk.machine.git(["push", "--quiet"]).dir("x").fails();
    assert!(
        refused
            .stderr
            .contains("token `ro` may not push to acme/x, as far as is known: its role is `read`"),
        "{refused}"
    );
    assert!(
        refused
            .stderr
            .contains("git credential-hf use fg --for acme/x --push"),
        "{refused}"
    );
    let fetched = desk.machine.git(["fetch", "--quiet"]).dir("x").ok();
    assert_eq!(fetched.stderr, "");
    let helps = ["use", "fg", "--for", "acme/x", "--push"];
    desk.machine.helper(helps).ok();
    let pushed = desk.machine.git(["push", "--quiet"]).dir("x").ok();
    assert_eq!(pushed.stderr, "");
}

#[test]
fn a_push_stops_at_a_variable_that_holds_no_token() {
    let desk = Desk::new();
    let mut answer = account("write");
    answer["orgs"] = serde_json::json!([{"type": "org", "name": "acme", "roleInOrg": "write"}]);
    desk.login("w", Write, answer);
    desk.machine.env("HF_TOKEN", "\"hf_quoted\"");
    desk.clone();
    desk.commit();
    let stopped = desk.machine.git(["push", "--quiet"]).dir("x").fails();
    assert!(
        stopped.stderr.contains("HF_TOKEN cannot be used"),
        "{stopped}"
    );
    assert!(
        desk.hub
            .log()
            .iter()
            .all(|entry| !entry.path.contains("receive-pack") || entry.status == 401)
    );
}

#[test]
fn one_personal_login_opens_what_the_account_was_accepted_to() {
    let desk = Desk::new();
    desk.hub.add_repo("stranger/gated", true);
    let token = desk.hub.add_token("me", &[("stranger", Read)]);
    desk.whoami.says("me", account("read"));
    login(&desk.machine, "me", &token).ok();
    let url = "https://huggingface.co/stranger/gated";
    desk.machine.git(["clone", "--quiet", url, "gated"]).ok();
    assert_eq!(desk.hub.tokens_seen("/stranger/gated"), ["me"]);
}
