//! install/json.md has every field that the program prints, and no other.

use super::{cells, code_spans, document};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{WhoAmI, fine_grained};
use crate::support::machine::Machine;
use crate::support::user::CONFIG;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The fields that the document names for each command.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut command = String::new();
    for line in document("install/json.md").lines() {
        if let Some(heading) = line.strip_prefix("## `git credential-hf ") {
            command = heading.split(" ").next().unwrap_or("").to_owned();
            all.insert(command.clone(), BTreeSet::new());
        } else if line.starts_with("| `") {
            let first = cells(line).swap_remove(0);
            let fields = all.get_mut(&command).expect("a heading before the table");
            fields.extend(code_spans(&first).map(str::to_owned));
        }
    }
    all
}

/// The paths of all values in an object, those of lists and objects among them.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let at = match at {
                    "" => key.clone(),
                    at => format!("{at}.{key}"),
                };
                found.insert(at.clone());
                paths(value, &at, found);
            }
        }
        Value::Array(values) => {
            let at = format!("{at}[]");
            for value in values {
                found.insert(at.clone());
                paths(value, &at, found);
            }
        }
        _ => {}
    }
}

/// What each command prints on a machine that has some of everything.
fn printed() -> BTreeMap<&'static str, BTreeSet<String>> {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    whoami.says(
        "acme",
        fine_grained(&[("org", "acme", &["repo.content.read", "repo.write"])]),
    );
    let token = hub.add_token("acme", &[("acme", Write)]);
    let other = hub.add_token("other", &[]);
    machine.configure();
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut keep = |command: &'static str, output: &str| {
        let json: Value = serde_json::from_str(output).expect("JSON");
        paths(&json, "", found.entry(command).or_default());
    };
    let run = |arguments: &str, stdin: &str| {
        let run = machine.helper(arguments.split(' ')).stdin(stdin);
        run.may_print_secret().run().stdout
    };
    let login = "login acme --for acme --default --with-token --storage file --json";
    keep("login", &run(login, &token));

    let config = machine.read(CONFIG);
    let more = "\n[endpoints]\n\"https://hub.corp.example\" = { default = \"acme\" }\n\
                \n[commands]\nvault = [\"true\"]\n";
    machine.write(CONFIG, format!("{config}{more}"));
    machine.write(".cache/huggingface/token", &other);
    machine.write(
        ".cache/huggingface/stored_tokens",
        format!("[hub]\nhf_token = {other}\n"),
    );
    machine
        .git(["clone", "-q", "https://huggingface.co/acme/x"])
        .ok();
    machine.env("HF_TOKEN", &token);
    keep("list", &run("list --json", ""));
    let in_clone = machine.helper(["status", "--json"]).dir("x").ok();
    keep("status", &in_clone.stdout);
    machine.unset("HF_TOKEN");
    keep("explain", &run("explain --json https://huggingface.co", ""));
    keep("explain", &run("explain --json acme/x", ""));
    keep(
        "explain",
        &run("explain --json https://other.example/acme/x", ""),
    );
    keep("check", &run("check --json acme/x", ""));
    keep("check", &run("check --json acme/none", ""));
    keep("token", &run("token --json acme/x", ""));
    keep("refresh", &run("refresh --json", ""));
    keep("doctor", &run("doctor --json --offline", ""));

    let in_url = format!(
        "https://alice:{}@huggingface.co/acme/y",
        hub.add_token("url", &[])
    );
    machine
        .git(["config", "--global", "remote.y.url", &in_url])
        .ok();
    machine.write(
        ".netrc",
        "machine huggingface.co login alice password not-a-token\n",
    );
    keep("import", &run("import --json --dry-run", ""));
    keep("import", &run("import --json", ""));
    keep("rename", &run("rename acme acme-2 --json", ""));
    keep("logout", &run("logout acme-2 --json", ""));
    found
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_printed() {
    let printed = printed();
    let documented = documented();
    let commands: Vec<&str> = documented.keys().map(String::as_str).collect();
    assert_eq!(printed.keys().copied().collect::<Vec<_>>(), commands);
    let mut wrong = Vec::new();
    for (command, printed) in &printed {
        let documented = &documented[*command];
        // A list that is empty here has no elements.
        let is_printed = |field: &str| printed.contains(field.trim_end_matches("[]"));
        let missing = documented.iter().filter(|field| !is_printed(field));
        wrong.extend(missing.map(|field| format!("{command} does not print {field}")));
        let is_documented = |path: &str| {
            // What is documented as a whole, and the lists and objects around a field.
            let inside = |outer: &str, inner: &str| {
                let rest = inner.strip_prefix(outer);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let mut fields = documented.iter();
            path == "version" || fields.any(|field| inside(field, path) || inside(path, field))
        };
        let unknown = printed.iter().filter(|path| !is_documented(path));
        wrong.extend(unknown.map(|path| format!("{command} also prints {path}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn fields_that_are_named_in_words_exist() {
    let sources = super::references::sources();
    let commands = documented();
    let mut count = 0;
    for line in document("install/json.md").lines() {
        if line.starts_with('#') {
            continue;
        }
        for span in code_spans(line) {
            for word in span.split(['.', '[', ']', ' ']) {
                let is_field = word.len() > 1
                    && !commands.contains_key(word)
                    && word
                        .chars()
                        .all(|letter| letter.is_ascii_lowercase() || letter == '_');
                let named = [
                    format!("\"{word}\""),
                    format!("pub {word}:"),
                    format!("{word} {{"),
                ];
                if is_field {
                    assert!(
                        named.iter().any(|named| sources.contains(named)),
                        "{word}: {line}"
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count > 100, "only {count} fields are named");
}
