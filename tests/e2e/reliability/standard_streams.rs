//! The standard streams as some callers leave them: closed, or with nobody at the other end.

use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::{Machine, Output};
use crate::support::user::CONFIG;
use std::fs::File;
use std::io::pipe;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

/// A machine with a token in its environment.
fn machine(hub: &Hub) -> (Machine, String) {
    let machine = Machine::new(hub);
    let token = hub.add_token("env", &[("acme", Write)]);
    machine.env("HF_TOKEN", &token);
    (machine, token)
}

/// What a shell makes of `script`, which finds the helper as `$0`, with a request as its input.
fn in_shell(machine: &Machine, script: &str) -> Output {
    let program = machine.bin().join("git-credential-hf");
    let arguments = ["-c".as_ref(), script.as_ref(), program.as_os_str()];
    let run = machine.command("sh", arguments).stdin(REQUEST);
    run.may_print_secret().ok()
}

/// The first file that is opened takes the number of a stream that is closed. The trace stays
/// open while git is answered, so it would be given the answer.
#[test]
fn what_is_meant_for_git_is_written_into_no_file() {
    let hub = Hub::start();
    let (machine, token) = machine(&hub);
    let trace = machine.home().join("trace");
    machine.env("GIT_CREDENTIAL_HF_TRACE", &trace);
    for (closed, answers) in [
        (">&-", false),
        ("2>&-", true),
        (">&- 2>&-", false),
        ("<&-", false),
        ("<&- >&- 2>&-", false),
    ] {
        machine.write("trace", "");
        let output = in_shell(&machine, &format!("exec \"$0\" get {closed}"));
        assert_eq!(
            output.stdout.contains(&token),
            answers,
            "{closed}: {output}"
        );
        assert!(machine.files_with_secrets().is_empty(), "{closed}");
        // It was open all the time.
        let asked = !closed.contains('<');
        assert_eq!(
            machine.read("trace").contains("answering"),
            asked,
            "{closed}"
        );
    }
}

/// A program that is started finds a stream in the place of a closed one, too.
#[test]
fn a_command_that_prints_a_token_runs_with_streams_closed() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("vault", &[]);
    machine.write("token", &token);
    machine.write(
        "vault",
        // As a program does that asks for a password: it fails where there is no stderr.
        "#!/bin/sh\necho unlocking >&2 && cat \"$HOME/token\"\n",
    );
    let vault = machine.home().join("vault");
    machine.write(
        CONFIG,
        format!("version = 1\n[rules]\nacme = \"v\"\n[commands]\nv = [{vault:?}]\n"),
    );
    let output = in_shell(&machine, "chmod 700 vault && exec \"$0\" get 2>&-");
    assert!(output.stdout.contains(&token), "{output}");
}

/// A terminal that was closed, or `2>&1 | head`: what is said reaches nobody, and the answer is
/// given all the same.
#[test]
fn a_reader_that_has_gone_away_does_not_end_the_program() {
    let hub = Hub::start();
    let (machine, token) = machine(&hub);
    machine.env("GIT_CREDENTIAL_HF_TRACE", "1");
    machine.write("request", REQUEST);
    let gone = || {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        writer
    };
    let request = || File::open(machine.home().join("request")).expect("the request");

    let mut get = machine.helper(["get"]).into_command();
    get.stdin(request()).stderr(gone());
    let output = get.output().expect("run it");
    assert!(output.status.success(), "{:?}", output.status);
    assert!(String::from_utf8_lossy(&output.stdout).contains(&token));

    // Where it is the answer that nobody reads, there is nothing left to do.
    for command in [
        ["get"].as_slice(),
        &["explain", "acme/x"],
        &["list", "--json"],
    ] {
        let mut run = machine.helper(command).into_command();
        run.stdin(request()).stdout(gone()).stderr(Stdio::null());
        let status = run.status().expect("run it");
        assert_eq!(status.signal(), None, "{command:?}");
    }
}

/// And programs that are started are ended by it, as they expect to be.
#[test]
fn a_program_that_is_run_has_the_signals_of_any_other() {
    let hub = Hub::start();
    let (machine, _) = machine(&hub);
    let run = [
        "run",
        "--for",
        "acme/x",
        "--",
        "sh",
        "-c",
        "kill -PIPE $$; echo alive",
    ];
    let output = machine.helper(run).fails();
    assert_eq!(output.code, 128 + 13, "{output}");
    assert_eq!(output.stdout, "");
}
