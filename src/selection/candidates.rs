//! Which token, and why: one pure function from what is asked, configured, remembered and in
//! the environment to an ordered list of candidates. `get` and `explain` both call it.

use std::fmt;

use crate::config::Config;
use crate::git::run::ReadError;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::permissions::Access;
use crate::model::permissions::Coverage;
use crate::model::repo::Location;
use crate::model::repo::Repo;
use crate::model::token_name::TokenName;
use crate::selection::Exchange;
use crate::state::Origin;
use crate::state::State;
use crate::state::TokenInfo;
use crate::system::environment::Environment;

/// What a token is wanted for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The Hub that asks.
    pub endpoint: Endpoint,
    /// The path that git sent, where it sent one.
    pub path: Option<String>,
    /// The user name that git sent.
    pub username: Option<String>,
    /// What git is about to do, where that is known.
    pub operation: Option<Operation>,
}

impl Query {
    /// What git would ask for at a place: it sends the path of the remote, and none for a bare
    /// endpoint.
    #[must_use]
    pub fn at(location: &Location) -> Self {
        Self {
            endpoint: location.endpoint.clone(),
            path: (!location.path.is_empty()).then(|| location.path.clone()),
            username: location.username.clone(),
            operation: None,
        }
    }
}

/// All that the choice depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What is asked.
    pub wanted: &'a Query,
    /// What people configured.
    pub config: &'a Config,
    /// What is remembered.
    pub state: &'a State,
    /// The environment.
    pub env: &'a Environment,
    /// What the remotes of the current repository name on the wanted endpoint, or the one of them
    /// that is in use; looked at only where git sent no path.
    pub remotes: &'a [Remote],
    /// What the hf CLI has.
    pub hf: HfKnown<'a>,
}

/// What is known of the hf CLI's tokens without their values.
#[derive(Debug, Clone, Copy, Default)]
pub struct HfKnown<'a> {
    /// It has an active token.
    pub active: bool,
    /// The names of its stored ones; needed only where one is asked for.
    pub names: &'a [String],
}

/// A remote of the current repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The repo that its URL names.
    pub repo: Repo,
    /// The user name in its URL.
    pub username: Option<String>,
}

/// A token that could be answered, and why it stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it comes from.
    pub source: Source,
    /// The step that chose it.
    pub reason: Reason,
}

/// Where a token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A stored token.
    Stored(TokenName),
    /// A configured command.
    Command(TokenName),
    /// A variable of the environment.
    Environment(&'static str),
    /// A CI job's identity, exchanged for a token.
    Exchange(Exchange),
    /// A token of the hf CLI; `None` is its active one.
    HfCli(Option<String>),
    /// A name that a rule or the default gives, and that no token of this endpoint has.
    Unusable(TokenName, Unusable),
}

impl Source {
    /// What kind of source it is, in a word for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stored(_) => "stored",
            Self::Command(_) => "command",
            Self::Environment(_) => "environment",
            Self::Exchange(_) => "exchange",
            Self::HfCli(_) => "hf-cli",
            Self::Unusable(..) => "unusable",
        }
    }

    /// The token's name, or the variable's.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Stored(name) | Self::Command(name) | Self::Unusable(name, _) => {
                Some(name.as_str())
            }
            Self::Environment(variable) => Some(variable),
            Self::HfCli(name) => name.as_deref(),
            Self::Exchange(_) => None,
        }
    }
}

impl Source {
    /// Whether no other token may take its place. Whoever lets a job show its identity wants it
    /// to work as that job, and not as somebody whose token happens to be there.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Exchange(_))
    }
}

/// Why a named token cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// There is none of that name.
    Missing,
    /// It is for another endpoint.
    OtherEndpoint(Endpoint),
}

