//! Prints a report without secrets, and with lines of limited length.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{CheckOutcome, Finding, Group, Verdict};
use crate::model::text;
use crate::terminal::{Screen, Style};

/// The version of the JSON.
const VERSION: u32 = 1;

/// The longest text of a finding, in characters.
const LONGEST: usize = 400;

/// Removes from texts what others should not see.
#[derive(Debug)]
pub(crate) struct Public<'a> {
    /// The directories that are written as `~`.
    pub(crate) homes: &'a [PathBuf],
}

impl Public<'_> {
    /// Puts a text on one line of limited length, without escapes, tokens, logins in URLs and the
    /// path of the home directory.
    pub(crate) fn text(&self, text: &str) -> String {
        let text = without_logins(&text::one_line(text));
        let text = crate::model::secret::redact(&text);
        let texts = self.homes.iter().filter_map(|home| home.to_str());
        let text = texts.fold(text, |text, home| without_home(&text, home));
        if text.chars().count() <= LONGEST {
            return text;
        }
        let start: String = text.chars().take(LONGEST).collect();
        format!("{start}…")
    }
}

/// Replaces a home directory in a text. Windows accepts either slash and ignores case, and Git Bash
/// writes `/c/Users` for `C:\Users`.
fn without_home(text: &str, home: &str) -> String {
    let home = home.trim_end_matches(['/', '\\']);
    // A home directory of `/` or a drive reveals nothing.
    if home.len() < 2 || home.ends_with(':') {
        return text.to_owned();
    }
    let folded = |text: &str| text.to_ascii_lowercase().replace('\\', "/");
    match home.split_once(':').filter(|(drive, _)| drive.len() == 1) {
        None => replaced(text, text, home),
        Some((drive, rest)) => {
            let text = replaced(text, &folded(text), &folded(home));
            replaced(&text, &folded(&text), &folded(&format!("/{drive}{rest}")))
        }
    }
}

/// Replaces the home directory by `~` in a text. `folded` is the text in the form in which it is
/// compared, which has the same length.
fn replaced(text: &str, folded: &str, home: &str) -> String {
    let in_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, found) in folded.match_indices(home) {
        let end = at + found.len();
        let begins = folded.get(..at).unwrap_or("").chars().next_back();
        let ends = folded.get(end..).unwrap_or("").chars().next();
        if begins.is_none_or(|c| !in_name(c)) && ends.is_none_or(|c| !in_name(c)) {
            out.push_str(text.get(done..at).unwrap_or(""));
            out.push('~');
            done = end;
        }
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

/// Replaces the part before the host in URLs.
fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(['/', ' ', '"', '\'', '`']);
        let (authority, path) = after.split_at(end.unwrap_or(after.len()));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push('…');
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = path;
    }
    out.push_str(rest);
    out
}

/// How many findings of each verdict there are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    checks: usize,
    notes: usize,
    warnings: usize,
    problems: usize,
    skipped: usize,
}

impl Counts {
    /// Counts each check by its worst finding, and counts the notes.
    pub(crate) fn of(outcomes: &[CheckOutcome]) -> Self {
        let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
        let mut counts = Self {
            checks: outcomes.len(),
            ..Self::default()
        };
        for finding in findings {
            match finding.verdict {
                Verdict::Ok => {}
                Verdict::Note => counts.notes += 1,
                Verdict::Warning => counts.warnings += 1,
                Verdict::Problem => counts.problems += 1,
                Verdict::Skipped => counts.skipped += 1,
            }
        }
        counts
    }

    /// Whether there is a problem.
    pub(crate) fn has_problem(self) -> bool {
        self.problems > 0
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (count, one, several) in [
            (self.problems, "problem", "problems"),
            (self.warnings, "warning", "warnings"),
            (self.notes, "note", "notes"),
            (self.skipped, "skipped", "skipped"),
        ] {
            match count {
                0 => {}
                1 => parts.push(format!("1 {one}")),
                count => parts.push(format!("{count} {several}")),
            }
        }
        let checks = match self.checks {
            1 => "1 check".to_owned(),
            checks => format!("{checks} checks"),
        };
        match (self.problems + self.warnings, parts.is_empty()) {
            (0, true) => write!(f, "{checks}, all is well"),
            (0, false) => write!(f, "{checks}, all is well ({})", parts.join(", ")),
            _ => write!(f, "{checks}: {}", parts.join(", ")),
        }
    }
}

