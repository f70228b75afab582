//! `doctor` finds what stops this helper from working. Each check is a file, and gives a verdict, the reason in
//! one line, and what to do about it.
//!
//! A report can be pasted in public: [`report`] removes secrets, logins in URLs and the home directory
//! from whatever a check says. A check never runs a program that a configuration names, and everything
//! that it runs or asks has a deadline.

pub(crate) mod checks;
pub(crate) mod inspection;
pub(crate) mod repair;
pub(crate) mod report;

pub(crate) use inspection::Inspection;
pub(crate) use repair::Repair;

use crate::git::config::Entry;
use crate::state::State;

/// What a check is about; the report is grouped by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Git itself, and the current repository.
    Git,
    /// Whether git calls this helper, and no other one, for the Hub.
    Helper,
    /// This helper's own tokens, files and storages.
    Tokens,
    /// Tokens elsewhere, which take precedence over this helper's.
    Elsewhere,
    /// git-lfs, git-xet and the hf CLI.
    Programs,
    /// The connection to the Hub.
    Network,
}

impl Group {
    /// The heading, and the name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Helper => "helper",
            Self::Tokens => "tokens",
            Self::Elsewhere => "elsewhere",
            Self::Programs => "programs",
            Self::Network => "network",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Not checked.
    Skipped,
    /// Nothing is wrong.
    Ok,
    /// Good to know.
    Note,
    /// Works, but not as expected, or not much longer.
    Warning,
    /// Does not work, or is not safe.
    Problem,
}

impl Verdict {
    /// The word for it, also in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fix {
    /// A command to run, or what to do in words.
    pub(crate) text: String,
    /// A repair that `--fix` can make.
    pub(crate) repair: Option<Repair>,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) verdict: Verdict,
    /// Why, in one line.
    pub(crate) why: String,
    /// What to do.
    pub(crate) fix: Option<Fix>,
}

impl Finding {
    fn new(verdict: Verdict, why: impl Into<String>) -> Self {
        Self {
            verdict,
            why: why.into(),
            fix: None,
        }
    }

    /// Nothing is wrong.
    pub(crate) fn ok(why: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, why)
    }

    /// Good to know.
    pub(crate) fn note(why: impl Into<String>) -> Self {
        Self::new(Verdict::Note, why)
    }

    /// Works, but not as expected, or not much longer.
    pub(crate) fn warning(why: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, why)
    }

    /// Does not work, or is not safe.
    pub(crate) fn problem(why: impl Into<String>) -> Self {
        Self::new(Verdict::Problem, why)
    }

    /// Not checked.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, why)
    }

    /// Adds what to do by hand.
    pub(crate) fn by_hand(self, text: impl Into<String>) -> Self {
        let text = text.into();
        let fix = Some(Fix { text, repair: None });
        Self { fix, ..self }
    }

    /// Adds a repair that `--fix` can make.
    pub(crate) fn repaired_by(self, repair: Repair) -> Self {
        let fix = Some(Fix {
            text: repair.command(),
            repair: Some(repair),
        });
        Self { fix, ..self }
    }
}

/// One check.
#[derive(Debug)]
pub(crate) struct Check {
    /// Its name, which never changes.
    pub(crate) id: &'static str,
    /// What it is about.
    pub(crate) group: Group,
    /// Whether it needs the network, and is left out with `--offline`.
    pub(crate) network: bool,
    /// What it does.
    pub(crate) run: Run,
}

/// How a check is run, by what it cannot do without. It returns at least one finding, and is skipped
/// if what it needs cannot be read.
#[derive(Debug)]
pub(crate) enum Run {
    /// It needs nothing.
    Always(fn(&Inspection<'_>) -> Vec<Finding>),
    /// It needs git's configuration.
    WithGitConfig(fn(&Inspection<'_>, &[Entry]) -> Vec<Finding>),
    /// It needs the state.
    WithState(fn(&Inspection<'_>, &State) -> Vec<Finding>),
}

impl Run {
    fn on(&self, inspection: &Inspection<'_>) -> Vec<Finding> {
        match self {
            Self::Always(run) => run(inspection),
            Self::WithGitConfig(run) => match &inspection.entries {
                Ok(entries) => run(inspection, entries),
                Err(error) => vec![Finding::skipped(error.to_string())],
            },
            Self::WithState(run) => match &inspection.state {
                Ok(state) => run(inspection, state),
                Err(_) => vec![Finding::skipped("the state cannot be read")],
            },
        }
    }
}

/// The findings of one check.
#[derive(Debug)]
pub(crate) struct CheckOutcome {
    pub(crate) check: &'static Check,
    pub(crate) findings: Vec<Finding>,
}

impl CheckOutcome {
    /// The worst of its findings.
    pub(crate) fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Skipped)
    }
}

/// Runs all checks in order, and calls `begin` with the name of each before it runs.
pub(crate) fn run(
    surroundings: &Inspection<'_>,
    mut begin: impl FnMut(&'static str),
) -> Vec<CheckOutcome> {
    let run = |check: &'static Check| {
        begin(check.id);
        let findings = if check.network && surroundings.offline {
            vec![Finding::skipped("skipped (--offline)")]
        } else {
            check.run.on(surroundings)
        };
        CheckOutcome { check, findings }
    };
    checks::ALL.iter().copied().map(run).collect()
}
