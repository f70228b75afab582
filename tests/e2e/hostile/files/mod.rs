//! Files and folders that somebody else has put where the helper's belong: links, pipes, and
//! what another user owns or can write to.

mod fallback;

use crate::desk::machine_with_work;
use crate::hub::common::label;
use crate::support::attacks::Attacks;
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, TokenSeen};
use crate::support::machine::Machine;
use crate::support::modes::set_mode;
use crate::support::user::{CONFIG, DATA, STATE, TYPED, login_unverified};
use serde_json::json;
use std::fs::{self};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
const EVIL: &str = "protocol=https\nhost=evil.example\npath=acme/x\n";
const VICTIM: &str = "what somebody else wrote\n";
/// A user that has nothing to do with the one who runs the tests.
const STRANGER: u32 = 54_321;

/// Gives a file away, which only root can do.
fn give_away(path: &Path) -> bool {
    chown(path, Some(STRANGER), Some(STRANGER)).is_ok()
}

/// Runs every command that writes, each for no longer than a few seconds.
fn write_all(hub: &Hub, machine: &Machine) {
    let token = hub.unknown_token();
    let login = login_unverified("new", "file");
    let login = login.iter().chain(&["--for", "b"]);
    let scope = format!("{TYPED}{REQUEST}username=me\npassword={token}\n");
    let soon = Duration::from_secs(20);
    machine.helper(login).stdin(&token).timeout(soon).run();
    for action in ["store", "erase", "get"] {
        let run = machine.helper([action]).stdin(&scope).timeout(soon);
        run.may_print_secret().run();
    }
    for command in [
        ["use", "work", "--default"].as_slice(),
        &["unuse", "b"],
        &["logout", "new"],
    ] {
        machine.helper(command).timeout(soon).run();
    }
}

/// The helper's own files and folders, from the data folder or as a path from the home.
fn places(machine: &Machine) -> Vec<PathBuf> {
    let data = machine.home().join(DATA);
    let tokens = fs::read_dir(data.join("tokens")).expect("the folder of tokens");
    let mut places: Vec<PathBuf> = tokens
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let locks = fs::read_dir(data.join("locks")).expect("the folder of locks");
    places.extend(locks.map(|entry| entry.expect("an entry").path()));
    let names = ["state.json", "state.lock", "tokens.lock", "tokens", "locks"];
    places.extend(names.map(|name| data.join(name)));
    places.push(machine.home().join(CONFIG).with_extension("lock"));
    places
}

#[test]
fn a_link_in_the_place_of_a_file_or_folder_leads_nobody_to_another() {
    let mut attacks = Attacks::new();
    let count = places(&machine_with_work().1).len();
    for at in 0..count {
        for dangling in [false, true] {
            let (hub, machine, _) = machine_with_work();
            let place = places(&machine).swap_remove(at);
            let elsewhere = machine.home().join("elsewhere");
            fs::create_dir(&elsewhere).expect("a folder");
            let victim = elsewhere.join("victim");
            let is_folder = place.is_dir();
            if is_folder && !dangling {
                // The real one, moved to where somebody else can get at it.
                fs::rename(&place, &victim).expect("move the folder");
            } else {
                let _ = fs::remove_file(&place);
                let _ = fs::remove_dir_all(&place);
                if !dangling {
                    fs::write(&victim, VICTIM).expect("a file");
                    set_mode(&victim, 0o644);
                }
            }
            symlink(&victim, &place).expect("a link");
            let before = fs::symlink_metadata(&victim)
                .map(|m| (m.mode(), m.ino(), m.len()))
                .ok();
            write_all(&hub, &machine);
            let after = fs::symlink_metadata(&victim)
                .map(|m| (m.mode(), m.ino(), m.len()))
                .ok();
            let what = format!("{} dangling: {dangling}", place.display());
            if is_folder && !dangling {
                // Locks hold nothing; a folder of tokens that is a link is not used.
                let secrets = fs::read_dir(&victim).expect("the folder");
                let new = secrets.filter(|entry| {
                    let name = entry.as_ref().expect("an entry").file_name();
                    name.to_string_lossy().starts_with("new")
                });
                attacks.tried(what, new.count() > 0);
            } else if is_folder {
                attacks.tried(what, victim.exists() && place.ends_with("tokens"));
            } else {
                attacks.tried(what, before != after);
            }
            assert!(dangling || is_folder || fs::read_to_string(&victim).expect("it") == VICTIM);
        }
    }
    attacks.end();
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
    let mut attacks = Attacks::new();
    let count = places(&machine_with_work().1).len();
    for at in 0..count {
        let (hub, machine, _) = machine_with_work();
        let place = places(&machine).swap_remove(at);
        let _ = fs::remove_file(&place);
        let _ = fs::remove_dir_all(&place);
        machine.command("mkfifo", [&place]).ok();
        // A command that waited for the other end would fail the test by its deadline.
        write_all(&hub, &machine);
        attacks.tried(place.display(), false);
    }
    attacks.end();
}

