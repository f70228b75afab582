//! Loads the tokens of candidates, for [`crate::selection::choose`], which does no I/O.

use crate::app::advice::FIND_CAUSE;
use crate::app::renewal::RenewalError;
use crate::app::wording::{self, remedy, stopped};
use crate::app::{Context, exchange, renewal};
use crate::hf_cli::Which;
use crate::model::secret::{Fingerprint, Secret};
use crate::model::token_name::TokenName;
use crate::selection::{
    Candidate, Exchange, LoadError, LoadedToken, SkipReason, Source, TokenSource, Unusable,
};
use crate::state::{Eligibility, Origin, State};
use crate::storage::{Record, StorageError, command};
use crate::system::clock::now;
use crate::system::trace;

/// A stored token whose value differs from the remembered one.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) name: TokenName,
    /// The value that was read.
    pub(crate) value: Fingerprint,
    /// The kind and last four characters of the value.
    pub(crate) hint: String,
    /// Whether it can be renewed, so that it is probably the same login after a renewal.
    pub(crate) renewable: bool,
}

/// Loads tokens for [`crate::selection::choose`], and remembers what it found on the way.
#[derive(Debug)]
pub(crate) struct TokenReader<'a> {
    /// The handles of this run.
    pub(crate) context: &'a Context,
    /// The state that the candidates were chosen from.
    pub(crate) state: &'a State,
    /// Stored tokens whose value differs from the remembered one.
    pub(crate) changed: Vec<Changed>,
    /// Values that commands printed, if they differ from the remembered ones.
    pub(crate) printed: Vec<(TokenName, Fingerprint)>,
    /// Messages about the candidates that could not be used.
    pub(crate) said: Vec<String>,
    /// Whether to renew a token that is about to expire.
    pub(crate) renews: bool,
}

impl<'a> TokenReader<'a> {
    /// A reader that renews nothing.
    pub(crate) fn new(context: &'a Context, state: &'a State) -> Self {
        Self {
            context,
            state,
            changed: Vec::new(),
            printed: Vec::new(),
            said: Vec::new(),
            renews: false,
        }
    }

    /// A reader that renews tokens that are due.
    pub(crate) fn renewing(context: &'a Context, state: &'a State) -> Self {
        Self {
            renews: true,
            ..Self::new(context, state)
        }
    }

    fn load_stored(&mut self, name: &TokenName) -> Result<LoadedToken, LoadError> {
        let token = self.state.tokens.get(name).ok_or(StorageError::NotFound)?;
        let mut record = self.context.read_stored(name, token)?;
        let read = record.secret.fingerprint();
        if token.origin == Origin::Login && renewal::is_due(&record, now()) {
            if self.renews {
                let renewed = renewal::renew_stored(self.context, name, renewal::When::IfDue);
                let renewed = renewed.map(|renewed| (renewed.record, renewed.warning));
                let subject = format!("token `{name}`");
                if let Some(renewed) = self.renewed(renewed, &subject, record.expires)? {
                    record = renewed;
                }
            } else if !token.renewal_refused {
                still_valid(record.expires)?;
            }
        }
        // A renewal records the new value itself.
        if read != token.fingerprint && record.secret.fingerprint() == read {
            self.changed.push(Changed {
                name: name.clone(),
                value: read,
                hint: record.secret.hint(),
                renewable: record.refresh_token.is_some(),
            });
        }
        // Only the hf CLI's and this program's own logins are renewed. Git gets back what it saved.
        let from_git = token.origin == Origin::Git;
        Ok(LoadedToken {
            secret: record.secret,
            username: token.account.clone().or_else(|| token.username.clone()),
            expires: record.expires.or(token.expires),
            renews: !from_git && record.refresh_token.is_some(),
            refresh_token: record.refresh_token.filter(|_| from_git),
        })
    }

    /// The token to use after a renewal: the new one, or the old one while it is valid.
    fn renewed<T>(
        &mut self,
        outcome: Result<(T, Option<String>), RenewalError>,
        subject: &str,
        expires: Option<u64>,
    ) -> Result<Option<T>, StorageError> {
        match outcome {
            Ok((renewed, warning)) => {
                self.said.extend(warning);
                return Ok(Some(renewed));
            }
            Err(error) if expires.is_none_or(|at| at <= now()) => {
                return Err(StorageError::Refused(error.to_string()));
            }
            // The user should know while the token is still valid.
            Err(error) if error.needs_login() => {
                self.said
                    .push(format!("{subject} expires soon, and {error}"));
            }
            // The next request tries again.
            Err(error) => trace::line(|| format!("renewing {subject}: {error}")),
        }
        Ok(None)
    }

