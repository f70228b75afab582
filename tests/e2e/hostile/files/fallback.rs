//! Folders that the helper falls back to where its own cannot be written, or where there is no home.

use super::{EVIL, REQUEST, STRANGER, VICTIM, give_away};
use crate::desk::machine_with_work;
use crate::hub::common::label;
use crate::support::attacks::Attacks;
use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::modes::set_mode;
use crate::support::programs::copy_program;
use crate::support::tools::need;
use crate::support::user::{STATE, now};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};

/// If the state cannot be written, rejections are kept in the session's folder, but only if that
/// belongs to the user alone.
#[test]
fn a_fallback_folder_that_is_another_users_is_neither_believed_nor_written() {
    let mut attacks = Attacks::new();
    let ways = [
        "link",
        "world-writable",
        "group-readable",
        "a stranger's",
        "file",
    ];
    for way in ways {
        let (hub, machine, _) = machine_with_work();
        let value = machine.state()["tokens"]["work"]["fingerprint"].clone();
        let run = machine.home().join("run");
        let fallback = run.join("git-credential-hf");
        let elsewhere = machine.home().join("elsewhere");
        fs::create_dir_all(&elsewhere).expect("a folder");
        fs::create_dir_all(&run).expect("a folder");
        let real = match way {
            "link" => {
                set_mode(&elsewhere, 0o700);
                symlink(&elsewhere, &fallback).expect("a link");
                elsewhere
            }
            "file" => {
                fs::write(&fallback, VICTIM).expect("a file");
                elsewhere
            }
            _ => {
                fs::create_dir(&fallback).expect("a folder");
                fallback.clone()
            }
        };
        let rejected = format!("{} https://huggingface.co", value.as_str().expect("text"));
        let planted = json!({ "version": 1, "rejected": { rejected: now() } }).to_string();
        fs::write(real.join("rejected.json"), &planted).expect("plant it");
        let ready = match way {
            "world-writable" => fs::set_permissions(&real, Permissions::from_mode(0o777)).is_ok(),
            "group-readable" => fs::set_permissions(&real, Permissions::from_mode(0o750)).is_ok(),
            "a stranger's" => {
                set_mode(&real, 0o700);
                give_away(&real)
            }
            _ => true,
        };
        if !ready {
            eprintln!("skipped: only root can make a folder {way}");
            continue;
        }
        machine.env("XDG_RUNTIME_DIR", &run);
        // It holds back no token of the user's,
        let get = machine.ask("get", REQUEST);
        attacks.tried(format!("{way}: withheld"), label(&hub, &get).is_none());
        // and is not written to either, when it would have to be.
        let state = machine.home().join(STATE);
        fs::remove_file(&state).expect("remove the state");
        fs::create_dir(&state).expect("a folder in its place");
        machine.env("HF_TOKEN", hub.add_token("env", &[]));
        let env = hub.secrets()()
            .into_iter()
            .find(|(l, _)| l == "env")
            .expect("it")
            .1;
        machine.ask(
            "erase",
            format!("{REQUEST}username=hf_user\npassword={env}\n"),
        );
        let left = fs::read_to_string(real.join("rejected.json")).expect("what was planted");
        attacks.tried(format!("{way}: written"), left != planted);
    }
    attacks.end();
}

/// Without a home the helper works in a folder below the temporary one, where anybody can make
/// a folder first.
#[test]
fn a_folder_that_waits_for_a_user_without_a_home_is_not_used() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name);
    set_mode(place.path(), 0o1777);
    if !give_away(place.path()) || !need("setpriv") {
        eprintln!("skipped: only root can run a program as a user without a home");
        return;
    }
    let helper = at("git-credential-hf");
    copy_program(&machine.bin().join("git-credential-hf"), &helper);
    let token = hub.add_token("env", &[]);
    let waiting = at(&format!("git-credential-hf-{STRANGER}"));
    let config = "[endpoints]\n\"https://evil.example\" = { env = true }\n";
    let ask = |request: &str| {
        let user = [format!("--reuid={STRANGER}"), format!("--regid={STRANGER}")];
        let arguments = user
            .iter()
            .map(String::as_str)
            .chain(["--clear-groups", "--"]);
        let helper = helper.to_str().expect("a UTF-8 path");
        let run = machine.command("setpriv", arguments.chain([helper, "get"]));
        let run = run
            .env("HOME", "")
            .env("XDG_RUNTIME_DIR", "")
            .env("TMPDIR", place.path());
        run.env("HF_TOKEN", &token)
            .stdin(request)
            .dir("/")
            .may_print_secret()
            .run()
    };
    let mut attacks = Attacks::new();
    for way in [
        "world-writable",
        "group-readable",
        "a stranger's",
        "a stranger's file",
        "link",
    ] {
        let _ = fs::remove_dir_all(&waiting);
        let _ = fs::remove_file(&waiting);
        let real = if way == "link" {
            at("real")
        } else {
            waiting.clone()
        };
        fs::create_dir(&real).expect("a folder");
        let planted = real.join("config.toml");
        fs::write(&planted, config).expect("plant it");
        set_mode(&real, 0o700);
        if way != "a stranger's" {
            assert!(give_away(&real) && give_away(&planted));
        }
        match way {
            "link" => symlink(&real, &waiting).expect("a link"),
            "world-writable" => set_mode(&real, 0o777),
            "group-readable" => set_mode(&real, 0o750),
            "a stranger's file" => chown(&planted, Some(STRANGER + 1), None).expect("give it away"),
            _ => {}
        }
        let get = ask(EVIL);
        attacks.tried(format!("{way}: {get}"), !get.stdout.is_empty());
    }
    // One's own is used, so it was not for another reason that there was no answer.
    fs::remove_file(&waiting).expect("remove the link");
    fs::create_dir(&waiting).expect("a folder");
    fs::write(waiting.join("config.toml"), config).expect("write it");
    set_mode(&waiting, 0o700);
    assert!(give_away(&waiting) && give_away(&waiting.join("config.toml")));
    assert_eq!(label(&hub, &ask(EVIL)).as_deref(), Some("env"));
    attacks.end();
}
