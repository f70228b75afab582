//! The layout of the state file, a token a line, and what `get` need not read of it.
//!
//! What is known of a token takes longer to parse than all else that `get` does once there are
//! dozens of them, and `get` is about one repo. So the lines of tokens that cannot matter there
//! are left out before the rest is parsed. A file in another layout is JSON just as well, and is
//! read whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;

use crate::model::repo::Name;
use crate::model::token_name::TokenName;
use crate::state::State;

/// How the file begins, up to the first token.
const HEAD: &str = "{\n\"version\": 1,\n\"tokens\": {\n";
/// How a token from git's `store` shows.
const KEPT_BY_GIT: &str = "\"origin\":\"git\"";

/// The state as text.
///
/// # Errors
/// Never: maps with text keys and plain values always serialise.
pub fn write(state: &State) -> io::Result<Vec<u8>> {
    let State {
        version,
        tokens,
        rejected,
        commands,
        leftovers,
        hf_renewal_failed,
    } = state;
    let mut text = Vec::with_capacity(1024 * tokens.len() + 256);
    write!(text, "{{\n\"version\": {version},\n\"tokens\": ")?;
    write_map(&mut text, tokens)?;
    text.write_all(b",\n\"rejected\": ")?;
    write_map(&mut text, rejected)?;
    text.write_all(b",\n\"commands\": ")?;
    write_map(&mut text, commands)?;
    if !leftovers.is_empty() {
        text.write_all(b",\n\"leftovers\": ")?;
        write_map(&mut text, leftovers)?;
    }
    if let Some(at) = hf_renewal_failed {
        write!(text, ",\n\"hf_renewal_failed\": {at}")?;
    }
    text.write_all(b"\n}\n")?;
    Ok(text)
}

fn write_map<K: Serialize, V: Serialize>(
    text: &mut Vec<u8>,
    map: &BTreeMap<K, V>,
) -> io::Result<()> {
    text.write_all(b"{\n")?;
    for (at, (key, value)) in map.iter().enumerate() {
        if at > 0 {
            text.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut *text, key)?;
        text.write_all(b":")?;
        serde_json::to_writer(&mut *text, value)?;
    }
    text.write_all(if map.is_empty() { b"}" } else { b"\n}" })
}

/// What makes a token matter to one request.
#[derive(Debug, Clone, Default)]
pub struct Relevant<'a> {
    /// The namespace of the repo: tokens are chosen by their scopes there.
    pub namespace: Option<&'a Name>,
    /// The user name that git sent: it may be an account's.
    pub username: Option<&'a str>,
    /// The names that rules, the default and the environment give.
    pub names: BTreeSet<&'a TokenName>,
}

/// The text without the tokens that cannot matter. `None` where it is not laid out as
/// [`write`] does it.
#[must_use]
pub fn without_others(text: &str, relevant: &Relevant<'_>) -> Option<String> {
    let names: BTreeSet<&str> = relevant.names.iter().map(|name| name.as_str()).collect();
    let namespace = relevant.namespace.map(Name::as_str);
    let words = [namespace, relevant.username.filter(|name| !name.is_empty())];
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .map(str::to_ascii_lowercase)
        .collect();
    // What hardly any state has is not looked for in each line.
    let any_kept_by_git = text.contains(KEPT_BY_GIT);
    let any_escape = text.contains('\\');
    let mut kept = String::with_capacity(text.len() / 8 + 1024);
    kept.push_str(HEAD);
    let mut rest = text.strip_prefix(HEAD)?;
    let mut buffer = Vec::new();
    loop {
        let (line, after) = rest.split_once('\n')?;
        rest = after;
        if line == "}," {
            break;
        }
        let token = line.strip_suffix(',').unwrap_or(line);
        let (name, value) = token.strip_prefix('"')?.split_once('"')?;
        // What is written with an escape may read as anything.
        let escape = any_escape && token.contains('\\');
        if !value.starts_with(":{") && !escape {
            return None;
        }
        let matters = escape
            || names.contains(name)
            || any_kept_by_git && token.contains(KEPT_BY_GIT)
            || !words.is_empty() && {
                let lower = lowered(token, &mut buffer)?;
                words.iter().any(|word| lower.contains(word))
            };
        if matters {
            kept.push_str(token);
            kept.push_str(",\n");
        }
    }
    match kept.strip_suffix(",\n").map(str::len) {
        Some(length) => {
            kept.truncate(length);
            kept.push('\n');
        }
        None => kept.truncate(HEAD.len()),
    }
    kept.push_str("},\n");
    kept.push_str(rest);
    Some(kept)
}

/// The text with ASCII letters in lower case, in a buffer that serves for the next one, too. They
/// are taken eight at a time, since there are many of them, and a program that is built for size
/// would take each by itself.
fn lowered<'b>(text: &str, buffer: &'b mut Vec<u8>) -> Option<&'b str> {
    buffer.clear();
    buffer.extend_from_slice(text.as_bytes());
    let (words, rest) = buffer.as_chunks_mut();
    for word in words {
        *word = lowered_word(u64::from_ne_bytes(*word)).to_ne_bytes();
    }
    rest.make_ascii_lowercase();
    std::str::from_utf8(buffer).ok()
}

