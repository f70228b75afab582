//! What the program tells people to run is run, exactly as it is told, and changes the verdict.

use crate::support::advice::{follow, is_advised};
use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::machine::Machine;
use crate::support::user::{CONFIG, STATE};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const LFS: &str = "lfs.https://huggingface.co/acme/x.git/info/lfs.access";

/// A clone of the private `acme/x` in `x`, with the token `work` for it.
struct Desk {
    hub: Hub,
    machine: Machine,
}

impl Desk {
    fn new() -> Desk {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub);
        let whoami = WhoAmI::start(&hub);
        let work = hub.add_token("work", &[("acme", Write)]);
        whoami.says(
            "work",
            fine_grained(&[("org", "acme", &["repo.content.read", "repo.write"])]),
        );
        hub.add_token("reader", &[("acme", Read)]);
        whoami.says(
            "reader",
            fine_grained(&[("org", "acme", &["repo.content.read"])]),
        );
        hub.add_token("new", &[("acme", Write)]);
        whoami.says("new", account("write"));
        machine.login("work", &work, &["--for", "acme"]);
        machine.configure();
        machine
            .git(["clone", "--quiet", "https://huggingface.co/acme/x"])
            .ok();
        Desk { hub, machine }
    }

    fn run(&self, arguments: &[&str]) {
        self.machine.helper(arguments).dir("x").ok();
    }

    /// A token with what the Hub says of it.
    fn verified(&self, name: &str) {
        let token = self.hub.value_of(name);
        let login = ["login", name, "--with-token", "--storage", "file"];
        self.machine.helper(login).stdin(token).ok();
    }

    fn unconfigure(&self) {
        self.run(&["unconfigure"]);
    }

    /// No token, and no rule.
    fn forget_everything(&self) {
        self.run(&["logout", "work"]);
        self.run(&["unuse", "acme"]);
    }

    /// A rule for the token that may only read, beside one that may write.
    fn read_only_by_rule(&self) {
        self.verified("work");
        self.verified("reader");
        self.run(&["use", "reader", "--for", "acme/x"]);
    }

    fn git(&self, arguments: &[&str]) {
        self.machine.git(arguments).dir("x").ok();
    }

    fn state(&self, key: &str, value: impl Into<serde_json::Value>) {
        let mut state = self.machine.state();
        state["tokens"]["work"][key] = value.into();
        self.machine.write(STATE, state.to_string());
    }
}

struct Row {
    set: fn(&Desk),
    /// What a person runs in the clone.
    ask: &'static [&'static str],
    /// What is wrong, in words that are gone once the advice was taken.
    complaint: &'static str,
    /// The command that is advised; `~` is the home.
    advice: &'static str,
}

const fn row(
    set: fn(&Desk),
    ask: &'static [&'static str],
    complaint: &'static str,
    advice: &'static str,
) -> Row {
    Row {
        set,
        ask,
        complaint,
        advice,
    }
}

const DOCTOR: &[&str] = &["doctor", "--offline"];
const CONFIGURE: &str = "git credential-hf configure";

