//! Tokens in plain text: what the checks for the sources of `import` have in common.

use crate::doctor::{Finding, Inspection, Verdict};
use crate::import::find::{Findings, find};
use crate::import::{Source, TRACKED_REMEDY};

/// The wording for one source.
pub(crate) struct Words<'a> {
    /// What a token there means.
    pub(crate) meaning: &'a str,
    /// How bad that is.
    pub(crate) verdict: Verdict,
    /// What is said if there is none.
    pub(crate) none: &'a str,
    /// How to remove what `import` does not move.
    pub(crate) by_hand: &'a str,
}

/// Checks one source of `import`.
pub(crate) fn look(inspection: &Inspection<'_>, source: Source, words: &Words<'_>) -> Vec<Finding> {
    judge(&find(inspection.context, &[source], &[]), source, words)
}

fn judge(found: &Findings, source: Source, words: &Words<'_>) -> Vec<Finding> {
    let name = source.name();
    let finding = |why: String, fix: String| {
        let finding = Finding {
            verdict: words.verdict,
            why,
            fix: None,
        };
        finding.by_hand(fix)
    };
    let mut findings: Vec<Finding> = Vec::new();
    for token in &found.found {
        let (place, meaning, hint) = (&token.place, words.meaning, token.secret.hint());
        findings.push(finding(
            format!("{place} holds {hint} for {}, {meaning}", token.endpoint),
            format!("git credential-hf import {name}"),
        ));
    }
    for token in &found.skipped {
        let (place, reason, hint) = (&token.place, &token.reason, &token.hint);
        let fix = if token.tracked {
            TRACKED_REMEDY
        } else {
            words.by_hand
        };
        findings.push(finding(
            format!("{place} holds {hint}: {reason}"),
            fix.to_owned(),
        ));
    }
    let unread = found.problems.iter();
    findings.extend(unread.map(|why| Finding::note(format!("not examined: {why}"))));
    if findings.is_empty() {
        findings.push(Finding::ok(words.none));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Found, Place, Skipped};
    use crate::model::endpoint::Endpoint;
    use crate::model::secret::Secret;

    #[test]
    fn what_import_finds() {
        let words = Words {
            meaning: "which goes first",
            verdict: Verdict::Warning,
            none: "none",
            by_hand: "remove it",
        };
        let mut found = Findings::default();
        let judged = |found: &Findings| judge(found, Source::Netrc, &words);
        assert_eq!(judged(&found)[0].verdict, Verdict::Ok);
        let place = || Place::Netrc {
            file: "/h/.netrc".into(),
            line: 3,
        };
        let value = format!("hf_{}", "aB3".repeat(12));
        found.found.push(Found {
            secret: Secret::exact(&value).unwrap(),
            endpoint: Endpoint::hugging_face(),
            place: place(),
            name: None,
            used_for: None,
        });
        found.skipped.push(Skipped {
            hint: "(not in the Hub's format)".into(),
            place: place(),
            reason: "no token".into(),
            tracked: false,
        });
        found.problems.push("x: y".into());
        let findings = judged(&found);
        let verdicts: Vec<Verdict> = findings.iter().map(|f| f.verdict).collect();
        assert_eq!(
            verdicts,
            [Verdict::Warning, Verdict::Warning, Verdict::Note]
        );
        let fix = findings[0].fix.as_ref().unwrap();
        assert_eq!(fix.text, "git credential-hf import netrc");
        assert!(findings[0].why.starts_with("/h/.netrc:3 holds hf_…3aB3"));
        assert!(!format!("{findings:?}").contains(&value));
    }
}
