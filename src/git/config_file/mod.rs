//! Edits the lines of `configure` in a git configuration file: bytes in, bytes out, no I/O.
//!
//! The lines form one block at the end of the file:
//!
//! ```text
//! # git-credential-hf: begin
//! [credential]
//!     # git-credential-hf: set generic helpers here; further down they would be given Hub tokens
//! [credential "https://huggingface.co"]
//!     helper =
//!     helper = hf
//!     useHttpPath = true
//! # git-credential-hf: end
//! ```
//!
//! git reads `credential.*` in file order, whatever the URL, and hands an approved credential to every helper on
//! the list. The empty `helper =` clears the list, so only a helper that comes *after* the block could be given a
//! Hub token. Hence the place at the end, and hence the empty `[credential]`: `git config credential.helper X`
//! writes into the last such section of the file, which is now above our lines. The section is there even if
//! the file has another, since git drops a section whose last variable is unset and would start a new one at the
//! very end; the comment in it keeps git from dropping this one.
//!
//! The grammar is that of git's `config.c` (`git_parse_source` and what it calls), its oddities included.

mod helper_value;
mod lines;
mod parse;
mod url_match;
pub(crate) mod urls;

use std::path::PathBuf;

use helper_value::check_helper;
pub use helper_value::{first_word, is_our_helper, means_us, quote_helper};
pub(crate) use lines::line_of;
use parse::{File, Item, Kind, parse};
pub(crate) use url_match::applies;
pub use url_match::{Reach, reach};

const BEGIN: &str = "# git-credential-hf: begin";
const END: &str = "# git-credential-hf: end";
const ANCHOR: &str =
    "# git-credential-hf: set generic helpers here; further down they would be given Hub tokens";
/// What the begin line records, so that `unconfigure` can restore the file byte for byte.
const CREATED: &str = " (created this file)";
const ADDED: [&str; 3] = [
    "",
    " (after an added newline)",
    " (after two added newlines)",
];

/// Why a file was not edited. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A section header is malformed or not closed on its line.
    #[error("line {line}: malformed section header")]
    Header {
        /// Where.
        line: usize,
    },
    /// Something that is not a comment, a header or `key = value`.
    #[error("line {line}: neither a section, a comment nor `key = value`")]
    Key {
        /// Where.
        line: usize,
    },
    /// A value with a quote that is not closed, or an escape git does not know.
    #[error("line {line}: value with an open quote or an unknown escape")]
    Value {
        /// Where.
        line: usize,
    },
    /// The endpoint cannot stand in a section header: it is empty or has a newline or NUL in it.
    #[error("{0:?} cannot be written as a section of git's configuration")]
    Endpoint(String),
    /// The helper is neither `hf` nor the absolute path of a `git-credential-hf`, written as [`quote_helper`] does.
    #[error("`{0}` is not `hf` nor an absolute path to git-credential-hf")]
    Helper(String),
}

/// The result of [`unconfigure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfigured {
    /// The new content.
    pub bytes: Vec<u8>,
    /// Whether to delete the file: [`configure`] created it, and nothing else is in it.
    pub delete_file: bool,
}

/// Whether our block has lost a marker, or there are several blocks.
pub(crate) fn has_damaged_block(current: &[u8]) -> bool {
    let Ok(file) = parse(current) else {
        return false;
    };
    let marks: Vec<Mark> = file.items.iter().filter_map(mark_of).collect();
    !matches!(marks.as_slice(), [] | [Mark::Begin { .. }, Mark::End])
}

