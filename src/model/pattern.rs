//! Patterns, the left-hand side of rules, and their order by specificity.

use std::cmp::Reverse;
use std::fmt;

use crate::model::endpoint::Endpoint;
use crate::model::location::{Location, parse_location};
use crate::model::repo::{Name, Repo, RepoKind, strip_git};

/// Which repos a rule applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The endpoint it applies to. `Display` leaves out `https://huggingface.co`.
    pub endpoint: Endpoint,
    /// The kind of repo; `None` matches every kind.
    pub kind: Option<RepoKind>,
    /// The user or organisation.
    pub namespace: Name,
    /// The repo names within the namespace.
    pub names: Names,
}

/// The repo names that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// Every repo of the namespace.
    All,
    /// Names that match this glob (`*` only), in lower case.
    Glob(String),
    /// One name.
    Exactly(Name),
}

/// How specific a pattern is; smaller is more specific. From most to least specific: exact repo
/// with kind, exact repo, glob (longer first), namespace with kind, namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity(u8, Reverse<usize>, u8);

/// Why a text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Empty, or a URL without a path.
    #[error("a pattern names a namespace or a repo: acme, acme/x, datasets/acme/x, acme/llama-*")]
    Empty,
    /// A URL that cannot be a Hub's.
    #[error("a URL pattern has the form https://HOST/NAMESPACE or https://HOST/NAMESPACE/NAME")]
    Url,
    /// A character that names on the Hub cannot contain.
    #[error("names contain only letters, digits, `-`, `_` and `.`")]
    Name,
    /// A `*` in the namespace.
    #[error("`*` is allowed only in a repo's name: acme/llama-*")]
    GlobInNamespace,
    /// More components than a repo has.
    #[error("a pattern has at most a kind, a namespace and a name: datasets/acme/x")]
    TooLong,
    /// A kind without a namespace.
    #[error("a kind alone is not a pattern: add a namespace, such as datasets/acme")]
    KindOnly,
}

impl Pattern {
    /// Reads a pattern: `acme`, `datasets/acme`, `acme/x`, `models/acme/x`, `acme/llama-*`, or one
    /// of these after an endpoint (`https://hub.example/acme`). The URL of a repo's web page means
    /// that repo.
    ///
    /// # Errors
    /// When the text is not a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_on(text, &Endpoint::hugging_face())
    }

    /// Reads a pattern as [`Pattern::parse`] does, but on `endpoint` if it does not name one: a
    /// person who types `acme` means the Hub that they work with.
    ///
    /// # Errors
    /// When the text is not a pattern.
    pub(crate) fn parse_on(text: &str, endpoint: &Endpoint) -> Result<Self, PatternError> {
        let (endpoint, path) = match text.split_once("://") {
            None => (endpoint.clone(), text.to_owned()),
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                let origin = format!("{scheme}://{authority}");
                let endpoint = Endpoint::parse(&origin).map_err(|_| PatternError::Url)?;
                // This may be the URL of a web page; `parse_location` finds the repo in it.
                let repo = parse_location(text, &endpoint)
                    .ok()
                    .and_then(|location: Location| location.repo());
                let models =
                    path.split('/').next().and_then(RepoKind::from_prefix) == Some(RepoKind::Model);
                let path = match repo {
                    // `Repo` does not print the kind of a model, but here it was written.
                    Some(repo) if repo.namespace.is_some() && models => format!("models/{repo}"),
                    Some(repo) if repo.namespace.is_some() => repo.to_string(),
                    _ => path.to_owned(),
                };
                (endpoint, path)
            }
        };
        let path = path.trim_matches('/');
        if path.is_empty() {
            return Err(PatternError::Empty);
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        let kind = parts.first().copied().and_then(RepoKind::from_prefix);
        if kind.is_some() {
            parts.remove(0);
        }
        let (namespace, names) = match parts.as_slice() {
            [] => return Err(PatternError::KindOnly),
            [namespace] => (*namespace, Names::All),
            [namespace, name] => (*namespace, Names::parse(name)?),
            _ => return Err(PatternError::TooLong),
        };
        if namespace.contains('*') {
            return Err(PatternError::GlobInNamespace);
        }
        Ok(Self {
            endpoint,
            kind,
            namespace: Name::of_namespace(namespace).ok_or(PatternError::Name)?,
            names,
        })
    }

    /// The pattern that matches exactly this repo; `None` for a repo without a namespace.
    #[must_use]
    pub fn for_repo(endpoint: &Endpoint, repo: &Repo) -> Option<Self> {
        Some(Self {
            endpoint: endpoint.clone(),
            kind: (repo.kind != RepoKind::Model).then_some(repo.kind),
            namespace: repo.namespace.clone()?,
            names: Names::Exactly(repo.name.clone()),
        })
    }

    /// Whether the pattern matches `repo` on `endpoint`.
    #[must_use]
    pub fn matches(&self, endpoint: &Endpoint, repo: &Repo) -> bool {
        self.endpoint == *endpoint
            && self.kind.is_none_or(|kind| kind == repo.kind)
            && repo.namespace.as_ref() == Some(&self.namespace)
            && match &self.names {
                Names::All => true,
                Names::Exactly(name) => *name == repo.name,
                Names::Glob(glob) => glob_fits(glob, &repo.name.as_str().to_ascii_lowercase()),
            }
    }

    /// The pattern without its endpoint, such as `acme/llama-*`.
    pub(crate) fn without_endpoint(&self) -> String {
        let kind = self
            .kind
            .map_or_else(String::new, |kind| format!("{}/", kind.prefix()));
        let namespace = self.namespace.as_str();
        match &self.names {
            Names::All => format!("{kind}{namespace}"),
            Names::Glob(glob) => format!("{kind}{namespace}/{glob}"),
            Names::Exactly(name) => format!("{kind}{namespace}/{}", name.as_str()),
        }
    }

    /// How specific the pattern is.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        let any_kind = u8::from(self.kind.is_none());
        match &self.names {
            Names::Exactly(_) => Specificity(any_kind, Reverse(0), 0),
            Names::Glob(glob) => Specificity(2, Reverse(glob.len()), any_kind),
            Names::All => Specificity(3 + any_kind, Reverse(0), 0),
        }
    }
}

