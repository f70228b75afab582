//! `explain`, `list`, `use` and `unuse`: what people ask about their tokens, and how they choose.

use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;
use crate::support::user::CONFIG;
use serde_json::Value;

const X: &str = "https://huggingface.co/acme/x";

/// Tokens: `work` for acme, `data` for one dataset, `me` by default, and one in the environment.
fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    hub.add_repo("datasets/acme/x", true);
    let machine = Machine::new(&hub);
    for (name, more) in [
        ("work", ["--for", "acme"].as_slice()),
        ("data", &["--for", "datasets/acme/x"]),
        ("me", &["--default"]),
    ] {
        machine.login(name, &hub.add_token(name, &[("acme", Write)]), more);
    }
    machine.env("HF_TOKEN", hub.add_token("env", &[("acme", Write)]));
    machine.configure();
    (hub, machine)
}

fn json(machine: &Machine, arguments: &[&str]) -> Value {
    let said = machine.helper(arguments).ok().stdout;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn rows(explained: &str) -> Vec<&str> {
    explained
        .lines()
        .filter(|line| line.starts_with("→") || line.starts_with("  "))
        .collect()
}

#[test]
fn explain_names_rule_token_storage_and_what_comes_after() {
    let (_hub, machine) = machine();
    let said = machine.helper(["explain", "acme/x"]).ok().stdout;
    let rows = rows(&said);
    let expected: [&[&str]; 3] = [
        &[
            "→",
            "work",
            "rule `acme`",
            "file, not encrypted",
            "git gets this",
        ],
        &["HF_TOKEN", "environment"],
        &["me", "default", "file, not encrypted"],
    ];
    let candidates: Vec<_> = rows.iter().filter(|row| !row.contains("STORAGE")).collect();
    assert_eq!(candidates.len(), expected.len(), "{said}");
    for (row, words) in candidates.iter().zip(expected) {
        assert!(words.iter().all(|word| row.contains(word)), "{said}");
    }
    assert!(said.contains("acme/x on https://huggingface.co"), "{said}");
}

#[test]
fn explain_says_what_git_then_does() {
    let (hub, machine) = machine();
    for (repo, url, expected) in [
        ("acme/x", X, "work"),
        (X, X, "work"),
        ("https://huggingface.co/acme/x/tree/main/docs", X, "work"),
        (
            "datasets/acme/x",
            "https://huggingface.co/datasets/acme/x",
            "data",
        ),
        (
            "https://hf.co/datasets/acme/x/blob/main/README.md",
            "https://huggingface.co/datasets/acme/x",
            "data",
        ),
        (
            "https://me@huggingface.co/acme/x",
            "https://me@huggingface.co/acme/x",
            "me",
        ),
    ] {
        let json = json(&machine, &["explain", repo, "--json"]);
        let candidates = json["repos"][0]["candidates"].as_array();
        let candidates = candidates.expect("candidates").iter();
        let chosen: Vec<_> = candidates.filter(|c| c["answers"] == true).collect();
        assert_eq!(chosen.len(), 1, "{repo}: {json}");
        assert_eq!(chosen[0]["name"], *expected, "{repo}");
        hub.clear_log();
        machine.git(["ls-remote", url]).ok();
        let last = hub.tokens_seen("/").pop();
        assert_eq!(last.as_deref(), Some(expected), "{repo}");
    }
}

#[test]
fn explain_and_list_change_nothing() {
    let (_hub, machine) = machine();
    let files = [CONFIG, crate::support::user::STATE];
    let before = files.map(|file| machine.read(file));
    for arguments in [
        ["explain", "acme/x"].as_slice(),
        &["explain", "acme/x", "--json"],
        &["list"],
        &["list", "--json"],
    ] {
        machine.helper(arguments).ok();
    }
    assert_eq!(files.map(|file| machine.read(file)), before);
}

#[test]
fn explain_in_a_clone_speaks_of_its_remote() {
    let (_hub, machine) = machine();
    machine
        .git(["clone", "https://huggingface.co/datasets/acme/x"])
        .ok();
    let said = machine.helper(["explain"]).dir("x").ok().stdout;
    assert!(said.contains("datasets/acme/x on "), "{said}");
    assert!(said.contains("rule `datasets/acme/x`"), "{said}");
    let outside = machine.helper(["explain"]).fails();
    assert_eq!(outside.code, 1);
    outside.says(&["not a clone", "help:"]);
}

#[test]
fn explain_of_a_foreign_host_says_that_nothing_is_answered() {
    let (_hub, machine) = machine();
    let url = "https://huggingface.co.evil.example/acme/x";
    let json = json(&machine, &["explain", url, "--json"]);
    let repo = &json["repos"][0];
    assert_eq!(repo["served"], false, "{json}");
    assert_eq!(
        repo["candidates"].as_array().map(Vec::len),
        Some(0),
        "{json}"
    );
    let said = machine.helper(["explain", url]).ok().stdout;
    assert!(said.contains("[endpoints]"), "{said}");
}

#[test]
fn explain_tells_of_a_rule_whose_token_is_gone() {
    let (_hub, machine) = machine();
    let removed = machine.helper(["logout", "work"]).ok().stdout;
    assert!(removed.contains("still names it: rule `acme`"), "{removed}");
    let said = machine.helper(["explain", "acme/x"]).ok().stdout;
    assert!(said.contains("no token of that name"), "{said}");
    let row = rows(&said).into_iter().find(|row| row.starts_with("→"));
    assert!(row.is_some_and(|row| row.contains("HF_TOKEN")), "{said}");
    let listed = machine.helper(["list"]).ok().stdout;
    assert!(listed.contains("work (missing)"), "{listed}");
}

#[test]
fn list_shows_every_token_where_it_lies_and_its_use() {
    let (_hub, machine) = machine();
    let said = machine.helper(["list"]).ok().stdout;
    let find = |test: &dyn Fn(&str) -> bool| said.lines().find(|line| test(line));
    for (name, path, tokens) in [
        ("work", "acme ", "work, else HF_TOKEN"),
        ("data", "datasets/acme/x ", "data, else work"),
        ("me", "other repos ", "HF_TOKEN (environment), else me"),
    ] {
        let row = find(&|line| line.starts_with(name)).expect("a row");
        for word in ["file, not encrypted", "hf_…"] {
            assert!(row.contains(word), "{word} is not in {row}");
        }
        let branch = find(&|line| line.starts_with(&format!("  {path}")) && line.ends_with(tokens));
        assert!(branch.is_some(), "{path} {tokens} in {said}");
    }
    assert!(
        said.lines().any(|line| line.starts_with("HF_TOKEN")),
        "{said}"
    );

    let json = json(&machine, &["list", "--json"]);
    assert_eq!(json["version"], 1);
    assert_eq!(json["default"], "me");
    let names: Vec<_> = json["tokens"].as_array().expect("tokens").iter().collect();
    assert_eq!(names.len(), 3, "{json}");
    assert!(
        names.iter().all(|token| token["encrypted"] == false),
        "{json}"
    );
    let rules = json["rules"].as_array().expect("rules");
    assert!(
        rules
            .iter()
            .any(|r| r["pattern"] == "acme" && r["token"] == "work"),
        "{json}"
    );
}

#[test]
fn list_without_tokens_says_how_to_begin() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let said = machine.helper(["list"]).ok().stdout;
    assert!(said.contains("git credential-hf login"), "{said}");
    let json = json(&machine, &["list", "--json"]);
    assert_eq!(json["tokens"].as_array().map(Vec::len), Some(0), "{json}");
}

