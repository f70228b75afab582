//! Clone, pull and push with the right token, nothing typed, nothing in a URL.

use crate::support::hub::Right::{Read, Write};
use crate::support::hub::{Hub, TokenSeen};
use crate::support::machine::Machine;
use crate::support::tools::{Git, gits};
use crate::support::user::{CONFIG, noise, pushed_with, read_with, statuses};

const MODEL: &str = "https://huggingface.co/acme/model";
const DATASET: &str = "https://huggingface.co/datasets/acme/x";
const NOTES: &str = "https://huggingface.co/me/notes";

/// Three private repos, and three tokens of which each could do everything: only the log tells
/// which was used. One is for acme, one for a dataset of acme, one for the rest.
fn three_tokens(git: &Git) -> (Hub, Machine) {
    let hub = Hub::start();
    for repo in ["acme/model", "acme/x", "datasets/acme/x", "me/notes"] {
        hub.add_repo(repo, true);
    }
    let machine = Machine::new(&hub).with_git(git);
    for (name, more) in [
        ("acme-write", ["--for", "acme"].as_slice()),
        ("data", &["--for", "datasets/acme/x"]),
        ("personal", &["--default"]),
    ] {
        let token = hub.add_token(name, &[("acme", Write), ("me", Write)]);
        machine.login(name, &token, more);
    }
    machine.configure();
    (hub, machine)
}

fn newest() -> Git {
    gits().swap_remove(0)
}

fn set(labels: &[&str]) -> std::collections::BTreeSet<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

#[test]
fn three_repos_use_three_tokens() {
    for git in gits() {
        let (hub, machine) = three_tokens(&git);
        for (url, dir, repo, token) in [
            (MODEL, "model", "acme/model", "acme-write"),
            (DATASET, "x", "datasets/acme/x", "data"),
            (NOTES, "notes", "me/notes", "personal"),
        ] {
            hub.clear_log();
            let cloned = machine.git(["clone", url]).ok();
            assert!(cloned.helper_lines().is_empty(), "{cloned}");
            machine.git(["pull"]).dir(dir).ok();
            machine.write(format!("{dir}/new"), "new");
            machine.commit_all(dir);
            machine.git(["push"]).dir(dir).ok();
            let head = machine.git(["rev-parse", "HEAD"]).dir(dir).ok().stdout;
            assert_eq!(head.trim(), hub.head(repo));
            assert_eq!(read_with(&hub.log()), set(&[token]), "{git:?} {url}");
            assert_eq!(pushed_with(&hub.log()), set(&[token]), "{git:?} {url}");
            let remote = machine.git(["remote", "get-url", "origin"]).dir(dir).ok();
            assert_eq!(remote.stdout.trim(), url);
        }
        // The three files of the file storage, and nothing else.
        let kept = machine.files_with_secrets();
        let stored = |file: &std::path::PathBuf| file.extension().is_some_and(|e| e == "token");
        assert!(kept.len() == 3 && kept.iter().all(stored), "{kept:?}");
    }
}

#[test]
fn a_push_of_three_megabytes_goes_through() {
    for git in gits() {
        let (hub, machine) = three_tokens(&git);
        machine.git(["clone", MODEL]).ok();
        machine.write("model/noise", noise(3_000_000));
        machine.commit_all("model");
        let pushed = machine.git(["push"]).dir("model").ok();
        assert!(pushed.helper_lines().is_empty(), "{pushed}");
        let head = machine.git(["rev-parse", "HEAD"]).dir("model").ok().stdout;
        assert_eq!(head.trim(), hub.head("acme/model"));
        assert_eq!(pushed_with(&hub.log()), set(&["acme-write"]));
    }
}