/// The step that chose a candidate, in the order in which they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// 1: `GIT_CREDENTIAL_HF_TOKEN_NAME`.
    NamedByEnvironment,
    /// 1: the username, of the URL or of git's configuration, is the token's name.
    NamedByUsername,
    /// 2: a rule.
    Rule(Pattern),
    /// 3: `HF_OIDC_RESOURCE` opts in.
    Exchange,
    /// 4: the environment has it.
    Environment,
    /// 5: its recorded scopes cover the repo.
    Scope(String),
    /// 6: the default token.
    Default,
    /// 7: git's `store` saved it for this very path.
    SavedForPath(String),
    /// 7: git's `store` saved it for the host.
    SavedForHost,
    /// 8: the hf CLI's active token.
    HfActive,
}

impl Reason {
    /// Whether it speaks of the repo, and so means nothing where the repo is not known.
    fn is_about_the_repo(&self) -> bool {
        matches!(self, Self::Rule(_) | Self::Scope(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamedByEnvironment => f.write_str("named by GIT_CREDENTIAL_HF_TOKEN_NAME"),
            Self::NamedByUsername => f.write_str("named by the username"),
            Self::Rule(pattern) => write!(f, "rule `{pattern}`"),
            Self::Exchange => f.write_str("exchange of the job's identity"),
            Self::Environment => f.write_str("environment"),
            Self::Scope(scope) => write!(f, "its scopes cover {scope}"),
            Self::Default => f.write_str("the default token"),
            Self::SavedForPath(path) => write!(f, "saved by git for {path}"),
            Self::SavedForHost => f.write_str("saved by git for the host"),
            Self::HfActive => f.write_str("the hf CLI's active token"),
        }
    }
}

/// The outcome of the choice.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The repo it is about, where known.
    pub repo: Option<Repo>,
    /// Whether the repo was inferred from the remotes.
    pub inferred: bool,
    /// The candidates, best first.
    pub candidates: Vec<Candidate>,
    /// What the user should hear.
    pub notices: Vec<Notice>,
}

/// Something about the choice that the user should hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Git sent no path, and the remotes need different tokens: these repos, or one repo of
    /// which they name different users.
    RemotesDisagree(Vec<Repo>),
    /// These tokens' scopes cover the repo equally, so none of them was chosen.
    Tie(Vec<TokenName>),
    /// A username that is not the name of a token or an account.
    UnknownUsername,
}

/// Why there is no choice: falling back would use a token that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectError {
    /// Git sent no path, and the repository's remotes cannot be read.
    Remotes(ReadError),
    /// `GIT_CREDENTIAL_HF_TOKEN_NAME` names a token that is not there.
    NoSuchToken(TokenName),
    /// It names a token of another endpoint.
    OtherEndpoint(TokenName, Endpoint),
}

/// User names that tools write where the Hub wants none in particular.
const GENERIC_USERNAMES: [&str; 6] = ["hf_user", "user", "git", "oauth2", "token", "__token__"];

/// Whether a user name says nothing about who is meant.
#[must_use]
pub fn is_generic(username: &str) -> bool {
    username.is_empty()
        || GENERIC_USERNAMES
            .iter()
            .any(|generic| username.eq_ignore_ascii_case(generic))
}

/// Orders the candidates for what is wanted.
///
/// # Errors
/// When a token asked for by name cannot be had.
pub fn select(inputs: Inputs<'_>) -> Result<Selection, SelectError> {
    let wanted = inputs.wanted;
    if let Some(name) = &inputs.env.token_name {
        return named_by_environment(inputs, &TokenName::existing(name));
    }
    let mut who = Who::read(inputs, wanted.username.as_deref());
    if let Who::Token(source) = who {
        return Ok(Selection {
            repo: wanted.path.as_deref().and_then(Repo::from_path),
            inferred: false,
            candidates: vec![Candidate {
                source,
                reason: Reason::NamedByUsername,
            }],
            notices: Vec::new(),
        });
    }
    let mut notices = Vec::new();
    let (mut repo, mut inferred) = (None, false);
    match &wanted.path {
        Some(path) => repo = Repo::from_path(path),
        None => match agreed(inputs, &who) {
            Agreement::NoRemotes => {}
            Agreement::On(one, its) => {
                (repo, inferred) = (Some(one), true);
                who = its;
            }
            Agreement::None => {
                let mut repos: Vec<Repo> = Vec::new();
                for Remote { repo, .. } in inputs.remotes {
                    if !repos.contains(repo) {
                        repos.push(repo.clone());
                    }
                }
                notices.push(Notice::RemotesDisagree(repos));
            }
        },
    }
    if !who.is_known(inputs) {
        notices.push(Notice::UnknownUsername);
    }
    let candidates = candidates(inputs, &who, repo.as_ref());
    if let Some(tied) = repo.as_ref().and_then(|repo| tie(inputs, &who, repo)) {
        notices.push(Notice::Tie(tied));
    }
    Ok(Selection {
        repo,
        inferred,
        candidates,
        notices,
    })
}

