//! Another user's session bus, and programs of somebody else in a folder of the PATH.

use super::{REQUEST, machine};
use crate::support::accounts::{Accounts, BOB};
use crate::support::attacks::Attacks;
use crate::support::programs::write_program;
use crate::support::user::login_unverified;
use std::fs;
use std::path::PathBuf;

/// After `sudo -E` or `su`, the address of the bus is still the other user's.
#[test]
fn a_bus_of_another_user_is_asked_for_nothing() {
    use crate::support::keyring::Keyring;
    let (hub, machine) = machine();
    let Some(accounts) = Accounts::new(&machine) else {
        return;
    };
    if !Keyring::is_possible() {
        return;
    }
    let token = hub.add_token("work", &[]);
    let config = accounts.file(
        "bus.conf",
        0,
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow user=\"*\"/><allow send_destination=\"*\"/>\
         <allow own=\"*\"/></policy></busconfig>",
    );
    let login = login_unverified("work", "keyring");
    let mut attacks = Attacks::new();
    for address in ["unix:path", "unix:abstract"] {
        let socket = accounts.at("bob/bus");
        let address = format!("{address}={}", socket.display());
        let config = format!("--config-file={}", config.display());
        let listen = format!("--address={address}");
        let arguments = [
            "--nofork",
            "--nopidfile",
            "--print-address",
            &config,
            &listen,
        ];
        let bus = accounts
            .run_as(&machine, BOB, "dbus-daemon", &arguments)
            .start();
        // It prints its address once it listens there.
        bus.wait_until_it_prints("unix:");
        machine.env("DBUS_SESSION_BUS_ADDRESS", &address);
        for command in [&login[..], &["doctor", "--offline"]] {
            let run = machine.helper(command).stdin(&token).run();
            let said = run.stdout.contains("belongs to another user")
                || run.stderr.contains("belongs to another user");
            attacks.tried(format!("{address} {command:?}: {run}"), !said);
        }
        let run = accounts.ann(&machine, &login).stdin(&token).fails();
        attacks.tried(
            format!("{address}: {run}"),
            !run.stderr.contains("belongs to another user"),
        );
        bus.kill();
    }
    attacks.end();
    // Root's own is used by Ann's command as well: what is said is then about the service.
    let keyring = Keyring::start();
    machine.env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    machine.helper(login).stdin(&token).ok();
}

/// A repository has programs with the names of those that are started, and the PATH has the
/// current folder.
#[test]
fn a_program_in_the_current_folder_is_not_started() {
    let (hub, machine) = machine();
    machine.login_for(&hub, "acme");
    let file = machine.home().join("x");
    fs::create_dir(&file).expect("a folder");
    let names = [
        "git",
        "git-lfs",
        "xdg-open",
        "vault",
        "ps",
        "tool",
        "dbus-launch",
    ];
    for name in names {
        write_program(&file.join(name), "#!/bin/sh\ntouch ~/pwned\necho aaa\n");
    }
    let config = machine.read(crate::support::user::CONFIG);
    let vault = format!("{config}\n[commands]\nvault = [\"vault\"]\n");
    machine.write(crate::support::user::CONFIG, vault);
    let git = machine
        .git(["--version"])
        .into_command()
        .get_program()
        .to_owned();
    let git = PathBuf::from(git);
    let good = format!(
        "{}:/usr/bin:/bin",
        git.parent().expect("a folder").display()
    );
    let mut attacks = Attacks::new();
    let request = format!("{REQUEST}username=vault\n");
    let no_path = "protocol=https\nhost=huggingface.co\n";
    for path in [
        ".",
        "",
        ".:/nonexistent",
        &format!(".:{good}"),
        &format!(":{good}"),
        &format!("bin/..:.:{good}"),
    ] {
        for (command, input) in [
            (&["get"][..], request.as_str()),
            (&["get"], no_path),
            (&["doctor", "--offline"], ""),
            (&["configure", "--local"], ""),
            (&["explain"], ""),
            (&["run", "--for", "acme/x", "--", "tool"], ""),
            (&["login", "--web"], ""),
        ] {
            let run = machine
                .helper(command)
                .stdin(input)
                .dir("x")
                .env("PATH", path);
            let run = run.env("DISPLAY", ":0").may_print_secret().run();
            let pwned = machine.home().join("pwned");
            attacks.tried(format!("PATH={path} {command:?}: {run}"), pwned.exists());
            let _ = fs::remove_file(pwned);
        }
    }
    // With an absolute path they are found.
    let run = machine
        .helper(["run", "--for", "acme/x", "--", "tool"])
        .dir("x");
    let run = run
        .env("PATH", format!("{}:{good}", file.display()))
        .may_print_secret();
    run.ok();
    assert!(machine.home().join("pwned").exists());
    attacks.end();
}
