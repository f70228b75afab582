//! Where a token was typed or left by mistake, it is neither repeated nor kept.

use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::terminal::Terminal;
use std::{fs, thread};

#[test]
fn a_token_given_as_an_argument_is_repeated_nowhere() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.unknown_token();
    machine.forbid(&token);
    let mut told = Vec::new();
    for arguments in [
        ["login", "work", &token].as_slice(),
        &["login", "work", "--with-token", &token],
        &["login", "work", &format!("--with-token={token}")],
        &["login", "work", &format!("--token={token}")],
        &["login", "work", "--storage", &token],
        &["login", "work", "--for", &token],
        &["use", "work", &token],
        &["use", "work", "--for", &token],
        &["unuse", &token],
        &["logout", "work", &token],
        &["explain", &token],
        &[
            "explain",
            &format!("https://user:{token}@huggingface.co/acme/x"),
        ],
        &["explain", &format!("https://{token}@huggingface.co/acme/x")],
        &["explain", "acme/x", &token],
        &["list", &token],
        &[&token, "--for"],
        &[&format!("--{token}")],
    ] {
        // Each in a thread of its own, so that all of them are seen and not only the first.
        let run = machine.command(machine.bin().join("git-credential-hf"), arguments);
        let said = thread::scope(|scope| scope.spawn(|| run.run()).join());
        if said.is_err() {
            told.push(arguments.join(" ").replace(&token, "TOKEN"));
        }
    }
    assert!(told.is_empty(), "these repeat the token: {told:#?}");
}

#[test]
fn logout_leaves_no_copy_behind_that_a_kill_had_left() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &[]);
    // A kill between writing and renaming leaves the temporary file under such a name.
    let folder = machine.home().join(".local/share/git-credential-hf/tokens");
    let kept = fs::read_dir(&folder).expect("the folder").next();
    let kept = kept.expect("a file").expect("an entry").path();
    let name = kept.file_name().expect("a name").to_string_lossy();
    fs::copy(&kept, folder.join(format!(".{name}.12345-0-678.tmp"))).expect("a copy");
    assert_eq!(machine.files_with_secrets().len(), 2);
    machine.helper(["logout", "work"]).ok();
    let files = machine.files_with_secrets();
    assert!(files.is_empty(), "{files:?}");
    assert_eq!(fs::read_dir(folder).expect("the folder").count(), 0);
}

#[test]
fn a_token_typed_as_the_user_name_is_written_and_shown_nowhere() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(
        ".config/git-credential-hf/config.toml",
        "version = 1\nstorage = \"file\"\n",
    );
    let token = hub.add_token("typed", &[]);
    let scope = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
    let typed = format!("{scope}username={token}\npassword={token}\n");
    machine.store_typed(typed).ok();
    machine.helper(["list"]).ok();
    machine.helper(["list", "--json"]).ok();
    machine.helper(["explain", "acme/x"]).ok();
    for file in machine.files_with_secrets() {
        let is_token = file.extension().is_some_and(|e| e == "token");
        assert!(is_token, "{} holds the token", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        assert!(!name.contains(&token[3..]), "the token names its file");
    }
}

#[test]
fn the_hidden_prompt_takes_a_token_and_leaves_the_terminal_as_it_was() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.unknown_token();
    // Otherwise it asks about that too.
    machine.configure();
    // Through git, whose child cannot count on the shell to mend the terminal.
    let login = ["credential-hf", "login", "work", "--no-verify"];
    let login = login.into_iter().chain(["--storage", "file"]);
    for (keys, codes) in [
        ("\u{3}".to_owned(), &[130][..]),
        // What is read first, the end of the input or the interrupt, is chance.
        ("half\u{4}\u{3}".to_owned(), &[1, 130]),
        (format!("x\u{15}{token}y\u{7f}\n"), &[0]),
    ] {
        let mut terminal = Terminal::start(machine.git(login.clone()));
        terminal.sees("not shown");
        terminal.hides();
        terminal.types(&keys);
        let (code, screen) = terminal.ends();
        assert!(codes.contains(&code), "{code}: {keys:?} {screen}");
        for typed in [&token, "half"] {
            assert!(!screen.contains(typed), "{typed} is shown: {screen}");
        }
    }
    assert!(machine.names().contains("work"));
}
