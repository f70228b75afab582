//! The clock, compared with the Hub's: expiry, renewal and certificates depend on it.

use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::hub::probe::Probe;
use crate::model::time;

pub(crate) const CHECK: Check = Check {
    id: "clock",
    group: Group::Network,
    network: true,
    run: Run::Always(run),
};

/// How far the clock may be off, in seconds. This includes the time that the answer took.
const FINE: u64 = 60;
/// How far off it must be, in seconds, for hour-long tokens to be renewed too late or at once.
const BAD: u64 = 30 * 60;

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    vec![judge(inspection.contact().as_ref().ok().copied())]
}

fn judge(probe: Option<Probe>) -> Finding {
    let Some(Probe { date, now }) = probe else {
        return Finding::skipped("the Hub was not reached");
    };
    let Some(date) = date else {
        return Finding::skipped("the Hub does not say what time it is");
    };
    let off = date.abs_diff(now);
    let way = if now > date { "ahead of" } else { "behind" };
    let why = format!("this clock is {} {way} the Hub's", time::span(off));
    let fix = "set the clock, for example by the system's time service";
    match off {
        0..=FINE => Finding::ok("this clock agrees with the Hub's to the minute"),
        off if off < BAD => {
            Finding::warning(format!("{why}: tokens seem to expire at other times")).by_hand(fix)
        }
        _ => Finding::problem(format!("{why}: tokens that expire are not renewed in time"))
            .by_hand(fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn differences() {
        const NOW: u64 = 1_000_000;
        let at = |date| Some(Probe { date, now: NOW });
        for (probe, verdict, word) in [
            (None, Verdict::Skipped, "reached"),
            (at(None), Verdict::Skipped, "say"),
            (at(Some(NOW)), Verdict::Ok, ""),
            (at(Some(NOW - 60)), Verdict::Ok, ""),
            (at(Some(NOW + 61)), Verdict::Warning, "61 s behind the"),
            (at(Some(NOW - 600)), Verdict::Warning, "10 min ahead of the"),
            (at(Some(NOW + 100_000)), Verdict::Problem, "behind the"),
        ] {
            let finding = judge(probe);
            assert_eq!(finding.verdict, verdict);
            assert!(finding.why.contains(word), "{finding:?}");
        }
    }
}