/// Eight bytes in one number; `A` to `Z` among them get the bit that makes them small.
fn lowered_word(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    let low = word & !TOP;
    // The top bit of each byte says whether it is at least `A`, and whether it is past `Z`.
    let from_a = low + EACH * u64::from(0x80 - b'A');
    let past_z = low + EACH * u64::from(0x7f - b'Z');
    let capital = from_a & !past_z & !word & TOP;
    word | capital >> 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Origin;
    use crate::state::samples::fingerprint;
    use crate::state::samples::hub;
    use crate::state::samples::token;
    use crate::storage::StorageKind;

    /// Tokens of several origins, accounts and scopes.
    fn state() -> State {
        let mut state = State {
            version: 1,
            ..State::default()
        };
        for (name, origin, account, namespace) in [
            ("work", Origin::Login, None, None),
            ("by-scope", Origin::Login, Some("bob"), Some("Acme")),
            ("elsewhere", Origin::Login, Some("Carol"), Some("other")),
            ("git:alice@hub", Origin::Git, Some("alice"), None),
            ("quo\"ted", Origin::Login, Some("dave\\"), Some("third")),
        ] {
            let mut info = token();
            info.origin = origin;
            info.account = account.map(str::to_owned);
            info.facts = namespace.map(|namespace| crate::model::permissions::Facts {
                account: namespace.to_owned(),
                ..Default::default()
            });
            state.tokens.insert(TokenName::existing(name), info);
        }
        state.reject(&hub(), &fingerprint('b'), 100);
        state.printed(&TokenName::existing("vault"), &fingerprint('c'));
        let left = TokenName::existing("work");
        state
            .leftovers
            .insert(left, BTreeSet::from([StorageKind::File]));
        state.hf_renewal_failed = Some(100);
        state
    }

    fn left(state: &State, relevant: &Relevant<'_>) -> Vec<String> {
        let text = String::from_utf8(write(state).unwrap()).unwrap();
        let sifted = without_others(&text, relevant).unwrap();
        let read: State = serde_json::from_str(&sifted).unwrap();
        assert_eq!(read.rejected, state.rejected);
        assert_eq!(read.commands, state.commands);
        assert_eq!(read.leftovers, state.leftovers);
        assert_eq!(read.hf_renewal_failed, state.hf_renewal_failed);
        for (name, token) in &read.tokens {
            assert_eq!(Some(token), state.tokens.get(name));
        }
        read.tokens.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_written_reads_back() {
        for state in [state(), State::default()] {
            let read: State = serde_json::from_slice(&write(&state).unwrap()).unwrap();
            assert_eq!(read.version, state.version);
            assert_eq!(read.tokens, state.tokens);
            assert_eq!(read.rejected, state.rejected);
            assert_eq!(read.commands, state.commands);
            assert_eq!(read.leftovers, state.leftovers);
            assert_eq!(read.hf_renewal_failed, state.hf_renewal_failed);
        }
    }

    #[test]
    fn only_what_cannot_matter_is_left_out() {
        let state = state();
        // What git kept may be for any user and path, and an escape may hide anything.
        let always = ["git:alice@hub", "quo\"ted"];
        let acme = Name::parse("acme").unwrap();
        let work = TokenName::existing("work");
        for (relevant, more) in [
            (Relevant::default(), &[][..]),
            (
                Relevant {
                    namespace: Some(&acme),
                    ..Relevant::default()
                },
                &["by-scope"][..],
            ),
            (
                Relevant {
                    username: Some("carol"),
                    ..Relevant::default()
                },
                &["elsewhere"],
            ),
            (
                Relevant {
                    names: BTreeSet::from([&work]),
                    ..Relevant::default()
                },
                &["work"],
            ),
        ] {
            let mut expected: Vec<&str> = always.iter().chain(more).copied().collect();
            expected.sort_unstable();
            assert_eq!(left(&state, &relevant), expected, "{relevant:?}");
        }
    }

    #[test]
    fn letters_in_lower_case() {
        let ascii: String = (0..=127).map(char::from).collect();
        for text in [&ascii, "", "Ä…AZ@[`{az", "ABCDEFGHI"] {
            for start in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
                let text = &text[start..];
                let expected = text.to_ascii_lowercase();
                assert_eq!(lowered(text, &mut Vec::new()), Some(expected.as_str()));
            }
        }
    }

    #[test]
    fn none_at_all_and_other_layouts() {
        let mut few = state();
        few.tokens.retain(|name, _| name.as_str() == "elsewhere");
        assert_eq!(left(&few, &Relevant::default()), [""; 0]);
        let none = String::from_utf8(write(&State::default()).unwrap()).unwrap();
        let pretty = serde_json::to_string_pretty(&state()).unwrap();
        let cut = String::from_utf8(write(&few).unwrap()).unwrap();
        for text in ["", "{}", &none, &pretty, &cut[..cut.len() / 2]] {
            assert_eq!(without_others(text, &Relevant::default()), None, "{text}");
        }
    }
}
