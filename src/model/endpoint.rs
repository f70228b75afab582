//! The origin of a Hub: scheme, host and port.

use std::fmt;

/// A normalised origin such as `https://huggingface.co`: the host in lower case without a trailing
/// dot, the default port left out, and `hf.co` read as `huggingface.co`.
///
/// Equality is the security boundary of the whole program: a token is sent only to an endpoint
/// equal to its own. A host with any character outside a plain host name is therefore rejected, not
/// repaired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// The schemes that git can use with a Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scheme {
    Https,
    /// Not encrypted; answered only if the configuration sets `allow_http`.
    Http,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        // Git passes the scheme on as typed, and itself accepts only lower case.
        match text {
            "https" => Some(Self::Https),
            "http" => Some(Self::Http),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// Why a text is not an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not `https://` or `http://`.
    #[error("an endpoint begins with https:// (or http://)")]
    Scheme,
    /// A username or password before the host.
    #[error("an endpoint cannot contain a username")]
    UserInfo,
    /// Something after the host.
    #[error("an endpoint is a scheme, host and port, without a path")]
    Path,
    /// Not a plain host name or address.
    #[error("the host must be a plain host name, with or without a port")]
    Host,
}

const HUGGING_FACE: &str = "huggingface.co";
const SHORT: &str = "hf.co";

impl Endpoint {
    /// `https://huggingface.co`.
    #[must_use]
    pub fn hugging_face() -> Self {
        Self {
            scheme: Scheme::Https,
            host: HUGGING_FACE.to_owned(),
            port: 443,
        }
    }

    /// Reads git's `protocol` and `host` fields; `None` if they are not a valid endpoint.
    #[must_use]
    pub fn from_git(protocol: &str, host: &str) -> Option<Self> {
        Self::from_parts(Scheme::parse(protocol)?, host)
    }

    /// Reads the value of `HF_ENDPOINT` or a configured endpoint; one trailing slash is allowed.
    ///
    /// # Errors
    /// When the text is not exactly an origin.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        let scheme = Scheme::parse(&scheme.to_ascii_lowercase()).ok_or(EndpointError::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(EndpointError::Path);
        }
        if rest.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        Self::from_parts(scheme, rest).ok_or(EndpointError::Host)
    }

    fn from_parts(scheme: Scheme, authority: &str) -> Option<Self> {
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(digits) => parse_port(digits)?,
            None => scheme.default_port(),
        };
        let mut host = normal_host(host)?;
        if host == SHORT && scheme == Scheme::Https && port == 443 {
            HUGGING_FACE.clone_into(&mut host);
        }
        Some(Self { scheme, host, port })
    }

    /// Whether requests are sent without encryption.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.scheme == Scheme::Http
    }

    /// Whether this is the public Hub.
    #[must_use]
    pub fn is_hugging_face(&self) -> bool {
        *self == Self::hugging_face()
    }

    /// The page of the Hub where users see and edit their tokens.
    pub(crate) fn tokens_page(&self) -> String {
        format!("{self}/settings/tokens")
    }

    /// The Hub's form for a new token, filled in as most people need it.
    pub(crate) fn new_token_page(&self) -> String {
        format!("{self}/settings/tokens/new?tokenType=fineGrained&canReadGatedRepos=true")
    }

    /// The host, without the port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The host, and the port unless it is the scheme's default.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

/// Splits `host:port`; an IPv6 address keeps its brackets.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let (host, rest) = authority.split_at_checked(end)?;
        return match rest {
            "" => Some((host, None)),
            rest => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    let plain = !digits.is_empty()
        && !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn normal_host(host: &str) -> Option<String> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let address: std::net::Ipv6Addr = inner.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (host.len() <= 253 && host.split('.').all(label)).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_hub() {
        for host in [
            "huggingface.co",
            "HuggingFace.co",
            "huggingface.co.",
            "huggingface.co:443",
            "HUGGINGFACE.CO.:443",
            "hf.co",
            "HF.co.",
        ] {
            let endpoint = Endpoint::from_git("https", host).unwrap();
            assert!(endpoint.is_hugging_face(), "{host}");
            assert_eq!(endpoint.to_string(), "https://huggingface.co");
        }
    }

    #[test]
    fn hosts_that_only_look_like_the_hub() {
        for (protocol, host) in [
            ("https", "huggingface.co.evil.example"),
            ("https", "evil-huggingface.co"),
            ("https", "cdn-lfs.huggingface.co"),
            ("https", "huggingface.co:8443"),
            ("https", "huggingface.co:80"),
            ("http", "huggingface.co"),
            ("http", "huggingface.co:443"),
            ("https", "hf.co:8443"),
            ("http", "hf.co"),
            ("https", "huggingface.cο"),
        ] {
            assert!(
                Endpoint::from_git(protocol, host).is_none_or(|e| !e.is_hugging_face()),
                "{protocol}://{host}"
            );
        }
    }

    #[test]
    fn hosts_that_are_not_valid() {
        for (protocol, host) in [
            ("https", ""),
            ("https", "."),
            ("https", "huggingface.co.."),
            ("https", ".huggingface.co"),
            ("https", "huggingface..co"),
            ("https", "user@huggingface.co"),
            ("https", "huggingface.co:443@evil.example"),
            ("https", "huggingface.co/evil"),
            ("https", "huggingface.co\\evil"),
            ("https", "huggingface%2eco"),
            ("https", "huggingface.co "),
            ("https", "huggingface.co\t"),
            ("https", "huggingface.co:"),
            ("https", "huggingface.co:0443"),
            ("https", "huggingface.co:+443"),
            ("https", "huggingface.co:65536"),
            ("https", "huggingface.co:443:443"),
            ("https", "[::1"),
            ("https", "[::1]x"),
            ("https", "[huggingface.co]"),
            ("https", "huggingface。co"),
            ("HTTPS", "huggingface.co"),
            ("ssh", "huggingface.co"),
            ("", "huggingface.co"),
            ("cert", "huggingface.co"),
        ] {
            assert_eq!(
                Endpoint::from_git(protocol, host),
                None,
                "{protocol}://{host}"
            );
        }
    }

    #[test]
    fn configured_endpoints() {
        for (text, shown) in [
            ("https://hub.corp.example", "https://hub.corp.example"),
            ("https://hub.corp.example/", "https://hub.corp.example"),
            ("HTTPS://Hub.Corp.example:443", "https://hub.corp.example"),
            (
                "https://hub.corp.example:8443",
                "https://hub.corp.example:8443",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://[0:0::1]", "https://[::1]"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), shown);
        }
        for (text, error) in [
            ("hub.corp.example", EndpointError::Scheme),
            ("ftp://hub.corp.example", EndpointError::Scheme),
            ("https://hub.corp.example/hf", EndpointError::Path),
            ("https://hub.corp.example//", EndpointError::Path),
            ("https://me@hub.corp.example", EndpointError::UserInfo),
            ("https://", EndpointError::Host),
            ("https://a b", EndpointError::Host),
            ("https://*.corp.example", EndpointError::Host),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn a_port_or_scheme_makes_another_endpoint() {
        let e = |p, h| Endpoint::from_git(p, h).unwrap();
        assert_ne!(e("https", "hub.example"), e("http", "hub.example"));
        assert_ne!(e("https", "hub.example"), e("https", "hub.example:8443"));
        assert_eq!(e("http", "hub.example"), e("http", "HUB.example:80"));
    }
}
