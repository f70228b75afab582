//! The steps after **named** that fill the list of candidates, in order.

use crate::model::operation::Operation;
use crate::model::permissions::{Coverage, MayWrite};
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::order::{self, Covering};
use crate::selection::query::Who;
use crate::selection::{Candidate, Exchange, Inputs, Reason, Source, Unusable};
use crate::state::{Origin, TokenInfo};

/// All candidates for a repo (or for an unknown one), best first.
pub(super) fn candidates(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>) -> Vec<Candidate> {
    if let Who::Token(source) = who {
        let mut only = Candidate::new(source.clone(), Reason::NamedByUsername);
        set_lack(inputs, repo, &mut only);
        return vec![only];
    }
    let covering = repo.map_or_else(Vec::new, |repo| order::covering(inputs, who, repo));
    let (usable, read_only) = order::split(inputs.wanted.operation, &covering);
    let mut list = Vec::new();
    rules(inputs, who, repo, &mut list);
    exchange(inputs, who, repo, &mut list);
    list.extend(
        usable
            .iter()
            .filter(|token| token.is_scoped())
            .map(|token| covers(token, repo)),
    );
    environment(inputs, &mut list);
    list.extend(
        usable
            .iter()
            .filter(|token| !token.is_scoped())
            .map(|token| covers(token, repo)),
    );
    default(inputs, who, &mut list);
    saved(inputs, who, repo, &mut list);
    // It is not known whose token this is, so it does not match a username.
    if inputs.hf.active && *who == Who::Anybody && inputs.are_of_environment() {
        list.push(Candidate::new(Source::HfCli(None), Reason::HfActive));
    }
    any(inputs, who, repo, &mut list);
    list.extend(read_only.iter().map(|token| covers(token, repo)));
    debug_assert!(repo.is_some() || list.iter().all(|c| !c.reason.is_about_the_repo()));
    // List each token once, with its strongest reason.
    let mut unique: Vec<Candidate> = Vec::with_capacity(list.len());
    for mut candidate in list {
        if !unique.iter().any(|known| known.source == candidate.source) {
            set_lack(inputs, repo, &mut candidate);
            unique.push(candidate);
        }
    }
    unique
}

/// Sets why the Hub will refuse a push with this candidate, if its facts say so.
pub(super) fn set_lack(inputs: Inputs<'_>, repo: Option<&Repo>, candidate: &mut Candidate) {
    if inputs.wanted.operation == Some(Operation::Push)
        && let Source::Stored(name) = &candidate.source
        && let Some(facts) = inputs.state.tokens.get(name).and_then(|t| t.facts.as_ref())
        && let Some(MayWrite::No(lack)) = repo.map(|repo| facts.may_write(repo))
    {
        candidate.lack = Some(lack);
    }
}

/// **rule**: the rules that match, most specific first, as the configuration sorts them.
fn rules(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    let Some(repo) = repo else { return };
    for rule in &inputs.config.rules {
        if !rule.pattern.matches(&inputs.wanted.endpoint, repo) {
            continue;
        }
        let Some(token) = rule.token(inputs.wanted.operation) else {
            continue;
        };
        let source = inputs.find(token);
        if who.accepts_source(inputs, &source) {
            list.push(Candidate::new(source, Reason::Rule(rule.pattern.clone())));
        }
    }
}

/// **exchange**: a job has no account, so it does not match a username; and its identity is only
/// for the environment's endpoint.
fn exchange(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    let Some(oidc) = &inputs.env.oidc else { return };
    if *who != Who::Anybody || inputs.env.endpoint().as_ref() != Some(&inputs.wanted.endpoint) {
        return;
    }
    let found = Exchange::for_request(&oidc.resource, repo, inputs.wanted.operation);
    list.extend(found.map(|exchange| Candidate::new(Source::Exchange(exchange), Reason::Exchange)));
}

/// **scoped** and **account**: a token that covers the repo.
fn covers(token: &Covering<'_>, repo: Option<&Repo>) -> Candidate {
    let namespace = || {
        let namespace = repo.and_then(|repo| repo.namespace.as_ref());
        namespace.map_or_else(String::new, |namespace| namespace.as_str().to_owned())
    };
    let reason = match token.coverage {
        Coverage::Repo => Reason::Scoped(repo.map_or_else(String::new, ToString::to_string)),
        Coverage::Namespace => Reason::Scoped(namespace()),
        Coverage::Own => Reason::Own(namespace()),
        Coverage::Organisation => Reason::Member(namespace()),
    };
    Candidate::new(Source::Stored(token.name.clone()), reason)
}

/// **environment**: a push stops at a variable that does not contain a valid token, so that it is
/// not done as somebody else.
fn environment(inputs: Inputs<'_>, list: &mut Vec<Candidate>) {
    if !inputs.takes_environment() {
        return;
    }
    let is_push = inputs.wanted.operation == Some(Operation::Push);
    list.extend(inputs.env.tokens.iter().map(|token| Candidate {
        required: is_push && token.secret.is_err(),
        ..Candidate::new(Source::Environment(token.variable), Reason::Environment)
    }));
}

/// **default**: a default token of another endpoint does not apply here, which is not an error.
fn default(inputs: Inputs<'_>, who: &Who, list: &mut Vec<Candidate>) {
    let endpoint = &inputs.wanted.endpoint;
    let Some(name) = inputs.config.default_for(endpoint) else {
        return;
    };
    let source = inputs.find(name);
    let here = match &source {
        Source::Unusable(_, Unusable::OtherEndpoint(_)) => false,
        // Keep a missing default token, so that it is reported where it would have been used.
        Source::Unusable(_, Unusable::Missing) => {
            let own = inputs.config.defaults.contains_key(endpoint);
            *who == Who::Anybody && (own || endpoint.is_hugging_face())
        }
        source => who.accepts_source(inputs, source),
    };
    if here {
        list.push(Candidate::new(source, Reason::Default));
    }
}

/// **saved**: what git's `store` saved on this endpoint for this user: first for the exact path,
/// then for the host, each newest first.
fn saved(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    let wanted = inputs.wanted;
    let here = |token: &TokenInfo| {
        let Some(path) = &token.path else { return true };
        match (Repo::from_path(path), repo) {
            (Some(saved), Some(wanted)) => saved == *wanted,
            _ => wanted.path.as_deref() == Some(path.as_str()),
        }
    };
    let mut found: Vec<(&TokenName, &TokenInfo)> = inputs
        .state
        .tokens
        .iter()
        .filter(|(_, token)| {
            token.origin == Origin::Git
                && token.endpoint == wanted.endpoint
                && who.accepts(token)
                && here(token)
        })
        .collect();
    found.sort_by_key(|(_, token)| {
        let newest = std::cmp::Reverse((token.added, token.order));
        (token.path.is_none(), newest)
    });
    list.extend(found.into_iter().map(|(name, token)| {
        let reason = match &token.path {
            Some(path) => Reason::SavedForPath(path.clone()),
            None => Reason::SavedForHost,
        };
        Candidate::new(Source::Stored(name.clone()), reason)
    }));
}

/// **any**: the oldest login that may read gated repos. It is not used to push, since nothing chose
/// this token for the repo.
fn any(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    if repo.is_none() || inputs.wanted.operation == Some(Operation::Push) {
        return;
    }
    let found = order::logins(inputs, who)
        .filter(|(_, token)| token.facts.as_ref().is_some_and(|it| it.reaches_beyond()))
        .min_by_key(|(name, token)| order::age(name, token));
    list.extend(found.map(|(name, _)| Candidate::new(Source::Stored(name.clone()), Reason::Any)));
}
