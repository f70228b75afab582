//! Whether the Hub can be reached at all.

use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::hub::probe::{Probe, Unreached};

pub(crate) const CHECK: Check = Check {
    id: "hub",
    group: Group::Network,
    network: true,
    run: Run::Always(run),
};

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    vec![judge(
        &inspection.endpoint().to_string(),
        inspection.contact(),
    )]
}

fn judge(hub: &str, contact: &Result<Probe, Unreached>) -> Finding {
    match contact {
        Ok(_) => Finding::ok(format!("{hub} answers")),
        Err(Unreached::Certificate(why)) => Finding::problem(why.clone()).by_hand(
            "behind a proxy that decrypts TLS, set GIT_SSL_CAINFO or SSL_CERT_FILE to its certificate authority",
        ),
        Err(Unreached::Elsewhere(why)) => Finding::warning(why.clone())
            .by_hand("a network that asks for a login first does that: open any page in a browser"),
        Err(Unreached::Silent(why)) => Finding::warning(format!("offline? {why}"))
            .by_hand("check that you are online, and whether a proxy is needed (HTTPS_PROXY)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn answers() {
        let why = || "why".to_owned();
        for (contact, verdict) in [
            (Ok(Probe { date: None, now: 0 }), Verdict::Ok),
            (Err(Unreached::Certificate(why())), Verdict::Problem),
            (Err(Unreached::Elsewhere(why())), Verdict::Warning),
            (Err(Unreached::Silent(why())), Verdict::Warning),
        ] {
            let finding = judge("https://huggingface.co", &contact);
            assert_eq!(finding.verdict, verdict);
        }
    }
}
