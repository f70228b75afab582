//! Every sentence about a candidate: what it is, where it is stored, and which command helps.

use super::Context;
use super::advice::{HF_LOGIN_AGAIN, login_again, replace_or_remove};
use super::lookup::suggestion;
use crate::git::config::Entry;
use crate::hf_cli::Which;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::permissions::Lack;
use crate::model::repo::Repo;
use crate::model::secret::Secret;
use crate::model::time;
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, Query, SelectError, Selection, Source};
use crate::state::{Health, Origin, State};
use crate::terminal::Failure;

impl Context {
    /// Describes a candidate, with its last four characters if they are known without reading its
    /// storage.
    pub(crate) fn describe(&self, candidate: &Candidate, state: &State) -> String {
        describe(candidate, self.hint(&candidate.source, state).as_deref())
    }

    /// The kind and last four characters of a source's secret, if known without reading its storage.
    pub(crate) fn hint(&self, source: &Source, state: &State) -> Option<String> {
        match source {
            Source::Stored(name) => Some(state.tokens.get(name)?.hint.clone()),
            Source::Environment(variable) => self.env_secret(variable).ok().map(Secret::hint),
            Source::HfCli(name) => {
                let read = self.hf_cli().read(Which::of(name.as_deref()));
                read.ok().map(|token| token.secret.hint())
            }
            Source::Command(_) | Source::Exchange(_) | Source::Unusable(..) => None,
        }
    }

    /// Where a source's secret is stored.
    pub(crate) fn place(&self, source: &Source, state: &State) -> Option<String> {
        match source {
            Source::Stored(name) => {
                let token = state.tokens.get(name)?;
                Some(token.storage.described().to_owned())
            }
            Source::Command(name) => {
                let command = self.config.commands.get(name)?;
                Some(command.described())
            }
            Source::Environment(_) => Some("environment".to_owned()),
            Source::HfCli(_) => Some("hf CLI".to_owned()),
            Source::Exchange(_) => Some("for this job only".to_owned()),
            Source::Unusable(..) => None,
        }
    }
}

/// Describes a candidate: which token it is, and why it was chosen.
pub(crate) fn describe(candidate: &Candidate, hint: Option<&str>) -> String {
    let token = with_hint(&candidate.source, hint);
    format!("{token}{BECAUSE}{}", candidate.reason)
}

/// The name of a source in messages, with its last four characters if they are known.
pub(crate) fn with_hint(source: &Source, hint: Option<&str>) -> String {
    let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
    format!("{}{hint}", source_name(source))
}

/// The words between a token and the reason why it was chosen.
const BECAUSE: &str = ", chosen because ";

/// The kind and last four characters in a text that [`describe`] made.
pub(crate) fn hint_in(described: &str) -> Option<&str> {
    let (token, _) = described.rsplit_once(BECAUSE)?;
    let (_, hint) = token.strip_suffix(')')?.rsplit_once(" (")?;
    Some(hint)
}

/// Warns that a token expires soon, while there is still time to replace it.
pub(crate) fn expires_soon(source: &Source, state: &State, now: u64) -> Option<String> {
    let Source::Stored(name) = source else {
        return None;
    };
    let token = state.tokens.get(name)?;
    let Health::ExpiresSoon(at) = state.health(token, now) else {
        return None;
    };
    Some(format!(
        "token `{name}` expires in {}, on {}: create a new one on the Hub, and run `{}`",
        time::span(at.saturating_sub(now)),
        time::day(at),
        login_again(name, Some(token))
    ))
}

/// The name of a source in messages.
pub(crate) fn source_name(source: &Source) -> String {
    match source {
        Source::Stored(name) | Source::Command(name) | Source::Unusable(name, _) => {
            format!("token `{name}`")
        }
        Source::Environment(variable) => (*variable).to_owned(),
        Source::Exchange(_) => "the job's token".to_owned(),
        Source::HfCli(None) => "the hf CLI's token".to_owned(),
        Source::HfCli(Some(name)) => format!("the hf CLI's token `{name}`"),
    }
}

/// The name of a source in a table of tokens.
pub(crate) fn short_name(source: &Source) -> String {
    match source {
        Source::Stored(name) | Source::Command(name) | Source::Unusable(name, _) => {
            name.to_string()
        }
        Source::Environment(variable) => (*variable).to_owned(),
        Source::Exchange(_) => "job token".to_owned(),
        Source::HfCli(None) => "hf".to_owned(),
        Source::HfCli(Some(name)) => format!("hf:{name}"),
    }
}

/// What to do about a token that no longer works.
pub(crate) fn remedy(candidate: &Candidate, state: &State) -> String {
    match &candidate.source {
        Source::Stored(name) => match state.tokens.get(name) {
            Some(token) if token.origin == Origin::Git => {
                format!("run `{}` to remove it", replace_or_remove(name, token))
            }
            token => format!("run `{}`", login_again(name, token)),
        },
        Source::Environment(variable) => format!("set {variable} to another token, or unset it"),
        Source::Command(name) => format!("look at [commands] `{name}` in the configuration"),
        Source::Unusable(name, _) if name.of_hf_cli().is_some() => {
            "run `hf auth list` to see the hf CLI's names, and change the rule".to_owned()
        }
        Source::Unusable(name, _) => {
            format!("run `{}`, or change the rule", login_again(name, None))
        }
        Source::Exchange(_) => "compare the trusted publisher on the Hub with this job".to_owned(),
        Source::HfCli(_) => format!("run `{HF_LOGIN_AGAIN}`"),
    }
}

