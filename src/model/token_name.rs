//! What tokens are called.

use std::fmt;

use hmac_sha256::Hash as Sha256;
use serde::{Deserialize, Serialize};

/// A token's name, as the user chose it; compared exactly.
///
/// Names with a colon are made here, never by a user: `git:..` for what git's `store` kept,
/// `hf:..` for the hf CLI's stored tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenName(String);

/// Why a text cannot be a token's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there, or nothing but spaces.
    #[error("a token's name cannot be empty, or begin or end with a space")]
    Blank,
    /// Too long to be typed or shown.
    #[error("a token's name cannot be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Escapes and line breaks would reach the terminal.
    #[error("a token's name cannot contain control characters or invisible characters")]
    ControlCharacter,
    /// `-x` would read as an option.
    #[error("a token's name cannot begin with `-`")]
    Dash,
    /// Reserved for names such as `git:alice@hub.example`.
    #[error("a token's name cannot contain `:`")]
    Colon,
    /// A token, given where its name belongs.
    #[error("this looks like a token, not the name of one; a token is never an argument")]
    IsToken,
}

const MAX_BYTES: usize = 96;

/// What the names of the hf CLI's tokens begin with here.
const HF_CLI: &str = "hf:";

impl TokenName {
    /// A name that a user gives.
    ///
    /// # Errors
    /// When it cannot be shown, typed or told from names made here.
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

    /// A name of an existing token, one made here included; never fails, since it only looks up.
    #[must_use]
    pub fn existing(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name of what git's `store` kept. Equal scopes have equal names, so a new password
    /// takes the place of the old one.
    #[must_use]
    pub fn kept_by_git(endpoint: &str, username: Option<&str>, path: Option<&str>) -> Self {
        let host = endpoint.strip_prefix("https://").unwrap_or(endpoint);
        let at = if username.is_some() { "@" } else { "" };
        let slash = if path.is_some() { "/" } else { "" };
        let username = username.unwrap_or("");
        let path = path.unwrap_or("");
        Self(typable(&format!("git:{username}{at}{host}{slash}{path}")))
    }

    /// A name of one of the hf CLI's stored tokens: `hf:` and its name there.
    #[must_use]
    pub(crate) fn hf_cli(name: &str) -> Self {
        Self(format!("{HF_CLI}{name}"))
    }

    /// The hf CLI's name for the token, where this names one of its.
    #[must_use]
    pub fn of_hf_cli(&self) -> Option<&str> {
        self.0.strip_prefix(HF_CLI)
    }

    /// A short hash of the name, for files: file systems do not tell all names apart (case), and
    /// refuse some of their characters.
    #[must_use]
    pub fn hash(&self) -> String {
        let digest = Sha256::hash(self.0.as_bytes());
        crate::model::secret::hex(digest.iter().take(8))
    }

    /// The name of the token's entry in a keyring, so that no two names share one: the Credential
    /// Manager of Windows ignores case, and others treat accents and odd characters in their own
    /// way. Lower-case ASCII stays as it is; any other name gets a hash, after a `~` that no plain
    /// name has.
    #[must_use]
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

/// The name with what cannot be typed or shown percent-encoded: user names and paths come from
/// URLs, and a hostile repository may have written them.
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
    fn the_hash_of_a_name_is_for_good() {
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
