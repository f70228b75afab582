//! Exchanges a CI job's identity for a token (RFC 8693), and gets ID tokens from GitHub.

use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::{Answer, Hub, HubError, bearer, redact};
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;
use crate::model::text::one_line;

/// A token from an exchange.
#[derive(Debug)]
pub(crate) struct ExchangedToken {
    pub(crate) token: Secret,
    /// How long it is valid, in seconds.
    pub(crate) expires_in: u64,
}

/// Why the Hub did not give a token for an identity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// The Hub refuses, with an OAuth error code and a description.
    #[error("`{code}`{}", with_colon(description))]
    Refused {
        /// The code, such as `invalid_grant`.
        code: String,
        /// The Hub's description; may be empty.
        description: String,
    },
    /// The request failed.
    #[error(transparent)]
    Hub(#[from] HubError),
}

fn with_colon(description: &str) -> String {
    if description.is_empty() {
        String::new()
    } else {
        format!(": {description}")
    }
}

impl ExchangeError {
    /// Whether the ID token is valid but no trusted publisher matches it.
    pub(crate) fn has_no_publisher(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "invalid_grant")
    }
}

/// Why GitHub did not give an ID token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MintError {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL` is not a URL to which a token may be sent.
    #[error("ACTIONS_ID_TOKEN_REQUEST_URL is not an https address")]
    Address,
    /// GitHub refuses, with this HTTP status.
    #[error("GitHub answers with status {0}")]
    Refused(u16),
    /// The request failed, or the answer is not valid.
    #[error("{0}")]
    Unavailable(String),
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Zeroizing<String>,
    #[serde(default = "one_hour")]
    expires_in: u64,
}

/// The lifetime of exchanged tokens according to the Hub's documentation, in seconds.
fn one_hour() -> u64 {
    3600
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

#[derive(Deserialize)]
struct IdTokenAnswer {
    value: Zeroizing<String>,
}

impl Hub {
    /// Exchanges an ID token for a token of one repo or account.
    pub(crate) fn exchange(
        &self,
        id_token: &Secret,
        resource: &str,
    ) -> Result<ExchangedToken, ExchangeError> {
        let answer = self.send(&|| {
            let request = self.request(Method::POST, "/oauth/token")?;
            Ok(request.json(&json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "subject_token": id_token.expose(),
                "resource": resource,
            })))
        })?;
        if let Some(refusal) = refusal(&answer) {
            return Err(refusal);
        }
        let wire: TokenAnswer = answer.ok()?.json()?;
        let token = Secret::from_input(wire.access_token)
            .map_err(|error| HubError::Unavailable(format!("the Hub's answer: {error}")))?;
        Ok(ExchangedToken {
            token,
            expires_in: wire.expires_in,
        })
    }
}

/// Reads an OAuth error: JSON with a code and usually a description (RFC 6749, section 5.2).
fn refusal(answer: &Answer) -> Option<ExchangeError> {
    if !matches!(answer.status.as_u16(), 400 | 401 | 403) {
        return None;
    }
    let wire: ErrorAnswer = serde_json::from_str(&answer.body).ok()?;
    let code = wire.error.chars().filter(char::is_ascii_graphic).take(60);
    let description = wire.error_description.unwrap_or_default();
    Some(ExchangeError::Refused {
        code: redact(&code.collect::<String>()),
        description: redact(&one_line(&description)),
    })
}

/// Asks GitHub for an ID token of this job.
pub(crate) fn mint(url: &str, request_token: &Secret, audience: &str) -> Result<Secret, MintError> {
    let mut url = Url::parse(url).map_err(|_| MintError::Address)?;
    let origin = Endpoint::parse(&url.origin().ascii_serialization())
        .ok()
        .filter(|origin| !origin.is_plain_http() && url.username().is_empty())
        .ok_or(MintError::Address)?;
    url.query_pairs_mut().append_pair("audience", audience);
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    // Use the client for Hubs, so that the same rules apply to redirects and plain http.
    let github = Hub::impatient(&origin);
    let answer = github
        .send(&|| {
            let request = github.request(Method::GET, &path)?;
            let request = request.header(header::ACCEPT, "application/json");
            Ok(request.header(header::AUTHORIZATION, bearer(request_token)?))
        })
        .map_err(|error| MintError::Unavailable(error.to_string()))?;
    if answer.status != StatusCode::OK {
        return Err(MintError::Refused(answer.status.as_u16()));
    }
    let unexpected =
        || MintError::Unavailable("GitHub's answer does not contain an ID token".to_owned());
    let wire: IdTokenAnswer = answer.json().map_err(|_| unexpected())?;
    Secret::from_input(wire.value).map_err(|_| unexpected())
}
