//! Who else can read or change this helper's files.

use std::path::PathBuf;

use crate::doctor::{Check, Finding, Group, Inspection, Run};
#[cfg(unix)]
use crate::system::files::{self, Others};

pub(crate) const CHECK: Check = Check {
    id: "permissions",
    group: Group::Tokens,
    network: false,
    run: Run::Always(run),
};

/// A file or folder of the file storage, and its permissions.
#[derive(Debug, Clone)]
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no modes to judge"))]
struct Kept {
    path: PathBuf,
    folder: bool,
    /// Whether it belongs to another user.
    foreign: bool,
    mode: u32,
}

#[cfg(unix)]
fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let paths = &inspection.context.paths;
    let (tokens, decide) = (paths.tokens(), [paths.config(), paths.state()]);
    let mut found: Vec<Kept> = look(tokens.clone()).into_iter().collect();
    let entries = std::fs::read_dir(&tokens).into_iter().flatten().flatten();
    found.extend(entries.filter_map(|entry| look(entry.path())));
    let mut others: Vec<Others> = decide
        .iter()
        .filter_map(|path| files::others_along(path))
        .collect();
    others.dedup();
    let any = !found.is_empty() || decide.iter().any(|path| path.exists());
    judge(&found, &others, any)
}

#[cfg(not(unix))]
fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let paths = &inspection.context.paths;
    let mut folders = vec![&paths.config_dir, &paths.data_dir];
    folders.dedup();
    let outside = folders
        .into_iter()
        .filter(|folder| crate::system::home::is_outside_profile(folder));
    let mut findings: Vec<Finding> = outside
        .map(|folder| {
            Finding::warning(format!(
                "{} is outside your user profile, and whether other users can read or change it \
                 is not known: no token is stored in files there, and [commands] and [endpoints] \
                 are not used",
                folder.display()
            ))
            .by_hand("unset GIT_CREDENTIAL_HF_HOME, or set it to a folder in your profile")
        })
        .collect();
    if findings.is_empty() {
        let kept = "everything is in your user profile, whose access list keeps other users out";
        findings.push(Finding::ok(kept));
    }
    findings
}

#[cfg(unix)]
fn look(path: PathBuf) -> Option<Kept> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::symlink_metadata(&path).ok()?;
    let user = rustix::process::geteuid().as_raw();
    Some(Kept {
        folder: metadata.is_dir(),
        foreign: metadata.uid() != user && metadata.uid() != 0 && user != 0,
        mode: metadata.mode() & 0o777,
        path,
    })
}

#[cfg(unix)]
fn judge(found: &[Kept], others: &[Others], any: bool) -> Vec<Finding> {
    use crate::doctor::Repair;
    use crate::doctor::repair::shell_path;

    let mut findings = Vec::new();
    for kept in found {
        let (path, mode) = (&kept.path, kept.mode);
        let shown = path.display();
        if kept.foreign {
            findings.push(
                Finding::problem(format!("{shown} belongs to another user"))
                    .by_hand(format!("sudo chown \"$USER\" {}", shell_path(path))),
            );
        } else if mode & 0o077 != 0 {
            let message = format!(
                "{shown} has mode {mode:04o}, so others can reach the tokens: \
                 replace them if anybody may have"
            );
            let repair = Repair::Close {
                path: path.clone(),
                mode: if kept.folder { 0o700 } else { 0o600 },
            };
            findings.push(Finding::problem(message).repaired_by(repair));
        }
    }
    for others in others {
        let finding = Finding::problem(format!(
            "{others}, so other users may be able to change rules or the state"
        ));
        findings.push(match others {
            Others::MayWrite(path) if look(path.clone()).is_some_and(|it| !it.foreign) => finding
                .repaired_by(Repair::Close {
                    path: path.clone(),
                    mode: files::mode_of(path).unwrap_or_default() & 0o755,
                }),
            _ => finding.by_hand(others.remedy()),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok(if any {
            "nobody else can read the tokens or change the rules"
        } else {
            "nothing is stored yet"
        }));
    }
    findings
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn modes() {
        for (folder, mode, foreign, fix) in [
            (true, 0o700, false, None),
            (true, 0o750, false, Some("chmod 700 /x")),
            (false, 0o600, false, None),
            (false, 0o640, false, Some("chmod 600 /x")),
            (false, 0o600, true, Some("chown")),
        ] {
            let kept = Kept {
                path: "/x".into(),
                folder,
                foreign,
                mode,
            };
            let findings = judge(&[kept], &[], true);
            let text = findings[0].fix.as_ref().map(|fix| fix.text.clone());
            match fix {
                None => assert_eq!(findings[0].verdict, Verdict::Ok, "{findings:?}"),
                Some(fix) => assert!(text.is_some_and(|text| text.contains(fix)), "{findings:?}"),
            }
        }
        let findings = judge(&[], &[Others::Own("/x".into())], true);
        assert_eq!(findings[0].verdict, Verdict::Problem);
        assert_eq!(judge(&[], &[], false)[0].verdict, Verdict::Ok);
    }
}
