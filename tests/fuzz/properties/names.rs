//! Repos and patterns: each reads back as itself, and a pattern takes in what it says.

use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::location::parse_location;
use git_credential_hf::model::pattern::{Names, Pattern};
use git_credential_hf::model::repo::{Repo, RepoKind};
use git_credential_hf::model::token_name::TokenName;

use super::text;

/// Takes a path or a pattern on each of up to eight lines; every pattern meets every repo.
pub fn check(data: &[u8]) {
    let lines: Vec<&str> = text(data).split('\n').take(8).collect();
    let repos: Vec<Repo> = lines.iter().filter_map(|path| repo(path)).collect();
    for pattern in lines.iter().filter_map(|line| pattern(line)) {
        for repo in &repos {
            takes_in(&pattern, repo);
        }
    }
    lines.iter().for_each(|line| token_name(line));
}

fn repo(path: &str) -> Option<Repo> {
    let repo = Repo::from_path(path)?;
    let shown = repo.to_string();
    assert_eq!(
        Repo::from_path(&shown).as_ref(),
        Some(&repo),
        "{path:?} is {shown}"
    );
    // Nothing is made up, and nothing can leave the repo.
    for name in repo.namespace.iter().chain([&repo.name]) {
        assert!(path.contains(name.as_str()), "{path:?} is {shown}");
        assert!(!name.as_str().chars().all(|c| c == '.'), "{shown}");
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    assert!(shown.bytes().all(plain), "{shown:?}");
    for same in [
        format!("/{shown}/"),
        format!("{shown}.git"),
        format!("{shown}.git/info/lfs/objects/batch"),
        shown.to_ascii_uppercase(),
    ] {
        assert_eq!(Repo::from_path(&same).as_ref(), Some(&repo), "{same}");
    }

    // The page of a repo that is called like a page (`acme/tree/tree/main`) could be either's.
    let page = Repo::from_path(&format!("{shown}/tree/main")).expect("a page");
    assert!(page == repo || page.namespace.is_none(), "{shown}");

    let corp = Endpoint::from_git("https", "hub.corp.example").expect("a host");
    let place = parse_location(&format!("{corp}/{shown}"), &Endpoint::hugging_face());
    let place = place.expect("a repo's URL");
    assert_eq!(
        (&place.endpoint, place.repo().as_ref()),
        (&corp, Some(&repo))
    );

    for endpoint in [corp, Endpoint::hugging_face()] {
        let Some(pattern) = Pattern::for_repo(&endpoint, &repo) else {
            assert_eq!(repo.namespace, None);
            continue;
        };
        assert!(pattern.matches(&endpoint, &repo), "{pattern} and {repo}");
        reads_back(&pattern);
    }
    Some(repo)
}

fn pattern(text: &str) -> Option<Pattern> {
    let pattern = Pattern::parse(text).ok()?;
    reads_back(&pattern);
    match text.split_once("://") {
        // The endpoint is the one that was written, and no other.
        Some((scheme, rest)) => {
            let authority = rest.split('/').next().unwrap_or_default();
            let written = Endpoint::parse(&format!("{scheme}://{authority}"));
            assert_eq!(written.as_ref(), Ok(&pattern.endpoint), "{text:?}");
        }
        None => assert!(pattern.endpoint.is_hugging_face(), "{text:?}"),
    }
    Some(pattern)
}

fn reads_back(pattern: &Pattern) {
    let shown = pattern.to_string();
    let back = Pattern::parse(&shown);
    assert_eq!(back.as_ref(), Ok(pattern), "{shown}");
    assert_eq!(back.map(|p| p.specificity()), Ok(pattern.specificity()));
}

/// A pattern matches exactly what it says, and on its own endpoint alone.
fn takes_in(pattern: &Pattern, repo: &Repo) {
    let kind = pattern.kind.is_none_or(|kind| kind == repo.kind);
    let lower = |text: &str| text.to_ascii_lowercase();
    let namespace = repo.namespace.as_ref();
    let namespace =
        namespace.is_some_and(|n| lower(n.as_str()) == lower(pattern.namespace.as_str()));
    let name = lower(repo.name.as_str());
    let named = match &pattern.names {
        Names::All => true,
        Names::Exactly(exactly) => lower(exactly.as_str()) == name,
        Names::Glob(glob) => fits(lower(glob).as_bytes(), name.as_bytes()),
    };
    let matches = pattern.matches(&pattern.endpoint, repo);
    assert_eq!(matches, kind && namespace && named, "{pattern} and {repo}");
    for (protocol, host) in [("https", "huggingface.co"), ("http", "huggingface.co")] {
        let other = Endpoint::from_git(protocol, host).expect("a host");
        if other != pattern.endpoint {
            assert!(!pattern.matches(&other, repo), "{pattern} on {other}");
        }
    }
    // A repo of another kind is another repo.
    for kind in RepoKind::ALL {
        let other = Repo {
            kind,
            ..repo.clone()
        };
        if pattern.kind.is_some_and(|wanted| wanted != kind) {
            assert!(!pattern.matches(&pattern.endpoint, &other));
        }
    }
}

/// Whether a `*` pattern fits, by a table: row by row, which beginnings of the text are taken.
fn fits(glob: &[u8], text: &[u8]) -> bool {
    let mut taken = vec![false; text.len() + 1];
    taken[0] = true;
    for byte in glob {
        if *byte == b'*' {
            let first = taken.iter().position(|t| *t).unwrap_or(taken.len());
            taken[first..].fill(true);
        } else {
            for at in (0..text.len()).rev() {
                taken[at + 1] = taken[at] && text[at] == *byte;
            }
            taken[0] = false;
        }
    }
    taken[text.len()]
}

fn token_name(text: &str) {
    if let Ok(name) = TokenName::parse(text) {
        assert_eq!(name.as_str(), text);
        assert!(!text.chars().any(char::is_control) && !text.contains(':'));
        assert!(!git_credential_hf::model::secret::holds_token(text));
    }
    // What git's `store` is told comes from URLs that others wrote.
    let kept = TokenName::kept_by_git("https://hub.corp.example", Some(text), Some(text));
    assert!(
        kept.as_str()
            .chars()
            .all(|c| c != '\n' && git_credential_hf::model::text::is_printable(c))
    );
    // What becomes a file's name is the same few plain characters, whatever the name.
    let hash = TokenName::existing(text).hash();
    assert!(hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
}
