//! What is known here about whether a stored token works. The Hub is not asked.

use super::{Eligibility, Origin, State, TokenInfo};

/// How long before its expiry a token is reported, in seconds: a week.
const SOON: u64 = 7 * 86_400;

/// Whether a token works, as far as is known. Times are in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// Nothing speaks against it.
    Good,
    /// The Hub rejected its value at this time.
    Rejected(u64),
    /// It expired at this time.
    Expired(u64),
    /// It expires at this time, within a week.
    ExpiresSoon(u64),
}

impl State {
    /// The health of a stored token at `now`. A browser login counts as good when its access token
    /// has expired, since it is renewed when it is used next.
    pub(crate) fn health(&self, token: &TokenInfo, now: u64) -> Health {
        let value = &token.fingerprint;
        if self.eligibility(&token.endpoint, value, now) != Eligibility::Good {
            let at = self.rejected_at(&token.endpoint, value);
            return Health::Rejected(at.unwrap_or(now));
        }
        match token.expires {
            _ if token.is_renewed() && token.renewal_failed.is_none() => Health::Good,
            Some(at) => Health::of_expiry(at, now),
            None => Health::Good,
        }
    }
}

impl Health {
    /// The health of a token of which only the time of its expiry is known.
    pub(crate) fn of_expiry(at: u64, now: u64) -> Self {
        match at.checked_sub(now) {
            None | Some(0) => Self::Expired(at),
            Some(left) if left <= SOON => Self::ExpiresSoon(at),
            Some(_) => Self::Good,
        }
    }
}

impl TokenInfo {
    /// Whether this is a browser login, which this program renews. Git gets back what it saved.
    pub(crate) fn is_renewed(&self) -> bool {
        self.origin == Origin::Login && self.is_browser_login() && !self.renewal_refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::samples::{hub, token};

    #[test]
    fn what_is_known_of_a_token() {
        const NOW: u64 = 10_000_000;
        let with = |hint: &str, expires| TokenInfo {
            hint: hint.to_owned(),
            expires,
            ..token()
        };
        let soon = NOW + SOON;
        for (token, expected) in [
            (with("hf_…abcd", None), Health::Good),
            (with("hf_…abcd", Some(soon + 1)), Health::Good),
            (with("hf_…abcd", Some(soon)), Health::ExpiresSoon(soon)),
            (with("hf_…abcd", Some(NOW)), Health::Expired(NOW)),
            (with("hf_…abcd", Some(1)), Health::Expired(1)),
            (with("hf_oauth_…abcd", Some(NOW + 10)), Health::Good),
            (with("hf_oauth_…abcd", Some(1)), Health::Good),
            (
                TokenInfo {
                    renewal_failed: Some(NOW - 5),
                    ..with("hf_oauth_…abcd", Some(1))
                },
                Health::Expired(1),
            ),
            (
                TokenInfo {
                    renewal_refused: true,
                    ..with("hf_oauth_…abcd", Some(1))
                },
                Health::Expired(1),
            ),
            (
                TokenInfo {
                    origin: Origin::Git,
                    ..with("hf_oauth_…abcd", Some(1))
                },
                Health::Expired(1),
            ),
        ] {
            assert_eq!(State::default().health(&token, NOW), expected, "{token:?}");
        }
        let mut state = State::default();
        let rejected = with("hf_oauth_…abcd", Some(1));
        state.reject(&hub(), &rejected.fingerprint, NOW - 100_000);
        assert_eq!(
            state.health(&rejected, NOW),
            Health::Rejected(NOW - 100_000)
        );
    }
}
