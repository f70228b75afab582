//! `POST /api/credentials/revoke`: end a token everywhere.

use reqwest::Method;
use serde_json::json;

use super::{Hub, HubError};
use crate::model::secret::Secret;

impl Hub {
    /// Ends tokens on the Hub, at once and for good. The Hub takes this without a login and
    /// never says whether it knew the token.
    ///
    /// # Errors
    /// See [`HubError`].
    pub(crate) fn revoke(&self, secrets: &[&Secret]) -> Result<(), HubError> {
        // The body is the third place where a token leaves the program: to end it, the Hub
        // must be told which.
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
