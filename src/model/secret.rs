//! The one type that holds a secret. It cannot be printed, and is wiped when dropped.
//!
//! Only these files call [`Secret::expose`]; `tests/structure.rs` compares this table with the
//! calls:
//!
//! | file | who receives the secret |
//! |---|---|
//! | `git/protocol.rs` | git, as the answer to `get` |
//! | `storage/record.rs` | a storage: the keyring, or a file that only its owner can read |
//! | `app/renewal/hf_cli.rs` | the hf CLI's own files, when its login is renewed |
//! | `hub/mod.rs` | the Hub, in an `Authorization` header |
//! | `hub/oauth.rs` | the Hub, in the form of a login or a renewal |
//! | `hub/exchange.rs` | the Hub, as the identity of a CI job |
//! | `hub/revoke.rs` | the Hub, to end the token |
//! | `commands/token.rs` | whoever runs `token` |
//! | `commands/run.rs` | the command that `run` starts, as `HF_TOKEN` |
//! | `commands/login/secret.rs` | nobody: checks for the start of a token |
//! | `model/id_token.rs` | nobody: reads the claims of an ID token |
//! | `app/exchange.rs` | nobody: hashes the identity to name the file of a job's token |
//! | `import/login_url.rs` | nobody: checks whether a URL's username is plain |

use std::fmt;
use std::sync::OnceLock;

use hmac_sha256::Hash as Sha256;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::endpoint::Endpoint;

/// A token, password or refresh token.
///
/// It has no `Display`, and its `Debug` shows only [`Secret::hint`]. [`Secret::expose`] is the only
/// way to the value.
#[derive(Clone)]
pub struct Secret {
    value: SecretString,
    /// Calculated when it is first needed.
    fingerprint: OnceLock<Fingerprint>,
}

/// Why git or HTTP could not carry a value as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Empty, or only white space.
    #[error("the token is empty")]
    Empty,
    /// A NUL, newline, or other control character inside the value.
    #[error("the token contains a line break or another control character")]
    ControlCharacter,
    /// Longer than a line of git's protocol allows.
    #[error("the token is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not a token of any Hub.
    #[error(transparent)]
    NotAToken(#[from] NotAToken),
}

/// Why a value cannot be a token. Each message hints at the cause; none quotes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    /// `HF_TOKEN="hf_.."` where nothing removes the quotes: `%env`, a Docker env file.
    #[error("it contains a quotation mark: remove the quotes")]
    Quote,
    /// `$TOKEN` or `{{ token }}` that was not filled in.
    #[error("it contains `$` or `{{`: a variable or template was not filled in")]
    Placeholder,
    /// Several words or lines.
    #[error("it contains a space or a line break")]
    Space,
    /// Outside the bytes 0x21 to 0x7e.
    #[error("it contains a character that is not printable ASCII")]
    NotAscii,
}

/// Checks whether a value can be a token, ignoring outer white space. Other values are never sent.
pub(crate) fn check_token(value: &str) -> Result<(), NotAToken> {
    let value = value.trim();
    if value.contains(['"', '\'', '`']) {
        return Err(NotAToken::Quote);
    }
    if value.contains(['$', '{']) {
        return Err(NotAToken::Placeholder);
    }
    if value.contains(char::is_whitespace) {
        return Err(NotAToken::Space);
    }
    if !value.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        return Err(NotAToken::NotAscii);
    }
    Ok(())
}

/// The longest value that is stored, in bytes. A line of git's protocol holds 65,535 including its
/// key (git-credential(1), "INPUT/OUTPUT FORMAT").
pub(crate) const MAX_BYTES: usize = 65_000;

