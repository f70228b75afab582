//! The real hf CLI and git on one machine: logins, switches and logouts of the one, with the
//! other cloning in between.

use crate::desk;
use crate::hub::common::names;
use crate::support::advice::is_advised;
use crate::support::hf::hf;
use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{OAuth, WhoAmI, account};
use crate::support::machine::{Machine, Output};
use crate::support::tools::gits;
use crate::support::user::{STATE, now};
use serde_json::json;
use std::path::PathBuf;

const URL: &str = "https://huggingface.co/alice/x";
const STORED: &str = ".cache/huggingface/stored_tokens";

/// A machine with the hf CLI, where git calls the helper, and a Hub with a private repo.
struct Desk {
    hub: Hub,
    machine: Machine,
    whoami: WhoAmI,
    hf: PathBuf,
}

impl Desk {
    fn new() -> Option<Desk> {
        let hf = hf()?;
        let desk::Desk {
            hub,
            machine,
            whoami,
        } = desk::Desk::new().with_repo("alice/x").configured();
        machine.env("HF_ENDPOINT", "https://huggingface.co");
        Some(Desk {
            hub,
            machine,
            whoami,
            hf,
        })
    }

    /// A token that the Hub calls by its label.
    fn token(&self, label: &str) -> String {
        let token = self.hub.add_token(label, &[("alice", Write)]);
        let mut says = account("write");
        says["auth"]["accessToken"]["displayName"] = label.into();
        self.whoami.says(label, says);
        token
    }

    fn hf(&self, arguments: &[&str]) -> Output {
        self.machine.hf(&self.hf, arguments.iter().copied()).run()
    }

    /// Whose token git reads the repo with; `None` if it cannot.
    fn reads_with(&self) -> Option<String> {
        self.hub.clear_log();
        let done = self.machine.git(["ls-remote", URL]).run();
        let seen = self.hub.tokens_seen("/alice/x");
        assert_eq!(done.code == 0, !seen.is_empty(), "{done}");
        seen.into_iter().next_back()
    }
}

#[test]
fn what_the_hf_cli_makes_active_is_what_git_uses() {
    let Some(desk) = Desk::new() else { return };
    let (work, home) = (desk.token("work"), desk.token("home"));
    assert_eq!(desk.reads_with(), None);

    desk.hf(&["auth", "login", "--token", &work]).ok();
    assert_eq!(desk.reads_with().as_deref(), Some("work"));
    let clone = ["clone", "--quiet", URL];
    desk.machine.git(clone).ok();
    desk.hf(&["auth", "login", "--token", &home, "--force"])
        .ok();
    assert_eq!(desk.reads_with().as_deref(), Some("home"));
    desk.machine.git(["fetch"]).dir("x").ok();

    desk.hf(&["auth", "switch", "--token-name", "work"]).ok();
    assert_eq!(desk.reads_with().as_deref(), Some("work"));
    let listed = desk.hf(&["auth", "list"]).ok();
    assert!(
        listed.stdout.contains("work") && listed.stdout.contains("home"),
        "{listed}"
    );

    // By name, whichever is active.
    desk.machine
        .helper(["use", "hf:home", "--for", "alice"])
        .ok();
    assert_eq!(desk.reads_with().as_deref(), Some("home"));
    let listed = desk.machine.helper(["list"]).ok();
    assert!(listed.stdout.contains("hf:home"), "{listed}");

    desk.hf(&["auth", "logout", "--token-name", "home"]).ok();
    assert_eq!(
        desk.reads_with().as_deref(),
        Some("work"),
        "the rule's token is gone"
    );
    desk.hf(&["auth", "logout"]).ok();
    assert_eq!(desk.reads_with(), None);
    assert!(desk.machine.files_with_secrets().is_empty());
}

#[test]
fn what_it_adds_to_git_is_known_already_and_its_logout_removes_nothing_of_ours() {
    let Some(desk) = Desk::new() else { return };
    let (mine, added) = (desk.token("mine"), desk.token("added"));
    desk.machine
        .login("mine", &mine, &["--for", "datasets/alice"]);
    desk.machine.configure();

    let login = [
        "auth",
        "login",
        "--token",
        &added,
        "--add-to-git-credential",
    ];
    // It looks for a helper that is not for one URL only, and says that there is none. Git gets
    // the token from its files all the same.
    let said = desk.hf(&login).ok();
    assert!(format!("{said}").contains("no helper is defined"), "{said}");
    assert_eq!(names(&desk.machine), ["mine"]);
    assert_eq!(desk.reads_with().as_deref(), Some("added"));

    desk.hf(&["auth", "logout"]).ok();
    assert_eq!(names(&desk.machine), ["mine"]);
    assert_eq!(desk.reads_with(), None);
}

#[test]
fn git_gives_back_what_it_was_handed_and_no_copy_is_made() {
    let Some(desk) = Desk::new() else { return };
    let work = desk.token("work");
    desk.hf(&["auth", "login", "--token", &work]).ok();
    desk.machine
        .login("none", &desk.hub.unknown_token(), &["--for", "other"]);
    // Old git tells no state, and sends no path unless it is configured to.
    for git in gits() {
        let machine = Machine::new(&desk.hub).with_git(&git);
        machine.env("HF_HOME", desk.machine.home().join(".cache/huggingface"));
        machine
            .git(["config", "--global", "credential.helper", "hf"])
            .ok();
        machine.git(["ls-remote", URL]).ok();
        assert!(!machine.home().join(STATE).exists(), "{git:?}");
    }
    assert_eq!(names(&desk.machine), ["none"]);
}