#[test]
fn a_push_url_with_a_tokens_name_pushes_with_that_token() {
    for git in gits() {
        let (hub, machine) = three_tokens(&git);
        let reader = hub.add_token("reader", &[("acme", Read)]);
        machine.login("reader", &reader, &["--for", "acme/model"]);
        machine.git(["clone", MODEL]).ok();
        machine.write("model/new", "new");
        machine.commit_all("model");
        machine.git(["push"]).dir("model").fails().says(&["403"]);

        let url = "https://acme-write@huggingface.co/acme/model";
        let set_url = ["remote", "set-url", "--push", "origin", url];
        machine.git(set_url).dir("model").ok();
        hub.clear_log();
        machine.git(["fetch"]).dir("model").ok();
        machine.git(["push"]).dir("model").ok();
        assert_eq!(read_with(&hub.log()), set(&["reader"]));
        // A user name in the URL costs one attempt of git's own, with an empty password.
        let pushes = pushed_with(&hub.log());
        assert!(pushes.contains("acme-write"), "{pushes:?}");
        assert!(!pushes.contains("reader"), "{pushes:?}");
        let last = hub.log().pop().expect("a request");
        assert_eq!(last.user.as_deref(), Some("acme-write"));
    }
}

#[test]
fn a_token_named_in_the_environment_beats_rule_and_hf_token() {
    let (hub, machine) = three_tokens(&newest());
    machine.env("HF_TOKEN", hub.add_token("from-env", &[("acme", Read)]));
    machine.env("GIT_CREDENTIAL_HF_TOKEN_NAME", "personal");
    machine.git(["ls-remote", MODEL]).ok();
    assert_eq!(hub.tokens_seen("/"), ["personal"]);
}

#[test]
fn a_name_that_no_token_has_stops_git_with_one_line() {
    for git in gits() {
        let (hub, machine) = three_tokens(&git);
        let failed = machine
            .git(["clone", MODEL])
            .env("GIT_CREDENTIAL_HF_TOKEN_NAME", "persnal")
            .fails();
        let line = failed.helper_line();
        for word in [
            "GIT_CREDENTIAL_HF_TOKEN_NAME",
            "`personal`",
            "git credential-hf list",
        ] {
            assert!(line.contains(word), "{failed}");
        }
        assert_eq!(statuses(&hub.log()), [401]);
        assert!(hub.tokens_seen("/").is_empty());
    }
}

#[test]
fn rules_beat_hf_token_and_hf_token_beats_the_default() {
    let (hub, machine) = three_tokens(&newest());
    let token = hub.add_token("from-env", &[("acme", Read), ("me", Read)]);
    machine.env("HF_TOKEN", &token);
    for (url, expected) in [
        (MODEL, "acme-write"),
        (DATASET, "data"),
        (NOTES, "from-env"),
    ] {
        hub.clear_log();
        machine.git(["ls-remote", url]).ok();
        assert_eq!(hub.tokens_seen("/"), [expected], "{url}");
    }
    // As the hf CLI reads it: the older variable comes second, and white space means none.
    machine.env("HF_TOKEN", " \n");
    machine.env("HUGGING_FACE_HUB_TOKEN", format!("{token}\n"));
    hub.clear_log();
    machine.git(["ls-remote", NOTES]).ok();
    assert_eq!(hub.tokens_seen("/"), ["from-env"]);
}

#[test]
fn with_hf_token_alone_nothing_else_is_needed() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/model", true);
        let machine = Machine::new(&hub).with_git(&git);
        machine.configure();
        machine.env("HF_TOKEN", hub.add_token("from-env", &[("acme", Write)]));
        machine.git(["clone", MODEL]).ok();
        machine.write("model/new", "new");
        machine.commit_all("model");
        machine.git(["push"]).dir("model").ok();
        assert_eq!(hub.tokens_seen("/"), ["from-env"]);
        assert!(machine.files_with_secrets().is_empty());
    }
}

#[test]
fn without_any_token_one_line_says_which_command_helps() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/model", true);
        let machine = Machine::new(&hub).with_git(&git);
        machine.configure();
        let failed = machine.git(["clone", MODEL]).fails();
        let line = failed.helper_line();
        assert!(line.contains("acme/model"), "{line}");
        assert!(
            line.contains("git credential-hf login NAME --for acme"),
            "{line}"
        );

        machine.write(CONFIG, "version = 1\nhints = false\n");
        let failed = machine.git(["clone", MODEL]).fails();
        assert!(failed.helper_lines().is_empty(), "{failed}");
    }
}

