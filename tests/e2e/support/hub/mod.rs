//! A stand-in for the Hugging Face Hub: its host names, tokens, repos, large files and status
//! codes, with a log of who asked for what with which token.

mod accounts;
pub mod api;
mod http;
mod lfs;
mod proxy;
mod repos;
mod tls;
pub mod trusted;

pub use accounts::{Grants, Right, TokenSeen};
pub use http::{Request, Response};
pub use lfs::{OBJECT_HOST, XET_HOST};

use accounts::Accounts;
use lfs::Objects;
use proxy::Proxy;
use repos::{RepoName, Repos, Service};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// The hosts that every stand-in has a certificate for.
const HOSTS: [&str; 10] = [
    "huggingface.co",
    "*.huggingface.co",
    "hf.co",
    "*.hf.co",
    XET_HOST,
    "hub.corp.example",
    "evil.example",
    "huggingface.co.evil.example",
    "127.0.0.1",
    "localhost",
];

/// One request, as the Hub answered it. Secrets are not in it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub scheme: &'static str,
    /// Lower case, with the port where it is not the scheme's own.
    pub host: String,
    pub method: String,
    pub path: String,
    pub query: String,
    pub status: u16,
    /// The username of Basic authentication.
    pub user: Option<String>,
    pub token: TokenSeen,
}

type Route = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

#[derive(Default)]
struct State {
    accounts: Accounts,
    /// Whether each repo is private.
    private: HashMap<RepoName, bool>,
    objects: Objects,
    redirects: Vec<(String, String)>,
    routes: HashMap<(String, String, String), Route>,
    log: Vec<Logged>,
}

/// What the Hub's threads and handles share.
struct Inner {
    repos: Repos,
    state: Mutex<State>,
}

/// A Hub on loopback, reached as an HTTP proxy. It accepts every host name it has a certificate
/// for, and serves the same repos under each of them, so that a test can show to which host a
/// client was willing to give a token. Dropping it ends it.
pub struct Hub {
    proxy: Proxy,
    inner: Arc<Inner>,
    folder: TempDir,
}

impl Hub {
    /// Starts a Hub without repos and tokens.
    pub fn start() -> Hub {
        Hub::start_with_hosts(&[])
    }

    /// Starts a Hub that has a certificate for `more` host names as well.
    pub fn start_with_hosts(more: &[&str]) -> Hub {
        let folder = tempfile::tempdir().expect("make the Hub's folder");
        let hosts = HOSTS.iter().chain(more).map(|host| (*host).to_owned());
        let (pem, tls) = tls::authority(hosts.collect());
        fs::write(folder.path().join("ca.pem"), pem).expect("write the authority");
        let inner = Arc::new(Inner {
            repos: Repos::new(folder.path()),
            state: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        let proxy = Proxy::start(tls, Box::new(move |request| serving.answer(request)));
        Hub {
            proxy,
            inner,
            folder,
        }
    }

    /// The URL to use as the proxy, and for plain HTTP also as the Hub itself.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy.address())
    }

    /// The Hub over TLS without the proxy, for clients that cannot use one.
    pub fn direct_url(&self) -> String {
        format!("https://localhost:{}", self.proxy.address().port())
    }

    /// The certificate authority to trust.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Makes a repo with one commit on `main`: `acme/x`, `gpt2`, `datasets/acme/x`.
    pub fn add_repo(&self, spec: &str, private: bool) {
        let repo = name(spec);
        self.inner.repos.create(&repo);
        self.state().private.insert(repo, private);
    }

    /// The commit that the repo's `main` is at.
    pub fn head(&self, spec: &str) -> String {
        self.inner.repos.head(&name(spec))
    }

    /// The bare repository behind a repo.
    pub fn repo_folder(&self, spec: &str) -> PathBuf {
        self.inner.repos.folder(&name(spec))
    }

    /// Hands out a new token in the form of the Hub's user access tokens.
    pub fn add_token(&self, label: &str, grants: Grants) -> String {
        self.add_token_like("hf_", label, grants)
    }

    /// Hands out a new token of another form: `hf_oauth_`, `hf_jwt_`, `api_org_`, or none.
    pub fn add_token_like(&self, prefix: &str, label: &str, grants: Grants) -> String {
        let value = format!("{prefix}{}", accounts::random(34));
        self.state().accounts.add(label, &value, grants);
        value
    }

    /// A token in the Hub's form that the Hub has never seen.
    pub fn unknown_token(&self) -> String {
        format!("hf_{}", accounts::random(34))
    }

    /// Ends a token: from now on it is answered 401.
    pub fn revoke(&self, label: &str) {
        self.state().accounts.set_revoked(label, true);
    }

    /// Takes back a `revoke`.
    pub fn restore(&self, label: &str) {
        self.state().accounts.set_revoked(label, false);
    }

    /// From now on every repo answers this token 403 with `text`, as an organisation's policy may.
    pub fn policy_403(&self, label: &str, text: &str) {
        self.state().accounts.set_policy(label, Some(text));
    }

    /// Sends every request below `from` to the same place below `to`. `from` is a host with the
    /// start of a path (`huggingface.co/acme/old`), over https unless it says `http://`.
    pub fn redirect(&self, from: &str, to: &str) {
        let scheme = if from.contains("://") { "" } else { "https://" };
        let redirect = (format!("{scheme}{from}"), to.to_owned());
        self.state().redirects.push(redirect);
    }

    /// Lets the host of the large files answer 401 to everything.
    pub fn object_host_demands_auth(&self) {
        self.state().objects.demands_auth = true;
    }

    /// Answers `locks/verify`, which git-lfs asks for before each push, with this status.
    pub fn answer_locks_verify(&self, status: u16) {
        self.state().objects.locks_verify = Some(status);
    }

    /// Refuses the next batch request of git-lfs with this status; the one after it is answered.
    pub fn refuse_next_batch(&self, status: u16) {
        self.state().objects.refused_batches.push_back(status);
    }

    /// Tells git-xet with the batch answer all that an upload takes, so that it asks for no more.
    pub fn give_fresh_xet_tokens(&self) {
        self.state().objects.xet_is_fresh = true;
    }

    /// Forgets all large files.
    pub fn forget_objects(&self) {
        self.state().objects = Objects::default();
    }

    /// Answers a method, host and path (without query) by `answer`, before anything built in.
    pub fn route(
        &self,
        method: &str,
        host: &str,
        path: &str,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) {
        let key = (method.to_owned(), host.to_owned(), path.to_owned());
        self.state().routes.insert(key, Arc::new(answer));
    }

    /// All requests so far, in the order they were answered.
    pub fn log(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// The labels of the tokens that came with requests below `path_prefix`, on any host, each
    /// once, in the order they were first seen.
    pub fn tokens_seen(&self, path_prefix: &str) -> Vec<String> {
        let mut labels = Vec::new();
        for entry in self.log() {
            match entry.token {
                TokenSeen::Known(label)
                    if entry.path.starts_with(path_prefix) && !labels.contains(&label) =>
                {
                    labels.push(label);
                }
                _ => {}
            }
        }
        labels
    }

    /// A way to ask for all tokens handed out, also later ones, as (label, value).
    pub fn secrets(&self) -> impl Fn() -> Vec<(String, String)> + Send + Sync + 'static {
        let inner = Arc::clone(&self.inner);
        move || lock(&inner.state).accounts.values()
    }

    /// A folder that lives as long as the Hub.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }
}

impl Inner {
    fn answer(&self, mut request: Request) -> Response {
        let (user, secret) = accounts::presented(request.header("Authorization"));
        let (token, live) = lock(&self.state).accounts.identify(secret.as_deref());
        request.user = user;
        request.token = token;
        request.token_is_live = live;
        let response = self.respond(&request);
        // Logged before it is sent, so that a test never looks before the entry is there.
        lock(&self.state).log.push(Logged {
            scheme: request.scheme,
            host: request.host,
            method: request.method,
            path: request.path,
            query: request.query,
            status: response.status,
            user: request.user,
            token: request.token,
        });
        response
    }

