//! The desk that most tests sit down at: a Hub that knows whose its tokens are, and a machine in
//! front of it. A file of tests that needs more adds it to this type.

use crate::hub::common::{get, label, login};
use crate::support::hub::Right::Write;
use crate::support::hub::api::{OAuth, WhoAmI};
use crate::support::hub::{Grants, Hub};
use crate::support::machine::{Machine, Output};
use crate::support::user::now;
use serde_json::Value;

/// The folder of the hf CLI's files.
pub const HF_FOLDER: &str = ".cache/huggingface";

pub struct Desk {
    pub hub: Hub,
    pub machine: Machine,
    pub whoami: WhoAmI,
}

impl Desk {
    pub fn new() -> Desk {
        Desk::with(|machine| machine)
    }

    /// With other programs than the newest.
    pub fn with(programs: impl FnOnce(Machine) -> Machine) -> Desk {
        let hub = Hub::start();
        let machine = programs(Machine::new(&hub));
        let whoami = WhoAmI::start(&hub);
        Desk {
            hub,
            machine,
            whoami,
        }
    }

    /// A private repo on the Hub.
    #[must_use]
    pub fn with_repo(self, spec: &str) -> Desk {
        self.hub.add_repo(spec, true);
        self
    }

    /// Git calls the helper.
    #[must_use]
    pub fn configured(self) -> Desk {
        self.machine.configure();
        self
    }

    /// A new token of which the Hub says this, in nobody's hands yet.
    pub fn token(&self, name: &str, grants: Grants, answer: Value) -> String {
        self.whoami.says(name, answer);
        self.hub.add_token(name, grants)
    }

    /// Logs in with a new token of which the Hub says this.
    pub fn login(&self, name: &str, grants: Grants, answer: Value) -> Output {
        let token = self.token(name, grants, answer);
        login(&self.machine, name, &token).ok()
    }

    /// The label of the token that git gets for a path.
    pub fn answer(&self, path: &str) -> Option<String> {
        label(&self.hub, &get(&self.machine, path).ok())
    }
}

/// A machine with `work`, a token for acme, and the value of the token.
pub fn machine_with_work() -> (Hub, Machine, String) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme"]);
    (hub, machine, token)
}

/// A machine with `me`, a token from a browser login that may write for alice, and a Hub that
/// renews it.
pub struct BrowserDesk {
    pub hub: Hub,
    pub machine: Machine,
    pub oauth: OAuth,
}

impl BrowserDesk {
    /// The token is good for `expires_in` seconds, and its successors for an hour. Less than a
    /// quarter of an hour is too little, so it is renewed when it is first used.
    pub fn new(expires_in: u64) -> BrowserDesk {
        BrowserDesk::before_login(expires_in).stored_in("file")
    }

    /// As [`BrowserDesk::new`], but nobody has logged in yet.
    pub fn before_login(expires_in: u64) -> BrowserDesk {
        let Desk { hub, machine, .. } = Desk::new().with_repo("alice/x");
        let oauth = OAuth::start(&hub, &[("alice", Write)], expires_in);
        BrowserDesk {
            hub,
            machine,
            oauth,
        }
    }

    /// Logs in, into that storage.
    #[must_use]
    pub fn stored_in(self, storage: &str) -> BrowserDesk {
        let login = ["login", "me", "--web", "--storage", storage];
        self.machine.helper(login).ok();
        self.oauth.expires_in(3600);
        self
    }

    /// Puts it into the hf CLI's files, an hour ago, with so many seconds left.
    #[must_use]
    pub fn in_hf_cli(self, left: i64) -> BrowserDesk {
        let (access, refresh) = self.oauth.login(&self.hub);
        let end = now().saturating_add_signed(left);
        let stored = format!(
            "[alice]\nhf_token = {access}\nrefresh_token = {refresh}\nexpires_at = {end}\n\n"
        );
        let at = |file: &str| format!("{HF_FOLDER}/{file}");
        self.machine.write(at("stored_tokens"), stored);
        self.machine.write(at("token"), access);
        self.machine.write(at("stored_tokens.lock"), "");
        self.machine.age(at("stored_tokens"), 3600);
        self.oauth.expires_in(30 * 24 * 3600);
        self
    }

    pub fn get(&self) -> Output {
        get(&self.machine, "alice/x").ok()
    }

    /// The label of the token in an answer.
    pub fn label(&self, output: &Output) -> String {
        label(&self.hub, output).unwrap_or_else(|| panic!("no answer: {output}"))
    }
}
