//! Proxies: whether git and this helper use the same one. Its address is not shown.

use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::{Entry, best};
use crate::hub::proxy;

pub(crate) const CHECK: Check = Check {
    id: "proxy",
    group: Group::Network,
    network: false,
    run: Run::WithGitConfig(run),
};

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    let endpoint = &inspection.endpoint();
    if proxy::is_excepted(endpoint) {
        let host = endpoint.authority();
        return vec![Finding::ok(format!("no_proxy excepts {host}"))];
    }
    let in_git = best(entries, "http", "proxy", &endpoint.to_string());
    let in_git = in_git.map(|entry| !entry.text().is_empty());
    vec![judge(proxy::variable(endpoint), in_git)]
}

/// Judges by the variable that is set, and by git's `http.proxy`: not set, empty (no proxy), or a proxy.
fn judge(variable: Option<&str>, in_git: Option<bool>) -> Finding {
    match (variable, in_git) {
        (None, None | Some(false)) => Finding::ok("no proxy is set"),
        (Some(variable), None) => {
            Finding::ok(format!("{variable} is set, for git and this helper"))
        }
        (Some(_), Some(true)) => Finding::ok("set for git (http.proxy) and in the environment"),
        (Some(variable), Some(false)) => Finding::note(format!(
            "git and this helper go without a proxy (http.proxy is empty), other programs with \
             {variable}"
        )),
        (None, Some(true)) => Finding::warning(
            "git and this helper go through a proxy (http.proxy) that the hf CLI and Python do not \
             use",
        )
        .by_hand("set HTTPS_PROXY to the same URL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn ways() {
        for (variable, in_git, verdict) in [
            (None, None, Verdict::Ok),
            (None, Some(false), Verdict::Ok),
            (Some("HTTPS_PROXY"), None, Verdict::Ok),
            (Some("HTTPS_PROXY"), Some(true), Verdict::Ok),
            (Some("HTTPS_PROXY"), Some(false), Verdict::Note),
            (None, Some(true), Verdict::Warning),
        ] {
            assert_eq!(judge(variable, in_git).verdict, verdict);
        }
    }
}
