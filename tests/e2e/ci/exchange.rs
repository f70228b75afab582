//! A job with an identity and no secret: what it gets, once, for its own repo and for no other.

use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::trusted::{GITHUB, Identity, Trusted};
use crate::support::machine::Machine;
use crate::support::modes::{mode_of, set_mode};
use crate::support::programs::write_program;
use crate::support::tools::need;
use crate::support::user::{noise, now, pushed_with, read_with};
use std::time::Duration;
use std::{fs, thread};

const X: &str = "https://huggingface.co/acme/x";
const DATA: &str = "https://huggingface.co/datasets/acme/x";
const JOB: &str = "repo:acme/ci:ref:refs/heads/main";

/// A job of GitHub Actions that asks for a token of `resource`, before a Hub with private repos
/// of acme; it may write to `acme/x` and only read `datasets/acme/x`.
pub fn job(resource: &str) -> (Hub, Trusted, Machine) {
    let hub = Hub::start_with_hosts(&[GITHUB]);
    for repo in ["acme/x", "acme/y", "datasets/acme/x"] {
        hub.add_repo(repo, true);
    }
    let trusted = Trusted::start(&hub);
    trusted.publisher(JOB, "acme/x", &[("acme/x", Write)]);
    trusted.publisher(JOB, "datasets/acme/x", &[("datasets/acme/x", Read)]);
    let machine = Machine::new(&hub);
    machine.configure();
    for (key, value) in trusted.github_variables() {
        machine.env(key, value);
    }
    let temp = machine.home().join("../runner-temp");
    fs::create_dir(&temp).expect("the runner's folder");
    machine.env("RUNNER_TEMP", &temp);
    machine.env("HF_OIDC_RESOURCE", resource);
    (hub, trusted, machine)
}

/// Makes the token that the job has kept look as if it was exchanged that many seconds earlier.
fn let_time_pass(machine: &Machine, seconds: u64) {
    let kept = machine
        .home()
        .join("../runner-temp/git-credential-hf/exchange");
    let mut files = fs::read_dir(kept).expect("the folder");
    let file = files.next().expect("a file").expect("a file").path();
    assert!(files.next().is_none(), "more than one token is kept");
    let text = fs::read_to_string(&file).expect("a text");
    let mut times = 0;
    let mut earlier = |line: &str| match line.split_once('=') {
        Some((key @ ("expires" | "renewed"), at)) => {
            times += 1;
            let at = at.parse::<u64>().expect("a time") - seconds;
            format!("{key}={at}\n")
        }
        _ => format!("{line}\n"),
    };
    let text: String = text.lines().map(&mut earlier).collect();
    assert_eq!(times, 2, "its times are written in another way");
    fs::write(&file, text).expect("an older one");
}

/// What git asks for a repo.
pub fn request(path: &str) -> String {
    format!("protocol=https\nhost=huggingface.co\npath={path}\n\n")
}

#[test]
fn a_push_with_large_files_and_a_fetch_exchange_once() {
    if !need("git-lfs") {
        return;
    }
    for resource in ["acme/x", "auto"] {
        let (hub, trusted, machine) = job(resource);
        machine.git(["lfs", "install", "--skip-repo"]).ok();
        machine.git(["clone", X]).ok();
        machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
        machine.write("x/a.bin", noise(100_000));
        machine.write("x/b.bin", noise(200_000));
        machine.commit_all("x");
        machine.git(["push"]).dir("x").ok();
        machine.git(["fetch"]).dir("x").ok();

        assert_eq!(trusted.asked(), ["acme/x"]);
        let minted = hub.log().iter().filter(|one| one.host == GITHUB).count();
        assert_eq!(minted, 1);
        assert_eq!(hub.tokens_seen("/acme/x"), ["job 1"]);
        assert_eq!(hub.tokens_seen("/acme/x.git/info/lfs"), ["job 1"]);
        assert_eq!(pushed_with(&hub.log()), ["job 1".to_owned()].into());

        // Nothing of it is in the workspace, the user's files or git's configuration.
        assert!(machine.files_with_secrets().is_empty());
        machine.git(["config", "-l"]).dir("x").ok();
        assert!(machine.helper(["list"]).ok().stdout.find("job").is_none());
    }
}

#[test]
fn no_other_repo_gets_the_jobs_token() {
    let (hub, trusted, machine) = job("acme/x");
    machine.git(["ls-remote", X]).ok();
    // Neither another repo of the organisation nor a dataset of the same name.
    for url in ["https://huggingface.co/acme/y", DATA] {
        let said = machine.git(["ls-remote", url]).fails();
        assert!(said.helper_line().contains("no token for"), "{said}");
    }
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Read)]));
    machine
        .git(["ls-remote", "https://huggingface.co/acme/y"])
        .ok();
    assert_eq!(hub.tokens_seen("/acme/y"), ["secret"]);
    // The job's token comes before HF_TOKEN, for its own repo.
    hub.clear_log();
    machine.git(["ls-remote", X]).ok();
    assert_eq!(hub.tokens_seen("/acme/x"), ["job 1"]);
    assert_eq!(trusted.asked(), ["acme/x"]);
}

