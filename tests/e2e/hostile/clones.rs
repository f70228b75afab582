//! What a cloned repository could change in which token is used: by files that look like git's
//! configuration, logins in files that it tracks, names that a token's owner chose, and remotes.
#![cfg_attr(
    not(target_os = "linux"),
    allow(unused_imports, dead_code, reason = "some tests here are for Linux")
)]

use crate::hub::common::{get, json, label};
use crate::hub::life::HUB;
use crate::support::attacks::{Attacks, all_kept};
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, fine_grained};
use crate::support::hub::{Hub, Response};
use crate::support::machine::{Machine, Output, with_each_git};
use crate::support::tools::need;
use crate::support::user::{CONFIG, noise};

const X: &str = "https://huggingface.co/acme/x";

/// Alice's own token for acme by a rule, and a clone of acme/x.
fn clone_of_acme(hub: &Hub, machine: &Machine) {
    hub.add_repo("acme/x", true);
    machine.login_for(hub, "acme");
    machine.configure();
    machine.git(["clone", "--quiet", X]).ok();
}

/// Commits what is in the clone `x`, pushes it, and clones it anew as `copy`.
fn published(machine: &Machine) {
    machine.commit_all("x");
    machine.git(["push", "--quiet"]).dir("x").ok();
    machine.git(["clone", "--quiet", X, "src/copy"]).ok();
}

/// Tracked files that are a bare repository's, or whose folder is the work tree of a worktree.
#[test]
fn a_bare_repository_that_is_tracked_is_no_configuration() {
    let mut attacks = Attacks::new();
    with_each_git(clone_of_acme, |hub, machine| {
        let evil = hub.add_token("evil", &[("evil", Write)]);
        for folder in ["d", "deep/er/d.git", ".github/d", "modules/d"] {
            machine.write(format!("x/{folder}/HEAD"), "ref: refs/heads/main\n");
            for name in ["objects/keep", "refs/keep"] {
                machine.write(format!("x/{folder}/{name}"), "");
            }
            machine.write(
                format!("x/{folder}/config"),
                format!(
                    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\
                     [remote \"origin\"]\n\turl = https://u:{evil}@huggingface.co/umbrella/private\n\
                     [url \"https://u:{evil}@huggingface.co/umbrella/\"]\n\tinsteadOf = u:\n"
                ),
            );
        }
        published(machine);
        let tree = ["worktree", "add", "--quiet", "../tree", "-b", "other"];
        machine.git(tree).dir("src/copy").ok();
        let before = all_kept(machine);
        for (dir, recurse) in [
            (".", Some("src")),
            (".", Some("src/copy/deep")),
            (".", Some("src/tree")),
            ("src/copy", Some(".")),
            ("src/copy/d", None),
            ("src/copy/deep/er/d.git/refs", None),
            ("src/tree/modules/d", Some(".")),
        ] {
            let recurse = recurse.iter().flat_map(|folder| ["--recurse", folder]);
            let import = ["import", "remotes", "--remove", "--no-verify"];
            let said = machine.helper(import.into_iter().chain(recurse)).dir(dir);
            let said = said.run();
            let changed = all_kept(machine) != before;
            attacks.tried(format!("{dir}: {said}"), changed);
            if changed {
                break;
            }
            // Git itself takes such a folder for a repository; where one stands in it, that is said.
            let within = dir.contains("/d");
            assert_eq!(
                said.stderr.contains("work tree of another"),
                within,
                "{said}"
            );
        }
    });
    attacks.end();
}

/// The base of an `insteadOf` is a whole namespace, which nobody chose a token for.
#[test]
fn import_writes_no_rule_and_names_none_for_a_namespace() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.login_for(&hub, "acme");
    machine.configure();
    let token = hub.add_token("other", &[]);
    machine.git(["init", "--quiet", "x"]).ok();
    let config = machine.read("x/.git/config");
    machine.write(
        "x/.git/config",
        format!(
            "{config}[url \"https://u:{token}@huggingface.co/umbrella/\"]\n\tinsteadOf = u:\n\
             [remote \"origin\"]\n\turl = https://u:{token}@huggingface.co/umbrella/y\n"
        ),
    );
    let before = machine.read(CONFIG);
    let no_rules = machine.helper(["import", "remotes", "--rules"]).dir("x");
    assert_eq!(no_rules.run().code, 2);
    let import = ["import", "remotes", "--remove", "--no-verify"];
    let said = machine.helper(import).dir("x").ok();
    assert!(said.stdout.contains("--for umbrella/y"), "{said}");
    assert!(!said.stdout.contains("--for umbrella\n"), "{said}");
    assert_eq!(machine.read(CONFIG), before);
}

