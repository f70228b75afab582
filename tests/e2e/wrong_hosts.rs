//! Ways that lead away from the Hub: no token goes along.

use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, TokenSeen};
use crate::support::machine::Machine;
use crate::support::tools::gits;

const X: &str = "https://huggingface.co/acme/x";

/// A machine for each git that has a token for everything, by rule, by default and by variable.
fn with_each_git(test: impl Fn(&Hub, &Machine)) {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme", "--default"]);
        machine.env("HF_TOKEN", &token);
        machine.configure();
        // Even where somebody calls the helper for every host.
        machine
            .git(["config", "--global", "--add", "credential.helper", "hf"])
            .ok();
        test(&hub, &machine);
    }
}

/// No token went anywhere but to the Hub over TLS.
fn assert_only_the_hub_saw_tokens(hub: &Hub) {
    for entry in hub.log() {
        let trusted = entry.scheme == "https" && entry.host == "huggingface.co";
        assert!(trusted || entry.token == TokenSeen::None, "{entry:?}");
    }
}

#[test]
fn a_host_that_only_looks_like_the_hub_gets_no_token() {
    with_each_git(|hub, machine| {
        for url in [
            "https://evil.example/acme/x",
            "https://huggingface.co.evil.example/acme/x",
            "https://cdn-lfs.huggingface.co/acme/x",
            "https://huggingface.co@evil.example/acme/x",
            "https://huggingface.co%2f@evil.example/acme/x",
            "https://evil.example/https://huggingface.co/acme/x",
            "http://huggingface.co/acme/x",
            "http://hf.co.evil.example/acme/x",
        ] {
            let failed = machine.git(["ls-remote", url]).fails();
            assert!(failed.helper_lines().is_empty(), "{url}: {failed}");
        }
        assert_only_the_hub_saw_tokens(hub);
        assert!(hub.tokens_seen("/").is_empty());
    });
}

#[test]
fn a_redirect_away_from_the_hub_takes_no_token_along() {
    with_each_git(|hub, machine| {
        hub.redirect("huggingface.co/acme/moved", "https://evil.example/acme/x");
        hub.redirect("huggingface.co/acme/plain", "http://huggingface.co/acme/x");
        for repo in ["moved", "plain"] {
            let url = format!("https://huggingface.co/acme/{repo}");
            machine.git(["ls-remote", &url]).fails();
        }
        assert!(hub.tokens_seen("/").is_empty());
        assert_only_the_hub_saw_tokens(hub);
        // One that stays on the Hub is followed, and the rule of where it leads counts.
        hub.redirect("huggingface.co/old/x", X);
        machine
            .git(["ls-remote", "https://huggingface.co/old/x"])
            .ok();
        assert_eq!(hub.tokens_seen("/"), ["work"]);
    });
}

#[test]
fn a_submodule_elsewhere_gets_no_token() {
    with_each_git(|hub, machine| {
        machine.git(["clone", X]).ok();
        let head = machine.git(["rev-parse", "HEAD"]).dir("x").ok().stdout;
        let entry = format!("160000,{},sub", head.trim());
        let add = ["update-index", "--add", "--cacheinfo", &entry];
        machine.git(add).dir("x").ok();
        machine.write(
            "x/.gitmodules",
            "[submodule \"sub\"]\n\tpath = sub\n\turl = https://huggingface.co.evil.example/acme/x\n",
        );
        machine.git(["add", ".gitmodules"]).dir("x").ok();
        machine
            .git(["commit", "--quiet", "-m", "sub"])
            .dir("x")
            .ok();
        machine.git(["push"]).dir("x").ok();
        let clone = ["clone", "--recurse-submodules", X, "copy"];
        machine.git(clone).fails();
        let foreign = |entry: &crate::support::hub::Logged| entry.host.ends_with("evil.example");
        assert!(
            hub.log().iter().any(foreign),
            "the submodule was not asked for"
        );
        assert_only_the_hub_saw_tokens(hub);
    });
}
