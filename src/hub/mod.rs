//! Requests to a Hub. The client is built at the first request.

pub(crate) mod access;
pub(crate) mod diagnosis;
pub(crate) mod exchange;
pub(crate) mod oauth;
pub(crate) mod probe;
pub(crate) mod proxy;
pub(crate) mod revoke;
pub mod whoami;

use std::cell::OnceCell;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode, header};
use zeroize::Zeroizing;

use crate::hub::proxy::GitSettings;
use crate::model::endpoint::Endpoint;
use crate::model::secret::{Secret, redact};
use crate::model::text;
use crate::system::{environment, files, trace};
use crate::terminal;

/// The deadline of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The error message that distinguishes a redirect loop from a redirect to another site.
const TOO_MANY: &str = "too many redirects";

/// The largest answer that is read, in bytes. A whoami answer with hundreds of scopes is below 1
/// MB.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// The longest `Retry-After` of a busy Hub that we wait for, in seconds. If it is longer, we leave
/// it to the user.
const MAX_WAIT: u64 = 15;

/// How many times a request is repeated if the Hub is busy.
const RETRIES: u32 = 2;

/// Why a request failed, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// 401: the Hub does not accept the token.
    #[error("the Hub does not accept this token")]
    Rejected,
    /// 403, with the Hub's reason.
    #[error("the Hub refused the request: {0}")]
    Forbidden(String),
    /// 404: it does not exist, or the token may not see it.
    #[error("the Hub answered with status 404 (not found, or not visible to this token)")]
    NotFound,
    /// 429: too many requests, with how many seconds to wait if the Hub says so.
    #[error("the Hub received too many requests{}", .0.map_or_else(String::new, |s| format!(": try again in {s} s")))]
    Busy(Option<u64>),
    /// An error of the Hub's OAuth server.
    #[error("the Hub answered `{code}`{}", with_colon(description))]
    OAuth {
        /// Its code, such as `invalid_grant`.
        code: String,
        /// The Hub's description; may be empty.
        description: String,
    },
    /// The Hub cannot be reached, or fails.
    #[error("{0}")]
    Unavailable(String),
}

impl HubError {
    /// Whether it is this error of the OAuth server.
    pub(crate) fn is_oauth(&self, expected: &str) -> bool {
        matches!(self, Self::OAuth { code, .. } if code == expected)
    }
}

