//! Where tokens lie: a real keyring, one that is locked or dead, none at all, a file, a command.

use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::keyring::{DeadBus, Keyring};
use crate::support::machine::{Machine, Output};
use crate::support::modes::{mode_of, set_mode};
use crate::support::tools::gits;
use crate::support::user::{CONFIG, DATA, STATE, login_unverified};
use std::fs::{self};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const X: &str = "https://huggingface.co/acme/x";
const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.configure();
    (hub, machine)
}

/// Puts a token in for acme, without a word about where to keep it.
fn login(machine: &Machine, token: &str) -> Output {
    let arguments = [
        "login",
        "work",
        "--with-token",
        "--no-verify",
        "--for",
        "acme",
    ];
    machine.helper(arguments).stdin(token).run()
}

/// A machine with a keyring of its own, where there can be one.
fn with_keyring() -> Option<(Hub, Machine, Keyring)> {
    if !Keyring::is_possible() {
        return None;
    }
    let (hub, machine) = machine();
    let keyring = Keyring::start();
    machine.env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    Some((hub, machine, keyring))
}

/// A machine whose keyring holds `work`, a token for acme, and the value of that token.
fn with_work_in_keyring() -> Option<(Hub, Machine, Keyring, String)> {
    let (hub, machine, keyring) = with_keyring()?;
    let token = hub.add_token("work", &[("acme", Read)]);
    login(&machine, &token).ok();
    Some((hub, machine, keyring, token))
}

/// How long the keyring is waited for.
fn keyring_timeout(machine: &Machine, seconds: &str) {
    let text = machine.read(CONFIG);
    let line = format!("\nkeyring_timeout = {seconds}\n");
    machine.write(CONFIG, text.replacen('\n', &line, 1));
}

/// How long a command took.
fn timed(run: impl FnOnce() -> Output) -> (Output, Duration) {
    let start = Instant::now();
    let output = run();
    (output, start.elapsed())
}

fn token_file(machine: &Machine) -> PathBuf {
    let folder = machine.home().join(DATA).join("tokens");
    let entries = fs::read_dir(folder).expect("the folder of tokens");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files = paths.filter(|path| path.extension().is_some_and(|e| e == "token"));
    files.next().expect("a token's file")
}

/// Asks for acme/x with another token at hand, and measures.
fn ask_with_another(machine: &Machine, other: &str) -> (Output, Duration) {
    let get = || {
        let get = machine
            .helper(["get"])
            .stdin(REQUEST)
            .env("HF_TOKEN", other);
        get.may_print_secret().ok()
    };
    timed(get)
}

#[test]
fn a_keyring_keeps_a_token_from_login_to_logout() {
    let Some((hub, machine, _keyring)) = with_keyring() else {
        return;
    };
    let token = hub.add_token("work", &[("acme", Write)]);
    let said = login(&machine, &token).ok().stdout;
    assert!(said.contains("in the keyring"), "{said}");
    machine.git(["clone", X]).ok();
    machine.write("x/new", "new");
    machine.commit_all("x");
    machine.git(["push"]).dir("x").ok();
    assert_eq!(hub.tokens_seen("/"), ["work"]);
    assert!(machine.files_with_secrets().is_empty());
    let listed = machine.helper(["list"]).ok().stdout;
    assert!(
        listed.contains("keyring") && !listed.contains("not encrypted"),
        "{listed}"
    );

    // A new token in the place of the old one, then none.
    let newer = hub.add_token("newer", &[("acme", Write)]);
    login(&machine, &newer).ok();
    hub.clear_log();
    machine.git(["fetch"]).dir("x").ok();
    assert_eq!(hub.tokens_seen("/"), ["newer"]);
    machine.helper(["logout", "work"]).ok();
    let gone = machine.git(["fetch"]).dir("x").fails();
    assert!(gone.helper_line().contains("`work`"), "{gone}");
    login(&machine, &token).ok();
    machine.git(["fetch"]).dir("x").ok();
}