#[test]
fn auto_asks_for_each_repo_that_git_asks_for() {
    let (hub, trusted, machine) = job("auto");
    machine.git(["ls-remote", X]).ok();
    machine.git(["ls-remote", DATA]).ok();
    machine
        .git(["ls-remote", "https://huggingface.co/acme/x.git"])
        .ok();
    assert_eq!(trusted.asked(), ["acme/x", "datasets/acme/x"]);
    assert_eq!(hub.tokens_seen("/acme/x"), ["job 1"]);
    assert_eq!(hub.tokens_seen("/datasets/acme/x"), ["job 2"]);
}

#[test]
fn auto_goes_on_where_no_publisher_matches_and_asks_once() {
    let (hub, trusted, machine) = job("auto");
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    let y = "https://huggingface.co/acme/y";
    for _ in 0..3 {
        let said = machine.git(["ls-remote", y]).ok();
        let line = said.helper_line();
        for word in [
            "no trusted publisher of acme/y",
            "`invalid_grant`",
            JOB,
            "going on",
        ] {
            assert!(line.contains(word), "{word}: {line}");
        }
    }
    assert_eq!(trusted.asked(), ["acme/y"]);
    assert_eq!(hub.tokens_seen("/acme/y"), ["secret"]);
    // Without another token git is told so, and does not wait for a password.
    machine.unset("HF_TOKEN");
    let said = machine.git(["ls-remote", y]).fails();
    assert_eq!(said.helper_lines().len(), 1, "{said}");
}

#[test]
fn an_account_reads_what_its_identity_may_read() {
    let (hub, trusted, machine) = job("alice");
    hub.add_repo("gated/model", true);
    trusted.publisher(JOB, "alice", &[("gated/model", Read)]);
    let url = "https://huggingface.co/gated/model";
    machine.git(["clone", url]).ok();
    assert_eq!(trusted.asked(), ["alice"]);
    assert_eq!(hub.tokens_seen("/gated/model"), ["job 1"]);
    assert_eq!(read_with(&hub.log()), ["job 1".to_owned()].into());
}

#[test]
fn ten_processes_at_once_exchange_once() {
    let (hub, trusted, machine) = job("auto");
    thread::scope(|scope| {
        let asks: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| machine.ask("get", request("acme/x")).ok()))
            .collect();
        for ask in asks {
            let answer = ask.join().expect("an answer");
            assert_eq!(answer.value("password"), Some(&*hub.value_of("job 1")));
            assert_eq!(answer.value("username"), Some("hf_user"));
        }
    });
    assert_eq!(trusted.asked(), ["acme/x"]);

    // And once more for each of ten that fail: git does not make the Hub busy.
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| machine.ask("get", request("acme/y")).ok());
        }
    });
    assert_eq!(trusted.asked(), ["acme/x", "acme/y"]);
}

#[test]
fn the_answer_says_when_it_expires_and_is_kept_privately() {
    let (hub, _trusted, machine) = job("acme/x");
    let answer = machine.ask("get", request("acme/x")).ok();
    let expires: u64 = answer
        .value("password_expiry_utc")
        .and_then(|at| at.parse().ok())
        .expect("a time");
    let left = expires - now();
    assert!((3590..=3600).contains(&left), "{left}");
    // Nothing else takes its place, so git is not told to come back for more.
    assert_eq!(answer.value("continue"), None);

    let folder = machine
        .home()
        .join("../runner-temp/git-credential-hf/exchange");
    assert_eq!(mode_of(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder")
        .map(|file| file.expect("a file").path())
        .collect();
    assert_eq!(files.len(), 1);
    assert_eq!(mode_of(&files[0]), 0o600);
    let text = fs::read_to_string(&files[0]).expect("a text");
    assert!(text.starts_with(&hub.value_of("job 1")));
    // Neither the identity nor what it was asked for with is written anywhere.
    for label in ["the runner's", "ID token 0"] {
        assert!(!text.contains(&hub.value_of(label)), "{label}");
    }
    let run = machine.home().join("../run");
    assert_eq!(fs::read_dir(run).expect("the folder").count(), 0);
}

#[test]
fn outside_github_it_is_kept_with_the_session() {
    let (_hub, trusted, machine) = job("acme/x");
    machine.unset("RUNNER_TEMP");
    for _ in 0..2 {
        machine.ask("get", request("acme/x")).ok();
    }
    assert_eq!(trusted.asked().len(), 1);
    let kept = machine.home().join("../run/git-credential-hf/exchange");
    assert_eq!(fs::read_dir(kept).expect("the folder").count(), 1);
    // A folder that others can enter is not used, and then nothing is kept in it.
    machine.env("RUNNER_TEMP", machine.home());
    let open = machine.home().join("git-credential-hf");
    fs::create_dir(&open).expect("a folder");
    set_mode(&open, 0o755);
    machine.ask("get", request("acme/x")).ok();
    assert_eq!(fs::read_dir(open).expect("the folder").count(), 0);
    assert_eq!(trusted.asked().len(), 1);
}

#[test]
fn another_identity_or_resource_is_another_token() {
    let (hub, trusted, machine) = job("auto");
    let get = || {
        let answer = machine.ask("get", request("acme/x")).ok();
        answer.value("password").expect("a token").to_owned()
    };
    assert_eq!(get(), hub.value_of("job 1"));
    machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&Identity::job()));
    assert_eq!(get(), hub.value_of("job 2"));
    machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&Identity::job()));
    assert_eq!(get(), hub.value_of("job 3"));
    machine.unset("HF_OIDC_ID_TOKEN");
    assert_eq!(get(), hub.value_of("job 1"));
    assert_eq!(trusted.asked().len(), 3);
}

