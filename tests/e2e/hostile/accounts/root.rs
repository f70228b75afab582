//! What root does below folders of another user, and which links it follows.

use super::machine;
use crate::support::accounts::{ANN, Accounts, BOB, give};
use crate::support::attacks::Attacks;
use crate::support::user::login_unverified;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a race is run.
const TRIES: usize = 60;

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
        "hostile::accounts::root::swap_folders_for_links",
    ];
    let bob = accounts.run_as(&machine, BOB, swap, &filter);
    let bob = bob.env("PLACE", &place).env("TARGET", &victim).start();
    let login = login_unverified("work", "file");
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
