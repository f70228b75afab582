//! The order within the steps **scoped** and **account**. It is total: a choice is always made.

use crate::model::operation::Operation;
use crate::model::permissions::{Access, Coverage, MayWrite};
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::Inputs;
use crate::selection::query::Who;
use crate::state::Origin;
use crate::state::TokenInfo;

/// A stored token whose facts reach a repo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covering<'a> {
    pub name: &'a TokenName,
    pub token: &'a TokenInfo,
    /// How narrowly it reaches the repo, for what is wanted.
    pub coverage: Coverage,
    pub may_write: MayWrite,
}

/// The place of a token among others, without its age: those with an equal one are equals.
type Rank = (bool, u8, Coverage, u8);

impl Covering<'_> {
    /// Whether a fine-grained scope names the repo or its namespace.
    pub fn is_scoped(&self) -> bool {
        matches!(self.coverage, Coverage::Repo | Coverage::Namespace)
    }

    fn is_read_only(&self) -> bool {
        matches!(self.may_write, MayWrite::No(_))
    }

    /// For a fetch the fewest rights come first; otherwise those that may write come first, and
    /// among them the fewest rights.
    pub fn rank(&self, operation: Option<Operation>) -> Rank {
        let rights = match self.may_write {
            MayWrite::No(_) => 0,
            MayWrite::Unknown => 1,
            MayWrite::Yes => 2,
        };
        let (first, last) = match operation {
            Some(Operation::Fetch) => (0, rights),
            Some(Operation::Push) | None => (2 - rights, 0),
        };
        (!self.is_scoped(), first, self.coverage, last)
    }
}

/// The tokens whose facts reach the repo, best first.
pub(super) fn covering<'a>(inputs: Inputs<'a>, who: &Who, repo: &Repo) -> Vec<Covering<'a>> {
    let operation = inputs.wanted.operation;
    let mut found: Vec<Covering<'a>> = logins(inputs, who)
        .filter_map(|(name, token)| {
            let facts = token.facts.as_ref()?;
            let readable = facts.covers(repo, Access::Read)?;
            let writable = facts.covers(repo, Access::Write);
            Some(Covering {
                name,
                token,
                coverage: match operation {
                    Some(Operation::Fetch) => readable,
                    // A token that reads one repo may write to its whole namespace.
                    Some(Operation::Push) | None => writable.unwrap_or(readable),
                },
                may_write: facts.may_write(repo),
            })
        })
        .collect();
    found.sort_by_key(|it| (it.rank(operation), age(it.name, it.token)));
    found
}

/// Those that may do it, and those that are known not to: for a push these come after every
/// other step.
pub(super) fn split<'c, 'a>(
    operation: Option<Operation>,
    covering: &'c [Covering<'a>],
) -> (Vec<&'c Covering<'a>>, Vec<&'c Covering<'a>>) {
    let is_last = |it: &&Covering<'_>| operation == Some(Operation::Push) && it.is_read_only();
    covering.iter().partition(|it| !is_last(it))
}

/// The tokens that would do as well as this one, but for their age; not those of equal value.
pub(super) fn equals(
    inputs: Inputs<'_>,
    who: &Who,
    repo: &Repo,
    chosen: &TokenName,
) -> Vec<TokenName> {
    let operation = inputs.wanted.operation;
    let all = covering(inputs, who, repo);
    let Some(chosen) = all.iter().find(|it| it.name == chosen) else {
        return Vec::new();
    };
    let mut values = vec![&chosen.token.fingerprint];
    let mut found = Vec::new();
    for other in &all {
        if other.rank(operation) == chosen.rank(operation)
            && !values.contains(&&other.token.fingerprint)
        {
            values.push(&other.token.fingerprint);
            found.push(other.name.clone());
        }
    }
    found
}

/// The logins on the wanted endpoint for a user. What git saved comes below what the user chose,
/// whatever it may do.
pub(super) fn logins<'a>(
    inputs: Inputs<'a>,
    who: &Who,
) -> impl Iterator<Item = (&'a TokenName, &'a TokenInfo)> {
    inputs.state.tokens.iter().filter(move |(_, token)| {
        token.origin == Origin::Login
            && token.endpoint == inputs.wanted.endpoint
            && who.takes(token)
    })
}

/// The older login comes first. Logging in again under a name keeps its place.
pub(super) fn age<'a>(name: &'a TokenName, token: &TokenInfo) -> (u64, u64, &'a TokenName) {
    (token.order, token.added, name)
}

/// The stored tokens that would do by their facts, where another was chosen that may not; the best
/// first.
#[must_use]
pub fn would_do(inputs: Inputs<'_>, repo: &Repo) -> Vec<TokenName> {
    let push = inputs.wanted.operation != Some(Operation::Fetch);
    let found = covering(inputs, &Who::Anybody, repo).into_iter();
    let found = found.filter(|it| !push || it.may_write == MayWrite::Yes);
    found.map(|it| it.name.clone()).collect()
}
