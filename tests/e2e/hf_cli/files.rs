//! The hf CLI's files as git's tokens, without the hf CLI: where they are looked for, what is
//! wrong with them, and the renewal of a browser login in them.

use crate::hub::common::{get, json, label};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::OAuth;
use crate::support::machine::{Machine, Output};
use crate::support::modes::mode_of;
use crate::support::user::now;
use serde_json::json as value;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

const FOLDER: &str = ".cache/huggingface";
const TOKEN: &str = ".cache/huggingface/token";
const STORED: &str = ".cache/huggingface/stored_tokens";

struct Desk {
    hub: Hub,
    machine: Machine,
}

impl Desk {
    fn new() -> Desk {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        Desk { hub, machine }
    }

    fn token(&self, label: &str) -> String {
        self.hub.add_token(label, &[("acme", Write)])
    }

    /// The label of the token that git gets for a repo of acme's.
    fn label(&self) -> Option<String> {
        label(&self.hub, &self.get())
    }

    fn get(&self) -> Output {
        get(&self.machine, "acme/x").run()
    }
}

#[test]
fn the_active_token_is_found_where_the_hf_cli_finds_it() {
    let desk = Desk::new();
    let home = desk.machine.home();
    let at = |path: &str| home.join(path).to_str().expect("UTF-8").to_owned();
    for (variables, path) in [
        (vec![], TOKEN),
        (vec![("XDG_CACHE_HOME", at("c"))], "c/huggingface/token"),
        (vec![("HF_HOME", at("h"))], "h/token"),
        (vec![("HF_HOME", "~/hf".to_owned())], "hf/token"),
        (vec![("HF_HOME", "$HOME/v".to_owned())], "v/token"),
        (
            vec![("HF_HOME", at("h2")), ("HF_TOKEN_PATH", at("t/mine"))],
            "t/mine",
        ),
    ] {
        let token = desk.token(path);
        desk.machine.write(path, format!(" {token}\r\n"));
        let mut run = get(&desk.machine, "acme/x");
        for (name, value) in &variables {
            run = run.env(name, value);
        }
        assert_eq!(label(&desk.hub, &run.ok()).as_deref(), Some(path));
    }
    // A folder that depends on where git runs is any repository's.
    desk.machine.write("here/token", desk.token("planted"));
    let run = get(&desk.machine, "acme/x").env("HF_HOME", "here").ok();
    assert_eq!(label(&desk.hub, &run), None);
}

#[test]
fn it_belongs_to_the_environments_hub_and_comes_last() {
    let desk = Desk::new();
    let (hf, mine) = (desk.token("hf"), desk.token("mine"));
    desk.machine.write(TOKEN, &hf);
    let corp = "protocol=https\nhost=hub.corp.example\npath=acme/x\n\n";
    assert_eq!(desk.machine.ask("get", corp).stdout, "");
    desk.machine.env("HF_ENDPOINT", "https://hub.corp.example");
    assert_eq!(desk.label(), None);
    let there = desk.machine.ask("get", corp);
    assert_eq!(label(&desk.hub, &there).as_deref(), Some("hf"));
    desk.machine.unset("HF_ENDPOINT");
    assert_eq!(desk.label().as_deref(), Some("hf"));
    desk.machine.login("mine", &mine, &["--default"]);
    assert_eq!(desk.label().as_deref(), Some("mine"));
}

#[test]
fn others_are_used_by_name_and_shown_without_their_values() {
    let desk = Desk::new();
    let (work, home) = (desk.token("work"), desk.token("home"));
    let stored = format!("[my home]\nhf_token = {home}\n\n[work]\nhf_token = {work}\n\n");
    desk.machine.write(STORED, stored);
    desk.machine.write(TOKEN, &home);
    desk.machine
        .helper(["use", "hf:work", "--for", "acme"])
        .ok();
    assert_eq!(desk.label().as_deref(), Some("work"));

    let listed = json(&desk.machine.helper(["list", "--json"]).ok());
    let shown = |token: &str| format!("hf_…{}", &token[token.len() - 4..]);
    assert_eq!(
        listed["hf_cli"],
        value!([
            { "name": "hf:my home", "token": shown(&home), "active": true, "expires": null,
              "endpoint": "https://huggingface.co" },
            { "name": "hf:work", "token": shown(&work), "active": false, "expires": null,
              "endpoint": "https://huggingface.co" },
        ])
    );
    assert_eq!(listed["rules"][0]["exists"], true);
    let text = desk.machine.helper(["list"]).ok().stdout;
    assert!(text.contains("acme         →  hf:work, else hf"), "{text}");
    let explained = desk.machine.helper(["explain", "acme/x"]).ok().stdout;
    let rows: Vec<&str> = explained
        .lines()
        .filter(|line| line.contains("  hf CLI  "))
        .collect();
    assert_eq!(rows.len(), 2, "{explained}");
    assert!(
        rows[0].starts_with("→") && rows[0].contains("rule `acme`"),
        "{explained}"
    );

    let asked = desk
        .machine
        .helper(["use", "hf:wrok", "--for", "acme"])
        .fails();
    assert!(asked.stderr.contains("did you mean `hf:work`?"), "{asked}");
    for verb in ["logout", "refresh"] {
        let refused = desk.machine.helper([verb, "hf:work"]).fails();
        assert!(refused.stderr.contains("hf auth"), "{refused}");
    }
}

