//! The hf CLI: whether its login can be read, and whether it sees that git has a helper.

use crate::doctor::Check;
use crate::doctor::Finding;
use crate::doctor::Group;
use crate::doctor::Inspection;
use crate::git::config_file::is_seen_by_hf_cli;
use crate::hf_cli::Which;
use crate::system::clock;

/// The check.
pub const CHECK: Check = Check {
    id: "hf-cli",
    group: Group::Programs,
    network: false,
    run,
};

fn run(around: &Inspection<'_>) -> Vec<Finding> {
    let hf_cli = around.context.hf_cli();
    if !hf_cli.is_here() {
        return vec![Finding::skipped("not used here")];
    }
    let login = match hf_cli.active_value().map(|value| value.is_some()) {
        Ok(false) => Login::None,
        Ok(true) => match hf_cli.read(Which::Active) {
            Ok(token) => {
                let renewable = token.refresh_token.is_some();
                let expired = token.expires.is_some_and(|at| at <= clock::now());
                if expired && !renewable {
                    Login::Expired
                } else {
                    Login::There
                }
            }
            Err(error) => Login::Unreadable(error.to_string()),
        },
        Err(error) => Login::Unreadable(error.to_string()),
    };
    let visible = around.entries.as_ref().ok().map(|entries| {
        let generic = entries
            .iter()
            .filter(|entry| entry.key == "credential.helper");
        let mut generic = generic.map(crate::git::config::Entry::text);
        generic.any(is_seen_by_hf_cli)
    });
    judge(&login, visible)
}

/// The hf CLI's active token.
#[derive(Debug)]
enum Login {
    None,
    There,
    Expired,
    Unreadable(String),
}

/// `visible` is whether the hf CLI would see a helper, as far as git could be asked.
fn judge(login: &Login, visible: Option<bool>) -> Vec<Finding> {
    let mut findings = vec![match login {
        Login::None => Finding::ok("not logged in"),
        Login::There => Finding::ok("its token is used where no other token is chosen"),
        Login::Expired => Finding::warning("its token has expired").by_hand("hf auth login"),
        Login::Unreadable(why) => {
            Finding::warning(format!("its token cannot be read: {why}")).by_hand("hf auth login")
        }
    }];
    if visible == Some(false) {
        findings.push(
            Finding::note(
                "`hf auth login --add-to-git-credential` sees no helper, since ours is set up for \
                 one Hub: it would not hand its token to git",
            )
            .by_hand("git credential-hf configure --hf-cli"),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn logins_and_helpers() {
        for (login, visible, verdicts) in [
            (Login::None, Some(true), &[Verdict::Ok][..]),
            (Login::There, None, &[Verdict::Ok]),
            (Login::There, Some(false), &[Verdict::Ok, Verdict::Note]),
            (Login::Expired, Some(true), &[Verdict::Warning]),
            (
                Login::Unreadable("x".into()),
                Some(true),
                &[Verdict::Warning],
            ),
        ] {
            let findings = judge(&login, visible);
            let seen: Vec<Verdict> = findings.iter().map(|f| f.verdict).collect();
            assert_eq!(seen, verdicts, "{login:?} {visible:?}");
        }
    }
}