#[test]
fn use_and_unuse_choose_for_the_clone_at_hand() {
    let (hub, machine) = machine();
    machine.git(["clone", X]).ok();
    let used = || {
        hub.clear_log();
        machine.git(["fetch"]).dir("x").ok();
        hub.tokens_seen("/")
    };
    assert_eq!(used(), ["work"]);
    let said = machine.helper(["use", "data"]).dir("x").ok().stdout;
    assert!(said.contains("acme/x uses `data`"), "{said}");
    assert_eq!(used(), ["data"]);
    machine.helper(["unuse"]).dir("x").ok();
    assert_eq!(used(), ["work"]);
    let again = machine.helper(["unuse"]).dir("x").fails();
    again.says(&["there is no rule for `acme/x`"]);
    machine.helper(["use", "me"]).fails().says(&["not a clone"]);
}

#[test]
fn use_changes_rules_and_default_and_keeps_every_comment() {
    let (_hub, machine) = machine();
    let text = "# My tokens.\nversion = 1\n\ndefault = \"me\" # for the rest\nstorage = \"file\"\n\n\
                [rules]\n# The company.\nacme = \"work\"       # asked Bob\n\n\
                # Never again.\n\"acme/llama-*\" = \"data\"\n\n[endpoints] # none\n";
    machine.write(CONFIG, text);
    machine.helper(["use", "data", "--for", "acme"]).ok();
    let expected = text.replace("acme = \"work\"  ", "acme = \"data\"  ");
    assert_eq!(machine.read(CONFIG), expected);
    machine
        .helper(["use", "work", "--for", "acme", "--default"])
        .ok();
    let expected = text.replace("default = \"me\"", "default = \"work\"");
    assert_eq!(machine.read(CONFIG), expected);
    machine
        .helper([
            "use",
            "me",
            "--for",
            "datasets/acme",
            "--for",
            "models/acme/y",
        ])
        .ok();
    let changed = machine.read(CONFIG);
    for comment in text.lines().filter_map(|line| line.split_once('#')) {
        assert!(changed.contains(&format!("#{}", comment.1)), "{changed}");
    }
    machine.helper(["unuse", "datasets/acme"]).ok();
    machine.helper(["unuse", "models/ACME/Y"]).ok();
    assert_eq!(machine.read(CONFIG), expected);
}