/// Puts the block for `endpoints` at the end of the file, and removes an earlier block.
///
/// `original` is `None` if there is no file yet. `helper` is the value to write: `hf`, or what
/// [`quote_helper`] returns. With no endpoints an earlier block is removed and none is added. All other bytes stay;
/// lines that somebody else added to our sections are left, with their header, where the old block was.
/// Lines like ours without our markers, typed by hand, are kept.
///
/// # Errors
///
/// [`EditError`] if git could not read the file, or for an endpoint or helper that cannot be written.
pub fn configure(
    original: Option<&[u8]>,
    endpoints: &[&str],
    helper: &str,
) -> Result<Vec<u8>, EditError> {
    check_helper(helper)?;
    if let Some(bad) = endpoints
        .iter()
        .find(|e| e.is_empty() || e.contains(['\n', '\0']))
    {
        return Err(EditError::Endpoint((*bad).to_owned()));
    }
    let before = original.unwrap_or_default();
    let Stripped { mut bytes, created } = strip(before, &parse(before)?, false);
    if endpoints.is_empty() {
        return Ok(bytes);
    }
    let newlines = parse(&bytes)?.missing_newlines;
    let note = if bytes.is_empty() && (created || original.is_none()) {
        CREATED
    } else {
        ADDED[newlines]
    };
    let crlf = bytes
        .iter()
        .position(|&b| b == b'\n')
        .is_some_and(|at| bytes[..at].ends_with(b"\r"));
    let eol = if crlf { "\r\n" } else { "\n" };

    let mut lines = vec![
        format!("{BEGIN}{note}"),
        "[credential]".to_owned(),
        format!("\t{ANCHOR}"),
    ];
    for endpoint in endpoints {
        let name = endpoint.replace('\\', r"\\").replace('"', "\\\"");
        lines.push(format!("[credential \"{name}\"]"));
        lines.extend([
            "\thelper =".to_owned(),
            format!("\thelper = {helper}"),
            "\tuseHttpPath = true".to_owned(),
        ]);
    }
    lines.push(END.to_owned());
    bytes.extend(eol.repeat(newlines).bytes());
    for line in lines {
        bytes.extend(line.bytes());
        bytes.extend(eol.bytes());
    }
    Ok(bytes)
}

/// Removes our lines. If nothing else changed since [`configure`], the result is the original, byte for byte.
///
/// What others added inside the block stays, under its section header. If one or both markers are gone, only
/// sections with our three lines next to each other count as ours.
///
/// # Errors
///
/// [`EditError`] if git could not read the file.
pub fn unconfigure(current: &[u8]) -> Result<Unconfigured, EditError> {
    let Stripped { bytes, created } = strip(current, &parse(current)?, true);
    Ok(Unconfigured {
        delete_file: created && bytes.is_empty(),
        bytes,
    })
}

/// The work tree that a repository's configuration names, relative to its folder, as a submodule's does.
pub(crate) fn work_tree(bytes: &[u8]) -> Option<PathBuf> {
    let mut in_core = false;
    let mut found = None;
    for item in parse(bytes).ok()?.items {
        match item.kind {
            Kind::Header(name) => in_core = name == b"core",
            Kind::Entry { key, value } if in_core && key == b"worktree" => {
                found = value.and_then(|value| String::from_utf8(value).ok());
            }
            _ => {}
        }
    }
    found.map(PathBuf::from)
}

/// Our marker lines, which are comments to git.
#[derive(Clone, Copy)]
enum Mark {
    Begin { created: bool, newlines: usize },
    End,
}

fn mark_of(item: &Item) -> Option<Mark> {
    let Kind::Comment(text) = &item.kind else {
        return None;
    };
    match text.strip_prefix(BEGIN.as_bytes()) {
        _ if !item.whole_lines => None,
        Some(note) if note.is_empty() || note.starts_with(b" (") => Some(Mark::Begin {
            created: note == CREATED.as_bytes(),
            newlines: ADDED
                .iter()
                .position(|added| note == added.as_bytes())
                .unwrap_or(0),
        }),
        _ => (text == END.as_bytes()).then_some(Mark::End),
    }
}

/// What the position of an item says about who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Outside our block.
    Outside,
    /// Between a begin and an end line.
    Marked,
    /// Near a marker without its partner: only lines exactly like ours count as ours.
    Torn,
}

/// Finds our blocks. Without any marker, the whole file counts as torn if `unmarked`, or else nothing is ours.
fn zones(items: &[Item], unmarked: bool) -> Vec<Zone> {
    let mut zones = vec![Zone::Outside; items.len()];
    let (mut open, mut closed, mut marks) = (None, 0, false);
    for (at, item) in items.iter().enumerate() {
        let Some(mark) = mark_of(item) else { continue };
        marks = true;
        let (zone, from) = match (mark, open) {
            (Mark::Begin { .. }, from) => (Zone::Torn, from.unwrap_or(at)),
            (Mark::End, Some(from)) => (Zone::Marked, from),
            (Mark::End, None) => (Zone::Torn, closed),
        };
        zones[from..=at].fill(zone);
        open = matches!(mark, Mark::Begin { .. }).then_some(at);
        closed = at + 1;
    }
    let rest = if marks { open } else { unmarked.then_some(0) };
    if let Some(from) = rest {
        zones[from..].fill(Zone::Torn);
    }
    zones
}

