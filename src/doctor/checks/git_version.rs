//! Git's version, and what it can do.

use crate::doctor::inspection::ask_git;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::run::complaint;
use crate::system::process::on_path;

pub(crate) const CHECK: Check = Check {
    id: "git-version",
    group: Group::Git,
    network: false,
    run: Run::Always(run),
};

fn run(_: &Inspection<'_>) -> Vec<Finding> {
    let said = ask_git(&["--version"]);
    match complaint().filter(|_| on_path("git").is_some()) {
        Some(why) => vec![
            Finding::problem(format!("git cannot read its configuration: {why}"))
                .by_hand("correct that line, or remove it"),
        ],
        None => vec![judge(said.as_deref())],
    }
}

/// Judges by the output of `git --version`.
fn judge(said: Option<&str>) -> Finding {
    let Some(said) = said else {
        return Finding::problem("git was not found on PATH, or does not run")
            .by_hand("install git, or put its folder on PATH");
    };
    let Some((major, minor, shown)) = parse(said) else {
        return Finding::note("git does not report its version in the usual form");
    };
    let update = "update git: 2.46 or newer is best";
    let older_than = |than| (major, minor) < than;
    if older_than((2, 9)) {
        Finding::problem(format!(
            "git {shown} cannot exclude other helpers, so they are given the Hub's tokens"
        ))
        .by_hand(update)
    } else if older_than((2, 40)) {
        Finding::note(format!(
            "git {shown} works, but it ignores when tokens expire, and after a rejected token the \
             command fails, and the next one tries the next token"
        ))
        .by_hand(update)
    } else if older_than((2, 46)) {
        Finding::note(format!(
            "git {shown} works, but after a rejected token the command fails, and only the next command tries \
             the next token (2.46 and newer do so at once)"
        ))
        .by_hand(update)
    } else {
        Finding::ok(format!(
            "git {shown} knows when tokens expire, and tries the next token after a rejected one"
        ))
    }
}

/// Parses major, minor and the shown version from `git version 2.39.5 (Apple Git-154)`.
fn parse(said: &str) -> Option<(u32, u32, &str)> {
    let shown = said.strip_prefix("git version ")?.split(' ').next()?;
    let mut numbers = shown.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn versions() {
        for (said, verdict, word) in [
            (None, Verdict::Problem, "not found"),
            (Some("git version 1.8.3.1"), Verdict::Problem, "1.8.3.1"),
            (Some("git version 2.8.6"), Verdict::Problem, "exclude other"),
            (Some("git version 2.25.1"), Verdict::Note, "expire"),
            (
                Some("git version 2.45.2.windows.1"),
                Verdict::Note,
                "2.45.2.windows.1 works",
            ),
            (Some("git version 2.46.0"), Verdict::Ok, "next token"),
            (
                Some("git version 2.50.1 (Apple Git-155)"),
                Verdict::Ok,
                "git 2.50.1 knows",
            ),
            (Some("git version 3.0.0"), Verdict::Ok, "3.0.0"),
            (Some("something else"), Verdict::Note, "usual form"),
        ] {
            let finding = judge(said);
            assert_eq!(finding.verdict, verdict, "{said:?}");
            assert!(finding.why.contains(word), "{finding:?}");
        }
    }
}
