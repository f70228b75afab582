//! Finds tokens that are stored in plain text, and judges them. Nothing is changed, no storage is
//! opened and nobody is asked.

use super::small_file::read_small;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::clones::{Clones, is_embedded};
use super::login_url::LoginUrl;
use super::{Found, Place, Skipped, Source, UsedFor, git_credentials, netrc, store_helper};
use crate::app::Context;
use crate::git::config_file::urls;
use crate::git::config_file::urls::ConfigUrl;
use crate::git::remotes;
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::repo::Repo;
use crate::model::secret::{Secret, SecretError, TokenKind};
use crate::system::environment::variable;
use crate::system::home::home;
use zeroize::Zeroizing;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Tokens that can be moved to a storage.
    pub(crate) found: Vec<Found>,
    /// Values that are not moved, and why: they are not tokens for one of the user's Hubs, or must not
    /// be copied.
    pub(crate) skipped: Vec<Skipped>,
    /// Messages about what could not be read.
    pub(crate) problems: Vec<String>,
    /// The files that were searched, with links resolved.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// Searches these sources, the current clone, and all clones in the folders `below`.
pub(crate) fn find(context: &Context, sources: &[Source], below: &[PathBuf]) -> Findings {
    let mut findings = Findings::default();
    for source in sources {
        match source {
            Source::Hf => findings.hf(context),
            Source::Git => findings.git(context),
            Source::Netrc => findings.netrc(context),
            Source::Remotes => findings.remotes(context, below),
        }
    }
    findings
}

/// What a place says about its secret.
struct Seen {
    place: Place,
    endpoint: Option<Endpoint>,
    name: Option<String>,
    used_for: Option<UsedFor>,
}

impl Findings {
    fn hf(&mut self, context: &Context) {
        let hf = context.hf_cli();
        if let Some((file, token)) = hf.old() {
            let seen = Seen {
                place: Place::HfOld { file },
                endpoint: context.env.endpoint(),
                name: None,
                used_for: None,
            };
            self.judge(context, Ok(token), seen);
        }
        let Some(files) = hf.files() else { return };
        let all = match hf.all() {
            Ok(all) => all,
            Err(error) => return self.problems.push(error.to_string()),
        };
        for (token, active) in all {
            let name = token.name.clone();
            let mut places = Vec::new();
            if let Some(name) = &name {
                let file = files.stored_tokens.clone();
                places.push(Place::HfStored {
                    file,
                    name: name.clone(),
                });
            }
            if active {
                places.push(Place::HfActive {
                    file: files.token.clone(),
                });
            }
            let renewed = token.refresh_token.is_some() || token.secret.kind() == TokenKind::OAuth;
            for place in places {
                let name = name.clone();
                if renewed {
                    let how = name.as_ref().map_or_else(String::new, |name| {
                        format!(", by name too: `use hf:{name}`")
                    });
                    self.skip(
                        &token.secret,
                        place,
                        format!("from a browser login, whose copy could not be renewed; git uses it from there{how}"),
                    );
                    continue;
                }
                let seen = Seen {
                    place,
                    endpoint: context.env.endpoint(),
                    name,
                    used_for: None,
                };
                self.judge(context, Ok(token.secret.clone()), seen);
            }
        }
    }

    fn git(&mut self, context: &Context) {
        let mut paths = Vec::new();
        if let Some(home) = home() {
            paths.push(home.join(".git-credentials"));
            let config = variable("XDG_CONFIG_HOME");
            let config = config.map_or_else(|| home.join(".config"), PathBuf::from);
            paths.push(config.join("git").join("credentials"));
            let helpers = remotes::helpers().unwrap_or_else(|error| {
                self.problems.push(error.to_string());
                Vec::new()
            });
            paths.extend(helpers.iter().filter_map(|h| store_helper::file(h, &home)));
        }
        for file in paths {
            let Some(bytes) = self.read(&file) else {
                continue;
            };
            for entry in git_credentials::entries(&bytes) {
                let Some(secret) = entry.url.secret() else {
                    continue;
                };
                let (file, line) = (file.clone(), entry.line);
                let place = Place::Credentials { file, line };
                self.judge(context, secret, at_url(place, &entry.url, false));
            }
        }
    }

