//! Plain-text copies go, file by file, once the token was read back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Args;
use super::report::Report;
use super::{Token, rules};
use crate::app::Context;
use crate::app::asked;
use crate::import::Place;
use crate::import::Source;
use crate::import::remove::Gone;
use crate::import::remove::remove;
use crate::model::repo::Location;
use crate::model::token_name::TokenName;
use crate::terminal;

/// The copies that lie in one file, or in the hf CLI's two.
struct Group {
    source: Source,
    /// Each by the number of its token, and its own.
    copies: Vec<(usize, usize)>,
}

/// Removes the copies of what was read back, as far as is wanted.
///
/// # Errors
/// When stdout fails; what cannot be removed is told, and stays.
pub fn all(context: &Context, import: &Args, report: &mut Report<'_>) -> Result<()> {
    for group in groups(&report.tokens) {
        // To log hf and Python out is more than to tidy up: it takes its name.
        let named = group.source != Source::Hf || import.sources.contains(&Source::Hf);
        let unasked = import.remove && named;
        if !unasked && (import.json || !terminal::can_ask()) {
            continue;
        }
        if let Some(why) = group.needed(context, &report.tokens) {
            report.fail(&format!(
                "nothing is removed from {}: {why}",
                group.file(report)
            ));
            continue;
        }
        if !unasked && !terminal::confirm(&group.question(report)) {
            continue;
        }
        let removed = remove(context, &group.gone(&report.tokens));
        let file = group.file(report);
        match removed.with_context(|| format!("nothing is removed from {file}")) {
            Ok(_) => {
                report.say(&format!("removed {} from {file}", group.hints(report)))?;
                for (token, copy) in &group.copies {
                    report.mark_removed(*token, *copy);
                }
            }
            Err(error) => report.fail_with(&error),
        }
    }
    Ok(())
}

fn groups(tokens: &[Token]) -> Vec<Group> {
    let mut groups: BTreeMap<(Source, PathBuf), Vec<(usize, usize)>> = BTreeMap::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.name().is_none() {
            continue;
        }
        for (nth, copy) in token.copies.iter().enumerate() {
            let place = &copy.found.place;
            let file = match place.source() {
                Source::Hf => PathBuf::new(),
                _ => place.file().to_owned(),
            };
            let group = groups.entry((place.source(), file)).or_default();
            group.push((at, nth));
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|((source, _), copies)| Group { source, copies })
        .collect()
}

impl Group {
    /// Why the copies must stay: they are in use, and nothing would take their place.
    fn needed(&self, context: &Context, tokens: &[Token]) -> Option<String> {
        let copies = self.copies.iter().filter_map(|(at, nth)| {
            let token = tokens.get(*at)?;
            Some((token, token.copies.get(*nth)?))
        });
        copies.into_iter().find_map(|(token, copy)| {
            let Place::HfStored { name, .. } = &copy.found.place else {
                let endpoint = Location {
                    endpoint: token.endpoint.clone(),
                    path: String::new(),
                    username: None,
                };
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
            // Where two remotes of a repo have a token each, a user name tells which is whose.
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

    fn question(&self, report: &Report<'_>) -> String {
        let (hints, file) = (self.hints(report), self.file(report));
        match self.source {
            Source::Hf => format!(
                "Remove {hints} from {file}? That logs hf and Python out: they would need HF_TOKEN, or `git credential-hf run`."
            ),
            Source::Remotes => format!("Take {hints} out of the URLs in {file}?"),
            Source::Git | Source::Netrc => format!("Remove {hints} from {file}?"),
        }
    }

    fn file(&self, report: &Report<'_>) -> String {
        let first = self.copies.first();
        let copy = first.and_then(|(at, nth)| report.tokens.get(*at)?.copies.get(*nth));
        match copy {
            Some(copy) if self.source != Source::Hf => {
                copy.found.place.file().display().to_string()
            }
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

/// A token's name as the user name in a URL, with its `@`.
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
