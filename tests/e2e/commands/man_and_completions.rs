//! The manual page and the completions, by the programs that read them.

use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::tools::find;

/// The verbs, as the help lists them.
fn verbs(machine: &Machine) -> Vec<String> {
    let help = machine.helper(["-h"]).ok().stdout;
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .expect("a list of commands");
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let words = lines.filter_map(|line| line.split_whitespace().next());
    words
        .filter(|verb| *verb != "help")
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn the_manual_page_has_every_verb_and_reads_without_warnings() {
    let machine = Machine::new(&Hub::start());
    let page = machine.helper(["man"]).ok().stdout;
    assert!(page.contains("\n.TH git-credential-hf 1 "), "{page}");
    for verb in verbs(&machine) {
        assert!(page.contains(&format!("\n.SS {verb}\n")), "{verb}");
    }
    assert!(page.contains("HF_TOKEN"));
    let Some(groff) = find("groff") else { return };
    machine.write("page.1", &page);
    let groff = machine.command(groff, ["-man", "-Tascii", "-ww", "page.1"]);
    let shown = groff.ok();
    assert_eq!(shown.stderr, "");
    assert!(shown.stdout.contains("Wrong usage."));
}

#[test]
fn bash_completes_verbs_and_options_below_git_too() {
    let machine = Machine::new(&Hub::start());
    let script = machine.helper(["completions", "bash"]).ok().stdout;
    machine.write("completions.bash", script);
    // What bash and git's own completion set before they call the functions.
    machine.write(
        "try.bash",
        r#"
. ./completions.bash
alone() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _hf_credential "$1" "${@: -1}" "${@: -2:1}"
    echo "${COMPREPLY[*]}"
}
below_git() {
    local words=("$@") cword=$(($# - 1)) cur=${@: -1} prev=${@: -2:1} COMPREPLY=()
    _git_credential_hf
    echo "${COMPREPLY[*]}"
}
complete -p git-credential-hf
alone git-credential-hf lo
alone git-credential-hf login --sto
alone git-credential-hf completions fi
below_git git credential-hf lo
__git_cmd_idx=3 below_git git -C dir credential-hf login --wi
"#,
    );
    let said = machine.command("bash", ["try.bash"]).ok().stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("complete ") && lines[0].ends_with(" git-credential-hf"));
    assert_eq!(
        lines[1..],
        [
            "login logout",
            "--storage",
            "fish",
            "login logout",
            "--with-token"
        ]
    );
}

#[test]
fn every_shell_is_told_every_verb() {
    let machine = Machine::new(&Hub::start());
    let verbs = verbs(&machine);
    assert!(verbs.len() > 10, "{verbs:?}");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = machine.helper(["completions", shell]).ok().stdout;
        for verb in &verbs {
            assert!(script.contains(verb.as_str()), "{shell}: {verb}");
        }
        // The shells themselves, where they are.
        let check: &[&str] = match shell {
            "zsh" | "bash" => &["-n", "script"],
            "fish" => &["--no-execute", "script"],
            _ => continue,
        };
        if let Some(program) = find(shell) {
            machine.write("script", script);
            machine.command(program, check).ok();
        }
    }
    machine.helper(["completions", "tcsh"]).fails();
}
