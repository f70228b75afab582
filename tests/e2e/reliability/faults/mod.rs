//! `kill -9`, a full disk and a keyring that breaks off, at every system call by which a command
//! changes anything: not by luck, but one after the other. Whatever was there before is there
//! afterwards, every file can be read, no secret lies where nobody knows of it, the next command
//! works, and it cleans up.
//!
//! `cargo test --test e2e faults:: -- --nocapture` prints how many faults each command survived.

mod desk;
mod rows;

use crate::support::faults::{Action, Fault, Point};
use crate::support::keyring::Keyring;
use crate::support::pool;
use crate::support::tools::need;
use desk::Desk;
use rows::*;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs every row with a fault at every point that `applies`, and counts.
fn every(faults: &str, rows: Vec<Row>, fault: Fault, applies: fn(&Row, &Point) -> bool) {
    if !need("strace") || !Keyring::is_possible() {
        return;
    }
    let mut jobs = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        jobs.extend((0..row.jobs).map(|job| (at, job)));
    }
    let done = pool::each(&jobs, |&(at, job)| {
        let outcomes = go_through(&rows[at], job, fault, applies);
        outcomes.into_iter().map(move |outcome| (at, outcome))
    });
    let done: Vec<(usize, Result<bool, String>)> = done.into_iter().flatten().collect();
    let count = |at: usize| {
        let happened = |(row, outcome): &&(usize, _)| *row == at && *outcome == Ok(true);
        done.iter().filter(happened).count()
    };
    for (at, row) in rows.iter().enumerate() {
        println!("{:>5}  {}", count(at), row.what);
    }
    println!("{faults}: {}", (0..rows.len()).map(count).sum::<usize>());
    let failed: Vec<&String> = done
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().err())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let harmless = rows.iter().enumerate().find(|(at, _)| count(*at) == 0);
    assert!(
        harmless.is_none(),
        "nothing went wrong in {:?}",
        harmless.map(|(_, row)| row.what)
    );
}

/// Whether each fault came to pass, or what was lost by it.
fn go_through(
    row: &Row,
    job: usize,
    fault: Fault,
    applies: fn(&Row, &Point) -> bool,
) -> Vec<Result<bool, String>> {
    let mut desk = Desk::new(row);
    let git_file = |desk: &Desk| fs::read(desk.machine.home().join(".gitconfig")).expect("it");
    let before = git_file(&desk);
    let points = (row.action)(&desk).points(&desk.machine);
    let git_files = [before, git_file(&desk)];
    let points = points.iter().filter(|point| applies(row, point));
    let mine = points.enumerate().filter(|(at, _)| at % row.jobs == job);
    mine.map(|(_, point)| {
        for _ in 0..3 {
            let survives = || desk.survives(row, point, fault, &git_files);
            // What was lost has been printed by then.
            if let Ok(happened) = catch_unwind(AssertUnwindSafe(survives)) {
                return Ok(happened);
            }
            // A daemon that has hung or ended because its client went away says nothing of what
            // this program kept: the same fault meets another daemon.
            let keyring = desk.keyring.borrow();
            if keyring.as_ref().is_none_or(Keyring::is_well) {
                break;
            }
            drop(keyring);
            println!("{}: the keyring broke at {point}", row.what);
            desk = Desk::new(row);
        }
        Err(format!("{}: {fault:?} at {point}", row.what))
    })
    .collect()
}

#[test]
fn a_kill_at_every_write_of_every_command_loses_nothing() {
    every("kills survived", rows(), Fault::Kill, |_, point| {
        point.changes()
    });
}

#[test]
fn a_full_disk_at_every_write_of_every_command_loses_nothing() {
    let full = Fault::Error("ENOSPC");
    every("full disks survived", rows(), full, |_, point| {
        point.needs_space()
    });
}

#[test]
fn a_keyring_that_breaks_off_at_any_word_loses_nothing() {
    let rows = rows().into_iter().filter(|row| row.keyring).collect();
    let reset = Fault::Error("ECONNRESET");
    every("broken keyrings survived", rows, reset, |_, point| {
        point.is_talk()
    });
}

/// What only reads does not even make a lock.
#[test]
fn commands_that_only_look_change_nothing() {
    if !need("strace") {
        return;
    }
    let desk = Desk::new(&row("", in_file, |_| ask("steady/x"), &[]));
    for arguments in [
        ["list"].as_slice(),
        &["list", "--json"],
        &["explain", "changing/x"],
        &["token", "changing/x"],
        &["capability"],
    ] {
        let points = Action::new(arguments, "").points(&desk.machine);
        assert_eq!(points, [], "{arguments:?}");
    }
    for action in [
        ask("changing/x"),
        ask("nobody/x"),
        store(&desk, "path=changing/x\n", "c0"),
        erase(&desk, "path=changing/x\n", Some("new")),
    ] {
        assert_eq!(action.points(&desk.machine), [], "{action:?}");
    }
}
