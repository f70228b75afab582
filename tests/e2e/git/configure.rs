//! `configure` and `unconfigure`: which file they change, and how gently.

use crate::support::accounts::Accounts;
use crate::support::advice::is_advised;
use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::machine::Machine;
use crate::support::modes::{mode_of, set_mode};
use crate::support::tools::gits;
use crate::support::user::CONFIG;
use std::fs;
use std::os::unix::fs::symlink;

const X: &str = "https://huggingface.co/acme/x";
const KEY: &str = "credential.https://huggingface.co.helper";

/// A Hub with acme/x, and a machine whose `HF_TOKEN` may read it.
pub fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.env("HF_TOKEN", hub.add_token("env", &[("acme", Read)]));
    (hub, machine)
}

fn init(machine: &Machine, dir: &str) {
    machine.git(["init", "--quiet", dir]).ok();
}

#[test]
fn the_lines_that_git_reads_are_these() {
    for git in gits() {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git);
        machine.write(
            CONFIG,
            "version = 1\n[endpoints]\n\"https://hub.corp.example:8443\" = {}\n",
        );
        machine.configure();
        let helper = machine.bin().join("git-credential-hf");
        let helper = helper.to_str().expect("a UTF-8 path");
        for url in [
            "https://huggingface.co",
            "https://hf.co",
            "https://hub.corp.example:8443",
        ] {
            let get = |key: &str| {
                let key = format!("credential.{url}.{key}");
                machine.git(["config", "--get-all", &key]).ok().stdout
            };
            // The program as it was called, links and all.
            assert_eq!(get("helper"), format!("\n{helper}\n"));
            assert_eq!(get("useHttpPath"), "true\n");
        }
    }
}

#[test]
fn twice_is_the_same_as_once() {
    let (_hub, machine) = machine();
    machine.configure();
    let once = machine.read(".gitconfig");
    let again = machine.helper(["configure"]).ok().stdout;
    assert!(again.contains("already"), "{again}");
    assert_eq!(machine.read(".gitconfig"), once);
    // What others wrote in the meantime stays, and so does the one block.
    machine
        .git(["config", "--global", "alias.st", "status"])
        .ok();
    machine.configure();
    let text = machine.read(".gitconfig");
    assert_eq!(
        text.matches("git-credential-hf: begin").count(),
        1,
        "{text}"
    );
    assert!(text.contains("st = status"), "{text}");
    // A Hub that was added since is brought in.
    machine.write(CONFIG, "[endpoints]\n\"https://hub.corp.example\" = {}\n");
    machine.configure();
    let text = machine.read(".gitconfig");
    assert_eq!(text.matches("hub.corp.example").count(), 1, "{text}");
    assert_eq!(
        text.matches("git-credential-hf: begin").count(),
        1,
        "{text}"
    );
}

#[test]
fn local_is_for_the_repository_at_hand() {
    for git in gits() {
        let (_hub, machine) = machine();
        let machine = machine.with_git(&git);
        let before = machine.read(".gitconfig");
        init(&machine, "one");
        init(&machine, "other");
        fs::create_dir(machine.home().join("one/sub")).expect("make a folder");
        machine.helper(["configure", "--local"]).dir("one/sub").ok();
        assert_eq!(machine.read(".gitconfig"), before);
        machine.git(["ls-remote", X]).dir("one").ok();
        machine.git(["ls-remote", X]).dir("other").fails();
        let original = machine.read("other/.git/config");
        machine.helper(["unconfigure", "--local"]).dir("one").ok();
        assert_eq!(machine.read("one/.git/config"), original);
        let outside = machine.helper(["configure", "--local"]).fails();
        assert_eq!(outside.code, 1);
        outside.says(&["error: the current folder is not in a repository"]);
    }
}