/// A machine where a name is in use, and a token of somebody else whose owner gave it that name.
struct Named {
    hub: Hub,
    machine: Machine,
    evil: String,
}

impl Named {
    fn new() -> Named {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        let whoami = WhoAmI::start(&hub);
        let evil = hub.add_token("evil", &[]);
        let mut says = fine_grained(&[("model", "evil/z", &["repo.write"])]);
        says["name"] = "evil".into();
        says["auth"]["accessToken"]["displayName"] = "work".into();
        whoami.says("evil", says);
        machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
        Named { hub, machine, evil }
    }

    /// Logs in without a name, and by `import` of what lies in plain text.
    fn take_in(&self, by_import: bool) -> Output {
        if by_import {
            let line = format!("https://u:{}@huggingface.co\n", self.evil);
            self.machine.write(".git-credentials", line);
            return self.machine.helper(["import", "git", "--remove"]).run();
        }
        let login = self.machine.helper(["login", "--with-token"]);
        login.stdin(&self.evil).run()
    }

    fn is_used(&self) -> bool {
        let get = get(&self.machine, "acme/x").run();
        label(&self.hub, &get).as_deref() == Some("evil")
    }
}

#[test]
fn a_name_from_the_hub_takes_up_none_that_is_in_use() {
    let mut attacks = Attacks::new();
    for by_import in [false, true] {
        for (what, config, username, variable) in [
            ("a rule", "[rules]\nacme = \"work\"\n", None, None),
            ("the default", "default = \"work\"\n", None, None),
            ("git's configuration", "", Some("work"), None),
            ("a variable", "", None, Some("work")),
        ] {
            let named = Named::new();
            let machine = &named.machine;
            let before = machine.read(CONFIG);
            machine.write(CONFIG, format!("{before}{config}"));
            machine.configure();
            if let Some(name) = username {
                let key = "credential.https://huggingface.co/acme.username";
                machine.git(["config", "--global", key, name]).ok();
            }
            if let Some(name) = variable {
                machine.env("GIT_CREDENTIAL_HF_TOKEN_NAME", name);
            }
            let said = named.take_in(by_import);
            let used = named.is_used() || machine.names().contains("work");
            attacks.tried(format!("{what}: {said}"), used);
            assert!(machine.names().contains("work-2"), "{what}: {said}");
        }
    }
    attacks.end();
}

#[test]
fn a_name_from_the_hub_replaces_no_token_of_another_account() {
    for by_import in [false, true] {
        let named = Named::new();
        let mine = named.hub.add_token("mine", &[]);
        named.machine.login("work", &mine, &[]);
        let said = named.take_in(by_import);
        assert_eq!(said.code, i32::from(by_import && said.code != 0), "{said}");
        let name = "GIT_CREDENTIAL_HF_TOKEN_NAME";
        let get = get(&named.machine, "acme/x").env(name, "work").ok();
        assert_eq!(label(&named.hub, &get).as_deref(), Some("mine"), "{said}");
        assert!(named.machine.names().contains("work-2"), "{said}");
    }
}