#[test]
fn the_most_specific_rule_wins() {
    let (_hub, machine) = machine();
    let rules = [
        ("acme", "work"),
        ("models/acme", "data"),
        ("acme/llama-*", "me"),
        ("acme/llama-3-*", "work"),
        ("acme/llama-3-8b", "data"),
        ("models/acme/llama-3-8b", "me"),
    ];
    for (pattern, token) in rules {
        machine.helper(["use", token, "--for", pattern]).ok();
    }
    for (repo, rule) in [
        ("models/acme/llama-3-8b", "models/acme/llama-3-8b"),
        ("datasets/acme/llama-3-8b", "acme/llama-3-8b"),
        ("acme/Llama-3-70b", "acme/llama-3-*"),
        ("acme/llama-2", "acme/llama-*"),
        ("acme/other", "models/acme"),
        ("spaces/acme/other", "acme"),
    ] {
        let json = json(&machine, &["explain", repo, "--json"]);
        let first = &json["repos"][0]["candidates"][0]["reason"];
        assert_eq!(*first, format!("rule `{rule}` names it"), "{repo}");
    }
}

#[test]
fn a_name_that_is_not_there_is_an_error_with_the_nearest() {
    let (_hub, machine) = machine();
    let before = machine.read(CONFIG);
    for arguments in [
        ["use", "wrk", "--default"].as_slice(),
        &["use", "wrk", "--for", "acme"],
        &["logout", "wrk"],
    ] {
        let failed = machine.helper(arguments).fails();
        assert_eq!(failed.code, 1);
        failed.says(&["there is no token called `wrk`", "did you mean `work`?"]);
    }
    assert_eq!(machine.read(CONFIG), before);
}
