//! Shows the result of `check` for one repo, as text and as JSON.

use serde_json::{Value, json};

use crate::hub::diagnosis::{Diagnosis, DiagnosisKind};
use crate::model::operation::Operation;
use crate::model::text;
use crate::selection::Candidate;
use crate::terminal::{Screen, Style};

/// Whether the result is unknown, and not "no".
pub(super) fn is_open(problem: &Diagnosis) -> bool {
    problem.kind == DiagnosisKind::Unavailable
}

/// The result for one repo.
pub(super) struct Verdict {
    pub(super) repo: String,
    pub(super) endpoint: String,
    pub(super) operation: Operation,
    /// The token, in words.
    pub(super) token: String,
    pub(super) candidate: Option<(Candidate, String)>,
    pub(super) problem: Option<Diagnosis>,
    pub(super) notes: Vec<String>,
}

impl Verdict {
    pub(super) fn as_text(&self) -> String {
        let screen = Screen::stdout();
        let mut text = String::new();
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        let (word, style, ends) = match &self.problem {
            None => ("ok", Style::Green, "works"),
            Some(problem) if is_open(problem) => ("not known", Style::Yellow, "could not be tried"),
            Some(_) => ("no", Style::Red, "fails"),
        };
        // If nothing could be tried, git did not ask for a token.
        let untried = self.candidate.is_none() && self.problem.as_ref().is_some_and(is_open);
        let with = match untried {
            true => String::new(),
            false => format!(" with {}", self.token),
        };
        text.push_str(&format!(
            "{}: {} {} {ends}{with}\n",
            screen.paint(style, word),
            self.operation.with_repo(),
            self.repo,
        ));
        if let Some(problem) = &self.problem {
            text.push_str(&format!(
                "  = reason: {}\n  = help: {}\n",
                text::one_line(&problem.message),
                text::one_line(&problem.help)
            ));
        }
        // Only our own styles are in the text: what came from outside was sanitized above.
        text
    }

    pub(super) fn as_json(&self) -> Value {
        let works = match &self.problem {
            None => Some(true),
            Some(problem) if is_open(problem) => None,
            Some(_) => Some(false),
        };
        json!({
            "repo": self.repo,
            "endpoint": self.endpoint,
            "operation": self.operation.to_string(),
            "works": works,
            "with": self.token,
            "kind": self.candidate.as_ref().map(|(c, _)| c.source.kind()),
            "name": self.candidate.as_ref().and_then(|(c, _)| c.source.name()),
            "reason": self.candidate.as_ref().map(|(c, _)| c.reason.to_string()),
            "token": self.candidate.as_ref().map(|(_, hint)| hint),
            "problem": self.problem.as_ref().map(|p| json!({
                "kind": p.kind.name(),
                "message": text::one_line(&p.message),
                "help": text::one_line(&p.help),
            })),
            "notes": self.notes,
        })
    }
}
