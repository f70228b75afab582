//! The choice: whatever is configured, remembered and in the environment, every candidate's
//! token belongs to the endpoint that asks.

mod made;

use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::operation::Operation;
use git_credential_hf::model::pattern::Pattern;
use git_credential_hf::model::repo::Repo;
use git_credential_hf::model::secret::{Fingerprint, Secret};
use git_credential_hf::model::token_name::TokenName;
use git_credential_hf::selection::overview::{Subject, overview};
use git_credential_hf::selection::{
    Candidate, HfKnown, Inputs, LoadError, LoadedToken, Outcome, Query, Reason, SelectError,
    SkipReason, Source, TokenSource, choose, select,
};
use git_credential_hf::state::{Eligibility, Origin, TokenInfo};
use git_credential_hf::storage::StorageError;
use std::cell::Cell;
use std::collections::BTreeMap;

use super::take::Take;
use made::{Made, PATHS, is_of_environment, owned, takes_environment, token, value};

/// Takes the decisions by which a world is made up.
pub fn check(data: &[u8]) {
    let mut take = Take(data);
    let world = Made::read(&mut take);
    let inputs = Inputs {
        wanted: &world.wanted,
        config: &world.config,
        state: &world.state,
        env: &world.env,
        remotes: &world.remotes,
        hf: HfKnown {
            active: world.hf_active,
            names: &world.hf_names,
        },
    };
    let selection = match select(inputs) {
        Ok(selection) => selection,
        Err(error) => return refused(&world, &error),
    };
    for candidate in &selection.candidates {
        belongs(&world, candidate);
    }
    in_order(&world, &selection.candidates);
    overview_says_what_git_gets(&world, inputs);
    a_login_takes_no_answer_away(&world, inputs, &mut take);
    offered(&world, &selection.candidates, &mut take);
}

/// The property that all else is for.
fn belongs(world: &Made, candidate: &Candidate) {
    let wanted = &world.wanted.endpoint;
    match &candidate.source {
        Source::Stored(name) => {
            assert_eq!(&world.state.tokens[name].endpoint, wanted, "{candidate:?}");
        }
        Source::Command(name) => {
            assert_eq!(
                &world.config.commands[name].endpoint, wanted,
                "{candidate:?}"
            );
        }
        Source::Environment(variable) => {
            assert!(takes_environment(world), "{candidate:?} on {wanted}");
            assert!(
                world
                    .env
                    .tokens
                    .iter()
                    .any(|token| token.variable == *variable)
            );
        }
        Source::Unusable(name, _) => {
            let here = world.state.tokens.get(name).map(|token| &token.endpoint);
            assert_ne!(here, Some(wanted), "{candidate:?}");
        }
        Source::HfCli(name) => {
            assert!(is_of_environment(world), "{candidate:?} on {wanted}");
            let known = |name: &String| world.hf_names.contains(name);
            assert!(
                name.as_ref().map_or(world.hf_active, known),
                "{candidate:?}"
            );
        }
        Source::Exchange(_) => assert!(is_of_environment(world), "{candidate:?} on {wanted}"),
    }
}

/// A name asked for that cannot be had is an error, and nothing is tried in its place.
fn refused(world: &Made, error: &SelectError) {
    let (SelectError::NoSuchToken(name) | SelectError::OtherEndpoint(name, _)) = error else {
        panic!("the remotes were read: {error:?}");
    };
    assert_eq!(world.env.token_name.as_deref(), Some(name.as_str()));
    let here = |endpoint: &Endpoint| *endpoint == world.wanted.endpoint;
    let stored = world.state.tokens.get(name);
    assert!(!stored.is_some_and(|token| here(&token.endpoint)));
    let of_hf = name.of_hf_cli().map(str::to_owned);
    assert!(!of_hf.is_some_and(|name| world.hf_names.contains(&name) && is_of_environment(world)));
    let command = world.config.commands.get(name);
    assert!(!command.is_some_and(|command| here(&command.endpoint)));
}

