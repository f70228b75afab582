//! Where the hf CLI keeps its files, found the way it finds them itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::model::token_name::TokenName;
use crate::storage::parking::file::FileParking;
use crate::storage::parking::{Parked, RenewalAnswer, parked};

/// The hf CLI's two token files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// Contains only the active token: `HF_TOKEN_PATH`, or `token` in `HF_HOME`.
    pub(crate) token: PathBuf,
    /// Contains all tokens by name, in the same folder.
    pub(crate) stored_tokens: PathBuf,
}

impl Files {
    /// Finds the files in an environment: `HF_TOKEN_PATH`, else in `HF_HOME`, else in `huggingface`
    /// below `XDG_CACHE_HOME` or `~/.cache` (`constants.py` of `huggingface_hub`).
    ///
    /// `None` if the path is relative: it would be different in each repository, and a hostile
    /// repository could contain the files.
    pub(crate) fn locate(
        lookup: impl Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Option<Self> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let token = match set("HF_TOKEN_PATH") {
            Some(path) => expanded(path, home, &lookup),
            None => {
                let hf_home = match (set("HF_HOME"), set("XDG_CACHE_HOME")) {
                    (Some(path), _) => expanded(path, home, &lookup),
                    (None, Some(cache)) => expanded(cache, home, &lookup).join("huggingface"),
                    (None, None) => home?.join(".cache").join("huggingface"),
                };
                hf_home.join("token")
            }
        };
        if !token.is_absolute() {
            return None;
        }
        let stored_tokens = token.with_file_name("stored_tokens");
        Some(Self {
            token,
            stored_tokens,
        })
    }

    /// The lock that the hf CLI holds while it renews a token.
    pub(crate) fn lock(&self) -> PathBuf {
        self.stored_tokens.with_file_name("stored_tokens.lock")
    }

    /// Where the answer to a renewal of the login with this name is parked.
    pub(crate) fn parking(&self, name: &str) -> FileParking {
        let hash = TokenName::hf_cli(name).hash();
        let file = format!(".stored_tokens.{hash}.renewal");
        let dir = self.stored_tokens.parent().unwrap_or(Path::new("/"));
        FileParking::new(dir.to_owned(), file.into())
    }

    /// The parked answers that do not belong to one of these logins: the user has since logged out,
    /// and nothing else removes them.
    pub(crate) fn orphaned_answers(&self, names: &[String]) -> Vec<PathBuf> {
        let hashes: Vec<String> = names
            .iter()
            .map(|name| TokenName::hf_cli(name).hash())
            .collect();
        let is_orphan = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            let hash = name.and_then(|name| {
                name.strip_prefix(".stored_tokens.")?
                    .strip_suffix(".renewal")
            });
            hash.is_some_and(|hash| {
                let is_hash = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
                is_hash && !hashes.iter().any(|known| known == hash)
            })
        };
        let folder = self.stored_tokens.parent().map(std::fs::read_dir);
        let entries = folder.into_iter().flatten().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(is_orphan)
            .collect()
    }

    /// The answer of a renewal that was interrupted before it was written to both files.
    pub(crate) fn answer_for(&self, name: &str) -> Option<RenewalAnswer> {
        match parked(&self.parking(name)) {
            Ok(Parked::Answer(answer)) => Some(*answer),
            _ => None,
        }
    }
}

/// Expands a leading `~` and variables as Python's `expanduser` and `expandvars` do. Unset
/// variables stay as they are.
fn expanded(
    path: OsString,
    home: Option<&Path>,
    lookup: &impl Fn(&str) -> Option<OsString>,
) -> PathBuf {
    let Some(text) = path.to_str() else {
        return PathBuf::from(path);
    };
    let mut whole = String::new();
    let mut rest = text;
    if let (Some(after), Some(home)) = (text.strip_prefix('~'), home.and_then(Path::to_str))
        && (after.is_empty() || after.starts_with(std::path::is_separator))
    {
        whole.push_str(home);
        rest = after;
    }
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        whole.push_str(before);
        let (name, length) = variable(from);
        let value = name.and_then(lookup).and_then(|v| v.into_string().ok());
        whole.push_str(value.as_deref().unwrap_or(from.get(..length).unwrap_or("")));
        rest = from.get(length..).unwrap_or("");
    }
    whole.push_str(rest);
    PathBuf::from(whole)
}

/// The name of the variable at the start of a text that begins with `$`, and the length of the
/// reference.
fn variable(text: &str) -> (Option<&str>, usize) {
    let after = text.get(1..).unwrap_or("");
    if let Some(inner) = after.strip_prefix('{') {
        return match inner.find('}') {
            Some(end) => (inner.get(..end), end + 3),
            None => (None, 2),
        };
    }
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = after.find(|c| !in_name(c)).unwrap_or(after.len());
    (after.get(..end).filter(|name| !name.is_empty()), end + 1)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn token(pairs: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| {
            let pair = pairs.iter().find(|(n, _)| *n == name)?;
            Some(OsString::from(pair.1))
        };
        let files = Files::locate(lookup, Some(Path::new("/home/u")))?;
        let beside = files.token.parent().unwrap().join("stored_tokens");
        assert_eq!(files.stored_tokens, beside);
        Some(files.token.to_str().unwrap().to_owned())
    }

    #[test]
    fn where_the_hf_cli_looks() {
        for (pairs, expected) in [
            (&[][..], Some("/home/u/.cache/huggingface/token")),
            (&[("XDG_CACHE_HOME", "/c")], Some("/c/huggingface/token")),
            (
                &[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/c")],
                Some("/h/token"),
            ),
            (
                &[("HF_HOME", "/h"), ("HF_TOKEN_PATH", "/t/mine")],
                Some("/t/mine"),
            ),
            (&[("HF_HOME", "~/hf")], Some("/home/u/hf/token")),
            (&[("HF_HOME", "~")], Some("/home/u/token")),
            (
                &[("HF_HOME", "$S/x${S}y$"), ("S", "/s")],
                Some("/s/x/sy$/token"),
            ),
            (
                &[("HF_HOME", "/a$NOT/${NOR}/${")],
                Some("/a$NOT/${NOR}/${/token"),
            ),
            (&[("HF_HOME", "")], Some("/home/u/.cache/huggingface/token")),
            (&[("HF_HOME", "~other/hf")], None),
            (&[("HF_HOME", "relative")], None),
            (&[("HF_TOKEN_PATH", "token")], None),
        ] {
            assert_eq!(token(pairs).as_deref(), expected, "{pairs:?}");
        }
        assert_eq!(Files::locate(|_| None, None), None);
    }
}
