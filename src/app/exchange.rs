//! Exchanges a CI job's identity for a token, once for each job, however many processes ask.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use hmac_sha256::Hash as Sha256;

use crate::app::Context;
use crate::app::job_identity::{self, IdToken, IdentityError};
use crate::app::renewal::{self, AFTER_SLOW, SLOW};
use crate::hub::{Hub, HubError};
use crate::model::endpoint::Endpoint;
use crate::model::secret::{Secret, hex};
use crate::model::token_name::TokenName;
use crate::selection::Exchange;
use crate::storage::file::FileStorage;
use crate::storage::{Record, Storage, StorageError};
use crate::system::ci_job::{CiJob, JobIdentity};
use crate::system::clock::now;
use crate::system::files::{self, Lock};
use crate::system::paths::Paths;
use crate::system::trace;

/// How long a process waits for another one that makes the exchange (at most two requests).
const LOCK_DEADLINE: Duration = Duration::from_secs(25);

/// The lifetime of exchanged tokens according to the Hub's documentation, in seconds.
const ONE_HOUR: u64 = 3600;

/// How long it is remembered that no trusted publisher matches, in seconds. Otherwise, with `auto`,
/// each program of a push would ask the Hub again.
const NO_PUBLISHER_SECONDS: u64 = 60;

/// Why the job gets no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// `HF_OIDC_RESOURCE` is malformed.
    #[error(
        "HF_OIDC_RESOURCE cannot be used: it is not `auto`, a repo such as acme/x or \
         datasets/acme/x, or a username"
    )]
    Resource,
    /// The job has no usable ID token.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The resource has no trusted publisher that matches this job.
    #[error("{0}")]
    NoPublisher(String),
    /// The Hub refuses for another reason, or cannot be reached.
    #[error("the job's identity could not be exchanged for a token of {0}: {1}")]
    Hub(String, String),
}

/// A job that needs a token.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    endpoint: &'a Endpoint,
    resource: &'a str,
    job: &'a CiJob,
    kept: Option<Kept>,
}

impl<'a> Job<'a> {
    /// Describes the job that this process runs in.
    ///
    /// # Errors
    /// When it is not clear what the token is for.
    pub(crate) fn new(
        context: &'a Context,
        endpoint: &'a Endpoint,
        exchange: &'a Exchange,
    ) -> Result<Self, ExchangeError> {
        let oidc = context.env.oidc.as_ref().ok_or(ExchangeError::Resource)?;
        let resource = exchange.resource().ok_or(ExchangeError::Resource)?;
        let key = key(endpoint, resource, &oidc.job.identity);
        Ok(Self {
            endpoint,
            resource,
            job: &oidc.job,
            kept: key.and_then(|key| Kept::find(context, key)),
        })
    }

    /// Returns the token that was stored for the job, if it is still valid.
    pub(crate) fn kept(&self) -> Option<Record> {
        let kept = self.kept.as_ref()?;
        let record = kept.storage.read(&kept.name).ok()?;
        let good = record.endpoint == *self.endpoint && record.expires.is_some_and(|at| at > now());
        good.then_some(record)
    }

    /// Checks, without a request, whether the job can get a token.
    ///
    /// # Errors
    /// When it has no usable ID token.
    pub(crate) fn look(&self) -> Result<(), ExchangeError> {
        job_identity::look(self.job, self.endpoint, now())?;
        Ok(())
    }

    /// The job's token: the one that is kept, or a new one where there is none, it is about to
    /// expire, or the Hub has rejected it.
    pub(crate) fn token(
        &self,
        is_rejected: &dyn Fn(&Secret) -> bool,
    ) -> Result<Record, ExchangeError> {
        let kept = || self.kept().filter(|record| !is_rejected(&record.secret));
        let fresh = || kept().filter(|record| !renewal::expires_soon(record, now()));
        if let Some(record) = fresh() {
            return Ok(record);
        }
        let Some(files) = &self.kept else {
            return self.exchange();
        };
        let _lock = match Lock::acquire(&files.lock, LOCK_DEADLINE) {
            Ok(lock) => lock,
            Err(error) => return self.failed(&error.to_string()),
        };
        // Another process may have made the exchange, or failed, while this one waited.
        if let Some(record) = fresh() {
            return Ok(record);
        }
        let start = Instant::now();
        let outcome = files.recent_failure(self.resource).map_or_else(
            || {
                let outcome = self.exchange();
                files.remember(&outcome, start.elapsed());
                outcome
            },
            Err,
        );
        match (outcome, kept()) {
            // The next request tries again.
            (Err(failure), Some(record)) => {
                trace::line(|| format!("the job's token expires soon: {failure}"));
                Ok(record)
            }
            (outcome, _) => outcome,
        }
    }