#[test]
fn a_name_that_is_not_there_is_said_and_one_asked_for_ends_the_search() {
    let desk = Desk::new();
    let work = desk.token("work");
    desk.machine
        .write(STORED, format!("[work]\nhf_token = {work}\n"));
    desk.machine
        .helper(["use", "hf:work", "--for", "acme"])
        .ok();
    desk.machine.write(STORED, "[other]\nhf_token =\n");
    desk.machine.write(TOKEN, &work);
    let output = desk.get();
    assert_eq!(label(&desk.hub, &output).as_deref(), Some("work"));
    assert!(output.helper_line().contains("`hf auth list`"), "{output}");
    let named = get(&desk.machine, "acme/x").env("GIT_CREDENTIAL_HF_TOKEN_NAME", "hf:work");
    let output = named.fails();
    assert_eq!(output.stdout, "quit=1\n");
}

#[test]
fn a_rejected_one_is_named_with_what_helps() {
    let desk = Desk::new();
    desk.hub.add_repo("acme/x", true);
    desk.machine.configure();
    desk.machine.write(TOKEN, desk.token("hf"));
    desk.hub.revoke("hf");
    let url = "https://huggingface.co/acme/x";
    for _ in 0..2 {
        let output = desk.machine.git(["ls-remote", url]).fails();
        let line = output.helper_line();
        assert!(
            line.contains("the hf CLI's token") && line.contains("`hf auth login --force`"),
            "{line}"
        );
    }
}

#[test]
fn files_that_are_none_are_said_and_cost_no_time() {
    let desk = Desk::new();
    let folder = desk.machine.home().join(FOLDER);
    let good = desk.token("good");
    /// Its name, how it comes to lie there, and what is said of it.
    type Odd<'a> = (&'a str, &'a dyn Fn(), Option<&'a str>);
    let bad: [Odd; 5] = [
        ("empty", &|| desk.machine.write(TOKEN, ""), None),
        ("spaces", &|| desk.machine.write(TOKEN, " \n\n"), None),
        (
            "control characters",
            &|| desk.machine.write(TOKEN, "hf_a\u{1b}[2J"),
            Some("does not look like a Hub token"),
        ),
        (
            "no text",
            &|| desk.machine.write(TOKEN, [0xff, 0xfe]),
            Some("not UTF-8"),
        ),
        (
            "a pipe",
            &|| {
                let made = Command::new("mkfifo").arg(folder.join("token")).status();
                assert!(made.expect("mkfifo").success());
            },
            Some("not a plain file"),
        ),
    ];
    for (what, lay, said) in bad {
        let _ = fs::remove_file(folder.join("token"));
        lay();
        let output = desk.get();
        assert_eq!(output.stdout, "", "{what}");
        match said {
            Some(said) => assert!(output.helper_line().contains(said), "{what}: {output}"),
            None => assert!(
                output.helper_line().contains("no token for"),
                "{what}: {output}"
            ),
        }
        let output = get(&desk.machine, "acme/x").env("HF_TOKEN", &good).ok();
        assert_eq!(label(&desk.hub, &output).as_deref(), Some("good"), "{what}");
        assert_eq!(output.stderr, "", "{what}");
    }
    // The active token needs no `stored_tokens`.
    fs::remove_file(folder.join("token")).expect("the pipe");
    desk.machine.write(TOKEN, &good);
    desk.machine.write(STORED, "no section\n");
    assert_eq!(desk.label().as_deref(), Some("good"));
    let said = desk
        .machine
        .helper(["use", "hf:x", "--for", "acme"])
        .fails();
    assert!(said.stderr.contains("stored_tokens: line 1"), "{said}");
}

/// A browser login in the hf CLI's files, which ends in `left` seconds and was made an hour ago.
fn browser_login(desk: &Desk, left: u64) -> OAuth {
    desk.hub.add_repo("acme/x", true);
    let oauth = OAuth::start(&desk.hub, &[("acme", Write)], 30 * 24 * 3600);
    let (access, refresh) = oauth.login(&desk.hub);
    let end = now() + left;
    let other = desk.token("other");
    desk.machine.write(
        STORED,
        format!(
            "[other]\nhf_token = {other}\nnote = kept\n\n[oauth-alice]\nhf_token = {access}\n\
             refresh_token = {refresh}\nexpires_at = {end}\n\n"
        ),
    );
    desk.machine.write(TOKEN, access);
    desk.machine.age(STORED, 3600);
    oauth
}

const DAY: u64 = 24 * 3600;

