//! `import`: tokens that lie elsewhere in plain text are found, verified, kept, and only then
//! removed there.

use crate::hub::common::{asked, json, only_the_storage_holds_secrets};
use crate::import::common::{ACTIVE, Desk, STORED, WHOAMI, everywhere, status};
use crate::support::hub::Response;
use crate::support::hub::api::account;
use crate::support::modes::{mode_of, set_mode};
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, read_with};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn a_dry_run_shows_what_there_is_and_touches_nothing() {
    let desk = Desk::to_import();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    let before = machine.files_with_secrets();
    let output = desk.import(["--dry-run"]).dir("x").ok();
    for (token, place) in tokens
        .iter()
        .zip([".netrc:3", ".git-credentials:4", "origin.url"])
    {
        let end = format!("hf_…{}", &token[token.len() - 4..]);
        assert!(
            output.stdout.contains(&end) && output.stdout.contains(place),
            "{output}"
        );
    }
    assert!(
        output
            .stdout
            .contains("3 tokens would be stored here; nothing was changed"),
        "{output}"
    );
    assert!(desk.hub.log().is_empty());
    assert_eq!(machine.files_with_secrets(), before);
    assert!(!machine.home().join(DATA).exists());
    let told = json(&desk.import(["--dry-run", "--json"]).dir("x").ok());
    assert_eq!(told["tokens"].as_array().map(Vec::len), Some(3));
    assert_eq!(status(&told, &tokens[0])["status"], "new");
    assert_eq!(
        status(&told, &tokens[0])["copies"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn without_a_terminal_tokens_are_kept_and_nothing_is_removed() {
    let desk = Desk::to_import();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    let places = [
        STORED,
        ACTIVE,
        ".netrc",
        ".git-credentials",
        "x/.git/config",
    ];
    let before = places.map(|place| machine.read(place));
    let output = desk.import([]).dir("x").ok();
    assert_eq!(places.map(|place| machine.read(place)), before);
    assert_eq!(asked(&desk.hub, WHOAMI), 3);
    for (label, token) in ["a", "b", "c"].iter().zip(&tokens) {
        assert!(
            output.stdout.contains(&format!("stored `{label}` (hf_…")),
            "{output}"
        );
        assert_eq!(desk.value(label).as_ref(), Some(token));
    }
    assert!(
        output.stdout.contains("git credential-hf import --remove"),
        "{output}"
    );
    // Once more: nothing new, and nobody is asked.
    desk.hub.clear_log();
    let again = desk.import([]).dir("x").ok();
    assert!(again.stdout.contains("stored here as `a`"), "{again}");
    assert!(desk.hub.log().is_empty());
    assert_eq!(machine.names().len(), 3);
}

#[test]
fn copies_are_removed_and_everything_else_stays_to_the_byte() {
    let desk = Desk::to_import();
    let [a, _, c] = everywhere(&desk);
    let machine = &desk.machine;
    desk.hub.add_repo("acme/x", true);
    // A link stays a link, and a mode stays a mode.
    let home = machine.home();
    fs::create_dir(home.join("dotfiles")).expect("a folder");
    fs::rename(home.join(".netrc"), home.join("dotfiles/netrc")).expect("a move");
    symlink("dotfiles/netrc", home.join(".netrc")).expect("a link");
    for (path, mode) in [
        (".netrc", 0o640),
        (".git-credentials", 0o600),
        ("x/.git/config", 0o664),
    ] {
        set_mode(home.join(path), mode);
    }
    let config = machine.read("x/.git/config");

    let output = desk.import(["--remove"]).dir("x").ok();
    assert_eq!(
        machine.read(".netrc"),
        "# mine\nmachine github.com login me password pw\n  # the Hub\nmachine git.example login x password y\n"
    );
    assert!(home.join(".netrc").is_symlink());
    assert_eq!(
        machine.read(".git-credentials"),
        "# mine\n\nhttps://me:pw@github.com\r\nhttps://me:pw@git.example"
    );
    assert_eq!(
        machine.read("x/.git/config"),
        config.replace(&format!("me:{c}@"), "")
    );
    let modes =
        [".netrc", ".git-credentials", "x/.git/config"].map(|path| mode_of(home.join(path)));
    assert_eq!(modes, [0o640, 0o600, 0o664]);
    // The hf CLI is not logged out unless that was said.
    assert_eq!(machine.read(ACTIVE), a);
    assert!(output.stdout.contains("import hf --remove"), "{output}");
    // Three tokens are as good for acme, so it takes a rule for the URL's own to be used still: it
    // is named, and not written.
    let rule = "git credential-hf use c --for acme/x";
    assert!(output.stdout.contains(rule), "{output}");
    assert!(!machine.read(CONFIG).contains("[rules]"));
    machine.helper(["use", "c", "--for", "acme/x"]).ok();
    machine.git(["fetch", "--quiet"]).dir("x").ok();
    assert_eq!(
        read_with(&desk.hub.log()).into_iter().collect::<Vec<_>>(),
        ["c"]
    );

    let output = desk.import(["hf", "--remove"]).ok();
    assert_eq!(machine.read(STORED), "");
    assert!(!home.join(ACTIVE).exists(), "{output}");
    only_the_storage_holds_secrets(machine, 3);
    let nothing = desk.import([]).dir("x").ok();
    assert_eq!(nothing.stdout, "no tokens in plain text were found\n");
}

#[test]
fn on_a_terminal_it_asks_file_by_file() {
    if !need("script") {
        return;
    }
    let desk = Desk::to_import();
    let [a, b, c] = everywhere(&desk);
    let machine = &desk.machine;
    machine.unset("GIT_TERMINAL_PROMPT");
    // The hf CLI: no. git's file: yes. netrc: nothing said. URLs: yes.
    let line = "printf 'n\\ny\\n\\nyes\\n' | script -qfec 'git credential-hf import' /dev/null";
    let shown = machine.command("sh", ["-c", line]).dir("x").ok().stdout;
    for question in [
        "from the hf CLI's files? That logs out hf and Python",
        ".git-credentials? [y/n/a/q]",
        ".netrc? [y/n/a/q]",
        "from the URLs in",
    ] {
        assert!(shown.contains(question), "{question}: {shown}");
    }
    assert_eq!(machine.read(ACTIVE), a);
    assert!(machine.read(".netrc").contains(&a));
    assert!(!machine.read(".git-credentials").contains(&b));
    assert!(!machine.read("x/.git/config").contains(&c));
    assert!(!machine.read(CONFIG).contains("acme/x"));
}

#[test]
fn what_the_hub_does_not_take_stays_where_it_is() {
    let desk = Desk::to_import();
    let good = desk.named_token("good", "acme");
    let dead = desk.named_token("dead", "acme");
    desk.hub.revoke("dead");
    let file = format!("https://u:{dead}@huggingface.co\nhttps://v:{good}@huggingface.co\n");
    desk.machine.write(".git-credentials", &file);
    let output = desk.import(["--remove"]).fails();
    let hint = format!("hf_…{} was not moved", &dead[dead.len() - 4..]);
    let output = output.says(&[&hint, "huggingface.co does not accept this token"]);
    assert!(output.stdout.contains("stored `good`"), "{output}");
    let left = desk.machine.read(".git-credentials");
    assert_eq!(left, format!("https://u:{dead}@huggingface.co\n"));

    // A Hub that is down says nothing of a token, and neither do we unless asked to.
    desk.hub.restore("dead");
    desk.hub.route("GET", "huggingface.co", WHOAMI, |_| {
        Response::text(503, "down")
    });
    desk.import(["--remove"]).fails().says(&["add --no-verify"]);
    assert_eq!(desk.machine.read(".git-credentials"), left);
    desk.import(["--remove", "--no-verify"]).ok();
    assert_eq!(desk.machine.read(".git-credentials"), "");
    assert_eq!(desk.value("u"), Some(dead));
}

#[test]
fn a_storage_that_does_not_work_leaves_everything_where_it_is() {
    let desk = Desk::to_import();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    machine.write(CONFIG, "version = 1\n");
    let before = machine.files_with_secrets();
    let output = desk.import(["--remove"]).dir("x").fails();
    output.says(&[
        "no keyring is running",
        "git credential-hf import --storage file",
    ]);
    assert_eq!(machine.files_with_secrets(), before);
    for (file, token) in [".netrc", ".git-credentials", "x/.git/config"]
        .iter()
        .zip(&tokens)
    {
        assert!(machine.read(file).contains(token), "{file}");
    }
    assert!(machine.names().is_empty());
    // What is said on one occasion is remembered, and nothing else is.
    assert_eq!(machine.read(CONFIG), "version = 1\n");
    // The same for one that keeps nothing: a folder that others can reach.
    let folder = machine.home().join(DATA).join("tokens");
    fs::create_dir_all(&folder).expect("a folder");
    set_mode(&folder, 0o755);
    desk.import(["--remove", "--storage", "file"])
        .dir("x")
        .fails();
    assert_eq!(machine.files_with_secrets(), before);
}

#[test]
fn a_copy_is_not_removed_while_git_does_not_call_the_helper() {
    let desk = Desk::to_import();
    let [_, b, _] = everywhere(&desk);
    desk.machine.helper(["unconfigure"]).ok();
    let output = desk.import(["git", "--remove"]).fails();
    output.says(&["does not call this helper", "git credential-hf configure"]);
    assert!(desk.machine.read(".git-credentials").contains(&b));
    desk.machine.configure();
    desk.import(["git", "--remove"]).ok();
    assert!(!desk.machine.read(".git-credentials").contains(&b));
}

#[test]
fn a_token_that_is_kept_already_is_not_replaced_and_not_kept_twice() {
    let desk = Desk::to_import();
    let [old, new, same] = ["old", "new", "same"].map(|label| desk.named_token(label, "acme"));
    for label in ["old", "new"] {
        let mut says = account("write");
        says["auth"]["accessToken"]["displayName"] = "laptop".into();
        desk.whoami.says(label, says);
    }
    desk.machine.login("laptop", &old, &[]);
    desk.machine.login("mine", &same, &[]);
    desk.machine.write(
        ".git-credentials",
        format!("https://u:{new}@huggingface.co\nhttps://u:{same}@hf.co/acme/x\n"),
    );
    let told = json(&desk.import(["--remove", "--json"]).ok());
    assert_eq!(status(&told, &new)["name"], "laptop-2");
    assert_eq!(status(&told, &new)["status"], "kept");
    assert_eq!(status(&told, &same)["name"], "mine");
    assert_eq!(status(&told, &same)["status"], "known");
    assert_eq!(status(&told, &same)["copies"][0]["removed"], true);
    assert_eq!(desk.machine.read(".git-credentials"), "");
    assert_eq!(desk.machine.names().len(), 3);
    for (name, token) in [("laptop", old), ("laptop-2", new), ("mine", same)] {
        assert_eq!(desk.value(name), Some(token), "{name}");
    }
    let taken = desk.named_token("other", "acme");
    desk.machine
        .write(".netrc", format!("machine hf.co password {taken}\n"));
    desk.import(["--name", "mine"])
        .fails()
        .says(&["another token called `mine`"]);
    desk.import(["--name", "fourth"]).ok();
    assert_eq!(desk.value("fourth"), Some(taken));
}

#[test]
fn what_a_kill_left_without_a_secret_is_kept_again_where_it_was() {
    let desk = Desk::to_import();
    let token = desk.named_token("other", "acme");
    desk.machine.login("work", &token, &[]);
    let lost = desk.machine.files_with_secrets();
    fs::remove_file(&lost[0]).expect("removed");
    desk.machine.write(CONFIG, "version = 1\n");
    let line = format!("https://u:{token}@huggingface.co\n");
    desk.machine.write(".git-credentials", &line);
    desk.import(["--remove"]).ok();
    assert_eq!(
        desk.machine.names().into_iter().collect::<Vec<_>>(),
        ["work"]
    );
    assert_eq!(desk.machine.files_with_secrets(), lost);
    // That is no choice of a storage for others.
    assert_eq!(desk.machine.read(CONFIG), "version = 1\n");
    assert_eq!(desk.machine.read(".git-credentials"), "");
    // Another value under the name is another token, and stays.
    let old = desk.named_token("old", "acme");
    desk.machine.write(
        &lost[0],
        fs::read_to_string(&lost[0])
            .expect("a file")
            .replace(&token, &old),
    );
    desk.machine.write(".git-credentials", &line);
    desk.machine
        .write(CONFIG, "version = 1\nstorage = \"file\"\n");
    desk.import(["--remove"]).ok();
    assert_eq!(desk.value("other"), Some(token));
    assert!(fs::read_to_string(&lost[0]).expect("a file").contains(&old));
}
