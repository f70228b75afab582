//! Who else can read or change this helper's files.

use std::path::PathBuf;

use crate::doctor::Check;
use crate::doctor::Finding;
use crate::doctor::Group;
use crate::doctor::Inspection;

/// The check.
pub const CHECK: Check = Check {
    id: "permissions",
    group: Group::Tokens,
    network: false,
    run,
};

/// A file or folder of ours, and who may what.
#[derive(Debug, Clone)]
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no modes to judge"))]
struct Kept {
    path: PathBuf,
    folder: bool,
    /// Whether others may not even read it.
    secret: bool,
    /// Whether it is another user's.
    foreign: bool,
    mode: u32,
    /// Whether its group is its owner's own.
    own_group: bool,
}

#[cfg(unix)]
fn run(around: &Inspection<'_>) -> Vec<Finding> {
    let paths = &around.context.paths;
    let tokens = paths.tokens();
    let mut found: Vec<Kept> = Vec::new();
    for (path, secret) in [
        (paths.config_dir.clone(), false),
        (paths.config(), false),
        (paths.data_dir.clone(), false),
        (paths.state(), false),
        (tokens.clone(), true),
    ] {
        if !found.iter().any(|kept| kept.path == path) {
            found.extend(look(path, secret));
        }
    }
    let entries = std::fs::read_dir(&tokens).into_iter().flatten().flatten();
    found.extend(entries.filter_map(|entry| look(entry.path(), true)));
    judge(&found)
}

#[cfg(not(unix))]
fn run(around: &Inspection<'_>) -> Vec<Finding> {
    let paths = &around.context.paths;
    let mut folders = vec![&paths.config_dir, &paths.data_dir];
    folders.dedup();
    let outside = folders
        .into_iter()
        .filter(|folder| crate::system::home::is_outside_profile(folder));
    let mut findings: Vec<Finding> = outside
        .map(|folder| {
            Finding::warning(format!(
                "{} is outside your user profile, and whether other users can read or change it \
                 is not known: no token is kept in files there, and [commands] and [endpoints] \
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
fn look(path: PathBuf, secret: bool) -> Option<Kept> {
    use std::os::unix::fs::MetadataExt;
    // A configuration may be a link; secrets never are.
    let metadata = if secret {
        std::fs::symlink_metadata(&path)
    } else {
        std::fs::metadata(&path)
    };
    let metadata = metadata.ok()?;
    let user = rustix::process::geteuid().as_raw();
    Some(Kept {
        folder: metadata.is_dir(),
        secret,
        foreign: metadata.uid() != user && metadata.uid() != 0 && user != 0,
        mode: metadata.mode() & 0o777,
        own_group: metadata.gid() == metadata.uid(),
        path,
    })
}

#[cfg(unix)]
fn judge(found: &[Kept]) -> Vec<Finding> {
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
            continue;
        }
        let shared = if kept.own_group { 0o002 } else { 0o022 };
        let (open, what) = if kept.secret {
            (
                0o077,
                "so others can reach the tokens: replace them if anybody may have",
            )
        } else {
            (shared, "so others can change it")
        };
        if mode & open != 0 {
            let mode_wanted = match (kept.secret, kept.folder) {
                (true, true) => 0o700,
                (true, false) => 0o600,
                (false, _) => mode & !0o022,
            };
            let repair = Repair::Close {
                path: path.clone(),
                mode: mode_wanted,
            };
            findings.push(
                Finding::problem(format!("{shown} has mode {mode:04o}, {what}"))
                    .repaired_by(repair),
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(if found.is_empty() {
            "nothing is stored yet"
        } else {
            "nobody else can read the tokens or change the rules"
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
        for (folder, secret, mode, own_group, foreign, fix) in [
            (true, true, 0o700, true, false, None),
            (true, true, 0o750, true, false, Some("chmod 700 /x")),
            (false, true, 0o600, true, false, None),
            (false, true, 0o640, true, false, Some("chmod 600 /x")),
            (false, false, 0o644, false, false, None),
            (false, false, 0o664, true, false, None),
            (false, false, 0o664, false, false, Some("chmod 644 /x")),
            (false, false, 0o666, true, false, Some("chmod 644 /x")),
            (true, false, 0o777, true, false, Some("chmod 755 /x")),
            (false, true, 0o600, true, true, Some("chown")),
        ] {
            let findings = judge(&[Kept {
                path: "/x".into(),
                folder,
                secret,
                foreign,
                mode,
                own_group,
            }]);
            let text = findings[0].fix.as_ref().map(|fix| fix.text.clone());
            match fix {
                None => assert_eq!(findings[0].verdict, Verdict::Ok, "{findings:?}"),
                Some(fix) => assert!(text.is_some_and(|text| text.contains(fix)), "{findings:?}"),
            }
        }
        assert_eq!(judge(&[])[0].verdict, Verdict::Ok);
    }
}
