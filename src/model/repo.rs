//! Repos of a Hub, and the paths that name them.

use std::fmt;

/// The kind of a repo. Each kind has its own names on the Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepoKind {
    /// `NAMESPACE/NAME`, without a prefix.
    Model,
    /// `datasets/NAMESPACE/NAME`.
    Dataset,
    /// `spaces/NAMESPACE/NAME`.
    Space,
    /// `kernels/NAMESPACE/NAME`.
    Kernel,
}

impl RepoKind {
    /// All kinds.
    pub const ALL: [RepoKind; 4] = [
        RepoKind::Model,
        RepoKind::Dataset,
        RepoKind::Space,
        RepoKind::Kernel,
    ];

    /// The first component of a path of this kind. The URL of a model leaves it out.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            RepoKind::Model => "models",
            RepoKind::Dataset => "datasets",
            RepoKind::Space => "spaces",
            RepoKind::Kernel => "kernels",
        }
    }

    /// The kind that a path's first component names.
    pub(crate) fn from_prefix(component: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| component.eq_ignore_ascii_case(kind.prefix()))
    }
}

/// The name of a namespace or repo: kept as written and compared without case, as the Hub does.
#[derive(Debug, Clone)]
pub struct Name(String);

impl Name {
    /// Accepts ASCII letters, digits, `-`, `_` and `.`, but not dots alone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        (!text.is_empty()
            && text.len() <= 255
            && text.bytes().all(plain)
            && !text.bytes().all(|b| b == b'.'))
        .then(|| Self(text.to_owned()))
    }

    /// A repo's name as it appears in a path, with or without `.git`. A name that ends in `.git`
    /// twice is rejected: the Hub has no such repos.
    pub(crate) fn of_repo(component: &str) -> Option<Self> {
        let name = strip_git(component);
        if strip_git(name) == name {
            Self::parse(name)
        } else {
            None
        }
    }

    /// A namespace's name. One that ends in `.git` is rejected: in `x.git/info`, git asks for the
    /// repo `x`.
    pub(crate) fn of_namespace(component: &str) -> Option<Self> {
        let ends = component.to_ascii_lowercase().ends_with(".git");
        if ends { None } else { Self::parse(component) }
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

/// A repo of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// The kind of repo.
    pub kind: RepoKind,
    /// The user or organisation; absent for the Hub's oldest repos, such as `gpt2`.
    pub namespace: Option<Name>,
    /// The repo's own name.
    pub name: Name,
}

/// The components that may follow a repo's name in a path: those of git and git-lfs, and the pages
/// of the web site.
const PAGES: [&str; 19] = [
    "info",
    "git-upload-pack",
    "git-receive-pack",
    "tree",
    "blob",
    "blame",
    "raw",
    "resolve",
    "commit",
    "commits",
    "edit",
    "upload",
    "delete",
    "discussions",
    "settings",
    "viewer",
    "embed",
    "logs",
    "xet-write-token",
];

impl Repo {
    /// The repo that a path names: git's `path` field, or the path of a remote or of a web page.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        // A server resolves `..`, so `acme/x/tree/../../../evil/y` does not belong to acme.
        let odd = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('%');
        if path.trim_matches('/').split('/').any(odd) {
            return None;
        }
        let mut parts = path.trim_matches('/').split('/').peekable();
        // The Hub's API has the same names below /api, always with the kind.
        let api = parts.next_if(|p| *p == "api").is_some();
        let prefix = parts.peek().copied().and_then(RepoKind::from_prefix);
        if prefix.is_some() {
            parts.next();
        } else if api {
            return None;
        }
        let kind = prefix.unwrap_or(RepoKind::Model);
        let first = parts.next()?;
        let rest: Vec<&str> = parts.collect();
        let is_page = |p: &str| PAGES.contains(&p);
        match rest.as_slice() {
            [] => Self::canonical(kind, first),
            // `gpt2.git/info/lfs`, `gpt2/tree/main`: a repo without a namespace. A second component
            // that is also the last is a repo's name, even if a page has the same name.
            [page, ..] if is_page(page) && first.to_ascii_lowercase().ends_with(".git") => {
                Self::canonical(kind, first)
            }
            [page, _, ..] if is_page(page) => Self::canonical(kind, first),
            [name] => Self::named(kind, first, name),
            [name, page, ..] if api || is_page(page) => Self::named(kind, first, name),
            _ => None,
        }
    }

    fn canonical(kind: RepoKind, name: &str) -> Option<Self> {
        let name = Name::of_repo(name)?;
        let repo = Self {
            kind,
            namespace: None,
            name,
        };
        (!repo.would_read_as_another()).then_some(repo)
    }

    fn named(kind: RepoKind, namespace: &str, name: &str) -> Option<Self> {
        let repo = Self {
            kind,
            namespace: Some(Name::of_namespace(namespace)?),
            name: Name::of_repo(name)?,
        };
        (!repo.would_read_as_another()).then_some(repo)
    }

    /// Whether this is a model whose first component is a word that the Hub reserves.
    /// `models/datasets/x` would be shown and stored as `datasets/x`, which is a dataset.
    fn would_read_as_another(&self) -> bool {
        let first = self.namespace.as_ref().unwrap_or(&self.name).as_str();
        self.kind == RepoKind::Model
            && (RepoKind::from_prefix(first).is_some() || first.eq_ignore_ascii_case("api"))
    }
}

