//! Texts that a reviewer reads, in files of their own.

use std::path::Path;

/// The text without what differs from run to run: the ends of tokens and the home directory.
pub fn tidy(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("hf_…").or_else(|| rest.find("hf_..")) {
        let (before, found) = rest.split_at(at);
        let mark = if found.starts_with("hf_…") {
            "hf_…"
        } else {
            "hf_.."
        };
        out.push_str(before);
        out.push_str(mark);
        out.push_str("a1B2");
        rest = found.get(mark.len() + 4..).unwrap_or("");
    }
    out.push_str(rest);
    out.replace('\r', "")
}

/// Compares a text with the one in a file below `tests/e2e/`, which `UPDATE_SNAPSHOTS=1` writes anew.
pub fn expect(folder: &str, name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e")
        .join(folder);
    let file = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, text).expect("write a snapshot");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text, expected,
        "{name}, got:\n{text}\nexpected:\n{expected}"
    );
}
