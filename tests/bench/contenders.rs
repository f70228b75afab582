//! What is measured side by side: git's own helpers, and ours with each source of tokens. Every
//! one of them has a home of its own, holds one token, and gets the requests that git sends.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::measure::{Call, Timed};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::keyring::Keyring;
use crate::support::machine::Machine;
use crate::support::programs::copy_program;
use crate::support::tools::gits;
use crate::support::user::CONFIG;

/// What git sends before the path, which it does only where `useHttpPath` is set, as
/// `configure` does for us.
const REQUEST: &str = "\
capability[]=authtype
capability[]=state
protocol=https
host=huggingface.co
wwwauth[]=Basic realm=\"Hugging Face\", charset=\"UTF-8\"
";
const PATH: &str = "path=acme/x\n";

/// Where `tests/bench/run` has put the helper that it built from git's sources.
const LIBSECRET: &str = "BENCH_LIBSECRET";

/// A helper with a place that it has its token from, and what git asks of it.
pub struct Contender {
    /// What it is called in the tables.
    pub name: &'static str,
    /// A request for a token.
    pub get: Timed,
    /// Git says that the answered token was good.
    pub store_known: Timed,
    /// Git brings one that was typed, which the helper does not have.
    pub store_new: Option<Timed>,
    /// Git says that a token was refused.
    pub erase: Timed,
    _machine: Machine,
    _end: Option<End>,
}

/// Another build of ours: what it is called with a token in the environment and in a file, and the
/// program.
pub type Build = ([&'static str; 2], PathBuf);

/// A command that ends what a helper has started.
struct End(Command);

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.0.status();
    }
}

/// A helper's program with its arguments before the action, on a machine.
struct Helper {
    name: &'static str,
    machine: Machine,
    program: PathBuf,
    arguments: Vec<OsString>,
    request: String,
    /// Whether it keeps tokens of its own.
    keeps: bool,
}

impl Helper {
    /// Ours, as git calls it.
    fn ours(name: &'static str, machine: Machine) -> Helper {
        Helper {
            name,
            program: machine.bin().join("git-credential-hf"),
            machine,
            arguments: Vec::new(),
            request: format!("{REQUEST}{PATH}"),
            keeps: true,
        }
    }

    /// One of git's own.
    fn gits(name: &'static str, machine: Machine, program: PathBuf) -> Helper {
        Helper {
            name,
            machine,
            program,
            arguments: Vec::new(),
            request: REQUEST.to_owned(),
            keeps: true,
        }
    }

    fn command(&self, action: &str) -> Command {
        let arguments = self.arguments.iter().map(OsString::as_os_str);
        let arguments = arguments.chain([OsStr::new(action)]);
        let run = self.machine.command(&self.program, arguments);
        run.into_command()
    }

    fn call(&self, action: &str, more: &str) -> Call {
        Call::new(self.command(action), &format!("{}{more}", self.request))
    }

    /// All that is asked of it, once it has shown that it answers with `token`.
    fn contender(mut self, hub: &Hub, token: &str) -> Contender {
        self.program = copied(&self.machine, &self.program);
        let mut get = self.call("get", "");
        let answer = get.answer();
        let told = format!("password={token}");
        assert!(answer.lines().any(|line| line == told), "{}", self.name);
        // What git gives back after the request: all that it was answered.
        let known = |line: &&str| {
            let key = line.split('=').next();
            key.is_some_and(|key| ["username", "password", "state[]"].contains(&key))
        };
        let known: String = answer
            .lines()
            .filter(known)
            .flat_map(|l| [l, "\n"])
            .collect();
        let typed = format!("username=typed\npassword={}\n", hub.unknown_token());
        let store_new = || self.call("store", &typed);
        let erase_new = || self.call("erase", &typed);
        let (stored, erased) = if self.keeps {
            (
                Some(Timed::after(erase_new(), store_new())),
                Timed::after(store_new(), erase_new()),
            )
        } else {
            // What is held against a token is lifted when it has worked again.
            let erase = self.call("erase", &known);
            (None, Timed::after(self.call("store", &known), erase))
        };
        let end = self.program.ends_with("git-credential-cache");
        Contender {
            name: self.name,
            get: Timed::new(get),
            store_known: Timed::new(self.call("store", &known)),
            store_new: stored,
            erase: erased,
            _end: end.then(|| End(self.command("exit"))),
            _machine: self.machine,
        }
    }
}

/// A copy of a program. How a file was written decides in how large pieces the kernel maps it,
/// which is up to a fifth of the time of a call, so all of them are written in the same way.
fn copied(machine: &Machine, program: &Path) -> PathBuf {
    let name = program.file_name().expect("a file");
    let copy = machine.home().join(name);
    copy_program(program, &copy);
    copy
}