    fn respond(&self, request: &Request) -> Response {
        if let Some(route) = self.route(request) {
            return route(request);
        }
        if let Some(to) = self.redirected(request) {
            return Response::redirect(301, &to);
        }
        if request.host == OBJECT_HOST {
            return lock(&self.state).objects.transfer(request);
        }
        if request.host == XET_HOST {
            return lock(&self.state).objects.xet_storage(request);
        }
        if let Some(repo) = lfs::parse_xet_path(&request.path) {
            return match self.admit(request, &repo, Right::Write) {
                Ok(()) => lock(&self.state).objects.xet_token(),
                Err(refusal) => refusal,
            };
        }
        let Some((repo, service)) = repos::parse_path(&request.path) else {
            return Response::text(404, "Not found");
        };
        let right = match service {
            Service::Git(service) => repos::right_for(service, &request.query),
            Service::Lfs(_) => lfs::right_for(request),
        };
        if let Err(refusal) = self.admit(request, &repo, right) {
            return refusal;
        }
        match service {
            Service::Git(service) => {
                let user = match &request.token {
                    TokenSeen::Known(label) => label,
                    _ => "",
                };
                self.repos.serve(&repo, service, user, request)
            }
            Service::Lfs(call) => lock(&self.state).objects.api(&repo, &call, request),
        }
    }

    fn admit(&self, request: &Request, repo: &RepoName, right: Right) -> Result<(), Response> {
        let state = lock(&self.state);
        let tried = request.header("Authorization").is_some();
        let who = (&request.token, request.token_is_live, tried);
        let private = state.private.get(repo).copied();
        state.accounts.admit(who, (repo, private), right)
    }

    fn route(&self, request: &Request) -> Option<Route> {
        let Request {
            method, host, path, ..
        } = request;
        let key = (method.clone(), host.clone(), path.clone());
        lock(&self.state).routes.get(&key).cloned()
    }

    fn redirected(&self, request: &Request) -> Option<String> {
        let Request { scheme, host, .. } = request;
        if host == "hf.co" {
            return Some(format!("https://huggingface.co{}", request.target()));
        }
        let url = format!("{scheme}://{host}{}", request.target());
        let state = lock(&self.state);
        state.redirects.iter().find_map(|(from, to)| {
            let rest = url.strip_prefix(from)?;
            let whole = rest.is_empty() || rest.starts_with(['/', '.', '?']);
            whole.then(|| format!("{to}{rest}"))
        })
    }
}

fn name(spec: &str) -> RepoName {
    RepoName::parse(spec).unwrap_or_else(|| panic!("{spec} names no repo"))
}

/// Locks even after a panic: what a failed test leaves behind must not fail the threads around it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
