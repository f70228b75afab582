//! Finds a login that git sends to the Hub instead of this helper's, where it is set, and how to
//! remove it.

use crate::git::config::{self, Entry};
use crate::git::config_file::applies;
use crate::git::helpers::Helpers;
use crate::git::trial::Attempt;
use crate::model::location::Location;
use crate::model::text::shell_quoted;

/// The configuration keys of headers, as an extended regular expression.
const HEADERS: &str = r"^http\.(.*\.)?extraheader$";

/// A login that does not come from this helper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// What it is and where it is set, without its value.
    pub(crate) what: String,
    /// How to remove it.
    pub(crate) help: String,
}

/// The header with a login that git sends to a location in addition to any other login.
pub(crate) fn header(location: &Location) -> Option<Login> {
    let entries = config::read(HEADERS).unwrap_or_default();
    let header = last_header(&entries, location)?;
    Some(Login {
        what: format!("`{}` ({})", header.key, header.place()),
        help: header.how_to_remove(),
    })
}

/// The login that git used in an attempt in which this helper gave it none, if it can be found.
/// `for_git` is the remote's name or the URL.
pub(crate) fn find(
    location: &Location,
    for_git: &str,
    helpers: Option<&Helpers>,
    attempt: &Attempt,
) -> Option<Login> {
    if let Some(header) = header(location) {
        return Some(header);
    }
    // Helpers after this one are called if it does not answer.
    let helpers = helpers.map(|helpers| match attempt.asked {
        true => &helpers.after,
        false => &helpers.before,
    });
    let reported = attempt.accepted || attempt.refused;
    if let Some(helper) = helpers.and_then(|helpers| helpers.first())
        && (reported || !attempt.asked)
    {
        return Some(Login {
            what: format!("the helper `{}` ({})", helper.text(), helper.place()),
            help: helper.how_to_follow(),
        });
    }
    (reported && !attempt.asked).then(|| {
        let plain = Location {
            username: None,
            ..location.clone()
        };
        Login {
            what: "the one in the URL".to_owned(),
            help: match for_git.contains("://") {
                true => "leave it out of the URL".to_owned(),
                false => format!(
                    "run `git remote set-url {} {}`",
                    shell_quoted(for_git),
                    plain.url()
                ),
            },
        }
    })
}

/// The last header with a login for a location. An empty one cancels those before it.
fn last_header<'a>(entries: &'a [Entry], location: &Location) -> Option<&'a Entry> {
    let mut found = None;
    for entry in entries {
        let section = entry.between("http", "extraheader");
        if !section.is_some_and(|section| applies(section, location)) {
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
