//! Answers of the Hub that are odd, and choices that are not clear.

use crate::desk::Desk;
use crate::hub::common::{json, login};
use crate::support::hub::Right::Write;
use crate::support::hub::api::{OAuth, WhoAmI, account, fine_grained};
use crate::support::hub::{Hub, Response};
use crate::support::machine::Machine;
use serde_json::{Value, json as value};

const HUB: &str = "huggingface.co";
const WHOAMI: &str = "/api/whoami-v2";
const READ: &[&str] = &["repo.content.read"];

/// The rules that `login` offers should choose what git would choose without them.
#[test]
fn the_rule_offered_for_a_model_is_for_the_model_only() {
    let desk = Desk::new();
    desk.login("wide", &[], fine_grained(&[("org", "acme", READ)]));
    let said = desk
        .login("narrow", &[], fine_grained(&[("model", "acme/x", READ)]))
        .stdout;
    assert_eq!(desk.answer("datasets/acme/x").as_deref(), Some("wide"));
    let offered = said.split("git credential-hf ").last().expect("a command");
    desk.machine.helper(offered.split_whitespace()).ok();
    assert_eq!(desk.answer("acme/x").as_deref(), Some("narrow"));
    assert_eq!(desk.answer("datasets/acme/x").as_deref(), Some("wide"));
}

#[test]
fn an_equal_token_is_named_by_login_explain_and_list() {
    let desk = Desk::new();
    desk.login("one", &[], fine_grained(&[("org", "acme", READ)]));
    let said = desk
        .login("two", &[], fine_grained(&[("org", "acme", READ)]))
        .stdout;
    assert_eq!(desk.answer("acme/x").as_deref(), Some("one"));
    assert!(!said.contains("git uses it for acme"), "{said}");
    let explained = desk.machine.helper(["explain", "acme/x"]).ok().stdout;
    assert!(explained.contains("`two` would do as well"), "{explained}");
    assert!(
        explained.contains("git credential-hf use two"),
        "{explained}"
    );
    let listed = desk.machine.helper(["list"]).ok().stdout;
    assert!(listed.contains("equal: two"), "{listed}");
}

#[test]
fn login_does_not_claim_uses_for_a_role_that_covers_nothing() {
    let desk = Desk::new();
    let said = desk.login("work", &[], account("superWrite")).stdout;
    assert_eq!(desk.answer("acme/x"), None);
    assert!(!said.contains("git uses it for"), "{said}");
    let list = desk.machine.helper(["list"]).ok().stdout;
    assert!(!list.contains("by its scopes"), "{list}");
}

/// An entity may come without a name; its id is no namespace.
#[test]
fn an_entity_without_a_name_is_no_namespace() {
    let desk = Desk::new();
    let mut answer = fine_grained(&[("org", "x", READ)]);
    let scoped = &mut answer["auth"]["accessToken"]["fineGrained"]["scoped"];
    scoped[0]["entity"] = value!({ "_id": "65c1f00d", "type": "org" });
    let said = desk.login("work", &[], answer).stdout;
    assert!(said.contains("org 65c1f00d"), "{said}");
    assert!(!said.contains("--for 65c1f00d"), "{said}");
    assert_eq!(desk.answer("65c1f00d/x"), None);
}

#[test]
fn a_field_that_is_null_is_as_good_as_missing() {
    let desk = Desk::new();
    for path in [
        "/orgs",
        "/auth",
        "/auth/accessToken",
        "/auth/accessToken/fineGrained",
        "/auth/accessToken/fineGrained/global",
        "/auth/accessToken/fineGrained/scoped",
        "/auth/accessToken/fineGrained/canReadGatedRepos",
        "/auth/accessToken/fineGrained/scoped/0/permissions",
        "/auth/accessToken/fineGrained/scoped/0/entity/name",
    ] {
        let mut answer = fine_grained(&[("model", "acme/x", READ)]);
        *answer.pointer_mut(path).expect(path) = Value::Null;
        let token = desk.hub.add_token(path, &[]);
        desk.whoami.says(path, answer);
        let output = login(&desk.machine, "work", &token).run();
        assert_eq!(output.code, 0, "{path}: {output}");
    }
}

#[test]
fn a_list_is_no_account() {
    let desk = Desk::new();
    let token = desk.hub.add_token("work", &[]);
    desk.whoami.says("work", value!(["alice"]));
    login(&desk.machine, "work", &token).fails();
}

/// Git cannot be sent such a name; the token can be used all the same, as `hf_user`.
#[test]
fn an_account_that_git_cannot_be_told_does_not_keep_the_token_back() {
    let desk = Desk::new();
    let mut answer = account("write");
    answer["name"] = "al\nice".into();
    desk.login("work", &[], answer);
    assert_eq!(desk.answer("acme/x").as_deref(), Some("work"));
}

#[test]
fn a_redirect_that_goes_round_is_told_as_that() {
    let desk = Desk::new();
    let token = desk.hub.add_token("work", &[]);
    desk.hub
        .route("GET", HUB, WHOAMI, |_| Response::redirect(302, WHOAMI));
    let said = login(&desk.machine, "work", &token).fails().stderr;
    assert!(
        said.contains("huggingface.co redirects in a loop\n"),
        "{said}"
    );
}

#[test]
fn json_cannot_write_to_the_terminal_either() {
    let desk = Desk::new();
    let mut answer = account("write");
    answer["name"] = "al\u{9b}2Jice\u{202e}\u{7f}".into();
    let token = desk.hub.add_token("work", &[]);
    desk.whoami.says("work", answer);
    for output in [
        login(&desk.machine, "work", &token).and(&["--json"]).ok(),
        desk.machine.helper(["list", "--json"]).ok(),
    ] {
        json(&output);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!output.stdout.contains(bad), "{:?}", output.stdout);
    }
}

#[test]
fn no_token_at_all_is_not_called_a_dead_one() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let output = machine.helper(["check", "acme/x", "--json"]).fails();
    let told = json(&output);
    assert_eq!(told["repos"][0]["problem"]["kind"], "not-called");
}

#[test]
fn a_gate_without_words_is_told_without_a_loose_end() {
    let desk = Desk::new();
    desk.hub.add_repo("acme/x", true);
    desk.login("work", &[], account("write"));
    desk.machine.configure();
    let gate = Response::text(403, "").header("X-Error-Code", "GatedRepo");
    crate::hub::check::answer_refs(&desk.hub, gate);
    let said = desk.machine.helper(["check", "acme/x"]).fails().stdout;
    assert!(said.contains("access: gated repo\n"), "{said}");
    assert!(!said.contains(": \n") && !said.contains(":\n"), "{said}");
}

/// Without the refresh token too, whoever has it can make a new token.
#[test]
fn revoking_a_browser_login_names_all_its_tokens() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    OAuth::start(&hub, &[("alice", Write)], 3600);
    WhoAmI::start(&hub);
    let login = ["login", "me", "--web", "--storage", "file"];
    machine.helper(login).ok();
    let sent = std::sync::Arc::new(std::sync::Mutex::new(Value::Null));
    let seen = std::sync::Arc::clone(&sent);
    hub.route("POST", HUB, "/api/credentials/revoke", move |request| {
        *seen.lock().expect("the body") = request.json();
        Response::text(202, "")
    });
    machine.helper(["logout", "me", "--revoke", "--yes"]).ok();
    let count = sent.lock().expect("the body")["credentials"]
        .as_array()
        .map(Vec::len);
    assert_eq!(count, Some(2));
}
