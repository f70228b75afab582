//! Another account on the same machine: what it puts on the way to the helper's files, and what
//! it listens on. The second users are real ones, so only root can run most of these.

use crate::hub::common::label;
use crate::support::accounts::{ANN, Accounts, BOB, give, set_mode};
use crate::support::attacks::Attacks;
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::OAuth;
use crate::support::machine::{Machine, Output};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
/// How often a race is run.
const TRIES: usize = 60;

fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    (hub, machine)
}

/// What Bob runs: whenever a folder of that name is made, he puts a link in its place.
#[test]
#[ignore = "another test runs it as another user"]
fn swap_folders_for_links() {
    let (Some(place), Some(target)) = (std::env::var_os("PLACE"), std::env::var_os("TARGET"))
    else {
        return;
    };
    let place = PathBuf::from(place);
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < Duration::from_secs(100) {
        if fs::symlink_metadata(&place).is_ok_and(|it| it.is_dir()) {
            count += 1;
            let _ = fs::rename(&place, place.with_extension(count.to_string()));
            let _ = std::os::unix::fs::symlink(&target, &place);
        }
    }
}

/// Root works below a folder of Bob's, who swaps what root makes for a link to root's own.
#[test]
fn root_hands_nothing_over_below_a_folder_of_another_user() {
    let (hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let token = hub.add_token("work", &[]);
    let victim = accounts.folder("victim", 0, 0o700);
    let place = accounts.at("bob/place");
    let tests = std::env::current_exe().expect("this program");
    let swap = accounts.program(&tests, "tests");
    let filter = [
        "--exact",
        "--ignored",
        "hostile::accounts::swap_folders_for_links",
    ];
    let bob = accounts.run_as(&machine, BOB, swap, &filter);
    let bob = bob.env("PLACE", &place).env("TARGET", &victim).start();
    let login = [
        "login",
        "work",
        "--with-token",
        "--no-verify",
        "--storage",
        "file",
    ];
    let mut attacks = Attacks::new();
    for variable in ["GIT_CREDENTIAL_HF_HOME", "HOME"] {
        for _ in 0..TRIES {
            let login = machine.helper(login).stdin(&token);
            login.env(variable, place.join("home")).run();
            let owner = fs::symlink_metadata(&victim).expect("the folder").uid();
            let inside: Vec<_> = fs::read_dir(&victim).expect("the folder").collect();
            attacks.tried(
                format!("{variable}: the folder is {owner}'s and holds {inside:?}"),
                owner != 0 || !inside.is_empty(),
            );
            give(&victim, 0);
            for entry in inside {
                let _ = fs::remove_dir_all(entry.expect("an entry").path());
            }
            for entry in fs::read_dir(accounts.at("bob")).expect("Bob's home") {
                let path = entry.expect("an entry").path();
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
        }
    }
    bob.kill();
    attacks.end();
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
            set_mode(&accounts.at("shared"), 0o777);
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
            set_mode(&accounts.at("shared/store"), 0o1775);
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

/// The same ways to the state: it is refused whole.
#[test]
fn a_state_that_others_can_put_there_is_not_read() {
    let (hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let token = hub.add_token("work", &[]);
    let login = [
        "login",
        "work",
        "--with-token",
        "--no-verify",
        "--storage",
        "file",
    ];
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
                set_mode(&accounts.at("ann"), 0o777);
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
    let more = machine.helper([
        "login",
        "two",
        "--with-token",
        "--no-verify",
        "--storage",
        "file",
    ]);
    let run = more
        .stdin(&token)
        .env("GIT_CREDENTIAL_HF_HOME", &link)
        .fails();
    let inside = fs::read_dir(&roots).expect("the folder").count();
    attacks.tried(format!("Bob's link: {run}"), inside > 0);
    assert!(run.stderr.contains("a link of another user"), "{run}");
    attacks.end();
}

/// What root makes or writes must not get anywhere that the owner of a link could not write.
#[test]
fn a_link_to_a_link_of_another_user_is_not_followed() {
    let (_hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let file = accounts.file("ann/gitconfig", ANN, "[user]\n\tname = Ann\n");
    accounts.link("ann/link", ANN, &file);
    let way = accounts.link("bob/way", BOB, accounts.at("ann/link"));
    let before = fs::read(&file).expect("the file");
    let way = way.to_str().expect("a path");
    let run = machine.helper(["configure", "--file", way]).fails();
    assert!(run.stderr.contains("a link of another user"), "{run}");
    assert_eq!(fs::read(&file).expect("the file"), before);
    let link = accounts.at("ann/link");
    let link = link.to_str().expect("a path");
    machine.helper(["configure", "--file", link]).ok();
}

/// The hf CLI's folder may be one that several users share. Who can put a link there must not have
/// a renewal write over what it leads to.
#[test]
fn a_renewal_writes_through_no_link_of_another_user() {
    let (hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let oauth = OAuth::start(&hub, &[("acme", Write)], 3600);
    let (access, refresh) = oauth.login(&hub);
    let end = machine.now() - 1;
    let text = format!("[a]\nhf_token = {access}\nrefresh_token = {refresh}\nexpires_at = {end}\n");
    let folder = accounts.folder("shared", ANN, 0o777);
    let backup = accounts.file("ann/backup", ANN, &text);
    set_mode(&backup, 0o600);
    accounts.link("shared/stored_tokens", BOB, &backup);
    let token = accounts.file("shared/token", ANN, &access);
    set_mode(&token, 0o600);
    let get = accounts.ann(&machine, &["get"]).stdin(REQUEST);
    let get = get.env("HF_HOME", &folder).may_print_secret().run();
    // The answer is used, and waits until the folder is in order.
    assert_eq!(label(&hub, &get).as_deref(), Some("oauth 2"), "{get}");
    assert!(get.stderr.contains("a link of another user"), "{get}");
    assert_eq!(fs::read_to_string(&backup).expect("the file"), text);
}

/// A hostile repository and another user lay out files for the trace to be appended to.
#[test]
fn a_trace_is_appended_to_no_file_but_its_own() {
    let (hub, machine) = machine();
    machine.login_for(&hub, "acme");
    machine.git(["init", "--quiet", "x"]).ok();
    let before = machine.read(".gitconfig");
    let clone = machine.home().join("x");
    std::os::unix::fs::symlink("../.gitconfig", clone.join("t.log")).expect("a link");
    std::os::unix::fs::symlink("..", clone.join("up")).expect("a link");
    fs::hard_link(
        machine.home().join(".gitconfig"),
        machine.home().join("hard"),
    )
    .expect("a link");
    let mut attacks = Attacks::new();
    let mut targets = vec![
        "t.log".into(),
        "./t.log".into(),
        "new.log".into(),
        clone.join("t.log"),
        clone.join("up/.gitconfig"),
        clone.join("up/new.log"),
        machine.home().join("hard"),
        PathBuf::from("/dev/null"),
    ];
    if rustix::process::geteuid().is_root() {
        machine.write("bobs", "x\n");
        give(&machine.home().join("bobs"), BOB);
        targets.push(machine.home().join("bobs"));
        machine.write("shared", "x\n");
        set_mode(&machine.home().join("shared"), 0o666);
        targets.push(machine.home().join("shared"));
    } else {
        eprintln!("skipped: only root can give a file away");
    }
    for target in targets {
        let get = machine.helper(["get"]).stdin(REQUEST).dir("x");
        let get = get
            .env("GIT_CREDENTIAL_HF_TRACE", &target)
            .may_print_secret()
            .run();
        let made = ["x/new.log", "new.log"]
            .iter()
            .any(|it| machine.home().join(it).exists());
        let changed = machine.read(".gitconfig") != before
            || ["bobs", "shared"].iter().any(|it| {
                let path = machine.home().join(it);
                path.exists() && machine.read(it) != "x\n"
            });
        attacks.tried(target.display(), made || changed);
        assert!(
            get.stderr.contains("trace file"),
            "{}: {get}",
            target.display()
        );
    }
    let log = machine.home().join("own.log");
    for lines in 1..3 {
        let get = machine.helper(["get"]).stdin(REQUEST);
        let get = get
            .env("GIT_CREDENTIAL_HF_TRACE", &log)
            .may_print_secret()
            .run();
        assert!(!get.stderr.contains("trace file"), "{get}");
        assert!(machine.read("own.log").lines().count() >= lines);
    }
    assert_eq!(fs::metadata(log).expect("the trace").mode() & 0o777, 0o600);
    attacks.end();
}

/// A lock that a kill has left is removed when it is old and no git of this user is running; one
/// that may be in use never is, and nobody takes one over.
#[test]
fn a_lock_of_gits_is_not_taken_over() {
    let (_hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    accounts.file("ann/.gitconfig", ANN, "[user]\n\tname = Ann\n");
    let lock = accounts.file("ann/.gitconfig.lock", ANN, "");
    let aged = |seconds| {
        let file = fs::File::options()
            .append(true)
            .open(&lock)
            .expect("the lock");
        let at = std::time::SystemTime::now() - Duration::from_secs(seconds);
        file.set_modified(at).expect("another time");
    };
    let git = machine
        .git(["--version"])
        .into_command()
        .get_program()
        .to_owned();
    let set = ["config", "--global", "user.name", "Ann Two"];
    let git_fails = || accounts.run_as(&machine, ANN, &git, &set).run().code != 0;
    let fix = || {
        accounts
            .ann(&machine, &["doctor", "--fix", "--yes", "--offline"])
            .run()
    };
    assert!(git_fails());
    for age in [0, 500, 700] {
        aged(age);
        let configure = accounts.ann(&machine, &["configure"]).fails();
        configure.says(&[".gitconfig.lock", "doctor --fix"]);
        assert!(lock.exists());
    }
    // Somebody else holds a lock on the folder; that changes nothing.
    let folder = fs::File::open(accounts.at("ann")).expect("the folder");
    folder.lock().expect("hold the folder");
    accounts.ann(&machine, &["configure"]).fails();
    assert!(lock.exists());
    drop(folder);
    // Young.
    aged(300);
    let doctor = fix();
    assert!(doctor.stdout.contains(".gitconfig.lock"), "{doctor}");
    assert!(
        doctor.stdout.contains("less than ten minutes old"),
        "{doctor}"
    );
    assert!(lock.exists());
    // Old, while a git of Ann's is running.
    aged(700);
    let wait = ["-c", "alias.wait=!sleep 60", "wait"];
    let running = accounts.run_as(&machine, ANN, &git, &wait).start();
    std::thread::sleep(Duration::from_millis(300));
    let doctor = fix();
    assert!(doctor.stdout.contains("is running git"), "{doctor}");
    assert!(lock.exists());
    running.kill();
    // A git of Bob's does not count, nor does the one that has started this very doctor.
    let other = accounts.run_as(&machine, BOB, &git, &wait).start();
    let alias = format!(
        "alias.d=!'{}' doctor --offline",
        accounts.at("git-credential-hf").display()
    );
    let shown = accounts
        .run_as(&machine, ANN, &git, &["-c", &alias, "d"])
        .run();
    assert!(shown.stdout.contains("a killed program left"), "{shown}");
    assert!(lock.exists(), "nothing is repaired unasked");
    let doctor = fix();
    assert!(!lock.exists(), "{doctor}");
    assert!(!git_fails());
    accounts.ann(&machine, &["configure"]).ok();
    other.kill();
}

/// After `sudo -E` or `su`, the address of the bus is still the other user's.
#[test]
fn a_bus_of_another_user_is_asked_for_nothing() {
    use crate::support::keyring::Keyring;
    let (hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    if !Keyring::is_possible() {
        return;
    }
    let token = hub.add_token("work", &[]);
    let config = accounts.file(
        "bus.conf",
        0,
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow user=\"*\"/><allow send_destination=\"*\"/>\
         <allow own=\"*\"/></policy></busconfig>",
    );
    let login = [
        "login",
        "work",
        "--with-token",
        "--no-verify",
        "--storage",
        "keyring",
    ];
    let mut attacks = Attacks::new();
    for address in ["unix:path", "unix:abstract"] {
        let socket = accounts.at("bob/bus");
        let address = format!("{address}={}", socket.display());
        let config = format!("--config-file={}", config.display());
        let listen = format!("--address={address}");
        let arguments = ["--nofork", "--nopidfile", &config, &listen];
        let bus = accounts
            .run_as(&machine, BOB, "dbus-daemon", &arguments)
            .start();
        std::thread::sleep(Duration::from_millis(700));
        machine.env("DBUS_SESSION_BUS_ADDRESS", &address);
        for command in [&login[..], &["doctor", "--offline"]] {
            let run = machine.helper(command).stdin(&token).run();
            let said = run.stdout.contains("belongs to another user")
                || run.stderr.contains("belongs to another user");
            attacks.tried(format!("{address} {command:?}: {run}"), !said);
        }
        let run = accounts.ann(&machine, &login).stdin(&token).fails();
        attacks.tried(
            format!("{address}: {run}"),
            !run.stderr.contains("belongs to another user"),
        );
        bus.kill();
    }
    attacks.end();
    // Root's own is used by Ann's command as well: what is said is then about the service.
    let keyring = Keyring::start();
    machine.env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    machine.helper(login).stdin(&token).ok();
}

/// A dotfiles repository whose target is not there yet.
#[test]
fn a_dangling_link_stays_and_its_target_is_made() {
    let (hub, machine) = machine();
    fs::remove_file(machine.home().join(".gitconfig")).expect("remove it");
    fs::create_dir(machine.home().join("dotfiles")).expect("a folder");
    let link = machine.home().join(".gitconfig");
    std::os::unix::fs::symlink("dotfiles/gitconfig", &link).expect("a link");
    machine.configure();
    assert!(link.is_symlink());
    assert!(machine.read("dotfiles/gitconfig").contains("hf"));
    machine.helper(["unconfigure"]).ok();
    assert!(link.is_symlink() && !link.exists());
    // Git does the same.
    machine.git(["config", "--global", "user.name", "x"]).ok();
    assert!(link.is_symlink() && link.exists());

    let folder = machine.home().join(".config/git-credential-hf");
    fs::create_dir_all(&folder).expect("a folder");
    let config = folder.join("config.toml");
    std::os::unix::fs::symlink("../../dotfiles/hf.toml", &config).expect("a link");
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &["--for", "acme"]);
    assert!(config.is_symlink());
    assert!(machine.read("dotfiles/hf.toml").contains("acme"));
}

/// A hard link keeps what is removed under the other name.
#[test]
fn what_has_another_name_is_not_said_to_be_removed() {
    use crate::import::common::{ACTIVE, Desk, STORED, everywhere};
    let desk = Desk::to_import();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    let files = [STORED, ".netrc", ".git-credentials", "x/.git/config"];
    for file in files {
        let path = machine.home().join(file);
        fs::hard_link(&path, path.with_extension("backup")).expect("another name");
    }
    let _ = fs::remove_file(machine.home().join(ACTIVE));
    let run = desk.import(["--remove"]).dir("x").run();
    assert_ne!(run.code, 0, "{run}");
    for file in files {
        let text = machine.read(file);
        assert!(
            tokens.iter().any(|token| text.contains(token)),
            "{file}: {run}"
        );
    }
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("another name"), "{run}");
}

/// A token's own file, when it goes, goes from all its names.
#[test]
fn a_token_that_is_removed_is_gone_from_a_backup_by_hard_link() {
    let (hub, machine) = machine();
    machine.login_for(&hub, "acme");
    let tokens = machine
        .home()
        .join(crate::support::user::DATA)
        .join("tokens");
    let file = fs::read_dir(tokens)
        .expect("tokens")
        .next()
        .expect("one")
        .expect("one")
        .path();
    let backup = machine.home().join("backup");
    fs::hard_link(file, &backup).expect("another name");
    machine.helper(["logout", "acme"]).ok();
    assert_eq!(fs::read_to_string(backup).expect("the backup"), "");
}

/// Programs lie in wait in a repository, for a PATH that has the current folder in it.
#[test]
fn a_program_in_the_current_folder_is_not_started() {
    let (hub, machine) = machine();
    machine.login_for(&hub, "acme");
    let file = machine.home().join("x");
    fs::create_dir(&file).expect("a folder");
    let names = [
        "git",
        "git-lfs",
        "xdg-open",
        "vault",
        "ps",
        "tool",
        "dbus-launch",
    ];
    for name in names {
        let path = file.join(name);
        fs::write(&path, "#!/bin/sh\ntouch ~/pwned\necho aaa\n").expect("a program");
        set_mode(&path, 0o755);
    }
    let config = machine.read(crate::support::user::CONFIG);
    let vault = format!("{config}\n[commands]\nvault = [\"vault\"]\n");
    machine.write(crate::support::user::CONFIG, vault);
    let git = machine
        .git(["--version"])
        .into_command()
        .get_program()
        .to_owned();
    let git = PathBuf::from(git);
    let good = format!(
        "{}:/usr/bin:/bin",
        git.parent().expect("a folder").display()
    );
    let mut attacks = Attacks::new();
    let request = format!("{REQUEST}username=vault\n");
    let no_path = "protocol=https\nhost=huggingface.co\n";
    for path in [
        ".",
        "",
        ".:/nonexistent",
        &format!(".:{good}"),
        &format!(":{good}"),
        &format!("bin/..:.:{good}"),
    ] {
        for (command, input) in [
            (&["get"][..], request.as_str()),
            (&["get"], no_path),
            (&["doctor", "--offline"], ""),
            (&["configure", "--local"], ""),
            (&["explain"], ""),
            (&["run", "--for", "acme/x", "--", "tool"], ""),
            (&["login", "--web"], ""),
        ] {
            let run = machine
                .helper(command)
                .stdin(input)
                .dir("x")
                .env("PATH", path);
            let run = run.env("DISPLAY", ":0").may_print_secret().run();
            let pwned = machine.home().join("pwned");
            attacks.tried(format!("PATH={path} {command:?}: {run}"), pwned.exists());
            let _ = fs::remove_file(pwned);
        }
    }
    // With an absolute path they are found.
    let run = machine
        .helper(["run", "--for", "acme/x", "--", "tool"])
        .dir("x");
    let run = run
        .env("PATH", format!("{}:{good}", file.display()))
        .may_print_secret();
    run.ok();
    assert!(machine.home().join("pwned").exists());
    attacks.end();
}
