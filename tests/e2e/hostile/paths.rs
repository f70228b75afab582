//! Paths, user names and whole requests that mean to be taken for others.

use crate::hostile::hosts::token_for_everything;
use crate::hub::common::label;
use crate::support::attacks::{Attacks, all_kept};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::{Machine, with_each_git};
use crate::support::user::CONFIG;

const PLACE: &str = "protocol=https\nhost=huggingface.co\n";

/// Paths that read as one of acme's in part, and are none.
const PATHS: &[&str] = &[
    "acme",
    "acme/",
    "acme/..",
    "acme/.",
    "acme/../evil/x",
    "acme/x/../../evil/x",
    "acme/x/tree/../../../evil/x",
    "acme/x/./../../evil/x",
    "acme/x/info/lfs/../../../../evil/x",
    "./acme/x",
    "../acme/x",
    "x/../acme/x",
    "acme//x",
    "acme///x",
    "acme//../evil/x",
    "evil//acme/x",
    "acme/x//evil/x",
    "acme%2fx",
    "acme%2Fx",
    "acme/%2e%2e/evil/x",
    "acme/x%2f..%2f..%2fevil%2fx",
    "acme/..%2fevil/x",
    "acme%00/x",
    "acme/x%00",
    "acme%20/x",
    "%61cme/x",
    "acme/%78",
    "acme%252fx",
    "acme?/x",
    "acme/x?",
    "acme/x?service=git-upload-pack",
    "acme/x?/../evil/x",
    "acme?x=/acme/x",
    "acme#/x",
    "acme/x#",
    "acme/x#/acme/x",
    "acme\\x",
    "acme/..\\evil/x",
    "acme\\..\\evil\\x",
    "acme;/x",
    "acme/x;a=b",
    "acme /x",
    "acme/ x",
    " acme/x",
    "acme/x ",
    "\tacme/x",
    "acme/x\t",
    "acme\u{b}/x",
    "acme/x\u{c}",
    "acme/\u{1b}[2Jx",
    "\u{1b}]0;acme/x\u{7}",
    "acme/x\u{7f}",
    "acme/x\u{8}\u{8}",
    "acme/x\u{85}",
    "acme/x\u{9b}",
    "acme/\u{202e}x",
    "acme/x\u{200b}",
    "\u{feff}acme/x",
    "acm\u{435}/x",
    "\u{ff41}cme/x",
    "acme\u{ff0f}x",
    "acme\u{2044}x",
    "acme\u{2215}x",
    "acme/\u{ff58}",
    "acme:443/x",
    "acme@evil/x",
    "acme@/x",
    "acme,evil/x",
    "acme*/x",
    "*/x",
    "acme/*",
    "{acme,evil}/x",
    "acme|evil/x",
    "$(acme)/x",
    "`acme`/x",
    "'acme'/x",
    "\"acme\"/x",
    "acme/x\"",
    "acme=/x",
    "path=acme/x",
    "host=huggingface.co/acme/x",
    "https://huggingface.co/acme/x",
    "//huggingface.co/acme/x",
    "huggingface.co/acme/x",
    "evil/acme/x",
    "evil/acme",
    "evil/x/acme/x",
    "evil/x/else/acme/x",
    "evil/x.git/acme/x",
    "acmeevil/x",
    "acme-evil/x",
    "acme.evil/x",
    "evil-acme/x",
    "acm/ex",
    "acme/x/y",
    "acme/x/y/z",
    "acme/x.git/y",
    "acme/x/evil/x",
    "organizations/acme/x",
    "collections/acme/x",
    "papers/acme/x",
    "api/acme/x",
    "api/evil/acme/x",
    "api/models/evil/acme",
    "datasets",
    "datasets/acme",
    "datasets/datasets/acme/x",
    "spaces/evil/acme/x",
    "models/evil/acme",
    "dataset/acme/x",
    "resolve/acme/x",
    "acme/...",
    "...",
    "~acme/x",
    "~/acme/x",
    "-acme/x",
    "C:/acme/x",
    "acme/x:evil",
];

/// A machine with a narrow token for acme, and nothing for anybody else.
fn narrow() -> (Hub, Machine) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("acme", &[("acme", Write)]);
    machine.login("acme-token", &token, &["--for", "acme"]);
    let get = machine.ask("get", format!("{PLACE}path=acme/x\n"));
    assert_eq!(label(&hub, &get).as_deref(), Some("acme"), "{get}");
    (hub, machine)
}

