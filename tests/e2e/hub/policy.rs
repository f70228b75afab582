//! `check` where it is not the token's fault alone: an organisation's policy, a gate, a Hub that
//! fails.

use crate::hub::check::{Checked, TOKENS, WHOAMI, row};
use crate::support::hub::Response;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{account, fine_grained};

#[test]
fn the_policy_of_an_organisation_is_quoted() {
    let test = Checked::new(&[("acme", Write)], account("write"));
    for (text, start, help) in [
        (
            "Your token needs to be approved by the organization",
            "the organisation accepts only tokens that it has approved",
            "ask an administrator of the organisation to approve this token".to_owned(),
        ),
        (
            "This organization only accepts fine-grained tokens",
            "the organisation accepts only fine-grained tokens",
            format!(
                "create one with a scope for it: {TOKENS}/new?tokenType=fineGrained&canReadGatedRepos=true"
            ),
        ),
        (
            "Access of this token has been revoked by an administrator",
            "the organisation has revoked this token's access",
            "create another token, or ask an administrator of the organisation".to_owned(),
        ),
        (
            "Not today",
            "the Hub refuses access",
            format!("check the token and its scopes: {TOKENS}"),
        ),
    ] {
        test.hub.policy_403("work", text);
        for arguments in [&["acme/x"][..], &["acme/x", "--push"]] {
            let expected = row(format!("{start}: {text}"), help.clone());
            assert_eq!(test.fails(arguments, 1), expected);
        }
    }
}

#[test]
fn a_gate_is_told_apart_from_a_token_that_may_not_pass_gates() {
    let text = "Access to model acme/x is restricted and you are not in the authorized list.";
    let by_code = || Response::text(403, "Please ask.").header("X-Error-Code", "GatedRepo");
    let by_text = || Response::text(403, &format!("Cannot access gated repo. {text}"));
    let page = "accept its terms in the browser: https://huggingface.co/acme/x";

    let test = Checked::new(&[("acme", Write)], account("read"));
    let gate = |text: &str| {
        row(
            format!("the repo is gated, and this account does not have access: {text}"),
            page,
        )
    };
    test.refs(by_code());
    assert_eq!(test.fails(&["acme/x"], 1), gate("gated repo: Please ask."));
    test.refs(by_text());
    let expected = gate(&format!("Cannot access gated repo. {text}"));
    assert_eq!(test.fails(&["acme/x"], 1), expected);

    let scopes = [("org", "acme", &["repo.content.read"][..])];
    let mut answer = fine_grained(&scopes);
    let test = Checked::new(&[("acme", Write)], answer.clone());
    test.refs(by_code());
    let expected = row(
        "the repo is gated, and this fine-grained token may not read gated repos: gated repo: Please ask.",
        format!("edit the token and allow gated repos: {TOKENS}"),
    );
    assert_eq!(test.fails(&["acme/x"], 1), expected);
    answer["auth"]["accessToken"]["fineGrained"]["canReadGatedRepos"] = true.into();
    let test = Checked::new(&[("acme", Write)], answer);
    test.refs(by_code());
    assert_eq!(test.fails(&["acme/x"], 1), gate("gated repo: Please ask."));
}

#[test]
fn a_hub_that_fails_says_nothing_about_the_token() {
    let test = Checked::new(&[("acme", Write)], account("write"));
    for (answer, reason) in [
        (Response::text(500, ""), "the Hub answered with status 500"),
        (
            Response::text(429, "").header("Retry-After", "300"),
            "the Hub received too many requests: try again in 300 s",
        ),
    ] {
        test.refs(answer);
        let help = "try again later: nothing is known about acme/x at the moment";
        let through = format!("{reason}; requests go through the proxy {}", test.proxy());
        assert_eq!(test.stays_open(&["acme/x"], 0), row(through, help));
    }
    assert!(test.hub.log().iter().all(|it| it.host == "huggingface.co"));
    // A failure of the question about the token does not hide the first answer.
    test.refs(Response::text(403, "Not today"));
    test.hub
        .route("GET", "huggingface.co", WHOAMI, |_| Response::text(500, ""));
    let (reason, _) = test.fails(&["acme/x"], 1);
    assert_eq!(reason, "the Hub refuses access: Not today");
}