#[test]
fn a_linked_worktree_shares_the_configuration_of_its_repository() {
    let (_hub, machine) = machine();
    init(&machine, "one");
    let commit = ["commit", "--quiet", "--allow-empty", "-m", "first"];
    machine.git(commit).dir("one").ok();
    machine.git(["worktree", "add", "../tree"]).dir("one").ok();
    machine.helper(["configure", "--local"]).dir("tree").ok();
    assert!(
        machine
            .read("one/.git/config")
            .contains("git-credential-hf")
    );
    machine.git(["ls-remote", X]).dir("one").ok();
}

#[test]
fn file_is_the_file_that_is_named() {
    let (_hub, machine) = machine();
    let before = machine.read(".gitconfig");
    machine
        .helper(["configure", "--file", "folder/config"])
        .ok();
    assert_eq!(machine.read(".gitconfig"), before);
    machine.git(["ls-remote", X]).fails();
    let named = machine.home().join("folder/config");
    machine
        .git(["ls-remote", X])
        .env("GIT_CONFIG_GLOBAL", &named)
        .ok();
    machine
        .helper(["unconfigure", "--file", "folder/config"])
        .ok();
    assert!(!named.exists());
}

#[test]
fn system_is_the_file_that_git_says() {
    // Older gits do not say, and the file that they mean belongs to the machine of the tests.
    for git in gits().into_iter().filter(|git| git.at_least(2, 42)) {
        let (_hub, machine) = machine();
        let machine = machine.with_git(&git);
        let before = machine.read(".gitconfig");
        machine.env("GIT_CONFIG_SYSTEM", machine.home().join("etc/gitconfig"));
        machine.helper(["configure", "--system"]).ok();
        assert_eq!(machine.read(".gitconfig"), before);
        machine.git(["ls-remote", X]).ok();
        machine.helper(["unconfigure", "--system"]).ok();
        machine.git(["ls-remote", X]).fails();
    }
}

#[test]
fn the_global_file_is_found_as_git_finds_it() {
    for git in gits() {
        let (_hub, machine) = machine();
        let machine = machine.with_git(&git);
        let written = |path: &str| {
            let path = machine.home().join(path);
            fs::read_to_string(path).is_ok_and(|text| text.contains("git-credential-hf"))
        };
        // Both files there: the usual one. Only the XDG file: that.
        machine.write(".config/git/config", "[alias]\n\ts = status\n");
        machine.configure();
        assert!(written(".gitconfig") && !written(".config/git/config"));
        fs::remove_file(machine.home().join(".gitconfig")).expect("remove the file");
        machine.configure();
        assert!(written(".config/git/config"));
        assert!(!machine.home().join(".gitconfig").exists());
        machine.git(["ls-remote", X]).ok();
        machine.helper(["unconfigure"]).ok();
        assert_eq!(
            machine.read(".config/git/config"),
            "[alias]\n\ts = status\n"
        );

        machine.write("xdg/git/config", "");
        machine.env("XDG_CONFIG_HOME", machine.home().join("xdg"));
        machine.configure();
        assert!(written("xdg/git/config"));
        machine.env("GIT_CONFIG_GLOBAL", machine.home().join("mine"));
        machine.configure();
        assert!(written("mine"));
        machine.git(["ls-remote", X]).ok();
    }
}

#[test]
fn a_link_stays_a_link_and_a_mode_stays_a_mode() {
    let (_hub, machine) = machine();
    let path = machine.home().join(".gitconfig");
    let target = machine.home().join("dotfiles/gitconfig");
    machine.write("dotfiles/gitconfig", "[user]\n\tname = A\n");
    set_mode(&target, 0o640);
    fs::remove_file(&path).expect("remove the file");
    symlink("dotfiles/gitconfig", &path).expect("make the link");
    machine.configure();
    let link = fs::read_link(&path).expect("still a link");
    assert_eq!(link.to_str(), Some("dotfiles/gitconfig"));
    assert!(
        machine
            .read("dotfiles/gitconfig")
            .contains("git-credential-hf")
    );
    assert_eq!(mode_of(&target), 0o640);
    machine.helper(["unconfigure"]).ok();
    assert_eq!(machine.read("dotfiles/gitconfig"), "[user]\n\tname = A\n");
    assert_eq!(mode_of(&target), 0o640);
}

