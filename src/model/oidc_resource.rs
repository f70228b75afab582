//! `HF_OIDC_RESOURCE`: which token a CI job's identity is exchanged for.

use super::repo::{Name, Repo};

/// What `HF_OIDC_RESOURCE` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OidcResource {
    /// `auto`: a token for the repo that git asks for.
    Auto,
    /// A token for this repo.
    Repo(Repo),
    /// A token that reads the gated repos that this account has access to.
    Account(Name),
}

/// The value of `HF_OIDC_RESOURCE` is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not `auto`, a repo such as acme/x or datasets/acme/x, or a username")]
pub struct NotAResource;

impl OidcResource {
    /// Reads the variable's value.
    ///
    /// # Errors
    /// When it has none of the three forms.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAResource> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        if !text.contains('/') {
            let name = Name::of_namespace(text).ok_or(NotAResource)?;
            return Ok(Self::Account(name));
        }
        let repo = Repo::from_path(text).ok_or(NotAResource)?;
        resource_of(&repo).ok_or(NotAResource)?;
        Ok(Self::Repo(repo))
    }
}

/// The value that means this repo. A repo without a namespace has none: `gpt2` would be read as a
/// username.
pub(crate) fn resource_of(repo: &Repo) -> Option<String> {
    repo.namespace.as_ref().map(|_| repo.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repos_usernames_and_auto() {
        let repo = |path| OidcResource::Repo(Repo::from_path(path).unwrap());
        for (text, expected) in [
            ("auto", Some(OidcResource::Auto)),
            (" AUTO\n", Some(OidcResource::Auto)),
            ("acme/x", Some(repo("acme/x"))),
            ("datasets/acme/x", Some(repo("datasets/acme/x"))),
            ("spaces/acme/x", Some(repo("spaces/acme/x"))),
            ("kernels/acme/x", Some(repo("kernels/acme/x"))),
            (
                "alice",
                Some(OidcResource::Account(Name::parse("alice").unwrap())),
            ),
            ("", None),
            ("*", None),
            ("acme/*", None),
            ("acme/x y", None),
            ("../x", None),
            ("datasets/x", None),
            ("https://huggingface.co/acme/x", None),
            ("$RESOURCE", None),
        ] {
            assert_eq!(OidcResource::parse(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_repo_without_a_namespace_is_not_a_username() {
        assert_eq!(resource_of(&Repo::from_path("gpt2").unwrap()), None);
        let repo = Repo::from_path("acme/x.git").unwrap();
        assert_eq!(resource_of(&repo).as_deref(), Some("acme/x"));
    }
}
