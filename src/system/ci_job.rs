//! Where a CI job gets its identity from.

use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::model::secret::{Secret, SecretError};

/// The secret with which a GitHub Actions job requests its ID token.
pub(crate) const JOB_VARIABLE: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The variables that may contain an ID token; earlier ones take precedence. The first is for any
/// provider; CircleCI and Bitbucket set the others themselves.
pub(crate) const ID_TOKEN_VARIABLES: [&str; 3] = [
    "HF_OIDC_ID_TOKEN",
    "CIRCLE_OIDC_TOKEN_V2",
    "BITBUCKET_STEP_OIDC_TOKEN",
];

/// How a job can prove its identity.
#[derive(Debug)]
pub(crate) enum JobIdentity {
    /// With an ID token in a variable.
    Given {
        /// The variable's name.
        variable: &'static str,
        /// Its value, or why it is not an ID token.
        token: Result<Secret, SecretError>,
    },
    /// With an ID token that GitHub Actions issues on request.
    Minted {
        /// The URL to request it from.
        url: String,
        /// The secret to request it with.
        request_token: Result<Secret, SecretError>,
    },
    /// It cannot.
    Missing,
}

/// A CI service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// CircleCI.
    CircleCi,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// Any other.
    Other,
}

/// A CI job.
#[derive(Debug)]
pub(crate) struct CiJob {
    /// The service that runs it.
    pub(crate) service: Service,
    /// How it can prove its identity.
    pub(crate) identity: JobIdentity,
}

impl CiJob {
    /// Reads the job's variables through `lookup`, which must return `None` for empty ones.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_set = |name: &str| lookup(name).is_some();
        let service = if is_set("GITHUB_ACTIONS") {
            Service::GitHub
        } else if is_set("GITLAB_CI") {
            Service::GitLab
        } else if is_set("CIRCLECI") {
            Service::CircleCi
        } else if is_set("BITBUCKET_BUILD_NUMBER") {
            Service::Bitbucket
        } else {
            Service::Other
        };
        let given = |variable: &'static str| {
            let token = secret(lookup(variable)?);
            Some(JobIdentity::Given { variable, token })
        };
        let minted = || {
            let request_token = secret(lookup(JOB_VARIABLE)?);
            let url = lookup("ACTIONS_ID_TOKEN_REQUEST_URL")?;
            let url = url.into_string().ok()?;
            Some(JobIdentity::Minted { url, request_token })
        };
        let [any, own @ ..] = ID_TOKEN_VARIABLES;
        let identity = given(any)
            .or_else(minted)
            .or_else(|| own.into_iter().find_map(given))
            .unwrap_or(JobIdentity::Missing);
        Self { service, identity }
    }
}

fn secret(value: OsString) -> Result<Secret, SecretError> {
    let value = value
        .into_string()
        .map_err(|_| SecretError::ControlCharacter)?;
    Secret::from_input(Zeroizing::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> CiJob {
        CiJob::read(|name| {
            let pair = pairs.iter().find(|(known, _)| *known == name)?;
            Some(OsString::from(pair.1))
        })
    }

    #[test]
    fn the_variable_for_any_provider_comes_first_then_githubs_endpoint() {
        let all = [
            ("CIRCLE_OIDC_TOKEN_V2", "c"),
            ("BITBUCKET_STEP_OIDC_TOKEN", "b"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
            (JOB_VARIABLE, "r"),
            ("HF_OIDC_ID_TOKEN", " any\n"),
        ];
        let of = |count: usize| match read(&all[..count]).identity {
            JobIdentity::Given { variable, token } => {
                format!("{variable} {}", token.unwrap().expose())
            }
            JobIdentity::Minted { url, .. } => url,
            JobIdentity::Missing => String::new(),
        };
        assert_eq!(of(0), "");
        assert_eq!(of(1), "CIRCLE_OIDC_TOKEN_V2 c");
        // One of GitHub's two variables alone does not count.
        assert_eq!(of(3), "CIRCLE_OIDC_TOKEN_V2 c");
        assert_eq!(of(4), "https://x");
        assert_eq!(of(5), "HF_OIDC_ID_TOKEN any");
        let bitbucket = read(&all[1..2]).identity;
        assert!(
            matches!(bitbucket, JobIdentity::Given { variable, .. } if variable == "BITBUCKET_STEP_OIDC_TOKEN")
        );
    }

    #[test]
    fn services_are_told_apart() {
        for (variable, service) in [
            ("GITHUB_ACTIONS", Service::GitHub),
            ("GITLAB_CI", Service::GitLab),
            ("CIRCLECI", Service::CircleCi),
            ("BITBUCKET_BUILD_NUMBER", Service::Bitbucket),
            ("CI", Service::Other),
        ] {
            assert_eq!(read(&[(variable, "true")]).service, service);
        }
    }
}
