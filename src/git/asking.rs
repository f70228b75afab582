//! What git does when the server of a URL asks for a login: which helpers it calls, with which
//! username, and which lines of its configuration say so.
//!
//! Every `credential` section that applies to the URL counts, in the order in which git reads them, and
//! not only the best match (`credential_apply_config` in git's credential.c).

use crate::git::config::{self, Entry, Scope};
use crate::git::config_file::{Target, applies, means_us};
use crate::git::run::ReadError;
use crate::model::location::Location;
use crate::model::text::shell_quoted;

/// The configuration keys that matter, as an extended regular expression.
const KEYS: &str = r"^credential\.(.*\.)?(helper|username)$";

/// What git does for one URL.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Asking {
    /// The line by which git calls this helper.
    pub(crate) ours: Option<Entry>,
    /// The empty `helper` that cancels an earlier line of this helper.
    pub(crate) reset: Option<Entry>,
    /// The other helpers that git calls before this one, or all of them if it does not call this one.
    pub(crate) before: Vec<Entry>,
    /// The helpers that git calls after this one.
    pub(crate) after: Vec<Entry>,
    /// The line that sets the username, if the URL has none.
    pub(crate) username: Option<Entry>,
}

impl Asking {
    /// Reads git's configuration.
    ///
    /// # Errors
    /// When git cannot read it.
    pub(crate) fn read(location: &Location) -> Result<Self, ReadError> {
        Ok(Self::of(&config::read(KEYS)?, location))
    }

    /// Evaluates entries that were already read.
    pub(crate) fn of(entries: &[Entry], location: &Location) -> Self {
        let endpoint = location.endpoint.to_string();
        let target = Target {
            endpoint: &endpoint,
            path: &location.path,
            username: location.username.as_deref(),
        };
        let mut asking = Self::default();
        for entry in entries {
            let reaches = |name| {
                entry
                    .between("credential", name)
                    .is_some_and(|it| applies(it, target))
            };
            if reaches("helper") {
                asking.add(entry);
            } else if reaches("username") && location.username.is_none() {
                asking.username = Some(entry.clone());
            }
        }
        asking
    }

    fn add(&mut self, helper: &Entry) {
        if helper.text().is_empty() {
            let reset = self.ours.is_some().then(|| helper.clone());
            *self = Self {
                reset: reset.or(self.reset.take()),
                username: self.username.take(),
                ..Self::default()
            };
        } else if means_us(helper.text()) {
            self.before.append(&mut self.after);
            (self.ours, self.reset) = (Some(helper.clone()), None);
        } else if self.ours.is_some() {
            self.after.push(helper.clone());
        } else {
            self.before.push(helper.clone());
        }
    }
}

/// Says how to remove a line of git's configuration.
pub(crate) fn undo(entry: &Entry) -> String {
    match (entry.scope, &entry.file) {
        (_, None) | (Scope::Command, _) => {
            format!("leave out `{}`, which {} sets", entry.key, entry.place())
        }
        _ => format!("remove `{}` from {}", entry.key, entry.place()),
    }
}

/// Says how to get this helper's lines after an entry: at the end of the same file, or of one that
/// git reads later.
pub(crate) fn behind(entry: &Entry) -> String {
    let command = match (entry.scope, &entry.file) {
        (Scope::Command, _) | (_, None) => return undo(entry),
        (Scope::Local, _) => "git credential-hf configure --local".to_owned(),
        (Scope::Worktree, Some(file)) => {
            format!("git credential-hf configure --file {}", shell_quoted(file))
        }
        _ => "git credential-hf configure".to_owned(),
    };
    format!("run `{command}`, or {}", undo(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::config::samples::entries;
    use crate::model::endpoint::Endpoint;
    use crate::model::location::parse_location;

    const OURS: &str = "credential.https://huggingface.co.helper=/opt/git-credential-hf";

    fn asking(texts: &[&str], url: &str) -> Asking {
        let location = parse_location(url, &Endpoint::hugging_face()).unwrap();
        Asking::of(&entries(texts), &location)
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
            let found = asking(texts, repo);
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
            let found = asking(&texts, url);
            assert_eq!(found.username.as_ref().map(Entry::text), expected, "{url}");
        }
    }
}
