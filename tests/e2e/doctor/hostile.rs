//! `doctor` where others have had their hands on things: what it prints can be pasted, nothing
//! that a configuration names is run, and nothing holds it up.

use crate::doctor::well::Well;
use std::process::Command;

/// What git's configuration of a repository can name that would be run by whoever believes it.
fn traps(pwned: &str) -> String {
    let run = format!("!touch {pwned}; true git-credential-hf");
    format!(
        "[credential]\n\thelper = \"{run}\"\n\
         [credential \"https://huggingface.co\"]\n\thelper = \"/bin/sh -c 'touch {pwned}' /x/git-credential-hf\"\n\
         [alias]\n\tlfs = \"!touch {pwned}\"\n\txet = \"!touch {pwned}\"\n\tconfig = \"!touch {pwned}\"\n\
         [core]\n\tfsmonitor = \"touch {pwned}\"\n\tpager = \"touch {pwned}\"\n\tsshCommand = \"touch {pwned}\"\n\
         [lfs \"customtransfer.xet\"]\n\tpath = \"touch {pwned}\"\n"
    )
}

#[test]
fn nothing_that_a_repository_names_is_run() {
    let well = Well::new();
    let machine = &well.machine;
    let pwned = machine.home().join("pwned");
    let config = machine.read("x/.git/config");
    let traps = traps(pwned.to_str().expect("a UTF-8 path"));
    machine.write("x/.git/config", format!("{config}{traps}"));
    for arguments in [
        ["doctor", "--json"].as_slice(),
        &["doctor", "--fix", "--yes"],
    ] {
        let said = machine.helper(arguments).dir("x").fails();
        assert!(said.stdout.contains("helper-lines"), "{said}");
        assert!(!pwned.exists(), "{said}");
    }
}

#[test]
fn escapes_and_giants_in_a_configuration_stay_there() {
    let well = Well::new();
    let machine = &well.machine;
    let config = machine.read("x/.git/config");
    let giant = "x".repeat(200_000);
    let hostile = format!(
        "[credential]\n\thelper = \"!\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}{giant}\\n\\nok\"\n\
         \tusername = \"a\\nb\u{1b}[31m\"\n\
         [remote \"\u{1b}[2J\"]\n\turl = https://u:{}@huggingface.co/acme/x\n",
        well.token
    );
    machine.write("x/.git/config", format!("{config}{hostile}"));
    for arguments in [["doctor"].as_slice(), &["doctor", "--json"]] {
        let said = machine.helper(arguments).dir("x").fails();
        for c in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!said.stdout.contains(c), "{c:?} is in {said}");
        }
        let longest = said.stdout.lines().map(str::len).max();
        assert!(longest.is_some_and(|longest| longest < 1000), "{longest:?}");
    }
    // More than any working repository has is not read, and that is said.
    let config = format!("{config}[remote \"y\"]\n\turl = {}\n", giant.repeat(6));
    machine.write("x/.git/config", config);
    let said = machine.helper(["doctor"]).dir("x").fails();
    assert!(said.stdout.contains("larger than 1024 kB"), "{said}");
}

#[test]
fn a_pipe_in_the_place_of_a_configuration_holds_nobody_up() {
    let well = Well::new();
    let machine = &well.machine;
    for name in ["x/pipe", ".netrc"] {
        let made = Command::new("mkfifo")
            .arg(machine.home().join(name))
            .status();
        assert!(made.is_ok_and(|made| made.success()), "make a pipe");
    }
    let config = machine.read("x/.git/config");
    machine.write(
        "x/.git/config",
        format!("{config}[include]\n\tpath = ../pipe\n"),
    );
    let said = machine.helper(["doctor", "--offline"]).dir("x").fails();
    assert!(
        said.stdout
            .contains("git did not finish reading its configuration"),
        "{said}"
    );
}

#[test]
fn the_output_holds_no_secret_no_home_and_no_environment() {
    let well = Well::new();
    let machine = &well.machine;
    machine.forbid("password-of-the-proxy");
    machine.forbid("a-secret-of-another-program");
    machine.env("ANOTHER_PROGRAMS_KEY", "a-secret-of-another-program");
    machine.env("HF_TOKEN", &well.token);
    for key in ["HTTPS_PROXY", "https_proxy"] {
        machine.env(key, "http://me:password-of-the-proxy@127.0.0.1:1");
    }
    let config = machine.read(".gitconfig");
    let secrets = format!(
        "[url \"https://u:{0}@huggingface.co/\"]\n\tinsteadOf = hf:\n\
         [http \"https://u:{0}@huggingface.co\"]\n\textraHeader = Authorization: Basic {0}\n\
         [http]\n\tproxy = http://me:password-of-the-proxy@127.0.0.1:1\n\
         [credential]\n\thelper = store --file {1}/{0}\n\tusername = {0}\n",
        well.token,
        machine.home().display()
    );
    machine.write(".gitconfig", format!("{config}{secrets}"));
    machine.write(
        ".netrc",
        format!("default login u password {}\n", well.token),
    );
    let home = machine.home().display().to_string();
    for arguments in [
        ["doctor"].as_slice(),
        &["doctor", "--json"],
        &["doctor", "--fix", "--yes"],
    ] {
        // That no secret is in it is looked at for every command of these tests.
        let said = machine.helper(arguments).dir("x").fails();
        assert!(!said.stdout.contains(&home), "{said}");
        assert!(!said.stdout.contains("127.0.0.1:1"), "{said}");
    }
}
