//! Another account on the same machine: what it puts on the way to the helper's files, and what
//! it listens on. The second users are real ones, so only root can run most of these.

mod links;
mod others_programs;
mod root;
mod traces_and_locks;

use crate::hub::common::label;
use crate::support::accounts::{ANN, Accounts, BOB};
use crate::support::attacks::Attacks;
use crate::support::hub::Hub;
use crate::support::machine::{Machine, Output};
use crate::support::modes::set_mode;
use crate::support::user::login_unverified;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    (hub, machine)
}

/// A configuration that runs a program, from a repository that Ann has cloned.
const EVIL: &str =
    "[commands]\nx = [\"sh\", \"-c\", \"touch ~/pwned; echo aaa\"]\n[rules]\nacme = \"x\"\n";

/// What leads to Ann's configuration, and who can have led it there.
#[test]
fn a_configuration_that_others_can_put_there_runs_nothing() {
    let (_hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let shared = |mode| accounts.folder("shared", 0, mode);
    let ask = |home: &Path| -> (bool, Output) {
        let get = accounts.ann(&machine, &["get"]).stdin(REQUEST);
        let get = get
            .env("GIT_CREDENTIAL_HF_HOME", home)
            .may_print_secret()
            .run();
        let pwned = accounts.at("ann/pwned");
        let ran = pwned.exists();
        let _ = fs::remove_file(pwned);
        (ran, get)
    };
    // Ann's clone, and a configuration that she has written.
    accounts.folder("ann/clone", ANN, 0o755);
    accounts.file("ann/clone/config.toml", ANN, EVIL);
    accounts.folder("ann/own", ANN, 0o755);
    accounts.file("ann/own/config.toml", ANN, EVIL);
    let mut attacks = Attacks::new();
    type Prepare<'a> = &'a dyn Fn() -> PathBuf;
    let hostile: [(&str, Prepare<'_>); 8] = [
        ("a link to the file", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o777);
            accounts.link(
                "shared/hf/config.toml",
                BOB,
                accounts.at("ann/clone/config.toml"),
            );
            home
        }),
        ("a link to the file in a sticky folder", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o1777);
            accounts.link(
                "shared/hf/config.toml",
                BOB,
                accounts.at("ann/clone/config.toml"),
            );
            home
        }),
        ("a link to the folder", &|| {
            accounts.link("shared/hf", BOB, accounts.at("ann/clone"))
        }),
        ("a link of Bob's on the way", &|| {
            accounts.link("shared/way", BOB, accounts.at("ann"));
            accounts.link("shared/hf", ANN, "way/clone")
        }),
        ("Ann's clone, moved there", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o755);
            accounts.file("shared/hf/config.toml", ANN, EVIL);
            set_mode(accounts.at("shared"), 0o777);
            home
        }),
        ("a folder of Bob's on the way", &|| {
            accounts.folder("shared/bobs", BOB, 0o755);
            let home = accounts.folder("shared/bobs/hf", ANN, 0o755);
            accounts.file("shared/bobs/hf/config.toml", ANN, EVIL);
            home
        }),
        ("a folder of a shared group", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o775);
            chown(&home, None, Some(BOB)).expect("a group");
            accounts.file("shared/hf/config.toml", ANN, EVIL);
            home
        }),
        ("a link in a folder of a shared group", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o775);
            chown(&home, None, Some(BOB)).expect("a group");
            accounts.link(
                "shared/hf/config.toml",
                ANN,
                accounts.at("ann/own/config.toml"),
            );
            home
        }),
    ];
    for (what, prepare) in hostile {
        let shared = shared(0o755);
        let (ran, get) = ask(&prepare());
        attacks.tried(format!("{what}: {get}"), ran);
        assert!(get.stderr.contains("not used"), "{what}: {get}");
        fs::remove_dir_all(shared).expect("clear up");
    }
    let fine: [(&str, Prepare<'_>); 6] = [
        ("in a sticky folder", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o1777);
            accounts.file("shared/hf/config.toml", ANN, EVIL);
            home
        }),
        ("of Ann's own group", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o775);
            let file = accounts.file("shared/hf/config.toml", ANN, EVIL);
            set_mode(&file, 0o664);
            home
        }),
        ("a link of Ann's", &|| {
            let home = accounts.folder("shared/hf", ANN, 0o755);
            accounts.link(
                "shared/hf/config.toml",
                ANN,
                accounts.at("ann/own/config.toml"),
            );
            home
        }),
        ("a link into a store of root's", &|| {
            let store = accounts.folder("shared/store", 0, 0o1775);
            chown(store, Some(0), Some(BOB)).expect("a group");
            set_mode(accounts.at("shared/store"), 0o1775);
            accounts.file("shared/store/hm-config.toml", 0, EVIL);
            let home = accounts.folder("shared/hf", ANN, 0o755);
            accounts.link(
                "shared/hf/config.toml",
                ANN,
                accounts.at("shared/store/hm-config.toml"),
            );
            home
        }),
        ("a link of root's to the folder", &|| {
            accounts.link("shared/hf", 0, accounts.at("ann/own"))
        }),
        ("in a folder that Ann can only pass", &|| {
            accounts.folder("shared/pass", 0, 0o711);
            let home = accounts.folder("shared/pass/hf", ANN, 0o700);
            accounts.file("shared/pass/hf/config.toml", ANN, EVIL);
            home
        }),
    ];
    for (what, prepare) in fine {
        let shared = shared(0o755);
        let (ran, get) = ask(&prepare());
        assert!(ran, "{what}: {get}");
        fs::remove_dir_all(shared).expect("clear up");
    }
    attacks.end();
}

