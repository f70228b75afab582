//! What `get` need not read: the rules for other namespaces.
//!
//! A configuration of a thousand rules takes the TOML parser ten times as long as all the rest of
//! `get`, which asks for one repo. So the lines of `[rules]` that are plainly rules for another
//! namespace are taken out of the text before it is parsed. Whatever is not plain stays, and so
//! does everything where something is doubtful: the outcome is the same as without.

use std::collections::BTreeSet;

use super::read::token_name;
use crate::model::pattern::plain_namespace;
use crate::model::repo::Name;

/// The text without the rules for other namespaces than this one, or than none at all. `None`
/// when it cannot be told by looking at its lines, and has to be read whole.
#[must_use]
pub fn without_other_rules(text: &str, namespace: Option<&Name>) -> Option<String> {
    let mut kept = String::with_capacity(text.len() / 8 + 512);
    let mut in_rules = false;
    let mut patterns = Vec::new();
    let mut names = BTreeSet::new();
    let mut last = "";
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            in_rules = line.trim_end() == "[rules]";
        } else if in_rules && !is_blank(line) {
            let rule = PlainRule::read(line)?;
            patterns.push(hash(rule.pattern));
            // Rules of one token stand together as a rule.
            if rule.token != last && !names.contains(rule.token) {
                rule.check_token()?;
                names.insert(rule.token);
            }
            last = rule.token;
            if namespace.is_none_or(|wanted| !wanted.as_str().eq_ignore_ascii_case(rule.namespace))
            {
                continue;
            }
        } else if line.contains("\"\"\"") || line.contains("'''") {
            // All that can make a later line mean something else than it says.
            return None;
        }
        kept.push_str(line);
    }
    // Two rules for one pattern are a mistake, which the whole text must tell.
    patterns.sort_unstable();
    let twice = patterns.windows(2).any(|pair| pair.first() == pair.last());
    (!twice).then_some(kept)
}

fn is_blank(line: &str) -> bool {
    let starts_rule = |b: &u8| *b == b'"' || b.is_ascii_alphanumeric();
    if line.as_bytes().first().is_some_and(starts_rule) {
        return false;
    }
    let line = line.trim_ascii();
    line.is_empty() || line.starts_with('#')
}

/// A line such as `"acme/x" = "work"`, written without any of TOML's or this program's finer
/// points, so that it is certainly right and means what it says.
struct PlainRule<'a> {
    pattern: &'a str,
    namespace: &'a str,
    token: &'a str,
}

impl<'a> PlainRule<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (pattern, rest) = match line.strip_prefix('"') {
            Some(quoted) => split_at_byte(quoted, |b| b == b'"')?,
            None => {
                let (bare, _) = split_at_byte(line, |b| b == b' ' || b == b'=')?;
                // Here a dot would be TOML's.
                let plain = !bare.bytes().any(|b| matches!(b, b'.' | b'/' | b'*'));
                (plain.then_some(bare)?, line.get(bare.len()..)?)
            }
        };
        let rest = after_spaces(after_spaces(rest).strip_prefix('=')?);
        let (token, rest) = split_at_byte(rest.strip_prefix('"')?, |b| b == b'"')?;
        let rest = rest.trim_ascii();
        let is_comment = || rest.starts_with('#') && !rest.contains(char::is_control);
        (rest.is_empty() || is_comment()).then_some(Self {
            pattern,
            namespace: plain_namespace(pattern)?,
            token,
        })
    }

    /// Whether the token's name is one, and has nothing in it that TOML reads in another way.
    fn check_token(&self) -> Option<()> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:@/ ".contains(&b);
        let right = self.token.bytes().all(plain) && token_name(self.token).is_ok();
        right.then_some(())
    }
}

/// What comes before the first such byte and after it. The search of `split_once` is made for long
/// texts, and thousands of these are short.
fn split_at_byte(text: &str, is_it: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    let at = text.bytes().position(is_it)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn after_spaces(text: &str) -> &str {
    let spaces = text.bytes().take_while(|b| *b == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// A number that two patterns share which differ in case only, and hardly any others. One that
/// they share by chance costs time and nothing else. Eight bytes at a time: there are many.
fn hash(pattern: &str) -> u64 {
    // The bit that makes letters small; what it makes of other characters keeps them apart.
    const SMALL: u64 = 0x2020_2020_2020_2020;
    let (words, rest) = pattern.as_bytes().as_chunks();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    words.iter().chain([&last]).fold(0, |hash: u64, word| {
        let word = u64::from_le_bytes(*word) | SMALL;
        (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
