//! Counts attacks, so that one command says how many were tried:
//! `cargo test --locked --test e2e hostile_ -- --nocapture | grep '^attacks' | tail -n 1`

use super::hub::{Hub, TokenSeen};
use super::machine::Machine;
use super::user::{CONFIG, DATA};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// All that were tried in this run of the tests, and how many of them got something.
static TOTAL: Mutex<(usize, usize)> = Mutex::new((0, 0));

/// The attacks of one test.
#[derive(Default)]
pub struct Attacks {
    tried: usize,
    leaks: Vec<String>,
}

impl Attacks {
    /// None tried yet.
    pub fn new() -> Attacks {
        Attacks::default()
    }

    /// One was tried; `leak` says whether it got what it must not.
    pub fn tried(&mut self, what: impl Display, leak: bool) {
        self.tried += 1;
        if leak {
            self.leaks.push(what.to_string());
        }
    }

    /// One was tried over the network: no token went anywhere but to the Hub over TLS, nor to
    /// `more`, which may have some.
    pub fn tried_on(&mut self, hub: &Hub, more: &[&str], what: impl Display) {
        let elsewhere = hub.log().iter().any(|entry| {
            let trusted = entry.scheme == "https"
                && (entry.host == "huggingface.co" || entry.host == "hf.co")
                || more.contains(&format!("{}://{}", entry.scheme, entry.host).as_str());
            // A password that stands in the URL is no token of ours.
            !trusted && matches!(entry.token, TokenSeen::Known(_))
        });
        self.tried(what, elsewhere);
        hub.clear_log();
    }

    /// The end of the test: it fails if any attack got something.
    pub fn end(self) {
        assert!(self.tried > 0, "no attack was tried");
        let mut total = TOTAL.lock().expect("the count");
        total.0 += self.tried;
        total.1 += self.leaks.len();
        println!("\nattacks tried: {}, leaks: {}", total.0, total.1);
        drop(total);
        assert!(self.leaks.is_empty(), "leaks: {:#?}", self.leaks);
    }
}

/// What a file is: its contents, its mode and its inode, which a write replaces.
type Kept = (Vec<u8>, u32, u64);

/// All that the helper keeps, to be compared.
pub fn all_kept(machine: &Machine) -> BTreeMap<PathBuf, Kept> {
    let home = machine.home();
    let mut found = BTreeMap::new();
    for path in [home.join(DATA), home.join(CONFIG)] {
        add_kept(&path, &mut found);
    }
    found
}

fn add_kept(path: &Path, found: &mut BTreeMap<PathBuf, Kept>) {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    if metadata.is_dir() {
        for entry in fs::read_dir(path).expect("list a folder") {
            add_kept(&entry.expect("list a folder").path(), found);
        }
    } else if path.extension().is_none_or(|end| end != "lock") {
        let bytes = fs::read(path).expect("read a file");
        let kept = (bytes, metadata.mode(), metadata.ino());
        found.insert(path.to_owned(), kept);
    }
}