#[test]
fn a_name_that_was_typed_is_taken_up() {
    let named = Named::new();
    let machine = &named.machine;
    let config = machine.read(CONFIG);
    machine.write(CONFIG, format!("{config}[rules]\nacme = \"work\"\n"));
    let login = machine.helper(["login", "--with-token"]);
    let said = login.stdin(&named.evil).ok();
    assert!(said.stderr.contains("login work"), "{said}");
    let login = machine.helper(["login", "work", "--with-token"]);
    login.stdin(&named.evil).ok();
    assert!(named.is_used());
    // The same value again is no other token.
    machine.helper(["logout", "work-2"]).ok();
    let login = machine.helper(["login", "--with-token"]);
    login.stdin(&named.evil).ok();
    assert_eq!(machine.names().into_iter().collect::<Vec<_>>(), ["work"]);
}

/// `.gitmodules` and `.lfsconfig` are the repository's: what is in them comes back.
#[test]
fn a_login_in_a_tracked_file_is_listed_and_can_be_ended() {
    with_each_git(clone_of_acme, |hub, machine| {
        hub.add_repo("alice/open", false);
        let tokens =
            ["module", "lfs", "nested"].map(|label| hub.add_token(label, &[("alice", Read)]));
        let [module, lfs, nested] = &tokens;
        let url = |token: &str, path: &str| format!("https://alice:{token}@huggingface.co/{path}");
        let head = hub.head("alice/open");
        let entry = format!("160000,{head},sub");
        let add = ["update-index", "--add", "--cacheinfo", &entry];
        machine.git(add).dir("x").ok();
        machine.write(
            "x/.gitmodules",
            format!(
                "[submodule \"sub\"]\n\tpath = sub\n\turl = {}\n",
                url(module, "alice/open")
            ),
        );
        let lfs_url = url(lfs, "acme/x.git/info/lfs");
        machine.write("x/.lfsconfig", format!("[lfs]\n\turl = {lfs_url}\n"));
        machine
            .git(["add", ".gitmodules", ".lfsconfig"])
            .dir("x")
            .ok();
        machine
            .git(["commit", "--quiet", "-m", "sub"])
            .dir("x")
            .ok();
        machine.git(["push", "--quiet"]).dir("x").ok();
        let clone = ["clone", "--quiet", "--recurse-submodules", X, "src/copy"];
        machine.git(clone).ok();
        machine.write(
            "src/copy/sub/.gitmodules",
            format!(
                "[submodule \"n\"]\n\tpath = n\n\turl = {}\n",
                url(nested, "acme/n")
            ),
        );

        let tracked = |recurse: &[&str], dir: &str| {
            let import = ["import", "remotes", "--dry-run", "--json"];
            let run = machine.helper(import.iter().chain(recurse)).dir(dir);
            let told = json(&run.ok());
            let skipped = told["skipped"].as_array().expect("a list").clone();
            let tracked = skipped.iter().filter(|it| it["tracked"] == true);
            let mut hints: Vec<String> = tracked
                .map(|it| it["token"].as_str().expect("a hint").to_owned())
                .collect();
            hints.sort();
            hints
        };
        let mut hints = tokens
            .each_ref()
            .map(|t| format!("hf_…{}", &t[t.len() - 4..]));
        hints.sort();
        assert_eq!(tracked(&[], "src/copy"), hints);
        assert_eq!(tracked(&["--recurse", "src"], "."), hints);

        let import = ["import", "remotes", "--remove", "--no-verify"];
        let said = machine.helper(import).dir("src/copy").ok();
        assert!(
            said.stdout.contains("logout --revoke --with-token"),
            "{said}"
        );
        assert!(!machine.read("src/copy/.git/config").contains(module));
        assert_eq!(tracked(&[], "src/copy"), hints);
        let doctor = ["doctor", "--offline"];
        let said = machine.helper(doctor).dir("src/copy").fails();
        assert!(said.stdout.contains(".gitmodules:3"), "{said}");
        assert!(
            said.stdout.contains("logout --revoke --with-token"),
            "{said}"
        );

        hub.route("POST", HUB, "/api/credentials/revoke", |_| {
            Response::text(202, "")
        });
        let logout = ["logout", "--with-token", "--revoke", "--yes"];
        let said = machine.helper(logout).stdin(lfs).ok();
        assert!(said.stdout.contains("on the Hub"), "{said}");
    });
}

