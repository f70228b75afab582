//! What a command claims is true then and there: where git is not set up, where something takes
//! precedence, and where the token does not reach, it says so.

use crate::hub::common::{login, seen};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::machine::Machine;
use crate::support::tools::need;
use crate::support::user::CONFIG;
use serde_json::Value;

const NOT_CALLED: &str =
    "git does not call this helper for https://huggingface.co: run `git credential-hf configure`";

/// A machine, and what the Hub says of the token `work`.
fn desk(answer: Value) -> (Hub, Machine, String) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Write)]);
    WhoAmI::start(&hub).says("work", answer);
    (hub, machine, token)
}

fn login_says(machine: &Machine, token: &str, more: &[&str]) -> String {
    let storage = ["login", "work", "--with-token", "--storage", "file"];
    let run = machine.helper(storage.iter().chain(more));
    seen(machine, &run.stdin(format!("{token}\n")).ok(), token)
}

#[test]
fn login_does_not_say_that_git_uses_a_token_where_it_does_not() {
    let scopes = [("org", "acme", &["repo.content.read", "repo.write"][..])];
    let (hub, machine, token) = desk(fine_grained(&scopes));
    let said = login_says(&machine, &token, &[]);
    assert!(
        said.contains(&format!("it is for acme, but {NOT_CALLED}\n")),
        "{said}"
    );
    assert!(!said.contains("git uses it"), "{said}");
    assert!(said.contains("org acme  read and write\n"), "{said}");
    // What it advises makes it true.
    machine.configure();
    let said = login_says(&machine, &token, &[]);
    assert!(
        said.contains("git uses it for acme, unless a rule says otherwise\n"),
        "{said}"
    );
    assert!(!said.contains("does not call"), "{said}");

    let narrow = [("model", "acme/x", &["repo.content.read"][..])];
    WhoAmI::start(&hub).says("work", fine_grained(&narrow));
    for (pattern, reaches) in [
        ("acme/secret-model", false),
        ("umbrella", false),
        ("acme", true),
    ] {
        let said = login_says(&machine, &token, &["--for", pattern]);
        let note = format!("note: the token's scopes do not reach {pattern}: add one at ");
        assert_eq!(said.contains(&note), !reaches, "{pattern}: {said}");
        assert!(said.contains(&format!("{pattern} uses `work`\n")), "{said}");
    }
}

#[test]
fn what_takes_precedence_is_named() {
    let (hub, machine, token) = desk(account("write"));
    machine.configure();
    let free = login_says(&machine, &token, &["--default"]);
    assert!(!free.contains("note: "), "{free}");
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    let said = login_says(&machine, &token, &["--default"]);
    assert!(
        said.contains("note: HF_TOKEN takes precedence over the default\n"),
        "{said}"
    );
    let said = machine.helper(["use", "work", "--for", "acme"]).ok().stdout;
    assert_eq!(said, "acme uses `work`\n");
    machine.unset("HF_TOKEN");
    let said = machine.helper(["use", "work", "--default"]).ok().stdout;
    assert_eq!(said, "the default token is `work`\n");
}

#[test]
fn a_login_to_the_hub_of_the_environment_adds_it() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.env("HF_ENDPOINT", "https://hub.corp.example");
    let token = hub.add_token("corp", &[]);
    machine.configure();
    let said = machine.login("corp", &token, &["--default"]).stdout;
    assert!(
        said.contains("added https://hub.corp.example to your Hubs"),
        "{said}"
    );
    let explain = || machine.helper(["explain", "acme/x"]).ok().stdout;
    let not_called = "git does not call this helper for https://hub.corp.example: \
                      run `git credential-hf configure`";
    assert!(explain().contains(not_called), "{}", explain());
    machine.configure();
    assert!(!explain().contains("does not call"), "{}", explain());
    // Without a login it is not one of the user's Hubs, and `configure` alone does not help.
    machine.env("HF_ENDPOINT", "https://other.example");
    assert!(explain().contains("add \"https://other.example\" = {} below [endpoints]"));
}

#[test]
fn an_endpoint_that_is_none_is_in_the_way_only_of_what_needs_it() {
    let (_hub, machine, token) = desk(account("write"));
    machine.configure();
    machine.env("HF_ENDPOINT", "https://proxy.example/huggingface");
    login_says(&machine, &token, &["--for", "https://huggingface.co/acme"]);
    for command in [
        ["explain", "https://huggingface.co/acme/x"].as_slice(),
        &["explain", "hf.co/acme/x"],
        &["use", "work", "--for", "hf.co/acme"],
        &["unuse", "HF.co/acme"],
    ] {
        machine.helper(command).ok();
    }
    let failed = machine.helper(["explain", "acme/x"]).fails();
    failed.says(&["HF_ENDPOINT", "unset it"]);
}

