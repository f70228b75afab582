//! The harness itself: that git, git-lfs and the keyring behave against the stand-ins as the other
//! tests take for granted. The helper here is a line of shell, so that a failure is the harness's.

use crate::support::git_lfs;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::{Hub, OBJECT_HOST, Response, TokenSeen};
use crate::support::keyring::{DeadBus, Keyring};
use crate::support::machine::{Machine, with_each_git};
use crate::support::tools::{find, gits, need};
use crate::support::user::{noise, statuses};
use serde_json::json;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

const X: &str = "https://huggingface.co/acme/x";

/// Makes git ask a one-line helper, which answers with `$TEST_TOKEN`, by the given setting.
fn answer_with_the_variable(machine: &Machine, key: &str) {
    let helper =
        r#"!f() { test "$1" = get && printf 'username=u\npassword=%s\n' "$TEST_TOKEN"; }; f"#;
    machine.git(["config", "--global", key, helper]).ok();
}

/// The private repo `acme/x`, and a helper that answers with a variable.
fn answering_variable(hub: &Hub, machine: &Machine) {
    hub.add_repo("acme/x", true);
    answer_with_the_variable(machine, "credential.helper");
}

#[test]
fn a_private_repo_is_cloned_with_the_right_token() {
    with_each_git(answering_variable, |hub, machine| {
        let token = hub.add_token("work", &[("acme", Read)]);
        machine.env("TEST_TOKEN", &token);
        machine.git(["clone", X]).ok();
        assert_eq!(machine.read("x/README.md"), "Hello");
        assert_eq!(hub.tokens_seen("/acme/x"), ["work"]);
        assert_eq!(statuses(&hub.log())[..2], [401, 200]);
        assert!(hub.log().iter().all(|entry| entry.host == "huggingface.co"));
        assert!(machine.files_with_secrets().is_empty());
    });
}

#[test]
fn every_form_of_url_names_its_repo() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    for repo in ["gpt2", "acme/x", "datasets/acme/x", "spaces/acme/x"] {
        hub.add_repo(repo, false);
    }
    for path in ["gpt2", "Acme/X.git", "datasets/acme/x", "spaces/ACME/x.git"] {
        let url = format!("https://HuggingFace.co/{path}");
        let said = machine.git(["ls-remote", &url]).ok().stdout;
        assert!(said.starts_with(&hub.head(path)), "{path}: {said}");
    }
    // Without TLS, by way of the proxy.
    machine
        .git(["ls-remote", "http://huggingface.co/acme/x"])
        .ok();
    let last = hub.log().pop().expect("a request");
    assert_eq!(
        (last.scheme, last.host.as_str()),
        ("http", "huggingface.co")
    );
}

#[test]
fn a_wrong_token_is_refused_even_where_none_is_needed() {
    with_each_git(answering_variable, |hub, machine| {
        hub.add_repo("acme/open", false);
        machine.env("TEST_TOKEN", hub.unknown_token());
        machine.git(["clone", X]).fails();
        assert_eq!(statuses(&hub.log()), [401, 401]);
        assert_eq!(hub.log()[1].token, TokenSeen::Unknown);
        assert_eq!(hub.log()[1].user.as_deref(), Some("u"));

        let open = "https://huggingface.co/acme/open";
        machine.git(["ls-remote", open]).ok();
        let header = format!(
            "http.extraHeader=Authorization: Bearer {}",
            hub.unknown_token()
        );
        machine.git(["-c", &header, "ls-remote", open]).fails();
    });
}

#[test]
fn a_revoked_token_works_again_once_restored() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    answer_with_the_variable(&machine, "credential.helper");
    machine.env("TEST_TOKEN", hub.add_token("work", &[("acme/x", Read)]));
    hub.revoke("work");
    machine.git(["ls-remote", X]).fails();
    hub.restore("work");
    machine.git(["ls-remote", X]).ok();
    hub.policy_403("work", "only fine-grained tokens here");
    machine.git(["ls-remote", X]).fails();
    assert_eq!(statuses(&hub.log()).last(), Some(&403));
}

#[test]
fn three_megabytes_are_pushed() {
    with_each_git(answering_variable, |hub, machine| {
        machine.env("TEST_TOKEN", hub.add_token("work", &[("acme", Write)]));
        machine.git(["clone", X]).ok();
        machine.write("x/noise", noise(3_000_000));
        machine.commit_all("x");
        machine.git(["push"]).dir("x").ok();
        let head = machine.git(["rev-parse", "HEAD"]).dir("x").ok().stdout;
        assert_eq!(head.trim(), hub.head("acme/x"));
    });
}

#[test]
fn pushing_with_a_token_that_only_reads_is_forbidden() {
    with_each_git(answering_variable, |hub, machine| {
        machine.env("TEST_TOKEN", hub.add_token("reader", &[("acme", Read)]));
        machine.git(["clone", X]).ok();
        machine.write("x/more", "more");
        machine.commit_all("x");
        let said = machine.git(["push"]).dir("x").fails().stderr;
        assert!(said.contains("403"), "{said}");
        assert_eq!(statuses(&hub.log()).last(), Some(&403));
    });
}

#[test]
fn a_token_for_elsewhere_is_told_apart_from_a_missing_repo() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    answer_with_the_variable(&machine, "credential.helper");
    machine.env("TEST_TOKEN", hub.add_token("other", &[("else", Write)]));
    machine.git(["ls-remote", X]).fails();
    assert_eq!(statuses(&hub.log()), [401, 403]);
    hub.clear_log();
    let missing = "https://huggingface.co/acme/missing";
    machine.git(["ls-remote", missing]).fails();
    assert_eq!(statuses(&hub.log()), [401, 404]);
}

