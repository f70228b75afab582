//! `config.toml`, the state, and the variables that this helper reads.

use crate::app::lookup::exists;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::model::token_name::TokenName;
use crate::system::files::Lock;
use std::io;
use std::time::Duration;

pub(crate) const CHECK: Check = Check {
    id: "configuration",
    group: Group::Tokens,
    network: false,
    run: Run::Always(run),
};

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(error) = &inspection.config_error {
        let help = error
            .help
            .as_ref()
            .map_or("fix it in that file", |help| help.0.as_str());
        findings.push(Finding::problem(error.to_string()).by_hand(help));
    }
    if let Err(error) = &inspection.state {
        findings.push(Finding::problem(error.clone()));
    }
    if let Some(lost) = inspection.context.lost_home() {
        findings.push(Finding::problem(lost).by_hand("set HOME"));
    }
    let lock = inspection.context.paths.state().with_extension("lock");
    if lock.exists()
        && let Err(error) = Lock::acquire(&lock, Duration::ZERO)
        && error.kind() == io::ErrorKind::Unsupported
    {
        findings.push(
            Finding::problem(error.to_string())
                .by_hand("set GIT_CREDENTIAL_HF_HOME to a folder on a local disk"),
        );
    }
    let env = &inspection.context.env;
    if let Some(Err(error)) = &env.hf_endpoint {
        findings.push(
            Finding::problem(format!("HF_ENDPOINT does not name a Hub: {error}"))
                .by_hand("set it to a URL such as https://huggingface.co, or unset it"),
        );
    } else if !inspection.context.serves(&inspection.endpoint()) {
        findings.push(
            Finding::problem("HF_ENDPOINT is plain http, for which git gets no token").by_hand(
                "allow it below [endpoints] in config.toml: \"http://..\" = { allow_http = true }",
            ),
        );
    }
    if let (Some(name), Ok(state)) = (&env.token_name, &inspection.state) {
        let name = TokenName::existing(name);
        findings.push(if exists(inspection.context, state, &name) {
            Finding::note(format!(
                "GIT_CREDENTIAL_HF_TOKEN_NAME is set: `{name}` is used everywhere, and no rule"
            ))
        } else {
            Finding::problem(
                "GIT_CREDENTIAL_HF_TOKEN_NAME is set, but there is no token of that name",
            )
            .by_hand("unset GIT_CREDENTIAL_HF_TOKEN_NAME; the names are in: git credential-hf list")
        });
    }
    if findings.is_empty() {
        let there = inspection.context.paths.config().exists();
        findings.push(Finding::ok(if there {
            "config.toml can be read"
        } else {
            "there is no config.toml, and none is needed"
        }));
    }
    findings
}
