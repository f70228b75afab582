//! Advice, taken exactly as it is given: at a terminal, by a person who says yes and pastes a token
//! where one is asked for.

use super::machine::Machine;
use super::terminal::Terminal;
use std::fs;
use std::path::Path;

/// Whether a text advises this very command, and not one that only begins like it.
pub fn is_advised(text: &str, command: &str) -> bool {
    text.match_indices(command).any(|(at, _)| {
        let rest = &text[at + command.len()..];
        ["`", "\n", ";", ",", " (", ". "]
            .iter()
            .any(|end| rest.starts_with(end))
            || rest.is_empty()
    })
}

/// The commands in a text that says how to repair something, such as `to see them: git x; or: git y`.
pub fn commands_in(text: &str) -> Vec<&str> {
    let clauses = text.split("; ").flat_map(|part| part.split(", or: "));
    let command = |clause: &'_ str| {
        clause
            .rsplit_once(": ")
            .map_or(0, |(before, _)| before.len() + 2)
    };
    let commands = clauses.map(|clause| &clause[command(clause)..]);
    let programs = ["git ", "sudo ", "hf ", "rm ", "chmod ", "unset "];
    let is_command = |text: &&str| programs.iter().any(|program| text.starts_with(program));
    commands.filter(is_command).collect()
}

/// Runs a command that was advised in a folder, and gives what the terminal shows. `NAME` in it is
/// what a person chooses, and `sudo` is not needed by root, who runs the tests.
pub fn follow(machine: &Machine, folder: &str, command: &str, token: &str) -> String {
    if let Some(variable) = command.strip_prefix("unset ") {
        machine.unset(variable);
        return String::new();
    }
    if command.contains(" < FILE") {
        machine.write("token-file", token);
    }
    let line = command
        .replace("NAMESPACE", "acme")
        .replace("NAME", "new")
        .replace("PATTERN", "acme")
        .replace(" < FILE", " < ~/token-file")
        .replace(" FILE", " ~/git-config");
    let line = line.strip_prefix("sudo ").unwrap_or(&line);
    // Where a keyring is missing, a person says where tokens go.
    let run = machine.command("/bin/sh", ["-c", line]).dir(folder);
    let (code, screen) = Terminal::start(run).answered(token);
    assert_eq!(code, 0, "{line}: {screen}");
    assert!(!screen.contains(token), "{line} shows the token");
    screen
}

/// A line that advised a command which was run.
#[derive(Debug)]
pub struct Advised {
    line: String,
    command: String,
}

impl Advised {
    pub fn new(line: &str, command: &str) -> Advised {
        Advised {
            line: line.to_owned(),
            command: command.to_owned(),
        }
    }

    /// Whether this line is made of that text, whose placeholders stand for anything, and the text
    /// has the command.
    fn is_from(&self, text: &str) -> bool {
        let mut rest = self.line.as_str();
        let mut parts = text.split(['{', '}']).step_by(2);
        let Some(first) = parts.next() else {
            return false;
        };
        let Some(at) = rest.find(first) else {
            return false;
        };
        let start = at;
        rest = &rest[at + first.len()..];
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        let end = self.line.len() - rest.len();
        let program = self
            .command
            .split(' ')
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        self.line[start..end].contains(&program)
    }
}

/// The texts in a source that advise a command, without those in tests, comments and `--help`.
fn advice_in(source: &str) -> Vec<String> {
    let source = source.split("\nmod tests {").next().unwrap_or_default();
    let lines = source.lines().map(str::trim_start);
    let code: Vec<&str> = lines.filter(|line| !line.starts_with("//")).collect();
    let code = code.join("\n").replace("\\\n", "").replace("'\"'", "");
    let mut texts = Vec::new();
    let mut parts = code.split('"');
    while let (Some(before), Some(first)) = (parts.next(), parts.next()) {
        let mut text = first.to_owned();
        // An escaped quotation mark does not end it.
        while text.ends_with('\\') {
            text.pop();
            text.push('"');
            text.push_str(parts.next().unwrap_or_default());
        }
        let is_help = ["about = ", "help = "]
            .iter()
            .any(|end| before.ends_with(end));
        if !is_help {
            texts.push(text.replace("\\n", "\n").trim().to_owned());
        }
    }
    let commands = [
        "git credential-hf ",
        "git config --",
        "hf auth ",
        "chmod ",
        "git lfs install",
        "remote set-url ",
    ];
    texts.retain(|text| commands.iter().any(|command| text.contains(command)));
    // What shows something has no verdict to change.
    let shows = [
        "git credential-hf list",
        "git credential-hf doctor",
        "such as: ",
    ];
    texts.retain(|text| !shows.iter().any(|command| text.contains(command)));
    texts
}

/// The advice in the sources, of `doctor` or of all else, that no line has, and that is not listed
/// with where or why.
pub fn never_advised(
    of_doctor: bool,
    advised: &[Advised],
    elsewhere: &[(&str, &str)],
) -> Vec<String> {
    let mut texts = Vec::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let doctor = source.join("doctor");
    let mut folders = vec![if of_doctor { doctor.clone() } else { source }];
    while let Some(folder) = folders.pop() {
        if !of_doctor && folder == doctor {
            continue;
        }
        for entry in fs::read_dir(folder).expect("list a folder") {
            let path = entry.expect("list a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_string_lossy().ends_with("tests.rs") {
                texts.extend(advice_in(
                    &fs::read_to_string(&path).expect("read a source"),
                ));
            }
        }
    }
    for (words, why) in elsewhere {
        let is_there = texts.iter().any(|text| text.contains(words));
        assert!(is_there && !why.is_empty(), "{words:?} is not advised");
    }
    texts.retain(|text| {
        let listed = elsewhere.iter().any(|(words, _)| text.contains(words));
        !listed && !advised.iter().any(|line| line.is_from(text))
    });
    texts
}