#[test]
fn a_lock_of_another_git_is_respected_and_named() {
    let (_hub, machine) = machine();
    let before = machine.read(".gitconfig");
    machine.write(".gitconfig.lock", "");
    for verb in ["configure", "unconfigure"] {
        let failed = machine.helper([verb]).fails();
        assert_eq!(failed.code, 1);
        failed.says(&[".gitconfig.lock", "help:"]);
        assert_eq!(machine.read(".gitconfig"), before);
        assert!(machine.home().join(".gitconfig.lock").exists());
    }
    fs::remove_file(machine.home().join(".gitconfig.lock")).expect("remove the lock");
    machine.configure();
    assert!(!machine.home().join(".gitconfig.lock").exists());
}

#[test]
fn a_file_that_git_cannot_read_is_left_alone() {
    let (_hub, machine) = machine();
    for broken in ["[user\n", "[user]\n\tname = \"A\n", "[user]\n=x\n"] {
        machine.write(".gitconfig", broken);
        let failed = machine.helper(["configure"]).fails();
        failed.says(&[".gitconfig", "line "]);
        assert_eq!(machine.read(".gitconfig"), broken);
    }
}

#[test]
fn a_home_with_a_space_and_a_quote_works() {
    for git in gits() {
        let (_hub, machine) = machine();
        let machine = machine.with_git(&git);
        let folder = machine.home().join("it's \"my\" $HOME; #1");
        fs::create_dir(&folder).expect("make a folder");
        let program = folder.join("git-credential-hf");
        let installed = fs::canonicalize(machine.bin().join("git-credential-hf"));
        symlink(installed.expect("the helper"), &program).expect("install the helper");
        machine.command(&program, ["configure"]).ok();
        machine.git(["ls-remote", X]).ok();
        machine.command(&program, ["unconfigure"]).ok();
        machine.git(["config", "--get-all", KEY]).fails();
    }
}

#[test]
fn two_places_at_once_are_a_usage_error() {
    let (_hub, machine) = machine();
    let before = machine.read(".gitconfig");
    for both in [["--system", "--local"], ["--file=x", "--local"]] {
        let arguments = ["configure"].into_iter().chain(both);
        assert_eq!(machine.helper(arguments).fails().code, 2);
    }
    assert_eq!(machine.read(".gitconfig"), before);
}

#[test]
fn the_systems_file_is_roots_and_the_sudo_that_is_advised_writes_it() {
    let (_hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    let folder = accounts.folder("etc", 0, 0o755);
    let file = folder.join("gitconfig");
    machine.env("GIT_CONFIG_SYSTEM", &file);
    let refused = accounts.ann(&machine, &["configure", "--system"]).fails();
    let program = accounts.at("git-credential-hf");
    let advised = format!("sudo {} configure --system", program.display());
    refused
        .clone()
        .says(&["this user may not change", "`git credential-hf configure`"]);
    assert!(is_advised(&refused.stderr, &advised), "{refused}");
    assert!(!file.exists(), "a file that Ann may not write");

    // Root types what follows `sudo`; then git asks for Ann, too.
    let asked = |what: &str| {
        let explain = accounts.ann(&machine, &["explain", "acme/x"]).run();
        explain.stdout.contains(what)
    };
    let not_called = "git does not call this helper";
    assert!(asked(not_called));
    machine.command(program, ["configure", "--system"]).ok();
    assert!(!asked(not_called));

    // And for Ann alone.
    fs::remove_file(&file).expect("remove root's file");
    assert!(asked(not_called));
    accounts.ann(&machine, &["configure"]).ok();
    assert!(!asked(not_called));
}
