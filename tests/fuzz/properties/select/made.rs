//! A world in which a token is chosen, made up from the decisions that the input takes.

use git_credential_hf::config::{Config, EndpointOptions, Rule};
use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::operation::Operation;
use git_credential_hf::model::pattern::Pattern;
use git_credential_hf::model::permissions::{Facts, Organisation, Role, Scope};
use git_credential_hf::model::repo::Repo;
use git_credential_hf::model::secret::Secret;
use git_credential_hf::model::token_name::TokenName;
use git_credential_hf::selection::{Query, RemoteRepo};
use git_credential_hf::state::{Origin, State, TokenInfo};
use git_credential_hf::storage::StorageKind;
use git_credential_hf::storage::command::TokenCommand;
use git_credential_hf::system::environment::Environment;
use std::ffi::OsString;

use super::super::take::Take;

pub(super) const HOSTS: [(&str, &str); 6] = [
    ("https", "huggingface.co"),
    ("https", "hub.corp.example"),
    ("https", "huggingface.co:8443"),
    ("http", "huggingface.co"),
    ("https", "huggingface.co.evil.example"),
    ("http", "127.0.0.1:8080"),
];
pub(super) const NAMES: [&str; 8] = [
    "work",
    "acme",
    "token",
    "alice",
    "git:alice@hub",
    "vault",
    "hf:laptop",
    "hf:gone",
];
pub(super) const USERS: [&str; 7] = ["alice", "Alice", "bob", "hf_user", "work", "", "hf:laptop"];
pub(super) const PATHS: [&str; 8] = [
    "acme/x",
    "acme/x.git/info/lfs",
    "datasets/acme/x",
    "alice/x",
    "gpt2",
    "acme/../x",
    "objs/0123",
    "ACME/X",
];
pub(super) const PATTERNS: [&str; 8] = [
    "acme",
    "acme/x",
    "datasets/acme",
    "acme/*",
    "alice/x*",
    "https://hub.corp.example/acme",
    "https://huggingface.co:8443/acme/x",
    "models/acme/x",
];
pub(super) const ENDPOINTS: [&str; 5] = [
    "https://huggingface.co",
    "https://hub.corp.example/",
    "https://huggingface.co.evil.example",
    "http://127.0.0.1:8080",
    "not a URL",
];

/// Configuration, state and environment, made up.
pub(super) struct Made {
    pub(super) wanted: Query,
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) env: Environment,
    pub(super) remotes: Vec<RemoteRepo>,
    pub(super) hf_active: bool,
    pub(super) hf_names: Vec<String>,
}

pub(super) fn endpoint(take: &mut Take<'_>) -> Endpoint {
    let (protocol, host) = take.one(&HOSTS);
    Endpoint::from_git(protocol, host).expect("a host")
}

pub(super) fn owned(text: &str) -> String {
    (*text).to_owned()
}

/// A name that a token here can have; the hf CLI's have others.
pub(super) fn name(take: &mut Take<'_>) -> TokenName {
    TokenName::existing(take.one(&NAMES[..6]))
}

/// One of only four values, so that a stored token is often one that was tried or rejected.
pub(super) fn value(take: &mut Take<'_>) -> Secret {
    let digit = take.below(4).to_string();
    Secret::exact(&format!("hf_{}", digit.repeat(34))).expect("a token")
}

impl Made {
    pub(super) fn read(take: &mut Take<'_>) -> Self {
        let wanted = Query::new(
            endpoint(take),
            take.perhaps(&PATHS).map(owned),
            take.perhaps(&USERS).map(owned),
        );
        let wanted = wanted.for_operation(take.perhaps(&Operation::ALL));
        let mut config = Config {
            default: take.perhaps(&NAMES).map(TokenName::existing),
            ..Config::default()
        };
        for _ in 0..take.below(4) {
            let pattern = Pattern::parse(take.one(&PATTERNS)).expect("a pattern");
            let mut rule = Rule {
                pattern,
                fetch: None,
                push: None,
            };
            for _ in 0..=take.below(2) {
                let token = TokenName::existing(take.one(&NAMES));
                rule.set(take.perhaps(&Operation::ALL), &token);
            }
            config.rules.push(rule);
        }
        config.rules.sort_by_key(|rule| rule.pattern.specificity());
        for _ in 0..take.below(3) {
            let options = EndpointOptions {
                env: take.flag(),
                allow_http: true,
                save_any: take.flag(),
            };
            let endpoint = endpoint(take);
            if let Some(name) = take.perhaps(&NAMES) {
                let name = TokenName::existing(name);
                config.defaults.insert(endpoint.clone(), name);
            }
            config.endpoints.insert(endpoint, options);
        }
        for _ in 0..take.below(3) {
            let command = TokenCommand {
                arguments: vec!["vault".to_owned()],
                endpoint: endpoint(take),
            };
            config.commands.insert(name(take), command);
        }
        let mut state = State::default();
        for order in 0..take.below(6) {
            let token = token(take, order as u64);
            state.tokens.insert(name(take), token);
        }
        for _ in 0..take.below(3) {
            let (place, value) = (endpoint(take), value(take).fingerprint());
            state.reject(&place, &value, take.one(&[1000, 900]));
        }
        Self {
            wanted,
            config,
            state,
            env: environment(take),
            remotes: (0..take.below(4)).filter_map(|_| remote(take)).collect(),
            hf_active: take.flag(),
            hf_names: take.perhaps(&["laptop"]).map(owned).into_iter().collect(),
        }
    }
}