/// Asks as git-xet does: for the host alone.
fn fill(machine: &Machine, dir: &str) -> Output {
    let fill = machine.git(["credential", "fill"]).dir(dir);
    fill.may_print_secret()
        .stdin("url=https://huggingface.co\n\n")
        .run()
}

/// A clone with `count` more remotes of this namespace before the last, `up`, of umbrella.
fn many_remotes(hub: &Hub, machine: &Machine, namespace: &str, count: usize) {
    for repo in ["umbrella/x", "other/z"] {
        hub.add_repo(repo, true);
    }
    machine.login_for(hub, "umbrella");
    let rest = hub.add_token(
        "rest",
        &[("acme", Write), ("umbrella", Write), ("other", Write)],
    );
    machine.login("rest", &rest, &["--default"]);
    let mut config = machine.read("x/.git/config");
    for n in 0..count {
        let url = format!("https://huggingface.co/{namespace}/z{n}");
        config.push_str(&format!("[remote \"r{n}\"]\n\turl = {url}\n"));
    }
    config.push_str("[remote \"up\"]\n\turl = https://huggingface.co/umbrella/x\n");
    machine.write("x/.git/config", config);
}

#[cfg(target_os = "linux")]
#[test]
fn the_remote_in_use_counts_however_many_there_are() {
    if !need("git-lfs") {
        return;
    }
    with_each_git(clone_of_acme, |hub, machine| {
        many_remotes(hub, machine, "other", 300);
        machine.git(["lfs", "install", "--skip-repo"]).ok();
        let paths = "credential.https://huggingface.co.useHttpPath";
        machine.git(["config", "--global", paths, "false"]).ok();
        machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
        machine.write("x/weights.bin", noise(10_000));
        machine.commit_all("x");
        hub.clear_log();
        machine.git(["lfs", "push", "up", "main"]).dir("x").ok();
        assert_eq!(hub.tokens_seen("/umbrella/x"), ["umbrella"]);
        assert_eq!(hub.tokens_seen("/"), ["umbrella"]);
    });
}

#[test]
fn all_remotes_count_where_none_is_known_to_be_in_use() {
    with_each_git(clone_of_acme, |hub, machine| {
        // All but the last are of one rule.
        many_remotes(hub, machine, "acme", 4000);
        let filled = fill(machine, "x");
        assert!(
            filled.helper_line().contains("different tokens"),
            "{filled}"
        );
        assert_ne!(label(hub, &filled).as_deref(), Some("acme"));
    });
}

/// More than is read: what would be left of it must not look like all of it.
#[test]
fn a_configuration_that_is_too_large_is_an_error() {
    with_each_git(clone_of_acme, |hub, machine| {
        many_remotes(hub, machine, "acme", 40_000);
        let named = |run: Output| {
            assert!(run.stderr.contains("larger than 1024 kB"), "{run}");
            run
        };
        let filled = named(fill(machine, "x"));
        assert_eq!((filled.code == 0, label(hub, &filled)), (false, None));
        named(machine.helper(["explain"]).dir("x").fails());
        named(machine.helper(["token"]).dir("x").fails());
        named(
            machine
                .helper(["import", "remotes", "--dry-run"])
                .dir("x")
                .fails(),
        );
        let doctor = machine.helper(["doctor", "--offline"]).dir("x").fails();
        assert!(doctor.stdout.contains("larger than 1024 kB"), "{doctor}");
        // With a name, or with the path that git sends, nothing of it is needed.
        let fill = machine.git(["credential", "fill"]).dir("x");
        let fill = fill.env("GIT_CREDENTIAL_HF_TOKEN_NAME", "umbrella");
        let filled = fill
            .may_print_secret()
            .stdin("url=https://huggingface.co\n\n");
        assert_eq!(label(hub, &filled.ok()).as_deref(), Some("umbrella"));
        machine.git(["ls-remote", "origin"]).dir("x").ok();
    });
}