/// What is wrong with a username that matches no token or account, and what to do. It comes from
/// `line` of git's configuration, or else from the URL.
pub(crate) fn unknown_username(line: Option<&Entry>) -> (String, String) {
    let matches = "matches no stored token or account, so only the environment is asked";
    match line {
        None => (
            format!("the username in the URL {matches}"),
            "remove it from the URL (git remote set-url), or log in under that name".to_owned(),
        ),
        Some(line) => (
            format!("the username that git's configuration gives {matches}"),
            format!("{}, or log in under that name", line.how_to_remove()),
        ),
    }
}

impl Context {
    /// The error for a token that was asked for by name and cannot be used.
    pub(crate) fn select_failure(&self, state: &State, error: SelectError) -> Failure {
        match error {
            SelectError::Remotes(error) => Failure::new(error.to_string())
                .help("name the repo, or find the cause: git credential-hf doctor"),
            SelectError::NoSuchToken(name) => {
                let what = "GIT_CREDENTIAL_HF_TOKEN_NAME names a token that does not exist";
                let near = suggestion(self, state, name.as_str());
                let near = near.map_or_else(String::new, |near| format!("{near} "));
                Failure::new(what).help(format!(
                    "{near}`git credential-hf list` shows the names; or unset the variable"
                ))
            }
            SelectError::OtherEndpoint(name, endpoint) => Failure::new(format!(
                "GIT_CREDENTIAL_HF_TOKEN_NAME names `{name}`, a token for {endpoint}"
            ))
            .help("unset it, or name a token for this Hub"),
        }
    }
}

/// Why the remotes do not determine a token.
pub(crate) fn disagree(repos: &[Repo]) -> String {
    match repos {
        [repo] => format!("the remotes here have different usernames for {repo}"),
        repos => format!(
            "the remotes here need different tokens ({})",
            some_of(repos)
        ),
    }
}

/// Lists the first few, and says how many more there are.
pub(crate) fn some_of<T: ToString>(all: &[T]) -> String {
    let mut names: Vec<String> = all.iter().take(3).map(ToString::to_string).collect();
    if all.len() > names.len() {
        names.push(format!("{} more", all.len() - names.len()));
    }
    names.join(" and ")
}

impl Context {
    /// Says that other tokens would do as well, and that git gets the oldest one.
    pub(crate) fn equal(
        &self,
        endpoint: &Endpoint,
        selection: &Selection,
        names: &[TokenName],
    ) -> String {
        let others: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let mut line = format!(
            "{} would do as well; the oldest token is used",
            some_of(&others)
        );
        if let (Some(first), Some(repo)) = (names.first(), &selection.repo) {
            let command = self.use_command(first, endpoint, repo, None);
            line.push_str(&format!(". To choose another: {command}"));
        }
        line
    }

    /// Warns that the Hub will refuse a push: which token git gets, why, and which one would work.
    pub(crate) fn will_be_refused(
        &self,
        wanted: &Query,
        candidate: &Candidate,
        lack: Lack,
        repo: &Repo,
        state: &State,
    ) -> String {
        let endpoint = &wanted.endpoint;
        let push = Operation::Push;
        let named = candidate.reason.step() == "named";
        let helps = self.would_do(wanted, repo, state, push).into_iter().next();
        let help = match (helps.filter(|_| !named), lack) {
            (Some(other), _) => {
                let command = self.use_command(&other, endpoint, repo, Some(push));
                format!("`{other}` may: {command}")
            }
            (None, Lack::Scope) => format!(
                "add a scope for it at {}, then run `git credential-hf check {} --push`",
                endpoint.tokens_page(),
                self.typed(endpoint, &repo.to_string())
            ),
            (None, Lack::Role) => format!(
                "log in with a token that may write: {}",
                self.login_command(endpoint, Some(repo))
            ),
            (None, Lack::OrganisationRole | Lack::Membership) => format!(
                "ask an administrator of {}, or log in with another account",
                namespace_of(repo)
            ),
        };
        format!(
            "{}, may not push to {repo}, as far as is known: {}; {help}",
            self.describe(candidate, state),
            self::lack(lack, repo),
        )
    }
}

fn namespace_of(repo: &Repo) -> &str {
    repo.namespace.as_ref().map_or("", |name| name.as_str())
}

/// Why the Hub will refuse a push.
pub(crate) fn lack(lack: Lack, repo: &Repo) -> String {
    let namespace = namespace_of(repo);
    match lack {
        Lack::Role => "its role is `read`".to_owned(),
        Lack::Scope => format!("it has no scope to write to {repo}"),
        Lack::OrganisationRole => format!("its account has the role `read` in {namespace}"),
        Lack::Membership => format!("its account is not a member of {namespace}"),
    }
}

/// The message if a candidate cannot be used and no other one may take its place.
pub(crate) fn stopped(candidate: &Candidate, state: &State, why: &str) -> String {
    format!(
        "{} cannot be used: {why}; {}",
        source_name(&candidate.source),
        remedy(candidate, state)
    )
}