/// Names of temporary files that somebody has guessed, as links to a file of the user's.
#[test]
fn links_under_the_names_of_temporary_files_are_not_followed() {
    let (hub, machine, _) = machine_with_work();
    let mut attacks = Attacks::new();
    machine.write("victim", VICTIM);
    let victim = machine.home().join("victim");
    for place in places(&machine) {
        let name = place
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for n in 0..4 {
            let link = place.with_file_name(format!(".{name}.{n}-0-0.tmp"));
            if place.parent().is_some_and(Path::is_dir) && !link.exists() {
                symlink(&victim, &link).expect("a link");
            }
        }
        write_all(&hub, &machine);
        attacks.tried(&name, machine.read("victim") != VICTIM);
    }
    attacks.end();
}

#[test]
fn a_configuration_that_others_can_write_gives_no_token_away_and_runs_nothing() {
    let (hub, machine, _) = machine_with_work();
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    let mut attacks = Attacks::new();
    let path = machine.home().join(CONFIG);
    let evil = "[endpoints]\n\"https://evil.example\" = { env = true }\n";
    let plain = "[endpoints]\n\"http://evil.example\" = { env = true, allow_http = true }\n";
    let run = "[commands]\nx = [\"sh\", \"-c\", \"touch ~/pwned\"]\n[rules]\nacme = \"x\"\n";
    for text in [evil, plain, run] {
        machine.write(CONFIG, text);
        set_mode(&path, 0o600);
        let shared = |mode_of| {
            set_mode(&path, mode_of);
            true
        };
        let group = || chown(&path, None, Some(STRANGER)).is_ok() && shared(0o660);
        let given = || shared(0o600) && give_away(&path);
        let ways: [(&str, &dyn Fn() -> bool); 4] = [
            ("world-writable", &|| shared(0o666)),
            ("world-writable only", &|| shared(0o602)),
            ("of a shared group", &group),
            ("a stranger's", &given),
        ];
        for (what, prepare) in ways {
            if !prepare() {
                eprintln!("skipped: only root can make a file {what}");
                continue;
            }
            for request in [EVIL, &EVIL.replace("https", "http"), REQUEST] {
                let get = machine.ask("get", request);
                let got = request != REQUEST && label(&hub, &get).is_some();
                let ran = machine.home().join("pwned").exists();
                attacks.tried(format!("{what}: {text} {request}"), got || ran);
                let said = get.stderr.contains("not used");
                assert!(request != REQUEST || said, "{get}");
            }
            fs::remove_file(&path).expect("remove it");
            machine.write(CONFIG, text);
        }
    }
    // Rules alone choose among tokens of one Hub, and many share a folder with their team.
    machine.write(CONFIG, "[rules]\nacme = \"work\"\n");
    set_mode(&path, 0o666);
    let get = machine.ask("get", REQUEST).ok();
    assert_eq!(label(&hub, &get).as_deref(), Some("work"));
    attacks.end();
}

/// A state that says a token is for another Hub: what lies with the secret itself counts.
#[test]
fn a_state_that_sends_a_token_elsewhere_is_not_believed() {
    let (hub, machine, _) = machine_with_work();
    let config = machine.read(CONFIG);
    let endpoints = "\n[endpoints]\n\"https://evil.example\" = {}\n";
    machine.write(CONFIG, format!("{config}{endpoints}"));
    let good = machine.state();
    let mut attacks = Attacks::new();
    let mut states = Vec::new();
    for endpoint in [
        "https://evil.example",
        "https://EVIL.example:443",
        "https://evil.example/",
    ] {
        for origin in ["login", "git"] {
            let mut state = good.clone();
            state["tokens"]["work"]["endpoint"] = json!(endpoint);
            state["tokens"]["work"]["origin"] = json!(origin);
            states.push(state);
        }
    }
    for state in states {
        machine.write(STATE, state.to_string());
        for more in ["", "username=work\n"] {
            let get = machine.ask("get", format!("{EVIL}{more}"));
            attacks.tried(format!("{more} {state}"), label(&hub, &get).is_some());
        }
        for command in [
            ["check", "https://evil.example/acme/x"],
            ["refresh", "work"],
        ] {
            machine.helper(command).run();
            attacks.tried_on(&hub, &[], format!("{command:?} {state}"));
        }
    }
    // One that others can write to is not even read.
    let path = machine.home().join(STATE);
    let mut state = good.clone();
    state["tokens"]["work"]["account"] = json!("mallory");
    machine.write(STATE, state.to_string());
    set_mode(&path, 0o666);
    let get = machine.ask("get", REQUEST);
    attacks.tried("a shared state", get.stdout.contains("mallory"));
    assert!(get.stderr.contains("other users can write to"), "{get}");
    attacks.end();
}

