//! The mark that tells a later call what this helper answered: git's `state[]`.

use crate::model::secret::Fingerprint;
use crate::model::token_name::TokenName;

/// What we send to git in `state[]` and get back in the next call. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// We had no answer. Git returns this mark with what a person then types, but never with a
    /// login from a URL.
    Asked,
    /// We answered with this, and another candidate was left.
    Tried(Tried),
}

/// An answer after which git asks again if the Hub refuses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The fingerprint of the value.
    pub value: Fingerprint,
    /// The hash of the username that we sent with it.
    username: String,
    /// Whether we chose the username because the request had none.
    pub own_username: bool,
}

impl Tried {
    /// Records an answer; `asked_for` says whether the request contained the username.
    #[must_use]
    pub fn new(value: Fingerprint, username: &str, asked_for: bool) -> Self {
        Self {
            value,
            username: TokenName::existing(username).hash(),
            own_username: !asked_for,
        }
    }

    /// Whether the answer had this username.
    #[must_use]
    pub fn was_for(&self, username: Option<&str>) -> bool {
        username.is_some_and(|name| TokenName::existing(name).hash() == self.username)
    }
}

/// Says that a `state[]` value is ours, and its format. Git wants values to begin with the helper's
/// name.
const MARK_PREFIX: &str = "hf:1:";

impl Mark {
    /// The value for `state[]`.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Asked => format!("{MARK_PREFIX}asked"),
            Self::Tried(Tried {
                value,
                username,
                own_username,
            }) => {
                let whose = if *own_username { "own" } else { "given" };
                format!("{MARK_PREFIX}tried:{}:{whose}:{username}", value.as_str())
            }
        }
    }

    /// Finds our mark among the values that git returned; the others belong to other helpers.
    #[must_use]
    pub fn find(states: &[String]) -> Option<Self> {
        states.iter().rev().find_map(|state| Self::parse(state))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(MARK_PREFIX)?.split(':');
        let mark = match parts.next()? {
            "asked" => Self::Asked,
            "tried" => Self::Tried(Tried {
                value: Fingerprint::parse(parts.next()?)?,
                own_username: match parts.next()? {
                    "own" => true,
                    "given" => false,
                    _ => return None,
                },
                username: parts.next()?.to_owned(),
            }),
            _ => return None,
        };
        parts.next().is_none().then_some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    fn value() -> Fingerprint {
        Secret::exact("hf_x").unwrap().fingerprint()
    }

    #[test]
    fn marks_read_back_and_others_are_ignored() {
        let tried = Mark::Tried(Tried::new(value(), "alice", true));
        let own = Mark::Tried(Tried::new(value(), "hf_user", false));
        let theirs = "other-helper:1:xyz".to_owned();
        for mark in [Mark::Asked, tried, own] {
            let states = [theirs.clone(), mark.to_text(), theirs.clone()];
            assert_eq!(Mark::find(&states), Some(mark));
        }
        let value = value();
        for bad in [
            "hf:1:".to_owned(),
            "hf:1:asked:".to_owned(),
            "hf:1:tried".to_owned(),
            format!("hf:1:tried:{}", value.as_str()),
            format!("hf:1:tried:{}:nobody's:x", value.as_str()),
            format!("hf:1:tried:{}:own:x:y", value.as_str()),
            "hf:1:tried:x:own:y".to_owned(),
            "hf:2:asked".to_owned(),
            "git-credential-hf:1:asked".to_owned(),
        ] {
            assert_eq!(Mark::find(std::slice::from_ref(&bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_user_name_is_known_again() {
        let tried = Tried::new(value(), "alice", true);
        assert!(tried.was_for(Some("alice")));
        assert!(!tried.was_for(Some("Alice")) && !tried.was_for(Some("")) && !tried.was_for(None));
        assert!(!tried.own_username);
    }
}
