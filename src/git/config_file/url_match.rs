//! Which `[credential "PATTERN"]` sections apply to an endpoint.

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