#[test]
fn a_path_that_is_none_of_a_rules_gets_none_of_its_tokens() {
    let (hub, machine) = narrow();
    let kept = all_kept(&machine);
    let mut attacks = Attacks::new();
    for path in PATHS {
        let request = format!("{PLACE}path={path}\n");
        let get = machine.ask("get", &request);
        let clean = get.stderr.chars().all(|c| c == '\n' || !c.is_control());
        attacks.tried(format!("{path:?}"), !get.stdout.is_empty() || !clean);
    }
    // Nor do they have one of their own kept under its name.
    let theirs = hub.add_token("theirs", &[]);
    let config = machine.read(CONFIG);
    for path in PATHS {
        let scope = format!("{PLACE}path={path}\nusername=me\npassword={theirs}\n");
        machine.store_typed(scope);
        for asked in ["acme/x", "evil/x"] {
            let get = machine.ask("get", format!("{PLACE}path={asked}\n"));
            let took = label(&hub, &get).is_some_and(|label| label == "theirs");
            attacks.tried(format!("stored for {path:?}, asked for {asked}"), took);
        }
        machine.ask("erase", format!("{PLACE}path={path}\npassword={theirs}\n"));
        machine.forgive();
    }
    assert_eq!(machine.read(CONFIG), config);
    machine.helper(["logout", "--all", "--yes"]).ok();
    assert!(!kept.is_empty() && machine.files_with_secrets().is_empty());
    attacks.end();
}

#[test]
fn a_path_that_names_the_repo_in_another_way_is_that_repo() {
    let (hub, machine) = narrow();
    for path in [
        "acme/x",
        "acme/x.git",
        "ACME/X",
        "/acme/x/",
        "datasets/acme/x",
        "acme/x.git/info/lfs",
    ] {
        let get = machine.ask("get", format!("{PLACE}path={path}\n"));
        assert_eq!(label(&hub, &get).as_deref(), Some("acme"), "{path}");
    }
}

/// Lines that break git's format: there is no answer to a request with one, and a word about it
/// that repeats nothing of it.
#[test]
fn a_request_that_breaks_the_format_is_refused_whole() {
    let (_hub, machine) = narrow();
    let good = format!("{PLACE}path=acme/x\n");
    let long = |n: usize| [b"path=".to_vec(), vec![b'a'; n]].concat();
    let kept = all_kept(&machine);
    let mut attacks = Attacks::new();
    let mut broken: Vec<(Vec<u8>, &str)> = vec![
        (long(65_531), "longer"),
        (long(70_000), "longer"),
        (long(1_000_000), "longer"),
        (b"path".to_vec(), "key=value"),
        (b"hf_secret".to_vec(), "key=value"),
        (b"\xff\xfe".to_vec(), "key=value"),
        (b"path=\xff\xfe".to_vec(), "UTF-8"),
        (b"username=\xc3(".to_vec(), "UTF-8"),
        (b"host=huggingface.co\xc0\xae".to_vec(), "UTF-8"),
        (b"protocol=\xed\xa0\x80".to_vec(), "UTF-8"),
        (b"password=a\x1b[2J".to_vec(), "control character"),
        (b"password=a\x07".to_vec(), "control character"),
        (b"oauth_refresh_token=a\tb".to_vec(), "control character"),
    ];
    for key in [
        "protocol",
        "host",
        "path",
        "username",
        "password",
        "wwwauth[]",
        "state[]",
        "x",
    ] {
        for (bytes, word) in [
            ("\0", "NUL"),
            ("a\0b", "NUL"),
            ("huggingface.co\0.evil.example", "NUL"),
            ("\r", "carriage return"),
            ("a\rb", "carriage return"),
            ("a\r\r", "carriage return"),
            ("evil.example\rhost=huggingface.co", "carriage return"),
        ] {
            // A single one at the end of a line is its ending, as on Windows.
            if bytes != "\r" {
                broken.push((format!("{key}={bytes}").into_bytes(), word));
            }
        }
    }
    for (line, word) in &broken {
        for (before, after) in [("", good.as_str()), (good.as_str(), "")] {
            let request = [before.as_bytes(), line, b"\n", after.as_bytes()].concat();
            for action in ["get", "store", "erase"] {
                let answer = machine.ask(action, &request);
                let shown = String::from_utf8_lossy(line.get(..60).unwrap_or(line)).into_owned();
                assert!(answer.stderr.contains(word), "{shown:?}: {answer}");
                let quoted = answer.stderr.contains("evil") || answer.stderr.contains("hf_secret");
                let clean = answer.stderr.chars().all(|c| c == '\n' || !c.is_control());
                let got = !answer.stdout.is_empty() || all_kept(&machine) != kept;
                attacks.tried(format!("{action} {shown:?}"), got || quoted || !clean);
                assert_eq!(answer.code, 1, "{answer}");
            }
        }
    }
    attacks.end();
}

/// As much as the format allows, and far more of it than any git sends.
#[test]
fn a_request_that_is_only_large_is_answered_as_ever() {
    let (hub, machine) = narrow();
    let good = format!("{PLACE}path=acme/x\n");
    let line = |key: &str| format!("{key}={}\n", "a".repeat(65_534 - key.len()));
    let many = |line: &str| line.repeat(10_000);
    let authenticate = "wwwauth[]=Basic realm=\"host=evil.example\"\n";
    for more in [
        line("new-key"),
        line("wwwauth[]"),
        line("state[]"),
        many(authenticate),
        many("wwwauth[]=host=evil.example\n"),
        many("state[]=hf:1:tried:0123456789abcdef0123456789abcdef:own:00e13ed7af55b276\n"),
        many("state[]=x\n"),
        many("capability[]=authtype\n"),
        many("x=\n"),
        many("protocol=https\n"),
    ] {
        let shown = &more[..20];
        for request in [format!("{more}{good}"), format!("{good}{more}")] {
            let get = machine.ask("get", &request).ok();
            assert_eq!(label(&hub, &get).as_deref(), Some("acme"), "{shown}");
        }
    }
    // But not without end.
    let endless = format!("{}{good}", "x=\n".repeat(200_000));
    let mut attacks = Attacks::new();
    let refused = machine.ask("get", endless).fails();
    attacks.tried("200,000 lines", !refused.stdout.is_empty());
    // A path as long as a line is no repo, and is not repeated whole.
    let refused = machine.ask("get", format!("{PLACE}{}", line("path"))).ok();
    attacks.tried("65,535 bytes", !refused.stdout.is_empty());
    assert!(refused.stderr.len() < 1000, "{refused}");
    attacks.end();
}

