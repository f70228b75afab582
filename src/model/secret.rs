//! The one type that holds a secret: it cannot be printed, and is wiped when dropped.
//!
//! Secrets leave it in these files and in no others (`tests/structure.rs` compares the table with
//! the calls of [`Secret::expose`]):
//!
//! | file | who gets the secret |
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
//! | `commands/login/mod.rs` | nobody: looks whether it holds the start of a token |
//! | `model/id_token.rs` | nobody: reads what an ID token says of itself |
//! | `app/exchange.rs` | nobody: a hash of the identity names the file of a job's token |
//! | `import/login_url.rs` | nobody: looks whether a URL's username is plain |

use std::fmt;

use hmac_sha256::Hash as Sha256;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::endpoint::Endpoint;

/// A token, password or refresh token.
///
/// There is no `Display`; `Debug` says only what [`Secret::hint`] says. The value leaves this
/// type through [`Secret::expose`] alone.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Why a value cannot be a secret that git or HTTP could carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing is left after outer white space is stripped.
    #[error("the token is empty")]
    Empty,
    /// A NUL, newline, or other control character inside the value.
    #[error("the token contains a line break or another control character")]
    ControlCharacter,
    /// Longer than a line of git's protocol can be.
    #[error("the token is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It cannot be a token of any Hub.
    #[error(transparent)]
    NotAToken(#[from] NotAToken),
}

/// Why a value cannot be a token. Each reason points at how it came to be there; none quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    /// `HF_TOKEN="hf_.."` where nothing takes the quotes off: `%env`, a Docker env file.
    #[error("it contains a quotation mark: remove the quotes")]
    Quote,
    /// `$TOKEN` or `{{ token }}` that nothing has filled in.
    #[error("it contains `$` or `{{`: a variable or template was not filled in")]
    Placeholder,
    /// Words, or several lines.
    #[error("it contains a space or a line break")]
    Space,
    /// Outside the bytes 0x21 to 0x7e.
    #[error("it contains a character that is not printable ASCII")]
    NotAscii,
}

/// Says whether a value, outer white space aside, can be a token. What cannot is never sent.
///
/// # Errors
/// With what is wrong with it.
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

/// The longest value kept, in bytes: a line of git's protocol holds 65,535 with its key
/// (git-credential(1), "INPUT/OUTPUT FORMAT").
pub(crate) const MAX_BYTES: usize = 65_000;

impl Secret {
    /// A value that somebody typed or piped in: outer white space is stripped (a copied token
    /// often ends with a newline), then it must be one line.
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

    /// A value kept exactly as it is; it may be empty (a Hub of one's own may use no passwords).
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
        Ok(Self(SecretString::from(value)))
    }

    /// The value itself. Every call is a place where the secret leaves the program.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether it can be a token of an endpoint. Those of huggingface.co have a form of their own;
    /// of other Hubs it is not known.
    #[must_use]
    pub(crate) fn may_belong_to(&self, endpoint: &Endpoint) -> bool {
        self.kind() != Kind::Other || !endpoint.is_hugging_face()
    }

    /// Which kind of Hub token this is, by its prefix.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::of(self.expose())
    }

    /// What may be shown of it: kind and last four characters; nothing of a value that is no
    /// Hub token, since four characters of a password are too many.
    #[must_use]
    pub fn hint(&self) -> String {
        let value = self.expose();
        match self.kind() {
            Kind::Other => "not in the Hub's form".to_owned(),
            kind => {
                let start = value.len().saturating_sub(4);
                format!("{}…{}", kind.prefix(), value.get(start..).unwrap_or(""))
            }
        }
    }

    /// A value that names this secret without revealing it; see [`Fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        hash.update(b"git-credential-hf fingerprint\0");
        hash.update(self.expose().as_bytes());
        let digest = hash.finalize();
        // A Hub token is random enough to be named by 128 bits of its hash. A password may be
        // guessable, and then so would it be from a long hash: 16 bits only sort candidates.
        let bytes = if self.kind() == Kind::Other { 2 } else { 16 };
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

/// The kinds of Hub token, told apart by prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `hf_`: a user access token.
    User,
    /// `hf_oauth_`: from a browser login; expires.
    OAuth,
    /// `hf_jwt_`: from a CI exchange; one hour, one repo.
    Jwt,
    /// `api_org_`: an organisation token, which the Hub no longer accepts for login.
    Organisation,
    /// Anything else, a password for one.
    Other,
}

impl Kind {
    fn of(value: &str) -> Self {
        const PREFIXES: [Kind; 4] = [Kind::OAuth, Kind::Jwt, Kind::Organisation, Kind::User];
        let plain = |rest: &str| {
            rest.len() >= 8
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.~+/=".contains(&b))
        };
        PREFIXES
            .into_iter()
            .find(|kind| value.strip_prefix(kind.prefix()).is_some_and(plain))
            .unwrap_or(Kind::Other)
    }

    /// The prefix that tokens of this kind begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::User => "hf_",
            Kind::OAuth => "hf_oauth_",
            Kind::Jwt => "hf_jwt_",
            Kind::Organisation => "api_org_",
            Kind::Other => "",
        }
    }
}

/// The text with everything that reads as a Hub token shortened to kind and last four, for
/// what is printed: people write tokens where names belong.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, prefix, token)) = find_token(rest) {
        // What stands directly behind it may be a piece of it.
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

/// Whether a text holds something that reads as a Hub token. Repo names may begin with `hf_`
/// too, but not go on for 30 letters and digits without a break.
#[must_use]
pub fn holds_token(text: &str) -> bool {
    find_token(text).is_some()
}

fn in_web_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// The first thing in a text that reads as a Hub token: what stands before it, its prefix, and
/// the text from it on.
fn find_token(text: &str) -> Option<(&str, &'static str, &str)> {
    const LEAST: usize = 30;
    // Most of what is asked about is a short name.
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

/// The name of a secret's value: equal values have equal fingerprints, and a Hub token cannot
/// be found from its own. Values that are no Hub tokens share a small set of fingerprints, so
/// there equality must be confirmed with [`Secret::same_as`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("no fingerprint")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl Fingerprint {
    /// The fingerprint as it stands in the state file and in `state[]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads one back; `None` when it is not lower-case hexadecimal of a length we write.
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
            ("hf_", Kind::User),
            ("hf_oauth_", Kind::OAuth),
            ("hf_jwt_", Kind::Jwt),
            ("api_org_", Kind::Organisation),
            ("", Kind::Other),
            ("HF_", Kind::Other),
        ] {
            assert_eq!(
                Secret::exact(&format!("{prefix}{rest}")).unwrap().kind(),
                kind
            );
        }
        assert_eq!(Secret::exact("hf_").unwrap().kind(), Kind::Other);
        assert_eq!(
            Secret::exact("hf_with space in it").unwrap().kind(),
            Kind::Other
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
    fn what_is_printed_holds_no_token() {
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
    fn a_fingerprint_is_for_good() {
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
