//! What the program tells people to run is run, exactly as it is told, and changes the verdict.

mod desk;
mod from_commands;
mod from_git;
mod transcripts;

use crate::support::advice::{Advised, follow, is_advised, never_advised};
use crate::support::pool;
use desk::Desk;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Something that is wrong, who says so, and what helps.
pub struct Row {
    set: fn(&Desk),
    /// What a person runs in the clone: git, or else the helper.
    ask: &'static [&'static str],
    /// What is wrong, in words that are gone once the advice was taken.
    complaint: &'static str,
    /// The command that is advised; `~` is the home.
    advice: &'static str,
    /// What the advice has a person do by hand before.
    hand: fn(&Desk),
    /// What is asked afterwards in place of the question, and what it then says.
    proof: Option<(&'static [&'static str], &'static str)>,
}

const fn row(
    set: fn(&Desk),
    ask: &'static [&'static str],
    complaint: &'static str,
    advice: &'static str,
) -> Row {
    Row {
        set,
        ask,
        complaint,
        advice,
        hand: |_| (),
        proof: None,
    }
}

impl Row {
    const fn by_hand(mut self, hand: fn(&Desk)) -> Row {
        self.hand = hand;
        self
    }

    const fn proven_by(mut self, ask: &'static [&'static str], says: &'static str) -> Row {
        self.proof = Some((ask, says));
        self
    }

    /// As [`Row::take`], also where a command fails that prepares it or was advised.
    fn take_all(&self) -> Result<Vec<Advised>, String> {
        let words = |panic: Box<dyn Any + Send>| panic.downcast_ref::<String>().cloned();
        let took = catch_unwind(AssertUnwindSafe(|| self.take()));
        took.unwrap_or_else(|panic| Err(words(panic).unwrap_or_default()))
    }

    /// Takes the advice on a machine of its own, and gives the lines that had it.
    fn take(&self) -> Result<Vec<Advised>, String> {
        let Row {
            set,
            ask,
            complaint,
            advice,
            hand,
            proof,
        } = self;
        let desk = Desk::new();
        set(&desk);
        let said = desk.says(ask);
        if !said.contains(complaint) {
            return Err(format!("{ask:?} does not say {complaint:?}: {said}"));
        }
        if !is_advised(&said, advice) {
            return Err(format!("{ask:?} does not advise {advice:?}: {said}"));
        }
        hand(&desk);
        let shown = follow(&desk.machine, "x", advice, &desk.hub.value_of("new"));
        let after = desk.says(proof.map_or(ask, |(ask, _)| ask));
        let helped = match proof {
            Some((_, says)) => after.contains(says),
            None => !after.contains(complaint),
        };
        if !helped {
            return Err(format!(
                "{ask:?}, after {advice}: {after}\nwhich showed: {shown}"
            ));
        }
        let lines = said.lines().filter(|line| is_advised(line, advice));
        Ok(lines.map(|line| Advised::new(line, advice)).collect())
    }
}

#[test]
fn what_is_advised_changes_the_verdict() {
    let rows: Vec<&Row> = from_git::ROWS.iter().chain(from_commands::ROWS).collect();
    let results = pool::each(&rows, |row| row.take_all());
    let wrong: Vec<&String> = results.iter().filter_map(|it| it.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let advised: Vec<Advised> = results.into_iter().flatten().flatten().collect();
    let never = never_advised(false, &advised, ELSEWHERE);
    assert!(never.is_empty(), "no row takes this advice: {never:#?}");
}

/// Advice that no row here takes: the words of it, and why or where.
const ELSEWHERE: &[(&str, &str)] = &[
    ("or at the prompt", "commands::bad_input: a usage error"),
    (
        "to log in later",
        "commands::first_minutes: an offer, declined",
    ),
    (
        "to do it later",
        "commands::first_minutes: an offer, declined",
    ),
    (
        "they would need HF_TOKEN",
        "a question, answered in import::flow",
    ),
    (
        "choose another name: git",
        "commands::first_minutes: a question, declined",
    ),
    ("name the file: git", "on Windows, with a git before 2.41"),
    (
        "it cannot be removed here",
        "hub::logout: the file is not changed",
    ),
    ("logout --with-token < FILE", "hub::logout gives it so"),
    (
        "in your shell's history now",
        "hub::logout: a token that is not stored here",
    ),
    ("manage it", "other programs' commands, three of them"),
    ("see the hf CLI's names", "it shows something"),
    (
        "hf auth login",
        "hf_cli::shared_login, with the real hf CLI",
    ),
    ("or for you alone", "hostile::accounts"),
];
