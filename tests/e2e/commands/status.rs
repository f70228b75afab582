//! `status`: the overview, and what needs attention.

use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::{Machine, Output};
use crate::support::user::{CONFIG, STATE, now};
use serde_json::{Value, json};

fn text(machine: &Machine) -> String {
    let said = machine.helper(["status"]).ok();
    assert_eq!(said.stderr, "");
    let bare = machine.helper([] as [&str; 0]).ok();
    assert_eq!(bare.stdout, said.stdout, "without arguments");
    let who = machine.helper(["whoami"]).ok();
    assert_eq!(who.stdout, said.stdout, "as people know it");
    said.stdout
}

#[test]
fn on_a_new_machine_it_says_what_to_do() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    assert_eq!(
        text(&machine),
        "git does not call this helper for https://huggingface.co: run `git credential-hf configure`\n\
         \n\
         there are no tokens yet: run `git credential-hf login`\n"
    );
    assert!(hub.log().is_empty(), "the network is not used");
    assert!(!machine.home().join(STATE).exists());
}

#[test]
fn everything_that_needs_attention_is_there() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.configure();
    let token = hub.add_token("acme", &[("acme", Write)]);
    machine.login("acme", &token, &["--for", "acme"]);
    machine.login("old", &hub.add_token("old", &[]), &["--default"]);
    machine.login("gone", &hub.add_token("gone", &[]), &[]);
    machine.login("soon", &hub.add_token("soon", &[]), &[]);
    let request = "protocol=https\nhost=huggingface.co\nusername=u\n";
    let gone = hub.value_of("gone");
    machine
        .ask("erase", format!("{request}password={gone}\n"))
        .ok();
    let mut state = machine.state();
    let now = now();
    state["tokens"]["soon"]["expires"] = json!(now + 3 * 86_400 + 60);
    state["tokens"]["old"]["expires"] = json!(now - 60);
    machine.write(STATE, state.to_string());
    let env = hub.add_token("env", &[]);
    machine.env("HF_TOKEN", &env);
    machine.write("vault", "");
    let config = machine.read(CONFIG);
    machine.write(
        CONFIG,
        format!("{config}\n[commands]\nvault = [\"pass\", \"hf\"]\n"),
    );
    machine.git(["clone", "https://huggingface.co/acme/x"]).ok();

    let hint = |label: &str| {
        let value = hub.value_of(label);
        format!("hf_…{}", &value[value.len() - 4..])
    };
    let (acme, gone, old, soon) = (hint("acme"), hint("gone"), hint("old"), hint("soon"));
    let expected = format!(
        "git calls this helper for https://huggingface.co\n\
         HF_TOKEN is set ({}): it takes precedence over the default token\n\
         the default token is `old`\n\
         \n\
         NAME   TOKEN     ACCOUNT  STORAGE              STATUS\n\
         acme   {acme}  -        file, not encrypted  not verified\n\
         gone   {gone}  -        file, not encrypted  rejected, not verified\n\
         old    {old}  -        file, not encrypted  expired, not verified\n\
         soon   {soon}  -        file, not encrypted  expires in 3 days, not verified\n\
         vault  -         -        command pass         not verified\n",
        hint("env")
    );
    assert_eq!(text(&machine), expected);
    let here = machine.helper(["status"]).dir("x").ok().stdout;
    let here = here.strip_prefix(&expected).expect("the same, and more");
    assert_eq!(
        here,
        format!(
            "\nacme/x: fetch and push get token `acme` ({acme}), chosen because rule `acme` names it\n"
        )
    );
}

#[test]
fn what_the_environment_takes_precedence_over() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    let line = || {
        let text = text(&machine);
        let mut lines = text.lines().filter(|line| line.starts_with("HF_TOKEN"));
        let (_, line) = lines
            .next()
            .and_then(|line| line.split_once(')'))
            .expect("a hint");
        line.to_owned()
    };
    assert_eq!(line(), "");
    machine.login("me", &hub.add_token("me", &[]), &[]);
    let others = ": it takes precedence over each token that neither a rule nor its scopes choose";
    assert_eq!(line(), others);
    machine.helper(["use", "me", "--default"]).ok();
    assert_eq!(line(), ": it takes precedence over the default token");
}

#[test]
fn for_programs() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.login(
        "acme",
        &hub.add_token("acme", &[("acme", Write)]),
        &["--for", "acme"],
    );
    machine.env("HF_TOKEN", "\"quoted\"");
    machine.git(["init", "--quiet", "x"]).ok();
    let url = "https://huggingface.co/datasets/acme/x";
    machine.git(["remote", "add", "origin", url]).dir("x").ok();
    let said: Output = machine.helper(["status", "--json"]).dir("x").ok();
    let value: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(value["version"], 1);
    assert_eq!(value["hubs"][0]["git_calls_us"], false);
    assert_eq!(value["environment"][0]["token"], Value::Null);
    assert!(value["environment"][0]["problem"].is_string());
    assert_eq!(value["tokens"][0]["name"], "acme");
    assert_eq!(value["tokens"][0]["notes"], json!(["not verified"]));
    assert_eq!(value["default"], Value::Null);
    assert_eq!(value["here"][0]["repo"], "datasets/acme/x");
    assert_eq!(value["here"][0]["push"]["source"], "token `acme`");
}
