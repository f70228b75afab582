//! The browser login (device flow, RFC 8628) and the renewal of its tokens.

use reqwest::Method;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Answer, Hub, HubError, quoted};
use crate::model::secret::Secret;
use crate::system::environment;

/// The id of the hf CLI's public OAuth client, which this program uses too.
const CLIENT_ID: &str = "26be6b09-91c5-47da-9861-d2d2bb7a7e36";

/// The id of the OAuth client: `HF_DEVICE_CODE_OAUTH_CLIENT_ID`, or the hf CLI's.
pub(crate) fn client_id() -> String {
    environment::text("HF_DEVICE_CODE_OAUTH_CLIENT_ID")
        .filter(|id| id.bytes().all(|b| b.is_ascii_graphic()))
        .unwrap_or_else(|| CLIENT_ID.to_owned())
}

/// The start of a browser login.
#[derive(Debug)]
pub(crate) struct DeviceCode {
    device_code: Secret,
    /// The code to type on the page.
    pub(crate) user_code: String,
    /// The URL of the page.
    pub(crate) verification_uri: String,
    /// The URL of the page with the code filled in.
    pub(crate) verification_uri_complete: Option<String>,
    /// How long to wait between polls, in seconds.
    pub(crate) interval: u64,
    /// How long the code is valid, in seconds.
    pub(crate) expires_in: u64,
}

/// Tokens from a browser login, a renewal or an exchange.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access_token: Secret,
    /// The refresh token. If a renewal does not return one, the old one stays valid.
    pub(crate) refresh_token: Option<Secret>,
    /// How long the access token is valid, in seconds.
    pub(crate) expires_in: Option<u64>,
}

/// The status of a browser login.
#[derive(Debug)]
pub(crate) enum Poll {
    /// The user has not decided yet.
    Pending,
    /// Still pending, and we poll too often.
    SlowDown,
    /// The user has approved the login.
    Done(Tokens),
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: Zeroizing<String>,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default)]
    interval: Option<u64>,
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Zeroizing<String>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Hub {
    /// Starts a browser login.
    pub(crate) fn device_code(&self, client_id: &str) -> Result<DeviceCode, HubError> {
        let answer = self.post_form("/oauth/device", &[("client_id", client_id)])?;
        let wire: DeviceAnswer = accepted(answer)?.json()?;
        Ok(DeviceCode {
            device_code: secret(&wire.device_code)?,
            user_code: wire.user_code,
            verification_uri: wire.verification_uri,
            verification_uri_complete: wire.verification_uri_complete,
            // RFC 8628, section 3.2: five seconds if the server does not say.
            interval: wire.interval.unwrap_or(5).clamp(1, 60),
            expires_in: wire.expires_in.unwrap_or(600).min(3600),
        })
    }

    /// Asks for the status of a browser login.
    ///
    /// # Errors
    /// See [`HubError`]; `expired_token` and `access_denied` end the login.
    pub(crate) fn poll(&self, client_id: &str, code: &DeviceCode) -> Result<Poll, HubError> {
        let answer = self.post_form(
            "/oauth/token",
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("device_code", code.device_code.expose()),
                ("client_id", client_id),
            ],
        )?;
        match tokens(answer) {
            Ok(tokens) => Ok(Poll::Done(tokens)),
            Err(error) if error.is_oauth("authorization_pending") => Ok(Poll::Pending),
            Err(error) if error.is_oauth("slow_down") => Ok(Poll::SlowDown),
            Err(error) => Err(error),
        }
    }

    /// Renews a token. The refresh token may be valid only once.
    ///
    /// # Errors
    /// See [`HubError`]; `invalid_grant` means that a new login is needed.
    pub(crate) fn refresh(
        &self,
        client_id: &str,
        refresh_token: &Secret,
    ) -> Result<Tokens, HubError> {
        let answer = self.post_form(
            "/oauth/token",
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.expose()),
                ("client_id", client_id),
            ],
        )?;
        tokens(answer)
    }

    fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, HubError> {
        self.send(&|| Ok(self.request(Method::POST, path)?.form(form)))
    }
}

/// Turns an OAuth error into an error: JSON with a code and usually a description, with status 400 or
/// 401 (RFC 6749, section 5.2).
fn accepted(answer: Answer) -> Result<Answer, HubError> {
    if matches!(answer.status.as_u16(), 400 | 401 | 403)
        && let Ok(wire) = serde_json::from_str::<ErrorAnswer>(&answer.body)
    {
        let code = wire.error.chars().filter(char::is_ascii_graphic).take(60);
        return Err(HubError::OAuth {
            code: quoted(&code.collect::<String>()),
            description: quoted(&wire.error_description.unwrap_or_default()),
        });
    }
    answer.ok()
}

/// The tokens in an answer of the OAuth server.
pub(super) fn tokens(answer: Answer) -> Result<Tokens, HubError> {
    let wire: TokenAnswer = accepted(answer)?.json()?;
    Ok(Tokens {
        access_token: secret(&wire.access_token)?,
        refresh_token: wire.refresh_token.as_ref().map(|t| secret(t)).transpose()?,
        expires_in: wire.expires_in,
    })
}

fn secret(text: &str) -> Result<Secret, HubError> {
    if text.is_empty() {
        return Err(HubError::Unavailable(
            "the Hub's answer contains an empty token".to_owned(),
        ));
    }
    Secret::exact(text).map_err(|error| HubError::Unavailable(format!("the Hub's answer: {error}")))
}
