//! The state: what is known about each token, and which values were rejected. It contains no
//! secrets.

pub mod file;
mod health;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::endpoint::Endpoint;
use crate::model::permissions::Facts;
use crate::model::secret::{Fingerprint, TokenKind};
use crate::model::time::since;
use crate::model::token_name::TokenName;
use crate::storage::{Record, StorageKind};

pub(crate) use health::Health;

/// The version of the format that this program writes.
pub const VERSION: u32 = 1;

/// How long a rejected value is not offered at all, in seconds.
pub(crate) const REJECTED_SECONDS: u64 = 60;

/// How long the rejection of a value is remembered if no stored token has this value, in seconds:
/// 30 days.
const FORGET_SECONDS: u64 = 30 * 24 * 3600;

/// The content of the state file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) version: u32,
    /// The stored tokens, by name.
    #[serde(default)]
    pub tokens: BTreeMap<TokenName, TokenInfo>,
    /// When each value was last rejected by an endpoint, in Unix seconds.
    #[serde(default)]
    pub rejected: BTreeMap<Rejection, u64>,
    /// The values that each configured command last printed, the newest last, so that `store` can
    /// tell them from a token that somebody typed.
    #[serde(default)]
    pub commands: BTreeMap<TokenName, Vec<Fingerprint>>,
    /// Storages that may still hold an unneeded copy of a secret: the secret moved to another
    /// storage, or storing it was interrupted. An entry is removed once the storage confirms that
    /// the copy is gone.
    #[serde(
        rename = "leftovers",
        default,
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub stale_copies: BTreeMap<TokenName, BTreeSet<StorageKind>>,
    /// When the last renewal of the hf CLI's login timed out, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hf_renewal_failed: Option<u64>,
}

/// A value and the endpoint that rejected it. Another endpoint may accept it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rejection(String);

impl Rejection {
    fn new(endpoint: &Endpoint, value: &Fingerprint) -> Self {
        Self(format!("{} {endpoint}", value.as_str()))
    }
}

/// What is known about a stored token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// The only endpoint that it is sent to.
    #[serde(with = "endpoint_text")]
    pub endpoint: Endpoint,
    /// Where its secret is stored.
    pub storage: StorageKind,
    /// How it was stored.
    pub origin: Origin,
    /// The fingerprint of its value.
    pub fingerprint: Fingerprint,
    /// The fingerprints of its earlier values, the newest last. Git may still send one back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Fingerprint>,
    /// The kind and last four characters; see `Secret::hint`.
    pub hint: String,
    /// The account that it belongs to, according to the Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The username that git saved it with. It may come from any URL, so it does not say whose
    /// token this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The path that git saved it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When it expires, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// What the Hub said about it, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// When the last renewal timed out, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_failed: Option<u64>,
    /// Whether the Hub has refused to renew it, so that only a new login helps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renewal_refused: bool,
    /// When it was stored, in Unix seconds.
    pub added: u64,
    /// A counter that orders tokens stored within the same second.
    #[serde(default)]
    pub order: u64,
}

/// How a token was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// By `login`.
    Login,
    /// By git's `store`: typed at git's prompt, or approved by another program.
    Git,
}

/// Whether a value may be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eligibility {
    /// It was not rejected.
    Good,
    /// It was rejected a while ago: offered when nothing else is left.
    LastResort,
    /// It was rejected within the last `REJECTED_SECONDS`: not offered.
    Withheld,
}

impl State {
    /// Whether a value with this fingerprint may be offered to the endpoint at `now` (Unix
    /// seconds).
    #[must_use]
    pub fn eligibility(&self, endpoint: &Endpoint, value: &Fingerprint, now: u64) -> Eligibility {
        match self.rejected.get(&Rejection::new(endpoint, value)) {
            None => Eligibility::Good,
            // A clock that was set back must not withhold a token for longer than a minute.
            Some(at) if *at <= now && now - at >= REJECTED_SECONDS => Eligibility::LastResort,
            Some(at) if *at > now.saturating_add(REJECTED_SECONDS) => Eligibility::LastResort,
            Some(_) => Eligibility::Withheld,
        }
    }