/// The steps come in their order, each source once, and a name that was asked for stands alone.
fn in_order(world: &Made, candidates: &[Candidate]) {
    let step = |candidate: &Candidate| match candidate.reason {
        Reason::NamedByEnvironment | Reason::NamedByUsername => 1,
        Reason::Rule(_) => 2,
        Reason::Exchange => 3,
        // For a push, a token that is known not to do it comes after every other step.
        Reason::Scoped(_) if candidate.lack.is_some() => 11,
        Reason::Own(_) | Reason::Member(_) if candidate.lack.is_some() => 12,
        Reason::Scoped(_) => 4,
        Reason::Environment => 5,
        Reason::Own(_) | Reason::Member(_) => 6,
        Reason::Default => 7,
        Reason::SavedForPath(_) | Reason::SavedForHost => 8,
        Reason::HfActive => 9,
        Reason::Any => 10,
    };
    // What git saved never comes in by what it may do: only by its step, or by its name.
    for candidate in candidates {
        let saved = match &candidate.source {
            Source::Stored(name) => world.state.tokens[name].origin == Origin::Git,
            _ => false,
        };
        let by_what_it_may_do = matches!(step(candidate), 4 | 6 | 10 | 11 | 12);
        assert!(!saved || !by_what_it_may_do, "{candidate:?}");
        assert!(saved || step(candidate) != 8, "{candidate:?}");
        let is_push = world.wanted.operation == Some(Operation::Push);
        assert!(!is_push || step(candidate) != 10, "{candidate:?}");
        assert!(is_push || candidate.lack.is_none(), "{candidate:?}");
    }
    let steps: Vec<u8> = candidates.iter().map(step).collect();
    assert!(steps.is_sorted(), "{candidates:?}");
    assert!(steps.len() == 1 || !steps.contains(&1), "{candidates:?}");
    assert!(
        world.env.token_name.is_none() || steps == [1],
        "{candidates:?}"
    );
    for (at, candidate) in candidates.iter().enumerate() {
        let again = candidates.iter().skip(at + 1);
        assert!(again.clone().all(|other| other.source != candidate.source));
    }
}

/// `list` shows what git gets: for every repo that the same rows speak of, the same first token.
fn overview_says_what_git_gets(world: &Made, inputs: Inputs<'_>) {
    let endpoint = &world.wanted.endpoint;
    let rows = overview(inputs, endpoint);
    let patterns = rows.iter().filter_map(|row| match &row.subject {
        Subject::Repos(pattern) => Some(pattern),
        _ => None,
    });
    let patterns: Vec<&Pattern> = patterns.collect();
    let matching = |repo: &Repo| -> Vec<usize> {
        let found = patterns.iter().enumerate();
        let found = found.filter(|(_, pattern)| pattern.matches(endpoint, repo));
        found.map(|(at, _)| at).collect()
    };
    for path in PATHS
        .into_iter()
        .chain(["acme/new", "bob/x", "spaces/alice/x-1"])
    {
        let query = Query::new(endpoint.clone(), Some(owned(path)), None);
        let Some(repo) = query.repo.clone().filter(|repo| repo.namespace.is_some()) else {
            continue;
        };
        let row = rows
            .iter()
            .find(|row| match (&row.subject, &row.example.repo) {
                (Subject::Path(_), _) | (_, None) => false,
                (_, Some(example)) => matching(example) == matching(&repo),
            });
        // Rules may overlap in more ways than there are rows.
        let Some(row) = row else { continue };
        for (operation, shown) in Operation::ALL.into_iter().zip([&row.fetch, &row.push]) {
            let wanted = query.clone().for_operation(Some(operation));
            let wanted = &wanted;
            let git_gets = select(Inputs { wanted, ..inputs }).map(|it| it.candidates);
            let first = git_gets.ok().and_then(|it| it.into_iter().next());
            let (first, shown) = (first.map(|it| it.source), shown.first());
            assert_eq!(
                first,
                shown.map(|it| it.source.clone()),
                "{operation} {path}"
            );
        }
    }
}

