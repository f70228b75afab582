//! Whatever ends a prompt, the terminal and the stores are as they were.

use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::terminal::Terminal;
use crate::support::user::{CONFIG, STATE};
use std::fs;

/// How a person, or the system, ends a prompt.
const ENDS: [(&str, &str); 7] = [
    ("keys", "\u{3}"),
    ("keys", "\u{4}"),
    ("signal", "INT"),
    ("signal", "TERM"),
    ("signal", "HUP"),
    ("signal", "QUIT"),
    ("keys", "\n"),
];

/// What is stored.
fn stores(machine: &Machine) -> [Option<Vec<u8>>; 2] {
    [STATE, CONFIG].map(|file| fs::read(machine.home().join(file)).ok())
}

fn end(terminal: Terminal, (how, what): (&str, &str)) -> (i32, String) {
    let mut terminal = terminal;
    match how {
        "signal" => terminal.signal(what),
        _ => terminal.types(what),
    }
    terminal.ends()
}

#[test]
fn the_hidden_prompt_leaves_everything_as_it_was() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.login("work", &hub.add_token("work", &[]), &["--for", "acme"]);
    let before = stores(&machine);
    for how in ENDS {
        for arguments in [
            &["login", "other", "--default"][..],
            &["logout", "--with-token", "--revoke"],
        ] {
            let mut terminal = Terminal::start(machine.helper(arguments));
            terminal.sees("(not shown): ");
            terminal.hides();
            terminal.types("hf_half");
            if how.1 == "\u{4}" {
                // The end of the input is one only at the beginning of a line.
                terminal.types("\u{15}");
            }
            let (code, screen) = end(terminal, how);
            let expected = match how.1 {
                "\u{3}" | "INT" => 130,
                "TERM" => 143,
                "HUP" => 129,
                "QUIT" => 131,
                _ => 1,
            };
            assert_eq!(code, expected, "{how:?} {screen}");
            assert!(!screen.contains("hf_half"), "{how:?} {screen}");
            assert_eq!(stores(&machine), before, "{how:?}");
        }
    }
}

#[test]
fn a_question_leaves_everything_as_it_was() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.login("work", &hub.add_token("work", &[]), &["--for", "acme"]);
    let before = stores(&machine);
    for how in ENDS {
        for (arguments, question) in [
            (&["logout", "--all"][..], "[y/N] "),
            (&["logout"], "[1-1] "),
            (&["logout", "work", "--revoke"], "[y/N] "),
            (&["use", "--default"], "[1-1] "),
            (&["login", "work"], "[y/N] "),
        ] {
            let mut terminal = Terminal::start(machine.helper(arguments));
            terminal.sees(question);
            let (code, screen) = end(terminal, how);
            assert_ne!(code, 0, "{how:?} {arguments:?} {screen}");
            assert_eq!(stores(&machine), before, "{how:?} {arguments:?} {screen}");
        }
    }
    assert!(machine.names().contains("work"));
}
