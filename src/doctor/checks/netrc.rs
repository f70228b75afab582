//! netrc, which git, curl and Python ask before any helper.

use super::plain_text::{Words, look};
use crate::doctor::{Check, Group, Run, Verdict};
use crate::import::Source;

pub(crate) const CHECK: Check = Check {
    id: "netrc",
    group: Group::Elsewhere,
    network: false,
    run: Run::Always(|inspection| {
        look(
            inspection,
            Source::Netrc,
            &Words {
                meaning: "which git uses before it asks any helper",
                verdict: Verdict::Problem,
                none: "no netrc file has a login for the Hub",
                by_hand: "remove that machine from the file",
            },
        )
    }),
};