    fn netrc(&mut self, context: &Context) {
        let set = variable("NETRC");
        let mut paths: Vec<PathBuf> = set.into_iter().map(PathBuf::from).collect();
        if let Some(home) = home() {
            paths.push(home.join(".netrc"));
            if cfg!(windows) {
                paths.push(home.join("_netrc"));
            }
        }
        for file in paths.iter().filter(|path| path.is_absolute()) {
            let Some(bytes) = self.read(file) else {
                continue;
            };
            let entries = match netrc::entries(&bytes) {
                Ok(entries) => entries,
                Err(error) => {
                    self.problems.push(format!("{}: {error}", file.display()));
                    continue;
                }
            };
            for entry in entries {
                let Some(secret) = entry.secret() else {
                    continue;
                };
                let (file, line) = (file.clone(), entry.line);
                let place = Place::Netrc { file, line };
                let Some(machine) = &entry.machine else {
                    if let Some(secret) = secret.ok().filter(|s| s.kind() != TokenKind::Other) {
                        let reason = "`default` sends it to every host: name the machine";
                        self.skip(&secret, place, reason);
                    }
                    continue;
                };
                let seen = Seen {
                    place,
                    endpoint: endpoint_of_machine(context, machine),
                    name: None,
                    used_for: None,
                };
                self.judge(context, secret, seen);
            }
        }
    }

    fn remotes(&mut self, context: &Context, below: &[PathBuf]) {
        let mut clones = Clones::default();
        let git_dir = remotes::common_dir();
        let embedded = git_dir.as_deref().filter(|dir| is_embedded(dir));
        let scopes: &[&str] = if let Some(dir) = embedded {
            self.problems.push(format!(
                "{} is in the work tree of another repository, which may have made it up: it is not read",
                dir.display()
            ));
            &["--system", "--global"]
        } else {
            &[]
        };
        match remotes::config_files(scopes) {
            Ok(files) => clones.files = files,
            Err(error) => self.problems.push(error.to_string()),
        }
        if let Some(dir) = git_dir.as_deref().filter(|_| embedded.is_none()) {
            clones.add_clone(dir);
            if let Some(top) = remotes::work_tree() {
                clones.add_work_tree(&top);
            }
        }
        for folder in below {
            clones.add_below(folder);
        }
        if clones.stopped {
            let problem = "there are too many folders: some were not searched";
            self.problems.push(problem.to_owned());
        }
        for file in clones.files {
            for (place, found, login) in self.logins(&file) {
                let Some(secret) = login.secret() else {
                    continue;
                };
                self.judge(context, secret, at_url(place, &login, found.is_base));
            }
        }
        // Git does not read a link here.
        for file in clones.tracked.iter().filter(|file| !file.is_symlink()) {
            for (place, _, login) in self.logins(file) {
                let served = |endpoint: &Endpoint| context.serves(endpoint);
                if let Some(Ok(secret)) = login.secret()
                    && (secret.kind() != TokenKind::Other
                        || login.endpoint.as_ref().is_some_and(served))
                {
                    self.skipped.push(Skipped {
                        hint: secret.hint(),
                        place,
                        reason: "it is part of the repository".to_owned(),
                        tracked: true,
                    });
                }
            }
        }
    }

    /// Adds the URLs with a login in one configuration file.
    fn logins(&mut self, file: &Path) -> Vec<(Place, ConfigUrl, LoginUrl)> {
        let Some(bytes) = self.read(file) else {
            return Vec::new();
        };
        let urls = urls::urls(&bytes).unwrap_or_else(|error| {
            self.problems.push(format!("{}: {error}", file.display()));
            Vec::new()
        });
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let with_login = urls.into_iter().filter_map(|found| {
            let login = LoginUrl::parse(&found.url)?;
            let place = Place::Config {
                file: file.clone(),
                line: found.line,
                key: found.key.clone(),
            };
            Some((place, found, login))
        });
        with_login.collect()
    }