#[test]
fn moving_a_token_to_another_storage_leaves_no_copy_behind() {
    let Some((hub, machine, _keyring)) = with_keyring() else {
        return;
    };
    let token = hub.add_token("work", &[("acme", Read)]);
    machine.login("work", &token, &["--for", "acme"]);
    assert_eq!(machine.files_with_secrets().len(), 1);
    let to_keyring = login_unverified("work", "keyring");
    machine.helper(to_keyring).stdin(&token).ok();
    assert!(machine.files_with_secrets().is_empty());
    machine.git(["ls-remote", X]).ok();
}

/// What a kill leaves in the middle of a move from the keyring to a file: the state says where the
/// token goes to, and it is not there yet.
fn half_moved() -> Option<(Hub, Machine, Keyring, String)> {
    let desk = with_work_in_keyring()?;
    let machine = &desk.1;
    let mut state = machine.state();
    state["tokens"]["work"]["storage"] = "file".into();
    state["leftovers"] = serde_json::json!({ "work": ["keyring"] });
    machine.write(STATE, state.to_string());
    Some(desk)
}

#[test]
fn a_logout_takes_a_token_that_is_half_moved_from_both_places() {
    let Some((_hub, machine, keyring, _)) = half_moved() else {
        return;
    };
    machine.helper(["logout", "work"]).ok();
    assert!(keyring.is_empty());
    assert!(machine.names().is_empty());
    assert!(machine.state().get("leftovers").is_none());
}

/// Whatever else is kept then, the old copy is the only one.
#[test]
fn the_only_copy_of_a_token_outlives_what_another_login_clears_away() {
    let Some((hub, machine, keyring, token)) = half_moved() else {
        return;
    };
    machine.git(["ls-remote", X]).ok();

    let other = hub.add_token("other", &[]);
    let keep = ["login", "other", "--with-token", "--no-verify"];
    for storage in ["keyring", "file"] {
        let keep = keep.iter().copied().chain(["--storage", storage]);
        machine.helper(keep).stdin(&other).ok();
        let answer = machine.ask("get", REQUEST).ok();
        assert_eq!(answer.value("password"), Some(token.as_str()), "{storage}");
    }

    // Once the token is where it goes to, the copy goes.
    let again = ["login", "work", "--with-token", "--no-verify"];
    let again = again.iter().copied().chain(["--storage", "file"]);
    machine.helper(again).stdin(&token).ok();
    machine.helper(["logout", "other"]).ok();
    assert!(keyring.is_empty());
    machine.git(["ls-remote", X]).ok();
}

#[test]
fn a_keyring_that_does_not_answer_costs_the_deadline_and_the_next_token_is_used() {
    let Some((hub, machine, keyring, _)) = with_work_in_keyring() else {
        return;
    };
    keyring_timeout(&machine, "0.5");
    let other = hub.add_token("other", &[("acme", Read)]);

    keyring.lock();
    let dead = DeadBus::start();
    for (what, address) in [("locked", keyring.address()), ("dead", dead.address())] {
        machine.env("DBUS_SESSION_BUS_ADDRESS", address);
        let (answer, took) = ask_with_another(&machine, &other);
        assert_eq!(answer.value("password"), Some(other.as_str()), "{what}");
        let line = answer.helper_line();
        let in_words = line.contains("`work`") && line.contains("locked");
        assert!(in_words && line.contains("keyring"), "{what}: {line}");
        // Room for a slow machine; without a deadline there is no end at all.
        assert!(took < Duration::from_secs(5), "{what}: {took:?}");
        // With nothing else to answer, git is told nothing, as soon.
        let (answer, took) = timed(|| machine.ask("get", REQUEST).ok());
        assert_eq!(answer.stdout, "", "{what}");
        assert!(answer.stderr.contains("`work`"), "{answer}");
        assert!(took < Duration::from_secs(5), "{what}: {took:?}");
        // And git fails instead of waiting.
        let failed = machine.git(["ls-remote", X]).fails();
        assert!(failed.stderr.contains("`work`"), "{failed}");
    }
    drop(keyring);
}

