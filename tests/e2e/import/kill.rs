//! `import`, killed at every system call by which it changes anything, one after the other: each
//! token is where it was, or where it is kept, or both; nobody else's line is lost; and the next
//! import ends what was begun.

use crate::import::common::{ACTIVE, STORED};
use crate::support::faults::CALLS;
use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, STATE};
use git_credential_hf::state::file::StateFile;
use git_credential_hf::storage::Storage;
use git_credential_hf::storage::file::FileStorage;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Where the tokens are at first.
const OLD: [&str; 5] = [
    ".git-credentials",
    ".netrc",
    STORED,
    ACTIVE,
    "x/.git/config",
];

const IMPORT: [&str; 7] = [
    "import",
    "hf",
    "git",
    "netrc",
    "remotes",
    "--remove",
    "--no-verify",
];

/// A machine with tokens everywhere, made anew for each kill.
struct Desk {
    hub: Hub,
    machine: Machine,
    tokens: Vec<String>,
}

impl Desk {
    fn new() -> Desk {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        let tokens = (0..4)
            .map(|n| hub.add_token(&format!("t{n}"), &[]))
            .collect();
        let desk = Desk {
            hub,
            machine,
            tokens,
        };
        desk.fill();
        desk
    }

    fn fill(&self) {
        let home = self.machine.home();
        fs::remove_dir_all(&home).expect("empty the home");
        fs::create_dir(&home).expect("make the home");
        let machine = &self.machine;
        let [a, b, c, d] = self.tokens.as_slice() else {
            panic!("four tokens")
        };
        machine.write(".gitconfig", "# mine\n");
        machine.configure();
        machine.write(CONFIG, "# mine\nversion = 1\nstorage = \"file\"\n");
        machine.write(".git-credentials", format!("https://me:pw@github.com\nhttps://me:{a}@huggingface.co\nhttps://me:{b}@huggingface.co/acme/b\n"));
        machine.write(
            ".netrc",
            format!("machine github.com password pw\nmachine hf.co password {a}\n"),
        );
        machine.write(STORED, format!("# mine\n[work]\nhf_token = {c}\n\n"));
        machine.write(ACTIVE, c);
        machine.git(["init", "--quiet", "x"]).ok();
        let config = machine.read("x/.git/config");
        machine.write(
            "x/.git/config",
            format!(
                "{config}[remote \"o\"]\n\turl = https://me:{d}@huggingface.co/acme/d # mine\n"
            ),
        );
    }

    /// Where each token is: in the state and readable, or in one of the old places.
    fn nothing_is_lost(&self, when: &str) -> usize {
        let home = self.machine.home();
        let state = StateFile::new(home.join(STATE)).load().expect("a state");
        let storage = FileStorage::new(home.join(DATA).join("tokens"));
        let kept: Vec<String> = state
            .tokens
            .keys()
            .filter_map(|name| storage.read(name).ok())
            .map(|record| record.secret.expose().to_owned())
            .collect();
        let old = OLD.map(|file| fs::read_to_string(home.join(file)).unwrap_or_default());
        for (n, token) in self.tokens.iter().enumerate() {
            let there = old.iter().any(|text| text.contains(token));
            assert!(
                there || kept.contains(token),
                "token {n} is lost after a kill at {when}"
            );
        }
        for (text, others) in [
            (&old[0], "https://me:pw@github.com\n"),
            (&old[1], "machine github.com password pw\n"),
            (&old[2], "# mine\n"),
            (&old[4], "huggingface.co/acme/d # mine\n"),
        ] {
            assert!(
                text.contains(others),
                "{others:?} is lost after a kill at {when}"
            );
        }
        self.machine
            .git(["-C", "x", "config", "--list"])
            .may_print_secret()
            .ok();
        kept.len()
    }

    fn is_done(&self, when: &str) {
        let home = self.machine.home();
        self.machine.helper(IMPORT).dir("x").ok();
        assert_eq!(self.nothing_is_lost(when), self.tokens.len(), "{when}");
        let names = self.machine.names();
        assert_eq!(
            names.len(),
            self.tokens.len(),
            "{names:?} after a kill at {when}"
        );
        let tokens = home.join(DATA).join("tokens");
        for file in self.machine.files_with_secrets() {
            let kept =
                file.starts_with(&tokens) && file.extension().is_some_and(|it| it == "token");
            assert!(kept, "{} after a kill at {when}", file.display());
        }
        for folder in [
            home.as_path(),
            &home.join("x/.git"),
            &home.join(".cache/huggingface"),
        ] {
            assert_eq!(
                left_in(folder),
                Vec::<String>::new(),
                "after a kill at {when}"
            );
        }
    }
}