#[test]
fn the_hubs_own_host_is_not_a_namespace() {
    let (_hub, machine, token) = desk(account("write"));
    machine.configure();
    login_says(&machine, &token, &["--for", "hf.co/acme"]);
    machine
        .helper(["use", "work", "--for", "huggingface.co/datasets/acme/x"])
        .ok();
    let config = machine.read(CONFIG);
    assert!(config.contains("acme = \"work\""), "{config}");
    assert!(
        config.contains("\"datasets/acme/x\" = \"work\""),
        "{config}"
    );
    assert!(!config.contains("hf.co"), "{config}");
}

#[test]
fn a_token_is_ok_only_once_the_hub_has_said_so() {
    let (hub, machine, token) = desk(account("write"));
    machine.login("work", &token, &[]);
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    let said = machine.helper(["list"]).ok().stdout;
    assert_eq!(said.matches("not verified").count(), 2, "{said}");
    machine.unset("HF_TOKEN");
    login(&machine, "work", &token).ok();
    let said = machine.helper(["list"]).ok().stdout;
    assert!(
        !said.contains("not verified") && said.contains("ok"),
        "{said}"
    );
}

#[test]
fn a_bare_name_is_said_to_be_a_repo() {
    let (_hub, machine, _) = desk(account("write"));
    let said = machine.helper(["explain", "acme"]).ok().stdout;
    assert!(
        said.contains("`acme` is read as a repo without a namespace"),
        "{said}"
    );
    assert!(
        !machine
            .helper(["explain", "acme/x"])
            .ok()
            .stdout
            .contains("no namespace")
    );
}

#[test]
fn a_broken_git_configuration_is_not_a_missing_git() {
    let (_hub, machine, _) = desk(account("write"));
    let before = machine.read(".gitconfig");
    machine.write(".gitconfig", format!("{before}[broken\n"));
    let said = machine.helper(["doctor", "--offline"]).fails().stdout;
    assert!(
        said.contains("git cannot read its configuration: bad config line "),
        "{said}"
    );
    assert!(said.contains("~/.gitconfig"), "{said}");
    assert!(!said.contains("not found on PATH"), "{said}");
    machine.write(".gitconfig", before);
    let said = machine.helper(["doctor", "--offline"]).run().stdout;
    assert!(!said.contains("cannot read its configuration"), "{said}");
}

#[test]
fn configure_says_that_git_calls_only_what_it_then_calls() {
    let (_hub, machine, _) = desk(account("write"));
    let system = machine.home().join("system");
    machine.env("GIT_CONFIG_SYSTEM", &system);
    let configure = || machine.helper(["configure", "--system"]).ok().stdout;
    assert!(configure().starts_with("git now calls `"));
    assert!(configure().starts_with("git already calls `"));
    machine.env("GIT_CONFIG_NOSYSTEM", "1");
    let said = configure();
    assert!(said.starts_with("already configured: "), "{said}");
    assert!(said.contains("note: git does not read "), "{said}");
    machine.unset("GIT_CONFIG_NOSYSTEM");
    let said = machine.helper(["unconfigure"]).ok().stdout;
    assert!(
        said.contains("but git calls it: run `git credential-hf unconfigure --system`"),
        "{said}"
    );
    machine.helper(["unconfigure", "--system"]).ok();
    let said = machine.helper(["unconfigure"]).ok().stdout;
    assert!(said.starts_with("git did not call this helper"), "{said}");
}

#[test]
fn a_file_system_without_locks_comes_with_a_way_out() {
    if !need("strace") {
        return;
    }
    let (_hub, machine, token) = desk(account("write"));
    let strace = ["-f", "-o", "/dev/null", "-e", "trace=flock"];
    let fault = ["-e", "inject=flock:error=ENOLCK", "git-credential-hf"];
    let verb = ["login", "work", "--with-token", "--storage", "file"];
    let all = strace.iter().chain(&fault).chain(&verb);
    let failed = machine.command("strace", all).stdin(&token).fails();
    failed.says(&[
        "does not support locks",
        "set GIT_CREDENTIAL_HF_HOME to a folder",
    ]);
}

#[test]
fn a_login_in_a_url_is_not_called_typed() {
    let (hub, machine, token) = desk(account("write"));
    hub.add_repo("acme/x", true);
    machine.configure();
    let url = format!("https://u:{token}@huggingface.co/acme/x");
    // Without a keyring, and without a file storage chosen.
    let read = machine.git(["ls-remote", &url]).ok();
    assert!(read.helper_lines().is_empty(), "{read}");
    assert!(!read.stderr.contains("error"), "{read}");
}
