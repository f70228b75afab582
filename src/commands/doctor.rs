//! `doctor`: looks for what is in the way, and puts right what it can.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::Result;

use crate::cli::{AlreadySaid, Doctor};
use crate::config::Rules;
use crate::context::{Context, print, print_json};
use crate::doctor::report::{self, Counts, Public, Repaired};
use crate::doctor::{self, Outcome, Surroundings};
use crate::ui;

/// After how long it is said what is being looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks, repairs if asked to, and reports.
///
/// # Errors
/// When there is a problem: it has been printed.
pub fn run(options: &Doctor) -> Result<()> {
    let mut context = Context::new()?;
    let config_error = context.load_config(Rules::All).err();
    let surroundings = Surroundings::look(&context, config_error, options.offline);
    let homes = surroundings.homes.clone();
    let public = Public { homes: &homes };
    let mut outcomes = look(&surroundings);
    if !options.json {
        let terminal = io::stdout().is_terminal();
        print(&report::as_text(&outcomes, &public, terminal, options.fix))?;
    }
    let mut repaired = None;
    if options.fix {
        let done = repair(&context, &outcomes, &public, options);
        if !done.is_empty() {
            let mut context = Context::new()?;
            let config_error = context.load_config(Rules::All).err();
            let again = Surroundings::look(&context, config_error, options.offline);
            outcomes = look(&again);
        }
        if !options.json {
            print(&afterwards(&done, &outcomes, &public))?;
        }
        repaired = Some(done);
    }
    if options.json {
        let json = report::as_json(&outcomes, &public, repaired.as_deref());
        print_json(&json)?;
    }
    if Counts::of(&outcomes).has_problem() {
        return Err(AlreadySaid.into());
    }
    Ok(())
}

/// Runs the checks; on a terminal, one that takes its time is named.
fn look(surroundings: &Surroundings<'_>) -> Vec<Outcome> {
    if !io::stderr().is_terminal() {
        return doctor::run(surroundings, |_| {});
    }
    let (sender, receiver) = mpsc::channel::<&'static str>();
    let shows = std::thread::spawn(move || {
        let mut current = "";
        let mut shown = false;
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(name) => current = name,
                Err(RecvTimeoutError::Timeout) if !current.is_empty() => {
                    let _ = write!(io::stderr(), "\r\x1b[Klooking at {current} ..");
                    shown = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    });
    let outcomes = doctor::run(surroundings, |name| {
        let _ = sender.send(name);
    });
    drop(sender);
    let _ = shows.join();
    outcomes
}

/// Does what can be done, each on a yes.
fn repair(
    context: &Context,
    outcomes: &[Outcome],
    public: &Public<'_>,
    options: &Doctor,
) -> Vec<Repaired> {
    let repairs = report::repairs(outcomes);
    if !repairs.is_empty() && !options.yes && !ui::can_ask() {
        ui::tell("nothing is repaired without a yes: add --yes");
        return Vec::new();
    }
    let mut done = Vec::new();
    for repair in repairs {
        let command = repair.command();
        if options.yes || ui::confirm(&format!("run `{}`?", public.text(&command))) {
            let error = repair.apply(context).err();
            let error = error.map(|error| format!("{error:#}"));
            done.push(Repaired { command, error });
        }
    }
    done
}

/// What was done, and what is left for a person.
fn afterwards(done: &[Repaired], outcomes: &[Outcome], public: &Public<'_>) -> String {
    let mut text = String::new();
    for Repaired { command, error } in done {
        let command = public.text(command);
        let _ = match error {
            None => writeln!(text, "done: {command}"),
            Some(error) => writeln!(text, "failed: {command}: {}", public.text(error)),
        };
    }
    let left = report::left(outcomes);
    if !left.is_empty() {
        text.push_str("to be done by hand:\n");
    }
    for finding in left {
        let fix = finding.fix.as_ref().map_or("", |fix| &fix.text);
        let _ = writeln!(text, "  {}", public.text(&finding.why));
        let _ = writeln!(text, "    {}", public.text(fix));
    }
    if !done.is_empty() {
        let _ = writeln!(text, "now: {}", Counts::of(outcomes));
    }
    text
}