#[test]
fn the_short_host_and_a_renamed_repo_redirect() {
    with_each_git(answering_variable, |hub, machine| {
        machine.env("TEST_TOKEN", hub.add_token("work", &[("acme", Read)]));
        hub.redirect("huggingface.co/acme/old", X);
        machine.git(["clone", "https://hf.co/acme/old"]).ok();
        let log = hub.log();
        assert_eq!(statuses(&log)[..4], [301, 301, 401, 200]);
        let given = log.iter().filter(|entry| entry.token != TokenSeen::None);
        assert!(
            given
                .into_iter()
                .all(|entry| entry.host == "huggingface.co")
        );
    });
}

#[test]
fn large_files_are_pushed_and_cloned() {
    for (git, lfs) in git_lfs::pairs() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git).with_git_lfs(&lfs);
        answer_with_the_variable(&machine, "credential.helper");
        let said = machine.git(["lfs", "version"]).ok().stdout;
        assert!(said.starts_with(&lfs.version), "{said}");
        machine.env("TEST_TOKEN", hub.add_token("work", &[("acme", Write)]));
        machine.git(["clone", "https://hf.co/acme/x"]).ok();
        machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
        let weights = noise(5_000_000);
        machine.write("x/weights.bin", &weights);
        machine.commit_all("x");
        machine.git(["push"]).dir("x").ok();
        machine.git(["clone", X, "copy"]).ok();
        let copied = fs::read(machine.home().join("copy/weights.bin")).expect("the large file");
        assert!(copied == weights, "the large file changed on its way");

        let log = hub.log();
        let mut objects = log.iter().filter(|entry| entry.host == OBJECT_HOST);
        assert!(objects.clone().count() >= 2);
        assert!(objects.all(|entry| entry.token == TokenSeen::None));
        assert_eq!(hub.tokens_seen("/acme/x.git/info/lfs"), ["work"]);
    }
}

#[test]
fn a_route_answers_before_anything_built_in() {
    if !need("curl") {
        return;
    }
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token_like("hf_oauth_", "browser", &[]);
    hub.route("GET", "huggingface.co", "/api/whoami-v2", |request| {
        Response::json(200, &json!({ "known": request.token_is_live }))
    });
    let header = format!("Authorization: Bearer {token}");
    let ca = hub.ca_file();
    let ca = ca.to_str().expect("a UTF-8 path");
    let url = "https://huggingface.co/api/whoami-v2?full=1";
    let curl = machine.command("curl", ["-sS", "--cacert", ca, "-H", &header, url]);
    assert_eq!(curl.ok().stdout, r#"{"known":true}"#);
    assert_eq!(hub.log()[0].token, TokenSeen::Known("browser".into()));
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let start = Instant::now();
    let script = ["-c", "sleep 300 & sleep 300"];
    let sleep = || machine.command("sh", script);
    let soon = Duration::from_millis(300);
    let hung = thread::scope(|scope| scope.spawn(|| sleep().timeout(soon).run()).join());
    assert!(hung.is_err());
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_secret_in_the_output_fails_the_test() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[]);
    let echo = || machine.command("echo", [&token]);
    echo().may_print_secret().ok();
    let told = thread::scope(|scope| scope.spawn(|| echo().run()).join().is_err());
    assert!(told);
}

#[test]
fn a_keyring_starts_and_locks() {
    if !Keyring::is_possible() {
        return;
    }
    let keyring = Keyring::start();
    assert!(keyring.default_collection().is_some());
    assert!(!keyring.is_locked());
    keyring.lock();
    let socket = keyring.address();
    drop(keyring);
    let socket = socket.strip_prefix("unix:path=").expect("a socket");
    assert!(!Path::new(socket).exists());
}

#[test]
fn a_dead_bus_accepts_and_stays_silent() {
    let bus = DeadBus::start();
    let socket = bus.address();
    let socket = socket.strip_prefix("unix:path=").expect("a socket");
    UnixStream::connect(socket).expect("the bus accepts");
}

#[test]
fn the_tools_are_found() {
    assert!(gits()[0].at_least(2, 30));
    assert!(!gits()[0].at_least(99, 0));
    assert!(find("sh").is_some());
}

#[test]
fn an_object_host_that_asks_gets_no_token_of_the_hub() {
    if !need("git-lfs") {
        return;
    }
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    hub.object_host_demands_auth();
    let machine = Machine::new(&hub);
    answer_with_the_variable(&machine, "credential.https://huggingface.co.helper");
    machine.env("TEST_TOKEN", hub.add_token("work", &[("acme", Write)]));
    machine.git(["lfs", "install", "--skip-repo"]).ok();
    machine.git(["clone", X]).ok();
    machine.git(["lfs", "track", "*.bin"]).dir("x").ok();
    machine.write("x/weights.bin", noise(1000));
    machine.commit_all("x");
    // With its usual eight retries, each later than the one before, git-lfs takes half a minute.
    let push = ["-c", "lfs.transfer.maxRetries=1", "push"];
    machine.git(push).dir("x").fails();
    let log = hub.log();
    let mut objects = log.iter().filter(|entry| entry.host == OBJECT_HOST);
    assert!(objects.clone().count() > 0);
    assert!(objects.all(|entry| entry.token == TokenSeen::None && entry.status == 401));
}
