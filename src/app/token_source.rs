//! Reads candidates' tokens: the I/O below the choice of [`crate::selection::choose`].

use crate::app::Context;
use crate::app::exchange;
use crate::app::renewal;
use crate::app::renewal::RenewalError;
use crate::app::wording::{self, remedy, stopped};
use crate::hf_cli::Which;
use crate::model::secret::Fingerprint;
use crate::model::secret::Secret;
use crate::model::token_name::TokenName;
use crate::selection::Candidate;
use crate::selection::Exchange;
use crate::selection::LoadError;
use crate::selection::LoadedToken;
use crate::selection::SkipReason;
use crate::selection::Source;
use crate::selection::TokenSource;
use crate::selection::Unusable;
use crate::state::Eligibility;
use crate::state::Origin;
use crate::state::State;
use crate::storage::Record;
use crate::storage::StorageError;
use crate::storage::command;
use crate::system::clock::now;
use crate::system::trace;

/// A stored token whose value is not the one that is remembered.
#[derive(Debug)]
pub(crate) struct Changed {
    /// Its name.
    pub(crate) name: TokenName,
    /// The value that was read.
    pub(crate) value: Fingerprint,
    /// Its kind and last four characters.
    pub(crate) hint: String,
    /// It can be renewed, so it is likely a renewed one of the same account.
    pub(crate) renewable: bool,
}

/// Reads the candidates' tokens for [`crate::selection::choose`].
#[derive(Debug)]
pub(crate) struct TokenReader<'a> {
    /// The run's world.
    pub(crate) context: &'a Context,
    /// The state that the candidates were chosen from.
    pub(crate) state: &'a State,
    /// Stored tokens whose value is not the one that is remembered.
    pub(crate) changed: Vec<Changed>,
    /// The value that a command printed, where it is not the one remembered.
    pub(crate) printed: Vec<(TokenName, Fingerprint)>,
    /// What happened to the candidates that were passed over, in words.
    pub(crate) said: Vec<String>,
    /// Whether a token that is about to expire is renewed; a mere look changes nothing.
    pub(crate) renews: bool,
}

impl<'a> TokenReader<'a> {
    /// A reader that has read nothing yet.
    #[must_use]
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

    /// A reader that also renews tokens that are due.
    #[must_use]
    pub(crate) fn renewing(context: &'a Context, state: &'a State) -> Self {
        Self {
            renews: true,
            ..Self::new(context, state)
        }
    }

    fn load_stored(&mut self, name: &TokenName) -> Result<LoadedToken, StorageError> {
        let token = self.state.tokens.get(name).ok_or(StorageError::NotFound)?;
        let mut record = self.context.read_stored(name, token)?;
        let now = now();
        let read = record.secret.fingerprint();
        if self.renews && token.origin == Origin::Login && renewal::is_due(&record, now) {
            let renewed = renewal::renew_stored(self.context, name, renewal::When::IfDue);
            let renewed = renewed.map(|renewed| (renewed.record, renewed.warning));
            let subject = format!("token `{name}`");
            if let Some(renewed) = self.renewed(renewed, &subject, record.expires)? {
                record = renewed;
            }
        }
        // A renewal has described the new value itself.
        if read != token.fingerprint && record.secret.fingerprint() == read {
            self.changed.push(Changed {
                name: name.clone(),
                value: read,
                hint: record.secret.hint(),
                renewable: record.refresh_token.is_some(),
            });
        }
        // The hf CLI and this program renew their own tokens; git is given back what it gave.
        let from_git = token.origin == Origin::Git;
        Ok(LoadedToken {
            secret: record.secret,
            username: token.account.clone().or_else(|| token.username.clone()),
            expires: record.expires.or(token.expires),
            renews: !from_git && record.refresh_token.is_some(),
            refresh_token: record.refresh_token.filter(|_| from_git),
        })
    }

    /// What to use after a renewal: the new token, or the old one while it is good.
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
            // Better said while it is good than when it is too late.
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
        // The wrong entry of a vault may be somebody's password.
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

    fn load_hf_cli(&mut self, which: Which<'_>) -> Result<LoadedToken, StorageError> {
        let hf = self.context.hf_cli();
        let mut token = hf.read(which)?;
        // It belongs to the environment's Hub, and is renewed there.
        let endpoint = self.context.env.endpoint();
        if let Some(endpoint) = endpoint.filter(|_| self.renews)
            && renewal::hf_cli::is_due_now(hf, &token)
        {
            let renewed = renewal::hf_cli::renew(self.context, &endpoint, &token);
            if let Some(renewed) = self.renewed(renewed, "the hf CLI's token", token.expires)? {
                token = renewed;
            }
        }
        Ok(LoadedToken {
            expires: token.expires,
            ..plain(token.secret)
        })
    }
}