    /// Remembers that a value was rejected, and forgets old rejections. `now` is in Unix seconds.
    pub fn reject(&mut self, endpoint: &Endpoint, value: &Fingerprint, now: u64) {
        self.rejected.insert(Rejection::new(endpoint, value), now);
        let stored: Vec<Rejection> = self
            .tokens
            .values()
            .map(|token| Rejection::new(&token.endpoint, &token.fingerprint))
            .collect();
        self.rejected
            .retain(|known, at| since(*at, now) < FORGET_SECONDS || stored.contains(known));
    }

    /// Clears the endpoint's rejection of a value.
    pub fn clear_rejection(&mut self, endpoint: &Endpoint, value: &Fingerprint) {
        self.rejected.remove(&Rejection::new(endpoint, value));
    }

    /// When the endpoint last rejected a value, in Unix seconds.
    #[must_use]
    pub fn rejected_at(&self, endpoint: &Endpoint, value: &Fingerprint) -> Option<u64> {
        self.rejected.get(&Rejection::new(endpoint, value)).copied()
    }

    /// Remembers a value that a configured command printed.
    pub fn printed(&mut self, name: &TokenName, value: &Fingerprint) {
        remember(self.commands.entry(name.clone()).or_default(), value);
    }

    /// Remembers that a storage may hold an unneeded copy of a secret.
    pub(crate) fn add_stale_copy(&mut self, name: &TokenName, storage: StorageKind) {
        let left = self.stale_copies.entry(name.clone()).or_default();
        left.insert(storage);
    }

    /// Forgets about a copy, because it is gone or because it is now the token itself.
    pub(crate) fn remove_stale_copy(&mut self, name: &TokenName, storage: StorageKind) {
        if let Some(left) = self.stale_copies.get_mut(name) {
            left.remove(&storage);
            if left.is_empty() {
                self.stale_copies.remove(name);
            }
        }
    }

    /// The next value of [`TokenInfo::order`].
    #[must_use]
    pub fn next_order(&self) -> u64 {
        let last = self.tokens.values().map(|token| token.order).max();
        last.map_or(1, |order| order.saturating_add(1))
    }
}

/// How many earlier values of a token are remembered.
const FORMER: usize = 8;

/// Moves or adds a value to the end of a list of at most [`FORMER`] values.
fn remember(values: &mut Vec<Fingerprint>, value: &Fingerprint) {
    values.retain(|known| known != value);
    values.push(value.clone());
    let surplus = values.len().saturating_sub(FORMER);
    values.drain(..surplus);
}

impl TokenInfo {
    /// A token that is being stored: nothing but the record is known about it. `added` is in Unix
    /// seconds.
    pub(crate) fn of(record: &Record, storage: StorageKind, origin: Origin, added: u64) -> Self {
        Self {
            endpoint: record.endpoint.clone(),
            storage,
            origin,
            fingerprint: record.secret.fingerprint(),
            former: Vec::new(),
            hint: record.secret.hint(),
            account: None,
            username: None,
            path: None,
            expires: record.expires,
            facts: None,
            renewal_failed: None,
            renewal_refused: false,
            added,
            order: 0,
        }
    }

    /// Whether it is from a login in the browser.
    pub(crate) fn is_browser_login(&self) -> bool {
        self.hint.starts_with(TokenKind::OAuth.prefix())
    }

    /// Replaces the token's value.
    pub fn replace_value(&mut self, value: Fingerprint, hint: String) {
        if value != self.fingerprint {
            remember(&mut self.former, &self.fingerprint.clone());
            self.former.retain(|known| *known != value);
            self.fingerprint = value;
        }
        self.hint = hint;
    }