/// A browser login of the hf CLI's that was a while ago, and is about to end.
fn browser_login(desk: &Desk, expires_in: u64) -> OAuth {
    let oauth = OAuth::start(&desk.hub, &[("alice", Read)], expires_in);
    let mut says = account("write");
    says["auth"] = json!({ "type": "oauth" });
    desk.whoami.says("oauth 1", says);
    desk.hf(&["auth", "login"]).ok();
    desk.machine.age(STORED, 3600);
    oauth.expires_in(30 * 24 * 3600);
    oauth
}

#[test]
fn its_browser_login_is_renewed_for_git_and_it_goes_on_with_it() {
    let Some(desk) = Desk::new() else { return };
    let oauth = browser_login(&desk, 23 * 3600);
    assert_eq!(desk.reads_with().as_deref(), Some("oauth 2"));
    assert_eq!(desk.reads_with().as_deref(), Some("oauth 2"));
    // The hf CLI finds the new token under the old name, active, and leaves it alone.
    let active = |output: &Output| {
        let mut lines = output.stdout.lines();
        lines.any(|line| line.starts_with("* oauth-alice"))
    };
    let listed = desk.hf(&["auth", "list"]).ok();
    assert!(active(&listed), "{listed}");
    assert_eq!(oauth.renewals(), 1);
    desk.hf(&["auth", "whoami"]).ok();

    // And the other way round.
    let text = desk.machine.read(STORED);
    let ends = |line: &&str| line.starts_with("expires_at");
    let end = text.lines().find(ends).expect("its end");
    let soon = format!("expires_at = {}", now() + 3600);
    desk.machine.write(STORED, text.replace(end, &soon));
    let listed = desk.hf(&["auth", "list"]).ok();
    assert!(active(&listed), "{listed}");
    assert_eq!(oauth.renewals(), 2);
    assert_eq!(desk.reads_with().as_deref(), Some("oauth 3"));
    assert_eq!(oauth.renewals(), 2);
}

#[test]
fn the_two_at_once_renew_once() {
    let Some(desk) = Desk::new() else { return };
    let oauth = browser_login(&desk, 3600);
    let lists: Vec<_> = (0..2)
        .map(|_| desk.machine.hf(&desk.hf, ["auth", "list"]).start())
        .collect();
    let reads: Vec<_> = (0..8)
        .map(|_| desk.machine.git(["ls-remote", URL]).start())
        .collect();
    for started in lists.into_iter().chain(reads) {
        started.wait().ok();
    }
    assert_eq!(oauth.renewals(), 1);
    assert_eq!(desk.reads_with().as_deref(), Some("oauth 2"));
    desk.hf(&["auth", "whoami"]).ok();
}

#[test]
fn the_login_that_is_advised_is_what_helps() {
    type Step = fn(&Desk) -> Option<OAuth>;
    let rejected: Step = |desk| {
        let token = desk.token("dead");
        desk.hf(&["auth", "login", "--token", &token]).ok();
        desk.hub.revoke("dead");
        desk.machine.git(["ls-remote", URL]).fails();
        None
    };
    let ended: Step = |desk| {
        let oauth = browser_login(desk, 23 * 3600);
        desk.hub.revoke("oauth 1");
        let text = desk.machine.read(STORED);
        let end = text.lines().find(|line| line.starts_with("expires_at"));
        let text = text.replace(end.expect("its end"), "expires_at = 17");
        desk.machine.write(STORED, text);
        let gone = json!({ "error": "invalid_grant" });
        oauth.fails_with(Some((400, gone)));
        Some(oauth)
    };
    let expired: Step = |desk| {
        let stored = format!("[me]\nhf_token = {}\nexpires_at = 17\n", desk.token("old"));
        desk.machine.write(STORED, stored);
        let active = desk.hub.value_of("old");
        desk.machine.write(".cache/huggingface/token", active);
        None
    };
    let git = &["git", "ls-remote", URL][..];
    // Without `--force` the hf CLI says of a dead token, too, that one is logged in.
    let again = "hf auth login --force";
    for (before, ask, complaint, advice) in [
        (rejected, git, "was rejected by", again),
        (ended, git, "cannot be renewed", again),
        (
            expired,
            &["doctor", "--offline"],
            "its token has expired",
            again,
        ),
        (
            |_| None,
            &["use", "hf:gone", "--for", "alice"],
            "add one with",
            "hf auth login",
        ),
    ] {
        let Some(desk) = Desk::new() else { return };
        let say = || {
            let run = match ask {
                ["git", rest @ ..] => desk.machine.git(rest),
                _ => desk.machine.helper(ask),
            };
            let run = run.run();
            format!("{}{}", run.stdout, run.stderr)
        };
        let oauth = before(&desk);
        let said = say();
        assert!(said.contains(complaint), "{complaint:?} is not in {said}");
        assert!(is_advised(&said, advice), "{said}");
        let oauth =
            oauth.unwrap_or_else(|| OAuth::start(&desk.hub, &[("alice", Read)], 30 * 24 * 3600));
        oauth.fails_with(None);
        let words: Vec<&str> = advice.split(' ').skip(1).collect();
        desk.hf(&words).ok();
        let after = say();
        assert!(!after.contains(complaint), "{complaint:?} is in {after}");
    }
}
