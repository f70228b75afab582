//! Which helpers git calls when a server asks for a login, and with which username: the lines of its
//! configuration say so.
//!
//! Every `credential` section that applies to the URL counts, in the order in which git reads them, and
//! not only the best match (`credential_apply_config` in git's credential.c).

use crate::git::config::{self, Entry};
use crate::git::config_file::{Reach, applies, means_us, reach};
use crate::git::run::ReadError;
use crate::model::location::Location;

/// The configuration keys that matter, as an extended regular expression.
const KEYS: &str = r"^credential\.(.*\.)?(helper|username)$";

/// The helpers that git calls for an endpoint, or for one URL.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Helpers {
    /// The last line of this helper.
    pub(crate) ours: Option<Entry>,
    /// A line of this helper for some repos only.
    pub(crate) partly: Option<Entry>,
    /// Other helpers that are called before this one, or all of them if it is not called.
    pub(crate) before: Vec<Entry>,
    /// Other helpers that are called after this one, and are given its tokens.
    pub(crate) after: Vec<Entry>,
    /// An empty `helper` that cancels this one for some repos only.
    pub(crate) hidden: Option<Entry>,
    /// The empty `helper` that cancels this one everywhere.
    pub(crate) reset: Option<Entry>,
    /// How many other helpers an empty `helper` has cancelled.
    pub(crate) cleared: usize,
}

impl Helpers {
    /// The helpers for the repos of an endpoint.
    pub(crate) fn of_endpoint(entries: &[Entry], endpoint: &str) -> Self {
        Self::called(entries, |section| reach(section, endpoint))
    }

    /// The helpers for one URL.
    fn of_url(entries: &[Entry], location: &Location) -> Self {
        Self::called(entries, |section| match applies(section, location) {
            true => Reach::Always,
            false => Reach::Never,
        })
    }

    /// Whether git calls this helper for at least some repos.
    pub(crate) fn call_us(&self) -> bool {
        self.ours.is_some() || self.partly.is_some()
    }

    /// Reads the helpers as git does: in file order, those whose section applies, an empty one clearing
    /// the list.
    fn called(entries: &[Entry], reach: impl Fn(&str) -> Reach) -> Self {
        let mut found = Self::default();
        for entry in entries {
            let Some(section) = entry.between("credential", "helper") else {
                continue;
            };
            let always = match reach(section) {
                Reach::Never => continue,
                Reach::Sometimes => false,
                Reach::Always => true,
            };
            let value = entry.text();
            let line = entry.clone();
            match (value.is_empty(), means_us(value)) {
                (true, _) if always => {
                    let cleared = found.cleared + found.before.len() + found.after.len();
                    let reset = found.call_us().then_some(line);
                    found = Self {
                        cleared,
                        reset: reset.or(found.reset),
                        ..Self::default()
                    };
                }
                (true, _) => found.hidden = found.call_us().then_some(line),
                (_, true) if always => {
                    found.before.append(&mut found.after);
                    (found.ours, found.hidden, found.reset) = (Some(line), None, None);
                }
                (_, true) => found.partly = Some(line),
                (_, false) if found.call_us() => found.after.push(line),
                (_, false) => found.before.push(line),
            }
        }
        found
    }
}

/// What git does for one URL whose server asks for a login.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LoginSettings {
    /// The helpers that it calls.
    pub(crate) helpers: Helpers,
    /// The line that sets the username, if the URL has none.
    pub(crate) username: Option<Entry>,
}

impl LoginSettings {
    /// Reads git's configuration.
    ///
    /// # Errors
    /// When git cannot read it.
    pub(crate) fn read(location: &Location) -> Result<Self, ReadError> {
        Ok(Self::of(&config::read(KEYS)?, location))
    }