#[test]
fn a_locked_keyring_is_said_at_once_and_nobody_is_asked_to_unlock_it() {
    let Some((_hub, machine, keyring, _)) = with_work_in_keyring() else {
        return;
    };
    // A prompt is waited for until the deadline, and this one comes after the test's own.
    keyring_timeout(&machine, "600");
    keyring.lock();
    let answer = machine.ask("get", REQUEST).ok();
    assert_eq!(answer.stdout, "", "{answer}");
    let line = answer.helper_line();
    assert!(line.contains("the keyring is locked"), "{line}");
}

/// Where a session's bus has ended, another user may listen in its place and hand out secrets of
/// his own. An address that says which bus it means leads to that one only.
#[test]
fn a_bus_that_is_not_the_one_that_is_meant_is_asked_for_nothing() {
    let Some((_hub, machine, keyring, _)) = with_work_in_keyring() else {
        return;
    };
    let address = keyring.address();
    let guid = keyring.guid();
    for (guid, answers) in [(guid.as_str(), true), (&"0".repeat(32), false)] {
        machine.env("DBUS_SESSION_BUS_ADDRESS", format!("{address},guid={guid}"));
        let answer = machine.ask("get", REQUEST).ok();
        assert_eq!(answer.value("password").is_some(), answers, "{answer}");
        let says = answer.stderr.contains("`work`") && answer.stderr.contains("keyring");
        assert_eq!(says, !answers, "{answer}");
    }
}

