//! Tokens that are used by what the Hub says of them, with no rule written: the narrowest that
//! covers the repo, and of equals the oldest login.

use crate::desk::Desk;
use crate::hub::common::{get, json, login, seen};
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{Scope, account, fine_grained};
use crate::support::user::{CONFIG, STATE};

const READ: &[&str] = &["repo.content.read"];
const WRITE: &[&str] = &["repo.write"];

impl Desk {
    /// Logs in with a fine-grained token that may write to `scope`, and has these scopes.
    fn fine(&self, name: &str, scope: &str, scopes: &[Scope]) -> String {
        self.login(name, &[(scope, Write)], fine_grained(scopes));
        self.hub.value_of(name)
    }

    fn clone(&self, path: &str, into: &str) {
        let url = format!("https://huggingface.co/{path}");
        self.machine.git(["clone", "--quiet", &url, into]).ok();
    }
}

#[test]
fn two_narrow_tokens_each_open_what_they_are_for() {
    let desk = Desk::new();
    let Desk { hub, machine, .. } = &desk;
    for repo in ["acme/x", "acme/y", "datasets/acme/x"] {
        hub.add_repo(repo, true);
    }
    let wide = desk.fine("wide", "acme", &[("org", "acme", WRITE)]);
    let narrow = desk.fine("narrow", "acme/x", &[("model", "acme/x", WRITE)]);
    machine.configure();
    hub.clear_log();

    desk.clone("acme/x", "x");
    desk.clone("acme/y", "y");
    desk.clone("datasets/acme/x", "data");
    assert_eq!(hub.tokens_seen("/acme/x/"), ["narrow"]);
    assert_eq!(hub.tokens_seen("/acme/y/"), ["wide"]);
    assert_eq!(hub.tokens_seen("/datasets/acme/x/"), ["wide"]);
    machine.write("x/more", "more");
    machine.git(["add", "more"]).dir("x").ok();
    machine.git(["commit", "-qm", "more"]).dir("x").ok();
    machine.git(["push", "--quiet"]).dir("x").ok();
    assert_eq!(hub.tokens_seen("/acme/x/"), ["narrow"]);
    assert!(hub.log().iter().all(|entry| entry.status != 403));

    let explain = |repo: &str| machine.helper(["explain", repo]).ok();
    let explained = explain("acme/x").stdout;
    let lines: Vec<String> = explained.lines().map(squeezed).collect();
    let value = |token: &str| format!("hf_…{}", &token[token.len() - 4..]);
    let (wide, narrow) = (value(&wide), value(&narrow));
    assert_eq!(
        lines,
        [
            "acme/x on https://huggingface.co".to_owned(),
            "NAME STEP WHY STORAGE TOKEN STATUS".to_owned(),
            format!(
                "→ narrow scoped its scopes cover acme/x file, not encrypted {narrow} git gets this"
            ),
            format!("wide scoped its scopes cover acme file, not encrypted {wide}"),
        ]
    );
    let other = explain("datasets/acme/x").stdout;
    assert!(
        other.contains("→  wide ") && !other.contains("narrow"),
        "{other}"
    );
}

fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_narrowest_token_that_covers_a_repo_is_answered() {
    let desk = Desk::new();
    desk.login("mine", &[("alice", Write)], account("write"));
    desk.fine("wide", "acme", &[("org", "acme", READ)]);
    desk.fine("model", "acme/x", &[("model", "acme/x", READ)]);
    desk.fine("data", "datasets/acme/x", &[("dataset", "acme/x", WRITE)]);
    desk.fine(
        "parts",
        "acme",
        &[
            ("space", "acme/s", WRITE),
            ("kernel", "acme/k", READ),
            ("user", "bob", READ),
        ],
    );
    // None of these lets git in: other permissions, other entities.
    desk.fine(
        "talk",
        "acme",
        &[
            ("model", "acme/y", &["discussion.write", "repo.access.read"]),
            ("collection", "acme/y", WRITE),
            ("bucket", "acme/y", WRITE),
            ("resource-group", "acme", WRITE),
            ("oauth-app", "acme", READ),
            ("org", "closed", &["repo.access.read"]),
        ],
    );
    for (path, expected) in [
        ("acme/x", Some("model")),
        ("Acme/X.git", Some("model")),
        ("acme/x.git/info/lfs", Some("model")),
        ("datasets/acme/x", Some("data")),
        ("datasets/acme/x.git/info/lfs", Some("data")),
        ("spaces/acme/s", Some("parts")),
        ("kernels/acme/k", Some("parts")),
        ("spaces/acme/x", Some("wide")),
        ("acme/s", Some("wide")),
        ("acme/y", Some("wide")),
        ("bob/z", Some("parts")),
        ("datasets/bob/z", Some("parts")),
        ("alice/z", Some("mine")),
        ("spaces/Alice/z", Some("mine")),
        ("umbrella/z", Some("mine")),
        // Nothing covers these: the login that reaches beyond its own repos.
        ("closed/z", Some("mine")),
        ("other/z", Some("mine")),
        ("acme-labs/x", Some("mine")),
        ("gpt2", Some("mine")),
    ] {
        assert_eq!(desk.answer(path).as_deref(), expected, "{path}");
    }
}

#[test]
fn of_two_equal_tokens_the_older_login_is_used_and_a_rule_decides_otherwise() {
    let desk = Desk::new();
    let Desk { hub, machine, .. } = &desk;
    hub.add_repo("acme/y", true);
    desk.fine("two", "acme", &[("org", "acme", WRITE)]);
    desk.fine("one", "acme", &[("org", "acme", WRITE)]);
    desk.fine("narrow", "acme/x", &[("model", "acme/x", WRITE)]);
    assert_eq!(desk.answer("acme/y").as_deref(), Some("two"));
    assert_eq!(desk.answer("acme/x").as_deref(), Some("narrow"));
    let said = get(machine, "acme/y").ok();
    assert_eq!(said.stderr, "", "{said}");
    let explained = json(&machine.helper(["explain", "acme/y", "--json"]).ok());
    let notes = explained["repos"][0]["notes"].to_string();
    assert!(notes.contains("`one` would do as well"), "{notes}");

    // The default comes after the scopes, and a rule before them.
    machine.helper(["use", "one", "--default"]).ok();
    assert_eq!(desk.answer("acme/y").as_deref(), Some("two"));
    machine.helper(["use", "one", "--for", "acme"]).ok();
    assert_eq!(desk.answer("acme/y").as_deref(), Some("one"));
    assert_eq!(desk.answer("acme/x").as_deref(), Some("one"));
    machine.helper(["unuse", "acme"]).ok();
    machine.helper(["unuse", "--default"]).ok();
    machine.helper(["logout", "two"]).ok();
    assert_eq!(desk.answer("acme/y").as_deref(), Some("one"));
}

#[test]
fn what_scopes_say_comes_before_the_environment_and_an_account_after_it() {
    let desk = Desk::new();
    let Desk { hub, machine, .. } = &desk;
    desk.fine("narrow", "acme/x", &[("model", "acme/x", READ)]);
    desk.login("mine", &[("alice", Write)], account("write"));
    machine.env("HF_TOKEN", hub.add_token("environment", &[]));
    assert_eq!(desk.answer("acme/x").as_deref(), Some("narrow"));
    assert_eq!(desk.answer("alice/x").as_deref(), Some("environment"));
    machine.helper(["use", "mine", "--for", "alice"]).ok();
    assert_eq!(desk.answer("alice/x").as_deref(), Some("mine"));
}

