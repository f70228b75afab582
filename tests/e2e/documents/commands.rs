//! Command lines in the documents are understood, and the table of commands has all of them.

use super::{DOCUMENTS, cells, code_spans, document};
use crate::support::hub::Hub;
use crate::support::machine::Machine;
use git_credential_hf::cli;

/// The arguments of a command line, up to what a shell takes for itself.
fn arguments(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => all.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (None, '|' | '<' | '>' | ';' | '&' | ')' | '`') => break,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    all.extend(word);
    all
}

/// What follows `git credential-hf` or `git -C DIR credential-hf` in a line, each time it is there.
fn calls(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("credential-hf ") {
        let words: Vec<&str> = before.split([' ', '`', '"', '!', '(', '$']).collect();
        if let [.., "git", ""] | [.., "git", "-C", _, ""] = words.as_slice() {
            found.push(after);
        }
        rest = after;
    }
    found
}

/// The command lines of a document: in its blocks, and between backticks.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut in_block = false;
    // A span between backticks may go on in the next line.
    let mut prose = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            found.extend(calls(line).into_iter().map(arguments));
        } else if line.starts_with('|') || line.is_empty() {
            prose.push_str("\n\n");
            prose.push_str(&line.replace("\\|", "|"));
            prose.push_str("\n\n");
        } else {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    for paragraph in prose.split("\n\n") {
        for span in code_spans(paragraph) {
            found.extend(calls(span).into_iter().map(arguments));
        }
    }
    found
}

#[test]
fn every_command_line_in_the_documents_is_understood() {
    let mut count = 0;
    for (document, text) in DOCUMENTS {
        for words in command_lines(text) {
            if words.first().is_none_or(|word| word == "..") || words == ["COMMAND", "-h"] {
                continue;
            }
            let line = ["git-credential-hf".to_owned()].into_iter().chain(words);
            let line: Vec<String> = line.collect();
            if let Err(error) = cli::parse(&line) {
                panic!("{document}: {}: {error}", line.join(" "));
            }
            count += 1;
        }
    }
    assert!(count > 60, "only {count} command lines were found");
}

#[test]
fn a_command_line_that_is_wrong_is_found() {
    for (text, understood) in [
        ("```sh\n!git credential-hf list # all\n```", true),
        ("Run `git credential-hf\nlogout NAME`.", true),
        (
            "| `git -C x credential-hf login me --with-token < FILE` | |",
            true,
        ),
        ("Run `git credential-hf listen`.", false),
        (
            "```sh\ngit credential-hf login me --web --with-token\n```",
            false,
        ),
    ] {
        let lines = command_lines(text);
        let [words] = lines.as_slice() else {
            panic!("{text}: {lines:?}")
        };
        let line = ["git-credential-hf".to_owned()]
            .into_iter()
            .chain(words.clone());
        assert_eq!(cli::parse(line).is_ok(), understood, "{text}");
    }
}

#[test]
fn the_table_of_commands_has_them_all_with_options_that_exist() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let (_, table) = document("README.md")
        .split_once("| command | what it does |")
        .expect("the table of commands");
    let (table, _) = table.split_once("\n\n").expect("the table's end");
    let mut named = Vec::new();
    for row in table.lines().filter(|row| row.starts_with("| `")) {
        let first = cells(row).swap_remove(0);
        let spans: Vec<&str> = code_spans(&first).collect();
        let of_row: Vec<&str> = spans
            .iter()
            .filter_map(|span| span.split(' ').next())
            .filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
            .collect();
        let help: String = of_row
            .iter()
            .map(|command| machine.helper([command, "-h"]).ok().stdout)
            .collect();
        let words = first.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        for option in words.filter(|word| word.len() > 2 && word.starts_with("--")) {
            assert!(help.contains(option), "{option} of {of_row:?}: {help}");
        }
        named.extend(of_row.into_iter().map(str::to_owned));
    }
    let help = machine.helper(["-h"]).ok().stdout;
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let list = list.lines().take_while(|line| line.starts_with("  "));
    let mut all: Vec<&str> = list
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    named.sort();
    all.sort_unstable();
    assert_eq!(named, all, "the table of commands and `-h`");
}