#[test]
fn it_is_exchanged_again_before_it_expires() {
    let (hub, trusted, machine) = job("acme/x");
    let get = || {
        let answer = machine.ask("get", request("acme/x")).ok();
        answer.value("password").expect("a token").to_owned()
    };
    trusted.expires_in(600);
    assert_eq!(get(), hub.value_of("job 1"));
    // Just exchanged: one with a short life is not exchanged for every request.
    assert_eq!(get(), hub.value_of("job 1"));
    // Some minutes later there is little left of it.
    let_time_pass(&machine, 300);
    // While the Hub is down the old one still does.
    let down = serde_json::json!({ "error": "down" });
    trusted.fails_with(Some((503, down, Duration::ZERO)));
    assert_eq!(get(), hub.value_of("job 1"));
    trusted.fails_with(None);
    assert_eq!(get(), hub.value_of("job 2"));
    assert_eq!(trusted.asked().len(), 3);
}

#[test]
fn one_that_expires_in_the_middle_of_a_job_is_replaced() {
    let (hub, trusted, machine) = job("acme/x");
    trusted.expires_in(30);
    machine.git(["clone", X]).ok();
    let_time_pass(&machine, 31);
    hub.revoke("job 1");
    hub.clear_log();
    trusted.expires_in(3600);
    machine.write("x/more", "more");
    machine.commit_all("x");
    machine.git(["push"]).dir("x").ok();
    assert_eq!(pushed_with(&hub.log()), ["job 2".to_owned()].into());
    assert_eq!(trusted.asked().len(), 2);
}

#[test]
fn a_command_that_hands_out_tokens_gets_no_id_token() {
    let (_hub, trusted, machine) = job("acme/y");
    machine.env("HF_OIDC_ID_TOKEN", trusted.sign(&Identity::job()));
    machine.env("CIRCLE_OIDC_TOKEN_V2", trusted.sign(&Identity::job()));
    machine.env("BITBUCKET_STEP_OIDC_TOKEN", trusted.sign(&Identity::job()));
    let script = machine.home().join("show");
    write_program(&script, "#!/bin/sh\nenv >seen\n");
    machine.write(
        ".config/git-credential-hf/config.toml",
        format!("[commands]\nvault = [{script:?}]\n[rules]\n\"acme/x\" = \"vault\"\n"),
    );
    machine.ask("get", request("acme/x"));
    let seen = machine.read("seen");
    assert!(seen.contains("HF_OIDC_RESOURCE=acme/y"), "{seen}");
    for variable in [
        "HF_OIDC_ID_TOKEN",
        "CIRCLE_OIDC_TOKEN_V2",
        "BITBUCKET_STEP_OIDC_TOKEN",
    ] {
        assert!(!seen.contains(variable), "{variable} was passed on");
    }
}

#[test]
fn run_gives_a_command_the_jobs_token_and_nothing_that_overrules_it() {
    let (hub, trusted, machine) = job("acme/x");
    let script = "printf '%s %s' \"$HF_TOKEN\" \"${HF_OIDC_RESOURCE-unset}\"";
    let said = machine
        .helper(["run", "--for", "acme/x", "--", "sh", "-c", script])
        .may_print_secret()
        .ok();
    assert_eq!(said.stdout, format!("{} unset", hub.value_of("job 1")));
    let token = machine.helper(["token", "acme/x"]).may_print_secret().ok();
    assert_eq!(token.stdout.trim(), hub.value_of("job 1"));
    assert_eq!(trusted.asked().len(), 1);
}
