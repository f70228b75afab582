//! The clone in which git and `check` are asked.

use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::machine::{Machine, Output};
use std::fs;

pub(super) const X: &str = "https://huggingface.co/acme/x";

/// A clone of `acme/x` in `x`, the token `work` for it, and `reader`, which may only read.
pub(super) struct Desk {
    pub(super) hub: Hub,
    pub(super) machine: Machine,
}

impl Desk {
    pub(super) fn new() -> Desk {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        hub.add_repo("acme/open", false);
        let machine = Machine::new(&hub);
        let work = hub.add_token("work", &[("acme", Write)]);
        let reader = hub.add_token("reader", &[("acme", Read)]);
        hub.add_token("other", &[("acme", Write)]);
        machine.login("work", &work, &["--for", "acme"]);
        machine.login("reader", &reader, &[]);
        machine.configure();
        machine.git(["clone", "--quiet", X]).ok();
        Desk { hub, machine }
    }

    pub(super) fn git(&self, arguments: &[&str]) {
        self.machine.git(arguments).dir("x").ok();
    }

    pub(super) fn config(&self, key: &str, value: &str) {
        self.git(&["config", "--global", key, value]);
    }

    pub(super) fn local(&self, key: &str, value: &str) {
        self.git(&["config", "--add", key, value]);
    }

    /// Adds to the user's git configuration, below our lines.
    pub(super) fn below(&self, text: &str) {
        let before = self.machine.read(".gitconfig");
        self.machine.write(".gitconfig", format!("{before}{text}"));
    }

    pub(super) fn other(&self) -> String {
        self.hub.value_of("other")
    }

    pub(super) fn store_has(&self, token: &str) {
        self.local("credential.helper", "");
        self.local("credential.helper", "store");
        let line = format!("https://u:{token}@huggingface.co/acme/x\n");
        self.machine.write(".git-credentials", line);
    }

    /// What git itself says.
    pub(super) fn gits_verdict(&self, push: bool) -> bool {
        let push_it = ["push", "--dry-run", "origin", "HEAD:refs/heads/new"].as_slice();
        let arguments = if push {
            push_it
        } else {
            &["ls-remote", "origin"]
        };
        self.machine.git(arguments).dir("x").run().code == 0
    }

    pub(super) fn check(&self, push: bool) -> Output {
        let push = push.then_some("--push");
        let check = ["check"].into_iter().chain(push);
        self.machine.helper(check).dir("x").run()
    }

    /// Does what the help of a verdict says.
    pub(super) fn follow(&self, said: &Output) {
        let help = said.stdout.rsplit("  = help: ").next().expect("a help");
        let quoted = help.split('`').nth(1).unwrap_or_default();
        let words: Vec<&str> = quoted.split(' ').collect();
        if let Some((_, place)) = help.split_once("remove `")
            && !quoted.starts_with("git ")
        {
            let (_, place) = place.split_once("` from ").expect("a place");
            let (file, line) = place.split_once(", line ").expect("a line");
            let digits = line.split(|c: char| !c.is_ascii_digit()).next();
            let line: usize = digits.expect("a number").parse().expect("a number");
            let file = self.machine.home().join("x").join(file);
            let text = fs::read_to_string(&file).expect("the file");
            let left = text.lines().enumerate().filter(|(at, _)| at + 1 != line);
            let left: Vec<&str> = left.map(|(_, text)| text).collect();
            fs::write(&file, left.join("\n") + "\n").expect("write it");
        } else if help.starts_with("leave out ") {
            self.machine.unset("GIT_CONFIG_COUNT");
        } else if let Some(command) = quoted.strip_prefix("git credential-hf ") {
            self.machine.helper(command.split(' ')).dir("x").ok();
        } else {
            assert_eq!(words[0], "git", "{said}");
            self.git(&words[1..]);
        }
    }
}
