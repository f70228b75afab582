//! The documents, held against the program.

pub mod commands;
mod comparison;
pub mod json;
pub mod readme;
pub mod recipes;
pub mod references;
pub mod threat_model;

/// The documents that speak to users, each with its path.
pub const DOCUMENTS: [(&str, &str); 7] = [
    ("README.md", include_str!("../../../README.md")),
    ("SECURITY.md", include_str!("../../../SECURITY.md")),
    ("CONTRIBUTING.md", include_str!("../../../CONTRIBUTING.md")),
    ("install/ci.md", include_str!("../../../install/ci.md")),
    (
        "install/configuration.md",
        include_str!("../../../install/configuration.md"),
    ),
    ("install/json.md", include_str!("../../../install/json.md")),
    (
        "tests/bench/README.md",
        include_str!("../../bench/README.md"),
    ),
];

/// The text of one of them.
pub fn document(path: &str) -> &'static str {
    let found = DOCUMENTS.iter().find(|(name, _)| *name == path);
    found.expect("a document").1
}

/// What stands between backticks in a line.
pub fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The cells of a table's row; a `|` in a cell is written `\|`.
pub fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{1}");
    let cells = row.trim().trim_matches('|').split('|');
    cells
        .map(|cell| cell.trim().replace('\u{1}', "|"))
        .collect()
}
