//! Certificate authorities: whether the Hub's certificate is verified, and by the same list for git
//! and this helper.

use std::path::Path;

use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::git::config::{Entry, best};
use crate::system::environment::variable;
use crate::system::files::read_plain;

pub(crate) const CHECK: Check = Check {
    id: "certificates",
    group: Group::Network,
    network: false,
    run: Run::WithGitConfig(run),
};

/// The variables by which this helper finds a list of authorities.
const FILES: [&str; 4] = [
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
];

fn run(inspection: &Inspection<'_>, entries: &[Entry]) -> Vec<Finding> {
    let hub = inspection.endpoint().to_string();
    let set = FILES
        .iter()
        .filter_map(|name| Some((*name, variable(name)?)));
    let mut files: Vec<(&str, bool)> = set
        .map(|(name, path)| (name, holds_certificates(Path::new(&path))))
        .collect();
    let verify = best(entries, "http", "sslverify", &hub);
    let git_file = best(entries, "http", "sslcainfo", &hub).map(Entry::text);
    if let Some(path) = git_file.filter(|path| !path.is_empty()) {
        // Git knows the home that `~` means.
        let usable = path.starts_with('~') || holds_certificates(Path::new(path));
        files.push(("http.sslCAInfo", usable));
    }
    judge(&Set {
        files: &files,
        // It counts even if it is empty.
        unchecked: match (std::env::var_os("GIT_SSL_NO_VERIFY"), verify) {
            (Some(_), _) => Some("GIT_SSL_NO_VERIFY".to_owned()),
            (None, Some(entry)) if !entry.is_true() => Some(place(entry)),
            _ => None,
        },
    })
}

fn holds_certificates(path: &Path) -> bool {
    let read = read_plain(path);
    read.is_ok_and(|plain| String::from_utf8_lossy(&plain.bytes).contains("BEGIN CERTIFICATE"))
}

fn place(entry: &Entry) -> String {
    let file = entry.file.as_deref().unwrap_or("git -c");
    format!("http.sslVerify ({file})")
}

/// The settings that were found.
#[derive(Debug)]
struct Set<'a> {
    /// Settings, and whether the file that each names can be used.
    files: &'a [(&'a str, bool)],
    /// What stops git from verifying certificates.
    unchecked: Option<String>,
}

fn judge(set: &Set<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(what) = &set.unchecked {
        findings.push(
            Finding::problem(format!(
                "{what} stops git from verifying that it talks to the Hub: anyone on the network can \
                 take the tokens"
            ))
            .by_hand("remove that setting; for your own certificate authority set GIT_SSL_CAINFO"),
        );
    }
    for (name, _) in set.files.iter().filter(|(_, usable)| !usable) {
        findings.push(
            Finding::problem(format!("{name} does not name a file with certificates"))
                .by_hand(format!("set {name} to a file in PEM form, or unset it")),
        );
    }
    if findings.is_empty() {
        let names: Vec<&str> = set.files.iter().map(|(name, _)| *name).collect();
        findings.push(Finding::ok(match names.as_slice() {
            [] => "the system's certificate authorities".to_owned(),
            names => format!(
                "the system's certificate authorities, and those in {}",
                names.join(", ")
            ),
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn lists_of_authorities() {
        let verify = || Some("http.sslVerify (x)".to_owned());
        for (files, unchecked, verdict) in [
            (&[][..], None, Verdict::Ok),
            (&[("GIT_SSL_CAINFO", true)], None, Verdict::Ok),
            (&[("SSL_CERT_FILE", false)], None, Verdict::Problem),
            (&[("http.sslCAInfo", false)], None, Verdict::Problem),
            (&[], verify(), Verdict::Problem),
        ] {
            let set = Set { files, unchecked };
            assert_eq!(judge(&set)[0].verdict, verdict, "{set:?}");
        }
    }
}
