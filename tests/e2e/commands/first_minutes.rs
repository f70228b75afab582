//! The first minutes with the program: what a new user types, pastes and mistypes.

use crate::hub::common::login;
use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::hub::api::{OAuth, WhoAmI, account, fine_grained};
use crate::support::keyring::Keyring;
use crate::support::machine::Machine;
use crate::support::session::play;
use crate::support::terminal::Terminal;
use crate::support::user::{CONFIG, STATE, now};
use serde_json::json;
use std::time::Duration;

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
const LOGIN: [&str; 5] = ["login", "work", "--with-token", "--storage", "file"];

#[test]
fn a_new_user_with_nothing() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let token = hub.add_token("work", &[("acme", Read)]);
    whoami.says(
        "work",
        fine_grained(&[("org", "acme", &["repo.content.read"])]),
    );
    let session = include_str!("sessions/new-user.txt");
    play(&machine, "", session, &[("WORK", &token)]);
    machine.git(["clone", "https://huggingface.co/acme/x"]).ok();
    let session = include_str!("sessions/in-the-clone.txt");
    play(&machine, "x", session, &[("WORK", &token)]);
}

#[test]
fn names_are_asked_for_and_replacing_is_said() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let (one, two) = (hub.add_token("one", &[]), hub.add_token("two", &[]));
    machine.login("a", &one, &[]);
    machine.login("b", &two, &[]);
    machine.configure();
    let session = include_str!("sessions/names.txt");
    play(&machine, "", session, &[("ONE", &one), ("TWO", &two)]);
}

/// A token's scopes take precedence over `HF_TOKEN`, so rules are offered for other places only.
#[test]
fn rules_are_offered_where_they_change_something() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let scope = |org| ("org", org, &["repo.content.read"][..]);
    let token = |name, answer| {
        whoami.says(name, answer);
        hub.add_token(name, &[])
    };
    let first = token("first", fine_grained(&[scope("acme")]));
    login(&machine, "first", &first).ok();
    let narrow = token("narrow", fine_grained(&[scope("acme"), scope("umbrella")]));
    let wide = token("wide", account("write"));
    machine.configure();
    let session = include_str!("sessions/rules.txt");
    play(
        &machine,
        "",
        session,
        &[("NARROW", &narrow), ("WIDE", &wide)],
    );
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("one", &[]);
    machine.login("a", &token, &[]);
    for verb in ["logout", "use"] {
        let failed = machine.helper([verb]).fails();
        assert_eq!(failed.code, 2);
        failed.says(&[
            "no token was named",
            &format!("git credential-hf {verb} NAME"),
        ]);
    }
    // The same value again replaces nothing; another one is said to have taken its place.
    let same = machine.login("a", &token, &[]).stdout;
    assert!(!same.contains("replaces"), "{same}");
    let second = machine.login("b", &token, &[]).stdout;
    assert!(
        second.contains("the same token is also stored as `a`"),
        "{second}"
    );
    let other = machine.login("a", &hub.add_token("two", &[]), &[]).stdout;
    assert!(
        other.contains("it replaces the token that was there before (hf_…"),
        "{other}"
    );
}

#[test]
fn a_login_that_is_offered_and_fails_leaves_git_configured() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let mut terminal = Terminal::start(machine.helper(["configure"]));
    terminal.sees("Log in now? [y/N] ");
    terminal.types("y\n");
    terminal.sees("Store the token in a file instead?");
    terminal.types("n\n");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("no keyring is running"), "{screen}");
    let again = machine.helper(["configure"]).ok().stdout;
    assert!(again.starts_with("git already calls"), "{again}");
}

/// Where stdin is a terminal, `--with-token` has nothing to read; and stderr is a file, so that
/// nothing can be asked.
#[test]
fn the_login_that_is_advised_has_each_option_once() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let line = format!("git-credential-hf {} 2>said", LOGIN.join(" "));
    let (code, _) = Terminal::start(machine.command("sh", ["-c", &line])).ends();
    let said = machine.read("said");
    assert_eq!(code, 1, "{said}");
    let advice = "on stdin: git credential-hf login work --with-token < FILE";
    assert!(said.contains(advice), "{said}");
}

