//! What is stored for one token: its secret, and what must not be separated from it.

use zeroize::Zeroizing;

use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;

/// A secret and the endpoint that it is for. They are written as one value, so that an interrupted
/// change cannot pair a secret with another token's endpoint.
#[derive(Debug, Clone)]
pub struct Record {
    /// The token.
    pub secret: Secret,
    /// The only endpoint that it is sent to.
    pub endpoint: Endpoint,
    /// When it expires, in Unix seconds.
    pub expires: Option<u64>,
    /// The refresh token that renews it.
    pub refresh_token: Option<Secret>,
    /// The OAuth client that it was issued to; only this client can renew it.
    pub client_id: Option<String>,
    /// When it was last renewed, in Unix seconds.
    pub renewed: Option<u64>,
}

/// The text is not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the entry was not written by this program")]
pub struct NotARecord;

impl Record {
    /// A token that does not expire, as far as is known, and that is not renewed.
    pub fn new(secret: Secret, endpoint: Endpoint) -> Self {
        Self {
            secret,
            endpoint,
            expires: None,
            refresh_token: None,
            client_id: None,
            renewed: None,
        }
    }

    /// The record as text: the secret on the first line, as in a `pass` entry, followed by
    /// `key=value` lines.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let Self {
            secret,
            endpoint,
            expires,
            refresh_token,
            client_id,
            renewed,
        } = self;
        let mut text = Zeroizing::new(String::with_capacity(1024));
        let mut line = |parts: &[&str]| {
            parts.iter().for_each(|part| text.push_str(part));
            text.push('\n');
        };
        line(&[secret.expose()]);
        line(&["endpoint=", &endpoint.to_string()]);
        if let Some(at) = expires {
            line(&["expires=", &at.to_string()]);
        }
        if let Some(token) = refresh_token {
            line(&["refresh_token=", token.expose()]);
        }
        if let Some(id) = client_id.as_ref().filter(|id| is_line(id)) {
            line(&["client_id=", id]);
        }
        if let Some(at) = renewed {
            line(&["renewed=", &at.to_string()]);
        }
        text
    }

    /// Reads a record. Unknown keys are ignored.
    ///
    /// # Errors
    /// When the secret or the endpoint is missing.
    pub fn from_text(text: &str) -> Result<Self, NotARecord> {
        let (secret, rest) = text.split_once('\n').ok_or(NotARecord)?;
        let secret = Secret::exact(secret).map_err(|_| NotARecord)?;
        let (mut endpoint, mut expires) = (None, None);
        let (mut refresh_token, mut client_id, mut renewed) = (None, None, None);
        for line in rest.split('\n') {
            match line.split_once('=') {
                Some(("endpoint", value)) => endpoint = Endpoint::parse(value).ok(),
                Some(("expires", value)) => expires = value.parse().ok(),
                Some(("refresh_token", value)) => refresh_token = Secret::exact(value).ok(),
                Some(("client_id", value)) if is_line(value) => client_id = Some(value.to_owned()),
                Some(("renewed", value)) => renewed = value.parse().ok(),
                _ => {}
            }
        }
        Ok(Self {
            secret,
            endpoint: endpoint.ok_or(NotARecord)?,
            expires,
            refresh_token,
            client_id,
            renewed,
        })
    }
}

/// Whether a value fits on one line.
fn is_line(value: &str) -> bool {
    !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        for (expires, refresh) in [(None, None), (Some(17), Some("refresh me"))] {
            let token = Secret::exact("to=ken").unwrap();
            let record = Record {
                expires,
                refresh_token: refresh.map(|r| Secret::exact(r).unwrap()),
                client_id: refresh.map(|_| "a client".to_owned()),
                renewed: expires,
                ..Record::new(token, Endpoint::hugging_face())
            };
            let back = Record::from_text(&record.to_text()).unwrap();
            assert!(back.secret.same_as(&record.secret));
            assert_eq!(back.endpoint, record.endpoint);
            assert_eq!(back.expires, expires);
            assert_eq!(back.client_id, record.client_id);
            assert_eq!(back.refresh_token.as_ref().map(Secret::expose), refresh);
        }
    }

    #[test]
    fn a_client_id_from_the_environment_cannot_name_another_endpoint() {
        let token = Secret::exact("token").unwrap();
        let record = Record {
            client_id: Some("x\nendpoint=https://evil.example".to_owned()),
            ..Record::new(token, Endpoint::hugging_face())
        };
        let back = Record::from_text(&record.to_text()).unwrap();
        assert!(back.endpoint.is_hugging_face());
        assert_eq!(back.client_id, None);
    }

    #[test]
    fn other_texts_are_not_records() {
        for text in ["", "token", "token\n", "token\nendpoint=nowhere\n"] {
            assert_eq!(Record::from_text(text).unwrap_err(), NotARecord, "{text:?}");
        }
        assert!(Record::from_text("\nendpoint=https://hub.example\nnew=1\n").is_ok());
    }
}
