//! Picks the answer from the candidates: which are read, which are skipped, and when to stop.

use crate::model::endpoint::Endpoint;
use crate::model::secret::{Fingerprint, Secret};
use crate::selection::Candidate;
use crate::state::{Eligibility, State};
use crate::storage::StorageError;

/// A token as read from its source.
#[derive(Debug)]
pub struct LoadedToken {
    /// The token.
    pub secret: Secret,
    /// The account that it belongs to, or the username that it was saved with, if known.
    pub username: Option<String>,
    /// When it expires, in Unix seconds.
    pub expires: Option<u64>,
    /// The refresh token that git stored with it.
    pub refresh_token: Option<Secret>,
    /// Whether this program renews it before it expires.
    pub renews: bool,
}

/// The result of [`choose`].
#[derive(Debug)]
pub enum Outcome {
    /// This token.
    Offer {
        /// Where it comes from.
        candidate: Candidate,
        /// The token.
        loaded: Box<LoadedToken>,
        /// The fingerprint of its value.
        value: Fingerprint,
        /// Whether another candidate is left after it.
        more: bool,
    },
    /// This candidate failed for this reason, and no other may take its place.
    Stopped(Candidate, String),
    /// This candidate would be next, but loading it needs a request to the Hub.
    Deferred(Candidate),
    /// All readable candidates were rejected; this is the last of them.
    AllRejected(Candidate),
    /// There is no usable candidate.
    Nothing,
}

/// Why a candidate's token cannot be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// Its storage failed; the next candidate is tried.
    Storage(StorageError),
    /// It failed for this reason, and no other candidate may take its place.
    Final(String),
    /// Loading it needs a request to the Hub, and the caller only wants to look.
    Deferred,
}

impl From<StorageError> for LoadError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Why a candidate was skipped.
#[derive(Debug)]
pub enum SkipReason {
    /// It cannot be read.
    Unreadable(StorageError),
    /// It has expired.
    Expired,
}

/// Loads candidates' tokens for [`choose`].
pub trait TokenSource {
    /// The last known fingerprint of a candidate's value, if it is known without reading the value.
    fn known_fingerprint(&self, candidate: &Candidate) -> Option<Fingerprint>;

    /// Reads a candidate's token.
    fn load(&mut self, candidate: &Candidate) -> Result<LoadedToken, LoadError>;

    /// Called for each candidate that was skipped.
    fn skipped(&mut self, candidate: &Candidate, why: &SkipReason);
}

/// Returns the first usable candidate. Values in `tried` and values rejected within the last minute
/// are skipped; values rejected earlier are a last resort. No candidate after the answer is read.
/// `now` is in Unix seconds.
pub fn choose(
    candidates: &[Candidate],
    state: &State,
    endpoint: &Endpoint,
    tried: &[Fingerprint],
    now: u64,
    tokens: &mut impl TokenSource,
) -> Outcome {
    let eligibility = |fingerprint: &Fingerprint| {
        if tried.contains(fingerprint) {
            Eligibility::Withheld
        } else {
            state.eligibility(endpoint, fingerprint, now)
        }
    };
    let mut rejected = Rejected::default();
    for last in [false, true] {
        let round: Vec<&Candidate> = if last {
            std::mem::take(&mut rejected.last_resort)
        } else {
            candidates.iter().collect()
        };
        for (at, candidate) in round.iter().enumerate() {
            let known = tokens.known_fingerprint(candidate);
            if known.is_some_and(|value| rejected.skips(candidate, eligibility(&value), last)) {
                if candidate.source.is_final() {
                    return Outcome::AllRejected((*candidate).clone());
                }
                continue;
            }
            let loaded = match tokens.load(candidate) {
                Ok(loaded) => loaded,
                Err(LoadError::Final(why)) => return Outcome::Stopped((*candidate).clone(), why),
                Err(LoadError::Deferred) => return Outcome::Deferred((*candidate).clone()),
                Err(LoadError::Storage(error)) => {
                    tokens.skipped(candidate, &SkipReason::Unreadable(error));
                    continue;
                }
            };
            if loaded.expires.is_some_and(|at| at <= now) {
                tokens.skipped(candidate, &SkipReason::Expired);
                continue;
            }
            // The value may have changed since it was last seen, so check the one that was read.
            let value = loaded.secret.fingerprint();
            if rejected.skips(candidate, eligibility(&value), last) {
                if candidate.source.is_final() {
                    return Outcome::AllRejected((*candidate).clone());
                }
                continue;
            }
            let mut left = round.iter().skip(at + 1).chain(&rejected.last_resort);
            let more = !candidate.source.is_final()
                && left.any(|left| {
                    let known = tokens.known_fingerprint(left);
                    known.is_none_or(|k| k != value && eligibility(&k) != Eligibility::Withheld)
                });
            return Outcome::Offer {
                candidate: (*candidate).clone(),
                loaded: Box::new(loaded),
                value,
                more,
            };
        }
    }
    match rejected.withheld {
        Some(candidate) => Outcome::AllRejected(candidate.clone()),
        None => Outcome::Nothing,
    }
}

/// The candidates that were skipped because their values were rejected or tried.
#[derive(Default)]
struct Rejected<'a> {
    last_resort: Vec<&'a Candidate>,
    withheld: Option<&'a Candidate>,
}

impl<'a> Rejected<'a> {
    /// Whether to skip a candidate. In the last round, only withheld values are skipped.
    fn skips(&mut self, candidate: &'a Candidate, eligibility: Eligibility, last: bool) -> bool {
        match eligibility {
            Eligibility::Withheld => self.withheld = Some(candidate),
            Eligibility::LastResort if !last => self.last_resort.push(candidate),
            Eligibility::LastResort | Eligibility::Good => return false,
        }
        true
    }
}

#[cfg(test)]
#[path = "pick_tests.rs"]
mod tests;
