//! The rows of the table of tokens, and what needs attention.

use crate::app::Context;
use crate::hf_cli::HfToken;
use crate::model::endpoint::Endpoint;
use crate::model::time;
use crate::model::token_name::TokenName;
use crate::state::{Eligibility, Health, State, TokenInfo};
use crate::system::clock;
use crate::terminal;
use crate::terminal::{Cell, Style};

/// How long a verification counts, in seconds.
const STALE: u64 = 30 * 86_400;

/// A token, wherever it comes from.
pub(super) struct TokenRow {
    pub(super) name: String,
    pub(super) hint: Option<String>,
    pub(super) account: Option<String>,
    pub(super) place: String,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) expires: Option<u64>,
    pub(super) verified: Option<u64>,
    pub(super) notes: Vec<String>,
}

impl TokenRow {
    pub(super) fn cells(&self) -> [Cell; 5] {
        let or_dash = |text: &Option<String>| text.as_deref().unwrap_or("-").into();
        let bad = ["rejected", "expired"];
        let status = match self.notes.as_slice() {
            [] => Cell::styled("ok", Style::Green),
            [active] if active == "active" => Cell::styled("active", Style::Green),
            notes if notes.iter().any(|note| bad.contains(&note.as_str())) => {
                Cell::styled(notes.join(", "), Style::Red)
            }
            notes => Cell::styled(notes.join(", "), Style::Yellow),
        };
        [
            self.name.as_str().into(),
            or_dash(&self.hint),
            or_dash(&self.account),
            self.place.as_str().into(),
            status,
        ]
    }

    fn stored(state: &State, name: &TokenName, token: &TokenInfo) -> Self {
        Self {
            name: name.to_string(),
            hint: Some(token.hint.clone()),
            account: token.account.clone().filter(|account| !account.is_empty()),
            place: token.storage.described().to_owned(),
            endpoint: Some(token.endpoint.clone()),
            expires: token.expires,
            verified: token.facts.as_ref().map(|facts| facts.verified),
            notes: notes(state, token, clock::now()),
        }
    }
}

/// What needs attention.
fn notes(state: &State, token: &TokenInfo, now: u64) -> Vec<String> {
    let mut notes = Vec::new();
    match state.health(token, now) {
        Health::Good => {}
        Health::Rejected(_) => notes.push("rejected".to_owned()),
        Health::Expired(_) => notes.push("expired".to_owned()),
        Health::ExpiresSoon(at) => notes.push(format!("expires in {}", time::span(at - now))),
    }
    match token
        .facts
        .as_ref()
        .map(|facts| time::since(facts.verified, now))
    {
        None => notes.push("not verified".to_owned()),
        Some(u64::MAX) => notes.push("verified at a time in the future".to_owned()),
        Some(ago) if ago > STALE => notes.push(format!("not verified for {}", time::span(ago))),
        Some(_) => {}
    }
    notes
}

pub(super) fn tokens(context: &Context, state: &State) -> Vec<TokenRow> {
    let stored = state.tokens.iter();
    let mut rows: Vec<TokenRow> = stored
        .map(|(name, token)| TokenRow::stored(state, name, token))
        .collect();
    for (name, command) in &context.config.commands {
        rows.push(TokenRow {
            name: name.to_string(),
            hint: None,
            account: None,
            place: command.described(),
            endpoint: Some(command.endpoint.clone()),
            expires: None,
            verified: None,
            notes: vec!["not verified".to_owned()],
        });
    }
    match context.hf_cli().all() {
        Err(error) => terminal::say(&format!("the hf CLI's tokens: {error}")),
        Ok(tokens) => rows.extend(tokens.iter().map(|(token, active)| TokenRow {
            name: token.shown_name(),
            hint: Some(token.secret.hint()),
            account: None,
            place: "hf CLI".to_owned(),
            endpoint: context.env.endpoint(),
            expires: token.expires,
            verified: None,
            notes: hf_notes(context, state, token, *active),
        })),
    }
    rows
}

fn hf_notes(context: &Context, state: &State, token: &HfToken, active: bool) -> Vec<String> {
    let state_of_use = if active { "active" } else { "not verified" };
    let mut notes = vec![state_of_use.to_owned()];
    if context.eligibility_here(state, &token.secret) != Eligibility::Good {
        notes.push("rejected".to_owned());
    }
    if token.has_expired(clock::now()) {
        notes.push("expired".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permissions::Facts;
    use crate::state::samples::{hub, token};

    const DAY: u64 = 86_400;
    const NOW: u64 = 1000 * DAY;

    #[test]
    fn what_needs_attention() {
        let verified = |at: u64| {
            Some(Facts {
                verified: at,
                ..Facts::default()
            })
        };
        let with = |expires: Option<u64>, facts: Option<Facts>, hint: &str| TokenInfo {
            expires,
            facts,
            hint: hint.to_owned(),
            ..token()
        };
        let fresh = verified(NOW - DAY);
        for (token, expected) in [
            (with(None, fresh.clone(), "hf_x"), &[][..]),
            (with(None, None, "hf_x"), &["not verified"]),
            (
                with(None, verified(NOW - 31 * DAY), "hf_x"),
                &["not verified for 31 days"],
            ),
            (with(None, verified(NOW - 30 * DAY), "hf_x"), &[]),
            (with(Some(NOW), fresh.clone(), "hf_x"), &["expired"]),
            (
                with(Some(NOW + 7 * DAY), fresh.clone(), "hf_x"),
                &["expires in 7 days"],
            ),
            (with(Some(NOW + 7 * DAY + 1), fresh.clone(), "hf_x"), &[]),
            // A browser login is renewed.
            (with(Some(NOW + 60), fresh.clone(), "hf_oauth_x"), &[]),
        ] {
            assert_eq!(notes(&State::default(), &token, NOW), expected);
        }
        let mut state = State::default();
        let rejected = with(None, fresh, "hf_x");
        state.reject(&hub(), &rejected.fingerprint, NOW);
        assert_eq!(notes(&state, &rejected, NOW), ["rejected"]);
    }
}
