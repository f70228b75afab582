//! The machine on which advice is taken, and what is set up there to go wrong.

use crate::desk;
use crate::support::hub::Hub;
use crate::support::hub::Right::{self, Read, Write};
use crate::support::hub::api::{OAuth, WhoAmI, account, fine_grained};
use crate::support::machine::Machine;
use crate::support::user::{CONFIG, STATE};
use serde_json::Value;
use std::cell::OnceCell;

/// A clone of the private `acme/x` in `x`, with the token `work` for it.
pub struct Desk {
    pub hub: Hub,
    pub machine: Machine,
    pub whoami: WhoAmI,
    oauth: OnceCell<OAuth>,
}

impl Desk {
    pub fn new() -> Desk {
        let desk = desk::Desk::new().with_repo("acme/x");
        let acme = |scopes| fine_grained(&[("org", "acme", scopes)]);
        let writes = acme(&["repo.content.read", "repo.write"]);
        let work = desk.token("work", &[("acme", Write)], writes);
        desk.token("reader", &[("acme", Read)], acme(&["repo.content.read"]));
        desk.token("new", &[("acme", Write)], account("write"));
        desk.machine.login("work", &work, &["--for", "acme"]);
        let desk::Desk {
            hub,
            machine,
            whoami,
        } = desk.configured();
        machine
            .git(["clone", "--quiet", "https://huggingface.co/acme/x"])
            .ok();
        Desk {
            hub,
            machine,
            whoami,
            oauth: OnceCell::new(),
        }
    }

    /// What git or the helper says in the clone, with `~` for the home.
    pub fn says(&self, ask: &[&str]) -> String {
        let run = match ask {
            ["git", rest @ ..] => self.machine.git(rest),
            _ => self.machine.helper(ask).may_print_secret(),
        };
        let token = (ask[0] == "login").then(|| self.hub.value_of("new"));
        let run = run.dir("x").stdin(token.unwrap_or_default()).run();
        let home = self.machine.home();
        let text = format!("{}{}", run.stdout, run.stderr);
        text.replace(home.to_str().expect("a UTF-8 path"), "~")
    }

    /// The browser login, once it is used.
    pub fn oauth(&self) -> &OAuth {
        let start = || OAuth::start(&self.hub, &[("acme", Write)], 28_800);
        self.oauth.get_or_init(start)
    }

    /// A token of that name that may do this, in nobody's hands yet.
    pub fn token(&self, name: &str, grants: &[(&str, Right)], whoami: Value) -> String {
        self.whoami.says(name, whoami);
        self.hub.add_token(name, grants)
    }

    /// One that may write as far as the Hub is concerned, and as far as is known here has no scope
    /// for it, or no role.
    pub fn wrongly_known(&self, what_is_known: Value) {
        self.forget_everything();
        self.token("narrow", &[("acme", Write)], what_is_known);
        self.verified("narrow");
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
    }

    /// A rejected token that the Hub takes all the same.
    pub fn wrongly_rejected(&self) {
        self.hub.revoke("work");
        self.machine.git(["fetch"]).dir("x").fails();
        self.hub.restore("work");
    }

    /// Puts the hf CLI's `acme` there.
    pub fn hf_token(&self) {
        let stored = format!("[acme]\nhf_token = {}\n", self.hub.value_of("new"));
        self.machine
            .write(".cache/huggingface/stored_tokens", stored);
    }

    /// Makes it the hf CLI's active token.
    pub fn hf_active_token(&self) {
        self.hf_token();
        let active = self.hub.value_of("new");
        self.machine.write(".cache/huggingface/token", active);
    }

    /// Nothing but what a person typed at git's prompt, which the Hub does not take.
    pub fn wrong_token_typed(&self) {
        self.forget_everything();
        let request = "protocol=https\nhost=huggingface.co\nusername=alice\n";
        let password = self.hub.unknown_token();
        self.machine
            .store_typed(format!("{request}password={password}\n"))
            .silent();
    }

    /// A second token, without a rule.
    pub fn with_new(&self) {
        self.machine.login("new", &self.hub.value_of("new"), &[]);
    }

    /// A second Hub.
    pub fn other_endpoint(&self) {
        let config = self.machine.read(CONFIG);
        let more = "[endpoints]\n\"https://hub.corp.example\" = {}\n";
        self.machine.write(CONFIG, format!("{config}{more}"));
    }

    /// A remote with another username.
    pub fn username(&self, name: &str) {
        let url = format!("https://{name}@huggingface.co/acme/x");
        self.git(&["remote", "set-url", "origin", &url]);
    }

    pub fn run(&self, arguments: &[&str]) {
        self.machine.helper(arguments).dir("x").ok();
    }

    /// A token with what the Hub says of it.
    pub fn verified(&self, name: &str) {
        let token = self.hub.value_of(name);
        let login = ["login", name, "--with-token", "--storage", "file"];
        self.machine.helper(login).stdin(token).ok();
    }

    pub fn unconfigure(&self) {
        self.run(&["unconfigure"]);
    }

    /// No token, and no rule.
    pub fn forget_everything(&self) {
        self.run(&["logout", "work"]);
        self.run(&["unuse", "acme"]);
    }

    /// A rule for the token that may only read, beside one that may write.
    pub fn read_only_by_rule(&self) {
        self.verified("work");
        self.verified("reader");
        self.run(&["use", "reader", "--for", "acme/x"]);
    }

    pub fn git(&self, arguments: &[&str]) {
        self.machine.git(arguments).dir("x").ok();
    }

    pub fn state(&self, key: &str, value: impl Into<Value>) {
        let mut state = self.machine.state();
        state["tokens"]["work"][key] = value.into();
        self.machine.write(STATE, state.to_string());
    }
}
