//! Prints what `import` found and did: a table and lines of text, or JSON.

use crate::model::text::shell_quoted;
use anyhow::Result;
use serde_json::{Value, json};

use super::{Args, Fate, Token};
use crate::app::enrol::described;
use crate::import::{Place, Skipped, Source, TRACKED_REMEDY};
use crate::model::text;
use crate::terminal;
use crate::terminal::{AlreadyReported, Column, Cut, Screen, Table, print, print_json};

/// The tokens, and what was done with them.
pub(crate) struct Report<'a> {
    import: &'a Args,
    /// What was found.
    pub(crate) tokens: Vec<Token>,
    skipped: Vec<Skipped>,
    failed: bool,
}

impl<'a> Report<'a> {
    /// Starts a report, and prints the problems.
    pub(crate) fn new(
        import: &'a Args,
        tokens: Vec<Token>,
        skipped: Vec<Skipped>,
        problems: &[String],
    ) -> Self {
        let mut report = Self {
            import,
            tokens,
            skipped,
            failed: false,
        };
        for problem in problems {
            report.fail(problem);
        }
        report
    }

    /// Prints what was found.
    ///
    /// # Errors
    /// When stdout fails.
    pub(crate) fn found(&self) -> Result<()> {
        let mut table = Table::new([
            Column::new("TOKEN"),
            Column::new("STATUS").shorten(14, Cut::End),
            Column::new("WHERE").shorten(24, Cut::Middle),
            Column::new("FOR").drop(1),
        ]);
        for token in &self.tokens {
            let status = match &token.fate {
                Fate::Known(name) => format!("stored here as `{name}`"),
                _ => "new".to_owned(),
            };
            let mut first = Some((token.secret.hint(), status, token.endpoint.to_string()));
            for place in some_of(&token.copies) {
                let (hint, status, endpoint) = first.take().unwrap_or_default();
                table.row([hint.into(), status.into(), place.into(), endpoint.into()]);
            }
        }
        for skipped in &self.skipped {
            let place = text::one_line(&skipped.place.to_string());
            let status = format!("stays: {}", skipped.reason);
            table.row([
                skipped.hint.as_str().into(),
                status.into(),
                place.into(),
                "-".into(),
            ]);
        }
        if table.is_empty() {
            return self.say("no tokens in plain text were found");
        }
        self.say(table.render(Screen::stdout()).trim_end())?;
        for skipped in self.skipped.iter().filter(|skipped| skipped.tracked) {
            let place = text::one_line(&skipped.place.to_string());
            self.say(&format!("\n{} in {place}: {TRACKED_REMEDY}", skipped.hint))?;
        }
        Ok(())
    }

    /// Reports what was done with a token.
    ///
    /// # Errors
    /// When stdout fails.
    pub(crate) fn kept(&mut self, at: usize) -> Result<()> {
        let Some(token) = self.tokens.get(at) else {
            return Ok(());
        };
        match &token.fate {
            Fate::Kept(name, kind, facts) => {
                let facts = facts.as_deref();
                let described = facts.map(|facts| described(facts, &token.endpoint));
                let described = described.unwrap_or_default();
                let text = format!(
                    "\nstored `{name}` ({}) for {} in {}\n{described}",
                    token.secret.hint(),
                    token.endpoint,
                    kind.in_words()
                );
                self.say(text.trim_end())
            }
            Fate::Failed(_) => {
                self.failed = true;
                Ok(())
            }
            Fate::New | Fate::Known(_) => Ok(()),
        }
    }

    /// Prints a line, unless the output is JSON.
    ///
    /// # Errors
    /// When stdout fails.
    pub(crate) fn say(&self, line: &str) -> Result<()> {
        if self.import.json {
            Ok(())
        } else {
            print(&format!("{line}\n"))
        }
    }

    /// Reports something that was not done.
    pub(crate) fn fail(&mut self, what: &str) {
        self.fail_with(&anyhow::anyhow!(what.to_owned()));
    }

    /// Reports an error.
    pub(crate) fn fail_with(&mut self, error: &anyhow::Error) {
        terminal::print_error(error);
        self.failed = true;
    }

