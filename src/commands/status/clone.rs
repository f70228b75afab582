//! Shows which token the fetch and the push of the current clone get.

use serde_json::{Value, json};

use crate::app::asked::Asked;
use crate::app::choice::{Choice, Purpose};
use crate::app::wording::{self, source_name};
use crate::app::{Context, target};
use crate::model::endpoint::Endpoint;
use crate::model::location::Location;
use crate::model::operation::Operation;
use crate::selection::{Candidate, Outcome, Query};
use crate::state::State;

/// A remote of the current repository on a Hub, and what git gets for it.
pub(super) struct Here {
    pub(super) subject: String,
    pub(super) endpoint: Endpoint,
    pub(super) fetch: Gets,
    pub(super) push: Gets,
}

/// The token that git gets, or why it gets none.
pub(super) enum Gets {
    Token {
        candidate: Candidate,
        /// `None` for a token that the Hub issues when git asks.
        hint: Option<String>,
        /// Why the Hub will refuse a push with it.
        lack: Option<String>,
    },
    None(String),
}

impl Here {
    pub(super) fn as_text(&self) -> String {
        let subject = &self.subject;
        let both = self.fetch.in_words("get");
        if both == self.push.in_words("get") {
            return format!("{subject}: fetch and push {both}\n");
        }
        let (fetch, push) = (self.fetch.in_words("gets"), self.push.in_words("gets"));
        format!("{subject}: fetch {fetch}\n{subject}: push {push}\n")
    }
}

impl Gets {
    fn in_words(&self, verb: &str) -> String {
        match self {
            Self::Token {
                candidate,
                hint,
                lack,
            } => {
                let lack = lack.iter().map(|lack| format!(", but {lack}"));
                let what = wording::describe(candidate, hint.as_deref());
                format!("{verb} {what}{}", lack.collect::<String>())
            }
            Self::None(why) => format!("{verb} no token: {why}"),
        }
    }

    pub(super) fn as_json(&self) -> Value {
        match self {
            Self::Token {
                candidate, hint, ..
            } => json!({
                "token": hint,
                "source": source_name(&candidate.source),
                "reason": candidate.reason.to_string(),
            }),
            Self::None(why) => json!({ "token": null, "reason": why }),
        }
    }
}

pub(super) fn here(context: &Context, state: &State) -> Vec<Here> {
    // Outside a clone nothing is shown.
    let locations = target::remotes(context).unwrap_or_default();
    let one = |location: &Location| {
        let asked = Asked::at(location);
        let get = |operation| {
            let query = asked.query.clone().for_operation(Some(operation));
            answer(context, state, location, &query)
        };
        let repo = location.repo().map(|repo| repo.to_string());
        Here {
            subject: repo.unwrap_or_else(|| location.endpoint.to_string()),
            endpoint: location.endpoint.clone(),
            fetch: get(Operation::Fetch),
            push: get(Operation::Push),
        }
    };
    locations.iter().map(one).collect()
}

/// What git gets for a location, without a renewal or any other request to the Hub.
fn answer(context: &Context, state: &State, location: &Location, query: &Query) -> Gets {
    let choice = match Choice::make(context, state, query, Purpose::Show) {
        Ok(choice) => choice,
        Err(error) => return Gets::None(context.select_failure(state, error).in_one_line()),
    };
    let lack = |candidate: &Candidate| {
        let (lack, repo) = (candidate.lack?, choice.selection.repo.as_ref()?);
        Some(wording::lack(lack, repo))
    };
    match choice.outcome {
        Outcome::Offer {
            candidate, loaded, ..
        } => Gets::Token {
            lack: lack(&candidate),
            hint: Some(loaded.secret.hint()),
            candidate,
        },
        Outcome::Deferred(candidate) => Gets::Token {
            lack: lack(&candidate),
            hint: None,
            candidate,
        },
        Outcome::Stopped(_, why) => Gets::None(why),
        Outcome::AllRejected(candidate) => {
            let what = source_name(&candidate.source);
            Gets::None(format!(
                "{what} was rejected; {}",
                wording::remedy(&candidate, state)
            ))
        }
        Outcome::Nothing => Gets::None(match choice.reader.said.first() {
            Some(why) => why.clone(),
            None => context.without_token(&location.endpoint, location.repo().as_ref()),
        }),
    }
}
