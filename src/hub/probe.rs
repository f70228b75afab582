//! Checks whether a Hub can be reached, without a token.

use std::sync::mpsc;
use std::time::Duration;

use reqwest::{Method, header};

use super::{Hub, HubError, causes};
use crate::model::endpoint::Endpoint;
use crate::model::time;

/// A Hub's answer to [`Hub::probe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    /// The Hub's clock in Unix seconds, if it sent a date.
    pub(crate) date: Option<u64>,
    /// This machine's clock at the same time, in Unix seconds.
    pub(crate) now: u64,
}

/// Why a Hub could not be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// Its certificate is not accepted.
    Certificate(String),
    /// It redirects to another site.
    Elsewhere(String),
    /// It cannot be connected to, or does not answer in time.
    Silent(String),
}

impl Hub {
    /// Makes one request to an endpoint, without a token. A thread makes the request and is
    /// abandoned if it takes too long, since an unreachable name server can delay it beyond the
    /// request's deadline.
    pub(crate) fn probe(endpoint: &Endpoint, timeout: Duration) -> Result<Probe, Unreached> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let hub = Self::new(endpoint);
        let host = endpoint.authority();
        std::thread::spawn(move || {
            let _ = sender.send(hub.probe_and_wait(timeout));
        });
        receiver.recv_timeout(timeout).unwrap_or_else(|_| {
            let seconds = timeout.as_secs();
            let message = format!("{host} did not answer within {seconds} s");
            Err(Unreached::Silent(message))
        })
    }

    fn probe_and_wait(&self, timeout: Duration) -> Result<Probe, Unreached> {
        let request = self
            .request(Method::HEAD, "/")
            .map_err(|error| match error {
                HubError::Unavailable(text) => Unreached::Silent(text),
                other => Unreached::Silent(other.to_string()),
            })?;
        match request.timeout(timeout).send() {
            Ok(response) => {
                let date = response.headers().get(header::DATE);
                let date = date.and_then(|value| value.to_str().ok());
                Ok(Probe {
                    date: date.and_then(time::parse_http),
                    now: crate::system::clock::now(),
                })
            }
            Err(error) => {
                let text = self.unreachable(&error).to_string();
                let cause = causes(&error).to_lowercase();
                Err(if error.is_redirect() {
                    Unreached::Elsewhere(text)
                } else if cause.contains("certificate") || cause.contains("unknownissuer") {
                    Unreached::Certificate(text)
                } else {
                    Unreached::Silent(text)
                })
            }
        }
    }
}
