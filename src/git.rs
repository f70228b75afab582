//! What git knows: the remotes of the repository at hand.

use std::process::{Command, Stdio};

use crate::endpoint::Endpoint;
use crate::repo::{Location, parse_location};

/// The URLs that git would use for the remotes of the repository in `GIT_DIR` or the working
/// directory, as places on some endpoint. Empty outside a repository, or without git.
///
/// One run of `git config` reads all that counts, wherever it is written (includes, worktrees);
/// rewriting by `url.*.insteadOf` is done here, as git does it: the longest match wins.
#[must_use]
pub fn remotes() -> Vec<Location> {
    let output = Command::new("git")
        .args([
            "config",
            "-z",
            "--get-regexp",
            r"^(remote\..*\.(url|pushurl)|url\..*\.(insteadof|pushinsteadof))$",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => parse(&String::from_utf8_lossy(&output.stdout)),
        _ => Vec::new(),
    }
}

/// Reads `git config -z` output: `key\nvalue\0`.
fn parse(output: &str) -> Vec<Location> {
    let mut urls = Vec::new();
    let mut rewrites = Vec::new();
    for entry in output.split('\0') {
        let Some((key, value)) = entry.split_once('\n') else {
            continue;
        };
        if let Some(key) = key.strip_prefix("url.") {
            if let Some((base, _)) = key.rsplit_once('.') {
                rewrites.push((value, base));
            }
        } else {
            urls.push(value);
        }
    }
    let mut found: Vec<Location> = Vec::new();
    for url in urls {
        let rewrite = rewrites
            .iter()
            .filter(|(from, _)| url.starts_with(from))
            .max_by_key(|(from, _)| from.len());
        let url = match rewrite {
            Some((from, to)) => format!("{to}{}", url.get(from.len()..).unwrap_or("")),
            None => url.to_owned(),
        };
        // A remote without a scheme is a path or an ssh host, never a repo's bare name.
        if url.contains("://")
            && let Ok(location) = parse_location(&url, &Endpoint::hugging_face())
            && !found.contains(&location)
        {
            found.push(location);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(output: &str) -> Vec<String> {
        parse(output)
            .iter()
            .map(|l| format!("{}/{}", l.endpoint, l.path))
            .collect()
    }

    #[test]
    fn urls_push_urls_and_rewrites() {
        let output = "remote.origin.url\nhttps://huggingface.co/acme/x\0\
                      remote.origin.pushurl\nhttps://work@hf.co/acme/x\0\
                      remote.mirror.url\nhf:acme/y.git\0\
                      remote.ssh.url\ngit@hf.co:acme/z\0\
                      remote.path.url\nacme/w\0\
                      url.https://huggingface.co/.insteadof\nhf:\0\
                      url.https://evil.example/.insteadof\nh\0";
        assert_eq!(
            shown(output),
            [
                "https://evil.example/ttps://huggingface.co/acme/x".to_owned(),
                "https://evil.example/ttps://work@hf.co/acme/x".to_owned(),
                "https://huggingface.co/acme/y.git".to_owned(),
            ]
        );
    }

    #[test]
    fn the_same_place_once() {
        let output = "remote.a.url\nhttps://huggingface.co/acme/x\0\
                      remote.b.url\nhttps://HF.co/acme/x\0";
        assert_eq!(shown(output), ["https://huggingface.co/acme/x"]);
        assert!(shown("").is_empty());
    }
}