/// What a hostile server says in its answers reaches the helper as `wwwauth[]`, and is data.
#[test]
fn what_a_server_says_is_no_part_of_the_request() {
    let (hub, machine) = narrow();
    let mut attacks = Attacks::new();
    for words in [
        "host=huggingface.co",
        "Basic realm=\"x\"\nhost=huggingface.co",
        "Basic realm=\"x\"\r\nhost=huggingface.co",
        "Basic realm=\"huggingface.co\"",
        "Bearer realm=\"https://huggingface.co\", host=\"huggingface.co\"",
        "path=acme/x",
        "username=acme-token",
    ] {
        let request =
            format!("protocol=https\nhost=evil.example\npath=acme/x\nwwwauth[]={words}\n");
        let get = machine.ask("get", &request);
        // Git itself folds or drops line breaks; here they are lines, and the last host counts.
        let ours = words.contains('\n');
        attacks.tried(format!("{words:?}"), !get.stdout.is_empty() && !ours);
        // The same of the Hub about another's path chooses nothing of acme's.
        let request = format!("{PLACE}path=evil/x\nwwwauth[]={words}\n");
        let get = machine.ask("get", &request);
        attacks.tried(
            format!("of the Hub: {words:?}"),
            label(&hub, &get).is_some(),
        );
    }
    attacks.end();
}

/// User names from URLs: what no token and no account is called gets none of the stored ones,
/// and none brings an escape to the terminal or a line into the answer.
#[test]
fn a_user_name_is_no_way_in() {
    let (hub, machine) = narrow();
    let mut attacks = Attacks::new();
    for name in [
        "nobody",
        "Acme-Token",
        "acme-token ",
        " acme-token",
        "acme-token\t",
        "acme\u{2d}token\u{200b}",
        "acme%2dtoken",
        "acme-token:",
        "acme-token@huggingface.co",
        "acme-tok\u{435}n",
        "git:acme-token",
        "../acme-token",
        "*",
        "HF_TOKEN",
        "\u{1b}[2J",
        "\u{9b}2J\u{7}",
        "a=b",
        "acme-token=1",
        "quit=1",
        "x\u{85}password=x",
    ] {
        let request = format!("{PLACE}path=acme/x\nusername={name}\n");
        let get = machine.ask("get", &request);
        let clean = get.stderr.chars().all(|c| c == '\n' || !c.is_control());
        attacks.tried(format!("{name:?}"), label(&hub, &get).is_some() || !clean);
    }
    attacks.end();
}

#[test]
fn git_itself_with_hostile_paths_gets_no_other_repos_token() {
    let mut attacks = Attacks::new();
    with_each_git(token_for_everything, |hub, machine| {
        // Here only acme has a token: no default, nothing in the environment.
        machine.unset("HF_TOKEN");
        let config = machine.read(CONFIG).replace("default = \"work\"\n", "");
        machine.write(CONFIG, config);
        for path in [
            "acme/../evil/x",
            "acme/%2e%2e/evil/x",
            "acme/x/%2e%2e/%2e%2e/evil/x",
            "acme//x",
            "acme%2fx/../../evil/x",
            "acme%2f..%2fevil/x",
            "acme%3fx/evil",
            "acme/x%3f/../../evil",
            "acme%5cx",
            "acme%20/x",
            "acme%1b%5b2J/x",
            "acme/x%07",
            "acme/x%c2%9b2J",
            "acme/%e2%80%ae/x",
            "acme/x%00",
            "acme/x%0ahost=evil.example",
            "acme/x%0dhost=evil.example",
            "evil/acme/x",
            "evil/x?/acme/x",
            "evil/x#/acme/x",
            "evil/x%23/acme/x",
        ] {
            let url = format!("https://huggingface.co/{path}");
            let failed = machine
                .git(["-c", "credential.protectProtocol=false", "ls-remote", &url])
                .run();
            let asked = hub.log().iter().any(|entry| entry.path.contains("evil"));
            let took = !hub.tokens_seen("/").is_empty();
            let clean = failed
                .helper_lines()
                .iter()
                .all(|line| !line.chars().any(char::is_control));
            let leak = (took && asked) || !clean;
            attacks.tried(&url, leak);
            attacks.tried_on(hub, &[], &url);
        }
    });
    attacks.end();
}
