//! Removes plain-text copies, one file after the other, once the stored token was read back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::report::Report;
use super::{Args, Token, rules};
use crate::app::{Context, asked};
use crate::import::remove::{Gone, remove};
use crate::import::{Place, Source};
use crate::model::location::Location;
use crate::model::token_name::TokenName;
use crate::terminal;
use crate::terminal::{Progress, Reply};

/// The copies in one file, or in the hf CLI's two files.
struct Group {
    source: Source,
    is_hf_login: bool,
    /// The copies, each by the index of its token and its own.
    copies: Vec<(usize, usize)>,
}

/// From this number of files on, their removal is reported in one line.
const MANY: usize = 4;

/// Removes the copies of tokens that were read back, if the user agrees.
///
/// # Errors
/// When stdout fails. What cannot be removed is reported, and stays.
pub(crate) fn all(context: &Context, import: &Args, report: &mut Report<'_>) -> Result<()> {
    let mut yes_to_all = false;
    for batch in batches(groups(&report.tokens), report) {
        let named = import.may_remove_unasked(batch.is_hf_login);
        let unasked = named && (import.remove || yes_to_all);
        if !unasked && (import.json || !terminal::can_ask()) {
            continue;
        }
        let mut groups = Vec::new();
        for group in batch.groups {
            match group.needed(context, &report.tokens) {
                Some(why) => report.fail(&format!(
                    "nothing was removed from {}: {why}",
                    group.file(report)
                )),
                None => groups.push(group),
            }
        }
        let Some(first) = groups.first() else {
            continue;
        };
        if !unasked {
            match terminal::confirm_each(&first.question(report, groups.len())) {
                Reply::Yes => {}
                Reply::No => continue,
                Reply::All => yes_to_all = true,
                Reply::Quit => break,
            }
        }
        remove_all(context, &groups, report)?;
    }
    Ok(())
}

/// Removes the copies in these files. Many are reported together.
fn remove_all(context: &Context, groups: &[Group], report: &mut Report<'_>) -> Result<()> {
    let mut progress = Progress::begin();
    let mut removed = 0;
    for (at, group) in groups.iter().enumerate() {
        let file = group.file(report);
        progress.show(&format!("{} of {}: {file}", at + 1, groups.len()));
        let result = remove(context, &group.gone(&report.tokens));
        match result.with_context(|| format!("nothing was removed from {file}")) {
            Ok(_) => {
                removed += 1;
                if groups.len() < MANY {
                    report.say(&format!("removed {} from {file}", group.hints(report)))?;
                }
                for (token, copy) in &group.copies {
                    report.mark_removed(*token, *copy);
                }
            }
            Err(error) => {
                progress.clear();
                report.fail_with(&error);
            }
        }
    }
    progress.clear();
    match groups.first() {
        Some(first) if groups.len() >= MANY => {
            let hints = first.hints(report);
            report.say(&format!("removed {hints} from {removed} files"))
        }
        _ => Ok(()),
    }
}

/// The files that one question is about: configurations of clones with the same tokens.
struct Batch {
    source: Source,
    is_hf_login: bool,
    groups: Vec<Group>,
}

fn batches(groups: Vec<Group>, report: &Report<'_>) -> Vec<Batch> {
    let mut batches: Vec<(String, Batch)> = Vec::new();
    for group in groups {
        let hints = group.hints(report);
        let source = group.source;
        let known = batches.iter_mut().find(|(known, batch)| {
            source == Source::Remotes && batch.source == source && *known == hints
        });
        match known {
            Some((_, batch)) => batch.groups.push(group),
            None => {
                let batch = Batch {
                    source,
                    is_hf_login: group.is_hf_login,
                    groups: vec![group],
                };
                batches.push((hints, batch));
            }
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn groups(tokens: &[Token]) -> Vec<Group> {
    let mut groups: BTreeMap<(Source, PathBuf), Vec<(usize, usize)>> = BTreeMap::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.name().is_none() {
            continue;
        }
        for (nth, copy) in token.copies.iter().enumerate() {
            let place = &copy.found.place;
            let file = match place.is_hf_login() {
                true => PathBuf::new(),
                false => place.file().to_owned(),
            };
            let group = groups.entry((place.source(), file)).or_default();
            group.push((at, nth));
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|((source, file), copies)| Group {
            source,
            is_hf_login: file.as_os_str().is_empty(),
            copies,
        })
        .collect()
}

impl Group {
    /// Why the copies must stay: they are in use, and nothing would replace them.
    fn needed(&self, context: &Context, tokens: &[Token]) -> Option<String> {
        let copies = self.copies.iter().filter_map(|(at, nth)| {
            let token = tokens.get(*at)?;
            Some((token, token.copies.get(*nth)?))
        });
        copies.into_iter().find_map(|(token, copy)| {
            let Place::HfStored { name, .. } = &copy.found.place else {
                if matches!(copy.found.place, Place::HfOld { .. }) {
                    return None;
                }
                let endpoint = Location::of(&token.endpoint);
                return asked::not_called(context, &endpoint).map(|it| it.to_string());
            };
            let name = TokenName::hf_cli(name);
            context.config.names(&name).then(|| {
                let config = context.paths.config();
                format!(
                    "{} names `{name}`, so change it there first",
                    config.display()
                )
            })
        })
    }

    fn gone<'t>(&self, tokens: &'t [Token]) -> Vec<Gone<'t>> {
        let conflicts = rules::conflicts(tokens);
        let gone = self.copies.iter().filter_map(|(at, nth)| {
            let token = tokens.get(*at)?;
            let found = &token.copies.get(*nth)?.found;
            let used_for = found.used_for.as_ref();
            // If two remotes of a repo have different tokens, a username tells them apart.
            let several = used_for.is_some_and(|used| conflicts.contains(&&used.pattern));
            Some(Gone {
                place: &found.place,
                secret: &token.secret,
                endpoint: &token.endpoint,
                instead: token.name().filter(|_| several).map(as_user),
            })
        });
        gone.collect()
    }

    /// The question whether to remove the copies in this file and in the others of its batch.
    fn question(&self, report: &Report<'_>, files: usize) -> String {
        let (hints, file) = (self.hints(report), self.file(report));
        let file = match files {
            1 => file,
            _ => format!("{file} and {} more", files - 1),
        };
        match self.source {
            Source::Hf if self.is_hf_login => format!(
                "Remove {hints} from {file}? That logs out hf and Python; they would need HF_TOKEN, or `git credential-hf run`."
            ),
            Source::Remotes => format!("Remove {hints} from the URLs in {file}?"),
            Source::Hf | Source::Git | Source::Netrc => {
                format!("Remove {hints} from {file}?")
            }
        }
    }

    fn file(&self, report: &Report<'_>) -> String {
        let first = self.copies.first();
        let copy = first.and_then(|(at, nth)| report.tokens.get(*at)?.copies.get(*nth));
        match copy {
            Some(copy) if !self.is_hf_login => copy.found.place.file().display().to_string(),
            _ => "the hf CLI's files".to_owned(),
        }
    }

    fn hints(&self, report: &Report<'_>) -> String {
        let tokens = self
            .copies
            .iter()
            .filter_map(|(at, _)| report.tokens.get(*at));
        let mut hints: Vec<String> = tokens.map(|token| token.secret.hint()).collect();
        hints.dedup();
        hints.join(", ")
    }
}

/// A token's name as the username in a URL, with the `@`.
fn as_user(name: &TokenName) -> String {
    let mut text = String::new();
    for byte in name.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text + "@"
}
