//! What a token may do according to the Hub, and whether that covers a repo.

mod described;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::pattern::Pattern;
use crate::model::repo::{Name, Repo, RepoKind};

/// What the Hub says about a token. None of it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The account that the token belongs to.
    pub account: String,
    /// `user`, `org`, or another word of the Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_type: Option<String>,
    /// The organisations that the account belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organisations: Vec<Organisation>,
    /// The token's name on the Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The token's role.
    #[serde(default)]
    pub role: Role,
    /// Whether it reads gated repos whose terms the account has accepted.
    #[serde(default)]
    pub gated: bool,
    /// Permissions that are not limited to an entity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub global: Vec<String>,
    /// The scopes of a fine-grained token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// When the token expires, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// When the Hub last confirmed this, in Unix seconds.
    #[serde(default)]
    pub verified: u64,
}

/// An organisation and the account's role in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// `read`, `contributor`, `write` or `admin`, if the Hub says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// A token's role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Role {
    /// Reads everything that the account can read.
    Read,
    /// Reads and writes everything that the account can.
    Write,
    /// Does what its scopes say.
    FineGrained,
    /// A role that this program does not know.
    Other(String),
    /// The Hub does not say, as for a token from a browser login.
    #[default]
    Unknown,
}

impl Role {
    /// Reads the Hub's word for a role.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text {
            "" => Self::Unknown,
            "read" => Self::Read,
            "write" => Self::Write,
            "fineGrained" => Self::FineGrained,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for Role {
    fn from(text: String) -> Self {
        Self::read(&text)
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        match role {
            Role::FineGrained => "fineGrained".to_owned(),
            Role::Unknown => Self::new(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::FineGrained => "fine-grained",
            Self::Other(other) => other,
            Self::Unknown => "unknown",
        })
    }
}

/// What a fine-grained token may do with one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The entity's type: `model`, `dataset`, `space`, `kernel`, `org`, `user` and others.
    pub kind: String,
    /// The entity's name, if the Hub gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Hub's id of the entity; some entities have only this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The permissions, in the Hub's words.
    pub permissions: Vec<String>,
}

/// How narrowly a token covers a repo; smaller is narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// A fine-grained scope on the repo itself.
    Repo,
    /// A fine-grained scope on its namespace.
    Namespace,
    /// The account's own namespace.
    Own,
    /// An organisation that the account belongs to.
    Organisation,
}

/// Whether a token may push to a repo, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayWrite {
    Yes,
    /// The Hub has not said enough to tell.
    Unknown,
    No(Lack),
}

/// What a token lacks to push to a repo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Its role is `read`.
    Role,
    /// It is fine-grained, and none of its scopes allows it to write there.
    Scope,
    /// The account's role in the organisation is `read`.
    OrganisationRole,
    /// The account is not a member of the organisation, and the namespace is not its own.
    Membership,
}

impl MayWrite {
    /// What a role in an organisation allows; `role` is the Hub's word.
    fn of_organisation_role(role: Option<&str>) -> Self {
        match role {
            Some("write" | "admin") => Self::Yes,
            Some("read") => Self::No(Lack::OrganisationRole),
            // A contributor writes only to repos that they created.
            _ => Self::Unknown,
        }
    }
}

impl Scope {
    /// Whether the permissions allow this operation.
    fn permits(&self, operation: Operation) -> bool {
        // HUB: `repo.write` includes reading.
        self.permissions
            .iter()
            .any(|permission| match permission.as_str() {
                "repo.write" => true,
                "repo.content.read" => operation == Operation::Fetch,
                _ => false,
            })
    }

    /// The pattern for the scope's entity, if a rule can name it.
    fn reach(&self, endpoint: &Endpoint) -> Option<(Coverage, Pattern)> {
        let name = self.name.as_deref()?;
        let (coverage, text) = match self.kind.as_str() {
            "org" | "user" => (Coverage::Namespace, name.to_owned()),
            "model" | "dataset" | "space" | "kernel" => {
                let prefix = format!("{}s/", self.kind);
                let name = name.strip_prefix(&prefix).unwrap_or(name);
                (Coverage::Repo, format!("{prefix}{name}"))
            }
            _ => return None,
        };
        Some((coverage, Pattern::parse_on(&text, endpoint).ok()?))
    }

