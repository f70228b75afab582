//! Whether a Hub can be reached at all, asked without a token.

use std::sync::mpsc;
use std::time::Duration;

use reqwest::{Method, header};

use super::{Hub, HubError, causes};
use crate::model::endpoint::Endpoint;
use crate::model::time;

/// How a Hub answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Its clock, in seconds since 1970, where it says.
    pub(crate) date: Option<u64>,
    /// This machine's clock then.
    pub(crate) now: u64,
}

/// Why a Hub was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// Its certificate is not accepted.
    Certificate(String),
    /// Another site answers in its place.
    Elsewhere(String),
    /// No way there, or no answer in time.
    Silent(String),
}

impl Hub {
    /// Makes one request to an endpoint, without a token. The thread that makes it is left
    /// behind when it is not done in time: a name server that is out of reach can hold it up
    /// for longer than any deadline of a request.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) fn knock(endpoint: &Endpoint, timeout: Duration) -> Result<Probe, Unreached> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let hub = Self::new(endpoint);
        let host = endpoint.authority();
        std::thread::spawn(move || {
            let _ = sender.send(hub.knock_and_wait(timeout));
        });
        receiver.recv_timeout(timeout).unwrap_or_else(|_| {
            let seconds = timeout.as_secs();
            let message = format!("{host} did not answer within {seconds} s");
            Err(Unreached::Silent(message))
        })
    }

    fn knock_and_wait(&self, timeout: Duration) -> Result<Probe, Unreached> {
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
