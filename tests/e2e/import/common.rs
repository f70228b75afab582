//! What the tests of `import` share: a machine with tokens in plain text.

pub use crate::desk::Desk;
use crate::support::hub::Right::Write;
use crate::support::hub::api::account;
use crate::support::machine::Run;
use crate::support::user::CONFIG;
use serde_json::Value;

pub const WHOAMI: &str = "/api/whoami-v2";
/// The hf CLI's files, from the home.
pub const STORED: &str = ".cache/huggingface/stored_tokens";
pub const ACTIVE: &str = ".cache/huggingface/token";

impl Desk {
    /// Git calls the helper, which stores tokens in files, and the Hub knows no token yet.
    pub fn to_import() -> Desk {
        let desk = Desk::new().configured();
        desk.machine
            .write(CONFIG, "version = 1\nstorage = \"file\"\n");
        desk
    }

    /// A token that the Hub calls by its label; it may do what it is for.
    pub fn named_token(&self, label: &str, repo: &str) -> String {
        let mut says = account("write");
        says["auth"]["accessToken"]["displayName"] = label.into();
        self.token(label, &[(repo, Write)], says)
    }

    /// `import`, with more arguments.
    pub fn import<'a>(&self, more: impl IntoIterator<Item = &'a str>) -> Run<'_> {
        self.machine.helper(["import"].into_iter().chain(more))
    }

    /// A clone that was made by hand, with these lines in its configuration.
    pub fn clone_with(&self, dir: &str, config: &str) {
        self.machine.git(["init", "--quiet", dir]).ok();
        let file = format!("{dir}/.git/config");
        let before = self.machine.read(&file);
        self.machine.write(&file, format!("{before}{config}"));
    }

    /// The token that git gets where a URL names it.
    pub fn value(&self, name: &str) -> Option<String> {
        let run = self.machine.ask(
            "get",
            format!("protocol=https\nhost=huggingface.co\nusername={name}\n"),
        );
        run.value("password").map(str::to_owned)
    }
}

/// What JSON says of a token.
pub fn status<'v>(json: &'v Value, token: &str) -> &'v Value {
    let end = &token[token.len() - 4..];
    let all = json["tokens"].as_array().expect("tokens");
    let found = all
        .iter()
        .find(|it| it["token"].as_str().is_some_and(|t| t.ends_with(end)));
    found.unwrap_or_else(|| panic!("no {end} in {json}"))
}

/// Puts tokens everywhere: one in the hf CLI's files and netrc, one in git's file, one in a URL.
pub fn everywhere(desk: &Desk) -> [String; 3] {
    let tokens = ["a", "b", "c"].map(|label| desk.named_token(label, "acme"));
    let [a, b, c] = &tokens;
    let machine = &desk.machine;
    machine.write(STORED, format!("[work]\nhf_token = {a}\n\n"));
    machine.write(ACTIVE, a);
    machine.write(
        ".netrc",
        format!("# mine\nmachine github.com login me password pw\nmachine huggingface.co\n  login me\n  password {a} # the Hub\nmachine git.example login x password y\n"),
    );
    machine.write(
        ".git-credentials",
        format!("# mine\n\nhttps://me:pw@github.com\r\nhttps://hf_user:{b}@huggingface.co\nhttps://me:pw@git.example"),
    );
    desk.clone_with(
        "x",
        &format!("[remote \"origin\"]\n\turl = \"https://me:{c}@huggingface.co/acme/x\" ; mine\n"),
    );
    tokens
}
