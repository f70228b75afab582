//! Advice, taken exactly as it is given: at a terminal, by a person who says yes and pastes a token
//! where one is asked for.

use super::machine::Machine;
use super::terminal::Terminal;

/// Whether a text advises this very command, and not one that only begins like it.
pub fn is_advised(text: &str, command: &str) -> bool {
    text.match_indices(command).any(|(at, _)| {
        let rest = &text[at + command.len()..];
        ["`", "\n", ";", ", or", ", and"]
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
    let line = command.replace("NAME", "new");
    let line = line.strip_prefix("sudo ").unwrap_or(&line);
    // Where a keyring is missing, a person says where tokens go.
    let run = machine.command("/bin/sh", ["-c", line]).dir(folder);
    let (code, screen) = Terminal::start(run).answered(token);
    assert_eq!(code, 0, "{line}: {screen}");
    assert!(!screen.contains(token), "{line} shows the token");
    screen
}
