//! `doctor`: looks for what is in the way, and puts right what it can.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::Result;

use crate::app::Context;
use crate::doctor;
use crate::doctor::Inspection;
use crate::doctor::Outcome;
use crate::doctor::report;
use crate::doctor::report::Counts;
use crate::doctor::report::Public;
use crate::doctor::report::Repaired;
use crate::terminal;
use crate::terminal::AlreadyReported;
use crate::terminal::Screen;
use crate::terminal::print;
use crate::terminal::print_json;

/// What `doctor` is given.
#[derive(Debug, clap::Args)]
#[command(
    about = "Find what is in the way, and put right what can be",
    long_about = "\
Looks at git and its configuration, at this helper's files and storages, at tokens elsewhere that
go before this helper's, at git-lfs, git-xet and the hf CLI, and at the way to the Hub. Each line is
one check with its verdict, why, and what to do. Exit code 0 means that there is no problem, 1
that there is one; notes and warnings are none.

The output holds no secret, no login of a URL and not where your home directory is: it can be
pasted into a public report. No token is sent to the Hub.

--fix does what is this helper's own and can be undone (`configure`, closing its files to others,
removing what a killed process has left), each on a yes, and says what is left for you.",
    after_help = "\
Examples:
  git credential-hf doctor
  cd some-clone && git credential-hf doctor      with what that repository says
  git credential-hf doctor --offline --json
  git credential-hf doctor --fix --yes"
)]
pub struct Args {
    /// Repair what can be repaired, each on a yes
    #[arg(long)]
    pub fix: bool,
    /// Do not ask
    #[arg(long, short, requires = "fix")]
    pub yes: bool,
    /// Leave the network alone
    #[arg(long)]
    pub offline: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// After how long it is said what is being looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks, repairs if asked to, and reports.
///
/// # Errors
/// When there is a problem: it has been printed.
pub fn run(options: &Args) -> Result<()> {
    let mut context = Context::new()?;
    let config_error = context.load_config().err();
    let surroundings = Inspection::look(&context, config_error, options.offline);
    let homes = surroundings.homes.clone();
    let public = Public { homes: &homes };
    let mut outcomes = look(&surroundings);
    if !options.json {
        let screen = Screen::stdout();
        print(&report::as_text(&outcomes, &public, screen, options.fix))?;
    }
    let mut repaired = None;
    if options.fix {
        let done = repair(&context, &outcomes, &public, options);
        if !done.is_empty() {
            let mut context = Context::new()?;
            let config_error = context.load_config().err();
            let again = Inspection::look(&context, config_error, options.offline);
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
        return Err(AlreadyReported.into());
    }
    Ok(())
}

/// Runs the checks; on a terminal, one that takes its time is named.
fn look(surroundings: &Inspection<'_>) -> Vec<Outcome> {
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
    options: &Args,
) -> Vec<Repaired> {
    let repairs = report::repairs(outcomes);
    if !repairs.is_empty() && !options.yes && !terminal::can_ask() {
        terminal::tell("nothing is repaired without a yes: add --yes");
        return Vec::new();
    }
    let mut done = Vec::new();
    for repair in repairs {
        let command = repair.command();
        if options.yes || terminal::confirm(&format!("run `{}`?", public.text(&command))) {
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
