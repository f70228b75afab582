//! The first usable candidate.

use std::collections::BTreeMap;

use super::*;
use crate::model::token_name::TokenName;
use crate::selection::{Reason, Source};

/// Tokens by name; `Err` cannot be read.
struct Fake {
    tokens: BTreeMap<&'static str, Result<Secret, ()>>,
    knows: bool,
    read: Vec<String>,
    skipped: usize,
}

fn secret(text: &str) -> Secret {
    Secret::exact(&format!("hf_{text:x<34}")).unwrap()
}

fn name_of(candidate: &Candidate) -> &str {
    match &candidate.source {
        Source::Stored(name) => name.as_str(),
        _ => unreachable!(),
    }
}

impl TokenSource for Fake {
    fn known_fingerprint(&self, candidate: &Candidate) -> Option<Fingerprint> {
        let token = self.tokens.get(name_of(candidate))?.as_ref().ok()?;
        self.knows.then(|| token.fingerprint())
    }

    fn load(&mut self, candidate: &Candidate) -> Result<LoadedToken, LoadError> {
        self.read.push(name_of(candidate).to_owned());
        match self.tokens.get(name_of(candidate)) {
            Some(Ok(secret)) => Ok(LoadedToken {
                secret: secret.clone(),
                username: None,
                expires: None,
                refresh_token: None,
                renews: false,
            }),
            _ => Err(StorageError::NotFound.into()),
        }
    }

    fn skipped(&mut self, _: &Candidate, _: &SkipReason) {
        self.skipped += 1;
    }
}

fn hub() -> Endpoint {
    Endpoint::hugging_face()
}

fn candidates() -> Vec<Candidate> {
    ["a", "b", "c"]
        .into_iter()
        .map(|name| Candidate::new(Source::Stored(TokenName::existing(name)), Reason::Default))
        .collect()
}

fn fake(unreadable: &[&'static str], knows: bool) -> Fake {
    let tokens = ["a", "b", "c"]
        .into_iter()
        .map(|name| {
            let bad = unreadable.contains(&name);
            (name, if bad { Err(()) } else { Ok(secret(name)) })
        })
        .collect();
    Fake {
        tokens,
        knows,
        read: Vec::new(),
        skipped: 0,
    }
}

#[test]
fn the_first_usable_candidate_is_the_answer() {
    // rejected (name, seconds ago), tried, unreadable -> answer, more
    type Row = (
        &'static [(&'static str, u64)],
        &'static [&'static str],
        &'static [&'static str],
        &'static str,
    );
    let rows: [Row; 11] = [
        (&[], &[], &[], "a+"),
        (&[("a", 10)], &[], &[], "b+"),
        (&[("a", 100)], &[], &[], "b+"),
        (&[("a", 100), ("b", 10)], &[], &[], "c+"),
        (&[("a", 10), ("b", 10)], &[], &[], "c"),
        (&[], &["a"], &[], "b+"),
        (&[], &["a", "b"], &[], "c"),
        (&[("a", 100), ("b", 90), ("c", 80)], &[], &[], "a+"),
        (&[("a", 100)], &["b", "c"], &[], "a"),
        (&[("a", 10), ("b", 10), ("c", 10)], &[], &[], "rejected c"),
        (&[("a", 10)], &[], &["b", "c"], "rejected a"),
    ];
    for knows in [true, false] {
        for (rejected, tried, unreadable, expected) in rows {
            let mut state = State::default();
            for (name, ago) in rejected {
                state.reject(&hub(), &secret(name).fingerprint(), 1000 - ago);
            }
            let tried: Vec<_> = tried.iter().map(|n| secret(n).fingerprint()).collect();
            let mut tokens = fake(unreadable, knows);
            let outcome = choose(&candidates(), &state, &hub(), &tried, 1000, &mut tokens);
            let shown = match &outcome {
                Outcome::Offer {
                    candidate, more, ..
                } => {
                    // Without knowing the values, it may promise one more try that is then
                    // skipped.
                    let more = *more && (knows || expected.ends_with('+'));
                    format!("{}{}", name_of(candidate), if more { "+" } else { "" })
                }
                Outcome::AllRejected(candidate) => format!("rejected {}", name_of(candidate)),
                Outcome::Stopped(..) | Outcome::Deferred(_) => unreachable!(),
                Outcome::Nothing => "nothing".into(),
            };
            assert_eq!(shown, expected, "{rejected:?} {unreadable:?} knows={knows}");
        }
    }
}

#[test]
fn unreadable_candidates_are_reported_and_skipped() {
    let choose_any =
        |tokens: &mut Fake| choose(&candidates(), &State::default(), &hub(), &[], 0, tokens);
    let mut tokens = fake(&["a", "b"], true);
    let outcome = choose_any(&mut tokens);
    assert!(matches!(outcome, Outcome::Offer { more: false, .. }));
    assert_eq!(tokens.skipped, 2);
    let mut tokens = fake(&["a", "b", "c"], true);
    let outcome = choose_any(&mut tokens);
    assert!(matches!(outcome, Outcome::Nothing));
}

/// A job's token whose loading has this result, with other tokens after it.
struct Job(Option<Result<Secret, &'static str>>);

impl TokenSource for Job {
    fn known_fingerprint(&self, _: &Candidate) -> Option<Fingerprint> {
        None
    }

    fn load(&mut self, candidate: &Candidate) -> Result<LoadedToken, LoadError> {
        assert!(candidate.source.is_final(), "nothing takes its place");
        let secret = match &self.0 {
            Some(Ok(secret)) => secret.clone(),
            Some(Err(why)) => return Err(LoadError::Final((*why).to_owned())),
            None => return Err(LoadError::Deferred),
        };
        Ok(LoadedToken {
            secret,
            username: None,
            expires: None,
            refresh_token: None,
            renews: false,
        })
    }

    fn skipped(&mut self, _: &Candidate, _: &SkipReason) {
        unreachable!()
    }
}

#[test]
fn nothing_takes_the_place_of_a_jobs_token() {
    let mut list = candidates();
    let exchange = crate::selection::Exchange::Named("acme/x".to_owned());
    list.insert(
        0,
        Candidate::new(Source::Exchange(exchange), Reason::Exchange),
    );
    let choose = |job: Option<Result<Secret, &'static str>>, state: &State| {
        choose(&list, state, &hub(), &[], 1000, &mut Job(job))
    };
    let mut state = State::default();
    let stopped = choose(Some(Err("no")), &state);
    assert!(matches!(stopped, Outcome::Stopped(_, why) if why == "no"));
    assert!(matches!(choose(None, &state), Outcome::Deferred(_)));
    let offered = choose(Some(Ok(secret("job"))), &state);
    assert!(matches!(offered, Outcome::Offer { more: false, .. }));
    for ago in [10, 100] {
        state.reject(&hub(), &secret("job").fingerprint(), 1000 - ago);
        let rejected = choose(Some(Ok(secret("job"))), &state);
        assert!(matches!(rejected, Outcome::AllRejected(_)), "{ago} s ago");
    }
}

#[test]
fn rejected_candidates_are_not_read() {
    let mut state = State::default();
    state.reject(&hub(), &secret("a").fingerprint(), 1000);
    let mut tokens = fake(&[], true);
    choose(&candidates(), &state, &hub(), &[], 1000, &mut tokens);
    assert_eq!(tokens.read, ["b"]);
}
