//! Gets the ID token that proves which CI job this is, and checks it before it is sent to the Hub.

use crate::hub::exchange::{MintError, mint};
use crate::model::endpoint::Endpoint;
use crate::model::id_token::{Claims, IdTokenError};
use crate::model::secret::{Secret, SecretError};
use crate::system::ci_job::{CiJob, JobIdentity, Service};

/// Why there is no usable ID token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// The job has no ID token.
    #[error("HF_OIDC_RESOURCE is set, but this job has no ID token: {0}")]
    Missing(String),
    /// The value of a variable is not an ID token.
    #[error("the ID token in {0} cannot be used: {1}")]
    Variable(&'static str, SecretError),
    /// The ID token's claims rule it out.
    #[error("the ID token {from} {why}: {remedy}")]
    Unfit {
        /// Where it comes from.
        from: String,
        /// What is wrong.
        why: IdTokenError,
        /// What to do about it.
        remedy: String,
    },
    /// GitHub issued no ID token.
    #[error("this job got no ID token: {0}")]
    Mint(MintError),
}

/// An ID token and its claims.
#[derive(Debug)]
pub(crate) struct IdToken {
    /// The token.
    pub(crate) secret: Secret,
    pub(crate) claims: Claims,
}

/// Says where the job's ID token comes from, without requesting it.
pub(crate) fn look(job: &CiJob, endpoint: &Endpoint, now: u64) -> Result<String, IdentityError> {
    match &job.identity {
        JobIdentity::Given { variable, token } => {
            given(job, variable, token, endpoint, now)?;
            Ok(format!("the ID token in {variable}"))
        }
        JobIdentity::Minted { request_token, .. } => {
            usable(request_token)?;
            Ok("an ID token from GitHub Actions".to_owned())
        }
        JobIdentity::Missing => Err(missing(job, endpoint)),
    }
}

/// The job's ID token for this Hub.
pub(crate) fn id_token(
    job: &CiJob,
    endpoint: &Endpoint,
    now: u64,
) -> Result<IdToken, IdentityError> {
    match &job.identity {
        JobIdentity::Given { variable, token } => given(job, variable, token, endpoint, now),
        JobIdentity::Minted { url, request_token } => {
            let request_token = usable(request_token)?;
            let secret = mint(url, request_token, &endpoint.to_string());
            let secret = secret.map_err(IdentityError::Mint)?;
            let unfit = |why| IdentityError::Unfit {
                from: "from GitHub Actions".to_owned(),
                why,
                remedy: "run the job again".to_owned(),
            };
            let claims = Claims::read(&secret).map_err(unfit)?;
            claims.check(&endpoint.to_string(), now).map_err(unfit)?;
            Ok(IdToken { secret, claims })
        }
        JobIdentity::Missing => Err(missing(job, endpoint)),
    }
}

fn usable(request_token: &Result<Secret, SecretError>) -> Result<&Secret, IdentityError> {
    let broken =
        |error: &SecretError| IdentityError::Variable(crate::system::ci_job::JOB_VARIABLE, *error);
    request_token.as_ref().map_err(broken)
}

fn given(
    job: &CiJob,
    variable: &'static str,
    token: &Result<Secret, SecretError>,
    endpoint: &Endpoint,
    now: u64,
) -> Result<IdToken, IdentityError> {
    let secret = token
        .clone()
        .map_err(|error| IdentityError::Variable(variable, error))?;
    let unfit = |why: IdTokenError| IdentityError::Unfit {
        from: format!("in {variable}"),
        remedy: match why {
            IdTokenError::Expired(_) => "let the job get one shortly before it runs git".to_owned(),
            IdTokenError::NotAnIdToken | IdTokenError::WrongAudience(_) => {
                how_to_get(job.service, endpoint)
            }
        },
        why,
    };
    let claims = Claims::read(&secret).map_err(unfit)?;
    claims.check(&endpoint.to_string(), now).map_err(unfit)?;
    Ok(IdToken { secret, claims })
}

fn missing(job: &CiJob, endpoint: &Endpoint) -> IdentityError {
    IdentityError::Missing(how_to_get(job.service, endpoint))
}

/// Where a job of this service gets an ID token from.
fn how_to_get(service: Service, endpoint: &Endpoint) -> String {
    match service {
        Service::GitHub => "add `permissions: id-token: write` to the job in the workflow \
                            (a pull request from a fork never gets one)"
            .to_owned(),
        Service::GitLab => format!(
            "below `id_tokens:` of the job in .gitlab-ci.yml, add HF_OIDC_ID_TOKEN with \
             `aud: {endpoint}`"
        ),
        Service::CircleCi => format!(
            "set HF_OIDC_ID_TOKEN to what `circleci run oidc get --claims \
             '{{\"aud\": \"{endpoint}\"}}'` prints"
        ),
        Service::Bitbucket => format!(
            "below `oidc:` of the step in bitbucket-pipelines.yml, add {endpoint} to `audiences`"
        ),
        Service::Other => {
            format!("set HF_OIDC_ID_TOKEN to one of this job's with the audience {endpoint}")
        }
    }
}