    /// How narrowly the scope covers the repo; `None` if it does not.
    fn is_on(&self, repo: &Repo) -> Option<Coverage> {
        let kind = match self.kind.as_str() {
            "org" | "user" => {
                let namespace = repo.namespace.as_ref()?;
                return (Name::parse(self.name.as_deref()?).as_ref() == Some(namespace))
                    .then_some(Coverage::Namespace);
            }
            "model" => RepoKind::Model,
            "dataset" => RepoKind::Dataset,
            "space" => RepoKind::Space,
            "kernel" => RepoKind::Kernel,
            _ => return None,
        };
        let named = Repo::from_path(self.name.as_deref()?)?;
        (kind == repo.kind && named.namespace == repo.namespace && named.name == repo.name)
            .then_some(Coverage::Repo)
    }
}

impl Facts {
    /// How narrowly the token covers the repo for this operation; `None` if it does not, as far as is
    /// known.
    #[must_use]
    pub fn covers(&self, repo: &Repo, operation: Operation) -> Option<Coverage> {
        let namespace = repo.namespace.as_ref()?;
        let is_namespace = |name: &str| Name::parse(name).as_ref() == Some(namespace);
        match &self.role {
            Role::FineGrained => self
                .scopes
                .iter()
                .filter(|scope| scope.permits(operation))
                .filter_map(|scope| scope.is_on(repo))
                .min(),
            Role::Read if operation == Operation::Push => None,
            Role::Read | Role::Write | Role::Unknown => {
                if is_namespace(&self.account) {
                    return Some(Coverage::Own);
                }
                let organisation = self.organisations.iter().find(|o| is_namespace(&o.name))?;
                (operation == Operation::Fetch || organisation.role.as_deref() != Some("read"))
                    .then_some(Coverage::Organisation)
            }
            Role::Other(_) => None,
        }
    }

    /// Whether the token may push to the repo. The account's role in an organisation limits each of
    /// the account's tokens.
    pub(crate) fn may_write(&self, repo: &Repo) -> MayWrite {
        let Some(namespace) = &repo.namespace else {
            return MayWrite::Unknown;
        };
        let is_namespace = |name: &str| Name::parse(name).as_ref() == Some(namespace);
        let organisation = self.organisations.iter().find(|o| is_namespace(&o.name));
        let as_member = organisation.map(|o| MayWrite::of_organisation_role(o.role.as_deref()));
        match (&self.role, as_member) {
            (Role::Read, _) => MayWrite::No(Lack::Role),
            (Role::Other(_), _) => MayWrite::Unknown,
            (Role::FineGrained, _) if self.covers(repo, Operation::Push).is_none() => {
                MayWrite::No(Lack::Scope)
            }
            (Role::FineGrained, Some(as_member))
                if organisation.is_some_and(|o| o.role.is_some()) =>
            {
                as_member
            }
            (Role::FineGrained, _) => MayWrite::Yes,
            // The Hub does not tell the scopes of a browser login.
            (Role::Unknown, Some(MayWrite::No(lack))) => MayWrite::No(lack),
            (Role::Unknown, _) => MayWrite::Unknown,
            (Role::Write, _) if is_namespace(&self.account) => MayWrite::Yes,
            (Role::Write, Some(as_member)) => as_member,
            (Role::Write, None) => MayWrite::No(Lack::Membership),
        }
    }

    /// Whether the token may read repos outside the account's own namespaces, such as gated repos.
    pub(crate) fn reaches_beyond(&self) -> bool {
        match self.role {
            Role::Read | Role::Write | Role::Unknown => true,
            Role::FineGrained => self.gated,
            Role::Other(_) => false,
        }
    }

