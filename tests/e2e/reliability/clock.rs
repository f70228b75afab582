//! A clock that was wrong, and went back: what was written in a time to come must not keep a
//! token away, or unmended, until that time comes.

use crate::hub::common::{get, label};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{OAuth, WhoAmI};
use crate::support::machine::Machine;
use crate::support::user::{DATA, STATE};
use serde_json::Value;
use std::fs;

/// 2100-01-01.
const LATER: u64 = 4_102_444_800;

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=alice/x\n";

/// Everything that was written, written then.
fn set_back(machine: &Machine) {
    let mut state = machine.state();
    for token in state["tokens"]
        .as_object_mut()
        .expect("tokens")
        .values_mut()
    {
        token["added"] = LATER.into();
        if token["facts"].is_object() {
            token["facts"]["verified"] = LATER.into();
        }
    }
    for at in state["rejected"]
        .as_object_mut()
        .expect("rejections")
        .values_mut()
    {
        *at = LATER.into();
    }
    machine.write(STATE, state.to_string());
    for entry in fs::read_dir(machine.home().join(DATA).join("tokens")).expect("the storage") {
        let path = entry.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a record");
        let later = |line: &str| match line.split_once('=') {
            Some(("renewed", _)) => format!("renewed={LATER}\n"),
            _ => format!("{line}\n"),
        };
        fs::write(&path, text.lines().map(later).collect::<String>()).expect("written");
    }
}

#[test]
fn a_clock_that_went_back_keeps_no_token_away() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let oauth = OAuth::start(&hub, &[("alice", Write)], 600);
    WhoAmI::start(&hub);
    let web = ["login", "me", "--web", "--storage", "file"];
    machine.helper(web).ok();
    machine.helper(["use", "me", "--for", "alice"]).ok();
    let ask = || {
        let answer = get(&machine, "alice/x").ok();
        label(&hub, &answer)
    };

    // It is due, and was renewed in a time to come: it is renewed all the same.
    assert_eq!(ask().as_deref(), Some("oauth 2"));
    oauth.expires_in(3600);
    set_back(&machine);
    assert_eq!(ask().as_deref(), Some("oauth 3"));

    // It is refused: renewed at once, though it was kept in a time to come.
    set_back(&machine);
    let value = |number: usize| {
        let known = hub.secrets()();
        let found = known
            .into_iter()
            .find(|(label, _)| *label == format!("oauth {number}"));
        found.expect("a token").1
    };
    let erase = |password: &str| machine.ask("erase", format!("{REQUEST}password={password}\n"));
    erase(&value(3)).ok().says(&["has now been renewed"]);
    assert_eq!(ask().as_deref(), Some("oauth 4"));

    // Refused once more it is held back for a minute from now, not from then.
    erase(&value(4)).ok();
    let state = machine.state();
    assert_eq!(state["rejected"].as_object().map(|it| it.len()), Some(1));
    let quit = get(&machine, "alice/x").fails();
    assert_eq!(quit.stdout, "quit=1\n");
    set_back(&machine);
    assert_eq!(ask().as_deref(), Some("oauth 4"));
    for arguments in [
        ["list"].as_slice(),
        &["list", "--json"],
        &["explain", "alice/x"],
    ] {
        machine.helper(arguments).ok();
    }
}

/// A login that a kill cut short is mended later, also when it happened in a time to come.
#[test]
fn a_value_that_changed_in_a_time_to_come_is_learnt() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &["--for", "alice"]);
    set_back(&machine);
    let fingerprint = |state: &Value| state["tokens"]["work"]["fingerprint"].clone();
    let mut state = machine.state();
    let known = fingerprint(&state);
    state["tokens"]["work"]["fingerprint"] = "0".repeat(32).into();
    state["tokens"]["work"]["former"] = serde_json::json!([known]);
    machine.write(STATE, state.to_string());
    get(&machine, "alice/x").ok();
    assert_eq!(fingerprint(&machine.state()), known);
}