/// Locks and temporary files, but for the hf CLI's lock, which stays.
fn left_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let left = |name: &String| {
        (name.ends_with(".lock") && name != "stored_tokens.lock") || name.ends_with(".tmp")
    };
    names.filter(left).collect()
}

#[test]
fn a_kill_at_any_call_loses_nothing() {
    if !need("strace") {
        return;
    }
    let desk = Desk::new();
    let log = desk.machine.home().with_extension("strace");
    let log = log.to_str().expect("a UTF-8 path");
    let calls: Vec<String> = CALLS.iter().map(|call| format!("?{call}")).collect();
    let trace = format!("trace={}", calls.join(","));
    // Only this very process: what git does for it changes nothing.
    let traced = |options: &[&str]| {
        let helper = ["--", "git-credential-hf"];
        let all = ["-qq", "-e", "signal=none"]
            .iter()
            .chain(options)
            .chain(&helper)
            .chain(&IMPORT);
        desk.machine.command("strace", all).dir("x")
    };
    traced(&["-o", log, "-e", &trace]).ok();
    let text = fs::read(log).expect("the log of strace");
    let text = String::from_utf8_lossy(&text).into_owned();
    desk.is_done("nothing");

    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in text.lines() {
        let Some((call, arguments)) = line.split_once('(') else {
            continue;
        };
        let nth = counts.entry(call).or_default();
        *nth += 1;
        let reads = call == "openat" && !arguments.contains("O_CREAT");
        let speaks =
            call == "write" && (arguments.starts_with("1,") || arguments.starts_with("2,"));
        if !reads && !speaks {
            points.push((call, *nth));
        }
    }
    assert!(points.len() > 60, "{points:?}");
    let mut done_by = BTreeMap::new();
    for (call, nth) in &points {
        desk.fill();
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let output = traced(&[
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={call}"),
            "-e",
            &inject,
        ])
        .run();
        assert_eq!(output.code, 137, "{call} {nth}: {output}");
        let when = format!("{call} {nth}");
        let kept = desk.nothing_is_lost(&when);
        *done_by.entry(kept).or_insert(0) += 1;
        // As `doctor --fix` does when they are old.
        for lock in [".git-credentials.lock", "x/.git/config.lock"] {
            let _ = fs::remove_file(desk.machine.home().join(lock));
        }
        desk.is_done(&when);
    }
    println!(
        "{} kills of import; after how many of them how many tokens were kept: {done_by:?}",
        points.len()
    );
    assert!(desk.hub.log().is_empty());
}

#[test]
fn what_cannot_be_read_back_is_not_removed() {
    if !need("strace") {
        return;
    }
    let desk = Desk::new();
    // Where the tokens lie once they are kept.
    let without_removal = IMPORT.iter().filter(|it| **it != "--remove");
    desk.machine.helper(without_removal).dir("x").ok();
    let kept = desk.machine.files_with_secrets();
    let is_kept = |file: &&std::path::PathBuf| file.extension().is_some_and(|it| it == "token");
    let kept: Vec<String> = kept
        .iter()
        .filter(is_kept)
        .map(|file| file.display().to_string())
        .collect();
    assert_eq!(kept.len(), 4);
    desk.fill();
    let paths = kept.iter().flat_map(|path| ["-P", path]);
    // The names are theirs only once they are written.
    let fault = ["-e", "trace=read", "-e", "inject=read:error=EIO"];
    let fixed = ["-qq", "-o", "/dev/null"]
        .into_iter()
        .chain(paths)
        .chain(fault);
    let all = fixed.chain(["--", "git-credential-hf"]).chain(IMPORT);
    let output = desk.machine.command("strace", all).dir("x").fails();
    output.says(&["cannot be read back"]);
    let places = [&[0, 1][..], &[0], &[2], &[2], &[3]];
    for (file, tokens) in OLD.iter().zip(places) {
        for n in tokens {
            assert!(desk.machine.read(file).contains(&desk.tokens[*n]), "{file}");
        }
    }
    desk.is_done("what could not be read back");
}