struct Stripped {
    bytes: Vec<u8>,
    /// Whether the block records that [`configure`] created the file.
    created: bool,
}

/// The file without our lines.
fn strip(bytes: &[u8], file: &File, unmarked: bool) -> Stripped {
    let items = &file.items;
    let zones = zones(items, unmarked);
    let mut ours = vec![false; items.len()];
    let heads: Vec<usize> = (0..items.len())
        .filter(|&at| items[at].header().is_some())
        .collect();
    for (nth, &head) in heads.iter().enumerate() {
        let end = heads.get(nth + 1).copied().unwrap_or(items.len());
        mark_section(items, &zones, &mut ours, head..end);
    }

    let mut out = Vec::with_capacity(bytes.len());
    let (mut copied, mut created, mut joints) = (0, false, Vec::new());
    for (item, &ours) in items.iter().zip(&ours) {
        let mark = mark_of(item);
        if !ours && mark.is_none() {
            continue;
        }
        out.extend(&bytes[copied..item.start]);
        copied = item.end;
        if let Some(Mark::Begin {
            created: made,
            newlines,
        }) = mark
        {
            created |= made;
            let eol: &[u8] = if bytes[..item.end].ends_with(b"\r\n") {
                b"\r\n"
            } else {
                b"\n"
            };
            joints.push((out.len(), newlines, eol));
        }
    }
    out.extend(&bytes[copied..]);
    // A newline we added before the block is still needed if something follows now.
    for (at, newlines, eol) in joints.into_iter().rev() {
        for _ in 0..newlines {
            if out.len() <= at && out.ends_with(eol) {
                out.truncate(out.len() - eol.len());
            }
        }
    }
    Stripped {
        bytes: out,
        created,
    }
}

/// Sets `ours` for what is ours in the section whose header is the first item of `span`.
fn mark_section(items: &[Item], zones: &[Zone], ours: &mut [bool], span: std::ops::Range<usize>) {
    let head = span.start;
    let Some(name) = items[head].header() else {
        return;
    };
    let for_url = name.starts_with(b"credential.");
    if !for_url && name != b"credential" {
        return;
    }
    let removable = |at: &usize| zones[*at] != Zone::Outside && items[*at].whole_lines;
    let entries: Vec<usize> = span
        .clone()
        .filter(|&at| matches!(items[at].kind, Kind::Entry { .. }))
        .collect();
    for (nth, at) in entries.iter().enumerate() {
        if !for_url || !removable(at) || !items[*at].sets(b"helper", is_our_helper) {
            continue;
        }
        let reset = nth
            .checked_sub(1)
            .and_then(|nth| entries.get(nth))
            .filter(|at| removable(at));
        let reset = reset.filter(|at| items[**at].sets(b"helper", <[u8]>::is_empty));
        let path = entries.get(nth + 1).filter(|at| removable(at));
        let path = path.filter(|at| items[**at].sets(b"usehttppath", |value| value == b"true"));
        if zones[*at] == Zone::Marked || (reset.is_some() && path.is_some()) {
            for at in [reset, Some(at), path].into_iter().flatten() {
                ours[*at] = true;
            }
        }
    }
    let is_comment = |at: usize, ours: &str| matches!(&items[at].kind, Kind::Comment(text) if text == ours.as_bytes());
    for at in span.clone().filter(removable) {
        ours[at] |= is_comment(at, ANCHOR);
    }
    // A header is removed with its last line. Comments of others do not need it.
    let touched = zones[head] == Zone::Marked || span.clone().any(|at| ours[at]);
    ours[head] = removable(&head) && touched && entries.iter().all(|&at| ours[at]);
}

#[cfg(test)]
mod tests;
