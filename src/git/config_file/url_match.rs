//! Which `[credential "PATTERN"]` sections apply to an endpoint or to a URL.

use crate::model::location::{Location, percent_decoded};

/// How far a `[credential "PATTERN"]` section reaches into an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// For none.
    Never,
    /// Only for some paths or usernames (or the pattern is too odd to tell).
    Sometimes,
    /// For all.
    Always,
}

/// Whether `[credential "PATTERN"]` applies to requests for `endpoint`, by the rules of git's `urlmatch.c` and, for
/// patterns that are no whole URL (`huggingface.co`, `https://`), of `match_partial_url` in its `credential.c`.
pub fn reach(pattern: &str, endpoint: &str) -> Reach {
    let (pattern, endpoint) = (UrlParts::of(pattern), UrlParts::of(endpoint));
    let scheme = pattern.scheme.is_empty() || pattern.scheme == endpoint.scheme;
    let odd_host = pattern.host.contains('%');
    let host = pattern.host.is_empty() || odd_host || {
        let (want, have) = (pattern.host.split('.'), endpoint.host.split('.'));
        want.clone().count() == have.clone().count()
            && want
                .zip(have)
                .all(|(want, have)| want == "*" || want == have)
    };
    let port = pattern.host.is_empty() || odd_host || pattern.port == endpoint.port;
    match scheme && host && port {
        false => Reach::Never,
        true if odd_host || pattern.narrowed => Reach::Sometimes,
        true => Reach::Always,
    }
}

/// Whether `[credential "PATTERN"]` applies to a request for this very URL.
pub(crate) fn applies(pattern: &str, to: &Location) -> bool {
    match reach(pattern, &to.endpoint.to_string()) {
        Reach::Never => return false,
        Reach::Always => return true,
        Reach::Sometimes => {}
    }
    let (whole, rest) = match pattern.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, pattern),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if let Some((user, host)) = authority.rsplit_once('@') {
        let user = user.split(':').next().unwrap_or("");
        if host.contains('%')
            || Some(percent_decoded(user).as_slice()) != to.username.as_deref().map(str::as_bytes)
        {
            return false;
        }
    } else if authority.contains('%') {
        // What such a host means is git's secret, and no section that anybody writes has one.
        return false;
    }
    let (path, to) = (percent_decoded(path.trim_matches('/')), to.path.as_bytes());
    let (path, rest) = (path.as_slice(), to.strip_prefix(path.as_slice()));
    // A piece of a URL names one path, a whole URL all that is below it.
    path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || (whole && rest.starts_with(b"/")))
}

/// The parts of a URL or of a piece of one that decide whether a `credential` section applies.
struct UrlParts {
    scheme: String,
    host: String,
    port: String,
    /// Whether there is a username or a path.
    narrowed: bool,
}

impl UrlParts {
    fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, address) = authority.split_once('@').unwrap_or(("", authority));
        let (host, port) = match address.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.contains(']') => (host, port.trim_start_matches('0')),
            _ => (address, ""),
        };
        let scheme = scheme.to_ascii_lowercase();
        let default_port = matches!((scheme.as_str(), port), ("https", "443") | ("http", "80"));
        Self {
            host: host.to_ascii_lowercase(),
            port: if default_port {
                String::new()
            } else {
                port.to_owned()
            },
            narrowed: !user.is_empty() || !path.trim_matches('/').is_empty(),
            scheme,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;

    #[test]
    fn sections_that_apply_to_one_url() {
        let to = Location {
            endpoint: Endpoint::hugging_face(),
            path: "acme/x y.git".to_owned(),
            username: Some("al ice".to_owned()),
        };
        for (pattern, expected) in [
            ("", true),
            ("https://huggingface.co", true),
            ("https://huggingface.co/", true),
            ("https://*.co", true),
            ("https://github.com", false),
            ("https://huggingface.co/acme", true),
            ("https://huggingface.co/acme/", true),
            ("https://huggingface.co/acme/x%20y.git", true),
            ("https://huggingface.co/acme/x", false),
            ("https://huggingface.co/ac", false),
            ("https://huggingface.co/Acme", false),
            ("https://al%20ice@huggingface.co", true),
            ("https://al%20ice@huggingface.co/acme", true),
            ("https://bob@huggingface.co", false),
            ("huggingface.co", true),
            ("huggingface.co/acme", false),
            ("huggingface.co/acme/x y.git", true),
            ("https://hugging%66ace.co", false),
        ] {
            assert_eq!(applies(pattern, &to), expected, "{pattern}");
        }
        let anybody = Location {
            username: None,
            ..to
        };
        assert!(!applies("https://al%20ice@huggingface.co", &anybody));
    }
}
