//! Sessions at a terminal as text that a person can read, and that is played.
//!
//! A line that begins with `$ ` is a command; what follows is all that the terminal then shows.
//! `{2}` is what a person types there, and `{hidden:NAME}` a secret that is typed and not shown.
//! `[exit 1]` at the end of a line of its own is the exit code, where it is not 0.

use super::machine::Machine;
use super::terminal::Terminal;

/// Plays a session, and fails the test where the terminal shows another text. `secrets` are the
/// secrets that the session names; `…NAME` stands for the end of one that is shown.
pub fn play(machine: &Machine, folder: &str, session: &str, secrets: &[(&str, &str)]) {
    machine.env("NO_COLOR", "1");
    // Wide enough that no line wraps.
    machine.env("COLUMNS", "200");
    let path = |path: std::path::PathBuf| path.to_str().expect("a UTF-8 path").to_owned();
    let mut names = vec![
        (path(machine.bin()), "BIN".to_owned()),
        (path(machine.home()), "~".to_owned()),
    ];
    for (name, secret) in secrets {
        let end = &secret[secret.len() - 4..];
        names.push((format!("…{end}"), format!("…{name}")));
    }
    let mut shown = String::new();
    for step in session.split("$ ").filter(|step| !step.is_empty()) {
        let (line, expected) = step.split_once('\n').expect("a command and its output");
        let run = machine.command("/bin/sh", ["-c", line]).dir(folder);
        let mut terminal = Terminal::start(run);
        for part in expected.split('{').collect::<Vec<_>>().windows(2) {
            let (before, typed) = (part[0], part[1]);
            // What was typed before is shown before it.
            let before = before.rsplit_once('}').map_or(before, |(_, text)| text);
            let question = before.lines().next_back().unwrap_or_default();
            let question = names
                .iter()
                .fold(question.to_owned(), |text, (real, name)| {
                    text.replace(name, real)
                });
            terminal.sees(&question);
            let typed = typed.split_once('}').expect("a closing brace").0;
            let secret = typed.strip_prefix("hidden:").map(|name| {
                let known = secrets.iter().find(|(known, _)| *known == name);
                known.expect("a secret of the session").1
            });
            if secret.is_some() {
                terminal.hides();
            }
            terminal.types(&format!("{}\n", secret.unwrap_or(typed)));
        }
        let (code, screen) = terminal.ends();
        for (name, secret) in secrets {
            assert!(!screen.contains(secret), "{name} is shown: {screen}");
        }
        shown.push_str(&format!("$ {line}\n{screen}"));
        if code != 0 {
            shown.push_str(&format!("[exit {code}]\n"));
        }
    }
    for (real, name) in &names {
        shown = shown.replace(real, name);
    }
    let expected: String = plain(session);
    assert!(
        shown == expected,
        "--- shown\n{shown}\n--- expected\n{expected}"
    );
}

/// What the terminal shows of what is typed: the text itself, or nothing.
fn plain(session: &str) -> String {
    let mut parts = session.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (typed, rest) = part.split_once('}').expect("a closing brace");
        if !typed.starts_with("hidden:") {
            text.push_str(typed);
        }
        text.push_str(rest);
    }
    text
}