    /// Evaluates entries that were already read.
    fn of(entries: &[Entry], location: &Location) -> Self {
        let mut usernames = entries.iter().filter(|entry| {
            let section = entry.between("credential", "username");
            section.is_some_and(|section| applies(section, location))
        });
        Self {
            helpers: Helpers::of_url(entries, location),
            username: match location.username {
                Some(_) => None,
                None => usernames.next_back().cloned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::config::samples::entries;
    use crate::model::endpoint::Endpoint;
    use crate::model::location::parse_location;

    const HUB: &str = "https://huggingface.co";
    const OURS: &str = "credential.https://huggingface.co.helper=/opt/git-credential-hf";
    const RESET: &str = "credential.https://huggingface.co.helper=";
    const STORE: &str = "credential.helper=store";

    fn settings(texts: &[&str], url: &str) -> LoginSettings {
        let location = parse_location(url, &Endpoint::hugging_face()).unwrap();
        LoginSettings::of(&entries(texts), &location)
    }

    #[test]
    fn helpers_in_the_order_in_which_git_reads_them() {
        let part = "credential.https://huggingface.co/acme.helper=";
        let part_ours = "credential.https://huggingface.co/acme.helper=hf";
        for (texts, ours, before, after, cleared) in [
            (&[][..], false, 0, 0, 0),
            (&[STORE], false, 1, 0, 0),
            (&["credential.helper=hf"], true, 0, 0, 0),
            (&[STORE, RESET, OURS], true, 0, 0, 1),
            (&[STORE, OURS], true, 1, 0, 0),
            (&[OURS, STORE], true, 0, 1, 0),
            (&[OURS, STORE, OURS], true, 1, 0, 0),
            (&[OURS, STORE, RESET, OURS], true, 0, 0, 1),
            (&[OURS, "credential.helper="], false, 0, 0, 0),
            (
                &[OURS, "credential.https://github.com.helper="],
                true,
                0,
                0,
                0,
            ),
            (&["credential.https://github.com.helper=hf"], false, 0, 0, 0),
            (&[part_ours, STORE], true, 0, 1, 0),
            (
                &[RESET, OURS, "credential.https://*.co.helper=store"],
                true,
                0,
                1,
                0,
            ),
            (
                &[RESET, OURS, "credential.huggingface.co.helper=a b"],
                true,
                0,
                1,
                0,
            ),
            (
                &[
                    RESET,
                    OURS,
                    "credential.https://me@HuggingFace.co:443/org.helper=x",
                ],
                true,
                0,
                1,
                0,
            ),
            (
                &[RESET, OURS, "credential.https://hf.co.helper=store"],
                true,
                0,
                0,
                0,
            ),
            (
                &[RESET, OURS, "credential.https://huggingface.co.username=me"],
                true,
                0,
                0,
                0,
            ),
            (
                &[RESET, OURS, "credential.helper=x", "credential.helper="],
                false,
                0,
                0,
                1,
            ),
        ] {
            let read = entries(texts);
            let found = Helpers::of_endpoint(&read, HUB);
            let seen = (
                found.call_us(),
                found.before.len(),
                found.after.len(),
                found.cleared,
            );
            assert_eq!(seen, (ours, before, after, cleared), "{texts:?}");
        }
        let read = entries(&[OURS, part]);
        assert!(Helpers::of_endpoint(&read, HUB).hidden.is_some());
        let read = entries(&[part, OURS]);
        assert!(Helpers::of_endpoint(&read, HUB).hidden.is_none());
    }

    #[test]
    fn whether_this_helper_is_called() {
        let part = "credential.https://huggingface.co/acme.helper=";
        for (texts, repo, called, reset, before, after) in [
            (&[][..], "acme/x", false, false, 0, 0),
            (&[OURS], "acme/x", true, false, 0, 0),
            (&[OURS, part], "acme/x", false, true, 0, 0),
            (&[OURS, part], "other/x", true, false, 0, 0),
            (
                &[OURS, "credential.helper=", "credential.helper=store"],
                "a/x",
                false,
                true,
                1,
                0,
            ),
            (&["credential.helper=store", OURS], "a/x", true, false, 1, 0),
            (&[OURS, "credential.helper=store"], "a/x", true, false, 0, 1),
            (
                &[OURS, "credential.helper=", OURS],
                "a/x",
                true,
                false,
                0,
                0,
            ),
            (&["credential.helper="], "a/x", false, false, 0, 0),
        ] {
            let found = settings(texts, repo).helpers;
            let seen = (
                found.ours.is_some(),
                found.reset.is_some(),
                found.before.len(),
                found.after.len(),
            );
            assert_eq!(seen, (called, reset, before, after), "{texts:?} {repo}");
        }
    }

    #[test]
    fn the_last_username_that_applies() {
        let texts = [
            "credential.https://huggingface.co/acme.username=part",
            "credential.username=all",
            "credential.https://github.com.username=other",
            "credential.https://huggingface.co/umbrella.username=umbrella",
        ];
        for (url, expected) in [
            ("acme/x", Some("all")),
            ("umbrella/x", Some("umbrella")),
            ("https://alice@huggingface.co/acme/x", None),
        ] {
            let found = settings(&texts, url);
            assert_eq!(found.username.as_ref().map(Entry::text), expected, "{url}");
        }
    }
}
