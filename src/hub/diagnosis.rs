//! Explains why git's request would fail. It is a pure function of the Hub's answer and of what the
//! Hub said about the token.

use crate::hub::HubError;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::permissions::{Facts, Role};
use crate::model::repo::Repo;

/// Why access fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiagnosisKind {
    /// The Hub requires a token, and git has none.
    NoToken,
    /// The token is revoked, expired or invalid.
    TokenDead,
    /// A read token was used to push.
    RoleTooLow,
    /// The fine-grained token does not have the necessary scope.
    ScopeMissing,
    /// The account's role in the organisation does not allow this.
    OrganisationRole,
    /// The account is not a member of the organisation, and the namespace is not its own.
    NotAMember,
    /// The organisation does not accept this kind of token.
    Policy,
    /// The repo is gated: the account has not accepted its terms, or the token may not read gated
    /// repos.
    Gate,
    /// The repo does not exist, or is hidden.
    NotFound,
    /// Refused for a reason that only the Hub knows.
    Refused,
    /// Git does not call this helper.
    NotCalled,
    /// Git fails for another reason.
    Git,
    /// The Hub is busy or cannot be reached.
    Unavailable,
}

impl DiagnosisKind {
    /// The name in the JSON output.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoToken => "no-token",
            Self::TokenDead => "token-dead",
            Self::RoleTooLow => "role-too-low",
            Self::ScopeMissing => "scope-missing",
            Self::OrganisationRole => "organisation-role",
            Self::NotAMember => "not-a-member",
            Self::Policy => "policy",
            Self::Gate => "gate",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::NotCalled => "not-called",
            Self::Git => "git",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why access fails, described to the user, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) kind: DiagnosisKind,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The input of [`diagnose`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) repo: &'a Repo,
    /// The Hub.
    pub(crate) endpoint: &'a Endpoint,
    /// What git is to do.
    pub(crate) operation: Operation,
    /// How the Hub answered git's request.
    pub(crate) answer: &'a HubError,
    /// What the Hub says about the token, if it could be asked.
    pub(crate) facts: Option<&'a Facts>,
    /// The command that replaces the token.
    pub(crate) replace: &'a str,
}

impl Evidence<'_> {
    /// The repo's page.
    fn page(&self) -> String {
        format!("{}/{}", self.endpoint, self.repo)
    }
}

/// Finds the reason why access fails.
pub(crate) fn diagnose(evidence: Evidence<'_>) -> Diagnosis {
    let Evidence { repo, answer, .. } = evidence;
    match answer {
        HubError::Rejected => made(
            DiagnosisKind::TokenDead,
            "the Hub does not accept the token: it was revoked, has expired, or is incomplete",
            evidence.replace,
        ),
        HubError::Forbidden(text) => refused(evidence, text),
        HubError::NotFound => not_found(evidence),
        HubError::Busy(_) | HubError::OAuth { .. } | HubError::Unavailable(_) => made(
            DiagnosisKind::Unavailable,
            answer.to_string(),
            format!("try again later: nothing is known about {repo} at the moment"),
        ),
    }
}

fn refused(evidence: Evidence<'_>, text: &str) -> Diagnosis {
    let has = |words: &[&str]| mentions(text, words);
    if has(&[
        "gated",
        "awaiting a review",
        "request to access",
        "accept the conditions",
        "agree to share",
        "restricted",
    ]) {
        return gate(evidence, text);
    }
    if has(&["approved by", "needs to be approved", "pending approval"]) {
        return made(
            DiagnosisKind::Policy,
            format!("the organisation accepts only tokens that it has approved: {text}"),
            "ask an administrator of the organisation to approve this token",
        );
    }
    if has(&["fine-grained"]) {
        return made(
            DiagnosisKind::Policy,
            format!("the organisation accepts only fine-grained tokens: {text}"),
            format!(
                "create one with a scope for it: {}",
                evidence.endpoint.new_token_page()
            ),
        );
    }
    if has(&["revoked"]) {
        return made(
            DiagnosisKind::Policy,
            format!("the organisation has revoked this token's access: {text}"),
            "create another token, or ask an administrator of the organisation",
        );
    }
    match missing_right(evidence) {
        Some(diagnosis) => diagnosis,
        None => made(
            DiagnosisKind::Refused,
            format!("the Hub refuses access: {text}"),
            format!(
                "check the token and its scopes: {}",
                evidence.endpoint.tokens_page()
            ),
        ),
    }
}

fn mentions(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}

