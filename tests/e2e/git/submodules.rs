//! Submodules of several organisations, fetched at once.

use crate::support::hub::{Hub, TokenSeen};
use crate::support::machine::Machine;
use crate::support::tools::gits;
use std::fmt::Write as _;

const OWNERS: [&str; 3] = ["acme", "umbrella", "initech"];

/// A Hub with twenty private repos of three owners, and `acme/whole` that has them all as
/// submodules: by whole URLs, and by ones that are relative to its own. Each owner's token works
/// nowhere else.
fn twenty(machine: &Machine, hub: &Hub) {
    for owner in OWNERS {
        machine.login_for(hub, owner);
    }
    machine.configure();
    hub.add_repo("acme/whole", true);
    let mut modules = String::new();
    let git = |command: &[&str]| machine.git(command).dir("whole").ok().stdout;
    machine
        .git(["clone", "https://huggingface.co/acme/whole"])
        .ok();
    for number in 0..20 {
        let owner = OWNERS[number % OWNERS.len()];
        let repo = format!("{owner}/part{number}");
        hub.add_repo(&repo, true);
        let url = match number % 2 {
            0 => format!("https://huggingface.co/{repo}.git"),
            _ => format!("../../{repo}"),
        };
        let _ = write!(
            modules,
            "[submodule \"{number}\"]\n\tpath = {repo}\n\turl = {url}\n"
        );
        let entry = format!("160000,{},{repo}", hub.head(&repo));
        git(&["update-index", "--add", "--cacheinfo", &entry]);
    }
    machine.write("whole/.gitmodules", modules);
    git(&["add", ".gitmodules"]);
    git(&["commit", "--quiet", "-m", "parts"]);
    git(&["push", "--quiet"]);
}

/// Each repo was asked for with its owner's token and no other.
fn each_by_its_owner(hub: &Hub, repos: usize) {
    let log = hub.log();
    let mut seen = std::collections::BTreeSet::new();
    for entry in &log {
        let repo: Vec<&str> = entry.path.splitn(4, '/').skip(1).take(2).collect();
        let [owner, name] = repo.as_slice() else {
            panic!("{entry:?}")
        };
        match &entry.token {
            TokenSeen::None => assert_eq!(entry.status, 401, "{entry:?}"),
            token => {
                assert_eq!(*token, TokenSeen::Known((*owner).to_owned()), "{entry:?}");
                assert_eq!(entry.status, 200, "{entry:?}");
                seen.insert(name.trim_end_matches(".git").to_owned());
            }
        }
    }
    assert_eq!(seen.len(), repos, "{seen:?}");
}

#[test]
fn twenty_at_once_with_three_tokens() {
    for git in gits() {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git);
        twenty(&machine, &hub);
        for copy in ["with", "without"] {
            hub.clear_log();
            let url = "https://huggingface.co/acme/whole";
            let clone = ["clone", "--recurse-submodules", "--jobs", "8", url, copy];
            let cloned = machine.git(clone).ok();
            assert!(cloned.helper_lines().is_empty(), "{cloned}");
            each_by_its_owner(&hub, 21);
            // Once more by a git that names no repo to its helpers.
            let key = "credential.https://huggingface.co.useHttpPath";
            machine.git(["config", "--global", key, "false"]).ok();
        }
        hub.clear_log();
        let fetch = ["fetch", "--recurse-submodules", "--jobs", "8"];
        let fetched = machine.git(fetch).dir("with").ok();
        assert!(fetched.helper_lines().is_empty(), "{fetched}");
        each_by_its_owner(&hub, 21);
        // One more, on a host of somebody else: it is asked for, and given nothing.
        machine.write(
            "without/.gitmodules",
            "[submodule \"0\"]\n\tpath = acme/part0\n\turl = https://evil.example/acme/part0\n",
        );
        machine
            .git(["submodule", "sync", "--quiet"])
            .dir("without")
            .ok();
        hub.clear_log();
        let update = ["submodule", "update", "--remote", "acme/part0"];
        machine.git(update).dir("without").fails();
        let log = hub.log();
        assert!(!log.is_empty());
        for entry in log {
            assert_eq!(
                (entry.host.as_str(), entry.token),
                ("evil.example", TokenSeen::None)
            );
        }
    }
}

#[test]
fn explain_in_a_submodule_speaks_of_the_submodule() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    for owner in ["acme", "umbrella"] {
        hub.add_repo(&format!("{owner}/x"), true);
        machine.login_for(&hub, owner);
    }
    machine.configure();
    machine.git(["clone", "https://huggingface.co/acme/x"]).ok();
    let add = [
        "submodule",
        "add",
        "https://huggingface.co/umbrella/x",
        "sub",
    ];
    machine.git(add).dir("x").ok();
    for (dir, expected) in [("x", "acme"), ("x/sub", "umbrella")] {
        for arguments in [
            ["explain"].as_slice(),
            &["explain", "https://huggingface.co"],
        ] {
            let said = machine.helper(arguments).dir(dir).ok().stdout;
            assert!(said.contains(&format!("{expected}/x on")), "{dir}: {said}");
            let row = said.lines().find(|line| line.starts_with("→"));
            let row = row.expect("a token that answers");
            assert!(row.contains(&format!("→  {expected} ")), "{dir}: {said}");
        }
    }
}
