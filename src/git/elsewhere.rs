//! A login that git has from elsewhere, and which therefore goes to the Hub in the place of this
//! helper's: where it is set, and what takes it away.

use crate::git::asking::{Asking, undo};
use crate::git::config::{self, Entry};
use crate::git::config_file::{Target, applies};
use crate::git::trial::Attempt;
use crate::model::repo::Location;

/// The keys of headers.
const HEADERS: &str = r"^http\.(.*\.)?extraheader$";

/// A login of another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Where it is, without its value.
    pub what: String,
    /// What takes it away.
    pub help: String,
}

/// The login that git used in an attempt in which this helper gave it none, where that can be told.
#[must_use]
pub fn login(location: &Location, asking: Option<&Asking>, attempt: &Attempt) -> Option<Login> {
    let entries = config::read(HEADERS).unwrap_or_default();
    if let Some(header) = header(&entries, location) {
        return Some(Login {
            what: format!("`{}` ({})", header.key, header.place()),
            help: undo(header),
        });
    }
    // Those after this helper get their turn where it does not answer.
    let helpers = asking.into_iter().flat_map(|asking| match attempt.asked {
        true => &asking.after,
        false => &asking.before,
    });
    if let Some(helper) = helpers.into_iter().next().filter(|_| attempt.accepted || !attempt.asked)
    {
        return Some(Login {
            what: format!("the helper `{}` ({})", helper.text(), helper.place()),
            help: "run `git credential-hf configure`, which leaves other helpers out".to_owned(),
        });
    }
    (attempt.accepted && !attempt.asked).then(|| Login {
        what: "the one in the URL".to_owned(),
        help: "take it out of the URL: git credential-hf import remotes".to_owned(),
    })
}

/// The last header with a login that goes to a place. An empty one takes back those before it.
fn header<'a>(entries: &'a [Entry], location: &Location) -> Option<&'a Entry> {
    let endpoint = location.endpoint.to_string();
    let target = Target {
        endpoint: &endpoint,
        path: &location.path,
        username: location.username.as_deref(),
    };
    let mut found = None;
    for entry in entries {
        let section = entry.between("http", "extraheader");
        if !section.is_some_and(|section| applies(section, target)) {
            continue;
        }
        let name = entry.text().split(':').next().unwrap_or("").trim();
        if entry.text().is_empty() {
            found = None;
        } else if name.eq_ignore_ascii_case("authorization") {
            found = Some(entry);
        }
    }
    found
}