/// The first line: the program and the system, but nothing about the user.
fn head() -> String {
    format!(
        "git-credential-hf {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// The report as text; `fixing` if `--fix` was given.
pub(crate) fn as_text(
    outcomes: &[CheckOutcome],
    public: &Public<'_>,
    screen: Screen,
    fixing: bool,
) -> String {
    let mut text = head();
    text.push('\n');
    let ids = outcomes.iter().map(|outcome| outcome.check.id.len());
    let id_width = ids.max().unwrap_or(0);
    // On a narrow terminal, sentences start on a new line.
    let narrow = screen.width.is_some_and(|width| width < id_width + 50);
    let indent = if narrow { 4 } else { 4 + id_width + 2 };
    let mut group: Option<Group> = None;
    for outcome in outcomes {
        if group != Some(outcome.check.group) {
            group = Some(outcome.check.group);
            let name = screen.paint(Style::Bold, outcome.check.group.name());
            let _ = write!(text, "\n{name}\n");
        }
        for finding in &outcome.findings {
            let (mark, style) = mark(finding.verdict);
            let mark = screen.paint(style, &screen.signs(mark));
            let id = outcome.check.id;
            let why = screen.wrap(&public.text(&finding.why), indent, indent);
            if narrow {
                let _ = writeln!(text, "  {mark} {}", screen.paint(Style::Bold, id));
                let _ = writeln!(text, "    {why}");
            } else {
                let _ = writeln!(text, "  {mark} {id:<id_width$}  {why}");
            }
            if let Some(fix) = &finding.fix {
                let fix = public.text(&fix.text);
                let label = screen.paint(Style::Cyan, "fix");
                let fix = screen.wrap(&fix, indent + 7, indent + 2);
                let _ = writeln!(text, "{:indent$}= {label}: {fix}", "");
            }
        }
    }
    let counts = Counts::of(outcomes);
    let style = match (counts.problems, counts.warnings) {
        (0, 0) => Style::Green,
        (0, _) => Style::Yellow,
        _ => Style::Red,
    };
    let _ = write!(text, "\n{}\n", screen.paint(style, &counts.to_string()));
    match repairs(outcomes).len() {
        _ if fixing => {}
        0 => {}
        1 => text.push_str("`git credential-hf doctor --fix` can make 1 of these fixes\n"),
        n => {
            let _ = writeln!(
                text,
                "`git credential-hf doctor --fix` can make {n} of these fixes"
            );
        }
    }
    text
}

fn mark(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Skipped => ("-", Style::Dim),
        Verdict::Ok => ("✓", Style::Green),
        Verdict::Note => ("i", Style::Cyan),
        Verdict::Warning => ("!", Style::Yellow),
        Verdict::Problem => ("✗", Style::Red),
    }
}

/// The repairs that `--fix` can make, each once, in order.
pub(crate) fn repairs(outcomes: &[CheckOutcome]) -> Vec<&super::Repair> {
    let mut found = Vec::new();
    let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
    for repair in findings.filter_map(|finding| finding.fix.as_ref()?.repair.as_ref()) {
        if !found.contains(&repair) {
            found.push(repair);
        }
    }
    found
}

/// What is left to do by hand, each once.
pub(crate) fn left(outcomes: &[CheckOutcome]) -> Vec<&Finding> {
    let mut found: Vec<&Finding> = Vec::new();
    let findings = outcomes.iter().flat_map(|outcome| &outcome.findings);
    for finding in findings.filter(|finding| finding.verdict >= Verdict::Warning) {
        if finding.fix.is_some() && !found.iter().any(|known| known.fix == finding.fix) {
            found.push(finding);
        }
    }
    found
}

/// A repair that was tried.
#[derive(Debug)]
pub(crate) struct Repaired {
    /// The repair, as a command.
    pub(crate) command: String,
    /// Why it failed, if it did.
    pub(crate) error: Option<String>,
}

/// The report as JSON.
pub(crate) fn as_json(
    outcomes: &[CheckOutcome],
    public: &Public<'_>,
    repaired: Option<&[Repaired]>,
) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "verdict": finding.verdict.name(),
            "why": public.text(&finding.why),
            "fix": finding.fix.as_ref().map(|fix| public.text(&fix.text)),
            "automatic": finding.fix.as_ref().is_some_and(|fix| fix.repair.is_some()),
        })
    };
    let check = |outcome: &CheckOutcome| {
        json!({
            "id": outcome.check.id,
            "group": outcome.check.group.name(),
            "verdict": outcome.verdict().name(),
            "findings": outcome.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    };
    let counts = Counts::of(outcomes);
    let mut json = json!({
        "version": VERSION,
        "program": env!("CARGO_PKG_VERSION"),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "checks": outcomes.iter().map(check).collect::<Vec<_>>(),
        "problems": counts.problems,
        "warnings": counts.warnings,
    });
    if let (Some(repaired), Some(object)) = (repaired, json.as_object_mut()) {
        let repair = |repaired: &Repaired| {
            json!({
                "command": public.text(&repaired.command),
                "done": repaired.error.is_none(),
                "error": repaired.error.as_deref().map(|error| public.text(error)),
            })
        };
        let repairs: Vec<Value> = repaired.iter().map(repair).collect();
        object.insert("repairs".to_owned(), repairs.into());
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_in_public() {
        let token = format!("hf_{}", "aB3".repeat(12));
        let homes = [
            PathBuf::from("/home/alice"),
            PathBuf::from(r"C:\Users\Alice"),
        ];
        let public = Public { homes: &homes };
        for (text, expected) in [
            ("see /home/alice/.gitconfig".to_owned(), "see ~/.gitconfig"),
            (
                "/home/alice and /home/alice2 and /srv/home/alice".to_owned(),
                "~ and /home/alice2 and /srv/home/alice",
            ),
            (
                format!("https://u:{token}@huggingface.co/acme/x"),
                "https://…@huggingface.co/acme/x",
            ),
            (
                "https://pass@word@hf.co and `http://p:1@[::1]:3`".to_owned(),
                "https://…@hf.co and `http://…@[::1]:3`",
            ),
            (format!("key {token}"), "key hf_…3aB3"),
            ("a\x1b[2J\nb".to_owned(), "a[2J b"),
            (r"see C:\Users\Alice\x".to_owned(), r"see ~\x"),
            (
                "C:/Users/Alice/x, c:/users/alice/x, /c/Users/Alice/x".to_owned(),
                "~/x, ~/x, ~/x",
            ),
            (
                r"C:\Users\Alice2, \\?\C:\Users\Alice".to_owned(),
                r"C:\Users\Alice2, \\?\~",
            ),
        ] {
            assert_eq!(public.text(&text), expected);
        }
        assert_eq!(
            public.text(&"x".repeat(10_000)).chars().count(),
            LONGEST + 1
        );
        let tops = [PathBuf::from("/"), PathBuf::from(r"C:\")];
        let top = Public { homes: &tops };
        for text in ["/etc/gitconfig", r"C:\ProgramData\Git"] {
            assert_eq!(top.text(text), text);
        }
    }

    #[test]
    fn findings_are_counted_in_words() {
        let words = |findings: Vec<Finding>| {
            let check = super::super::checks::ALL[0];
            Counts::of(&[CheckOutcome { check, findings }]).to_string()
        };
        assert_eq!(words(vec![Finding::ok("x")]), "1 check, all is well");
        assert_eq!(
            words(vec![Finding::note("x"), Finding::note("y")]),
            "1 check, all is well (2 notes)"
        );
        assert_eq!(
            words(vec![Finding::problem("x"), Finding::warning("y")]),
            "1 check: 1 problem, 1 warning"
        );
    }
}