    fn load_command(&mut self, name: &TokenName) -> Result<LoadedToken, StorageError> {
        let commands = &self.context.config.commands;
        let line = commands.get(name).ok_or(StorageError::NotFound)?;
        let secret = command::run(line, command::TIMEOUT)?;
        // A wrong entry of a vault may be a password.
        if !secret.may_belong_to(&line.endpoint) {
            return Err(StorageError::Refused(
                "its output is not a Hub token".to_owned(),
            ));
        }
        let fingerprint = secret.fingerprint();
        let known = self.state.commands.get(name);
        if known.and_then(|values| values.last()) != Some(&fingerprint) {
            self.printed.push((name.clone(), fingerprint));
        }
        Ok(plain(secret))
    }

    fn load_hf_cli(&mut self, which: Which<'_>) -> Result<LoadedToken, LoadError> {
        let hf = self.context.hf_cli();
        let written = renewal::hf_cli::written(hf);
        let mut token = hf.read(which)?;
        // It is for the environment's Hub, which renews it.
        if let Some(endpoint) = self.context.env.endpoint()
            && renewal::hf_cli::is_due_now(hf, &token, written)
        {
            if self.renews {
                let renewed = renewal::hf_cli::renew(self.context, &endpoint, &token);
                if let Some(renewed) = self.renewed(renewed, "the hf CLI's token", token.expires)? {
                    token = renewed;
                }
            } else {
                still_valid(token.expires)?;
            }
        }
        Ok(LoadedToken {
            expires: token.expires,
            ..plain(token.secret)
        })
    }
}

impl TokenReader<'_> {
    /// The token that was stored for this job.
    pub(crate) fn exchanged(&self, exchange: &Exchange) -> Option<Record> {
        let endpoint = self.context.env.endpoint()?;
        let job = exchange::Job::new(self.context, &endpoint, exchange).ok()?;
        job.kept()
    }

    /// A failure ends the choice, since nobody asked for another token in its place. The exception is
    /// `auto` without a matching publisher.
    fn load_exchanged(&mut self, exchange: &Exchange) -> Result<LoadedToken, LoadError> {
        let stop = |failure: exchange::ExchangeError| LoadError::Final(failure.to_string());
        let endpoint = self.context.env.endpoint().ok_or(StorageError::NotFound)?;
        let job = exchange::Job::new(self.context, &endpoint, exchange).map_err(stop)?;
        let is_rejected = |secret: &Secret| {
            self.context.eligibility_here(self.state, secret) != Eligibility::Good
        };
        let token = if self.renews {
            job.token(&is_rejected)
        } else if let Some(kept) = job.kept().filter(|kept| !is_rejected(&kept.secret)) {
            Ok(kept)
        } else {
            job.look().map_err(stop)?;
            return Err(LoadError::Deferred);
        };
        match token {
            Ok(record) => Ok(LoadedToken {
                expires: record.expires,
                ..plain(record.secret)
            }),
            Err(exchange::ExchangeError::NoPublisher(why))
                if matches!(exchange, Exchange::Auto(_)) =>
            {
                Err(StorageError::Refused(why).into())
            }
            Err(failure) => Err(stop(failure)),
        }
    }
}

/// Fails for a token that can only be used after a renewal.
fn still_valid(expires: Option<u64>) -> Result<(), LoadError> {
    match expires.is_some_and(|at| at <= now()) {
        true => Err(LoadError::Deferred),
        false => Ok(()),
    }
}

/// A token about which nothing else is known.
fn plain(secret: Secret) -> LoadedToken {
    LoadedToken {
        secret,
        username: None,
        expires: None,
        refresh_token: None,
        renews: false,
    }
}

