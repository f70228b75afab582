//! Links that another user, or the user, has put on the way: symbolic ones and hard ones.

use super::{REQUEST, machine};
use crate::hub::common::label;
use crate::support::accounts::{ANN, Accounts, BOB};
use crate::support::hub::Right::Write;
use crate::support::hub::api::OAuth;
use crate::support::modes::set_mode;
use crate::support::user::now;
use std::fs;

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
    let end = now() - 1;
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