/// A folder of tokens that another user owns, can enter or has swapped for another.
#[test]
fn a_folder_of_tokens_that_others_can_reach_is_not_used() {
    let mut attacks = Attacks::new();
    for way in [
        "0777",
        "0770",
        "0750",
        "0701",
        "a stranger's",
        "a stranger's file",
        "swapped",
    ] {
        let (hub, machine, _) = machine_with_work();
        let data = machine.home().join(DATA);
        let tokens = data.join("tokens");
        let file = fs::read_dir(&tokens).expect("tokens").next();
        let file = file.expect("a file").expect("an entry").path();
        match way {
            "a stranger's" if !give_away(&tokens) => continue,
            "a stranger's file" if !give_away(&file) => continue,
            "a stranger's" | "a stranger's file" => {}
            "swapped" => {
                // In a data folder of mode 0777 anybody can put another in its place.
                set_mode(&data, 0o777);
                let mine = machine.home().join("mine");
                fs::create_dir(&mine).expect("a folder");
                let theirs = hub.add_token("theirs", &[]);
                let text = format!("{theirs}\nendpoint=https://huggingface.co\n");
                fs::write(mine.join(file.file_name().expect("a name")), text).expect("plant it");
                set_mode(&mine, 0o755);
                fs::rename(&tokens, data.join("old")).expect("move the folder");
                fs::rename(&mine, &tokens).expect("put another there");
            }
            octal => set_mode(&tokens, u32::from_str_radix(octal, 8).expect("a mode")),
        }
        let get = machine.ask("get", REQUEST);
        attacks.tried(format!("{way}: {get}"), label(&hub, &get).is_some());
        let token = hub.add_token("new", &[]);
        let login = login_unverified("new", "file");
        if way != "a stranger's file" {
            machine.helper(login).stdin(&token).fails();
            let secrets = fs::read_dir(&tokens).expect("the folder").count();
            attacks.tried(format!("{way}: login"), secrets > 1);
        }
    }
    attacks.end();
}

/// The hf CLI's files in a shared HF_HOME: whoever can write there would choose whose token git
/// uses, and a link there would send the Hub any file of this user's.
#[test]
fn the_hf_clis_files_are_used_only_if_they_are_this_users_and_hold_tokens() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.configure();
    let evil = hub.add_token("evil", &[("acme", Write)]);
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END-----\n";
    machine.write(".ssh/id_ed25519", key);
    machine.write(".pgpass", "db:5432:me:s3cret-of-the-database");
    machine.write("rest", format!("[work]\nhf_token = {evil}\n"));
    machine.env("HF_HOME", machine.home().join("shared"));
    let token = machine.home().join("shared/token");
    let stored = machine.home().join("shared/stored_tokens");
    let write = |mode_of: u32| {
        machine.write("shared/token", &evil);
        machine.write(
            "shared/stored_tokens",
            format!("[work]\nhf_token = {evil}\n"),
        );
        set_mode(&token, mode_of);
        set_mode(&stored, mode_of);
        true
    };
    let given = || write(0o644) && give_away(&token) && give_away(&stored);
    let group = || {
        let to = |path| chown(path, None, Some(STRANGER)).is_ok();
        write(0o600) && to(&token) && to(&stored) && write(0o660)
    };
    let link = |to: &str| {
        machine.write(
            "shared/stored_tokens",
            "[work]\nhf_token = correct-horse-battery\n",
        );
        symlink(machine.home().join(to), &token).is_ok()
    };
    let ways: [(&str, &dyn Fn() -> bool); 7] = [
        ("a stranger's", &given),
        ("of a shared group", &group),
        ("world-writable", &|| write(0o666)),
        ("a link to a private key", &|| link(".ssh/id_ed25519")),
        ("a link to a password", &|| link(".pgpass")),
        ("a link to another file", &|| link("rest")),
        ("a link to the machine's users", &|| link("/etc/passwd")),
    ];
    let mut attacks = Attacks::new();
    let rules = "version = 1\n[rules]\nacme = \"hf:work\"\n";
    for (what, prepare) in ways {
        let _ = fs::remove_file(&token);
        let _ = fs::remove_file(&stored);
        if !prepare() {
            eprintln!("skipped: only root can make a file {what}");
            continue;
        }
        for config in ["version = 1\n", rules] {
            machine.write(CONFIG, config);
            hub.clear_log();
            let url = "https://huggingface.co/acme/x";
            let said = machine.git(["ls-remote", url]).fails();
            let sent = hub.log().iter().any(|it| it.token != TokenSeen::None);
            attacks.tried(format!("{what}: {said}"), sent);
            let why = [
                "another user",
                "other users can write",
                "look like a Hub token",
            ];
            assert!(
                why.iter().any(|why| said.stderr.contains(why)),
                "{what}: {said}"
            );
            assert!(
                !said.stderr.contains("no token of that name"),
                "{what}: {said}"
            );
        }
    }
    attacks.end();
    let _ = fs::remove_file(&token);
    write(0o600);
    machine
        .git(["ls-remote", "https://huggingface.co/acme/x"])
        .ok();
}