/// Removes the `.git` that a remote may add to a name.
pub(crate) fn strip_git(name: &str) -> &str {
    match name
        .len()
        .checked_sub(4)
        .and_then(|at| name.split_at_checked(at))
    {
        Some((stem, suffix)) if !stem.is_empty() && suffix.eq_ignore_ascii_case(".git") => stem,
        _ => name,
    }
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != RepoKind::Model {
            write!(f, "{}/", self.kind.prefix())?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, "{}/", namespace.as_str())?;
        }
        f.write_str(self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_the_repo_they_name() {
        for (path, repo) in [
            ("acme/x", "acme/x"),
            ("/acme/x/", "acme/x"),
            ("acme/x.git", "acme/x"),
            ("acme/x.GIT", "acme/x"),
            ("acme/x.git/info/lfs", "acme/x"),
            ("acme/x.git/info/lfs/objects/batch", "acme/x"),
            ("acme/x.git/git-upload-pack", "acme/x"),
            ("acme/x/tree/main", "acme/x"),
            ("acme/x/blob/main/README.md", "acme/x"),
            ("acme/x/resolve/main/a/b.bin", "acme/x"),
            ("acme/x/settings", "acme/x"),
            ("models/acme/x", "acme/x"),
            ("datasets/acme/x", "datasets/acme/x"),
            ("Datasets/Acme/X.git", "datasets/Acme/X"),
            ("datasets/acme/x/viewer", "datasets/acme/x"),
            ("spaces/acme/x", "spaces/acme/x"),
            ("kernels/acme/x", "kernels/acme/x"),
            ("gpt2", "gpt2"),
            ("gpt2.git", "gpt2"),
            ("gpt2.git/info/lfs", "gpt2"),
            ("gpt2/tree/main", "gpt2"),
            ("datasets/squad", "datasets/squad"),
            ("datasets/squad.git/info/lfs", "datasets/squad"),
            ("acme/tree", "acme/tree"),
            ("acme/info", "acme/info"),
            ("acme/.git", "acme/.git"),
            ("acme/a.b-c_d", "acme/a.b-c_d"),
            ("api/models/acme/x/revision/main", "acme/x"),
            ("api/datasets/acme/x", "datasets/acme/x"),
        ] {
            assert_eq!(
                Repo::from_path(path).map(|r| r.to_string()).as_deref(),
                Some(repo),
                "{path}"
            );
        }
    }

    #[test]
    fn paths_that_do_not_name_a_repo() {
        for path in [
            "",
            "/",
            "datasets",
            "datasets/",
            "api",
            "api/whoami-v2",
            "acme/x/y",
            "acme//x",
            "acme/..",
            "../acme/x",
            "acme/x/../y",
            "acme/x/tree/../../../evil/y",
            "acme/x.git/info/../../../evil/y",
            "acme/x/tree//..",
            "acme/x/tree/%2e%2e/%2e%2e",
            "acme/x/./tree/main",
            "acme/x y",
            "acme/x\n",
            "acme/x?y",
            "acme/%78",
            "acme/é",
            "datasets/a/b/c/d",
            "acme/\u{1b}[31m",
            "acme/x.git.git",
            "x.GIT.git/info/lfs",
            "x.git/y",
            "x.git/info.git",
        ] {
            assert_eq!(Repo::from_path(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_model_is_never_shown_as_a_dataset() {
        for path in [
            "models/datasets/x",
            "models/Spaces/x",
            "api/models/kernels/x",
            "models/datasets",
            "models/api/x",
            "models/models",
        ] {
            assert_eq!(Repo::from_path(path), None, "{path}");
        }
        let dataset = Repo::from_path("datasets/models/x").unwrap();
        assert_eq!(Repo::from_path(&dataset.to_string()), Some(dataset));
    }

    #[test]
    fn names_compare_without_case_and_kinds_differ() {
        assert_eq!(Repo::from_path("Acme/X"), Repo::from_path("acme/x.git"));
        assert_ne!(
            Repo::from_path("acme/x"),
            Repo::from_path("datasets/acme/x")
        );
        assert_ne!(Repo::from_path("x"), Repo::from_path("acme/x"));
    }
}