impl TokenSource for TokenReader<'_> {
    fn known_fingerprint(&self, candidate: &Candidate) -> Option<Fingerprint> {
        match &candidate.source {
            Source::Stored(name) => Some(self.state.tokens.get(name)?.fingerprint.clone()),
            Source::Environment(variable) => {
                Some(self.context.env_secret(variable).ok()?.fingerprint())
            }
            // The rest matters only to those who read it.
            Source::HfCli(None) => {
                let active = self.context.hf_cli().active_value();
                Some(active.ok()??.fingerprint())
            }
            Source::HfCli(Some(name)) => {
                let token = self.context.hf_cli().read(Which::Named(name)).ok()?;
                Some(token.secret.fingerprint())
            }
            // A new job token can be issued, but not as often as git-lfs would ask for one.
            Source::Exchange(exchange) => {
                let kept = self.exchanged(exchange)?.secret;
                let eligibility = self.context.eligibility_here(self.state, &kept);
                (eligibility == Eligibility::Withheld).then(|| kept.fingerprint())
            }
            // What a command will print is not known before it runs. But if its last value was
            // rejected a moment ago, it is not run again: it might print new values for ever, and
            // git-lfs would try them all.
            Source::Command(name) => {
                let last = self.state.commands.get(name)?.last()?;
                let endpoint = &self.context.config.commands.get(name)?.endpoint;
                let eligibility = self.state.eligibility(endpoint, last, now());
                (eligibility == Eligibility::Withheld).then(|| last.clone())
            }
            _ => None,
        }
    }

    fn load(&mut self, candidate: &Candidate) -> Result<LoadedToken, LoadError> {
        match &candidate.source {
            Source::Stored(name) => self.load_stored(name),
            Source::Command(name) => Ok(self.load_command(name)?),
            Source::Environment(variable) => match self.context.env_secret(variable) {
                Ok(secret) => Ok(plain(secret.clone())),
                Err(error) if candidate.required => Err(LoadError::Final(stopped(
                    candidate,
                    self.state,
                    &error.to_string(),
                ))),
                Err(error) => Err(error.into()),
            },
            Source::Unusable(name, Unusable::Missing) => {
                // The names are not known if the hf CLI's file cannot be read.
                if name.of_hf_cli().is_some() {
                    self.context.hf_cli().stored()?;
                }
                let why = "there is no token of that name";
                Err(StorageError::Refused(why.to_owned()).into())
            }
            Source::Unusable(_, Unusable::OtherEndpoint(endpoint)) => {
                let why = format!("it is a token for {endpoint}");
                Err(StorageError::Refused(why).into())
            }
            Source::HfCli(name) => self.load_hf_cli(Which::of(name.as_deref())),
            Source::Exchange(exchange) => self.load_exchanged(exchange),
        }
    }

    fn skipped(&mut self, candidate: &Candidate, why: &SkipReason) {
        let missing = matches!(candidate.source, Source::Unusable(_, Unusable::Missing));
        if missing && self.context.state_is_unread.get() {
            // It may exist: why that is not known has been reported.
            return;
        }
        let what = match &candidate.source {
            // The reason says what to change.
            Source::Unusable(..) => self.context.describe(candidate, self.state) + ",",
            source => {
                let hint = self.context.hint(source, self.state);
                wording::with_hint(source, hint.as_deref())
            }
        };
        let line = match why {
            SkipReason::Unreadable(StorageError::NotFound) => {
                format!(
                    "{what} is missing from its storage; {}",
                    remedy(candidate, self.state)
                )
            }
            SkipReason::Unreadable(error) if matches!(candidate.source, Source::Unusable(..)) => {
                let instead = || self.context.instead_of_missing(candidate);
                let instead = missing.then(instead).flatten();
                let help = instead.unwrap_or_else(|| remedy(candidate, self.state));
                format!("{what} cannot be used: {error}; {help}")
            }
            SkipReason::Unreadable(error) if matches!(candidate.source, Source::Exchange(_)) => {
                format!("{error}; going on without the job's token")
            }
            SkipReason::Unreadable(error) => {
                let failed = matches!(
                    error,
                    StorageError::Unavailable(_) | StorageError::BrokeOff(_)
                );
                let line = format!("{what} cannot be used: {error}");
                match candidate.source {
                    Source::Stored(_) if failed => format!("{line}; {FIND_CAUSE}"),
                    _ => line,
                }
            }
            SkipReason::Expired => format!("{what} has expired; {}", remedy(candidate, self.state)),
        };
        trace::line(|| line.clone());
        self.said.push(line);
    }
}