#[test]
fn a_user_name_that_is_nobodys_gets_no_stored_token() {
    let (hub, machine) = three_tokens(&newest());
    let url = "https://nobody@huggingface.co/acme/model";
    machine
        .git(["ls-remote", url])
        .fails()
        .says(&["no token for acme/model"]);
    assert!(hub.tokens_seen("/").is_empty());
    machine.env("HF_TOKEN", hub.add_token("from-env", &[("acme", Read)]));
    machine.git(["ls-remote", url]).ok();
    assert_eq!(hub.tokens_seen("/"), ["from-env"]);
}

#[test]
fn every_way_to_write_the_repo_means_the_same_rule() {
    let (hub, machine) = three_tokens(&newest());
    hub.add_repo("gpt2", true);
    hub.add_repo("spaces/acme/demo", true);
    hub.add_token("canonical", &[("gpt2", Read)]);
    for (url, expected) in [
        ("https://huggingface.co/acme/model.git", "acme-write"),
        ("https://huggingface.co/acme/model/", "acme-write"),
        ("https://HuggingFace.co/Acme/Model", "acme-write"),
        ("https://huggingface.co:443/acme/model", "acme-write"),
        ("https://git@huggingface.co/acme/model", "acme-write"),
        ("https://hf_user@huggingface.co/acme/model", "acme-write"),
        ("https://hf.co/acme/model", "acme-write"),
        ("https://hf.co/datasets/acme/x.git", "data"),
        ("https://huggingface.co/datasets/ACME/X", "data"),
        ("https://huggingface.co/acme/x", "acme-write"),
        ("https://huggingface.co/spaces/acme/demo", "acme-write"),
        ("https://huggingface.co/me/notes.git", "personal"),
    ] {
        hub.clear_log();
        machine.git(["ls-remote", url]).ok();
        assert_eq!(hub.tokens_seen("/"), [expected], "{url}");
        let log = hub.log();
        let mut given = log.iter().filter(|e| e.token != TokenSeen::None);
        assert!(given.all(|e| e.host == "huggingface.co"), "{url}");
    }
    // A model of the old kind has no namespace: the default is offered, and has no access.
    hub.clear_log();
    machine
        .git(["ls-remote", "https://huggingface.co/gpt2"])
        .fails();
    assert_eq!(hub.tokens_seen("/gpt2"), ["personal"]);
}

#[test]
fn a_caller_that_names_no_repo_gets_the_token_of_the_clone_it_is_in() {
    for git in gits() {
        let (_hub, machine) = three_tokens(&git);
        let fill = |dir: &str| {
            let ask = ["credential", "fill"];
            let run = machine
                .git(ask)
                .dir(dir)
                .stdin("url=https://huggingface.co\n\n");
            run.may_print_secret().ok()
        };
        machine.git(["clone", MODEL]).ok();
        machine.git(["clone", DATASET]).ok();
        let [model, dataset, home] = ["model", "x", "."].map(fill);
        let password = |output: &crate::support::machine::Output| {
            output.value("password").expect("a password").to_owned()
        };
        assert_ne!(password(&model), password(&dataset));
        assert_ne!(password(&home), password(&model));
        assert_ne!(password(&home), password(&dataset));

        // A second remote of the same rule changes nothing; one of another is said.
        let add = |name: &str, url: &str| {
            machine.git(["remote", "add", name, url]).dir("model").ok();
        };
        add("fork", "https://huggingface.co/acme/fork");
        assert_eq!(password(&fill("model")), password(&model));
        add("data", DATASET);
        let unsure = fill("model");
        assert_eq!(password(&unsure), password(&home));
        assert!(unsure.helper_line().contains("acme/model"), "{unsure}");
    }
}
