//! What the tests of the Hub's own commands share: logging in, and what a user then sees.

use crate::support::hub::Hub;
use crate::support::machine::{Machine, Output, Run};
use crate::support::user::DATA;
use serde_json::Value;
use std::path::PathBuf;

/// `login NAME` with a token on stdin, kept in a file.
pub fn login<'m>(machine: &'m Machine, name: &str, token: &str) -> Run<'m> {
    machine
        .helper(["login", name, "--with-token", "--storage", "file"])
        .stdin(format!("{token}\n"))
}

/// All that a user sees, stdout before stderr: with the home as `~`, and the end of the token,
/// which differs from run to run, as `LAST`.
pub fn seen(machine: &Machine, output: &Output, token: &str) -> String {
    let last = format!("…{}", &token[token.len() - 4..]);
    let home = machine.home();
    format!("{}{}", output.stdout, output.stderr)
        .replace(&last, "…LAST")
        .replace(home.to_str().expect("a UTF-8 path"), "~")
}

/// The only JSON document on stdout, which says its version.
pub fn json(output: &Output) -> Value {
    let value: Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output}"));
    assert_eq!(value["version"], 1, "{output}");
    value
}

/// The names of the tokens in the state file.
pub fn names(machine: &Machine) -> Vec<String> {
    machine.names().into_iter().collect()
}

/// The helper's answer to git for a path on the Hub.
pub fn get<'m>(machine: &'m Machine, path: &str) -> Run<'m> {
    machine
        .helper(["get"])
        .stdin(format!(
            "protocol=https\nhost=huggingface.co\npath={path}\n\n"
        ))
        .may_print_secret()
}

/// The label of the token in the helper's answer, none where there is none.
pub fn label(hub: &Hub, output: &Output) -> Option<String> {
    let password = output.value("password")?;
    let known = hub.secrets()();
    let found = known.into_iter().find(|(_, value)| value == password);
    Some(found.map_or_else(|| "unknown".to_owned(), |(label, _)| label))
}

/// Fails the test unless secrets lie in the file storage only, and in that many files. What a
/// killed writer has left there is removed by the next one, and does not count.
pub fn only_the_storage_holds_secrets(machine: &Machine, count: usize) {
    let files = machine.files_with_secrets();
    let storage = machine.home().join(DATA).join("tokens");
    let elsewhere: Vec<&PathBuf> = files.iter().filter(|f| !f.starts_with(&storage)).collect();
    assert!(elsewhere.is_empty(), "secrets in {elsewhere:?}");
    let is_token = |f: &&PathBuf| f.extension().is_some_and(|end| end == "token");
    assert_eq!(files.iter().filter(is_token).count(), count, "{files:?}");
}

/// How many requests of this path the Hub was asked.
pub fn asked(hub: &Hub, path: &str) -> usize {
    hub.log().iter().filter(|entry| entry.path == path).count()
}
