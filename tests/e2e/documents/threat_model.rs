//! SECURITY.md names a test for each statement; those tests are there.

use std::fs;
use std::path::{Path, PathBuf};

/// The Rust sources below a folder, each with the name of its module.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("list a folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let module = path
                .with_extension("")
                .to_string_lossy()
                .replace("/mod", "");
            let text = fs::read_to_string(&path).expect("read a source");
            found.push((module, text));
        }
    }
}

#[test]
fn each_statement_names_a_test_that_is_there() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    sources(&root.join("tests"), &mut all);
    sources(&root.join("src"), &mut all);
    let text = fs::read_to_string(root.join("SECURITY.md")).expect("the threat model");
    let model = text
        .split("| statement | checked by |")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .expect("the table");
    let mut named = 0;
    for row in model.lines().filter(|row| row.matches('|').count() == 3) {
        let Some(tests) = row.split('|').nth(2).filter(|tests| tests.contains('`')) else {
            continue;
        };
        // The module stands before the first of its tests.
        let mut module = String::new();
        for name in tests.split('`').skip(1).step_by(2) {
            let (of, name) = name.rsplit_once("::").unwrap_or((&module, name));
            let of = of.trim_end_matches("::tests").to_owned();
            let file = format!("/{}", of.replace("::", "/"));
            let is_file = format!("{file}/{name}");
            let mut files = all
                .iter()
                .filter(|(module, _)| module.ends_with(&file) || module.ends_with(&is_file));
            let there = files.any(|(module, text)| {
                name == "*" || module.ends_with(&is_file) || text.contains(&format!("fn {name}("))
            });
            assert!(
                there,
                "{of}::{name} is named in SECURITY.md, and is not there"
            );
            module = of;
            named += 1;
        }
    }
    assert!(named > 40, "only {named} tests are named");
}

#[test]
fn each_crate_that_the_program_uses_is_in_the_table() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).expect("read a file");
    let (manifest, text) = (read("Cargo.toml"), read("SECURITY.md"));
    let rows = text.split("| crate | sees |").nth(1).expect("the table");
    let rows = rows.split("\n\n").next().expect("its rows");
    let mut used = false;
    let mut checked = 0;
    for line in manifest.lines() {
        if line.starts_with('[') {
            used = line.ends_with("dependencies]")
                && !line.contains("dev-")
                && !line.contains("build-");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| used) {
            assert!(rows.contains(&format!("`{name}`")), "{name}");
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked} crates");
}
