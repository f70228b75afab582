//! Hosts: what is read as the public Hub is the public Hub, by rules written here once more.

use git_credential_hf::git::remotes;
use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::location::{Location, parse_location};
use url::Url;

use super::text;

/// Takes `protocol`, a line break and `host`, as git sends them; without a line break it is a
/// host over https. The whole is read as a URL, too.
pub fn check(data: &[u8]) {
    let text = text(data);
    let (protocol, host) = text.split_once('\n').unwrap_or(("https", text));
    from_git(protocol, host);
    configured(text);
    a_place(text);
}

/// Whether git's `protocol` and `host` are the public Hub's. Not how the product does it:
/// every spelling that counts, in full.
pub fn is_the_hub(protocol: &str, host: &str) -> bool {
    let spelled = |name: &str| {
        ["", ":443", ".", ".:443"]
            .iter()
            .any(|end| host.to_ascii_lowercase() == format!("{name}{end}"))
    };
    protocol == "https" && (spelled("huggingface.co") || spelled("hf.co"))
}

fn from_git(protocol: &str, host: &str) {
    let endpoint = Endpoint::from_git(protocol, host);
    let hub = endpoint.as_ref().is_some_and(Endpoint::is_hugging_face);
    assert_eq!(hub, is_the_hub(protocol, host), "{protocol:?} {host:?}");
    let Some(endpoint) = endpoint else { return };

    assert_eq!(endpoint.is_plain_http(), protocol == "http");
    let authority = endpoint.authority();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:[]".contains(&b);
    assert!(authority.bytes().all(plain), "{authority:?}");
    assert_eq!(
        Endpoint::from_git(protocol, &authority).as_ref(),
        Some(&endpoint)
    );
    assert_eq!(
        Endpoint::parse(&endpoint.to_string()).as_ref(),
        Ok(&endpoint)
    );

    // Another host stays another host after what an HTTP client makes of it.
    if let Ok(url) = Url::parse(&endpoint.to_string()) {
        assert_eq!(url.scheme(), protocol);
        assert_eq!(url.username(), "");
        assert_eq!((url.path(), url.query(), url.fragment()), ("/", None, None));
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        assert_eq!(is_the_hub(protocol, &host), hub, "{endpoint} becomes {url}");
    }
}

fn configured(text: &str) {
    let Ok(endpoint) = Endpoint::parse(text) else {
        return;
    };
    let (protocol, rest) = text.split_once("://").expect("an endpoint has a scheme");
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let protocol = protocol.to_ascii_lowercase();
    assert_eq!(
        Endpoint::from_git(&protocol, host),
        Some(endpoint),
        "{text:?}"
    );
}

/// A URL is on the Hub only where git would ask for the Hub's token for it.
fn a_place(text: &str) {
    if !text.contains("://") {
        return;
    }
    let corp = Endpoint::from_git("https", "hub.corp.example").expect("a host");
    if let Ok(place) = parse_location(text, &corp) {
        only_where_git_asks(&place, text);
        assert_ne!(place.username.as_deref(), Some(""));
    }
    // Git ends a value with a NUL, so none has one in it.
    if text.contains('\0') {
        return;
    }
    for remote in remotes::parse(&format!("remote.origin.url\n{text}\0")) {
        only_where_git_asks(&remote.location, text);
    }
}

/// Git takes a URL apart before it asks for a credential: the host is what stands between the
/// first `@` and the first of `/`, `?` and `#`.
fn only_where_git_asks(place: &Location, url: &str) {
    let (protocol, rest) = url.split_once("://").expect("a URL");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .split_once('@')
        .map_or(authority, |(_, host)| host);
    if place.endpoint.is_hugging_face() {
        assert!(is_the_hub(&protocol.to_ascii_lowercase(), host), "{url:?}");
    }
}
