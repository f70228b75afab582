//! `POST /api/credentials/revoke`: revokes tokens.

use reqwest::Method;
use serde_json::json;

use super::{Hub, HubError};
use crate::model::secret::Secret;

impl Hub {
    /// Revokes tokens on the Hub, at once and permanently. The Hub accepts this without a login,
    /// and does not say whether it knew the tokens.
    pub(crate) fn revoke(&self, secrets: &[&Secret]) -> Result<(), HubError> {
        let answer = self.send(&|| {
            let body =
                json!({ "credentials": secrets.iter().map(|s| s.expose()).collect::<Vec<_>>() });
            Ok(self
                .request(Method::POST, "/api/credentials/revoke")?
                .json(&body))
        })?;
        answer.ok().map(|_| ())
    }
}