fn with_colon(description: &str) -> String {
    match description {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

/// A Hub to make requests to.
#[derive(Debug)]
pub(crate) struct Hub {
    endpoint: Endpoint,
    // Never dropped, since dropping would wait for what a timed-out request left running, such as a
    // resolver.
    client: OnceCell<ManuallyDrop<Client>>,
    retries: u32,
}

/// An HTTP response, with the body as text.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    error_code: Option<String>,
    body: Zeroizing<String>,
}

impl Hub {
    /// The Hub at this endpoint. Opens nothing yet.
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            endpoint: endpoint.clone(),
            client: OnceCell::new(),
            retries: RETRIES,
        }
    }

    /// A Hub for requests that git waits for: if it is busy, the request fails at once.
    pub(crate) fn impatient(endpoint: &Endpoint) -> Self {
        Self {
            retries: 0,
            ..Self::new(endpoint)
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The proxy that requests go through, described to the user.
    pub(crate) fn proxy(&self) -> Option<String> {
        proxy::in_words(&self.endpoint)
    }

    /// Builds a request to a path of this endpoint. All requests are built here, so none goes to
    /// another host.
    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, HubError> {
        if self.client.get().is_none() {
            let client = build(&self.endpoint).map_err(|error| {
                HubError::Unavailable(format!("cannot prepare requests: {}", causes(&error)))
            })?;
            let _ = self.client.set(ManuallyDrop::new(client));
        }
        let client = self
            .client
            .get()
            .ok_or_else(|| HubError::Unavailable("cannot prepare requests".to_owned()))?;
        trace::line(|| format!("request: {method} {}{path}", self.endpoint));
        // The client's timeout restarts with each part of the answer; the request's timeout covers
        // the whole request.
        let url = format!("{}{path}", self.endpoint);
        Ok(client.request(method, url).timeout(TIMEOUT))
    }

    /// Sends a request and reads the answer. If the Hub is busy, waits as long as it asks for, up
    /// to [`MAX_WAIT`].
    fn send(
        &self,
        request: &dyn Fn() -> Result<RequestBuilder, HubError>,
    ) -> Result<Answer, HubError> {
        let mut attempt = 0;
        loop {
            let response = request()?
                .send()
                .map_err(|error| self.unreachable(&error))?;
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                return read(response).map_err(|error| self.broke_off(&error));
            }
            let wait = retry_after(&response);
            match wait {
                Some(seconds) if seconds <= MAX_WAIT && attempt < self.retries => {
                    terminal::say(&format!(
                        "{} is busy, waiting {seconds} s",
                        self.endpoint.authority()
                    ));
                    std::thread::sleep(Duration::from_secs(seconds.max(1)));
                    attempt += 1;
                }
                wait => return Err(HubError::Busy(wait)),
            }
        }
    }

    fn broke_off(&self, error: &io::Error) -> HubError {
        let cause = error
            .get_ref()
            .and_then(|e| e.downcast_ref::<reqwest::Error>());
        match cause {
            Some(cause) if cause.is_timeout() => self.unreachable(cause),
            _ if error.kind() == io::ErrorKind::TimedOut => self.too_slow(),
            _ => HubError::Unavailable("the Hub's answer was cut off".to_owned()),
        }
    }

    fn too_slow(&self) -> HubError {
        let host = self.endpoint.authority();
        let seconds = TIMEOUT.as_secs();
        HubError::Unavailable(format!("{host} did not answer within {seconds} s"))
    }

    fn unreachable(&self, error: &reqwest::Error) -> HubError {
        let host = self.endpoint.authority();
        if error.is_timeout() {
            return self.too_slow();
        }
        HubError::Unavailable(if error.is_redirect() && causes(error).contains(TOO_MANY) {
            format!("{host} redirects in a loop")
        } else if error.is_redirect() {
            format!(
                "{host} redirects to another site; the redirect is not followed, since the token is only for {host}"
            )
        } else {
            format!("cannot reach {host}: {}", causes(error))
        })
    }
}

impl Answer {
    /// Turns an error status into an error.
    fn ok(self) -> Result<Self, HubError> {
        match self.status.as_u16() {
            200..=299 => Ok(self),
            401 => Err(HubError::Rejected),
            403 => Err(HubError::Forbidden(self.reason())),
            404 => Err(HubError::NotFound),
            status => Err(HubError::Unavailable(format!(
                "the Hub answered with status {status}"
            ))),
        }
    }

    /// The Hub's error message: `error` of a JSON body, or else the body. It is shortened to one
    /// line, and anything that looks like a token is replaced.
    fn reason(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Body {
            error: String,
        }
        let text = serde_json::from_str::<Body>(&self.body)
            .map_or_else(|_| self.body.as_str().to_owned(), |body| body.error);
        let text = quoted(&text);
        match self.error_code.as_deref() {
            Some("GatedRepo") if text.trim().is_empty() => "gated repo".to_owned(),
            Some("GatedRepo") if !text.to_lowercase().contains("gated") => {
                format!("gated repo: {text}")
            }
            _ if text.trim().is_empty() => "no reason given".to_owned(),
            _ => text,
        }
    }

    fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, HubError> {
        from_json(&self.body)
    }
}

