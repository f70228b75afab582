//! What the documents quote of the program is there: messages, configuration keys, variables, files.

use super::{DOCUMENTS, cells, code_spans, document};
use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::user::CONFIG;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust sources of the program as one text, with literals that go over several lines joined.
pub fn sources() -> String {
    fn read(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("list a folder") {
            let path = entry.expect("list a folder").path();
            if path.is_dir() {
                read(&path, text);
            } else if path.extension().is_some_and(|end| end == "rs") {
                text.push_str(&fs::read_to_string(&path).expect("read a source"));
            }
        }
    }
    let mut text = String::new();
    read(&root().join("src"), &mut text);
    let mut joined = String::new();
    let mut parts = text.split("\\\n");
    joined.push_str(parts.next().unwrap_or(""));
    parts.for_each(|part| joined.push_str(part.trim_start()));
    joined
}

/// The parts of a quoted message that are always the same: between placeholders and numbers.
fn fixed_parts(message: &str) -> Vec<String> {
    let is_fixed = |word: &&str| {
        let letters = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let placeholder = ["REPO", "HOST", "NAME", "3"].contains(&letters);
        !placeholder && *word != ".."
    };
    let words: Vec<&str> = message.split(' ').collect();
    words
        .split(|word| !is_fixed(word))
        .map(|words| words.join(" "))
        .filter(|part| part.len() > 5)
        .collect()
}

#[test]
fn the_messages_that_the_readme_quotes_are_the_programs() {
    let (_, table) = document("README.md")
        .split_once("| git-credential-hf says | do this |")
        .expect("the table of messages");
    let (table, _) = table.split_once("\n\n").expect("the table's end");
    let sources = sources();
    let mut count = 0;
    for row in table.lines().filter(|row| row.starts_with("| `")) {
        let first = cells(row).swap_remove(0);
        for message in code_spans(&first) {
            let parts = fixed_parts(message);
            assert!(!parts.is_empty(), "{message}");
            for part in parts {
                assert!(sources.contains(&part), "`{part}` of: {message}");
            }
            count += 1;
        }
    }
    assert!(count > 6, "only {count} messages are quoted");
}

#[test]
fn the_diagram_has_the_steps_by_their_names() {
    let (_, diagram) = document("README.md")
        .split_once("```text\n")
        .expect("the diagram");
    let (diagram, _) = diagram.split_once("```").expect("its end");
    let marked = |line: &'static str| line.split_once("├─ ").or_else(|| line.split_once("└─ "));
    let steps: Vec<&str> = diagram
        .lines()
        .filter_map(|line| marked(line)?.1.split(" ─").next())
        .collect();
    assert_eq!(steps.len(), 10, "{steps:?}");
    let sources = sources();
    let details = document("install/configuration.md");
    for step in steps {
        assert!(sources.contains(&format!("=> \"{step}\"")), "{step}");
        let detailed =
            ["default", "hf CLI"].contains(&step) || details.contains(&format!("**{step}**"));
        assert!(detailed, "{step} is not in install/configuration.md");
    }
}

#[test]
fn the_example_configuration_is_valid_and_names_every_key() {
    let text = document("install/configuration.md");
    let (_, rest) = text.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(CONFIG, example);
    machine.helper(["list"]).ok();

    // What the program says of an unknown key names the known ones.
    for unknown in [
        "zzzzzzzzzzzz = 1",
        "[endpoints]\n\"https://hub.example\" = { zzzzzzzzzzzz = 1 }",
        "[commands]\nvault = { zzzzzzzzzzzz = 1 }",
        "[rules]\nacme = { zzzzzzzzzzzz = 1 }",
    ] {
        machine.write(CONFIG, format!("{unknown}\n"));
        let said = machine.helper(["list"]).fails().stderr;
        let (_, known) = said.split_once("known keys: ").expect("the known keys");
        let known = known.lines().next().unwrap_or("").split(", ");
        for key in known {
            let named = [format!("{key} = "), format!("[{key}]")];
            assert!(
                named.iter().any(|named| example.contains(named)),
                "{key} is not in the example"
            );
        }
    }
}

#[test]
fn the_variables_in_the_documents_are_read_by_the_program() {
    let sources = sources();
    for (document, text) in DOCUMENTS {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let ours = words.filter(|word| {
            ["GIT_CREDENTIAL_HF_", "HF_", "HUGGING_FACE_"]
                .iter()
                .any(|prefix| word.len() > prefix.len() && word.starts_with(prefix))
        });
        for variable in ours {
            let literal = format!("\"{variable}\"");
            assert!(sources.contains(&literal), "{document}: {variable}");
        }
    }
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut count = 0;
    for (document, text) in DOCUMENTS {
        let folder = root().join(document);
        let folder = folder.parent().expect("a folder");
        let mut in_block = false;
        for line in text.lines() {
            in_block ^= line.starts_with("```");
            let links = line.split("](").skip(1);
            for link in links.filter_map(|rest| rest.split(')').next()) {
                if in_block || link.starts_with("https://") {
                    continue;
                }
                let file = link.split('#').next().unwrap_or("");
                assert!(folder.join(file).exists(), "{document}: {link}");
                count += 1;
            }
        }
    }
    assert!(count > 5, "only {count} links were found");
}