    /// Remembers a value that the storage may have kept although it reported a failure.
    pub(crate) fn may_have_value(&mut self, value: &Fingerprint) {
        if *value != self.fingerprint {
            remember(&mut self.former, value);
        }
    }
}

mod endpoint_text {
    use super::Endpoint;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(endpoint: &Endpoint, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(endpoint)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Endpoint, D::Error> {
        let text = String::deserialize(input)?;
        Endpoint::parse(&text).map_err(D::Error::custom)
    }
}

/// Sample values for tests.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// A fingerprint that repeats one hexadecimal digit.
    pub(crate) fn fingerprint(c: char) -> Fingerprint {
        Fingerprint::parse(&c.to_string().repeat(32)).unwrap()
    }

    pub(crate) fn hub() -> Endpoint {
        Endpoint::hugging_face()
    }

    /// A token from `login` with the fingerprint `aaa..`.
    pub(crate) fn token() -> TokenInfo {
        TokenInfo {
            endpoint: Endpoint::hugging_face(),
            storage: StorageKind::File,
            origin: Origin::Login,
            fingerprint: fingerprint('a'),
            former: Vec::new(),
            hint: "hf_…abcd".into(),
            account: None,
            username: None,
            path: None,
            expires: None,
            facts: None,
            renewal_failed: None,
            renewal_refused: false,
            added: 1,
            order: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{fingerprint, hub, token};
    use super::*;

    #[test]
    fn rejection_is_withheld_then_last_resort() {
        let mut state = State::default();
        let f = fingerprint('a');
        assert_eq!(state.eligibility(&hub(), &f, 1000), Eligibility::Good);
        state.reject(&hub(), &f, 1000);
        for (now, expected) in [
            (1000, Eligibility::Withheld),
            (1059, Eligibility::Withheld),
            (1060, Eligibility::LastResort),
            (9_999_999, Eligibility::LastResort),
            // The clock was set back: by a little it is still the same minute, by a lot it is not.
            (990, Eligibility::Withheld),
            (10, Eligibility::LastResort),
        ] {
            assert_eq!(state.eligibility(&hub(), &f, now), expected, "at {now}");
        }
    }

    #[test]
    fn old_rejections_go_unless_a_token_has_the_value() {
        let mut state = State::default();
        state.tokens.insert(TokenName::existing("work"), token());
        state.reject(&hub(), &fingerprint('a'), 1);
        state.reject(&hub(), &fingerprint('b'), 1);
        state.reject(&hub(), &fingerprint('c'), 1 + FORGET_SECONDS);
        assert!(state.rejected_at(&hub(), &fingerprint('a')).is_some());
        assert!(state.rejected_at(&hub(), &fingerprint('b')).is_none());
        // A rejection in the future was recorded with a wrong clock.
        let ahead = Rejection::new(&hub(), &fingerprint('d'));
        state.rejected.insert(ahead, 1_000_000_000_000);
        state.reject(&hub(), &fingerprint('e'), 2 + FORGET_SECONDS);
        assert!(state.rejected_at(&hub(), &fingerprint('d')).is_none());
        assert!(state.rejected_at(&hub(), &fingerprint('c')).is_some());
    }

    #[test]
    fn stale_copies_are_remembered_until_they_are_gone() {
        let (mut state, name) = (State::default(), TokenName::existing("work"));
        let other = TokenName::existing("other");
        state.remove_stale_copy(&name, StorageKind::File);
        state.add_stale_copy(&name, StorageKind::File);
        state.add_stale_copy(&name, StorageKind::Keyring);
        state.remove_stale_copy(&other, StorageKind::File);
        state.remove_stale_copy(&name, StorageKind::File);
        let left = BTreeSet::from([StorageKind::Keyring]);
        assert_eq!(state.stale_copies, BTreeMap::from([(name.clone(), left)]));
        state.remove_stale_copy(&name, StorageKind::Keyring);
        assert!(state.stale_copies.is_empty());
    }
}