    /// Remembers that a copy is gone.
    pub(crate) fn mark_removed(&mut self, token: usize, copy: usize) {
        let token = self.tokens.get_mut(token);
        if let Some(copy) = token.and_then(|token| token.copies.get_mut(copy)) {
            copy.removed = true;
        }
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// When something was not done.
    pub(crate) fn end(&self) -> Result<()> {
        if self.import.json {
            print_json(&self.json())?;
        } else if self.import.dry_run {
            let new = self.tokens.iter().filter(|token| token.name().is_none());
            match new.count() {
                0 => {}
                1 => self.say("\n1 token would be stored here; nothing was changed")?,
                n => self.say(&format!(
                    "\n{n} tokens would be stored here; nothing was changed"
                ))?,
            }
        } else {
            self.what_stays()?;
        }
        if self.failed {
            return Err(AlreadyReported.into());
        }
        Ok(())
    }

    /// Reports the copies that could be removed.
    fn what_stays(&self) -> Result<()> {
        let kept = self.tokens.iter().filter(|token| token.name().is_some());
        let copies = kept.flat_map(|token| &token.copies);
        let left = copies.map(|copy| (copy.removed, &copy.found.place));
        // It has been reported why this command could not remove the others.
        let left: Vec<&Place> = left
            .filter(|(removed, place)| !removed && !self.import.removes(place))
            .map(|(_, place)| place)
            .collect();
        let (hf, others): (Vec<&Place>, Vec<&Place>) =
            left.into_iter().partition(|place| place.is_hf_login());
        let others: Vec<Source> = others.iter().map(|place| place.source()).collect();
        if !others.is_empty() {
            let copies = match others.len() {
                1 => "1 plain-text copy is left".to_owned(),
                n => format!("{n} plain-text copies are left"),
            };
            let command = self.again(&others);
            self.say(&format!("\n{copies}; to remove them: {command}"))?;
        }
        if !hf.is_empty() {
            self.say("the hf CLI's own copy is left; to remove it and log out hf and Python: git credential-hf import hf --remove")?;
        }
        Ok(())
    }

    fn again(&self, sources: &[Source]) -> String {
        let mut command = "git credential-hf import".to_owned();
        if !self.import.sources.is_empty() {
            for source in Source::ALL.iter().filter(|it| sources.contains(it)) {
                command.push_str(&format!(" {}", source.name()));
            }
        }
        command.push_str(" --remove");
        for folder in &self.import.recurse {
            command.push_str(&format!(
                " --recurse {}",
                shell_quoted(&folder.to_string_lossy())
            ));
        }
        command
    }

    fn json(&self) -> Value {
        let tokens: Vec<Value> = self.tokens.iter().map(token_json).collect();
        let skipped = self.skipped.iter().map(|skipped| {
            let mut value = place_json(&skipped.place);
            value["token"] = skipped.hint.as_str().into();
            value["reason"] = skipped.reason.as_str().into();
            value["tracked"] = skipped.tracked.into();
            value
        });
        json!({
            "version": 1,
            "dry_run": self.import.dry_run,
            "tokens": tokens,
            "skipped": skipped.collect::<Vec<Value>>(),
        })
    }
}

/// The places of a token's copies: the first few, and how many more there are.
fn some_of(copies: &[super::Copy]) -> Vec<String> {
    const FEW: usize = 4;
    let place = |copy: &super::Copy| text::one_line(&copy.found.place.to_string());
    if copies.len() <= FEW {
        return copies.iter().map(place).collect();
    }
    let mut places: Vec<String> = copies.iter().take(FEW - 1).map(place).collect();
    places.push(format!("and {} more", copies.len() - places.len()));
    places
}

fn token_json(token: &Token) -> Value {
    let copies = token.copies.iter().map(|copy| {
        let mut value = place_json(&copy.found.place);
        value["removed"] = copy.removed.into();
        value
    });
    let (status, storage, facts, error) = match &token.fate {
        Fate::New => ("new", None, None, None),
        Fate::Known(_) => ("known", None, None, None),
        Fate::Kept(_, kind, facts) => ("kept", Some(kind), facts.as_deref(), None),
        Fate::Failed(error) => ("failed", None, None, Some(error)),
    };
    json!({
        "token": token.secret.hint(),
        "endpoint": token.endpoint.to_string(),
        "status": status,
        "name": token.name(),
        "storage": storage,
        "facts": facts,
        "error": error,
        "copies": copies.collect::<Vec<Value>>(),
    })
}

fn place_json(place: &Place) -> Value {
    let (line, key) = match place {
        Place::HfStored { name, .. } => (None, Some(name)),
        Place::HfActive { .. } | Place::HfOld { .. } => (None, None),
        Place::Credentials { line, .. } | Place::Netrc { line, .. } => (Some(line), None),
        Place::Config { line, key, .. } => (Some(line), Some(key)),
    };
    json!({
        "source": place.source(),
        "file": place.file().display().to_string(),
        "line": line,
        "key": key,
    })
}