impl Secret {
    /// Accepts a value that somebody typed or piped in. Outer white space is stripped, since a
    /// copied token often ends with a newline; the rest must be one line.
    ///
    /// # Errors
    /// When it is empty, too long, or contains a control character.
    pub(crate) fn from_input(value: Zeroizing<String>) -> Result<Self, SecretError> {
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return Err(SecretError::Empty);
        }
        Self::exact(trimmed)
    }

    /// Keeps a value exactly as it is. It may be empty: a private Hub may not use passwords.
    ///
    /// # Errors
    /// When it is too long or contains a control character.
    pub fn exact(value: &str) -> Result<Self, SecretError> {
        if value.len() > MAX_BYTES {
            return Err(SecretError::TooLong);
        }
        if value.chars().any(char::is_control) {
            return Err(SecretError::ControlCharacter);
        }
        Ok(Self {
            value: SecretString::from(value),
            fingerprint: OnceLock::new(),
        })
    }

    /// The value itself. List each file that calls this in the table above.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    /// Whether this can be a token of `endpoint`. The tokens of huggingface.co have a known form;
    /// those of other Hubs do not.
    pub(crate) fn may_belong_to(&self, endpoint: &Endpoint) -> bool {
        self.kind() != TokenKind::Other || !endpoint.is_hugging_face()
    }

    /// Which kind of Hub token this is, by its prefix.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        TokenKind::of(self.expose())
    }

    /// What may be shown of the secret: the token's kind and last four characters. Nothing is shown
    /// of a value that is not a Hub token, since four characters of a password are too many.
    #[must_use]
    pub fn hint(&self) -> String {
        let value = self.expose();
        match self.kind() {
            TokenKind::Other => "not in the Hub's format".to_owned(),
            kind => {
                let start = value.len().saturating_sub(4);
                format!("{}…{}", kind.prefix(), value.get(start..).unwrap_or(""))
            }
        }
    }

    /// A value that identifies this secret without revealing it; see [`Fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let known = self
            .fingerprint
            .get_or_init(|| self.calculate_fingerprint());
        known.clone()
    }

    fn calculate_fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        hash.update(b"git-credential-hf fingerprint\0");
        hash.update(self.expose().as_bytes());
        let digest = hash.finalize();
        // A Hub token is random enough to publish 128 bits of its hash. A password may be
        // guessable, and a long hash would confirm a guess, so it gets only 16 bits.
        let bytes = if self.kind() == TokenKind::Other {
            2
        } else {
            16
        };
        Fingerprint(hex(digest.iter().take(bytes)))
    }

    /// Whether the two are the same value.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// Bytes as lower-case hexadecimal, without the cost of formatting each.
pub(crate) fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.hint())
    }
}

/// The kind of a Hub token, known from its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `hf_`: a user access token.
    User,
    /// `hf_oauth_`: from a browser login. It expires.
    OAuth,
    /// `hf_jwt_`: from the exchange in CI. It is valid for one hour and one repo.
    Jwt,
    /// `api_org_`: an organisation token, which the Hub no longer accepts for login.
    Organisation,
    /// Anything else, such as a password.
    Other,
}

impl TokenKind {
    fn of(value: &str) -> Self {
        const PREFIXES: [TokenKind; 4] = [
            TokenKind::OAuth,
            TokenKind::Jwt,
            TokenKind::Organisation,
            TokenKind::User,
        ];
        let plain = |rest: &str| {
            rest.len() >= 8
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.~+/=".contains(&b))
        };
        PREFIXES
            .into_iter()
            .find(|kind| value.strip_prefix(kind.prefix()).is_some_and(plain))
            .unwrap_or(TokenKind::Other)
    }

    /// The prefix that tokens of this kind begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            TokenKind::User => "hf_",
            TokenKind::OAuth => "hf_oauth_",
            TokenKind::Jwt => "hf_jwt_",
            TokenKind::Organisation => "api_org_",
            TokenKind::Other => "",
        }
    }
}

