//! Parses what a person types or a remote names: a repo's name or a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::model::endpoint::Endpoint;
use crate::model::repo::Repo;

/// A place on an endpoint: usually a repo, or the endpoint itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The path, percent-decoded and without outer slashes; empty for the endpoint itself.
    pub(crate) path: String,
    /// The username in the URL, percent-decoded.
    pub username: Option<String>,
}

impl Location {
    /// The location of the endpoint itself.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        Self {
            endpoint: endpoint.clone(),
            path: String::new(),
            username: None,
        }
    }

    /// The repo that the path names, if any.
    #[must_use]
    pub fn repo(&self) -> Option<Repo> {
        Repo::from_path(&self.path)
    }

    /// The location as a URL for git.
    pub(crate) fn url(&self) -> String {
        let text = self.endpoint.to_string();
        let (scheme, host) = text.split_once("://").unwrap_or(("https", &text));
        let user = self.username.as_deref().map_or_else(String::new, |name| {
            format!("{}@", utf8_percent_encode(name, &NAME))
        });
        let path = utf8_percent_encode(&self.path, &PATH);
        format!("{scheme}://{user}{host}/{path}")
    }
}

/// Why a text is not a location on a Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Neither a URL nor a repo's name.
    #[error("this is neither a repo such as acme/x or datasets/acme/x nor a URL")]
    NotARepo,
    /// A URL with another scheme or an invalid host.
    #[error("this URL is not an https URL of a Hub")]
    NotHttp,
}

/// Reads a repo's name (on `default`) or a URL.
///
/// # Errors
/// When the text is neither. The error does not contain the text, since a URL may contain a token.
pub fn parse_location(text: &str, default: &Endpoint) -> Result<Location, LocationError> {
    let Some((scheme, rest)) = text.split_once("://") else {
        Repo::from_path(text).ok_or(LocationError::NotARepo)?;
        return Ok(Location {
            endpoint: default.clone(),
            path: text.trim_matches('/').to_owned(),
            username: None,
        });
    };
    // Split where git splits, and repair nothing (a backslash, a tab, another full stop in the
    // host, `..` in the path): a URL that we repair may mean another host to git.
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    let endpoint = Endpoint::from_git(&scheme.to_ascii_lowercase(), host);
    let username = decoded(user.split(':').next().unwrap_or(""));
    let path = path.split(['?', '#']).next().unwrap_or("");
    Ok(Location {
        endpoint: endpoint.ok_or(LocationError::NotHttp)?,
        path: decoded(path.trim_matches('/')),
        username: (!username.is_empty()).then_some(username),
    })
}

/// The characters that are percent-encoded in a username: all but letters, digits and `-._~`.
const NAME: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The characters that are percent-encoded in a path.
const PATH: AsciiSet = NAME.remove(b'/');

/// Percent-decodes text. A `%` without two hexadecimal digits stays as it is, and bytes that are
/// not UTF-8 are replaced.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text)).into_owned()
}

/// Percent-decodes text that may be a secret.
pub(crate) fn percent_decoded(text: &str) -> Zeroizing<Vec<u8>> {
    // Enough capacity from the start, so that growing does not leave a copy in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(percent_decode_str(text));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_others_read_as_another_host_is_not_on_the_hub() {
        for text in [
            "https://huggingface.co\\@evil.example/acme/x",
            "https://huggingface.co\\.evil.example/acme/x",
            "https://a@huggingface.co@evil.example/acme/x",
            "https://evil.example@a@huggingface.co/acme/x",
            "https://hugging\tface.co/acme/x",
            "https://huggingface。co/acme/x",
            "https://hugging%66ace.co/acme/x",
            "https:///huggingface.co/acme/x",
            "https://huggingface.co:/acme/x",
            " https://huggingface.co/acme/x",
        ] {
            let read = parse_location(text, &Endpoint::hugging_face());
            let hub = read.is_ok_and(|place| place.endpoint.is_hugging_face());
            assert!(!hub, "{text:?}");
        }
        let climbs = "https://huggingface.co/acme/x/../y";
        let place = parse_location(climbs, &Endpoint::hugging_face()).unwrap();
        assert_eq!((place.path.as_str(), place.repo()), ("acme/x/../y", None));
    }

    #[test]
    fn locations() {
        let hub = Endpoint::hugging_face();
        for (text, endpoint, path, username) in [
            ("acme/x", "https://huggingface.co", "acme/x", None),
            (
                "https://huggingface.co/acme/x",
                "https://huggingface.co",
                "acme/x",
                None,
            ),
            (
                "https://HF.co/acme/x/tree/main?a=b#c",
                "https://huggingface.co",
                "acme/x/tree/main",
                None,
            ),
            (
                "https://work@huggingface.co/acme/x.git",
                "https://huggingface.co",
                "acme/x.git",
                Some("work"),
            ),
            (
                "https://my%20token@huggingface.co/acme/x",
                "https://huggingface.co",
                "acme/x",
                Some("my token"),
            ),
            (
                "https://huggingface.co:443/acme/%78",
                "https://huggingface.co",
                "acme/x",
                None,
            ),
            (
                "http://127.0.0.1:8080/acme/x",
                "http://127.0.0.1:8080",
                "acme/x",
                None,
            ),
            ("https://huggingface.co", "https://huggingface.co", "", None),
        ] {
            let location = parse_location(text, &hub).unwrap();
            let again = parse_location(&location.url(), &hub);
            assert_eq!(again.as_ref(), Ok(&location), "{text}");
            assert_eq!(location.endpoint.to_string(), endpoint, "{text}");
            assert_eq!(location.path, path, "{text}");
            assert_eq!(location.username.as_deref(), username, "{text}");
        }
        for text in [
            "a b",
            "ssh://git@hf.co/acme/x",
            "git@hf.co:acme/x",
            "https://",
            "file:///acme/x",
        ] {
            assert!(parse_location(text, &hub).is_err(), "{text}");
        }
    }
}
