//! What `get` need not read: the rules for other namespaces.
//!
//! A configuration of a thousand rules takes the TOML parser ten times as long as all the rest of
//! `get`, which asks for one repo. So the lines of `[rules]` that are plainly rules for another
//! namespace are taken out of the text before it is parsed. Whatever is not plain stays, and so
//! does everything where something is doubtful: the outcome is the same as without.

use std::collections::BTreeSet;

use super::read::token_name;
use crate::pattern::plain_namespace;
use crate::repo::Name;

/// The text without the rules for other namespaces than this one, or than none at all. `None`
/// when it cannot be told by looking at its lines, and has to be read whole.
#[must_use]
pub fn without_other_rules(text: &str, namespace: Option<&Name>) -> Option<String> {
    // The only thing in TOML that makes a line mean something else than it says.
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let mut kept = String::with_capacity(text.len() / 8 + 512);
    let mut in_rules = false;
    let mut patterns = Vec::new();
    let mut names = BTreeSet::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            in_rules = line.trim_end() == "[rules]";
        } else if in_rules && !is_blank(line) {
            let (pattern, name) = plain_rule(line)?;
            patterns.push(hash(pattern));
            if !names.contains(name) {
                token_name(name).ok()?;
                names.insert(name);
            }
            if namespace.map(Name::as_str).is_none_or(|wanted| {
                plain_namespace(pattern).is_some_and(|its| !its.eq_ignore_ascii_case(wanted))
            }) {
                continue;
            }
        }
        kept.push_str(line);
    }
    // Two rules for one pattern are a mistake, which the whole text must tell.
    patterns.sort_unstable();
    let twice = patterns.windows(2).any(|pair| pair.first() == pair.last());
    (!twice).then_some(kept)
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || line.starts_with('#')
}

/// Pattern and token of a line such as `"acme/x" = "work"`, where both are written without any
/// of TOML's or this program's finer points, so that they are certainly right and mean themselves.
fn plain_rule(line: &str) -> Option<(&str, &str)> {
    let (pattern, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => {
            let end = line.find([' ', '='])?;
            let (bare, rest) = line.split_at_checked(end)?;
            // Here a dot would be TOML's.
            (!bare.contains(['.', '/', '*'])).then_some((bare, rest))?
        }
    };
    let rest = rest.trim_start_matches(' ').strip_prefix('=')?;
    let (name, rest) = rest
        .trim_start_matches(' ')
        .strip_prefix('"')?
        .split_once('"')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:@/ ".contains(&b);
    let rest = rest.trim_ascii();
    let is_comment = rest.starts_with('#') && !rest.contains(char::is_control);
    let right = name.bytes().all(plain) && (rest.is_empty() || is_comment);
    (right && plain_namespace(pattern).is_some()).then_some((pattern, name))
}

/// A number that two patterns share which differ in case only, and hardly any others. One that
/// they share by chance costs time and nothing else.
fn hash(pattern: &str) -> u64 {
    pattern.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}
