//! What users do and see, in a line each.

use super::hub::{Hub, Logged, Right, TokenSeen};
use super::machine::{Machine, Output};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The configuration that a user edits, from the home.
pub const CONFIG: &str = ".config/git-credential-hf/config.toml";
/// The folder with the state and the file storage, from the home.
pub const DATA: &str = ".local/share/git-credential-hf";
/// The state file, from the home.
pub const STATE: &str = ".local/share/git-credential-hf/state.json";

/// The folder with the locks of the tokens, from the home.
pub const LOCKS: &str = ".local/share/git-credential-hf/locks";

/// What git sends to `store` with what a person has typed: the mark of an unanswered `get`.
pub const TYPED: &str = "capability[]=state\nstate[]=hf:1:asked\n";

/// `login` of a token on stdin, of which the Hub is not asked, into a storage.
pub const fn login_unverified<'a>(name: &'a str, storage: &'a str) -> [&'a str; 6] {
    [
        "login",
        name,
        "--with-token",
        "--no-verify",
        "--storage",
        storage,
    ]
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

impl Machine {
    /// Puts a token in under a name, into the file storage.
    pub fn login(&self, name: &str, token: &str, more: &[&str]) -> Output {
        self.helper(login_unverified(name, "file").iter().chain(more))
            .stdin(format!("{token}\n"))
            .ok()
    }

    /// Puts in a token that may write to one namespace and do nothing elsewhere, with a rule for
    /// it, both under the namespace's name.
    pub fn login_for(&self, hub: &Hub, namespace: &str) {
        let token = hub.add_token(namespace, &[(namespace, Right::Write)]);
        self.login(namespace, &token, &["--for", namespace]);
    }

    /// Lets git call the helper.
    pub fn configure(&self) {
        self.helper(["configure"]).ok();
    }

    /// Calls the helper as git does. Its answer may hold a secret.
    pub fn ask(&self, action: &str, request: impl AsRef<[u8]>) -> Output {
        let helper = self.helper([action]).may_print_secret();
        helper.stdin(request).run()
    }

    /// Hands over what a person typed at git's prompt, as git does once the server accepts it.
    pub fn store_typed(&self, request: impl std::fmt::Display) -> Output {
        self.ask("store", format!("{TYPED}{request}"))
    }

    /// Answers git's questions as a person would: `alice` for the user name, then the password.
    pub fn answer_prompts_with(&self, password: &str) {
        let script = "#!/bin/sh\ncase $1 in Username*) echo alice ;; *) echo \"$TYPED\" ;; esac\n";
        self.env("GIT_ASKPASS", self.program("askpass", script));
        self.env("TYPED", password);
    }

    /// Calls the helper as git's own transport does: from a program of that name.
    pub fn ask_as_transport(&self, action: &str, request: impl AsRef<[u8]>) -> Output {
        let transport = self.home().join("transport/git-remote-https");
        if !transport.exists() {
            self.write("transport/README", "a shell by another name");
            std::os::unix::fs::symlink("/bin/sh", &transport).expect("name a shell");
        }
        // With something left to do the shell waits, as git does.
        let line = format!("git-credential-hf {action}; exit $?");
        let run = self.command(transport, ["-c", &line, "https://hf.co/acme/x"]);
        run.may_print_secret().stdin(request).run()
    }

    /// What the state file says.
    pub fn state(&self) -> Value {
        let text = self.read(STATE);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// The names in the state file.
    pub fn names(&self) -> BTreeSet<String> {
        let state = self.state();
        let tokens = state["tokens"].as_object().expect("tokens");
        tokens.keys().cloned().collect()
    }

    /// How many tokens are recorded as rejected.
    pub fn rejections(&self) -> usize {
        if !self.home().join(STATE).exists() {
            return 0;
        }
        let state = self.state();
        state["rejected"].as_object().map_or(0, |all| all.len())
    }

    /// Forgets what was rejected.
    pub fn forgive(&self) {
        let mut state = self.state();
        state["rejected"] = serde_json::json!({});
        self.write(STATE, state.to_string());
    }

    /// Lets time go by for what was rejected.
    pub fn age_rejections(&self, seconds: u64) {
        let mut state = self.state();
        let rejected = state["rejected"].as_object_mut().expect("rejections");
        assert!(!rejected.is_empty(), "nothing was rejected");
        for at in rejected.values_mut() {
            *at = (at.as_u64().expect("a time") - seconds).into();
        }
        self.write(STATE, state.to_string());
    }

    /// Makes a file look as if it was written that many seconds ago.
    pub fn age(&self, path: impl AsRef<Path>, seconds: u64) {
        let path = self.home().join(path);
        let file = File::options().write(true).open(path).expect("a file");
        let at = SystemTime::now() - Duration::from_secs(seconds);
        file.set_modified(at).expect("another time");
    }

    /// Commits all there is in a clone.
    pub fn commit_all(&self, dir: &str) {
        self.git(["add", "--all"]).dir(dir).ok();
        let commit = ["commit", "--quiet", "--message", "change"];
        self.git(commit).dir(dir).ok();
    }
}

impl Output {
    /// The lines on stderr that are the helper's.
    pub fn helper_lines(&self) -> Vec<&str> {
        let ours = |line: &&str| line.starts_with("git-credential-hf: ");
        self.stderr.lines().filter(ours).collect()
    }

    /// The only line on stderr that is the helper's.
    pub fn helper_line(&self) -> &str {
        match self.helper_lines().as_slice() {
            [line] => line,
            lines => panic!("{} lines from the helper in {self}", lines.len()),
        }
    }

    /// The value of a key in an answer to git.
    pub fn value(&self, key: &str) -> Option<&str> {
        let of_key = |line: &'_ str| line.split_once('=').is_some_and(|(k, _)| k == key);
        let mut lines = self.stdout.lines().filter(|line| of_key(line));
        let line = lines.next()?;
        assert!(lines.next().is_none(), "{key} twice in {self}");
        line.split_once('=').map(|(_, value)| value)
    }

    /// Fails the test unless it ended well without a word.
    pub fn silent(self) -> Output {
        let said = (self.code, self.stdout.as_str(), self.stderr.as_str());
        assert_eq!(said, (0, "", ""), "{self}");
        self
    }

    /// Fails the test unless stderr has all these words.
    pub fn says(self, words: &[&str]) -> Output {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {self}");
        }
        self
    }
}

impl Hub {
    /// The token of that label.
    pub fn value_of(&self, label: &str) -> String {
        let mut known = self.secrets()().into_iter();
        let found = known.find(|(known, _)| known == label);
        found.map_or_else(
            || panic!("no token is labelled {label}"),
            |(_, value)| value,
        )
    }
}

/// The labels of the tokens that came with pushes, each once.
pub fn pushed_with(log: &[Logged]) -> BTreeSet<String> {
    let push = |entry: &&Logged| {
        entry.path.ends_with("git-receive-pack") || entry.query.contains("git-receive-pack")
    };
    labels(log.iter().filter(push))
}

/// The labels of the tokens that came with anything but pushes, each once.
pub fn read_with(log: &[Logged]) -> BTreeSet<String> {
    let read = |entry: &&Logged| {
        entry.path.ends_with("git-upload-pack") || entry.query.contains("git-upload-pack")
    };
    labels(log.iter().filter(read))
}

fn labels<'a>(log: impl Iterator<Item = &'a Logged>) -> BTreeSet<String> {
    let label = |entry: &Logged| match &entry.token {
        TokenSeen::Known(label) => Some(label.clone()),
        TokenSeen::Unknown => Some("unknown".to_owned()),
        TokenSeen::None => None,
    };
    log.filter_map(label).collect()
}

/// The status codes of the Hub's answers.
pub fn statuses(log: &[Logged]) -> Vec<u16> {
    log.iter().map(|entry| entry.status).collect()
}

/// Bytes that do not compress.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut noise = Vec::with_capacity(length + 8);
    while noise.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    noise.truncate(length);
    noise
}
