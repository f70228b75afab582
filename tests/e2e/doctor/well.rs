//! A machine on which all is well, and what `doctor` says of it.

use crate::desk::Desk;
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Response};
use crate::support::machine::Machine;
use crate::support::tools::find;
use crate::support::user::{CONFIG, DATA, STATE, now};
use serde_json::Value;
use std::fs::{self};

const X: &str = "https://huggingface.co/acme/x";
const RULE: &str = "version = 1\nstorage = \"file\"\n[rules]\nacme = \"work\"\n";

/// A machine on which all is well: a token with a rule, git configured, git-lfs with its
/// filters, a clone to stand in, and a Hub whose clock is right.
pub struct Well {
    pub hub: Hub,
    pub machine: Machine,
    pub token: String,
}

impl Well {
    pub fn new() -> Well {
        let Desk { hub, machine, .. } = Desk::new().with_repo("acme/x");
        let token = hub.add_token("work", &[("acme", Write)]);
        hub.add_token("new", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme"]);
        machine.write(CONFIG, RULE);
        for (name, value) in [
            ("clean", "git-lfs clean -- %f"),
            ("smudge", "git-lfs smudge -- %f"),
            ("process", "git-lfs filter-process"),
        ] {
            let key = format!("filter.lfs.{name}");
            machine.git(["config", "--global", &key, value]).ok();
        }
        machine.configure();
        let well = Well {
            hub,
            machine,
            token,
        };
        // The version is made up, and the rest is real.
        let real = find("git-lfs").map_or_else(String::new, |real| real.display().to_string());
        let version = "[ \"$1\" = version ] && exec echo 'git-lfs/3.9.9 (a stand-in)'";
        well.program("git-lfs", &format!("{version}\nexec '{real}' \"$@\""));
        well.hub_says(&well.now(0));
        well.machine.git(["clone", "--quiet", X]).ok();
        well
    }

    /// Puts a script on the PATH.
    pub fn program(&self, name: &str, script: &str) {
        self.machine
            .program(name, &format!("#!/bin/sh\n{script}\n"));
    }

    /// The time as HTTP writes it, so many seconds from now.
    pub fn now(&self, seconds: i64) -> String {
        let date = format!("--date=@{}", now().saturating_add_signed(seconds));
        let form = "+%a, %d %b %Y %H:%M:%S GMT";
        let said = self.machine.command("date", ["-u", &date, form]).ok();
        said.stdout.trim().to_owned()
    }

    pub fn hub_says(&self, date: &str) {
        let date = date.to_owned();
        self.hub.route("HEAD", "huggingface.co", "/", move |_| {
            Response::text(200, "").header("Date", &date)
        });
    }

    /// Adds to the user's git configuration, below our lines.
    pub fn git_config(&self, text: &str) {
        let before = self.machine.read(".gitconfig");
        self.machine.write(".gitconfig", format!("{before}{text}"));
    }

    pub fn data(&self, path: &str) -> std::path::PathBuf {
        self.machine.home().join(DATA).join(path)
    }

    /// The token's file.
    pub fn token_file(&self) -> std::path::PathBuf {
        let entries = fs::read_dir(self.data("tokens")).expect("the folder of tokens");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut files = paths.filter(|path| path.extension().is_some_and(|e| e == "token"));
        files.next().expect("a token's file")
    }

    /// Changes what is known of the token.
    pub fn state(&self, key: &str, value: impl Into<Value>) {
        let mut state = self.machine.state();
        state["tokens"]["work"][key] = value.into();
        self.machine.write(STATE, state.to_string());
    }

    /// The checks, by their names, as a report from within the clone has them. Its exit code is
    /// what the verdicts say.
    pub fn checks(&self) -> Checks {
        let run = self.machine.helper(["doctor", "--json"]).dir("x").run();
        let json: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error} in {run}"));
        let checks = json["checks"].as_array().expect("checks").clone();
        let problem = checks.iter().any(|check| check["verdict"] == "problem");
        assert_eq!(run.code, i32::from(problem), "{run}");
        // Whatever asks the Hub says so too.
        let other = |line: &str| !line.contains("cannot use the certificates in");
        assert!(!run.stderr.lines().any(other), "{run}");
        Checks(checks)
    }
}

/// What a report says.
pub struct Checks(pub Vec<Value>);

impl Checks {
    pub fn get(&self, id: &str) -> &Value {
        let mut with_id = self.0.iter().filter(|check| check["id"] == id);
        let found = with_id.next().unwrap_or_else(|| panic!("no check {id}"));
        assert!(with_id.next().is_none(), "{id} twice");
        found
    }

    /// The verdicts that are worse than a note.
    pub fn bad(&self) -> Vec<(&str, &str)> {
        let words = self.0.iter().map(|check| {
            let word = |key: &str| check[key].as_str().expect("a word");
            (word("id"), word("verdict"))
        });
        words
            .filter(|(_, verdict)| ["warning", "problem"].contains(verdict))
            .collect()
    }
}