#[test]
fn what_people_paste_is_understood() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let token = hub.add_token("work", &[]);
    whoami.says(
        "work",
        fine_grained(&[("org", "acme", &["repo.content.read"])]),
    );
    let utf16: Vec<u8> = format!("\u{feff}{token}\r\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let texts = [
        format!("\"{token}\"\n"),
        format!("HF_TOKEN={token}"),
        format!("export HF_TOKEN='{token}'\n"),
        format!("Authorization: Bearer {token}"),
        format!("\u{feff}{token}\n"),
    ];
    let mut pasted: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    pasted.push(utf16);
    for bytes in pasted {
        machine.helper(LOGIN).stdin(&bytes).ok();
        let end = &token[token.len() - 4..];
        assert_eq!(
            machine.state()["tokens"]["work"]["hint"],
            format!("hf_…{end}")
        );
        machine
            .helper(["logout", "--with-token"])
            .stdin(&bytes)
            .ok();
        assert!(machine.names().is_empty());
    }
    // Else the character in the way is named, and the rest is not repeated.
    for (text, word) in [
        (format!("{token} x"), "a space"),
        (format!("{token}é"), "U+00E9"),
        (format!("{token}\n{token}"), "a line break"),
        ("hf_$TOKEN".to_owned(), "`$`"),
    ] {
        for command in [&LOGIN[..], &["logout", "--with-token"]] {
            machine.helper(command).stdin(&text).fails().says(&[word]);
        }
    }
}

#[test]
fn the_storage_is_checked_before_a_token_is_asked_for() {
    if !Keyring::is_possible() {
        return;
    }
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let (locked, bare) = (Keyring::start(), Keyring::start());
    locked.lock();
    bare.delete_default();
    for (address, words) in [
        (
            "unix:path=/nonexistent".to_owned(),
            "no keyring is running on this machine",
        ),
        (locked.address(), "the keyring is locked"),
        (bare.address(), "the keyring has no default collection"),
    ] {
        machine.env("DBUS_SESSION_BUS_ADDRESS", &address);
        let mut terminal = Terminal::start(machine.helper(["login", "work"]));
        terminal.sees(words);
        terminal.sees("Store the token in a file instead?");
        terminal.types("n\n");
        let (code, screen) = terminal.ends();
        assert_eq!(code, 1);
        assert!(
            !screen.contains("not shown"),
            "asked all the same: {screen}"
        );
        for library in ["zbus", "D-Bus", "dbus", "Platform", "I/O"] {
            assert!(!screen.contains(library), "{screen}");
        }
        // Nobody to ask: the same words, and what to type.
        let failed = machine.helper(["login", "work", "--with-token"]).fails();
        failed.says(&[
            words,
            "git credential-hf login work --with-token --storage file",
        ]);
        assert!(!machine.home().join(STATE).exists() && !machine.home().join(CONFIG).exists());
    }
    // With a yes the file is used from then on.
    let mut terminal = Terminal::start(machine.helper(["login", "work", "--no-verify"]));
    terminal.sees("[y/N]");
    terminal.types("y\n");
    terminal.sees("(not shown): ");
    terminal.hides();
    let token = hub.add_token("work", &[]);
    terminal.types(&format!("{token}\n"));
    terminal.sees("Set it up now?");
    terminal.types("\n");
    assert_eq!(terminal.ends().0, 0);
    assert!(machine.read(CONFIG).contains("storage = \"file\""));
}

#[test]
fn words_of_other_programs_are_known_or_answered() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.login("a", &hub.add_token("a", &[]), &[]);
    assert!(machine.helper(["ls"]).ok().stdout.contains("hf_…"));
    let added = ["add", "b", "--with-token", "--no-verify"];
    machine.helper(added).stdin(hub.add_token("b", &[])).ok();
    machine.helper(["remove", "a"]).ok();
    machine.helper(["rm", "b"]).ok();
    assert!(machine.names().is_empty());
    for (words, answer) in [
        (
            &["switch", "work"][..],
            "git credential-hf use NAME --default",
        ),
        (&["auth", "login"], "git credential-hf login"),
        (&["setup-git"], "git credential-hf configure"),
        (&["uninstall"], "git credential-hf unconfigure"),
        (
            &["revoke", "work"],
            "git credential-hf logout NAME --revoke",
        ),
    ] {
        let failed = machine.helper(words).fails();
        assert_eq!(failed.code, 2, "{failed}");
        failed.says(&["there is no command", answer]);
    }
}

/// What CI gives a step as stdin, and what git gives a helper.
#[test]
fn a_mistyped_verb_is_an_error_unless_git_asks() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    for input in ["", "\n", "y\n", "=x\n", "some text\n"] {
        let failed = machine.helper(["gte"]).stdin(input).fails();
        assert_eq!(failed.code, 2, "{input:?} {failed}");
        failed.says(&["gte"]);
    }
    machine.helper(["gte"]).stdin(REQUEST).ok().silent();
    let capability = "capability[]=state\n";
    machine.helper(["gte"]).stdin(capability).ok().silent();
    // A pipe that stays open and silent is not waited for.
    let line = "sleep 60 | (git-credential-hf gte; echo \"code $?\")";
    let shell = machine.command("sh", ["-c", line]);
    let shell = shell.timeout(Duration::from_secs(20)).start();
    shell.wait_until_it_prints("code 2");
    shell.kill();
}

