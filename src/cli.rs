//! The command line: git's actions by the shortest way, everything else through clap.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::import::Source;
use crate::storage::StorageKind;
use crate::ui;
use crate::{commands, hardening};

/// Runs this process's command line, and gives its exit code: 0 done, 1 failed, 2 wrong usage.
#[must_use]
pub fn main() -> u8 {
    hardening::no_core_dump();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let action = arguments.get(1).and_then(|a| a.to_str()).unwrap_or("");
    let result = match action {
        "get" => commands::get::run(),
        "store" => commands::store::run(),
        "erase" => commands::erase::run(),
        "capability" => commands::capability::run(),
        _ if holds_token(&arguments) => {
            // Repeating what was typed is what error messages do, so this comes before them.
            ui::print_error(
                &ui::Failure::new("an argument holds a token, which other users of this machine could see")
                    .help("give it on stdin (git credential-hf login NAME --with-token) or when asked")
                    .help("it is in your shell's history now: end it with `logout --revoke`, or on the Hub")
                    .into(),
            );
            return 2;
        }
        _ if is_unknown_action(&arguments) => Ok(()),
        _ => match Cli::try_parse_from(&arguments) {
            Ok(cli) => dispatch(cli),
            Err(error) => {
                return usage(&error, &arguments);
            }
        },
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            if !error.is::<AlreadySaid>() {
                ui::print_error(&error);
            }
            1
        }
    }
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
        ui::shown(&argument) == argument
    });
    let text = if io::stderr().is_terminal() && plain {
        rendered.ansi().to_string()
    } else {
        ui::shown(&rendered.to_string())
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
    ui::tell_styled(&text.join("\n"));
    2
}

/// An error whose message the user has already seen.
#[derive(Debug, thiserror::Error)]
#[error("failed")]
pub struct AlreadySaid;

/// Whether a token was typed where a name belongs. What comes after `--` is another program's.
fn holds_token(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| crate::secret::holds_token(&argument.to_string_lossy()))
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
        Cli::command()
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
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Configure(Configure),
    /// Take this helper out of git's configuration again, byte for byte
    Unconfigure(Scope),
    Login(Login),
    Logout(Logout),
    List(List),
    Use(Use),
    Unuse(Unuse),
    Explain(Explain),
    Check(Check),
    Token(Token),
    Run(Run),
    Refresh(Refresh),
    Import(Import),
    Doctor(Doctor),
    Completions(commands::completions::Completions),
    /// Print the manual page, for `man -l -` or a folder of manual pages
    Man,
}

fn dispatch(cli: Cli) -> Result<()> {
    match cli.verb {
        Verb::Configure(configure) => commands::configure::configure(&configure),
        Verb::Unconfigure(scope) => commands::configure::unconfigure(&scope),
        Verb::Login(login) => commands::login::run(&login),
        Verb::Logout(logout) => commands::logout::run(&logout),
        Verb::List(list) => commands::list::run(list),
        Verb::Use(choice) => commands::rules::use_token(&choice),
        Verb::Unuse(choice) => commands::rules::unuse(&choice),
        Verb::Explain(explain) => commands::explain::run(&explain),
        Verb::Check(check) => commands::check::run(&check),
        Verb::Token(token) => commands::token::run(&token),
        Verb::Run(run) => commands::run::run(&run),
        Verb::Refresh(refresh) => commands::refresh::run(&refresh),
        Verb::Import(import) => commands::import::run(&import),
        Verb::Doctor(doctor) => commands::doctor::run(&doctor),
        Verb::Completions(completions) => commands::completions::run(&completions, Cli::command()),
        Verb::Man => commands::man::run(Cli::command()),
    }
}

/// What `configure` is given.
#[derive(Debug, Args)]
#[command(
    about = "Let git call this helper for the Hub",
    long_about = "\
Writes one block at the end of git's configuration file: for each Hub an empty `helper =`, so
that no other helper is handed the token, this helper, and `useHttpPath = true`, so that git says
which repository it asks for. Running it again changes nothing, or brings the block up to date.
`unconfigure` takes the block out again and leaves the file as it was, byte for byte.",
    after_help = "\
Examples:
  git credential-hf configure              for you (~/.gitconfig)
  git credential-hf configure --local      for the repository at hand
  git credential-hf configure --hf-cli     for `hf auth login --add-to-git-credential` too
  sudo git credential-hf configure --system"
)]
pub struct Configure {
    /// Which file.
    #[command(flatten)]
    pub scope: Scope,
    /// Add a line that the hf CLI sees, so that `hf auth login --add-to-git-credential` hands its
    /// token to git; kept by later runs
    #[arg(long)]
    pub hf_cli: bool,
}

