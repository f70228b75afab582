//! The Hub's repos: their names in URLs, the bare repositories behind them, and git's own server
//! to hand them out.

use super::accounts::Right;
use super::http::{Request, Response};
use crate::support::process;
use crate::support::tools::{self, Git};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const KINDS: [&str; 4] = ["models", "datasets", "spaces", "kernels"];
const PATIENCE: Duration = Duration::from_secs(60);

/// A repo by its canonical name in lower case: `models/acme/x`, `models/gpt2`, `datasets/acme/x`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RepoName(String);

impl RepoName {
    /// Reads `acme/x`, `gpt2`, `datasets/acme/x.git` and their like.
    pub fn parse(text: &str) -> Option<RepoName> {
        let text = text.trim_matches('/').to_ascii_lowercase();
        let text = text.strip_suffix(".git").unwrap_or(&text);
        let (kind, rest) = match text.split_once('/') {
            Some((kind, rest)) if KINDS.contains(&kind) => (kind, rest),
            _ => ("models", text),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let sound = |part: &&str| !part.is_empty() && !part.starts_with('.');
        (parts.len() <= 2 && parts.iter().all(sound)).then(|| RepoName(format!("{kind}/{rest}")))
    }

    /// Whether the scope of a grant covers this repo.
    pub fn is_in(&self, scope: &str) -> bool {
        let namespace = self.0.split('/').nth(1);
        namespace == Some(scope) || RepoName::parse(scope).as_ref() == Some(self)
    }

    fn folder(&self) -> String {
        format!("{}.git", self.0)
    }
}

impl std::fmt::Display for RepoName {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

/// What a request wants from a repo.
pub enum Service {
    /// Git's smart protocol: the path within the repository.
    Git(&'static str),
    /// The git-lfs API: the path below `info/lfs/`.
    Lfs(String),
}

/// Splits the path of a request into the repo and what is wanted from it.
pub fn parse_path(path: &str) -> Option<(RepoName, Service)> {
    const GIT: [&str; 3] = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];
    if let Some((repo, rest)) = path.split_once("/info/lfs/") {
        return Some((RepoName::parse(repo)?, Service::Lfs(rest.to_owned())));
    }
    let service = GIT.into_iter().find(|tail| path.ends_with(tail))?;
    let repo = path.strip_suffix(service)?;
    Some((RepoName::parse(repo)?, Service::Git(service)))
}

/// The right that a request of git's smart protocol takes.
pub fn right_for(service: &str, query: &str) -> Right {
    if service == "/git-receive-pack" || query.contains("service=git-receive-pack") {
        Right::Write
    } else {
        Right::Read
    }
}

/// A folder of bare repositories and the programs that make and serve them.
pub struct Repos {
    root: PathBuf,
    git: Git,
    backend: PathBuf,
}

impl Repos {
    /// Keeps the repositories below `root`.
    pub fn new(root: &Path) -> Repos {
        let served = |git: Git| git.http_backend().map(|backend| (git, backend));
        let (git, backend) = tools::gits()
            .into_iter()
            .find_map(served)
            .expect("a git that comes with git-http-backend");
        Repos {
            root: root.to_owned(),
            git,
            backend,
        }
    }

    /// Where the bare repository lies.
    pub fn folder(&self, repo: &RepoName) -> PathBuf {
        self.root.join(repo.folder())
    }

    /// Makes a repository with one commit on `main`.
    pub fn create(&self, repo: &RepoName) {
        const FIRST_COMMIT: &str = "commit refs/heads/main\n\
            committer Hub <hub@example.com> 1700000000 +0000\n\
            data 14\ninitial commit\n\
            M 100644 inline README.md\n\
            data 5\nHello\n";
        let folder = self.folder(repo);
        let folder = folder.to_str().expect("a UTF-8 path");
        self.git(&["init", "--quiet", "--bare", "-b", "main", folder], "");
        // A collection in the background would outlive the push, and the test.
        self.git(&["-C", folder, "config", "receive.autogc", "false"], "");
        self.git(&["-C", folder, "fast-import", "--quiet"], FIRST_COMMIT);
    }

    /// The commit that `main` is at.
    pub fn head(&self, repo: &RepoName) -> String {
        let folder = self.folder(repo);
        let folder = folder.to_str().expect("a UTF-8 path");
        let said = self.git(&["-C", folder, "rev-parse", "refs/heads/main"], "");
        said.trim_end().to_owned()
    }

    fn git(&self, arguments: &[&str], stdin: &str) -> String {
        let mut command = self.command(&self.git.path);
        command.args(arguments);
        let done = process::run(command, stdin.as_bytes(), PATIENCE).expect("git answers in time");
        let words = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.code, 0, "git {arguments:?}: {words}");
        String::from_utf8(done.stdout).expect("UTF-8 from git")
    }

    /// Serves an admitted request through `git http-backend`, as a web server would.
    pub fn serve(&self, repo: &RepoName, service: &str, user: &str, request: &Request) -> Response {
        let header = |name| request.header(name).unwrap_or_default();
        let mut command = self.command(&self.backend);
        command
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", format!("/{}{service}", repo.folder()))
            .env("REQUEST_METHOD", &request.method)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_TYPE", header("Content-Type"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("Content-Encoding"))
            .env("HTTP_GIT_PROTOCOL", header("Git-Protocol"))
            .env("GIT_PROTOCOL", header("Git-Protocol"))
            // A user who is known to the web server may push.
            .env("REMOTE_USER", user)
            .env("REMOTE_ADDR", "127.0.0.1");
        match process::run(command, &request.body, PATIENCE) {
            Ok(done) => from_cgi(&done.stdout),
            Err(words) => Response::text(500, &words),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.root)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(&self.root);
        command
    }
}

/// A CGI program's output: headers, one of them perhaps the status, and the body.
fn from_cgi(output: &[u8]) -> Response {
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let Some(end) = end else {
        return Response::text(500, "git-http-backend gave no answer");
    };
    let mut response = Response {
        status: 200,
        headers: Vec::new(),
        body: output[end + 4..].to_vec(),
    };
    for header in String::from_utf8_lossy(&output[..end]).lines() {
        match header.split_once(':') {
            Some(("Status", value)) => {
                let code = value.split_whitespace().next();
                response.status = code.and_then(|code| code.parse().ok()).unwrap_or(500);
            }
            Some((name, value)) => response.headers.push((name.into(), value.trim().into())),
            None => {}
        }
    }
    response
}