/// Parses the body of an answer as a JSON object.
fn from_json<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, HubError> {
    // serde also reads a struct from an array, but the Hub's answers are objects.
    if !body.trim_start().starts_with('{') {
        let message = "the Hub's answer is not a JSON object";
        return Err(HubError::Unavailable(message.to_owned()));
    }
    // The parser's error may quote the body, which may contain a token.
    serde_json::from_str(body).map_err(|error| {
        HubError::Unavailable(format!(
            "the Hub's answer does not have the expected form (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

/// What the Hub says, on one line, in single spaces and without anything that looks like a token.
fn quoted(text: &str) -> String {
    let line = text::one_line(text);
    let words: Vec<&str> = line.split_whitespace().collect();
    redact(&words.join(" ")).chars().take(300).collect()
}

fn build(endpoint: &Endpoint) -> Result<Client, reqwest::Error> {
    // Fails only if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("git-credential-hf/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        .https_only(!endpoint.is_plain_http())
        .redirect(Policy::custom(|attempt| {
            let first = attempt.previous().first().map(|url| url.origin());
            if first != Some(attempt.url().origin()) {
                attempt.error("a redirect to another site")
            } else if attempt.previous().len() > 5 {
                attempt.error(TOO_MANY)
            } else {
                attempt.follow()
            }
        }));
    let git = GitSettings::read(endpoint);
    builder = git.apply(builder);
    let roots = custom_roots(git.authorities);
    if !roots.is_empty() {
        builder = builder.tls_certs_merge(roots);
    }
    builder.build()
}

/// The CA bundles configured for git, curl and Python, in addition to the system's. People who set
/// one of them for a company's proxy expect it to work here too. (`SSL_CERT_FILE` is read with the
/// system's.)
fn custom_roots(configured: Option<PathBuf>) -> Vec<reqwest::Certificate> {
    let configured = configured.map(|path| ("http.sslCAInfo", path.into_os_string()));
    ["GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"]
        .into_iter()
        .filter_map(|name| Some((name, environment::variable(name)?)))
        .chain(configured)
        .flat_map(|(variable, path)| {
            bundle(Path::new(&path)).unwrap_or_else(|error| {
                let path = Path::new(&path).display();
                terminal::say(&format!(
                    "cannot use the certificates in {path}, set by {variable}: {error}"
                ));
                Vec::new()
            })
        })
        .collect()
}

fn bundle(path: &Path) -> io::Result<Vec<reqwest::Certificate>> {
    let plain = files::read_plain(path)?;
    let found = reqwest::Certificate::from_pem_bundle(&plain.bytes)
        .map_err(|_| io::Error::other("it is not PEM"))?;
    if found.is_empty() {
        return Err(io::Error::other("it does not contain a certificate"));
    }
    Ok(found)
}

fn read(response: Response) -> io::Result<Answer> {
    let status = response.status();
    let error_code = response
        .headers()
        .get("x-error-code")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    response.take(MAX_ANSWER).read_to_end(&mut bytes)?;
    let body = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Answer {
        status,
        error_code,
        body,
    })
}

/// `Retry-After` in seconds. The other form, a date, is ignored.
fn retry_after(response: &Response) -> Option<u64> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok()
}

/// An `Authorization: Bearer` header.
fn bearer(secret: &Secret) -> Result<header::HeaderValue, HubError> {
    let text = Zeroizing::new(format!("Bearer {}", secret.expose()));
    let mut value = header::HeaderValue::from_str(&text)
        .map_err(|_| HubError::Unavailable("the token cannot be sent in a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost cause of an error, which says more than the outer ones, without the system's
/// number for it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(text::one_line(&inner.to_string()));
        cause = inner.source();
    }
    texts.dedup();
    let text = match texts.as_slice() {
        [] => text::one_line(&error.to_string()),
        [.., before, last] if before.contains(last.as_str()) => before.clone(),
        [.., last] => last.clone(),
    };
    match text.rsplit_once(" (os error ") {
        Some((words, number)) if number.ends_with(')') => words.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_no_number() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] io::Error);
        for (text, expected) in [
            ("Connection refused (os error 111)", "Connection refused"),
            ("dns error", "dns error"),
        ] {
            assert_eq!(causes(&Outer(io::Error::other(text))), expected);
        }
    }

    #[test]
    fn reasons_are_short_and_hold_no_token() {
        let token = format!("hf_{}", "Zz9".repeat(12));
        let answer = |body: &str, code: Option<&str>| Answer {
            status: StatusCode::FORBIDDEN,
            error_code: code.map(str::to_owned),
            body: Zeroizing::new(body.to_owned()),
        };
        let reason = answer(
            &format!("{{\"error\": \"token {token} is\\nnot\\u001b[2J ok\"}}"),
            None,
        )
        .reason();
        assert_eq!(reason, "token hf_…9Zz9 is not[2J ok");
        assert_eq!(answer("", None).reason(), "no reason given");
        assert_eq!(
            answer("Access restricted", Some("GatedRepo")).reason(),
            "gated repo: Access restricted"
        );
        assert_eq!(answer(&"x ".repeat(500), None).reason().len(), 300);
    }
}