#[test]
fn in_a_notebook_nothing_waits_for_an_answer() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.configure();
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    machine.env("JPY_PARENT_PID", "1");
    machine.unset("GIT_TERMINAL_PROMPT");
    let stopped = machine.ask("get", REQUEST);
    assert_eq!((stopped.code, stopped.stdout.as_str()), (1, "quit=1\n"));
    let line = stopped.helper_line();
    assert!(
        line.contains("a notebook") && line.contains("!git credential-hf login"),
        "{line}"
    );
    // IPython gives what `!` runs a terminal that nobody can type into.
    let login = Terminal::start(machine.helper(["login", "work"]));
    let (code, screen) = login.ends();
    assert_eq!(code, 1);
    for words in ["a notebook cannot ask", "--with-token", "--web", "HF_TOKEN"] {
        assert!(screen.contains(words), "{screen}");
    }
    hub.add_repo("acme/x", true);
    let url = "https://huggingface.co/acme/x";
    let clone = Terminal::start(machine.git(["clone", "--quiet", url]));
    let (code, screen) = clone.ends();
    assert_eq!(code, 128);
    assert!(!screen.contains("Username for"), "{screen}");
    // Colab shows a field to type into.
    machine.env("COLAB_RELEASE_TAG", "release");
    let mut login = Terminal::start(machine.helper(["login", "work"]));
    login.sees("(not shown): ");
    login.hides();
    login.types("\u{3}");
    assert_eq!(login.ends().0, 130);
    let answer = machine.ask("get", REQUEST).ok();
    assert!(!answer.stdout.contains("quit"), "{answer}");
}

#[test]
fn in_its_last_seven_days_a_token_says_so_in_one_line() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.login("work", &hub.add_token("work", &[]), &["--for", "acme"]);
    let expires_in = |left: u64| {
        let mut state = machine.state();
        state["tokens"]["work"]["expires"] = json!(now() + left);
        machine.write(STATE, state.to_string());
        machine.ask("get", REQUEST).ok()
    };
    for (left, says) in [
        (7 * 86_400 - 60, true),
        (60, true),
        (7 * 86_400 + 60, false),
    ] {
        let answer = expires_in(left);
        assert!(answer.value("password").is_some());
        assert_eq!(answer.helper_lines().len(), usize::from(says), "{answer}");
        let said = answer.stderr.contains("token `work` expires in");
        assert_eq!(said, says, "{answer}");
    }
    let config = machine.read(CONFIG);
    machine.write(CONFIG, config.replacen('\n', "\nhints = false\n", 1));
    assert_eq!(expires_in(60).stderr, "");
}

#[test]
fn the_browser_is_opened_at_the_complete_address() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    WhoAmI::start(&hub);
    let oauth = OAuth::start(&hub, &[], 3600);
    oauth.polls_are_answered(&["authorization_pending"]);
    machine.program("xdg-open", "#!/bin/sh\necho \"$1\" >\"$HOME/opened\"\n");
    machine.env("DISPLAY", ":0");
    let login = ["login", "me", "--web", "--storage", "file"];
    let mut terminal = Terminal::start(machine.helper(login));
    let page = "https://huggingface.co/oauth/device?user_code=ABCD-1234";
    terminal.sees(page);
    terminal.sees("The code is ABCD-1234, and it is valid for 10 min.");
    terminal.sees("stored `me`");
    terminal.sees("[y/N]");
    terminal.types("\n");
    terminal.sees("[y/N]");
    terminal.types("\n");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(machine.read("opened").trim(), page);
    // Where each turn of the spinner would be a line, there is none.
    for (key, value) in [("JPY_PARENT_PID", "1"), ("TERM", "dumb")] {
        oauth.polls_are_answered(&["authorization_pending"]);
        let name = format!("n-{}", key.to_lowercase());
        let login = ["login", &name, "--web", "--storage", "file", "--json"];
        let run = machine.helper(login).env(key, value);
        let (code, screen) = Terminal::start(run).ends();
        assert_eq!(code, 0, "{screen}");
        assert!(!screen.contains("Waiting"), "{key} {screen}");
    }
}
