//! The exchange of a CI job's identity: whether the job could ask the Hub for a token.

use crate::app::job_identity;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::model::oidc_resource::{NotAResource, OidcResource};
use crate::system::clock::now;

pub(crate) const CHECK: Check = Check {
    id: "exchange",
    group: Group::Elsewhere,
    network: false,
    run: Run::Always(run),
};

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let env = &inspection.context.env;
    let Some(oidc) = &env.oidc else {
        return vec![Finding::ok("HF_OIDC_RESOURCE is not set")];
    };
    let identity = job_identity::look(&oidc.job, &inspection.endpoint(), now());
    let variable = env.tokens.first().map(|token| token.variable);
    judge(
        &oidc.resource,
        identity.map_err(|e| e.to_string()),
        variable,
    )
}

fn judge(
    resource: &Result<OidcResource, NotAResource>,
    identity: Result<String, String>,
    variable: Option<&str>,
) -> Vec<Finding> {
    let whom = match resource {
        Err(error) => {
            let why = format!("HF_OIDC_RESOURCE cannot be used: {error}");
            return vec![Finding::problem(why).by_hand("set it to `auto`, or unset it")];
        }
        Ok(OidcResource::Auto) => "the repo that git asks for".to_owned(),
        Ok(OidcResource::Repo(repo)) => repo.to_string(),
        Ok(OidcResource::Account(name)) => format!("the account {}", name.as_str()),
    };
    let how = match identity {
        Err(why) => return vec![Finding::problem(why)],
        Ok(how) => how,
    };
    let mut findings = vec![Finding::ok(format!(
        "{how} is exchanged for a token of {whom}"
    ))];
    findings.extend(variable.map(|variable| {
        Finding::note(format!(
            "{variable} is set too: for {whom} git gets the job's token, and {variable} elsewhere"
        ))
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn what_is_wrong_is_a_problem() {
        let ok = || Ok("an ID token".to_owned());
        let wrong = || Err("it expired".to_owned());
        for (resource, identity, variable, verdicts) in [
            ("acme/x", ok(), None, &[Verdict::Ok][..]),
            (
                "auto",
                ok(),
                Some("HF_TOKEN"),
                &[Verdict::Ok, Verdict::Note],
            ),
            ("alice", wrong(), Some("HF_TOKEN"), &[Verdict::Problem]),
            ("not a resource", ok(), None, &[Verdict::Problem]),
        ] {
            let found = judge(&OidcResource::parse(resource), identity, variable);
            let found: Vec<Verdict> = found.iter().map(|finding| finding.verdict).collect();
            assert_eq!(found, verdicts, "{resource}");
        }
    }
}
