//! `completions`: prints the completions for a shell.

use anyhow::Result;
use clap::Command;
use clap_complete::{Shell, generate};

use crate::terminal::print;

/// The program's name as shells and git know it.
const NAME: &str = "git-credential-hf";

/// `clap_complete` 4.6 does not handle a hyphen in a name for bash, so there it is given this name,
/// which is replaced afterwards.
const NAME_FOR_BASH: &str = "hf_credential";

/// Git's own completion for bash calls `_git_credential_hf` for `git credential-hf ..`, with the
/// words of the line in `words`. Those of zsh and fish find the program's completion by its name.
const BASH_FOR_GIT: &str = r#"
_git_credential_hf() {
    local at=${__git_cmd_idx:-1}
    local COMP_WORDS=(git-credential-hf "${words[@]:at+1}") COMP_CWORD=$((cword - at))
    _hf_credential git-credential-hf "$cur" "$prev"
}
"#;

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Print the completions for a shell",
    after_help = "\
Examples:
  git credential-hf completions bash > ~/.local/share/bash-completion/completions/git-credential-hf
  git credential-hf completions zsh > ~/.zfunc/_git-credential-hf
  git credential-hf completions fish > ~/.config/fish/completions/git-credential-hf.fish
  git credential-hf completions powershell >> $PROFILE"
)]
pub(crate) struct Args {
    /// The shell
    pub(crate) shell: Shell,
}

/// Prints the completions of `command`, the whole command line.
///
/// # Errors
/// When stdout fails.
pub(crate) fn run(args: &Args, mut command: Command) -> Result<()> {
    let bash = args.shell == Shell::Bash;
    let name = if bash { NAME_FOR_BASH } else { NAME };
    let mut script = Vec::new();
    generate(args.shell, &mut command, name, &mut script);
    let mut script = String::from_utf8(script)?;
    if bash {
        script = script.replace(
            &format!("default {NAME_FOR_BASH}\n"),
            &format!("default {NAME}\n"),
        );
        script.push_str(BASH_FOR_GIT);
    }
    print(&script)
}
