//! Tokens in the URLs of remotes, which programs and copies of the configuration reveal.

use super::plain_text::{Words, look};
use crate::doctor::{Check, Group, Run, Verdict};
use crate::import::Source;

pub(crate) const CHECK: Check = Check {
    id: "remote-urls",
    group: Group::Elsewhere,
    network: false,
    run: Run::Always(|inspection| {
        look(
            inspection,
            Source::Remotes,
            &Words {
                meaning: "which git uses before it asks any helper",
                verdict: Verdict::Problem,
                none: "no token in a URL of git's configuration",
                by_hand: "remove the login from that URL: git remote set-url NAME URL",
            },
        )
    }),
};