fn named_by_environment(inputs: Inputs<'_>, name: &TokenName) -> Result<Selection, SelectError> {
    let source = match find(inputs, name) {
        Source::Unusable(name, Unusable::Missing) => return Err(SelectError::NoSuchToken(name)),
        Source::Unusable(name, Unusable::OtherEndpoint(endpoint)) => {
            return Err(SelectError::OtherEndpoint(name, endpoint));
        }
        source => source,
    };
    Ok(Selection {
        repo: inputs.wanted.path.as_deref().and_then(Repo::from_path),
        inferred: false,
        candidates: vec![Candidate {
            source,
            reason: Reason::NamedByEnvironment,
        }],
        notices: Vec::new(),
    })
}

/// Whom the user name in the request means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// Nobody in particular.
    Anybody,
    /// A token, by its name.
    Token(Source),
    /// The tokens of one account, and what git's `store` saved under this very user name.
    User(String),
}

impl Who {
    fn read(inputs: Inputs<'_>, username: Option<&str>) -> Self {
        let Some(username) = username else {
            return Self::Anybody;
        };
        // A token may bear a generic word as its name; then it was named.
        match find(inputs, &TokenName::existing(username)) {
            Source::Unusable(..) if is_generic(username) => Self::Anybody,
            Source::Unusable(..) => Self::User(username.to_owned()),
            source => Self::Token(source),
        }
    }

    /// Whether a stored token may be used for them.
    fn takes(&self, token: &TokenInfo) -> bool {
        match self {
            Self::Anybody => true,
            Self::User(username) => {
                has_account(token, username) || token.username.as_deref() == Some(username)
            }
            Self::Token(_) => false,
        }
    }

    /// Whether anything stored for this endpoint is theirs.
    fn is_known(&self, inputs: Inputs<'_>) -> bool {
        let mut stored = inputs.state.tokens.values();
        !matches!(self, Self::User(_))
            || stored.any(|token| token.endpoint == inputs.wanted.endpoint && self.takes(token))
    }
}

/// Whether the token is this account's. The Hub's names have no case.
fn has_account(token: &TokenInfo, username: &str) -> bool {
    token.account.as_deref().is_some_and(|account| {
        account == username
            || (token.endpoint.is_hugging_face() && account.eq_ignore_ascii_case(username))
    })
}

/// The source that a token's name stands for on the wanted endpoint.
fn find(inputs: Inputs<'_>, name: &TokenName) -> Source {
    let wanted = &inputs.wanted.endpoint;
    if let Some(hf_name) = name.of_hf_cli() {
        return if !inputs.hf.names.iter().any(|known| known == hf_name) {
            Source::Unusable(name.clone(), Unusable::Missing)
        } else if belongs_to_environment(inputs) {
            Source::HfCli(Some(hf_name.to_owned()))
        } else {
            let theirs = inputs.env.endpoint();
            let why = theirs.map_or(Unusable::Missing, Unusable::OtherEndpoint);
            Source::Unusable(name.clone(), why)
        };
    }
    let mut elsewhere = None;
    if let Some(token) = inputs.state.tokens.get(name) {
        if token.endpoint == *wanted {
            return Source::Stored(name.clone());
        }
        elsewhere = Some(token.endpoint.clone());
    }
    if let Some(command) = inputs.config.commands.get(name) {
        if command.endpoint == *wanted {
            return Source::Command(name.clone());
        }
        elsewhere = elsewhere.or_else(|| Some(command.endpoint.clone()));
    }
    let why = elsewhere.map_or(Unusable::Missing, Unusable::OtherEndpoint);
    Source::Unusable(name.clone(), why)
}