impl Names {
    fn parse(text: &str) -> Result<Self, PatternError> {
        // Remotes write `acme/x.git`.
        if text.contains('*') {
            Name::of_repo(&text.replace('*', "x")).ok_or(PatternError::Name)?;
            return Ok(Self::Glob(strip_git(text).to_ascii_lowercase()));
        }
        let name = Name::of_repo(text).ok_or(PatternError::Name)?;
        Ok(Self::Exactly(name))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.endpoint.is_hugging_face() {
            write!(f, "{}/", self.endpoint)?;
        }
        f.write_str(&self.without_endpoint())
    }
}

/// Whether `text` matches `glob`, where `*` stands for any run of characters. Only the last `*` is
/// ever retried, so the time is at worst proportional to the product of the lengths.
fn glob_fits(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match (glob.get(g), retry) {
            (Some(b'*'), _) => {
                retry = Some((g, t));
                g += 1;
            }
            (Some(byte), _) if Some(byte) == text.get(t) => {
                g += 1;
                t += 1;
            }
            (_, Some((star, from))) => {
                retry = Some((star, from + 1));
                g = star + 1;
                t = from + 1;
            }
            (_, None) => return false,
        }
    }
    glob.get(g..)
        .is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern)
            .unwrap()
            .matches(&Endpoint::hugging_face(), &Repo::from_path(path).unwrap())
    }

    #[test]
    fn what_each_form_matches() {
        for (pattern, yes, no) in [
            (
                "acme",
                &["acme/x", "Acme/y", "datasets/acme/x", "spaces/acme/z"][..],
                &["acme2/x", "acm/e", "acme", "datasets/acme"][..],
            ),
            (
                "datasets/acme",
                &["datasets/acme/x"],
                &["acme/x", "spaces/acme/x"],
            ),
            ("models/acme", &["acme/x"], &["datasets/acme/x"]),
            (
                "acme/x",
                &["acme/x", "acme/X.git", "datasets/acme/x"],
                &["acme/xy", "acme/y"],
            ),
            ("acme/x.git", &["acme/x"], &["acme/y"]),
            ("acme/x.GIT", &["acme/x"], &["acme/y"]),
            ("acme/x*.git", &["acme/x", "acme/xy.git"], &["acme/y"]),
            ("models/acme/x", &["acme/x"], &["datasets/acme/x"]),
            ("datasets/acme/x", &["datasets/acme/x"], &["acme/x"]),
            (
                "acme/llama-*",
                &["acme/llama-2", "acme/LLaMA-", "datasets/acme/llama-x"],
                &["acme/llama"],
            ),
            (
                "acme/*-7b-*",
                &["acme/a-7b-b", "acme/-7b--7b-"],
                &["acme/a-7b", "acme/7b-"],
            ),
            ("acme/*", &["acme/x", "datasets/acme/x"], &["other/x"]),
            ("https://huggingface.co/acme/x", &["acme/x"], &["acme/y"]),
            (
                "https://huggingface.co/models/acme/x",
                &["acme/x"],
                &["datasets/acme/x"],
            ),
            (
                "https://huggingface.co/datasets/acme/x/tree/main",
                &["datasets/acme/x"],
                &["acme/x"],
            ),
        ] {
            for path in yes {
                assert!(fits(pattern, path), "{pattern} should match {path}");
            }
            for path in no {
                assert!(!fits(pattern, path), "{pattern} should not match {path}");
            }
        }
    }

    #[test]
    fn the_endpoint_must_be_equal() {
        let pattern = Pattern::parse("https://hub.corp.example/acme").unwrap();
        let corp = Endpoint::parse("https://hub.corp.example").unwrap();
        let repo = Repo::from_path("acme/x").unwrap();
        assert!(pattern.matches(&corp, &repo));
        assert!(!pattern.matches(&Endpoint::hugging_face(), &repo));
        assert!(!Pattern::parse("acme").unwrap().matches(&corp, &repo));
        assert_eq!(pattern.to_string(), "https://hub.corp.example/acme");
    }

    #[test]
    fn most_specific_first() {
        let order = [
            "datasets/acme/x",
            "acme/x",
            "acme/llama-2-*",
            "datasets/acme/llama-*",
            "acme/llama-*",
            "acme/*",
            "datasets/acme",
            "acme",
        ];
        for pair in order.windows(2) {
            let [a, b] = pair else { unreachable!() };
            let key = |p: &str| Pattern::parse(p).unwrap().specificity();
            assert!(key(a) < key(b), "{a} before {b}");
        }
    }

    #[test]
    fn texts_that_are_not_patterns() {
        for (text, error) in [
            ("", PatternError::Empty),
            ("/", PatternError::Empty),
            ("https://huggingface.co", PatternError::Empty),
            ("datasets", PatternError::KindOnly),
            ("*", PatternError::GlobInNamespace),
            ("*/x", PatternError::GlobInNamespace),
            ("datasets/ac*/x", PatternError::GlobInNamespace),
            ("acme/a b", PatternError::Name),
            ("ac me", PatternError::Name),
            ("acme/../x", PatternError::TooLong),
            ("acme/..", PatternError::Name),
            ("acme/x/y", PatternError::TooLong),
            ("ssh://hf.co/acme", PatternError::Url),
            ("https://me@huggingface.co/acme", PatternError::Url),
            ("acme/[ab]", PatternError::Name),
            ("acme\n", PatternError::Name),
            ("acme/x.git.git", PatternError::Name),
            ("x.git/y", PatternError::Name),
            ("acme/*.git.git", PatternError::Name),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_reads_back_as_itself() {
        for text in [
            "acme",
            "datasets/acme",
            "acme/x",
            "models/acme/x",
            "acme/llama-*",
        ] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.to_string(), text);
            assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
        }
    }

    #[test]
    fn globs_with_many_stars_are_fast() {
        assert!(!glob_fits(&"*a".repeat(50), &"a".repeat(49)));
        assert!(!glob_fits(
            &format!("{}b", "*a".repeat(100)),
            &"a".repeat(255)
        ));
        assert!(glob_fits("**", ""));
    }
}