pub(super) fn token(take: &mut Take<'_>, order: u64) -> TokenInfo {
    let origin = take.one(&[Origin::Login, Origin::Git]);
    TokenInfo {
        endpoint: endpoint(take),
        storage: StorageKind::File,
        origin,
        fingerprint: value(take).fingerprint(),
        former: Vec::new(),
        renewal_failed: None,
        renewal_refused: false,
        hint: String::new(),
        account: take.perhaps(&USERS).map(owned),
        username: take
            .perhaps(&USERS)
            .map(owned)
            .filter(|_| origin == Origin::Git),
        path: take
            .perhaps(&PATHS)
            .map(owned)
            .filter(|_| origin == Origin::Git),
        expires: None,
        facts: take.flag().then(|| facts(take)),
        added: take.below(4) as u64,
        order,
    }
}

pub(super) fn facts(take: &mut Take<'_>) -> Facts {
    let role = take.one(&["", "read", "write", "fineGrained", "new"]);
    let organisations = ["acme", "umbrella"];
    let scopes = (0..take.below(3)).map(|_| Scope {
        kind: owned(take.one(&["model", "dataset", "org", "user", "collection"])),
        name: take
            .perhaps(&["acme/x", "acme", "alice", "datasets/acme/x"])
            .map(owned),
        id: None,
        permissions: vec![owned(take.one(&[
            "repo.content.read",
            "repo.write",
            "other",
        ]))],
    });
    Facts {
        scopes: scopes.collect(),
        account: owned(take.one(&USERS)),
        organisations: take
            .perhaps(&organisations)
            .map(|name| Organisation {
                name: owned(name),
                role: take.perhaps(&["read", "contributor", "write"]).map(owned),
            })
            .into_iter()
            .collect(),
        role: Role::read(role),
        ..Facts::default()
    }
}

pub(super) fn environment(take: &mut Take<'_>) -> Environment {
    let set = [
        (
            "HF_TOKEN",
            take.flag().then(|| "hf_from_the_environment".to_owned()),
        ),
        (
            "HUGGING_FACE_HUB_TOKEN",
            take.flag().then(|| "hf_an_older_one".to_owned()),
        ),
        ("HF_ENDPOINT", take.perhaps(&ENDPOINTS).map(owned)),
        (
            "GIT_CREDENTIAL_HF_TOKEN_NAME",
            take.perhaps(&NAMES).map(owned),
        ),
    ];
    // An explicit choice hides all the others, so it is made rarely.
    let named = take.below(8) == 7;
    Environment::read(|variable| {
        let (_, value) = set.iter().find(|(known, _)| *known == variable)?;
        let hidden = variable == "GIT_CREDENTIAL_HF_TOKEN_NAME" && !named;
        value.clone().filter(|_| !hidden).map(OsString::from)
    })
}

pub(super) fn remote(take: &mut Take<'_>) -> Option<RemoteRepo> {
    Some(RemoteRepo {
        repo: Repo::from_path(take.one(&PATHS))?,
        username: take.perhaps(&USERS).map(owned),
    })
}

/// Whether the wanted endpoint is the environment's.
pub(super) fn is_of_environment(world: &Made) -> bool {
    let own = match &world.env.hf_endpoint {
        None => Some(Endpoint::hugging_face()),
        Some(set) => set.clone().ok(),
    };
    own.as_ref() == Some(&world.wanted.endpoint)
}

/// Whether `HF_TOKEN` is for the wanted endpoint.
pub(super) fn takes_environment(world: &Made) -> bool {
    let options = world.config.endpoints.get(&world.wanted.endpoint);
    is_of_environment(world) || options.is_some_and(|options| options.env)
}
