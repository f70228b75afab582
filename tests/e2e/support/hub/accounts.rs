//! Tokens, and what the Hub lets each of them do.

use super::http::Response;
use super::repos::RepoName;
use std::hash::{BuildHasher, Hasher, RandomState};

/// What may be done with a repo; writing includes reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    Read,
    Write,
}

/// Whose token a request carried. The token itself is never kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenSeen {
    #[default]
    None,
    /// The label it was registered under, whether or not it was revoked since.
    Known(String),
    Unknown,
}

/// Where a token may be used: `acme` for a whole namespace, `acme/x` for a model,
/// `datasets/acme/x` and so on for one repo of another kind.
pub type Grants<'a> = &'a [(&'a str, Right)];

struct Token {
    label: String,
    value: String,
    grants: Vec<(String, Right)>,
    revoked: bool,
    policy: Option<String>,
}

/// Every token the Hub has handed out.
#[derive(Default)]
pub struct Accounts {
    tokens: Vec<Token>,
}

impl Accounts {
    pub fn add(&mut self, label: &str, value: &str, grants: Grants) {
        let labels = self.tokens.iter().map(|token| &token.label);
        assert!(!labels.into_iter().any(|known| known == label), "{label}");
        let grants = grants.iter();
        self.tokens.push(Token {
            label: label.into(),
            value: value.into(),
            grants: grants
                .map(|(scope, right)| (scope.to_ascii_lowercase(), *right))
                .collect(),
            revoked: false,
            policy: None,
        });
    }

    pub fn set_revoked(&mut self, label: &str, revoked: bool) {
        self.labelled(label).revoked = revoked;
    }

    pub fn set_policy(&mut self, label: &str, text: Option<&str>) {
        self.labelled(label).policy = text.map(str::to_owned);
    }

    /// All tokens, by label.
    pub fn values(&self) -> Vec<(String, String)> {
        let pair = |token: &Token| (token.label.clone(), token.value.clone());
        self.tokens.iter().map(pair).collect()
    }

    /// Who the secret belongs to, and whether it is in force.
    pub fn identify(&self, secret: Option<&str>) -> (TokenSeen, bool) {
        match secret.map(|secret| self.tokens.iter().find(|token| token.value == secret)) {
            None => (TokenSeen::None, false),
            Some(None) => (TokenSeen::Unknown, false),
            Some(Some(token)) => (TokenSeen::Known(token.label.clone()), !token.revoked),
        }
    }

    /// Whether a request may go on; if not, the Hub's refusal. `private` is none where there is
    /// no such repo, which the Hub tells only to those who say who they are.
    pub fn admit(
        &self,
        (token, live, tried): (&TokenSeen, bool, bool),
        (repo, private): (&RepoName, Option<bool>),
        right: Right,
    ) -> Result<(), Response> {
        let TokenSeen::Known(label) = token else {
            let open = private == Some(false) && right == Right::Read;
            return if open && !tried {
                Ok(())
            } else {
                Err(unauthorized())
            };
        };
        if !live {
            return Err(unauthorized());
        }
        let mut all = self.tokens.iter();
        let token = all.find(|token| token.label == *label);
        let token = token.ok_or_else(unauthorized)?;
        if let Some(text) = &token.policy {
            return Err(Response::text(403, text));
        }
        let Some(private) = private else {
            return Err(Response::text(404, "Repository not found"));
        };
        let granted = token.grants.iter();
        let granted = granted.filter(|(scope, _)| repo.is_in(scope));
        let granted = granted.map(|(_, right)| *right).max();
        match granted {
            Some(granted) if granted >= right => Ok(()),
            _ if right == Right::Read && !private => Ok(()),
            _ if right == Right::Read => {
                Err(Response::text(403, "This token has no access to this repo"))
            }
            _ => Err(Response::text(403, "This token may not write to this repo")),
        }
    }

    fn labelled(&mut self, label: &str) -> &mut Token {
        let mut tokens = self.tokens.iter_mut();
        let found = tokens.find(|token| token.label == label);
        found.unwrap_or_else(|| panic!("no token is labelled {label}"))
    }
}

/// The answer to a request that does not say who asks, or says it with a dead token.
pub fn unauthorized() -> Response {
    Response::text(401, "Invalid credentials").header(
        "WWW-Authenticate",
        r#"Basic realm="Authentication required", charset="UTF-8""#,
    )
}

/// The username and the secret in an Authorization header. An empty password is no secret: git
/// sends one to find out whether a username in the URL is enough.
pub fn presented(header: Option<&str>) -> (Option<String>, Option<String>) {
    let Some((scheme, value)) = header.and_then(|header| header.split_once(' ')) else {
        return (None, None);
    };
    let secret = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    if scheme.eq_ignore_ascii_case("bearer") {
        return (None, secret(value.trim()));
    }
    let decoded = String::from_utf8_lossy(&base64(value)).into_owned();
    let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
    (Some(user.to_owned()), secret(password))
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte| DIGITS.iter().position(|digit| *digit == byte);
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for value in text.bytes().filter_map(digit) {
        bits = (bits << 6) | u32::try_from(value).expect("six bits");
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

/// `length` letters and digits that no other call returns.
pub fn random(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::new();
    for _ in 0..length {
        // Each state has keys of its own, so an empty hash is a fresh number.
        let number = RandomState::new().build_hasher().finish();
        text.push(char::from(LETTERS[(number % 62) as usize]));
    }
    text
}