fn gate(evidence: Evidence<'_>, text: &str) -> Diagnosis {
    let closed = evidence
        .facts
        .is_some_and(|f| f.role == Role::FineGrained && !f.gated);
    if closed {
        return made(
            DiagnosisKind::Gate,
            format!(
                "the repo is gated, and this fine-grained token may not read gated repos: {text}"
            ),
            format!(
                "edit the token and allow gated repos: {}",
                evidence.endpoint.tokens_page()
            ),
        );
    }
    if mentions(text, &["awaiting a review", "rejected by"]) {
        return made(
            DiagnosisKind::Gate,
            format!("the repo is gated, and its authors have not given access: {text}"),
            format!(
                "only they can; your requests are listed at {}/settings/gated-repos",
                evidence.endpoint
            ),
        );
    }
    made(
        DiagnosisKind::Gate,
        format!("the repo is gated, and this account does not have access: {text}"),
        format!("accept its terms in the browser: {}", evidence.page()),
    )
}

/// The right that the token or the account lacks, according to the Hub.
fn missing_right(evidence: Evidence<'_>) -> Option<Diagnosis> {
    let Evidence {
        repo, operation, ..
    } = evidence;
    let facts = evidence.facts?;
    if facts.covers(repo, operation).is_some() {
        return None;
    }
    let wanted = match operation {
        Operation::Fetch => "read",
        Operation::Push => "write to",
    };
    if facts.role == Role::FineGrained {
        let readable =
            operation == Operation::Push && facts.covers(repo, Operation::Fetch).is_some();
        let only = if readable { "only read" } else { "not read" };
        return Some(made(
            DiagnosisKind::ScopeMissing,
            format!("this fine-grained token may {only} {repo}"),
            format!(
                "edit it and add a scope to {wanted} {repo}: {}",
                evidence.endpoint.tokens_page()
            ),
        ));
    }
    if facts.role == Role::Read && operation == Operation::Push {
        return Some(made(
            DiagnosisKind::RoleTooLow,
            "this is a read token, and a push needs a token that may write",
            format!(
                "create one: {}/new?tokenType=write",
                evidence.endpoint.tokens_page()
            ),
        ));
    }
    let namespace = repo.namespace.as_ref()?;
    let organisation = facts
        .organisations
        .iter()
        .find(|o| crate::model::repo::Name::parse(&o.name).as_ref() == Some(namespace));
    Some(match organisation {
        Some(organisation) => made(
            DiagnosisKind::OrganisationRole,
            format!(
                "{} has the role {} in {}, which is not enough",
                facts.account,
                organisation.role.as_deref().unwrap_or("unknown"),
                organisation.name
            ),
            "ask an administrator of the organisation for another role",
        ),
        None => made(
            DiagnosisKind::NotAMember,
            format!(
                "{} is not a member of {}",
                facts.account,
                namespace.as_str()
            ),
            format!(
                "use a token of an account that is: git credential-hf use NAME --for {}",
                namespace.as_str()
            ),
        ),
    })
}

fn not_found(evidence: Evidence<'_>) -> Diagnosis {
    let repo = evidence.repo;
    match missing_right(evidence) {
        // The Hub hides what a token may not see, so this is the likelier reason.
        Some(diagnosis) => Diagnosis {
            message: format!(
                "the Hub does not show {repo} to this token: {}",
                diagnosis.message
            ),
            help: format!("{}; or check the name: {}", diagnosis.help, evidence.page()),
            ..diagnosis
        },
        None => made(
            DiagnosisKind::NotFound,
            format!("{repo} does not exist, or this token may not see it"),
            format!(
                "check the name and its kind (datasets/.., spaces/..): {}",
                evidence.page()
            ),
        ),
    }
}

