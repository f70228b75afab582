//! A trace that another user would have written elsewhere, and locks that git may hold.

use super::{REQUEST, machine};
use crate::support::accounts::{ANN, Accounts, BOB, give};
use crate::support::attacks::Attacks;
use crate::support::modes::{mode_of, set_mode};
use std::fs;
use std::path::PathBuf;

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
        set_mode(machine.home().join("shared"), 0o666);
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
    assert_eq!(mode_of(log), 0o600);
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
    let aged = |seconds| machine.age(&lock, seconds);
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
    let wait = ["-c", "alias.wait=!echo running; sleep 60", "wait"];
    let running = accounts.run_as(&machine, ANN, &git, &wait).start();
    running.wait_until_it_prints("running");
    let doctor = fix();
    assert!(doctor.stdout.contains("is running git"), "{doctor}");
    assert!(lock.exists());
    running.kill();
    // A git of Bob's does not count, nor does the one that has started this very doctor.
    let other = accounts.run_as(&machine, BOB, &git, &wait).start();
    other.wait_until_it_prints("running");
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