enum Agreement {
    NoRemotes,
    On(Repo, Who),
    None,
}

/// The repo to go by when git sent no path: any of the remotes, if the token is the same.
fn agreed(inputs: Inputs<'_>, who: &Who) -> Agreement {
    let Some((first, rest)) = inputs.remotes.split_first() else {
        return Agreement::NoRemotes;
    };
    // A remote's own user name counts as if git had sent it, unless git sent another.
    let choice = |remote: &Remote| {
        let who = match (&inputs.wanted.username, &remote.username) {
            (None, Some(username)) => Who::read(inputs, Some(username)),
            _ => who.clone(),
        };
        let list = candidates(inputs, &who, Some(&remote.repo));
        let source = list.into_iter().next().map(|candidate| candidate.source);
        (source, who)
    };
    let (chosen, its) = choice(first);
    if rest.iter().all(|remote| choice(remote).0 == chosen) {
        Agreement::On(first.repo.clone(), its)
    } else {
        Agreement::None
    }
}

/// Steps 2 to 8 for one repo, or for none.
fn candidates(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>) -> Vec<Candidate> {
    let mut list = Vec::new();
    if let Who::Token(source) = who {
        let source = source.clone();
        let reason = Reason::NamedByUsername;
        return vec![Candidate { source, reason }];
    }
    rules(inputs, who, repo, &mut list);
    exchange(inputs, who, repo, &mut list);
    if belongs_to_environment(inputs) {
        for token in &inputs.env.tokens {
            list.push(Candidate {
                source: Source::Environment(token.variable),
                reason: Reason::Environment,
            });
        }
    }
    by_scope(inputs, who, repo, &mut list);
    default(inputs, who, &mut list);
    saved(inputs, who, repo, &mut list);
    // Whose it is, is not known, so it is nobody's in particular.
    if inputs.hf.active && *who == Who::Anybody && belongs_to_environment(inputs) {
        list.push(Candidate {
            source: Source::HfCli(None),
            reason: Reason::HfActive,
        });
    }
    debug_assert!(repo.is_some() || list.iter().all(|c| !c.reason.is_about_the_repo()));
    // The same token once, for its strongest reason.
    let mut unique: Vec<Candidate> = Vec::with_capacity(list.len());
    for candidate in list {
        if !unique.iter().any(|known| known.source == candidate.source) {
            unique.push(candidate);
        }
    }
    unique
}

/// Step 3: a job has no account, so it is nobody's in particular; and its identity is for the
/// environment's endpoint alone.
fn exchange(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    let Some(oidc) = &inputs.env.oidc else { return };
    if *who != Who::Anybody || inputs.env.endpoint().as_ref() != Some(&inputs.wanted.endpoint) {
        return;
    }
    let found = Exchange::for_request(&oidc.resource, repo, inputs.wanted.operation);
    list.extend(found.map(|exchange| Candidate {
        source: Source::Exchange(exchange),
        reason: Reason::Exchange,
    }));
}

/// Step 2: the rules that match, most specific first, as the configuration holds them.
fn rules(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    let Some(repo) = repo else { return };
    for rule in &inputs.config.rules {
        if !rule.pattern.matches(&inputs.wanted.endpoint, repo) {
            continue;
        }
        let source = find(inputs, &rule.token);
        if takes(inputs, who, &source) {
            let reason = Reason::Rule(rule.pattern.clone());
            list.push(Candidate { source, reason });
        }
    }
}

/// Whether a source may be used for the user name at hand: only stored tokens have an account.
fn takes(inputs: Inputs<'_>, who: &Who, source: &Source) -> bool {
    match (who, source) {
        (Who::Anybody, _) => true,
        (_, Source::Stored(name)) => inputs
            .state
            .tokens
            .get(name)
            .is_some_and(|token| who.takes(token)),
        _ => false,
    }
}