/// Shortens everything that looks like a Hub token to its kind and last four characters. Output
/// needs this because people write tokens where names belong.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, prefix, token)) = find_token(rest) {
        // The characters directly after it may belong to it.
        let end = token.find(|c| !in_web_token(c)).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        let tail = token.get(token.len().saturating_sub(4)..).unwrap_or("");
        for part in [before, prefix, "…", tail] {
            out.push_str(part);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a text contains something that looks like a Hub token. Repo names may begin with `hf_`
/// too, but do not go on with 30 letters and digits in a row.
#[must_use]
pub fn holds_token(text: &str) -> bool {
    find_token(text).is_some()
}

fn in_web_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// Finds the first thing in a text that looks like a Hub token. Returns the text before it, its
/// prefix, and the text from its start on.
fn find_token(text: &str) -> Option<(&str, &'static str, &str)> {
    const LEAST: usize = 30;
    // Most texts are short names.
    if text.len() < "hf_".len() + LEAST {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric();
    let first = |prefix: &'static str, in_run: fn(char) -> bool| {
        text.match_indices(prefix)
            .map(|(at, _)| at)
            .find(|at| {
                let rest = text.get(at + prefix.len()..).unwrap_or("");
                rest.chars().take_while(|c| in_run(*c)).take(LEAST).count() == LEAST
            })
            .map(|at| (at, prefix))
    };
    let (at, prefix) = [
        first("hf_oauth_", in_web_token),
        first("hf_jwt_", in_web_token),
        first("hf_", plain),
        first("api_org_", plain),
    ]
    .into_iter()
    .flatten()
    .min_by_key(|(at, _)| *at)?;
    let (before, token) = text.split_at(at);
    Some((before, prefix, token))
}

/// Identifies a secret without revealing it. Equal values have equal fingerprints, and a Hub token
/// cannot be recovered from its fingerprint. Values that are not Hub tokens share a small set of
/// fingerprints, so equality must be confirmed with [`Secret::same_as`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a fingerprint")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl Fingerprint {
    /// The fingerprint as it is written in the state file and in git's `state[]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a fingerprint: lower-case hexadecimal of one of the two lengths that we write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (matches!(text.len(), 4 | 32) && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_token() -> String {
        format!("hf_{}", "aB3".repeat(12))
    }

    #[test]
    fn debug_and_hint_show_kind_and_last_four_only() {
        let secret = Secret::exact(&user_token()).unwrap();
        assert_eq!(secret.hint(), "hf_…3aB3");
        assert_eq!(format!("{secret:?}"), "Secret(hf_…3aB3)");
        let password = Secret::exact("correct horse").unwrap();
        assert!(!format!("{password:?}").contains("rse"));
    }

    #[test]
    fn kinds_by_prefix() {
        let rest = "x".repeat(34);
        for (prefix, kind) in [
            ("hf_", TokenKind::User),
            ("hf_oauth_", TokenKind::OAuth),
            ("hf_jwt_", TokenKind::Jwt),
            ("api_org_", TokenKind::Organisation),
            ("", TokenKind::Other),
            ("HF_", TokenKind::Other),
        ] {
            assert_eq!(
                Secret::exact(&format!("{prefix}{rest}")).unwrap().kind(),
                kind
            );
        }
        assert_eq!(Secret::exact("hf_").unwrap().kind(), TokenKind::Other);
        assert_eq!(
            Secret::exact("hf_with space in it").unwrap().kind(),
            TokenKind::Other
        );
    }

    #[test]
    fn tokens_within_other_texts() {
        let run = "aB3".repeat(12);
        for (text, expected) in [
            (format!("hf_{run}"), true),
            (format!("https://user:hf_{run}@huggingface.co/acme/x"), true),
            (format!("--token=api_org_{run}"), true),
            (format!("hf_oauth_{}.{}", &run[..20], &run[..20]), true),
            (
                "acme/hf_a_model_with_a_very_long_name_indeed_v2".to_owned(),
                false,
            ),
            ("hf_".to_owned(), false),
            (run, false),
        ] {
            assert_eq!(holds_token(&text), expected);
        }
    }

    #[test]
    fn redacted_text_contains_no_token() {
        let run = "aB3".repeat(12);
        for (text, expected) in [
            (
                "nothing here: acme/hf_model".to_owned(),
                "nothing here: acme/hf_model",
            ),
            (
                format!("key `hf_{run}`, twice hf_{run}"),
                "key `hf_…3aB3`, twice hf_…3aB3",
            ),
            (
                format!("é https://u:hf_{run}@hf.co/a"),
                "é https://u:hf_…3aB3@hf.co/a",
            ),
            (format!("x-hf_oauth_{run}.{run}"), "x-hf_oauth_…3aB3"),
            (format!("hf_{run}-hf_oauth_x"), "hf_…th_x"),
            (format!("hf_{run}.api_org_{run}"), "hf_…3aB3"),
        ] {
            assert_eq!(redact(&text), expected);
        }
    }

    #[test]
    fn input_is_stripped_and_must_be_one_line() {
        let input = |s: &str| Secret::from_input(Zeroizing::new(s.to_owned()));
        assert_eq!(input(" abc \r\n").unwrap().expose(), "abc");
        assert_eq!(input(" \n").unwrap_err(), SecretError::Empty);
        assert_eq!(input("a\nb").unwrap_err(), SecretError::ControlCharacter);
        assert_eq!(input("a\0b").unwrap_err(), SecretError::ControlCharacter);
        assert_eq!(Secret::exact("").unwrap().expose(), "");
    }

    #[test]
    fn a_fingerprint_never_changes() {
        // State files hold them: another hash would not know the tokens again.
        let secret = Secret::exact(&format!("hf_{}", "x".repeat(34))).unwrap();
        let expected = "d7ed567f81d520db9eb500cbc0d8345d";
        assert_eq!(secret.fingerprint().as_str(), expected);
    }

    #[test]
    fn fingerprints_tell_tokens_apart_and_say_little_of_passwords() {
        let a = Secret::exact(&user_token()).unwrap();
        let b = Secret::exact(&format!("{}x", user_token())).unwrap();
        assert_eq!(a.fingerprint(), a.clone().fingerprint());
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_eq!(a.fingerprint().as_str().len(), 32);
        assert_eq!(
            Secret::exact("password")
                .unwrap()
                .fingerprint()
                .as_str()
                .len(),
            4
        );
        assert_eq!(
            Fingerprint::parse(a.fingerprint().as_str()),
            Some(a.fingerprint())
        );
        assert_eq!(Fingerprint::parse("../../etc/passwd"), None);
    }
}
