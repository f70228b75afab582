//! The hf CLI: whether its login can be read, and the file that old versions leave behind.

use crate::app::advice::HF_LOGIN_AGAIN;
use crate::doctor::repair::shell_path;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::hf_cli::Which;
use crate::system::clock;

pub(crate) const CHECK: Check = Check {
    id: "hf-cli",
    group: Group::Programs,
    network: false,
    run: Run::Always(run),
};

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let hf_cli = inspection.context.hf_cli();
    let old = hf_cli.old();
    if !hf_cli.is_here() && old.is_none() {
        return vec![Finding::skipped("not used here")];
    }
    let login = match hf_cli.active_value().map(|value| value.is_some()) {
        Ok(false) => Login::None,
        Ok(true) => match hf_cli.read(Which::Active) {
            Ok(token) if token.has_expired(clock::now()) => Login::Expired,
            Ok(_) => Login::There,
            Err(error) => Login::Unreadable(error.to_string()),
        },
        Err(error) => Login::Unreadable(error.to_string()),
    };
    let mut findings = vec![judge(&login)];
    findings.extend(old.map(|(file, secret)| {
        Finding::warning(format!(
            "{} holds {} in plain text, and nothing reads it any more",
            file.display(),
            secret.hint()
        ))
        .by_hand(format!(
            "git credential-hf import hf, or: rm {}",
            shell_path(&file)
        ))
    }));
    findings
}

/// The hf CLI's active token.
#[derive(Debug)]
enum Login {
    None,
    There,
    Expired,
    Unreadable(String),
}

fn judge(login: &Login) -> Finding {
    match login {
        Login::None => Finding::ok("not logged in"),
        Login::There => Finding::ok("its token is used where no other token is chosen"),
        Login::Expired => Finding::warning("its token has expired").by_hand(HF_LOGIN_AGAIN),
        Login::Unreadable(why) => {
            Finding::warning(format!("its token cannot be read: {why}")).by_hand(HF_LOGIN_AGAIN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn logins() {
        for (login, verdict) in [
            (Login::None, Verdict::Ok),
            (Login::There, Verdict::Ok),
            (Login::Expired, Verdict::Warning),
            (Login::Unreadable("x".into()), Verdict::Warning),
        ] {
            assert_eq!(judge(&login).verdict, verdict, "{login:?}");
        }
    }
}
