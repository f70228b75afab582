//! Other credential helpers: they never see a token of the Hub, and go on with their own hosts.

use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::{noise, read_with};
use std::fs;

const X: &str = "https://huggingface.co/acme/x";
const ELSEWHERE: &str = "https://evil.example/acme/x";

/// Clones and pushes, after which git tells every helper that it went well.
fn clone_and_push(machine: &Machine, new: usize) {
    machine.git(["clone", X]).ok();
    machine.write("x/noise", noise(new));
    machine.commit_all("x");
    machine.git(["push"]).dir("x").ok();
    fs::remove_dir_all(machine.home().join("x")).expect("remove the clone");
}

/// Nothing below the home holds a secret but the file storage, and `more`.
fn assert_kept_apart(machine: &Machine, more: &[&str]) {
    for file in machine.files_with_secrets() {
        let path = file.strip_prefix(machine.home()).expect("below the home");
        let expected = path.extension().is_some_and(|e| e == "token")
            || more.iter().any(|name| path == std::path::Path::new(name));
        assert!(expected, "{} holds a secret", path.display());
    }
}

#[test]
fn gits_own_store_never_gets_a_token_of_the_hub() {
    for git in gits() {
        for (before, after) in [(true, false), (false, true), (true, true)] {
            for url in [X, "https://hf.co/acme/x"] {
                let hub = Hub::start();
                hub.add_repo("acme/x", true);
                let machine = Machine::new(&hub).with_git(&git);
                let use_store = || {
                    let set = ["config", "--global", "credential.helper", "store"];
                    machine.git(set).ok();
                };
                let token = hub.add_token("work", &[("acme", Write)]);
                machine.login("work", &token, &["--for", "acme"]);
                if before {
                    use_store();
                }
                machine.configure();
                if after {
                    use_store();
                }
                machine.git(["ls-remote", url]).ok();
                clone_and_push(&machine, 1_200_000);
                machine.env("HF_TOKEN", &token);
                machine.helper(["logout", "work"]).ok();
                clone_and_push(&machine, 1000);
                assert_kept_apart(&machine, &[]);
                assert!(!machine.home().join(".git-credentials").exists());

                // And it is still asked, and told, about the rest of the world.
                let elsewhere = hub.add_token("elsewhere", &[("acme", Write)]);
                let known = format!("url={ELSEWHERE}\nusername=me\npassword={elsewhere}\n\n");
                machine.git(["credential", "approve"]).stdin(known).ok();
                assert!(machine.read(".git-credentials").contains(&elsewhere));
                hub.clear_log();
                machine.git(["ls-remote", ELSEWHERE]).ok();
                let seen = read_with(&hub.log());
                assert!(seen.contains("elsewhere") && seen.len() == 1, "{seen:?}");
                assert_kept_apart(&machine, &[".git-credentials"]);
            }
        }
    }
}

#[test]
fn a_helper_of_the_whole_system_never_gets_a_token_of_the_hub() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        // A helper that writes down all it is told.
        let script = "#!/bin/sh\n{ echo \"$1\"; cat; } >>\"$HOME/told\"\n";
        machine.program("git-credential-spy", script);
        machine.write("system", "[credential]\n\thelper = spy\n");
        machine.env("GIT_CONFIG_SYSTEM", machine.home().join("system"));
        let set = ["config", "--global", "--add", "credential.helper", "spy"];
        machine.git(set).ok();
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme"]);
        machine.configure();
        clone_and_push(&machine, 1_200_000);
        hub.revoke("work");
        machine.git(["ls-remote", X]).fails();
        machine.git(["ls-remote", X]).fails();
        assert!(!machine.home().join("told").exists());
        machine.git(["ls-remote", ELSEWHERE]).fails();
        assert!(machine.read("told").contains("host=evil.example"));
    }
}

#[test]
fn what_the_user_typed_for_the_hub_stays_with_this_helper() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        machine.write(
            ".config/git-credential-hf/config.toml",
            "version = 1\nstorage = \"file\"\n",
        );
        let set = ["config", "--global", "credential.helper", "store"];
        machine.git(set).ok();
        machine.configure();
        let token = hub.add_token("typed", &[("acme", Write)]);
        machine.answer_prompts_with(&token);
        let asked = machine.git(["ls-remote", X]).ok();
        assert!(!machine.home().join(".git-credentials").exists());
        assert_kept_apart(&machine, &[]);
        machine.env("GIT_ASKPASS", "false");
        if !git.at_least(2, 46) {
            // Nothing there tells what was typed, which is said before git asks.
            assert!(asked.helper_line().contains("is not saved"), "{asked}");
            machine.git(["ls-remote", X]).fails();
            assert!(machine.files_with_secrets().is_empty());
            continue;
        }
        assert!(!asked.helper_line().contains("is not saved"), "{asked}");
        // Next time nothing is asked, for that repo and no other.
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/acme/x"), ["typed"]);
        hub.add_repo("acme/y", true);
        machine
            .git(["ls-remote", "https://huggingface.co/acme/y"])
            .fails();
        assert_eq!(hub.tokens_seen("/acme/y"), [""; 0]);
    }
}

#[test]
fn unconfigure_leaves_every_byte_as_it_was() {
    for git in gits() {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git);
        for (what, before) in [
            ("an empty file", ""),
            ("an ordinary one", "[user]\n\tname = A\n"),
            ("no newline at its end", "[user]\n\tname = A"),
            ("a comment at its end", "[user]\n\tname = A\n# the end"),
            (
                "Windows line endings",
                "[user]\r\n\tname = A\r\n[core]\r\n\teditor = vi\r\n",
            ),
            ("mixed line endings", "[user]\n\tname = A\r\n"),
            (
                "helpers, comments and includes",
                "# mine\n[credential]\n\thelper = store ; not for the Hub\n\n\
                 [include]\n\tpath = ~/other\n[includeIf \"gitdir:~/work/\"]\n\tpath = work\n\
                 [credential \"https://example.com\"]\n\thelper = cache --timeout=60\n\
                 [credential]\n\thelper =\n\thelper = \"!f() { echo x; }; f\"\n",
            ),
            (
                "a helper for the Hub of somebody else",
                "[credential \"https://huggingface.co\"]\n\thelper = store\n\tusername = me\n",
            ),
            ("blank lines at its end", "[user]\n\tname = A\n\n\n\n"),
            ("no section but a comment", "; nothing here\n"),
            (
                "a line that goes on",
                "[alias]\n\tx = !echo \\\n  one \\\n  two\n",
            ),
        ] {
            machine.write(".gitconfig", before);
            for _ in 0..2 {
                machine.configure();
                assert_ne!(machine.read(".gitconfig"), before, "{what}");
                machine.git(["config", "--list"]).ok();
                machine.helper(["unconfigure"]).ok();
                assert_eq!(machine.read(".gitconfig"), before, "{what}");
            }
            // Twice is one time too many, and harmless.
            let again = machine.helper(["unconfigure"]).ok().stdout;
            assert!(again.contains("did not call"), "{again}");
            assert_eq!(machine.read(".gitconfig"), before, "{what}");
        }
        // A file that was not there is not there afterwards.
        fs::remove_file(machine.home().join(".gitconfig")).expect("remove the file");
        machine.configure();
        machine.helper(["unconfigure"]).ok();
        assert!(!machine.home().join(".gitconfig").exists());
    }
}
