//! The login in a URL, as git reads it: `https://NAME:TOKEN@HOST/PATH`. Git's credential store has one
//! on each line, and people paste them into remotes.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::model::endpoint::Endpoint;
use crate::model::location::percent_decoded;
use crate::model::secret::{Secret, SecretError, TokenKind};

/// A URL with a username, a password or both.
pub(crate) struct LoginUrl {
    /// Its endpoint; `None` if it is not an https or http URL of a plain host.
    pub(crate) endpoint: Option<Endpoint>,
    /// The path, decoded, without outer slashes; empty if there is none.
    pub(crate) path: String,
    /// The position of the login in the URL, including its `@`.
    pub(crate) userinfo: Range<usize>,
    username: Zeroizing<Vec<u8>>,
    password: Option<Zeroizing<Vec<u8>>>,
}

impl LoginUrl {
    /// Parses a URL as git's `credential_from_url` does; `None` if it has no login.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let start = scheme.len() + 3;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (userinfo, host) = authority.split_once('@')?;
        let (username, password) = match userinfo.split_once(':') {
            Some((username, password)) => (username, Some(password)),
            None => (userinfo, None),
        };
        Some(Self {
            endpoint: Endpoint::from_git(scheme, host),
            path: String::from_utf8_lossy(&percent_decoded(path.trim_matches('/'))).into_owned(),
            userinfo: start..start + userinfo.len() + 1,
            username: percent_decoded(username),
            password: password.map(percent_decoded),
        })
    }

    /// The username, unless it is a token.
    pub(crate) fn username(&self) -> Option<String> {
        let name = secret(&self.username).ok()?;
        let plain = !self.token_is_username() && !name.expose().is_empty();
        plain.then(|| name.expose().to_owned())
    }

    /// The secret: the password, or a username that is a token (some people write
    /// `https://TOKEN@HOST`, with or without a meaningless password).
    ///
    /// # Errors
    /// When the value cannot be a token, for example because of a line break.
    pub(crate) fn secret(&self) -> Option<Result<Secret, SecretError>> {
        if self.token_is_username() {
            return Some(secret(&self.username));
        }
        let password = self.password.as_ref()?;
        (!password.is_empty()).then(|| secret(password))
    }

    fn token_is_username(&self) -> bool {
        let is_token = |value| secret(value).is_ok_and(|value| value.kind() != TokenKind::Other);
        is_token(&self.username) && !self.password.as_ref().is_some_and(is_token)
    }
}

fn secret(bytes: &Zeroizing<Vec<u8>>) -> Result<Secret, SecretError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SecretError::ControlCharacter)?;
    Secret::exact(text)
}

impl fmt::Debug for LoginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginUrl")
            .field("endpoint", &self.endpoint)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> Option<String> {
        let login = LoginUrl::parse(url)?;
        let endpoint = login.endpoint.as_ref().map(ToString::to_string);
        let secret = match login.secret() {
            None => "none".to_owned(),
            Some(Ok(secret)) => secret.expose().to_owned(),
            Some(Err(error)) => error.to_string(),
        };
        let name = login.username();
        let cut = url.get(login.userinfo.clone()).unwrap();
        assert!(
            cut.ends_with('@') && !url.replacen(cut, "", 1).contains('@'),
            "{url}"
        );
        Some(format!(
            "{} | {} | {} | {secret}",
            endpoint.as_deref().unwrap_or("-"),
            login.path,
            name.as_deref().unwrap_or("-")
        ))
    }

    #[test]
    fn read_as_git_reads_it() {
        let token = format!("hf_{}", "aB3".repeat(11));
        for (url, expected) in [
            (
                "https://u:p@huggingface.co",
                "https://huggingface.co |  | u | p",
            ),
            (
                "https://u:p@hf.co/acme/x.git/",
                "https://huggingface.co | acme/x.git | u | p",
            ),
            (
                "https://u:a%40b%3A%25@hub.example/a%20b",
                "https://hub.example | a b | u | a@b:%",
            ),
            (
                "https://u:p:q@hub.example:8443",
                "https://hub.example:8443 |  | u | p:q",
            ),
            (
                "http://u:p@127.0.0.1:8080/x",
                "http://127.0.0.1:8080 | x | u | p",
            ),
            (
                "https://u@huggingface.co/acme/x",
                "https://huggingface.co | acme/x | u | none",
            ),
            (
                "https://u:@huggingface.co",
                "https://huggingface.co |  | u | none",
            ),
            (
                "https://:p@huggingface.co",
                "https://huggingface.co |  | - | p",
            ),
            (
                "https://TOKEN@huggingface.co/a/x",
                "https://huggingface.co | a/x | - | TOKEN",
            ),
            (
                "https://TOKEN:x@huggingface.co",
                "https://huggingface.co |  | - | TOKEN",
            ),
            (
                "https://TOKEN:TOKEN@huggingface.co",
                "https://huggingface.co |  | TOKEN | TOKEN",
            ),
            (
                "https://u:a%0Ab@huggingface.co",
                "https://huggingface.co |  | u | the token contains a line break or another control character",
            ),
            (
                "https://u:%ff@huggingface.co",
                "https://huggingface.co |  | u | the token contains a line break or another control character",
            ),
            ("https://u:p@hugging%66ace.co", "- |  | u | p"),
            (
                "https://u:p@huggingface.co:443@evil.example",
                "- |  | u | p",
            ),
            ("# https://u:p@huggingface.co", "- |  | u | p"),
            ("ssh://git:p@hf.co/acme/x", "- | acme/x | git | p"),
        ] {
            let (url, expected) = (
                url.replace("TOKEN", &token),
                expected.replace("TOKEN", &token),
            );
            if url.matches('@').count() == 1 {
                assert_eq!(shown(&url).as_deref(), Some(expected.as_str()), "{url}");
            } else {
                assert_eq!(LoginUrl::parse(&url).unwrap().endpoint, None, "{url}");
            }
        }
        for url in [
            "",
            "https://",
            "https://huggingface.co/acme/x",
            "https://huggingface.co/u:p@x",
            "https://evil.example?u:p@huggingface.co",
            "git@hf.co:acme/x",
        ] {
            assert_eq!(shown(url), None, "{url}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let login = LoginUrl::parse("https://user:correcthorse@huggingface.co").unwrap();
        let text = format!("{login:?}");
        assert!(
            !text.contains("correct") && !text.contains("user"),
            "{text}"
        );
    }
}