const ROWS: &[Row] = &[
    row(
        Desk::unconfigure,
        &["explain"],
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        Desk::unconfigure,
        &["status"],
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        Desk::unconfigure,
        &["check"],
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        Desk::unconfigure,
        DOCTOR,
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        |desk| desk.git(&["config", "credential.helper", ""]),
        &["configure"],
        "takes it out",
        "git credential-hf configure --local",
    ),
    row(
        |desk| desk.git(&["config", "credential.helper", "cache"]),
        DOCTOR,
        "after this helper git calls `cache`",
        "git credential-hf configure --local",
    ),
    row(
        Desk::unconfigure,
        &["configure", "--file", "more"],
        "git does not read",
        "git config --global --add include.path ~/x/more",
    ),
    row(
        |desk| desk.run(&["configure", "--local"]),
        &["unconfigure"],
        "but git",
        "git credential-hf unconfigure --local",
    ),
    row(
        |desk| desk.run(&["logout", "work"]),
        &["explain"],
        "there is no token of that name",
        "git credential-hf login work",
    ),
    row(
        |desk| desk.run(&["logout", "work"]),
        DOCTOR,
        "names `work`, but there is no such token",
        "git credential-hf unuse acme",
    ),
    row(
        Desk::forget_everything,
        &["check"],
        "the Hub asks for one",
        "git credential-hf login NAME --for acme",
    ),
    row(
        Desk::forget_everything,
        &["explain"],
        "there is no token for it",
        "git credential-hf login NAME --for acme",
    ),
    row(
        Desk::forget_everything,
        &["status"],
        "there are no tokens yet",
        "git credential-hf login",
    ),
    row(
        |desk| {
            desk.forget_everything();
            desk.machine.env("HF_TOKEN", desk.hub.value_of("new"));
            desk.machine.env("HF_ENDPOINT", "https://mirror.example");
        },
        &["token", "https://huggingface.co/acme/x"],
        "there is no token for",
        "git credential-hf login NAME --for https://huggingface.co/acme",
    ),
    row(
        |desk| desk.hub.revoke("work"),
        &["check"],
        "the Hub does not accept the token",
        "git credential-hf login work",
    ),
    row(
        |desk| {
            desk.hub.revoke("work");
            desk.machine.git(["fetch"]).dir("x").fails();
        },
        DOCTOR,
        "was rejected by the Hub",
        "git credential-hf login work",
    ),
    row(
        Desk::read_only_by_rule,
        &["check", "--push"],
        "push acme/x fails",
        "git credential-hf use work --for acme/x --push",
    ),
    row(
        Desk::read_only_by_rule,
        &["explain", "--push"],
        "may not push to acme/x",
        "git credential-hf use work --for acme/x --push",
    ),
    row(
        |desk| {
            let dead = desk.hub.add_token("dead", &[]);
            desk.machine.login("dead", &dead, &["--for", "acme"]);
        },
        &["check"],
        "read acme/x fails",
        "git credential-hf use work --for acme --fetch",
    ),
    row(
        |desk| {
            let hf = format!("[acme]\nhf_token = {}\n", desk.hub.value_of("new"));
            desk.machine.write(".cache/huggingface/stored_tokens", hf);
            desk.machine.write(CONFIG, "[rules]\nacme = \"acme\"\n");
        },
        &["explain"],
        "there is no token of that name",
        "git credential-hf use hf:acme --for acme",
    ),
    row(
        |desk| desk.state("expires", 17),
        DOCTOR,
        "`work` has expired",
        "git credential-hf login work",
    ),
    row(
        |desk| {
            let state = desk.machine.home().join(STATE);
            fs::set_permissions(state, Permissions::from_mode(0o666)).expect("open it");
        },
        &["explain"],
        "other users can write to",
        "chmod go-w ~/.local/share/git-credential-hf/state.json",
    ),
    row(
        |desk| {
            let config = desk.machine.home().join(CONFIG);
            fs::set_permissions(config, Permissions::from_mode(0o666)).expect("open it");
        },
        DOCTOR,
        "other users can write to",
        "chmod 644 ~/.config/git-credential-hf/config.toml",
    ),
    row(
        |desk| desk.git(&["config", LFS, "basic"]),
        DOCTOR,
        "makes git-lfs ask for a login first",
        "git config --file .git/config --unset-all lfs.https://huggingface.co/acme/x.git/info/lfs.access",
    ),
    row(
        |desk| {
            let token = desk.hub.value_of("new");
            desk.machine.write(".huggingface/token", token);
        },
        DOCTOR,
        "~/.huggingface/token holds",
        "git credential-hf import hf",
    ),
    row(
        |desk| {
            let token = desk.hub.value_of("new");
            let url = format!("https://u:{token}@huggingface.co/acme/x.git/info/lfs");
            desk.git(&["config", "lfs.url", &url]);
        },
        DOCTOR,
        "lfs.url holds",
        "git credential-hf import remotes",
    ),
    row(
        |desk| {
            let token = desk.hub.value_of("new");
            let line = format!("machine huggingface.co login u password {token}\n");
            desk.machine.write(".netrc", line);
        },
        DOCTOR,
        "~/.netrc:1 holds",
        "git credential-hf import netrc",
    ),
    row(
        |desk| {
            let mut state = desk.machine.state();
            let work = state["tokens"]["work"].clone();
            state["tokens"] = json!({ "gone": work });
            desk.machine.write(STATE, state.to_string());
        },
        &["check"],
        "there is no token of that name",
        "git credential-hf login work",
    ),
];

/// Each row on a machine of its own; the two halves run beside each other.
fn take(rows: &[Row]) {
    for Row {
        set,
        ask,
        complaint,
        advice,
    } in rows
    {
        let desk = Desk::new();
        set(&desk);
        let say = || {
            let run = desk.machine.helper(*ask).dir("x").may_print_secret().run();
            let home = desk.machine.home();
            let text = format!("{}{}", run.stdout, run.stderr);
            text.replace(home.to_str().expect("a UTF-8 path"), "~")
        };
        let said = say();
        assert!(said.contains(complaint), "{ask:?}, {complaint}: {said}");
        assert!(is_advised(&said, advice), "{advice:?} is not in {said}");
        let shown = follow(&desk.machine, "x", advice, &desk.hub.value_of("new"));
        let after = say();
        assert!(
            !after.contains(complaint),
            "{ask:?}, after {advice}: {after}\nwhich showed: {shown}"
        );
    }
}

#[test]
fn what_is_advised_changes_the_verdict() {
    take(&ROWS[..ROWS.len() / 2]);
}

#[test]
fn what_is_advised_changes_the_verdict_too() {
    take(&ROWS[ROWS.len() / 2..]);
}
