//! The floor plan of the source, as `CONTRIBUTING.md` draws it: a room uses the rooms below it and
//! none above, no verb uses another, and the pure rooms do no I/O.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the top floor down.
const FLOORS: [&str; 16] = [
    "main",
    "cli",
    "commands",
    "doctor",
    "import",
    "app",
    "selection",
    "hf_cli",
    "hub",
    "state",
    "config",
    "storage",
    "git",
    "terminal",
    "system",
    "model",
];

/// A source file without its unit tests: its path below `src`, and its text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn room(&self) -> &str {
        let first = self.path.iter().next().expect("a path").to_str().unwrap();
        first.trim_end_matches(".rs")
    }

    /// The paths behind `crate::` that its code names, as far as they go.
    fn uses(&self) -> Vec<String> {
        let code = self
            .text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code: String = code.collect::<Vec<_>>().join("\n");
        let paths = code.split("crate::").skip(1);
        paths.flat_map(expand).collect()
    }
}

/// The paths of a `use` tree: `app::{self, setup}` names `app` and `app::setup`.
fn expand(tree: &str) -> Vec<String> {
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let (path, rest) = tree.split_at(end.unwrap_or(tree.len()));
    let path = path.trim_end_matches(':');
    let Some(inside) = rest
        .strip_prefix('{')
        .and_then(|rest| rest.split('}').next())
    else {
        return vec![path.to_owned()];
    };
    let joined = |name: &str| match (path, name.trim()) {
        (path, "self") => path.to_owned(),
        ("", name) => name.to_owned(),
        (path, name) => format!("{path}::{name}"),
    };
    inside.split(',').map(joined).collect()
}

fn sources() -> Vec<Source> {
    fn walk(dir: &Path, root: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(dir).expect("list a folder") {
            let path = entry.expect("list a folder").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|end| end == "rs") && !name.ends_with("tests") {
                let text = fs::read_to_string(&path).expect("read a source");
                let tests = text
                    .find("#[cfg(test)]\nmod ")
                    .or(text.find("#[cfg(all(test"));
                let code = &text[..tests.unwrap_or(text.len())];
                found.push(Source {
                    path: path.strip_prefix(root).expect("below src").to_owned(),
                    text: code.to_owned(),
                });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    assert!(found.len() > 80, "only {} files were found", found.len());
    found
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|known| *known == room)
}

#[test]
fn every_room_uses_only_the_rooms_below_it() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in sources().iter().filter(|source| source.room() != "lib") {
        let own = floor(source.room());
        let own = own.unwrap_or_else(|| panic!("{} is on no floor", source.path.display()));
        for used in source.uses() {
            let room = used.split("::").next().unwrap_or_default();
            seen += 1;
            // What is no room is a word in a text.
            if floor(room).is_some_and(|used| used < own) {
                wrong.push(format!("{} uses {used}", source.path.display()));
            }
        }
    }
    assert!(seen > 400, "only {seen} uses were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_verb_uses_another() {
    let verb = |path: &Path| {
        let second = path.iter().nth(1).expect("a verb").to_string_lossy();
        second.trim_end_matches(".rs").to_owned()
    };
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.room() == "commands")
    {
        let own = verb(&source.path);
        for used in source.uses() {
            if let Some(rest) = used.strip_prefix("commands::")
                && rest.split("::").next() != Some(&own)
            {
                wrong.push(format!("{} uses {used}", source.path.display()));
            }
        }
        // In a file of one verb `super` is the folder of all verbs.
        if source.path.components().count() == 2
            && source.path.file_name().is_some_and(|name| name != "mod.rs")
            && source.text.contains("super::")
        {
            wrong.push(format!("{} uses super", source.path.display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What the pure rooms may use of other crates: none of it reads a file, the environment or the clock,
/// or reaches the network.
const PURE: [&str; 16] = [
    "std::borrow",
    "std::cmp",
    "std::collections",
    "std::fmt",
    "std::mem",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::str",
    "std::sync::OnceLock",
    "hmac_sha256",
    "icu_properties",
    "percent_encoding",
    "secrecy",
    "serde",
    "thiserror",
    "zeroize",
];

/// The crates that `Cargo.toml` names, and the standard library, as paths in the code begin with them.
fn crates() -> Vec<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let text = fs::read_to_string(manifest).expect("read the manifest");
    let mut section = "";
    let mut found = vec!["std".to_owned()];
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['=', ' ', '.']).next().unwrap_or_default();
        if section.ends_with("dependencies]") && !line.starts_with(['[', '#']) && !name.is_empty() {
            found.push(name.replace('-', "_"));
        }
    }
    assert!(found.len() > 15, "only {found:?} were found");
    found
}

#[test]
fn the_pure_rooms_do_no_input_or_output() {
    let crates = crates();
    let between = |c: char| !c.is_alphanumeric() && c != '_' && c != ':';
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in sources() {
        if !["model", "selection"].contains(&source.room()) {
            continue;
        }
        let code = source.text.lines().map(str::trim_start);
        let code = code.filter(|line| !line.starts_with("//"));
        for word in code.flat_map(|line| line.split(between)) {
            let first = word.split("::").next().unwrap_or_default();
            let is_foreign = word.contains("::") && crates.iter().any(|name| name == first);
            seen += usize::from(is_foreign);
            let is_pure = !is_foreign || PURE.iter().any(|pure| word.starts_with(pure));
            let prints = ["print", "println", "eprint", "eprintln", "dbg"].contains(&word);
            if !is_pure || prints {
                wrong.push(format!("{} names {word}", source.path.display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} paths were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn secrets_leave_their_type_only_where_its_table_says() {
    let sources = sources();
    let secret = sources
        .iter()
        .find(|source| source.path == Path::new("model/secret.rs"));
    let table = secret.expect("the secret's file").text.lines();
    let rows = table.filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
    let mut listed: Vec<&str> = rows.collect();
    listed.sort_unstable();
    let exposes = |source: &&Source| {
        let is_its_own = source.path == Path::new("model/secret.rs");
        !is_its_own && source.text.contains(".expose()")
    };
    let found = sources.iter().filter(exposes);
    let mut found: Vec<&str> = found.map(|source| source.path.to_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(listed, found);
}

#[test]
fn a_check_of_doctor_has_the_name_of_its_file() {
    let mut seen = 0;
    for source in sources() {
        let Some((_, id)) = source.text.split_once("Check = Check {\n    id: \"") else {
            continue;
        };
        let id = id.split('"').next().unwrap().replace('-', "_");
        assert_eq!(source.path.file_stem().unwrap().to_str(), Some(&*id));
        seen += 1;
    }
    assert!(seen > 20, "only {seen} checks were found");
}