/// The same links and folders on the way to the state file, which is then not read at all.
#[test]
fn a_state_that_others_can_put_there_is_not_read() {
    let (hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let token = hub.add_token("work", &[]);
    let login = login_unverified("work", "file");
    let own = accounts.folder("ann/own", ANN, 0o700);
    let home = |run: crate::support::machine::Run<'_>, home: &Path| {
        run.env("GIT_CREDENTIAL_HF_HOME", home)
            .may_print_secret()
            .run()
    };
    let login = accounts.ann(&machine, &login).stdin(&token);
    home(login, &own).ok();
    let list = |at: &Path| home(accounts.ann(&machine, &["list", "--json"]), at);
    assert!(list(&own).ok().stdout.contains("work"));
    let mut attacks = Attacks::new();
    let state = own.join("state.json");
    for way in ["folder", "link", "shared file", "moved"] {
        let at = match way {
            "folder" => accounts.link("bob/hf", BOB, &own),
            "link" => {
                let at = accounts.folder("bob/linked", ANN, 0o777);
                accounts.link("bob/linked/state.json", BOB, &state);
                at
            }
            "shared file" => {
                set_mode(&state, 0o666);
                own.clone()
            }
            _ => {
                set_mode(&state, 0o600);
                set_mode(accounts.at("ann"), 0o777);
                own.clone()
            }
        };
        let get = accounts.ann(&machine, &["get"]).stdin(REQUEST);
        let get = home(get, &at);
        attacks.tried(format!("{way}: {get}"), label(&hub, &get).is_some());
        let said = ["other users can write to", "belongs to another user"];
        assert!(
            said.iter().any(|it| get.stderr.contains(it)),
            "{way}: {get}"
        );
    }
    // Nor does root follow Bob's link to root's own files.
    let roots = accounts.folder("roots", 0, 0o700);
    let link = accounts.link("bob/roots", BOB, &roots);
    let more = machine.helper(login_unverified("two", "file"));
    let run = more
        .stdin(&token)
        .env("GIT_CREDENTIAL_HF_HOME", &link)
        .fails();
    let inside = fs::read_dir(&roots).expect("the folder").count();
    attacks.tried(format!("Bob's link: {run}"), inside > 0);
    assert!(run.stderr.contains("a link of another user"), "{run}");
    attacks.end();
}