#[test]
fn several_tokens_in_a_dead_keyring_cost_one_deadline() {
    let Some((hub, machine, _keyring)) = with_keyring() else {
        return;
    };
    let token = hub.add_token("work", &[("acme", Read)]);
    let rules = ["acme", "acme/x", "models/acme/x", "acme/x*"];
    for (at, rule) in rules.iter().enumerate() {
        let name = format!("t{at}");
        let arguments = ["login", &name, "--with-token", "--no-verify", "--for", rule];
        machine.helper(arguments).stdin(&token).ok();
    }
    keyring_timeout(&machine, "2");
    let dead = DeadBus::start();
    machine.env("DBUS_SESSION_BUS_ADDRESS", dead.address());
    let other = hub.add_token("other", &[("acme", Read)]);
    let (answer, took) = ask_with_another(&machine, &other);
    assert_eq!(answer.value("password"), Some(other.as_str()));
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[test]
fn login_into_a_locked_or_dead_keyring_says_so_and_keeps_nothing() {
    let Some((hub, machine, keyring)) = with_keyring() else {
        return;
    };
    keyring.lock();
    let dead = DeadBus::start();
    machine.write(CONFIG, "version = 1\nkeyring_timeout = 0.5\n");
    let token = hub.add_token("work", &[("acme", Read)]);
    for address in [keyring.address(), dead.address()] {
        machine.env("DBUS_SESSION_BUS_ADDRESS", address);
        let (failed, took) = timed(|| login(&machine, &token).fails());
        assert_eq!(failed.code, 1);
        assert!(took < Duration::from_secs(5), "{took:?}");
        failed.says(&[
            "`work` was not stored",
            "keyring",
            "--storage file",
            "HF_TOKEN",
        ]);
        // The storage is looked at first, so nothing was even tried.
        assert!(!machine.home().join(STATE).exists());
        assert!(machine.files_with_secrets().is_empty());
    }
}

#[test]
fn without_a_keyring_login_says_why_and_what_to_do() {
    let (hub, machine) = machine();
    let token = hub.add_token("work", &[("acme", Read)]);
    for bus in [Some("unix:path=/nonexistent"), None] {
        match bus {
            Some(address) => machine.env("DBUS_SESSION_BUS_ADDRESS", address),
            None => machine.unset("DBUS_SESSION_BUS_ADDRESS"),
        }
        let failed = login(&machine, &token).fails();
        assert_eq!(failed.code, 1);
        failed.says(&[
            "`work` was not stored",
            "no keyring is running on this machine",
            "git credential-hf login work --for acme --with-token --storage file",
            "not encrypted",
            "HF_TOKEN",
        ]);
        assert!(machine.files_with_secrets().is_empty());
        assert!(
            !machine.home().join(CONFIG).exists(),
            "a rule without a token"
        );
    }
    // What needs no storage works.
    let env = machine.git(["ls-remote", X]).env("HF_TOKEN", &token);
    assert!(env.ok().helper_lines().is_empty());
    // So does the file, once it was asked for, and the choice is remembered.
    machine.login("work", &token, &["--for", "acme"]);
    machine.git(["ls-remote", X]).ok();
    assert!(machine.read(CONFIG).contains("storage = \"file\""));
    let again = login(&machine, &token).ok().stdout;
    assert!(again.contains("not encrypted"), "{again}");
}

#[test]
fn a_token_file_is_for_its_owner_only() {
    let (hub, machine) = machine();
    let token = hub.add_token("work", &[("acme", Read)]);
    machine.login("work", &token, &["--for", "acme"]);
    let file = token_file(&machine);
    let folder = file.parent().expect("a folder").to_owned();
    assert_eq!((mode_of(&file), mode_of(&folder)), (0o600, 0o700));

    let other = hub.add_token("other", &[("acme", Read)]);
    for (path, bad, good, help) in [
        (&file, 0o644, 0o600, "chmod 600 "),
        (&file, 0o660, 0o600, "chmod 600 "),
        (&folder, 0o755, 0o700, "chmod 700 "),
    ] {
        set_mode(path, bad);
        let (answer, _) = ask_with_another(&machine, &other);
        assert_eq!(answer.value("password"), Some(other.as_str()), "{answer}");
        let line = answer.helper_line();
        let path_shown = path.to_str().expect("a UTF-8 path");
        let number = format!("{bad:04o}");
        for word in ["`work`", path_shown, &number, help] {
            assert!(line.contains(word), "{word} is not in {line}");
        }
        // Nothing was lost: with the mode put right it is used again.
        set_mode(path, good);
        let answer = machine.ask("get", REQUEST).ok();
        assert_eq!(answer.value("password"), Some(token.as_str()));
    }
}

#[test]
fn a_command_hands_out_its_token_which_nobody_keeps() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        let token = hub.add_token("vault", &[("acme", Write)]);
        let script = "#!/bin/sh\nset -e\ncat \"$HOME/.vault $1\"\necho 'second line'\n";
        machine.program("vault", script);
        machine.write(".vault a b", format!("{token}\n"));
        machine.write(
            CONFIG,
            "version = 1\nstorage = \"file\"\n[rules]\nacme = \"vault\"\n\
             [commands]\nvault = [\"vault\", \"a b\"]\n",
        );
        machine.configure();
        machine.git(["clone", X]).ok();
        machine.write("x/new", "new");
        machine.commit_all("x");
        machine.git(["push"]).dir("x").ok();
        assert_eq!(hub.tokens_seen("/"), ["vault"]);
        assert_eq!(
            machine.files_with_secrets(),
            [machine.home().join(".vault a b")]
        );
        let listed = machine.helper(["list"]).ok().stdout;
        assert!(listed.contains("command vault"), "{listed}");
        assert!(!listed.contains("git:"), "{listed}");

        // One that fails is said, and the next token is used.
        fs::remove_file(machine.home().join(".vault a b")).expect("empty the vault");
        let other = hub.add_token("other", &[("acme", Read)]);
        let fetched = machine.git(["fetch"]).dir("x").env("HF_TOKEN", &other).ok();
        assert!(fetched.stderr.contains("`vault` failed"), "{fetched}");
    }
}