    /// Reads a file, if it exists and was not read before. A problem is reported.
    fn read(&mut self, path: &Path) -> Option<Zeroizing<Vec<u8>>> {
        let real = std::fs::canonicalize(path).ok()?;
        if !self.files.insert(real) {
            return None;
        }
        match read_small(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.problems.push(format!("{}: {error}", path.display()));
                None
            }
        }
    }

    fn skip(&mut self, secret: &Secret, place: Place, reason: impl Into<String>) {
        self.skipped.push(Skipped {
            hint: secret.hint(),
            place,
            reason: reason.into(),
            tracked: false,
        });
    }

    /// Whether a value is a token that can be moved.
    fn judge(&mut self, context: &Context, secret: Result<Secret, SecretError>, seen: Seen) {
        let Seen {
            place,
            endpoint,
            name,
            used_for,
        } = seen;
        let endpoint = endpoint.filter(|endpoint| context.serves(endpoint));
        let (secret, endpoint) = match (secret, endpoint) {
            (Ok(secret), Some(endpoint)) => (secret, endpoint),
            (Ok(secret), None) => {
                // The passwords of other hosts are ignored, but not a Hub's token.
                if secret.kind() != TokenKind::Other {
                    self.skip(
                        &secret,
                        place,
                        "it is for a host that is not one of your Hubs",
                    );
                }
                return;
            }
            (Err(error), Some(_)) => {
                return self.skipped.push(Skipped {
                    hint: "(unreadable)".to_owned(),
                    place,
                    reason: error.to_string(),
                    tracked: false,
                });
            }
            (Err(_), None) => return,
        };
        let reason = match secret.kind() {
            TokenKind::Organisation => "an organisation token, which the Hub no longer accepts",
            TokenKind::Jwt => "a CI job's token, which expires within the hour",
            TokenKind::OAuth => {
                "from a browser login: it expires, and a copy cannot be renewed; use `login --web`"
            }
            TokenKind::Other if endpoint.is_hugging_face() => {
                "not a Hub token; the Hub does not accept account passwords"
            }
            TokenKind::User | TokenKind::Other => {
                return self.found.push(Found {
                    secret,
                    endpoint,
                    place,
                    name,
                    used_for,
                });
            }
        };
        self.skip(&secret, place, reason);
    }
}

/// The repo for which the login in a URL is used.
fn at_url(place: Place, login: &LoginUrl, is_base: bool) -> Seen {
    let endpoint = login.endpoint.as_ref().filter(|_| !is_base);
    let used_for = endpoint.and_then(|endpoint| {
        let path = login.path.clone();
        let pattern = Pattern::for_repo(endpoint, &Repo::from_path(&path)?)?;
        Some(UsedFor { pattern, path })
    });
    Seen {
        place,
        endpoint: login.endpoint.clone(),
        name: login.username(),
        used_for,
    }
}

/// The Hub of a machine in a netrc file. This is a host without scheme and port, since curl sends the
/// login to any of them. If a host has several Hubs, the one without a port is meant.
fn endpoint_of_machine(context: &Context, machine: &str) -> Option<Endpoint> {
    let plain = Endpoint::from_git("https", machine)?;
    if context.serves(&plain) {
        return Some(plain);
    }
    let configured = context.config.endpoints.keys().cloned();
    let mut on_host = configured
        .chain(context.env.endpoint())
        .filter(|endpoint| endpoint.host() == plain.host() && context.serves(endpoint))
        .collect::<BTreeSet<_>>()
        .into_iter();
    let only = on_host.next()?;
    on_host.next().is_none().then_some(only)
}