/// After a login, every repo that had an answer still has one.
fn a_login_takes_no_answer_away(world: &Made, inputs: Inputs<'_>, take: &mut Take<'_>) {
    let order = world.state.next_order();
    let mut state = world.state.clone();
    let name = TokenName::existing("the-new-one");
    let new = TokenInfo {
        origin: Origin::Login,
        ..token(take, order)
    };
    state.tokens.insert(name, new);
    for path in PATHS {
        // A user name in the request may be the account of the new one, and mean it from now on.
        let query = Query::new(world.wanted.endpoint.clone(), Some(owned(path)), None);
        let wanted = &query.for_operation(world.wanted.operation);
        let before = select(Inputs { wanted, ..inputs });
        let state = &state;
        let after = select(Inputs {
            wanted,
            state,
            ..inputs
        });
        let (Ok(before), Ok(after)) = (before, after) else {
            continue;
        };
        for old in &before.candidates {
            // Only the oldest login is the one of the last step, and the new one is not older.
            let kept = after.candidates.iter().any(|it| it.source == old.source);
            assert!(kept, "{path}: {old:?}");
        }
    }
}

/// What is offered was not rejected a moment ago, was not tried, and has not expired.
fn offered(world: &Made, candidates: &[Candidate], take: &mut Take<'_>) {
    const NOW: u64 = 1000;
    let tried: Vec<Fingerprint> = (0..take.below(3))
        .map(|_| value(take).fingerprint())
        .collect();
    let mut storage = Storage::read(world, candidates, take);
    let endpoint = &world.wanted.endpoint;
    let outcome = choose(
        candidates,
        &world.state,
        endpoint,
        &tried,
        NOW,
        &mut storage,
    );
    // Each is read once in a round at the most, and there are two rounds.
    assert!(storage.reads.get() <= 2 * candidates.len());
    match outcome {
        Outcome::Offer {
            candidate,
            loaded,
            value,
            ..
        } => {
            assert!(candidates.contains(&candidate));
            assert_eq!(value, loaded.secret.fingerprint());
            assert!(!tried.contains(&value));
            assert_ne!(
                world.state.eligibility(endpoint, &value, NOW),
                Eligibility::Withheld
            );
            assert!(loaded.expires.is_none_or(|at| at > NOW));
        }
        Outcome::AllRejected(candidate) => assert!(candidates.contains(&candidate)),
        Outcome::Stopped(..) | Outcome::Deferred(_) => unreachable!(),
        Outcome::Nothing => {}
    }
}

/// Storages in which anything may lie: another value than is remembered, an old one, none.
struct Storage {
    lies: BTreeMap<String, (Option<Secret>, Option<u64>)>,
    known: BTreeMap<String, Fingerprint>,
    reads: Cell<usize>,
}

impl Storage {
    fn read(world: &Made, candidates: &[Candidate], take: &mut Take<'_>) -> Self {
        let (mut lies, mut known) = (BTreeMap::new(), BTreeMap::new());
        for candidate in candidates {
            let key = format!("{:?}", candidate.source);
            let secret = Some(value(take)).filter(|_| take.below(4) != 3);
            let expires = take.perhaps(&[999, 1000, 1001]);
            match &candidate.source {
                Source::Stored(name) if take.flag() => {
                    let value = world.state.tokens[name].fingerprint.clone();
                    known.insert(key.clone(), value);
                }
                _ => {}
            }
            lies.insert(key, (secret, expires));
        }
        Self {
            lies,
            known,
            reads: Cell::new(0),
        }
    }
}

impl TokenSource for Storage {
    fn known_fingerprint(&self, candidate: &Candidate) -> Option<Fingerprint> {
        self.known.get(&format!("{:?}", candidate.source)).cloned()
    }

    fn load(&mut self, candidate: &Candidate) -> Result<LoadedToken, LoadError> {
        self.reads.set(self.reads.get() + 1);
        let (secret, expires) = &self.lies[&format!("{:?}", candidate.source)];
        Ok(LoadedToken {
            secret: secret.clone().ok_or(StorageError::NotFound)?,
            username: None,
            expires: *expires,
            refresh_token: None,
            renews: false,
        })
    }

    fn skipped(&mut self, _: &Candidate, _: &SkipReason) {}
}
