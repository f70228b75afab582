//! Makes the first request of a fetch or push, to find out whether git's would work.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;

use super::{Hub, HubError};
use crate::model::operation::Operation;
use crate::model::repo::Repo;
use crate::model::secret::Secret;

impl Hub {
    /// Requests a repo's refs as git does for a fetch or a push, and nothing more.
    pub(crate) fn try_access(
        &self,
        repo: &Repo,
        operation: Operation,
        secret: Option<&Secret>,
    ) -> Result<(), HubError> {
        let service = match operation {
            Operation::Fetch => "git-upload-pack",
            Operation::Push => "git-receive-pack",
        };
        let path = format!("/{repo}.git/info/refs?service={service}");
        let authorization = secret.map(super::bearer).transpose()?;
        let answer = self.send(&|| {
            let request = self.request(Method::GET, &path)?;
            Ok(match &authorization {
                Some(value) => request.header(AUTHORIZATION, value.clone()),
                None => request,
            })
        })?;
        answer.ok().map(|_| ())
    }
}
