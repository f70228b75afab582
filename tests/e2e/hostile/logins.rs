//! Logins in URLs: git uses them, the Hub accepts them, and git hands them to `store` like a
//! token that a person typed. They must not become the user's own.

use crate::support::attacks::all_kept;
use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::pushed_with;
use std::fmt::Write as _;

const WHOLE: &str = "https://huggingface.co/evil/whole";
const MODEL: &str = "https://huggingface.co/alice/model";

/// For each git, and for requests with a path and without: a machine of alice, who typed a token
/// for her model once, and has another by a rule for all that is hers.
fn with_each(test: impl Fn(&Hub, &Machine)) {
    for git in gits() {
        for use_path in ["true", "false"] {
            let hub = Hub::start();
            for (repo, private) in [
                ("evil/whole", false),
                ("alice/model", false),
                ("alice/secret", true),
            ] {
                hub.add_repo(repo, private);
            }
            let machine = Machine::new(&hub).with_git(&git);
            machine.configure();
            let key = "credential.https://huggingface.co.useHttpPath";
            machine.git(["config", "--global", key, use_path]).ok();
            let mine = hub.add_token("mine", &[("alice", Write)]);
            machine.login("mine", &mine, &["--for", "alice"]);
            let typed = hub.add_token("typed", &[("alice", Write)]);
            for path in ["path=alice/model\n", ""] {
                let place = format!("protocol=https\nhost=huggingface.co\n{path}username=alice\n");
                machine
                    .store_typed(format!("{place}password={typed}\n"))
                    .silent();
            }
            assert_eq!(machine.names().len(), 3);
            hub.add_token("theirs", &[("evil", Write)]);
            test(&hub, &machine);
        }
    }
}

/// Fills evil/whole with submodules of these URLs.
fn push_submodules(hub: &Hub, machine: &Machine, urls: &[String]) {
    let _ = std::fs::remove_dir_all(machine.home().join("evil"));
    let theirs = hub.value_of("theirs");
    let push = |arguments: &[&str]| {
        let git = machine.git(arguments).dir("evil").env("HF_TOKEN", &theirs);
        git.ok().stdout
    };
    machine.git(["clone", WHOLE, "evil"]).ok();
    let mut modules = String::new();
    for (number, url) in urls.iter().enumerate() {
        let _ = write!(
            modules,
            "[submodule \"{number}\"]\n\tpath = sub{number}\n\turl = {url}\n"
        );
        let entry = format!("160000,{},sub{number}", hub.head("alice/model"));
        push(&["update-index", "--add", "--cacheinfo", &entry]);
    }
    machine.write("evil/.gitmodules", modules);
    push(&["add", ".gitmodules"]);
    push(&["commit", "--quiet", "-m", "parts"]);
    push(&["push", "--quiet"]);
    std::fs::remove_dir_all(machine.home().join("evil")).expect("their own clone");
}

/// What `run` hands to a program there.
fn exported(hub: &Hub, machine: &Machine, dir: &str) -> String {
    let show = ["run", "--", "sh", "-c", "printf %s \"$HF_TOKEN\""];
    let run = machine.helper(show).dir(dir).may_print_secret().ok();
    let known = hub.secrets()().into_iter();
    let mut label = known
        .filter(|(_, value)| *value == run.stdout)
        .map(|(label, _)| label);
    label.next_back().unwrap_or_default()
}

#[test]
fn a_login_in_a_submodules_url_does_not_become_the_users() {
    with_each(|hub, machine| {
        let theirs = hub.value_of("theirs");
        let login = format!("https://alice:{theirs}@huggingface.co/alice/model");
        push_submodules(hub, machine, &[login]);
        let kept = all_kept(machine);
        let clone = ["clone", "--quiet", "--recurse-submodules", WHOLE, "whole"];
        machine.git(clone).ok();
        assert!(all_kept(machine) == kept, "{}", machine.state());
        assert_ne!(exported(hub, machine, "whole/sub0"), "theirs");

        machine.git(["clone", MODEL]).ok();
        assert_eq!(exported(hub, machine, "model"), "mine");
        machine.write("model/new", "new");
        machine.commit_all("model");
        hub.clear_log();
        machine.git(["push"]).dir("model").ok();
        assert_eq!(Vec::from_iter(pushed_with(&hub.log())), ["mine"]);
    });
}

#[test]
fn an_unanswered_request_for_one_submodule_does_not_vouch_for_anothers_login() {
    with_each(|hub, machine| {
        let theirs = hub.value_of("theirs");
        let urls = [
            "https://mallory@huggingface.co/alice/secret".to_owned(),
            format!("https://mallory:{theirs}@huggingface.co/alice/model"),
            "https://mallory@huggingface.co/alice/secret".to_owned(),
        ];
        push_submodules(hub, machine, &urls);
        let kept = all_kept(machine);
        machine.git(["clone", WHOLE, "whole"]).ok();
        for number in ["sub1", "sub0", "sub1", "sub2", "sub1"] {
            let update = ["submodule", "--quiet", "update", "--init", number];
            let updated = machine.git(update).dir("whole").run();
            assert_eq!(updated.code == 0, number == "sub1", "{updated}");
        }
        assert!(all_kept(machine) == kept, "{}", machine.state());
        let clone = [
            "clone",
            "--quiet",
            "--recurse-submodules",
            "--jobs",
            "3",
            WHOLE,
            "again",
        ];
        machine.git(clone).fails();
        assert!(all_kept(machine) == kept, "{}", machine.state());
    });
}

#[test]
fn hundreds_of_logins_leave_nothing() {
    for (at, git) in gits().iter().enumerate() {
        let hub = Hub::start();
        hub.add_repo("evil/whole", false);
        hub.add_repo("alice/model", false);
        let machine = Machine::new(&hub).with_git(git);
        machine.configure();
        let theirs = hub.add_token("theirs", &[("evil", Write)]);
        let count = if at == 0 { 300 } else { 30 };
        let urls: Vec<String> = (0..count)
            .map(|n| format!("https://u{n}:{theirs}@huggingface.co/alice/model"))
            .collect();
        push_submodules(&hub, &machine, &urls);
        let clone = [
            "clone",
            "--quiet",
            "--recurse-submodules",
            "--jobs",
            "4",
            WHOLE,
            "whole",
        ];
        let long = std::time::Duration::from_secs(300);
        machine.git(clone).timeout(long).ok();
        let cloned = |n: usize| machine.home().join(format!("whole/sub{n}/.git")).exists();
        assert!((0..count).all(cloned));
        assert!(all_kept(&machine).is_empty(), "{}", machine.state());
    }
}

#[test]
fn a_read_token_in_the_url_of_a_clone_stays_there() {
    with_each(|hub, machine| {
        let read = hub.add_token("read", &[("alice", Read)]);
        let kept = all_kept(machine);
        let url = format!("https://alice:{read}@huggingface.co/alice/secret");
        machine.git(["clone", &url]).ok();
        assert!(
            hub.tokens_seen("/alice/secret")
                .contains(&"read".to_owned())
        );
        assert!(all_kept(machine) == kept, "{}", machine.state());
        // Once the URL is cleaned, the clone is like any other.
        let clean = [
            "remote",
            "set-url",
            "origin",
            "https://huggingface.co/alice/secret",
        ];
        machine.git(clean).dir("secret").ok();
        assert_eq!(exported(hub, machine, "secret"), "mine");
        machine.write("secret/new", "new");
        machine.commit_all("secret");
        hub.clear_log();
        machine.git(["push"]).dir("secret").ok();
        assert_eq!(Vec::from_iter(pushed_with(&hub.log())), ["mine"]);
    });
}
