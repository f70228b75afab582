//! `man`: prints the manual page, which is made from the definition of the command line.

use anyhow::Result;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::terminal::print;

/// Sections that the definition of the command line does not have: a heading, then terms and their meanings.
const MORE: [(&str, &[(&str, &str)]); 4] = [
    (
        "ENVIRONMENT",
        &[
            (
                "HF_TOKEN, HUGGING_FACE_HUB_TOKEN",
                "A token for the Hub that HF_ENDPOINT names, or for https://huggingface.co.",
            ),
            (
                "HF_ENDPOINT",
                "The Hub that a name such as acme/x is on, and that HF_TOKEN and the hf CLI's tokens belong to. Unless it is set, https://huggingface.co.",
            ),
            (
                "HF_HOME, HF_TOKEN_PATH",
                "Where the hf CLI stores its token.",
            ),
            (
                "GIT_CREDENTIAL_HF_TOKEN_NAME",
                "The name of the token to use for one command, whatever the rules say.",
            ),
            (
                "GIT_CREDENTIAL_HF_HOME",
                "The folder for the configuration, the state and tokens stored in files.",
            ),
            (
                "GIT_CREDENTIAL_HF_TRACE",
                "1, or an absolute path: traces each decision on standard error or in that file, without any secret.",
            ),
        ],
    ),
    (
        "FILES",
        &[
            (
                "~/.config/git-credential-hf/config.toml",
                "Rules, endpoints and commands. On macOS and Windows it is in the folder for application data.",
            ),
            (
                "~/.local/share/git-credential-hf/",
                "What is known about each token, and the tokens themselves with `--storage file`.",
            ),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            ("0", "Done, or yes."),
            ("1", "Failed, or no."),
            ("2", "Wrong usage."),
            ("3", "Not known, such as when the Hub cannot be reached."),
        ],
    ),
    (
        "SEE ALSO",
        &[(
            "gitcredentials(7), git-credential(1), git-config(1)",
            "How git asks for credentials, and which helpers it calls.",
        )],
    ),
];

/// Prints the page in roff, as `man` reads it. `command` is the whole command line.
///
/// # Errors
/// When stdout fails.
pub(crate) fn run(command: Command) -> Result<()> {
    print(&page(command)?)
}

fn page(mut command: Command) -> Result<String> {
    command = command
        .disable_help_subcommand(true)
        .subcommand_value_name("COMMAND")
        .mut_subcommands(|verb| verb.disable_help_flag(true));
    command.build();
    let name = command.get_name().to_owned();
    let version = command.get_version().unwrap_or_default().to_owned();
    let verbs: Vec<Command> = command.get_subcommands().cloned().collect();
    let examples = after_help(&command);
    // The version replaces the date, so that the same program always prints the same page.
    let page = Man::new(command)
        .date(version)
        .source(name)
        .manual("Git Manual");

    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    roff.to_writer(&mut out)?;
    for verb in verbs {
        verb_section(verb, &mut out)?;
    }
    let mut roff = Roff::new();
    examples_section(&mut roff, &examples);
    for (heading, pairs) in MORE {
        roff.control("SH", [heading]);
        for (term, meaning) in pairs {
            roff.control("TP", []);
            roff.text([bold(*term)]);
            roff.text([roman(*meaning)]);
        }
    }
    roff.to_writer(&mut out)?;
    Ok(String::from_utf8(out)?)
}

/// Writes one verb as a section. `clap_mangen` makes a page for each verb. Its title and headings are
/// left out, since all verbs are on one page.
fn verb_section(verb: Command, out: &mut Vec<u8>) -> Result<()> {
    let mut roff = Roff::new();
    roff.control("SS", [verb.get_name()]);
    roff.to_writer(&mut *out)?;
    let examples = after_help(&verb);
    let page = Man::new(verb);
    let mut body = Vec::new();
    page.render_synopsis_section(&mut body)?;
    body.extend_from_slice(b".PP\n");
    page.render_description_section(&mut body)?;
    page.render_options_section(&mut body)?;
    for line in String::from_utf8(body)?.lines() {
        if ![".SH ", ".ie ", ".el "]
            .iter()
            .any(|macros| line.starts_with(macros))
        {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
    }
    let mut roff = Roff::new();
    examples_lines(&mut roff, &examples);
    roff.to_writer(out)?;
    Ok(())
}

fn after_help(command: &Command) -> String {
    command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn examples_section(roff: &mut Roff, examples: &str) {
    roff.control("SH", ["EXAMPLES"]);
    examples_lines(roff, examples);
}

/// Writes the lines as they are in the help.
fn examples_lines(roff: &mut Roff, examples: &str) {
    if examples.is_empty() {
        return;
    }
    roff.control("PP", []);
    roff.control("nf", []);
    for line in examples.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}
