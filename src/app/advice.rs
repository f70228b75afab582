//! The commands that messages advise. They depend on the situation: `HF_ENDPOINT` decides what a bare
//! name means, and an existing rule takes precedence over a wider one.

use crate::app::Context;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::repo::Repo;
use crate::model::text::shell_quoted;
use crate::model::token_name::TokenName;
use crate::selection::{Candidate, Reason};
use crate::state::{Origin, TokenInfo};
use crate::system::home;

/// The command that helps where something fails that this program cannot explain.
pub(crate) const FIND_CAUSE: &str = "to find the cause: git credential-hf doctor";

/// The command that logs in to the hf CLI again. Without `--force`, it says that one is logged in.
pub(crate) const HF_LOGIN_AGAIN: &str = "hf auth login --force";

/// The command that logs in again under a name, in the browser if the token there is from the browser.
pub(crate) fn login_again(name: &TokenName, token: Option<&TokenInfo>) -> String {
    let web = token.is_some_and(TokenInfo::is_browser_login);
    format!(
        "git credential-hf login {}{}",
        shell_quoted(name.as_str()),
        if web { " --web" } else { "" }
    )
}

/// The command for a stored token that no longer works: it replaces the token, or removes what git
/// saved, so that git asks for another.
pub(crate) fn replace_or_remove(name: &TokenName, token: &TokenInfo) -> String {
    match token.origin {
        Origin::Git => format!("git credential-hf logout {}", shell_quoted(name.as_str())),
        Origin::Login => login_again(name, Some(token)),
    }
}

impl Context {
    /// A repo or namespace as a person would type it in a command.
    pub(crate) fn typed(&self, endpoint: &Endpoint, bare: &str) -> String {
        match self.env.endpoint().as_ref() == Some(endpoint) {
            true => bare.to_owned(),
            false => format!("{endpoint}/{bare}"),
        }
    }

    /// A pattern as a shell takes it, with its endpoint only where that is needed.
    pub(crate) fn typed_pattern(&self, pattern: &Pattern) -> String {
        shell_quoted(&self.typed(&pattern.endpoint, &pattern.without_endpoint()))
    }

    /// The command that stores a token for a repo, or as the default where the repo has no namespace.
    pub(crate) fn login_command(&self, endpoint: &Endpoint, repo: Option<&Repo>) -> String {
        let namespace = repo.and_then(|repo| repo.namespace.as_ref());
        match namespace {
            Some(namespace) => format!(
                "git credential-hf login NAME --for {}",
                self.typed(endpoint, namespace.as_str())
            ),
            None => "git credential-hf login NAME --default".to_owned(),
        }
    }

    /// The command that lets git use a stored token for a repo. It replaces the rule that applies
    /// now, if there is one.
    pub(crate) fn use_command(
        &self,
        name: &TokenName,
        endpoint: &Endpoint,
        repo: &Repo,
        operation: Option<Operation>,
    ) -> String {
        let mut rules = self.config.rules.iter();
        let rule = rules
            .find(|rule| rule.pattern.matches(endpoint, repo) && rule.token(operation).is_some());
        let namespace = repo.namespace.as_ref();
        let bare = match (rule, namespace) {
            (Some(rule), _) => rule.pattern.without_endpoint(),
            (None, Some(namespace)) => namespace.as_str().to_owned(),
            (None, None) => {
                return format!(
                    "git credential-hf use {} --default",
                    shell_quoted(name.as_str())
                );
            }
        };
        let only = match operation {
            Some(Operation::Push) => " --push",
            Some(Operation::Fetch) => " --fetch",
            None => "",
        };
        format!(
            "git credential-hf use {} --for {}{only}",
            shell_quoted(name.as_str()),
            shell_quoted(&self.typed(endpoint, &bare))
        )
    }

    /// The command that helps if no token is stored for a repo or an endpoint.
    pub(crate) fn without_token(&self, endpoint: &Endpoint, repo: Option<&Repo>) -> String {
        if let Some(lost) = self.lost_home() {
            return lost;
        }
        let login = format!("run `{}`", self.login_command(endpoint, repo));
        let set = self.env.tokens.iter().find(|token| token.secret.is_ok());
        match (set.map(|token| token.variable), self.env.endpoint()) {
            (Some(variable), Some(other)) if other != *endpoint => {
                format!("{login}; {variable} is for {other} only, since HF_ENDPOINT names that")
            }
            (Some(variable), None) => {
                format!("{login}; {variable} is not used while HF_ENDPOINT does not name a Hub")
            }
            (None, Some(same)) if same == *endpoint => format!("{login}, or set HF_TOKEN"),
            _ => login,
        }
    }

    /// What to do about a rule, a default or a variable that names a missing token, if there is
    /// something better than logging in under that name.
    pub(crate) fn instead_of_missing(&self, candidate: &Candidate) -> Option<String> {
        if let Some(lost) = self.lost_home() {
            return Some(lost);
        }
        let name = candidate.source.name()?;
        let names = self.hf_cli().names();
        let known = TokenName::hf_cli(names.iter().find(|known| *known == name)?);
        let known = shell_quoted(known.as_str());
        Some(match &candidate.reason {
            Reason::Rule(pattern) => format!(
                "the hf CLI has one: run `git credential-hf use {known} --for {}`",
                self.typed_pattern(pattern)
            ),
            Reason::Default => {
                format!("the hf CLI has one: run `git credential-hf use {known} --default`")
            }
            _ => format!("did you mean `{known}`, the hf CLI's token?"),
        })
    }

    /// Why the tokens may not be found: without `HOME` they are looked for in the home directory
    /// that the system knows, while the configuration may be somewhere else.
    pub(crate) fn lost_home(&self) -> Option<String> {
        let folder = &self.paths.data_dir;
        let lost = self.env.home.is_none() && home::of_git().is_none() && !folder.exists();
        lost.then(|| {
            format!(
                "HOME is not set, so tokens are looked for in {}, which does not exist: set HOME",
                folder.display()
            )
        })
    }
}
