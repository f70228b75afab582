//! Tokens in the files of git's own `store` helper.

use super::plain_text::{Words, look};
use crate::doctor::{Check, Group, Run, Verdict};
use crate::import::Source;

pub(crate) const CHECK: Check = Check {
    id: "git-credentials",
    group: Group::Elsewhere,
    network: false,
    run: Run::Always(|inspection| {
        look(
            inspection,
            Source::Git,
            &Words {
                meaning: "in plain text, left by git's `store` helper",
                verdict: Verdict::Warning,
                none: "no token in the files of git's `store` helper",
                by_hand: "remove that line from the file",
            },
        )
    }),
};