impl TokenReader<'_> {
    /// The token that is kept for this job.
    #[must_use]
    pub(crate) fn exchanged(&self, exchange: &Exchange) -> Option<Record> {
        let endpoint = self.context.env.endpoint()?;
        let job = exchange::Job::new(self.context, &endpoint, exchange).ok()?;
        job.kept()
    }

    fn standing_of_job(&self, value: &Fingerprint) -> Eligibility {
        let endpoint = self.context.env.endpoint();
        endpoint.map_or(Eligibility::Good, |endpoint| {
            self.state.eligibility(&endpoint, value, now())
        })
    }

    /// A failure ends the choice, but for `auto` where the Hub knows no publisher: another token
    /// in the job's place is nothing that anybody asked for.
    fn load_exchanged(&mut self, exchange: &Exchange) -> Result<LoadedToken, LoadError> {
        let stop = |failure: exchange::Failure| LoadError::Final(failure.to_string());
        let endpoint = self.context.env.endpoint().ok_or(StorageError::NotFound)?;
        let job = exchange::Job::new(self.context, &endpoint, exchange).map_err(stop)?;
        let is_rejected =
            |secret: &Secret| self.standing_of_job(&secret.fingerprint()) != Eligibility::Good;
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
            Err(exchange::Failure::NoPublisher(why)) if matches!(exchange, Exchange::Auto(_)) => {
                Err(StorageError::Refused(why).into())
            }
            Err(failure) => Err(stop(failure)),
        }
    }
}

/// A token of which nothing else is known.
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
            // What else is known of it only matters to who reads it.
            Source::HfCli(None) => {
                let active = self.context.hf_cli().active_value();
                Some(active.ok()??.fingerprint())
            }
            Source::HfCli(Some(name)) => {
                let token = self.context.hf_cli().read(Which::Named(name)).ok()?;
                Some(token.secret.fingerprint())
            }
            // The job's token can be had anew, but not as often as git-lfs would ask.
            Source::Exchange(exchange) => {
                let kept = self.exchanged(exchange)?.secret.fingerprint();
                (self.standing_of_job(&kept) == Eligibility::Withheld).then_some(kept)
            }
            // What a command will print is not known before it has. But one whose last value
            // was rejected a moment ago is not asked for another: it might hand them out for
            // ever, and git-lfs take them.
            Source::Command(name) => {
                let last = self.state.commands.get(name)?.last()?;
                let endpoint = &self.context.config.commands.get(name)?.endpoint;
                let standing = self.state.eligibility(endpoint, last, now());
                (standing == Eligibility::Withheld).then(|| last.clone())
            }
            _ => None,
        }
    }

    fn load(&mut self, candidate: &Candidate) -> Result<LoadedToken, LoadError> {
        match &candidate.source {
            Source::Stored(name) => Ok(self.load_stored(name)?),
            Source::Command(name) => Ok(self.load_command(name)?),
            Source::Environment(variable) => match self.context.env_secret(variable) {
                Ok(secret) => Ok(plain(secret.clone())),
                Err(error) if candidate.required => {
                    Err(LoadError::Final(stopped(candidate, &error.to_string())))
                }
                Err(error) => Err(error.into()),
            },
            Source::Unusable(name, Unusable::Missing) => {
                // The hf CLI's names are not known where its file cannot be used.
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
            Source::HfCli(name) => Ok(self.load_hf_cli(Which::of(name.as_deref()))?),
            Source::Exchange(exchange) => self.load_exchanged(exchange),
        }
    }

    fn skipped(&mut self, candidate: &Candidate, why: &SkipReason) {
        let missing = matches!(candidate.source, Source::Unusable(_, Unusable::Missing));
        if missing && self.context.state_is_unread.get() {
            // It may well be there: why that is not known has been said.
            return;
        }
        let what = match &candidate.source {
            // Why it is looked for says what there is to change.
            Source::Unusable(..) => self.context.describe(candidate, self.state) + ",",
            source => {
                let hint = self.context.hint(source, self.state);
                wording::with_hint(source, hint.as_deref())
            }
        };
        let line = match why {
            SkipReason::Unreadable(StorageError::NotFound) => {
                format!("{what} is missing from its storage; {}", remedy(candidate))
            }
            SkipReason::Unreadable(error) if matches!(candidate.source, Source::Unusable(..)) => {
                let instead = || self.context.instead_of_missing(candidate);
                let instead = missing.then(instead).flatten();
                let help = instead.unwrap_or_else(|| remedy(candidate));
                format!("{what} cannot be used: {error}; {help}")
            }
            SkipReason::Unreadable(error) if matches!(candidate.source, Source::Exchange(_)) => {
                format!("{error}; going on without the job's token")
            }
            SkipReason::Unreadable(error) => format!("{what} cannot be used: {error}"),
            SkipReason::Expired(_) => format!("{what} has expired; {}", remedy(candidate)),
        };
        trace::line(|| line.clone());
        self.said.push(line);
    }
}
