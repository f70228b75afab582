//! Our own requests use the proxy and certificates that git is configured to use for the Hub's URL,
//! so that we can reach what git can reach.

use std::path::PathBuf;

use reqwest::blocking::ClientBuilder;
use reqwest::{NoProxy, Proxy};

use crate::git::config;
use crate::git::run::ask;
use crate::model::endpoint::Endpoint;
use crate::system::home::home;
use crate::system::{environment, trace};

/// Git's configuration for requests to one Hub.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct GitSettings {
    /// `http.proxy`. An empty value means no proxy, even if the environment sets one.
    pub(crate) proxy: Option<String>,
    /// `http.sslCAInfo`.
    pub(crate) authorities: Option<PathBuf>,
}

impl GitSettings {
    /// Asks git, which decides which of its `http.<url>` sections apply.
    pub(crate) fn read(endpoint: &Endpoint) -> Self {
        let url = endpoint.to_string();
        let told = ask(&["config", "-z", "--get-urlmatch", "http", &url]);
        let told = told.ok().flatten().unwrap_or_default();
        let mut found = Self::default();
        for (key, value) in told.split('\0').filter_map(|entry| entry.split_once('\n')) {
            match key {
                "http.proxy" => found.proxy = Some(value.to_owned()),
                "http.sslcainfo" if !value.is_empty() => {
                    let below_home = value.strip_prefix("~/");
                    let path = below_home.and_then(|rest| Some(home()?.join(rest)));
                    found.authorities = Some(path.unwrap_or_else(|| PathBuf::from(value)));
                }
                _ => {}
            }
        }
        found
    }

    /// Applies the settings to a client.
    pub(crate) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        match self.proxy.as_deref() {
            None => builder,
            Some("") => builder.no_proxy(),
            Some(proxy) => match Proxy::all(with_scheme(proxy)) {
                // Git lets curl read `no_proxy` too.
                Ok(proxy) => builder.proxy(proxy.no_proxy(NoProxy::from_env())),
                Err(_) => {
                    trace::line(|| "ignoring http.proxy: it is not a usable URL".to_owned());
                    builder
                }
            },
        }
    }
}

/// The proxy that requests to a Hub go through, without its login, and the setting that it comes
/// from.
pub(crate) fn in_words(endpoint: &Endpoint) -> Option<String> {
    if is_excepted(endpoint) {
        return None;
    }
    if let Some(proxy) = GitSettings::read(endpoint).proxy {
        let entries = config::read(r"^http\.(.*\.)?proxy$").unwrap_or_default();
        let mut same = entries.iter().filter(|entry| entry.text() == proxy);
        let set = same.next_back().map_or_else(
            || "http.proxy".to_owned(),
            |entry| format!("`{}`, {}", entry.key, entry.place()),
        );
        return (!proxy.is_empty()).then(|| format!("{} ({set})", without_login(&proxy)));
    }
    let name = variable(endpoint)?;
    let proxy = environment::text(name)?;
    Some(format!("{} ({name})", without_login(&proxy)))
}

/// The variable that sets a proxy for a Hub, as git and curl read it.
pub(crate) fn variable(endpoint: &Endpoint) -> Option<&'static str> {
    let names: &[&'static str] = if endpoint.is_plain_http() {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    } else {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    };
    let mut names = names.iter().copied();
    names.find(|name| environment::variable(name).is_some())
}

/// Whether `no_proxy` excepts a Hub from every proxy.
pub(crate) fn is_excepted(endpoint: &Endpoint) -> bool {
    ["no_proxy", "NO_PROXY"].iter().any(|name| {
        let value = environment::text(name).unwrap_or_default();
        value
            .split(',')
            .any(|name| excepts(name.trim(), endpoint.host()))
    })
}

/// Whether an entry of `no_proxy` matches a host.
fn excepts(entry: &str, host: &str) -> bool {
    let domain = entry.trim_start_matches('.').to_ascii_lowercase();
    let above = || {
        host.strip_suffix(&domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    !domain.is_empty() && (domain == "*" || domain == host || above())
}

/// Adds `http://` to a proxy without a scheme, as curl does.
fn with_scheme(proxy: &str) -> String {
    if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    }
}

fn without_login(proxy: &str) -> String {
    let proxy = with_scheme(proxy);
    let (scheme, rest) = proxy.split_once("://").unwrap_or(("http", &proxy));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{}", host.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_login() {
        for (proxy, shown) in [
            ("proxy.corp:3128", "http://proxy.corp:3128"),
            ("http://u:p@proxy.corp:3128/", "http://proxy.corp:3128"),
            ("https://u:p@ss@proxy.corp", "https://proxy.corp"),
            ("socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
        ] {
            assert_eq!(without_login(proxy), shown);
        }
    }

    #[test]
    fn hosts_that_go_without_a_proxy() {
        for (entry, excepted) in [
            ("huggingface.co", true),
            (".huggingface.co", true),
            ("co", true),
            ("*", true),
            ("", false),
            ("gface.co", false),
            ("hf.co", false),
        ] {
            assert_eq!(excepts(entry, "huggingface.co"), excepted, "{entry}");
        }
    }
}