/// Which of git's configuration files to change.
#[derive(Debug, Default, Args)]
pub struct Scope {
    /// For all users of this machine
    #[arg(long, group = "where")]
    pub system: bool,
    /// For the repository at hand
    #[arg(long, group = "where")]
    pub local: bool,
    /// In this file
    #[arg(long, group = "where", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// What `login` is given.
#[derive(Debug, Args)]
#[command(
    about = "Get a token onto this machine and see what it may do",
    long_about = "\
Keeps a token under a name of your choice (or the name it has on the Hub). The token is asked for
without showing it, read from stdin with --with-token, or handed out by the Hub after a login in
the browser with --web; it is never an argument, which other users could see.

The Hub is asked whose token it is and what it may do where; git then uses it for the repos that
its scopes cover, with no rule needed. A name that exists gets the new token in the place of the
old one, and whatever was held against it is lifted.",
    after_help = "\
Examples:
  git credential-hf login work                            asks for the token
  git credential-hf login me --web --default              in the browser
  git credential-hf login data --for datasets/acme/x      a narrow token for one dataset
  pass show hf/me | git credential-hf login me --with-token
  git credential-hf login server --storage file           where there is no keyring
  git credential-hf login corp --for https://hub.corp.example/acme"
)]
pub struct Login {
    /// What to call it, such as `work`; without it, the name that it has on the Hub
    pub name: Option<String>,
    /// Use it for this namespace or repo (acme, acme/x, datasets/acme/x, acme/llama-*); repeatable
    #[arg(long = "for", value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Use it where nothing else is chosen
    #[arg(long)]
    pub default: bool,
    /// Read the token from stdin
    #[arg(long, conflicts_with = "web")]
    pub with_token: bool,
    /// Log in with the browser, on this or any other machine
    #[arg(long)]
    pub web: bool,
    /// Where to keep it; the choice is remembered
    #[arg(long, value_enum)]
    pub storage: Option<StorageKind>,
    /// Do not ask the Hub whose token it is
    #[arg(long)]
    pub no_verify: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `logout` is given.
#[derive(Debug, Args)]
#[command(
    about = "Remove a token from this machine, and with --revoke from the Hub",
    long_about = "\
Removes a token's secret from its storage, and all that is known of it. Rules that name it stay,
so that a later login under the same name takes its place. The token itself stays valid on the
Hub, unless --revoke ends it there too: everywhere, at once and for good.",
    after_help = "\
Examples:
  git credential-hf logout work
  git credential-hf logout work --revoke       it has leaked: end it on the Hub
  git credential-hf logout --all --yes"
)]
pub struct Logout {
    /// The token's name
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub name: Option<String>,
    /// All tokens
    #[arg(long)]
    pub all: bool,
    /// End the token on the Hub too
    #[arg(long)]
    pub revoke: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `list` is given.
#[derive(Debug, Args)]
#[command(about = "Show the tokens, where each lies, and what goes where")]
pub struct List {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `check` is given.
#[derive(Debug, Args)]
#[command(
    about = "See whether git could read a repo, or push to it, and if not why",
    long_about = "\
Takes the token that git would get and makes git's own first request with it. When the Hub
refuses, it is asked what the token may do, and the reason is told: the token is dead, its role
too low, a scope missing, the account's role in the organisation too low, the organisation's
policy, a gate not accepted, or no such repo. Exit code 0 means that it would work, 1 that not.",
    after_help = "\
Examples:
  git credential-hf check acme/x
  git credential-hf check datasets/acme/x --push
  cd some-clone && git credential-hf check --push && git push"
)]
pub struct Check {
    /// A repo or a URL; without one, the remotes of the repository at hand
    pub repo: Option<String>,
    /// Check a push instead of a read
    #[arg(long)]
    pub push: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `refresh` is given.
#[derive(Debug, Args)]
#[command(
    about = "Renew browser-login tokens, and ask the Hub again about the others",
    after_help = "\
Examples:
  git credential-hf refresh          all tokens
  git credential-hf refresh work"
)]
pub struct Refresh {
    /// The token's name; without one, all tokens from `login`
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `import` is given.
#[derive(Debug, Args)]
#[command(
    about = "Move tokens over that lie elsewhere in plain text",
    long_about = "\
Looks for tokens of your Hubs where other programs keep them in plain text: in the hf CLI's files
(hf), in the files of git's `store` helper (git), in netrc files (netrc), and in URLs of git's
configuration, here and in submodules (remotes). Without a name, in all four.

Each token is verified with the Hub that it is there for and kept under its name, as `login` does.
Then its plain-text copies can be removed, after a question, or with --remove: never before the
token was read back from where it is kept now. What lies in a keychain of another helper is not in
plain text, and is not read; `login` again instead, and erase it there.

Removing a token from the hf CLI's files logs `hf` and Python out, and git uses it from there
anyway; so --remove does it only where `hf` is named.",
    after_help = "\
Examples:
  git credential-hf import --dry-run            what there is; nothing is changed
  git credential-hf import                      asks before anything is removed
  git credential-hf import git netrc --remove
  git credential-hf import remotes --recurse ~/src"
)]
pub struct Import {
    /// Where to look; without one, everywhere
    #[arg(value_enum, value_name = "SOURCE")]
    pub sources: Vec<Source>,
    /// Show what there is, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Remove the plain-text copies without a question
    #[arg(long, conflicts_with = "dry_run")]
    pub remove: bool,
    /// Write rules without a question where a repo would get another token than its URL had
    #[arg(long, conflicts_with = "dry_run")]
    pub rules: bool,
    /// Look into the clones below this folder too; repeatable
    #[arg(long, value_name = "DIR")]
    pub recurse: Vec<PathBuf>,
    /// What to call the token, if there is only one; without it, the name that it has on the Hub
    #[arg(long)]
    pub name: Option<String>,
    /// Where to keep them; the choice is remembered
    #[arg(long, value_enum)]
    pub storage: Option<StorageKind>,
    /// Do not ask the Hub whose tokens they are
    #[arg(long)]
    pub no_verify: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `doctor` is given.
#[derive(Debug, Args)]
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
pub struct Doctor {
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

/// What `token` is given.
#[derive(Debug, Args)]
#[command(
    about = "Print the token that git would get",
    long_about = "\
Prints the token itself, for programs that cannot ask git. Mind where it goes: a variable of one
command is better than a file, and `run` is better than both.",
    after_help = "\
Examples:
  git credential-hf token acme/x
  curl -H @<(printf 'Authorization: Bearer %s' \"$(git credential-hf token acme/x)\") .."
)]
pub struct Token {
    /// A repo or a URL; without one, the repository at hand
    pub repo: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `run` is given.
#[derive(Debug, Args)]
#[command(
    about = "Run a command with HF_TOKEN set to the token that git would get",
    long_about = "\
Sets HF_TOKEN for one command, so that git-xet, the hf CLI and Python use the token that git uses.
The exit code is that of the command.",
    after_help = "\
Examples:
  git credential-hf run --for acme/x -- hf download acme/x
  cd some-clone && git credential-hf run -- python train.py"
)]
pub struct Run {
    /// A repo or a URL; without one, the repository at hand
    #[arg(long = "for", value_name = "REPO")]
    pub repo: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// What `use` is given.
#[derive(Debug, Args)]
#[command(
    about = "Choose a token for a namespace or repo, or as the default",
    long_about = "\
Writes a rule to config.toml. Of several rules that match a repo the most specific wins: a repo
with its kind, a repo, a glob (the longest), a namespace with its kind, a namespace. Without
--for and --default the rule is for the repository at hand.",
    after_help = "\
Examples:
  git credential-hf use work --for acme
  git credential-hf use llama --for 'acme/llama-*' --for datasets/acme/llama
  git credential-hf use me --default
  cd some-clone && git credential-hf use work"
)]
pub struct Use {
    /// The token's name
    pub name: String,
    /// The namespace or repo; repeatable
    #[arg(long = "for", value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Use it where nothing else is chosen
    #[arg(long)]
    pub default: bool,
}

/// What `unuse` is given.
#[derive(Debug, Args)]
#[command(about = "Take a rule out")]
pub struct Unuse {
    /// The rule's pattern, as `list` shows it; without one, the rule for the repository at hand
    pub pattern: Option<String>,
}

/// What `explain` is given.
#[derive(Debug, Args)]
#[command(
    about = "Show which token git gets for a repo, and why",
    long_about = "\
Runs the very choice that git's request runs, and shows every candidate in order with the reason
it stands there. Nothing is changed and no secret is shown.",
    after_help = "\
Examples:
  git credential-hf explain acme/x
  git credential-hf explain https://huggingface.co/datasets/acme/x/tree/main
  cd some-clone && git credential-hf explain"
)]
pub struct Explain {
    /// A repo (acme/x, datasets/acme/x) or a URL; without one, the remotes of the repository at hand
    pub repo: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