#[test]
fn a_revoked_narrow_token_gives_way_to_the_wider_one() {
    let desk = Desk::new();
    let Desk { hub, machine, .. } = &desk;
    hub.add_repo("acme/x", true);
    desk.fine("wide", "acme", &[("org", "acme", READ)]);
    desk.fine("narrow", "acme/x", &[("model", "acme/x", READ)]);
    machine.configure();
    hub.revoke("narrow");
    hub.clear_log();
    let url = "https://huggingface.co/acme/x";
    // A git that announces `state` goes on by itself; an older one the next time.
    machine.git(["ls-remote", url]).run();
    machine.git(["ls-remote", url]).ok();
    assert_eq!(hub.tokens_seen("/acme/x/"), ["narrow", "wide"]);
}

#[test]
fn logging_in_again_brings_the_new_scopes() {
    let desk = Desk::new();
    let token = desk.fine("work", "acme", &[("model", "acme/x", READ)]);
    assert_eq!(desk.answer("acme/x").as_deref(), Some("work"));
    assert_eq!(desk.answer("acme/y"), None);
    desk.whoami
        .says("work", fine_grained(&[("model", "acme/y", READ)]));
    login(&desk.machine, "work", &token).ok();
    assert_eq!(desk.answer("acme/x"), None);
    assert_eq!(desk.answer("acme/y").as_deref(), Some("work"));
    // `refresh` asks the Hub again, too.
    desk.whoami
        .says("work", fine_grained(&[("org", "acme", READ)]));
    let output = desk.machine.helper(["refresh", "work"]).ok();
    assert_eq!(
        seen(&desk.machine, &output, &token),
        "ok: `work` still works: account alice, role fine-grained, \
         organisations acme (write), umbrella (read)\n"
    );
    assert_eq!(desk.answer("acme/x").as_deref(), Some("work"));
}

#[test]
fn a_token_without_verification_has_no_scopes_to_go_by() {
    let desk = Desk::new();
    let token = desk.hub.add_token("work", &[("acme", Read)]);
    desk.machine.login("work", &token, &[]);
    assert_eq!(desk.answer("acme/x"), None);
    desk.whoami.says("work", account("read"));
    desk.machine.helper(["refresh"]).ok();
    assert_eq!(desk.answer("acme/x").as_deref(), Some("work"));
}

#[test]
fn what_is_said_of_tokens_is_the_same_on_another_hub() {
    const CORP: &str = "https://hub.corp.example";
    let desk = Desk::new();
    let machine = &desk.machine;
    let scopes = [("org", "acme", &["repo.content.read"][..])];
    // A rule of the public Hub, for what is advised where its name has to be typed.
    let there = desk.token("public", &[("acme", Read)], fine_grained(&scopes));
    machine.login("public", &there, &["--for", "acme"]);
    desk.whoami.answers_at(&desk.hub, "hub.corp.example");
    machine.env("HF_ENDPOINT", CORP);
    desk.login("first", &[("acme", Read)], fine_grained(&scopes));
    let second = desk.login("second", &[("acme", Read)], fine_grained(&scopes));
    let tied = format!("another token is as good for {CORP}/acme: there");
    assert!(second.stdout.contains(&tied), "{second}");
    // `acme` alone means the Hub of HF_ENDPOINT, and another Hub is named.
    let advised = "git credential-hf use second --for acme\n";
    assert!(second.stdout.ends_with(advised), "{second}");
    let none = desk.login("none", &[], fine_grained(&[]));
    let page = format!("edit it at {CORP}/settings/tokens\n");
    assert!(none.stdout.contains(&page), "{none}");
    let mut state = machine.state();
    let tokens = state["tokens"].as_object_mut().expect("tokens");
    tokens.remove("public");
    machine.write(STATE, state.to_string());
    let doctor = machine.helper(["doctor", "--offline"]).run().stdout;
    let fix = "git credential-hf unuse https://huggingface.co/acme";
    assert!(doctor.contains(fix), "{doctor}");
    machine
        .helper(["unuse", "https://huggingface.co/acme"])
        .ok();
    assert!(!machine.read(CONFIG).contains("acme"));
}
