//! The stored tokens, by what is known about them: rejected, expired, or about to expire. The Hub is
//! not asked, since it limits such requests.

use crate::app::advice::replace_or_remove;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::model::time;
use crate::model::token_name::TokenName;
use crate::state::{Health, State, TokenInfo};
use crate::system::clock;

pub(crate) const CHECK: Check = Check {
    id: "tokens",
    group: Group::Tokens,
    network: false,
    run: Run::WithState(run),
};

fn run(inspection: &Inspection<'_>, state: &State) -> Vec<Finding> {
    let context = inspection.context;
    let hf_cli = !matches!(context.hf_cli().active_value(), Ok(None));
    let elsewhere = !context.env.tokens.is_empty() || !context.config.commands.is_empty();
    judge(state, elsewhere || hf_cli, clock::now())
}

fn judge(state: &State, elsewhere: bool, now: u64) -> Vec<Finding> {
    let tokens = state.tokens.iter();
    let mut findings: Vec<Finding> = tokens
        .filter_map(|(name, token)| judge_one(state, name, token, now))
        .collect();
    if findings.is_empty() {
        findings.push(match (state.tokens.len(), elsewhere) {
            (0, false) => {
                Finding::warning("there are no tokens yet").by_hand("git credential-hf login NAME")
            }
            (0, true) => Finding::ok("no token is stored here; others are used"),
            (1, _) => Finding::ok("1 token, not rejected and not expired as far as is known here"),
            (n, _) => Finding::ok(format!(
                "{n} tokens, none rejected or expired as far as is known here"
            )),
        });
    }
    findings
}

fn judge_one(state: &State, name: &TokenName, token: &TokenInfo, now: u64) -> Option<Finding> {
    let again = replace_or_remove(name, token);
    Some(match state.health(token, now) {
        Health::Good => return None,
        Health::Rejected(at) => {
            let ago = time::span(now.saturating_sub(at));
            let whether =
                "to see whether it still works: git credential-hf refresh; to replace it: ";
            Finding::problem(format!("`{name}` was rejected by the Hub {ago} ago"))
                .by_hand(format!("{whether}{again}"))
        }
        Health::Expired(at) => {
            Finding::problem(format!("`{name}` has expired ({})", time::day(at))).by_hand(again)
        }
        Health::ExpiresSoon(at) => {
            let left = time::span(at - now);
            Finding::warning(format!("`{name}` expires in {left}")).by_hand(again)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::state::samples::{fingerprint, hub, token};

    #[test]
    fn lives_of_tokens() {
        const NOW: u64 = 10_000_000;
        for (hint, expires, rejected, verdict) in [
            ("hf_…abcd", None, None, Verdict::Ok),
            ("hf_…abcd", Some(NOW + 1), None, Verdict::Warning),
            ("hf_oauth_…abcd", Some(NOW), None, Verdict::Ok),
            ("hf_…abcd", Some(NOW - 1), None, Verdict::Problem),
            ("hf_…abcd", None, Some(NOW), Verdict::Problem),
            ("hf_…abcd", None, Some(NOW - 100_000), Verdict::Problem),
        ] {
            let mut state = State::default();
            let mut info = token();
            (info.hint, info.expires) = (hint.to_owned(), expires);
            state.tokens.insert(TokenName::existing("work"), info);
            if let Some(at) = rejected {
                state.reject(&hub(), &fingerprint('a'), at);
            }
            let findings = judge(&state, false, NOW);
            assert_eq!(findings[0].verdict, verdict, "{findings:?}");
        }
        let none = State::default();
        assert_eq!(judge(&none, false, NOW)[0].verdict, Verdict::Warning);
        assert_eq!(judge(&none, true, NOW)[0].verdict, Verdict::Ok);
    }
}
