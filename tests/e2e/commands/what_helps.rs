//! Errors come with the command that helps, and rules mean what they say.

use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::machine::Machine;
use crate::support::user::CONFIG;

#[test]
fn configure_local_outside_a_repository_says_what_helps() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let outside = machine.helper(["configure", "--local"]).fails();
    outside.says(&["not in a repository", "help: omit --local"]);
}

#[test]
fn a_typed_token_that_cannot_be_kept_says_what_helps() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("typed", &[]);
    let store = format!("protocol=https\nhost=huggingface.co\nusername=u\npassword={token}\n");
    let failed = machine.store_typed(store).fails();
    failed.says(&["was not saved", "help:", "--storage file"]);
}

#[test]
fn a_rule_whose_token_is_gone_comes_with_the_command_that_helps() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.login(
        "work",
        &hub.add_token("work", &[("acme", Read)]),
        &["--for", "acme"],
    );
    machine.configure();
    machine.helper(["logout", "work"]).ok();
    let said = machine.helper(["explain", "acme/x"]).ok().stdout;
    assert!(said.contains("git credential-hf login work"), "{said}");
    let failed = machine
        .git(["ls-remote", "https://huggingface.co/acme/x"])
        .fails();
    let line = failed.helper_line();
    assert!(line.contains("git credential-hf login work"), "{line}");
}

#[test]
fn a_rule_for_models_on_another_endpoint_is_for_models_only() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(CONFIG, "[endpoints]\n\"https://hub.corp.example\" = {}\n");
    let corp = "https://hub.corp.example/models/acme/x";
    machine.login("corp", &hub.add_token("corp", &[]), &["--for", corp]);
    for (repo, rule) in [("acme/x", true), ("datasets/acme/x", false)] {
        let url = format!("https://hub.corp.example/{repo}");
        let said = machine.helper(["explain", &url]).ok().stdout;
        assert_eq!(said.contains("→  corp "), rule, "{said}");
    }
}