#[test]
fn a_browser_login_is_renewed_with_less_than_a_day_left() {
    for (left, expected) in [(DAY + 60, "oauth 1"), (DAY - 60, "oauth 2")] {
        let desk = Desk::new();
        let oauth = browser_login(&desk, left);
        let output = desk.get();
        assert_eq!(label(&desk.hub, &output).as_deref(), Some(expected));
        let end = output.value("password_expiry_utc").expect("its end");
        assert!(end.parse::<u64>().expect("a number") > now() + DAY);
        assert_eq!(output.value("oauth_refresh_token"), None);
        assert_eq!(desk.label().as_deref(), Some(expected));
        assert_eq!(oauth.renewals(), usize::from(left < DAY));
    }
}

#[test]
fn a_renewal_keeps_the_files_as_the_hf_cli_writes_them() {
    let desk = Desk::new();
    browser_login(&desk, 60);
    // Some people keep their files elsewhere.
    let home = desk.machine.home();
    fs::rename(home.join(STORED), home.join("kept elsewhere")).expect("moved");
    symlink(home.join("kept elsewhere"), home.join(STORED)).expect("linked");
    assert_eq!(desk.label().as_deref(), Some("oauth 2"));

    let link = fs::symlink_metadata(home.join(STORED)).expect("a link");
    assert!(link.is_symlink());
    for file in ["kept elsewhere", TOKEN] {
        assert_eq!(mode_of(home.join(file)), 0o600, "{file}");
    }
    let text = desk.machine.read(STORED);
    let keys = text
        .lines()
        .map(|line| line.split(" = ").next().unwrap_or(line));
    let keys: Vec<&str> = keys.collect();
    assert_eq!(
        keys,
        [
            "[oauth-alice]",
            "hf_token",
            "refresh_token",
            "expires_at",
            "",
            "[other]",
            "hf_token",
            "note",
            ""
        ]
    );
    assert!(text.contains("note = kept"));
    let active = desk.machine.read(TOKEN);
    assert!(text.contains(&format!("hf_token = {active}\n")));
}

#[test]
fn one_that_was_not_active_is_renewed_by_name_and_the_active_one_stays() {
    let desk = Desk::new();
    let oauth = browser_login(&desk, 60);
    let other = desk.token("another");
    desk.machine.write(TOKEN, &other);
    desk.machine
        .helper(["use", "hf:oauth-alice", "--for", "acme"])
        .ok();
    assert_eq!(desk.label().as_deref(), Some("oauth 2"));
    assert_eq!(oauth.renewals(), 1);
    assert_eq!(desk.machine.read(TOKEN), other);
}

#[test]
fn an_expired_login_that_cannot_be_renewed_is_not_used() {
    let desk = Desk::new();
    let oauth = browser_login(&desk, 3600);
    oauth.fails_with(Some((400, value!({ "error": "invalid_grant" }))));
    let text = desk.machine.read(STORED);
    let end = text
        .lines()
        .find(|l| l.starts_with("expires_at"))
        .expect("its end");
    desk.machine
        .write(STORED, text.replace(end, "expires_at = 1700000000"));
    let output = desk.get();
    assert_eq!(output.stdout, "");
    assert!(
        output
            .helper_line()
            .ends_with("run `hf auth login --force`"),
        "{output}"
    );
}

/// Everybody who waits for the lock would wait for the Hub too, one after the other.
#[test]
fn a_hub_that_does_not_answer_is_asked_by_one_of_those_who_wait() {
    let desk = Desk::new();
    let oauth = browser_login(&desk, 3600);
    oauth.fails_with(Some((500, value!({}))));
    oauth.hold();
    let all: Vec<_> = (0..4)
        .map(|_| get(&desk.machine, "acme/x").start())
        .collect();
    oauth.wait_for_renewals(1);
    // What counts as slow is two seconds.
    std::thread::sleep(std::time::Duration::from_millis(2200));
    oauth.release();
    for started in all {
        let output = started.wait().ok();
        assert_eq!(
            label(&desk.hub, &output).as_deref(),
            Some("oauth 1"),
            "{output}"
        );
    }
    assert_eq!(oauth.renewals(), 1);
}

/// The old token is kept under no name any more, and the new one is not active yet.
#[test]
fn who_looks_between_the_two_writes_of_a_renewal_finds_the_new_token() {
    let desk = Desk::new();
    let oauth = browser_login(&desk, 20 * DAY);
    let (new, _) = oauth.login(&desk.hub);
    let folder = desk.machine.home().join(FOLDER);
    let lock = fs::File::create(folder.join("stored_tokens.lock")).expect("the lock");
    lock.lock().expect("taken");
    let stored = desk.machine.read(STORED);
    let old = desk.machine.read(TOKEN);
    desk.machine.write(STORED, stored.replace(&old, &new));
    let looking = get(&desk.machine, "acme/x").start();
    looking.wait_until_it_opens(format!("{FOLDER}/stored_tokens.lock"));
    desk.machine.write(TOKEN, &new);
    lock.unlock().expect("let go");
    let output = looking.wait().ok();
    assert_eq!(label(&desk.hub, &output).as_deref(), Some("oauth 2"));
}