    fn exchange(&self) -> Result<Record, ExchangeError> {
        let IdToken { secret, claims } = job_identity::id_token(self.job, self.endpoint, now())?;
        let exchanged = Hub::impatient(self.endpoint).exchange(&secret, self.resource);
        let exchanged = match exchanged {
            Ok(exchanged) => exchanged,
            Err(error) if error.is_oauth("invalid_grant") => {
                return Err(ExchangeError::NoPublisher(format!(
                    "no trusted publisher of {} on {} matches this job ({error}): \
                     the job is `{}` of {}",
                    self.resource,
                    self.endpoint.authority(),
                    claims.subject,
                    claims.issuer,
                )));
            }
            Err(HubError::NotFound) => {
                return self.failed("this Hub does not exchange identities");
            }
            Err(error) => return self.failed(&error.to_string()),
        };
        let expires_in = exchanged.expires_in.unwrap_or(ONE_HOUR);
        let now = now();
        trace::line(|| {
            format!(
                "exchanged the job's identity for a token of {}",
                self.resource
            )
        });
        Ok(Record {
            expires: Some(now.saturating_add(expires_in)),
            renewed: Some(now),
            ..Record::new(exchanged.access_token, self.endpoint.clone())
        })
    }

    fn failed<T>(&self, why: &str) -> Result<T, ExchangeError> {
        Err(ExchangeError::Hub(self.resource.to_owned(), why.to_owned()))
    }
}

/// The name of a stored token: a hash of the endpoint, the resource and the identity.
fn key(endpoint: &Endpoint, resource: &str, identity: &JobIdentity) -> Option<TokenName> {
    let (kind, identity) = match identity {
        JobIdentity::Given { token, .. } => ("given", token.as_ref().ok()?),
        JobIdentity::Minted { request_token, .. } => ("minted", request_token.as_ref().ok()?),
        JobIdentity::Missing => return None,
    };
    let mut hash = Sha256::new();
    for part in [&endpoint.to_string(), resource, kind, identity.expose()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Some(TokenName::existing(&hex(hash.finalize().iter().take(16))))
}

/// The two files of a job: the token, and the last failure.
#[derive(Debug)]
struct Kept {
    storage: FileStorage,
    name: TokenName,
    lock: PathBuf,
    failure: PathBuf,
}

impl Kept {
    /// The files in the first folder that only this user can enter. In a container, the runner's
    /// folder may belong to another user. Without such a folder, nothing is stored.
    fn find(context: &Context, name: TokenName) -> Option<Self> {
        let mut places = Paths::for_job(&context.env).into_iter();
        let dir = places.find(|dir| {
            let made = files::create_private_dir(dir);
            made.is_ok() && files::is_private_dir(dir)
        });
        let Some(dir) = dir else {
            trace::line(|| "there is no private folder to store the job's token in".to_owned());
            return None;
        };
        let file = |extension: &str| dir.join(format!("exchange-{}.{extension}", name.as_str()));
        Some(Self {
            storage: FileStorage::new(dir.join("exchange")),
            lock: file("lock"),
            failure: file("failure"),
            name,
        })
    }

    /// The last failure, if it is too early to try again.
    fn recent_failure(&self, resource: &str) -> Option<ExchangeError> {
        let text = files::read_plain(&self.failure).ok()?.bytes;
        let text = String::from_utf8(text).ok()?;
        let modified = std::fs::metadata(&self.failure).ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(modified).ok()?.as_secs();
        let (kind, why) = text.split_once('\n')?;
        match kind {
            "no publisher" if age < NO_PUBLISHER_SECONDS => {
                Some(ExchangeError::NoPublisher(why.to_owned()))
            }
            "slow" if age < AFTER_SLOW => Some(ExchangeError::Hub(
                resource.to_owned(),
                format!("{why} (asked a moment ago)"),
            )),
            _ => None,
        }
    }

    /// Stores the result of an exchange. The caller holds the lock.
    fn remember(&self, outcome: &Result<Record, ExchangeError>, took: Duration) {
        let kept = match outcome {
            Ok(record) => {
                let _ = std::fs::remove_file(&self.failure);
                self.storage.write(&self.name, record)
            }
            Err(ExchangeError::NoPublisher(why)) => self.note(&format!("no publisher\n{why}")),
            Err(ExchangeError::Hub(_, why)) if took >= SLOW => self.note(&format!("slow\n{why}")),
            Err(_) => Ok(()),
        };
        if let Err(error) = kept {
            trace::line(|| format!("keeping what the exchange gave: {error}"));
        }
    }

    fn note(&self, text: &str) -> Result<(), StorageError> {
        files::write_whole(&self.failure, text.as_bytes(), None)
            .map_err(|error| StorageError::Unavailable(error.to_string()))
    }
}
