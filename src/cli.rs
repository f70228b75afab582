//! The command line. Git's actions are handled first, and everything else by clap.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::app::{Context, asked};
use crate::commands::credential;
use crate::git::protocol::MAX_LINE;
use crate::model::endpoint::Endpoint;
use crate::model::text;
use crate::system::hardening;
use crate::terminal::{AlreadyReported, Screen};
use crate::{commands, terminal};

/// Runs the command line of this process, and returns its exit code: 0 for done or yes, 1 for failed or
/// no, 2 for wrong usage, 3 for not known.
#[must_use]
pub fn main() -> u8 {
    hardening::no_core_dump();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let action = arguments.get(1).and_then(|a| a.to_str()).unwrap_or("");
    let result = match action {
        "get" => credential::get::run(),
        "store" => credential::store::run(),
        "erase" => credential::erase::run(),
        "capability" => credential::capability::run(),
        _ if holds_token(&arguments) => {
            // Error messages may repeat what was typed, so this comes before them.
            terminal::print_error(
                &terminal::Failure::new("an argument contains a token, which other users of this machine could see")
                    .help("give it on stdin (git credential-hf login NAME --with-token) or at the prompt")
                    .help("it is in your shell's history now: revoke it with `git credential-hf logout --with-token --revoke`")
                    .into(),
            );
            return 2;
        }
        _ if is_unknown_action(&arguments) => Ok(()),
        "" if arguments.len() == 1 => commands::status::run(&commands::status::Args::default()),
        word if other_tools(word).is_some() => Err(answer_for(word).into()),
        _ => match parse(&arguments) {
            Ok(cli) => dispatch(cli),
            Err(error) => {
                return usage(&error, &arguments);
            }
        },
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            if error.is::<terminal::NotKnown>() {
                return 3;
            }
            if !error.is::<AlreadyReported>() {
                terminal::print_error(&error);
            }
            let usage = error
                .downcast_ref()
                .is_some_and(terminal::Failure::is_usage);
            if usage { 2 } else { 1 }
        }
    }
}

/// Parses a command line, for `main` and for the tests of the documents' examples.
///
/// # Errors
/// When it is not valid, or asks for help.
#[doc(hidden)]
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse_from(arguments)
}

/// Prints clap's help and version, and its errors with our own help.
fn usage(error: &clap::Error, arguments: &[OsString]) -> u8 {
    if !error.use_stderr() {
        let _ = error.print();
        return 0;
    }
    // `git credential-hf --help` makes git look for a manual page, but `-h` reaches the program. And
    // a token must not be tried as a positional argument instead.
    let rendered = error.render();
    // Clap's own styles, unless the text that it repeats may contain escapes.
    let plain = arguments.iter().all(|argument| {
        let argument = argument.to_string_lossy();
        text::sanitize(&argument) == argument
    });
    let text = if Screen::stderr().colour && plain {
        rendered.ansi().to_string()
    } else {
        text::sanitize(&rendered.to_string())
    };
    let lines = text
        .lines()
        .filter(|line| !line.contains("as a value, use"));
    let text: Vec<String> = lines
        .map(|line| match line.contains("For more information") {
            true => line.replace("--help", "-h"),
            false => line.to_owned(),
        })
        .collect();
    terminal::tell_styled(&text.join("\n"));
    2
}

/// Whether a token was typed in place of a name. The words after `--` are for another program.
fn holds_token(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| crate::model::secret::holds_token(&argument.to_string_lossy()))
}

/// Whether git, and not a person, asks for an action that this version does not know: one word, with a
/// request on stdin. Helpers ignore such actions (gitcredentials(7), "CUSTOM HELPERS"). A mistyped verb
/// comes with a terminal, with an empty stdin, or with another text.
fn is_unknown_action(arguments: &[OsString]) -> bool {
    let [_, word] = arguments else { return false };
    let Some(word) = word.to_str() else {
        return false;
    };
    let known = || {
        CommandLine::command()
            .get_subcommands()
            .any(|c| c.get_name() == word || c.get_all_aliases().any(|alias| alias == word))
    };
    let may_be = !word.starts_with('-') && word != "help" && !known();
    may_be && !io::stdin().is_terminal() && has_request()
}

/// How long to wait for the start of git's request.
const REQUEST_DEADLINE: Duration = Duration::from_secs(2);

/// Whether stdin begins with a line of git's protocol. It does not if it stays open and silent, as on
/// some CI systems.
fn has_request() -> bool {
    let (sender, receiver) = mpsc::sync_channel(1);
    let read = move || {
        let mut line = Vec::new();
        let mut stdin = io::stdin().lock().take(MAX_LINE as u64);
        let read = stdin.read_until(b'\n', &mut line);
        let _ = sender.send(read.is_ok() && line.iter().position(|byte| *byte == b'=') > Some(0));
    };
    // The thread ends with the process.
    let reader = std::thread::Builder::new().spawn(read);
    reader.is_ok() && receiver.recv_timeout(REQUEST_DEADLINE).unwrap_or(false)
}