    /// The patterns that rules for this token of `endpoint` could have, each with its coverage.
    #[must_use]
    pub fn reach(&self, endpoint: &Endpoint) -> Vec<(Coverage, Pattern)> {
        let of = |coverage, name: &str| {
            let pattern = Pattern::parse_on(name, endpoint).ok();
            pattern.map(|pattern| (coverage, pattern))
        };
        let mut reach = Vec::new();
        match &self.role {
            Role::FineGrained => {
                let readable = self.scopes.iter().filter(|s| s.permits(Operation::Fetch));
                reach.extend(readable.filter_map(|scope| scope.reach(endpoint)));
            }
            Role::Read | Role::Write | Role::Unknown => {
                reach.extend(of(Coverage::Own, &self.account));
                let organisations = self.organisations.iter();
                reach.extend(organisations.filter_map(|o| of(Coverage::Organisation, &o.name)));
            }
            Role::Other(_) => {}
        }
        reach.dedup();
        reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn scope(kind: &str, name: &str, permission: &str) -> Scope {
        Scope {
            kind: kind.into(),
            name: Some(name.into()),
            id: None,
            permissions: vec![permission.into()],
        }
    }

    pub(super) fn facts(role: Role) -> Facts {
        Facts {
            account: "alice".into(),
            organisations: vec![
                Organisation {
                    name: "acme".into(),
                    role: Some("read".into()),
                },
                Organisation {
                    name: "umbrella".into(),
                    role: None,
                },
            ],
            role,
            ..Facts::default()
        }
    }

    #[test]
    fn roles_and_what_they_cover() {
        use Operation::{Fetch, Push};
        for (role, path, operation, expected) in [
            (Role::Write, "alice/x", Push, Some(Coverage::Own)),
            (Role::Read, "Alice/x", Fetch, Some(Coverage::Own)),
            (Role::Read, "alice/x", Push, None),
            (Role::Write, "acme/x", Fetch, Some(Coverage::Organisation)),
            (Role::Write, "acme/x", Push, None),
            (
                Role::Write,
                "umbrella/x",
                Push,
                Some(Coverage::Organisation),
            ),
            (
                Role::Unknown,
                "datasets/umbrella/x",
                Fetch,
                Some(Coverage::Organisation),
            ),
            (Role::Write, "other/x", Fetch, None),
            (Role::Write, "gpt2", Fetch, None),
            (Role::Other("new".into()), "alice/x", Fetch, None),
            (Role::FineGrained, "alice/x", Fetch, None),
        ] {
            let repo = Repo::from_path(path).unwrap();
            assert_eq!(
                facts(role.clone()).covers(&repo, operation),
                expected,
                "{role} {path}"
            );
        }
    }

    #[test]
    fn fine_grained_scopes() {
        use Operation::{Fetch, Push};
        let mut token = facts(Role::FineGrained);
        token.scopes = vec![
            scope("org", "acme", "repo.content.read"),
            scope("model", "acme/x", "repo.write"),
            scope("dataset", "acme/d", "repo.content.read"),
            scope("dataset", "datasets/acme/e", "repo.content.read"),
            scope("user", "alice", "discussion.write"),
            scope("collection", "bob/y", "repo.write"),
            scope("model", "", "repo.write"),
        ];
        for (path, operation, expected) in [
            ("acme/x", Fetch, Some(Coverage::Repo)),
            ("acme/x", Push, Some(Coverage::Repo)),
            ("acme/y", Fetch, Some(Coverage::Namespace)),
            ("acme/y", Push, None),
            ("datasets/acme/x", Fetch, Some(Coverage::Namespace)),
            ("datasets/acme/d", Fetch, Some(Coverage::Repo)),
            ("datasets/acme/e", Fetch, Some(Coverage::Repo)),
            ("alice/x", Fetch, None),
            ("bob/y", Fetch, None),
        ] {
            let repo = Repo::from_path(path).unwrap();
            assert_eq!(token.covers(&repo, operation), expected, "{path}");
        }
        let patterns: Vec<String> = token
            .reach(&Endpoint::hugging_face())
            .into_iter()
            .map(|(_, pattern)| pattern.to_string())
            .collect();
        assert_eq!(
            patterns,
            [
                "acme",
                "models/acme/x",
                "datasets/acme/d",
                "datasets/acme/e"
            ]
        );
    }

    #[test]
    fn roles_read_back() {
        for role in ["read", "write", "fineGrained", "superWrite", ""] {
            assert_eq!(String::from(Role::read(role)), role);
        }
    }
}
