//! The order within the steps **scoped** and **account**. It is total, so there is always a choice.

use crate::model::operation::Operation;
use crate::model::permissions::{Coverage, MayWrite};
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::Inputs;
use crate::selection::query::Who;
use crate::state::{Origin, TokenInfo};

/// A stored token that covers a repo according to its facts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covering<'a> {
    pub name: &'a TokenName,
    pub token: &'a TokenInfo,
    /// How narrowly it covers the repo for the wanted operation.
    pub coverage: Coverage,
    pub may_write: MayWrite,
}

/// A token's rank without its age. Tokens with the same rank are equally good.
type Rank = (bool, u8, Coverage, u8);

impl Covering<'_> {
    /// Whether a fine-grained scope names the repo or its namespace.
    pub fn is_scoped(&self) -> bool {
        matches!(self.coverage, Coverage::Repo | Coverage::Namespace)
    }

    fn is_read_only(&self) -> bool {
        matches!(self.may_write, MayWrite::No(_))
    }

    /// For a fetch, the token with the fewest rights comes first. Otherwise, tokens that may write
    /// come first, and among these the one with the fewest rights.
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

/// The tokens that cover the repo, best first.
pub(super) fn covering<'a>(inputs: Inputs<'a>, who: &Who, repo: &Repo) -> Vec<Covering<'a>> {
    let operation = inputs.wanted.operation;
    let mut found: Vec<Covering<'a>> = logins(inputs, who)
        .filter_map(|(name, token)| {
            let facts = token.facts.as_ref()?;
            let readable = facts.covers(repo, Operation::Fetch)?;
            let writable = facts.covers(repo, Operation::Push);
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

/// Splits off the tokens that are known not to be able to push; for a push, these come after every
/// other step.
pub(super) fn split<'c, 'a>(
    operation: Option<Operation>,
    covering: &'c [Covering<'a>],
) -> (Vec<&'c Covering<'a>>, Vec<&'c Covering<'a>>) {
    let is_last = |it: &&Covering<'_>| operation == Some(Operation::Push) && it.is_read_only();
    covering.iter().partition(|it| !is_last(it))
}

/// The tokens that differ from `chosen` only in their age, without copies of the same value.
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

/// The logins of a user on the wanted endpoint. Tokens that git saved are left out: whatever they
/// may do, they come after what the user chose.
pub(super) fn logins<'a>(
    inputs: Inputs<'a>,
    who: &Who,
) -> impl Iterator<Item = (&'a TokenName, &'a TokenInfo)> {
    inputs.state.tokens.iter().filter(move |(_, token)| {
        token.origin == Origin::Login
            && token.endpoint == inputs.wanted.endpoint
            && who.accepts(token)
    })
}

/// The sort key that puts older logins first. A second login with the same name keeps its place.
pub(super) fn age<'a>(name: &'a TokenName, token: &TokenInfo) -> (u64, u64, &'a TokenName) {
    (token.order, token.added, name)
}

/// The stored tokens that may do the operation according to their facts, best first; suggested when
/// the chosen token may not.
#[must_use]
pub fn would_do(inputs: Inputs<'_>, repo: &Repo) -> Vec<TokenName> {
    let push = inputs.wanted.operation != Some(Operation::Fetch);
    let found = covering(inputs, &Who::Anybody, repo).into_iter();
    let found = found.filter(|it| !push || it.may_write == MayWrite::Yes);
    found.map(|it| it.name.clone()).collect()
}
