//! `doctor`: finds problems, and repairs some of them.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::Result;

use crate::app::Context;
use crate::doctor::report::{Counts, Public, Repaired};
use crate::doctor::{CheckOutcome, Inspection, report};
use crate::terminal::{AlreadyReported, Screen, print, print_json};
use crate::{doctor, terminal};

/// The arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Find problems, and with --fix repair what can be repaired",
    long_about = "\
Checks git and its configuration, this helper's files and storages, tokens elsewhere that take
precedence over this helper's, git-lfs, git-xet and the hf CLI, and the connection to the Hub. Each line is
one check with its verdict, the reason, and what to do. Exits 0 if there are no problems and 1
if there are; notes and warnings are not problems.

The output does not contain secrets, logins in URLs or the path of your home directory: it can be
pasted into a public report. No token is sent to the Hub.

--fix repairs what belongs to this helper and can be undone (`configure`, file permissions, what a
killed process left behind). It asks before each change, and lists what is left for you to do.",
    after_help = "\
Examples:
  git credential-hf doctor
  cd some-clone && git credential-hf doctor      checks that repository too
  git credential-hf doctor --offline --json
  git credential-hf doctor --fix --yes"
)]
pub(crate) struct Args {
    /// Repair what can be repaired, asking before each change
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not ask
    #[arg(long, short, requires = "fix")]
    pub(crate) yes: bool,
    /// Do not use the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How long a check runs before the terminal shows its name.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the checks, makes repairs if asked to, and prints the report.
///
/// # Errors
/// When there is a problem, which has been printed.
pub(crate) fn run(options: &Args) -> Result<()> {
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

/// Runs the checks. A terminal shows the name of one that takes long.
fn look(surroundings: &Inspection<'_>) -> Vec<CheckOutcome> {
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
                    let _ = write!(io::stderr(), "\r\x1b[Kchecking {current} ..");
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

/// Makes the repairs, asking before each.
fn repair(
    context: &Context,
    outcomes: &[CheckOutcome],
    public: &Public<'_>,
    options: &Args,
) -> Vec<Repaired> {
    let repairs = report::repairs(outcomes);
    if !repairs.is_empty() && !options.yes && !terminal::can_ask() {
        terminal::tell("refusing to change anything without confirmation; pass --yes");
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

/// Prints what was done, and what is left to do by hand.
fn afterwards(done: &[Repaired], outcomes: &[CheckOutcome], public: &Public<'_>) -> String {
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
        text.push_str("left to do by hand:\n");
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
