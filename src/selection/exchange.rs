//! The step **exchange**: whether a CI job's identity is exchanged for a token for this request.

use crate::model::oidc_resource::{NotAResource, OidcResource, resource_of};
use crate::model::operation::Operation;
use crate::model::repo::Repo;

/// What a job's identity is exchanged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// The repo or account that `HF_OIDC_RESOURCE` names.
    Named(String),
    /// `auto`: the repo that git asks for, if the Hub has a trusted publisher for it.
    Auto(String),
    /// The value of `HF_OIDC_RESOURCE` is not valid.
    Unreadable,
}

impl Exchange {
    /// What to exchange the identity for; `None` if the resource does not apply to the request.
    #[must_use]
    pub fn for_request(
        asked: &Result<OidcResource, NotAResource>,
        repo: Option<&Repo>,
        operation: Option<Operation>,
    ) -> Option<Self> {
        match asked {
            Ok(OidcResource::Auto) => resource_of(repo?).map(Self::Auto),
            Ok(OidcResource::Repo(named)) => {
                (repo? == named).then(|| resource_of(named).map(Self::Named))?
            }
            // A token for an account only reads.
            Ok(OidcResource::Account(name)) => {
                (operation != Some(Operation::Push)).then(|| Self::Named(name.as_str().to_owned()))
            }
            Err(NotAResource) => Some(Self::Unreadable),
        }
    }

    /// The resource in the form that the Hub expects.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        match self {
            Self::Named(resource) | Self::Auto(resource) => Some(resource),
            Self::Unreadable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_repo_that_the_resource_names() {
        use Operation::{Fetch, Push};
        let named = |resource: &str| Some(Exchange::Named(resource.to_owned()));
        let auto = |resource: &str| Some(Exchange::Auto(resource.to_owned()));
        let unreadable = Some(Exchange::Unreadable);
        for (resource, path, operation, expected) in [
            ("acme/x", "acme/x", None, named("acme/x")),
            ("Acme/X", "acme/x.git", Some(Push), named("Acme/X")),
            ("acme/x", "acme/x.git/info/lfs", None, named("acme/x")),
            ("acme/x", "acme/y", None, None),
            ("acme/x", "datasets/acme/x", None, None),
            ("datasets/acme/x", "acme/x", None, None),
            ("acme/x", "", None, None),
            (
                "auto",
                "datasets/acme/x",
                Some(Push),
                auto("datasets/acme/x"),
            ),
            ("auto", "gpt2", None, None),
            ("auto", "", None, None),
            ("alice", "acme/x", None, named("alice")),
            ("alice", "acme/x", Some(Fetch), named("alice")),
            ("alice", "acme/x", Some(Push), None),
            ("alice", "", None, named("alice")),
            ("not a resource", "acme/x", None, unreadable),
        ] {
            let repo = Repo::from_path(path);
            let asked = OidcResource::parse(resource);
            let found = Exchange::for_request(&asked, repo.as_ref(), operation);
            assert_eq!(found, expected, "{resource} {path} {operation:?}");
        }
    }
}
