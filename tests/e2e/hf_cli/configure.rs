//! `configure --hf-cli`: a line by which the hf CLI sees that git has a helper, which changes
//! nothing else.

use crate::git::configure::machine;
use crate::support::machine::Machine;
use crate::support::tools::gits;
use std::fs;
use std::os::unix::fs::symlink;

const X: &str = "https://huggingface.co/acme/x";
const HINT: &str = "configure --hf-cli";

/// What the hf CLI takes for a helper's name in `git config --list`.
fn seen(machine: &Machine) -> Vec<String> {
    let listed = machine.git(["config", "--list"]).ok().stdout;
    let values = listed
        .lines()
        .filter_map(|line| line.strip_prefix("credential.helper="));
    let plain = |c: char| c.is_alphanumeric() || "_-/".contains(c);
    let name = |value: &str| {
        let rest = value.trim_start_matches(plain);
        let end = rest.is_empty() || rest.starts_with(char::is_whitespace);
        (end && rest.len() < value.len()).then(|| value.to_owned())
    };
    values.filter_map(name).collect()
}

#[test]
fn the_line_is_seen_called_without_noise_and_undone() {
    for git in gits() {
        let (hub, machine) = machine();
        let machine = machine.with_git(&git);
        let before = machine.read(".gitconfig");
        machine.configure();
        assert!(seen(&machine).is_empty());
        machine.helper(["configure", "--hf-cli"]).ok();
        // The folder of the tests has a dot in its name, as ~/.local/bin has.
        assert_eq!(seen(&machine).len(), 1, "{}", machine.read(".gitconfig"));
        let once = machine.read(".gitconfig");
        machine.helper(["configure", "--hf-cli"]).ok();
        machine.configure();
        assert_eq!(machine.read(".gitconfig"), once);

        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/acme/x"), ["env"]);
        // It is asked about other hosts too, has nothing to say, and is given nothing to keep.
        let elsewhere = "protocol=https\nhost=elsewhere.example\nusername=u\npassword=p\n";
        let approve = machine.git(["credential", "approve"]).stdin(elsewhere);
        assert_eq!(approve.ok().stderr, "");
        let fill = machine.git(["credential", "fill"]);
        let asked = fill
            .stdin("protocol=https\nhost=elsewhere.example\n")
            .fails();
        assert!(asked.helper_lines().is_empty(), "{asked}");
        assert!(!asked.stderr.contains("not a git command"), "{asked}");

        machine.helper(["unconfigure"]).ok();
        assert_eq!(machine.read(".gitconfig"), before);
    }
}

#[test]
fn a_helper_that_git_is_told_of_later_takes_its_place() {
    let (hub, machine) = machine();
    machine.helper(["configure", "--hf-cli"]).ok();
    machine
        .git(["config", "--global", "credential.helper", "store"])
        .ok();
    assert_eq!(seen(&machine), ["store"]);
    machine.git(["ls-remote", X]).ok();
    assert_eq!(hub.tokens_seen("/acme/x"), ["env"]);
    assert!(!machine.home().join(".git-credentials").exists());
    machine.configure();
    assert_eq!(seen(&machine), ["store"]);
    machine.helper(["unconfigure"]).ok();
    assert_eq!(seen(&machine), ["store"]);
}

#[test]
fn configure_tells_of_it_where_an_hf_cli_is_that_sees_no_helper() {
    let (_hub, machine) = machine();
    let told = || {
        let said = machine.helper(["configure"]).ok().stdout;
        assert!(said.lines().count() <= 2, "{said}");
        said.contains(HINT)
    };
    assert!(!told(), "without an hf CLI");
    fs::create_dir_all(machine.home().join(".cache/huggingface")).expect("make a folder");
    assert!(told(), "with its folder");
    fs::remove_dir_all(machine.home().join(".cache")).expect("remove it");
    symlink("/bin/true", machine.bin().join("hf")).expect("put it on the PATH");
    assert!(told(), "with the program");
    machine.write(
        ".gitconfig",
        "[credential]\n\thelper = /opt/.x/y\n\thelper = !f\n",
    );
    assert!(told(), "with helpers that it does not see");
    machine.write(".gitconfig", "[credential]\n\thelper = cache --timeout 9\n");
    assert!(!told(), "with one that it sees");
    machine.write(".gitconfig", "");
    machine.helper(["configure", "--hf-cli"]).ok();
    assert!(!told(), "with ours");
}