fn made(kind: DiagnosisKind, message: impl Into<String>, help: impl Into<String>) -> Diagnosis {
    Diagnosis {
        kind,
        message: message.into(),
        help: help.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permissions::{Organisation, Scope};

    fn facts(role: Role, scopes: &[(&str, &str)]) -> Facts {
        Facts {
            account: "alice".into(),
            role,
            organisations: vec![Organisation {
                name: "acme".into(),
                role: Some("read".into()),
            }],
            scopes: scopes
                .iter()
                .map(|(name, permission)| Scope {
                    kind: "model".into(),
                    name: Some((*name).into()),
                    id: None,
                    permissions: vec![(*permission).into()],
                })
                .collect(),
            ..Facts::default()
        }
    }

    fn forbidden(text: &str) -> HubError {
        HubError::Forbidden(text.to_owned())
    }

    #[test]
    fn reasons_are_told_apart() {
        use Operation::{Fetch, Push};
        let write = || Some(facts(Role::Write, &[]));
        let read = || Some(facts(Role::Read, &[]));
        let fine = |p| Some(facts(Role::FineGrained, &[("acme/x", p)]));
        for (answer, operation, path, facts, kind) in [
            (
                HubError::Rejected,
                Fetch,
                "acme/x",
                None,
                DiagnosisKind::TokenDead,
            ),
            (
                forbidden("Your token needs to be approved by the organization"),
                Fetch,
                "acme/x",
                write(),
                DiagnosisKind::Policy,
            ),
            (
                forbidden("This organization only accepts fine-grained tokens"),
                Fetch,
                "acme/x",
                write(),
                DiagnosisKind::Policy,
            ),
            (
                forbidden("Your token's access was revoked"),
                Fetch,
                "acme/x",
                write(),
                DiagnosisKind::Policy,
            ),
            (
                forbidden("gated repo: Access to model acme/x is restricted"),
                Fetch,
                "acme/x",
                write(),
                DiagnosisKind::Gate,
            ),
            (
                forbidden("no"),
                Push,
                "alice/x",
                read(),
                DiagnosisKind::RoleTooLow,
            ),
            (
                forbidden("no"),
                Push,
                "acme/x",
                write(),
                DiagnosisKind::OrganisationRole,
            ),
            (
                forbidden("no"),
                Push,
                "acme/x",
                fine("repo.content.read"),
                DiagnosisKind::ScopeMissing,
            ),
            (
                forbidden("no"),
                Fetch,
                "acme/y",
                fine("repo.write"),
                DiagnosisKind::ScopeMissing,
            ),
            (
                forbidden("no"),
                Fetch,
                "other/y",
                write(),
                DiagnosisKind::NotAMember,
            ),
            (
                forbidden("no"),
                Push,
                "acme/x",
                fine("repo.write"),
                DiagnosisKind::Refused,
            ),
            (
                forbidden("no"),
                Fetch,
                "acme/x",
                None,
                DiagnosisKind::Refused,
            ),
            (
                HubError::NotFound,
                Fetch,
                "alice/typo",
                write(),
                DiagnosisKind::NotFound,
            ),
            (
                HubError::NotFound,
                Fetch,
                "acme/y",
                fine("repo.write"),
                DiagnosisKind::ScopeMissing,
            ),
            (
                HubError::NotFound,
                Fetch,
                "acme/y",
                None,
                DiagnosisKind::NotFound,
            ),
            (
                HubError::Busy(Some(60)),
                Fetch,
                "acme/x",
                None,
                DiagnosisKind::Unavailable,
            ),
            (
                HubError::Unavailable("down".into()),
                Fetch,
                "acme/x",
                None,
                DiagnosisKind::Unavailable,
            ),
        ] {
            let repo = Repo::from_path(path).unwrap();
            let diagnosis = diagnose(Evidence {
                repo: &repo,
                endpoint: &Endpoint::hugging_face(),
                operation,
                answer: &answer,
                facts: facts.as_ref(),
                replace: "run login",
            });
            assert_eq!(diagnosis.kind, kind, "{path} {answer:?}");
            assert!(!diagnosis.help.is_empty());
        }
    }

    #[test]
    fn whoever_waits_for_the_authors_is_not_told_to_ask_again() {
        let endpoint = Endpoint::parse("https://hub.corp.example").unwrap();
        for (answer, help) in [
            (
                "Access to model acme/x is restricted and you are not in the authorized list.",
                "accept its terms in the browser: https://hub.corp.example/acme/x",
            ),
            (
                "Your request to access model acme/x is awaiting a review from the repo authors.",
                "your requests are listed at https://hub.corp.example/settings/gated-repos",
            ),
            (
                "Your request to access this repo has been rejected by the repo's authors.",
                "your requests are listed at https://hub.corp.example/settings/gated-repos",
            ),
        ] {
            let diagnosis = diagnose(Evidence {
                repo: &Repo::from_path("acme/x").unwrap(),
                endpoint: &endpoint,
                operation: Operation::Fetch,
                answer: &forbidden(answer),
                facts: None,
                replace: "",
            });
            assert_eq!(diagnosis.kind, DiagnosisKind::Gate, "{answer}");
            assert!(diagnosis.help.contains(help), "{diagnosis:?}");
        }
    }

    #[test]
    fn a_gate_that_the_token_may_not_pass_is_another_matter() {
        let repo = Repo::from_path("acme/x").unwrap();
        let answer = forbidden("gated");
        let mut facts = facts(Role::FineGrained, &[]);
        for (gated, help) in [(false, "allow gated repos"), (true, "accept its terms")] {
            facts.gated = gated;
            let diagnosis = diagnose(Evidence {
                repo: &repo,
                endpoint: &Endpoint::hugging_face(),
                operation: Operation::Fetch,
                answer: &answer,
                facts: Some(&facts),
                replace: "",
            });
            assert!(diagnosis.help.contains(help), "{diagnosis:?}");
        }
    }
}
