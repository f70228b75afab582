//! Which token each group of repos on one Hub gets, for `list` and `status`. It calls
//! [`select_with_equals`] for an example repo of each group that a rule, a token or a saved path
//! sets apart.

use std::collections::BTreeSet;

use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::{Names, Pattern};
use crate::model::permissions::Lack;
use crate::model::repo::{Name, Repo, RepoKind};
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, Inputs, Query, select_with_equals};
use crate::state::Origin;

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The repos of a pattern, except those of a more specific row.
    Repos(Pattern),
    /// A path for which git's `store` saved something, and which does not name a repo.
    Path(String),
    /// Every other repo.
    Rest,
}

/// What git gets for some repos.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which repos these are.
    pub subject: Subject,
    /// A request for one of these repos.
    pub example: Query,
    /// What a fetch gets.
    pub fetch: Ranking,
    /// What a push gets.
    pub push: Ranking,
}

/// What git gets for one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranking {
    /// The candidates, best first.
    pub candidates: Vec<Candidate>,
    /// Tokens that would do as well as the first.
    pub equals: Vec<TokenName>,
}

impl Ranking {
    /// The candidate that git gets if it can be read.
    #[must_use]
    pub fn first(&self) -> Option<&Candidate> {
        self.candidates.first()
    }

    /// Moves candidates to the end, as [`choose`](super::choose) does with rejected and expired
    /// ones.
    pub fn put_last(&mut self, is_last: impl Fn(&Candidate) -> bool) {
        if self.first().is_some_and(&is_last) {
            self.equals.clear();
        }
        self.candidates.sort_by_key(is_last);
    }

    fn make(inputs: Inputs<'_>, example: &Query, operation: Operation) -> Self {
        let wanted = example.clone().for_operation(Some(operation));
        // It fails only for `GIT_CREDENTIAL_HF_TOKEN_NAME`, which is reported where it is used.
        let outcome = select_with_equals(Inputs {
            wanted: &wanted,
            ..inputs
        });
        let Ok((selection, equals)) = outcome else {
            return Self::default();
        };
        Self {
            candidates: selection.candidates,
            equals,
        }
    }
}

impl Row {
    fn new(inputs: Inputs<'_>, subject: Subject, example: Query) -> Self {
        Self {
            fetch: Ranking::make(inputs, &example, Operation::Fetch),
            push: Ranking::make(inputs, &example, Operation::Push),
            subject,
            example,
        }
    }
}

/// The rows of an endpoint: by namespace, then the most specific first, and the rest last. Ignores
/// `inputs.wanted`.
#[must_use]
pub fn overview(inputs: Inputs<'_>, endpoint: &Endpoint) -> Vec<Row> {
    let patterns = patterns(inputs, endpoint);
    let ask = |path: String| Query::new(endpoint.clone(), Some(path), None);
    let mut rows: Vec<Row> = patterns
        .iter()
        .filter_map(|pattern| {
            let repo = example_of(pattern, &patterns)?;
            let subject = Subject::Repos(pattern.clone());
            Some(Row::new(inputs, subject, ask(repo.to_string())))
        })
        .collect();
    rows.extend(
        saved_paths(inputs, endpoint)
            .into_iter()
            .map(|path| Row::new(inputs, Subject::Path(path.clone()), ask(path))),
    );
    let is_taken = |namespace: &str| {
        patterns
            .iter()
            .any(|pattern| pattern.namespace.as_str().eq_ignore_ascii_case(namespace))
    };
    let mut stranger = "anybody".to_owned();
    while is_taken(&stranger) {
        stranger.push('0');
    }
    let mut rest = Row::new(inputs, Subject::Rest, ask(format!("{stranger}/x")));
    for candidate in &mut rest.push.candidates {
        // The namespace is made up, so only a lack that does not depend on it counts.
        candidate.lack = candidate.lack.filter(|lack| *lack == Lack::Role);
    }
    rows.push(rest);
    rows
}

/// The patterns that set repos apart: of rules, of the tokens' reach, and of what git saved for one
/// repo.
fn patterns(inputs: Inputs<'_>, endpoint: &Endpoint) -> Vec<Pattern> {
    let here = || {
        let tokens = inputs.state.tokens.values();
        tokens.filter(|token| token.endpoint == *endpoint)
    };
    let rules = inputs.config.rules.iter().map(|rule| rule.pattern.clone());
    let reached = here()
        .filter(|token| token.origin == Origin::Login)
        .flat_map(|token| token.facts.iter().flat_map(|facts| facts.reach(endpoint)))
        .map(|(_, pattern)| pattern);
    let saved = here().filter_map(|token| {
        let repo = Repo::from_path(token.path.as_deref()?)?;
        let kind = Some(repo.kind);
        Some(Pattern {
            kind,
            ..Pattern::for_repo(endpoint, &repo)?
        })
    });
    let mut found: Vec<Pattern> = rules
        .filter(|pattern| pattern.endpoint == *endpoint)
        .chain(reached)
        .chain(saved)
        .collect();
    let text = |pattern: &Pattern| pattern.to_string().to_ascii_lowercase();
    found.sort_by_cached_key(|pattern| {
        let namespace = pattern.namespace.as_str().to_ascii_lowercase();
        (namespace, pattern.specificity(), text(pattern))
    });
    found.dedup_by_key(|pattern| text(pattern));
    found
}

fn saved_paths(inputs: Inputs<'_>, endpoint: &Endpoint) -> BTreeSet<String> {
    let tokens = inputs.state.tokens.values();
    tokens
        .filter(|token| token.endpoint == *endpoint)
        .filter_map(|token| token.path.clone())
        .filter(|path| Repo::from_path(path).is_none_or(|repo| repo.namespace.is_none()))
        .collect()
}

/// A repo for which this pattern is the most specific one; `None` if more specific ones match all
/// of its repos.
fn example_of(pattern: &Pattern, all: &[Pattern]) -> Option<Repo> {
    const FILLERS: [&str; 4] = ["", "x", "0-0", "other-one"];
    let kinds: Vec<RepoKind> = match pattern.kind {
        Some(kind) => vec![kind],
        None => RepoKind::ALL.to_vec(),
    };
    let names: Vec<Name> = match &pattern.names {
        Names::Exactly(name) => vec![name.clone()],
        Names::Glob(glob) => FILLERS
            .iter()
            .filter_map(|filler| Name::parse(&glob.replace('*', filler)))
            .collect(),
        Names::All => FILLERS
            .iter()
            .filter_map(|text| Name::parse(text))
            .collect(),
    };
    let mut repos = kinds.iter().flat_map(|kind| {
        names.iter().map(|name| Repo {
            kind: *kind,
            namespace: Some(pattern.namespace.clone()),
            name: name.clone(),
        })
    });
    repos.find(|repo| {
        let matching = all.iter().filter(|it| it.matches(&it.endpoint, repo));
        let most_specific = matching.min_by_key(|it| it.specificity());
        // Some names do not survive as a path: `x.git` reads back as `x`.
        most_specific == Some(pattern) && Repo::from_path(&repo.to_string()).as_ref() == Some(repo)
    })
}
