//! The names of tokens.

use std::fmt;

use hmac_sha256::Hash as Sha256;
use serde::{Deserialize, Serialize};

/// A token's name, as the user chose it. Names are compared exactly.
///
/// A name with a colon was made by this program: `git:..` for what git stored with `store`, `hf:..`
/// for the hf CLI's stored tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenName(String);

/// Why a text cannot be a token's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or with a space at the start or end.
    #[error("a token's name cannot be empty, or begin or end with a space")]
    Blank,
    /// Too long to type or show.
    #[error("a token's name cannot be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Escape sequences and line breaks would reach the terminal.
    #[error("a token's name cannot contain control characters or invisible characters")]
    ControlCharacter,
    /// `-x` would read as an option.
    #[error("a token's name cannot begin with `-`")]
    Dash,
    /// Colons are reserved for names such as `git:alice@hub.example`.
    #[error("a token's name cannot contain `:`")]
    Colon,
    /// A token instead of a name.
    #[error("this looks like a token, not a token's name; never pass a token as an argument")]
    IsToken,
}

const MAX_BYTES: usize = 96;

/// The prefix of the names of the hf CLI's tokens.
const HF_CLI: &str = "hf:";

impl TokenName {
    /// Accepts a name that a user gives.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.trim() != text {
            Err(NameError::Blank)
        } else if crate::model::secret::holds_token(text) {
            Err(NameError::IsToken)
        } else if text.len() > MAX_BYTES {
            Err(NameError::TooLong)
        } else if text.contains('\n') || !text.chars().all(crate::model::text::is_printable) {
            Err(NameError::ControlCharacter)
        } else if text.starts_with('-') {
            Err(NameError::Dash)
        } else if text.contains(':') {
            Err(NameError::Colon)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The name of an existing token, to look it up; any text is accepted.
    #[must_use]
    pub fn existing(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name of a credential that git stores. It depends only on the endpoint, username and
    /// path, so a new password replaces the old one.
    #[must_use]
    pub fn kept_by_git(endpoint: &str, username: Option<&str>, path: Option<&str>) -> Self {
        let host = endpoint.strip_prefix("https://").unwrap_or(endpoint);
        let at = if username.is_some() { "@" } else { "" };
        let slash = if path.is_some() { "/" } else { "" };
        let username = username.unwrap_or("");
        let path = path.unwrap_or("");
        Self(typable(&format!("git:{username}{at}{host}{slash}{path}")))
    }

    /// The name of one of the hf CLI's stored tokens; `name` is the hf CLI's name for it.
    pub(crate) fn hf_cli(name: &str) -> Self {
        Self(format!("{HF_CLI}{name}"))
    }

    /// The hf CLI's name for the token, if it is one of the hf CLI's.
    #[must_use]
    pub fn of_hf_cli(&self) -> Option<&str> {
        self.0.strip_prefix(HF_CLI)
    }

    /// A short hash of the name, for file names: some file systems ignore case, and some characters
    /// are not allowed in file names.
    #[must_use]
    pub fn hash(&self) -> String {
        let digest = Sha256::hash(self.0.as_bytes());
        crate::model::secret::hex(digest.iter().take(8))
    }

    /// The name of the token's entry in a keyring. No two token names share one, although the
    /// Windows Credential Manager ignores case and other keyrings treat accents and unusual
    /// characters in their own way. Plain lower-case names stay as they are; others get `~` and a
    /// hash.
    pub(crate) fn keyring_entry(&self) -> String {
        let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.');
        if self.0.chars().all(plain) {
            return self.0.clone();
        }
        let lower = self.0.chars().map(|c| c.to_ascii_lowercase());
        let readable: String = lower.filter(|c| plain(*c)).take(32).collect();
        format!("{readable}~{}", self.hash())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Percent-encodes the characters that cannot be typed or shown. Usernames and paths come from
/// URLs, and a hostile repository may have written those.
fn typable(name: &str) -> String {
    use fmt::Write;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c != '\n' && crate::model::text::is_printable(c) {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_users_give() {
        for good in ["work", "acme-write", "my token", "données", "a/b", "x.y_z"] {
            assert!(TokenName::parse(good).is_ok(), "{good}");
        }
        for (bad, error) in [
            ("", NameError::Blank),
            (" ", NameError::Blank),
            ("a ", NameError::Blank),
            ("a\x1b[2J", NameError::ControlCharacter),
            ("a\nb", NameError::ControlCharacter),
            ("a\u{202e}b", NameError::ControlCharacter),
            ("a\u{200b}b", NameError::ControlCharacter),
            ("-x", NameError::Dash),
            ("git:x", NameError::Colon),
            (&"x".repeat(97), NameError::TooLong),
            (&format!("hf_{}", "x".repeat(34)), NameError::IsToken),
        ] {
            assert_eq!(TokenName::parse(bad), Err(error), "{bad:?}");
        }
    }

    #[test]
    fn the_hash_of_a_name_never_changes() {
        // Files are found by it.
        assert_eq!(TokenName::existing("work").hash(), "00e13ed7af55b276");
    }

    #[test]
    fn names_that_keyrings_confuse_have_entries_of_their_own() {
        let entry = |name: &str| TokenName::existing(name).keyring_entry();
        // Entries are found by these, so they are for good.
        for (name, expected) in [
            ("work", "work"),
            ("acme-write_2.x", "acme-write_2.x"),
            ("Work", "work~104ab9213e28e4ff"),
        ] {
            assert_eq!(entry(name), expected);
        }
        let names = [
            "work",
            "Work",
            "WORK",
            "wörk",
            "wo\u{308}rk",
            "work~",
            "wo rk",
            "git:work",
            "w/ork",
            "work~104ab9213e28e4ff",
        ];
        let entries: std::collections::BTreeSet<String> = names
            .iter()
            .map(|name| entry(name).to_lowercase())
            .collect();
        assert_eq!(entries.len(), names.len());
    }

    #[test]
    fn names_of_what_git_kept() {
        let name = |u, p| TokenName::kept_by_git("https://hub.example", u, p).to_string();
        assert_eq!(name(Some("alice"), None), "git:alice@hub.example");
        assert_eq!(name(None, Some("acme/x")), "git:hub.example/acme/x");
        assert_eq!(name(Some(""), None), "git:@hub.example");
        assert_eq!(
            name(Some("al\x1b[2Jice"), Some("données/\u{202e}x")),
            "git:al%1B[2Jice@hub.example/données/%E2%80%AEx"
        );
    }
}
