//! The command line: git's actions by the shortest way, everything else through clap.

use crate::terminal::AlreadyReported;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::commands::credential;
use crate::model::text;
use crate::system::hardening;
use crate::terminal;

/// Runs this process's command line, and gives its exit code: 0 done, 1 failed, 2 wrong usage.
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
            // Repeating what was typed is what error messages do, so this comes before them.
            terminal::print_error(
                &terminal::Failure::new("an argument holds a token, which other users of this machine could see")
                    .help("give it on stdin (git credential-hf login NAME --with-token) or when asked")
                    .help("it is in your shell's history now: end it with `logout --revoke`, or on the Hub")
                    .into(),
            );
            return 2;
        }
        _ if is_unknown_action(&arguments) => Ok(()),
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
            if !error.is::<AlreadyReported>() {
                terminal::print_error(&error);
            }
            1
        }
    }
}

/// Reads a command line, for `main` and for the tests of the documents' examples.
///
/// # Errors
/// When it is not understood, or asks for help.
#[doc(hidden)]
pub fn parse(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse_from(arguments)
}

/// Prints what clap says: help and version as they are, and errors with what fits here.
fn usage(error: &clap::Error, arguments: &[OsString]) -> u8 {
    if !error.use_stderr() {
        let _ = error.print();
        return 0;
    }
    // `git credential-hf --help` makes git look for a manual page, `-h` reaches the program; and
    // a token must not be tried as a positional argument instead.
    let rendered = error.render();
    // Styles of clap's own, unless what it repeats could bring others.
    let plain = arguments.iter().all(|argument| {
        let argument = argument.to_string_lossy();
        text::sanitize(&argument) == argument
    });
    let text = if io::stderr().is_terminal() && plain {
        rendered.ansi().to_string()
    } else {
        text::sanitize(&rendered.to_string())
    };
    let lines = text
        .lines()
        .filter(|line| !line.contains("as a value, use"));
    let text: Vec<String> = lines
        .map(|line| {
            // The list of options has both.
            if line.contains("-h, --help") {
                line.to_owned()
            } else {
                line.replace("--help", "-h")
            }
        })
        .collect();
    terminal::tell_styled(&text.join("\n"));
    2
}

/// Whether a token was typed where a name belongs. What comes after `--` is another program's.
fn holds_token(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| crate::model::secret::holds_token(&argument.to_string_lossy()))
}

/// Whether git, not a person, asks for an action that this version does not know. Helpers pass
/// over those in silence (gitcredentials(7), "CUSTOM HELPERS"); a person with a typing error is
/// told, and a person has a terminal.
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
    !word.starts_with('-') && word != "help" && !io::stdin().is_terminal() && !known()
}

/// The right Hugging Face token for each repository, for git, git-lfs and git-xet.
#[derive(Debug, Parser)]
#[command(
    name = "git-credential-hf",
    bin_name = "git credential-hf",
    version,
    after_help = "\
Examples:
  git credential-hf configure                    let git call this helper for the Hub
  git credential-hf login work --for acme        keep a token; use it for everything of acme
  git credential-hf login me --default           and another for the rest
  git credential-hf explain acme/llama           which token git gets there, and why
  git credential-hf check acme/llama --push      whether a push would work, and if not why

Git itself calls `get`, `store` and `erase`. Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Configure(commands::configure::Args),
    /// Take this helper out of git's configuration again, byte for byte
    Unconfigure(commands::configure::Scope),
    Login(commands::login::Args),
    Logout(commands::logout::Args),
    Rename(commands::rename::Args),
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
        Verb::Configure(configure) => commands::configure::configure(&configure),
        Verb::Unconfigure(scope) => commands::configure::unconfigure(&scope),
        Verb::Login(login) => commands::login::run(&login),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