/// Verbs of `gh`, `hf` and other helpers, and the commands that do the same here.
fn other_tools(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "switch" => &["use NAME --default", "use NAME --for NAMESPACE"],
        "auth" => &["login", "logout", "status"],
        "setup" | "setup-git" | "install" | "init" => &["configure"],
        "uninstall" => &["unconfigure"],
        "revoke" => &["logout NAME --revoke"],
        "set-default" => &["use NAME --default"],
        "why" | "which" => &["explain REPO"],
        _ => return None,
    })
}

fn answer_for(word: &str) -> terminal::Failure {
    let failure = terminal::Failure::usage(format!("there is no command `{word}` here"));
    let commands = other_tools(word).unwrap_or_default().iter();
    commands.fold(failure, |failure, command| {
        failure.help(format!("run `git credential-hf {command}`"))
    })
}

/// The right Hugging Face token for each repository, for git, git-lfs and git-xet.
#[derive(Debug, Parser)]
#[command(
    name = "git-credential-hf",
    bin_name = "git credential-hf",
    version,
    after_help = "\
Examples:
  git credential-hf                            what needs attention
  git credential-hf configure                  set up git to use this helper
  git credential-hf login work --for acme      store a token for acme's repos
  git credential-hf login me --default         and another one for the rest
  git credential-hf explain acme/llama         which token git gets, and why
  git credential-hf check acme/llama --push    whether a push would work

Git itself calls `get`, `store` and `erase`.
Exit codes: 0 done or yes, 1 failed or no, 2 wrong usage, 3 not known."
)]
pub struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(alias = "whoami")]
    Status(commands::status::Args),
    Configure(commands::configure::Args),
    /// Remove this helper from git's configuration, and nothing else
    Unconfigure(commands::configure::WhichFile),
    #[command(alias = "add")]
    Login(commands::login::Args),
    #[command(aliases = ["remove", "rm"])]
    Logout(commands::logout::Args),
    Rename(commands::rename::Args),
    #[command(alias = "ls")]
    List(commands::list::Args),
    Use(commands::use_token::Args),
    Unuse(commands::unuse::Args),
    Explain(commands::explain::Args),
    Check(commands::check::Args),
    Token(commands::token::Args),
    Run(commands::run::Args),
    Refresh(commands::refresh::Args),
    Import(commands::import::Args),
    Doctor(commands::doctor::Args),
    Completions(commands::completions::Args),
    /// Print the manual page, for `man -l -` or a folder of manual pages
    Man,
}

fn dispatch(cli: CommandLine) -> Result<()> {
    match cli.verb {
        Verb::Status(status) => commands::status::run(&status),
        Verb::Configure(configure) => {
            commands::configure::configure(&configure)?;
            offer_login()
        }
        Verb::Unconfigure(scope) => commands::configure::unconfigure(&scope),
        Verb::Login(login) => {
            commands::login::run(&login)?;
            if login.json {
                Ok(())
            } else {
                offer_configure()
            }
        }
        Verb::Logout(logout) => commands::logout::run(&logout),
        Verb::Rename(rename) => commands::rename::run(&rename),
        Verb::List(list) => commands::list::run(list),
        Verb::Use(choice) => commands::use_token::run(&choice),
        Verb::Unuse(choice) => commands::unuse::run(&choice),
        Verb::Explain(explain) => commands::explain::run(&explain),
        Verb::Check(check) => commands::check::run(&check),
        Verb::Token(token) => commands::token::run(&token),
        Verb::Run(run) => commands::run::run(&run),
        Verb::Refresh(refresh) => commands::refresh::run(&refresh),
        Verb::Import(import) => commands::import::run(&import),
        Verb::Doctor(doctor) => commands::doctor::run(&doctor),
        Verb::Completions(completions) => {
            commands::completions::run(&completions, CommandLine::command())
        }
        Verb::Man => commands::man::run(CommandLine::command()),
    }
}

/// Runs a follow-up that was offered. The command itself is done, so a failure is only reported.
fn only_report(offered: Result<()>) {
    if let Err(error) = offered
        && !error.is::<AlreadyReported>()
    {
        terminal::print_error(&error);
    }
}

/// After `configure`: without a token git gets nothing.
fn offer_login() -> Result<()> {
    if !terminal::can_ask() || Context::with_config()?.has_tokens()? {
        return Ok(());
    }
    if terminal::confirm("There are no tokens yet. Log in now?") {
        only_report(commands::login::run(&commands::login::Args::default()));
        return Ok(());
    }
    terminal::tell("to log in later: git credential-hf login");
    Ok(())
}

/// After `login`: without a line in git's configuration, git does not ask for the token.
fn offer_configure() -> Result<()> {
    let endpoint = Context::with_config()?.env.endpoint();
    let called = asked::calls_us(&endpoint.unwrap_or_else(Endpoint::hugging_face));
    if !terminal::can_ask() || called != Some(false) {
        return Ok(());
    }
    if terminal::confirm("Git does not use this helper yet. Set it up now?") {
        only_report(commands::configure::configure(
            &commands::configure::Args::default(),
        ));
        return Ok(());
    }
    terminal::tell("to do it later: git credential-hf configure");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