/// A folder of git's that has its helpers, and git's version.
pub fn git() -> (PathBuf, String) {
    let git = gits().swap_remove(0);
    let said = Command::new(&git.path).arg("--exec-path").output();
    let said = String::from_utf8(said.expect("ask git").stdout).expect("a plain path");
    let (major, minor, patch) = git.version;
    (said.trim_end().into(), format!("{major}.{minor}.{patch}"))
}

/// All that there are here, git's own first. What is missing is said.
pub fn all(hub: &Hub, keyring: Option<&Keyring>, builds: &[Build]) -> Vec<Contender> {
    let token = hub.add_token("bench", &[("acme", Write)]);
    let (folder, _) = git();
    let machine = || Machine::new(hub);
    let on_keyring = |keyring: &Keyring| {
        let machine = machine();
        machine.env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
        machine
    };
    let keep = |helper: &Helper| {
        let token = format!("username=hf_user\npassword={token}\n");
        helper.call("store", &token).answer();
    };
    // Ours in this build or in another.
    let ours = |name, program: Option<&Path>| {
        let mut helper = Helper::ours(name, machine());
        if let Some(program) = program {
            program.clone_into(&mut helper.program);
        }
        helper
    };
    let from_environment = |name, program| {
        let mut helper = ours(name, program);
        helper.machine.env("HF_TOKEN", &token);
        helper.keeps = false;
        helper.contender(hub, &token)
    };
    let from_file = |name, program| {
        let helper = ours(name, program);
        helper.machine.login("work", &token, &["--for", "acme"]);
        helper.contender(hub, &token)
    };
    let mut all = Vec::new();

    let mut helper = Helper::gits(
        "git-credential-store",
        machine(),
        folder.join("git-credential-store"),
    );
    let file = helper.machine.home().join("credentials");
    helper.arguments = vec!["--file".into(), file.into()];
    keep(&helper);
    all.push(helper.contender(hub, &token));

    let mut helper = Helper::gits(
        "git-credential-cache",
        machine(),
        folder.join("git-credential-cache"),
    );
    let socket = helper.machine.home().join("../run/cache");
    helper.arguments = vec!["--timeout=3600".into(), "--socket".into(), socket.into()];
    keep(&helper);
    all.push(helper.contender(hub, &token));

    let libsecret = env::var_os(LIBSECRET).map(PathBuf::from);
    match (libsecret, keyring) {
        (Some(program), Some(keyring)) => {
            let name = "git-credential-libsecret";
            let helper = Helper::gits(name, on_keyring(keyring), program);
            keep(&helper);
            all.push(helper.contender(hub, &token));
        }
        (None, _) => println!("git-credential-libsecret is not here: call tests/bench/run"),
        _ => {}
    }

    all.push(from_environment("ours, HF_TOKEN", None));
    all.push(from_file("ours, file", None));

    let mut helper = Helper::ours("ours, command (cat)", machine());
    helper.machine.write(".token", format!("{token}\n"));
    let file = helper.machine.home().join(".token");
    helper.machine.write(
        CONFIG,
        format!(
            "version = 1\n[rules]\nacme = \"cat\"\n[commands]\ncat = [\"/bin/cat\", {:?}]\n",
            file.display().to_string()
        ),
    );
    helper.keeps = false;
    all.push(helper.contender(hub, &token));

    for ([environment, file], program) in builds {
        all.push(from_environment(environment, Some(program.as_path())));
        all.push(from_file(file, Some(program.as_path())));
    }

    if let Some(keyring) = keyring {
        let helper = Helper::ours("ours, Secret Service", on_keyring(keyring));
        let login = [
            "login",
            "work",
            "--with-token",
            "--no-verify",
            "--for",
            "acme",
        ];
        helper.machine.helper(login).stdin(&token).ok();
        all.push(helper.contender(hub, &token));
    }
    all
}

/// The shortest request for a token of the repo that everything here asks for.
pub const SHORT_REQUEST: &str =
    "capability[]=state\nprotocol=https\nhost=huggingface.co\npath=acme/x\n";

/// A `get` of ours on a machine, which has shown that it answers with `token`.
pub fn our_get(machine: &Machine, token: &str) -> Call {
    let mut call = Call::new(machine.helper(["get"]).into_command(), SHORT_REQUEST);
    let answered = call.answer().contains(token);
    assert!(answered, "it answers with another token");
    call
}

/// The program under test.
pub fn program() -> PathBuf {
    fs::canonicalize(env!("CARGO_BIN_EXE_git-credential-hf")).expect("the program was built")
}
