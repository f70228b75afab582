//! Exchanges a CI job's identity for a token (RFC 8693), and gets ID tokens from GitHub.

use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::oauth::{Tokens, tokens};
use super::{Hub, HubError, bearer};
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;

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
struct IdTokenAnswer {
    value: Zeroizing<String>,
}

impl Hub {
    /// Exchanges an ID token for a token of one repo or account.
    ///
    /// # Errors
    /// See [`HubError`]; `invalid_grant` means that the ID token is valid, but no trusted publisher
    /// matches it.
    pub(crate) fn exchange(&self, id_token: &Secret, resource: &str) -> Result<Tokens, HubError> {
        let answer = self.send(&|| {
            let request = self.request(Method::POST, "/oauth/token")?;
            Ok(request.json(&json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "subject_token": id_token.expose(),
                "resource": resource,
            })))
        })?;
        tokens(answer)
    }
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