/// Step 4: the environment's tokens are for its own endpoint, and for configured ones that ask.
fn belongs_to_environment(inputs: Inputs<'_>) -> bool {
    let wanted = &inputs.wanted.endpoint;
    let configured = inputs.config.endpoint(wanted).unwrap_or_default();
    configured.env || inputs.env.endpoint().as_ref() == Some(wanted)
}

/// Step 5: tokens whose recorded scopes cover the repo, narrowest first, up to the first tie:
/// between two that are equally narrow there is no reason to choose one.
fn by_scope(inputs: Inputs<'_>, who: &Who, repo: Option<&Repo>, list: &mut Vec<Candidate>) {
    let Some(repo) = repo else { return };
    let found = covering(inputs, who, repo);
    for level in found.chunk_by(|a, b| a.0 == b.0) {
        let [(coverage, name)] = level else { break };
        let scope = match coverage {
            Coverage::Repo => repo.to_string(),
            Coverage::Namespace | Coverage::Own | Coverage::Organisation => repo
                .namespace
                .as_ref()
                .map_or_else(String::new, |namespace| namespace.as_str().to_owned()),
        };
        list.push(Candidate {
            source: Source::Stored((*name).clone()),
            reason: Reason::Scope(scope),
        });
    }
}

/// The tokens at the first tie, if the narrowest are already tied.
fn tie(inputs: Inputs<'_>, who: &Who, repo: &Repo) -> Option<Vec<TokenName>> {
    let found = covering(inputs, who, repo);
    let level = found.chunk_by(|a, b| a.0 == b.0).next()?;
    (level.len() > 1).then(|| level.iter().map(|(_, name)| (*name).clone()).collect())
}

/// The tokens whose scopes cover the repo, the narrowest first.
fn covering<'a>(inputs: Inputs<'a>, who: &Who, repo: &Repo) -> Vec<(Coverage, &'a TokenName)> {
    let mut found: Vec<(Coverage, &TokenName)> = inputs
        .state
        .tokens
        .iter()
        .filter(|(_, token)| {
            // What git saved comes below what the user chose, whatever it may do.
            token.origin == Origin::Login
                && token.endpoint == inputs.wanted.endpoint
                && who.takes(token)
        })
        .filter_map(|(name, token)| {
            // Git asks the same for a fetch and a push, so what can be read must do.
            let coverage = token.facts.as_ref()?.covers(repo, Access::Read)?;
            Some((coverage, name))
        })
        .collect();
    found.sort_by_key(|(coverage, _)| *coverage);
    found
}

/// Step 6. A default for another endpoint is not for this one, and that is no error.
fn default(inputs: Inputs<'_>, who: &Who, list: &mut Vec<Candidate>) {
    let Some(name) = &inputs.config.default else {
        return;
    };
    let source = find(inputs, name);
    let here = match &source {
        Source::Unusable(_, Unusable::OtherEndpoint(_)) => false,
        // A default that is gone is told about where it would have been used.
        Source::Unusable(_, Unusable::Missing) => {
            *who == Who::Anybody && inputs.wanted.endpoint.is_hugging_face()
        }
        source => takes(inputs, who, source),
    };
    if here {
        list.push(Candidate {
            source,
            reason: Reason::Default,
        });
    }
}

/// Step 7: what git's `store` saved on this endpoint for this user, for the exact path first, then
/// for the host; the newest first.
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
                && who.takes(token)
                && here(token)
        })
        .collect();
    found.sort_by_key(|(_, token)| {
        let newest = std::cmp::Reverse((token.added, token.order));
        (token.path.is_none(), newest)
    });
    list.extend(found.into_iter().map(|(name, token)| Candidate {
        source: Source::Stored(name.clone()),
        reason: match &token.path {
            Some(path) => Reason::SavedForPath(path.clone()),
            None => Reason::SavedForHost,
        },
    }));
}

#[cfg(test)]
#[path = "candidates_tests.rs"]
mod tests;
