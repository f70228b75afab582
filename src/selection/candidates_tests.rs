use super::*;
use crate::config::Config;
use crate::model::secret::Fingerprint;
use crate::selection::{HfKnown, Query};
use crate::state::{Origin, State, TokenInfo};
use crate::storage::StorageKind;
use crate::system::environment::Environment;
use std::ffi::OsString;
use std::path::Path;

/// The inputs of a selection, written briefly; see [`Setup::pick`].
#[derive(Default)]
struct Setup {
    config: &'static str,
    /// Name, account; logged in on the public Hub.
    tokens: &'static [(&'static str, &'static str)],
    /// Username, path, time; saved by git on the public Hub.
    kept: &'static [(&'static str, &'static str, u64)],
    /// Name, endpoint; logged in elsewhere.
    elsewhere: &'static [(&'static str, &'static str)],
    env: &'static [(&'static str, &'static str)],
    remotes: &'static [&'static str],
    hf_active: bool,
    hf_names: &'static [&'static str],
}

fn info(endpoint: &str, origin: Origin, account: &str, path: &str, added: u64) -> TokenInfo {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    TokenInfo {
        endpoint: Endpoint::parse(endpoint).unwrap(),
        storage: StorageKind::File,
        origin,
        fingerprint: Fingerprint::parse(&"0".repeat(32)).unwrap(),
        former: Vec::new(),
        hint: String::new(),
        account: some(account).filter(|_| origin == Origin::Login),
        username: some(account).filter(|_| origin == Origin::Git),
        path: some(path),
        expires: None,
        facts: None,
        renewal_failed: None,
        renewal_refused: false,
        added,
        order: 0,
    }
}

impl Setup {
    fn select(
        &self,
        endpoint: &str,
        path: Option<&str>,
        username: Option<&str>,
    ) -> Result<Selection, SelectError> {
        let config = Config::parse(Path::new("config.toml"), self.config).unwrap();
        let mut state = State::default();
        let hub = "https://huggingface.co";
        for (name, account) in self.tokens {
            let token = info(hub, Origin::Login, account, "", 0);
            state.tokens.insert(TokenName::existing(name), token);
        }
        for (name, endpoint) in self.elsewhere {
            let token = info(endpoint, Origin::Login, "", "", 0);
            state.tokens.insert(TokenName::existing(name), token);
        }
        for (username, path, added) in self.kept {
            let token = info(hub, Origin::Git, username, path, *added);
            let some = (!path.is_empty()).then_some(*path);
            let name = TokenName::kept_by_git(hub, Some(username), some);
            state.tokens.insert(name, token);
        }
        let env = Environment::read(|name| {
            let pair = self.env.iter().find(|(n, _)| *n == name)?;
            Some(OsString::from(pair.1))
        });
        let remotes: Vec<RemoteRepo> = self
            .remotes
            .iter()
            .map(|remote| {
                let (username, path) = match remote.split_once('@') {
                    Some((username, path)) => (Some(username.to_owned()), path),
                    None => (None, *remote),
                };
                let repo = Repo::from_path(path).unwrap();
                RemoteRepo { repo, username }
            })
            .collect();
        let wanted = Query::new(
            Endpoint::parse(endpoint).unwrap(),
            path.map(str::to_owned),
            username.map(str::to_owned),
        );
        let hf_names: Vec<String> = self.hf_names.iter().map(|n| (*n).to_owned()).collect();
        select(Inputs {
            wanted: &wanted,
            config: &config,
            state: &state,
            env: &env,
            remotes: &remotes,
            hf: HfKnown {
                active: self.hf_active,
                names: &hf_names,
            },
        })
    }

    /// The candidates in short: `name`, `$VARIABLE`, `name?` for one that does not exist.
    fn pick_at(&self, endpoint: &str, path: &str, username: &str) -> String {
        let some = |text| (text != "-").then_some(text);
        let selection = match self.select(endpoint, some(path), some(username)) {
            Ok(selection) => selection,
            Err(error) => return format!("{error:?}"),
        };
        let shown: Vec<String> = selection
            .candidates
            .iter()
            .map(|candidate| match &candidate.source {
                Source::Stored(name) | Source::Command(name) => name.to_string(),
                Source::Environment(variable) => format!("${variable}"),
                Source::Unusable(name, _) => format!("{name}?"),
                Source::HfCli(name) => format!("hf:{}", name.as_deref().unwrap_or("(active)")),
                Source::Exchange(exchange) => {
                    format!("job:{}", exchange.resource().unwrap_or("?"))
                }
            })
            .collect();
        shown.join(" ")
    }

    fn pick(&self, path: &str, username: &str) -> String {
        self.pick_at("https://huggingface.co", path, username)
    }
}

const RULES: &str = r#"
default = "personal"
[rules]
acme = "wide"
"acme/llama-*" = "llama"
"acme/x" = "narrow"
"datasets/acme/x" = "data"
"https://hub.corp.example/acme" = "corp"
[endpoints]
"https://hub.corp.example" = { env = true }
"https://other.example" = {}
"#;

const NAMES: &[(&str, &str)] = &[
    ("wide", "alice"),
    ("llama", "alice"),
    ("narrow", "bob"),
    ("data", "alice"),
    ("personal", "alice"),
];

#[test]
fn rules_most_specific_first_then_the_default() {
    let setup = Setup {
        config: RULES,
        tokens: NAMES,
        ..Setup::default()
    };
    for (path, expected) in [
        ("acme/y", "wide personal"),
        ("acme/y.git/info/lfs", "wide personal"),
        ("ACME/Llama-3", "llama wide personal"),
        ("acme/x", "narrow wide personal"),
        ("acme/x.git", "narrow wide personal"),
        ("datasets/acme/x", "data narrow wide personal"),
        ("datasets/acme/y", "wide personal"),
        ("other/x", "personal"),
        ("gpt2", "personal"),
        ("objs/abcdef", "personal"),
        ("-", "personal"),
    ] {
        assert_eq!(setup.pick(path, "-"), expected, "{path}");
    }
}

#[test]
fn rules_beat_the_environment_and_it_beats_the_default() {
    let setup = Setup {
        config: RULES,
        tokens: NAMES,
        env: &[("HF_TOKEN", "one"), ("HUGGING_FACE_HUB_TOKEN", "two")],
        ..Setup::default()
    };
    assert_eq!(
        setup.pick("acme/y", "-"),
        "wide $HF_TOKEN $HUGGING_FACE_HUB_TOKEN personal"
    );
    assert_eq!(
        setup.pick("other/y", "-"),
        "$HF_TOKEN $HUGGING_FACE_HUB_TOKEN personal"
    );
}

#[test]
fn a_name_in_the_environment_is_the_only_choice() {
    let setup = Setup {
        config: RULES,
        tokens: NAMES,
        elsewhere: &[("corp", "https://hub.corp.example")],
        env: &[
            ("GIT_CREDENTIAL_HF_TOKEN_NAME", "data"),
            ("HF_TOKEN", "one"),
        ],
        ..Setup::default()
    };
    assert_eq!(setup.pick("acme/x", "-"), "data");
    let missing = Setup {
        env: &[("GIT_CREDENTIAL_HF_TOKEN_NAME", "dta")],
        ..setup
    };
    assert_eq!(
        missing.pick("acme/x", "-"),
        "NoSuchToken(TokenName(\"dta\"))"
    );
    let other = Setup {
        env: &[("GIT_CREDENTIAL_HF_TOKEN_NAME", "corp")],
        ..missing
    };
    assert!(other.pick("acme/x", "-").starts_with("OtherEndpoint"));
}

#[test]
fn user_names() {
    let setup = Setup {
        config: RULES,
        tokens: NAMES,
        kept: &[("carol", "", 1), ("hf_user", "", 2)],
        env: &[("HF_TOKEN", "one")],
        ..Setup::default()
    };
    let all = "narrow wide $HF_TOKEN personal git:hf_user@huggingface.co git:carol@huggingface.co";
    for (username, expected) in [
        ("-", all),
        ("", all),
        ("hf_user", all),
        ("git", all),
        ("__token__", all),
        ("oauth2", all),
        // A token's name chooses that token, an account's name narrows the choice, and any other
        // name matches nothing.
        ("data", "data"),
        ("bob", "narrow $HF_TOKEN"),
        ("Bob", "narrow $HF_TOKEN"),
        ("alice", "wide $HF_TOKEN personal"),
        ("carol", "$HF_TOKEN git:carol@huggingface.co"),
        ("mallory", "$HF_TOKEN"),
    ] {
        assert_eq!(setup.pick("acme/x", username), expected, "{username:?}");
    }
}

#[test]
fn tokens_go_to_their_own_endpoint_only() {
    let setup = Setup {
        config: RULES,
        tokens: NAMES,
        kept: &[("carol", "", 1)],
        elsewhere: &[("corp", "https://hub.corp.example")],
        env: &[("HF_TOKEN", "one")],
        ..Setup::default()
    };
    assert_eq!(
        setup.pick_at("https://hub.corp.example", "acme/x", "-"),
        "corp $HF_TOKEN"
    );
    assert_eq!(
        setup.pick_at("https://hub.corp.example", "other/x", "-"),
        "$HF_TOKEN"
    );
    assert_eq!(setup.pick_at("https://other.example", "acme/x", "-"), "");
    assert_eq!(setup.pick_at("https://other.example", "acme/x", "wide"), "");
    // A rule that names a token of another endpoint is reported, not followed.
    let crossed = Setup {
        config: "[rules]\nacme = \"corp\"\n",
        ..setup
    };
    assert_eq!(
        crossed.pick("acme/x", "-"),
        "corp? $HF_TOKEN git:carol@huggingface.co"
    );
}

#[test]
fn the_environments_tokens_follow_hf_endpoint() {
    let setup = Setup {
        config: "[endpoints]\n\"https://hub.corp.example\" = {}\n",
        env: &[
            ("HF_TOKEN", "one"),
            ("HF_ENDPOINT", "https://hub.corp.example/"),
        ],
        ..Setup::default()
    };
    assert_eq!(
        setup.pick_at("https://hub.corp.example", "acme/x", "-"),
        "$HF_TOKEN"
    );
    assert_eq!(setup.pick("acme/x", "-"), "");
    let broken = Setup {
        env: &[("HF_TOKEN", "one"), ("HF_ENDPOINT", "https://a@b")],
        ..setup
    };
    assert_eq!(broken.pick("acme/x", "-"), "");
}

#[test]
fn what_git_saved_stays_within_its_scope_and_comes_after_what_was_chosen() {
    let setup = Setup {
        config: "[rules]\n\"acme/x\" = \"ruled\"\nacme = \"wide\"\n",
        tokens: &[("ruled", ""), ("wide", "")],
        kept: &[
            ("u", "acme/x", 1),
            ("u", "acme/y.git", 2),
            ("u", "a/b/c", 3),
            ("old", "", 4),
            ("new", "", 5),
        ],
        ..Setup::default()
    };
    let host = "git:new@huggingface.co git:old@huggingface.co";
    for (path, expected) in [
        // Any rule takes precedence, even one for the whole namespace.
        ("acme/x", "ruled wide git:u@huggingface.co/acme/x"),
        ("acme/y", "wide git:u@huggingface.co/acme/y.git"),
        ("datasets/acme/y", "wide"),
        ("a/b/c", "git:u@huggingface.co/a/b/c"),
        ("a/b", ""),
        ("-", ""),
    ] {
        let expected = format!("{expected} {host}");
        assert_eq!(setup.pick(path, "-"), expected.trim_start(), "{path}");
    }
}

#[test]
fn what_git_saved_for_the_very_path_comes_after_the_default() {
    let setup = Setup {
        config: "default = \"me\"\n",
        tokens: &[("me", "alice")],
        kept: &[("alice", "acme/x", 1), ("bob", "", 2)],
        env: &[("HF_TOKEN", "one")],
        hf_active: true,
        ..Setup::default()
    };
    let path = "git:alice@huggingface.co/acme/x";
    let host = "git:bob@huggingface.co";
    for (username, expected) in [
        ("-", format!("$HF_TOKEN me {path} {host} hf:(active)")),
        ("alice", format!("$HF_TOKEN me {path}")),
        // The username that git saved with a token is not an account, so its case counts.
        ("bob", format!("$HF_TOKEN {host}")),
        ("Bob", "$HF_TOKEN".to_owned()),
    ] {
        assert_eq!(setup.pick("acme/x", username), expected, "{username}");
    }
    let unknown = |username| {
        let selection = setup.select("https://huggingface.co", Some("acme/x"), Some(username));
        selection.unwrap().notices == [Notice::UnknownUsername]
    };
    assert!(!unknown("alice") && !unknown("bob") && unknown("Bob") && unknown("carol"));
}

#[test]
fn missing_tokens_are_named() {
    let setup = Setup {
        config: "default = \"gone\"\n[rules]\nacme = \"typo\"\n",
        ..Setup::default()
    };
    assert_eq!(setup.pick("acme/x", "-"), "typo? gone?");
    assert_eq!(setup.pick("acme/x", "alice"), "");
}

#[test]
fn commands_are_tokens_too() {
    let setup = Setup {
        config: "default = \"vault\"\n[rules]\nacme = \"pass\"\n\
                 [endpoints]\n\"https://hub.corp.example\" = {}\n\
                 [commands]\nvault = [\"vault\"]\npass = [\"pass\", \"hf\"]\n",
        ..Setup::default()
    };
    assert_eq!(setup.pick("acme/x", "-"), "pass vault");
    assert_eq!(setup.pick("acme/x", "vault"), "vault");
    assert_eq!(setup.pick_at("https://hub.corp.example", "acme/x", "-"), "");
    assert_eq!(
        setup.pick_at("https://hub.corp.example", "acme/x", "vault"),
        ""
    );
}

#[test]
fn without_a_path_the_remotes_decide_if_they_agree() {
    let setup = |remotes| Setup {
        config: RULES,
        tokens: NAMES,
        remotes,
        ..Setup::default()
    };
    assert_eq!(setup(&["acme/x"]).pick("-", "-"), "narrow wide personal");
    assert_eq!(setup(&["acme/y", "acme/z"]).pick("-", "-"), "wide personal");
    assert_eq!(setup(&["acme/y", "other/z"]).pick("-", "-"), "personal");
    // The username in a remote's URL counts as if git had sent it.
    assert_eq!(setup(&["data@acme/x"]).pick("-", "-"), "data");
    assert_eq!(setup(&["data@acme/x", "acme/x"]).pick("-", "-"), "personal");
    assert_eq!(setup(&["bob@acme/x"]).pick("-", "-"), "narrow");
    // With a path, the remotes do not count.
    assert_eq!(setup(&["acme/x"]).pick("other/z", "-"), "personal");

    let hub = "https://huggingface.co";
    let agreed = setup(&["acme/y", "acme/z"])
        .select(hub, None, None)
        .unwrap();
    assert!(agreed.inferred && agreed.notices.is_empty());
    let split = setup(&["acme/y", "other/z"])
        .select(hub, None, None)
        .unwrap();
    assert!(split.repo.is_none() && !split.inferred);
    assert!(
        matches!(split.notices.as_slice(), [Notice::RemotesDisagree(repos)] if repos.len() == 2)
    );
    let users = setup(&["data@acme/x", "acme/x"])
        .select(hub, None, None)
        .unwrap();
    assert!(
        matches!(users.notices.as_slice(), [Notice::RemotesDisagree(repos)] if repos.len() == 1)
    );
    let nobody = setup(&["nobody@acme/x"]).select(hub, None, None).unwrap();
    assert_eq!(nobody.notices, [Notice::UnknownUsername]);
    assert!(nobody.candidates.is_empty());
}

#[test]
fn a_token_stands_once_for_its_strongest_reason() {
    let setup = Setup {
        config: "default = \"wide\"\n[rules]\nacme = \"wide\"\n\"acme/x\" = \"wide\"\n",
        tokens: &[("wide", "")],
        ..Setup::default()
    };
    let selection = setup
        .select("https://huggingface.co", Some("acme/x"), None)
        .unwrap();
    let [only] = selection.candidates.as_slice() else {
        panic!()
    };
    assert_eq!(only.reason.to_string(), "rule `acme/x` names it");
}

#[test]
fn the_hf_clis_active_token_comes_last_and_its_others_by_name() {
    const HF_RULES: &str = r#"
default = "hf:data"
[rules]
acme = "hf:work"
other = "hf:gone"
[endpoints]
"https://hub.corp.example" = { env = true }
"https://other.example" = {}
"#;
    let setup = Setup {
        config: HF_RULES,
        tokens: &[("mine", "alice")],
        kept: &[("alice", "", 1)],
        env: &[("HF_TOKEN", "hf_x")],
        hf_active: true,
        hf_names: &["work", "data"],
        ..Setup::default()
    };
    const CORP: &str = "https://hub.corp.example";
    let (hub, corp) = ("https://huggingface.co", CORP);
    let kept = "git:alice@huggingface.co";
    for (endpoint, path, username, expected) in [
        (
            hub,
            "acme/x",
            "-",
            format!("hf:work $HF_TOKEN hf:data {kept} hf:(active)"),
        ),
        (
            hub,
            "free/x",
            "-",
            format!("$HF_TOKEN hf:data {kept} hf:(active)"),
        ),
        (
            hub,
            "other/x",
            "-",
            format!("hf:gone? $HF_TOKEN hf:data {kept} hf:(active)"),
        ),
        (
            hub,
            "free/x",
            "hf_user",
            format!("$HF_TOKEN hf:data {kept} hf:(active)"),
        ),
        // It is not known whose token this is.
        (hub, "free/x", "alice", format!("$HF_TOKEN {kept}")),
        (hub, "free/x", "nobody", "$HF_TOKEN".to_owned()),
        (hub, "free/x", "hf:work", "hf:work".to_owned()),
        // The hf CLI's tokens are for the environment's Hub.
        (corp, "acme/x", "-", "$HF_TOKEN".to_owned()),
        ("https://other.example", "acme/x", "-", String::new()),
    ] {
        assert_eq!(
            setup.pick_at(endpoint, path, username),
            expected,
            "{path} {username}"
        );
    }
    let elsewhere = Setup {
        env: &[
            ("HF_ENDPOINT", CORP),
            ("GIT_CREDENTIAL_HF_TOKEN_NAME", "hf:work"),
        ],
        ..setup
    };
    assert_eq!(elsewhere.pick_at(corp, "a/x", "-"), "hf:work");
    assert!(
        elsewhere
            .pick_at(hub, "a/x", "-")
            .starts_with("OtherEndpoint")
    );
    let gone = Setup {
        env: &[("GIT_CREDENTIAL_HF_TOKEN_NAME", "hf:gone")],
        ..elsewhere
    };
    assert!(gone.pick_at(hub, "a/x", "-").starts_with("NoSuchToken"));
}

#[test]
fn the_exchange_comes_after_rules_and_before_the_environment() {
    let setup = |resource: &'static [(&'static str, &'static str)]| Setup {
        config: "[rules]\n\"acme/ruled\" = \"work\"\n",
        tokens: &[("work", "alice")],
        env: resource,
        ..Setup::default()
    };
    let named = setup(&[("HF_OIDC_RESOURCE", "acme/x"), ("HF_TOKEN", "one")]);
    assert_eq!(named.pick("acme/x", "-"), "job:acme/x $HF_TOKEN");
    assert_eq!(named.pick("acme/y", "-"), "$HF_TOKEN");
    assert_eq!(named.pick("datasets/acme/x", "-"), "$HF_TOKEN");
    // A job has no account.
    assert_eq!(named.pick("acme/x", "alice"), "$HF_TOKEN");
    assert_eq!(named.pick("acme/x", "hf_user"), "job:acme/x $HF_TOKEN");
    let auto = setup(&[("HF_OIDC_RESOURCE", "auto"), ("HF_TOKEN", "one")]);
    assert_eq!(
        auto.pick("acme/ruled", "-"),
        "work job:acme/ruled $HF_TOKEN"
    );
    assert_eq!(auto.pick("gpt2", "-"), "$HF_TOKEN");
    let account = setup(&[("HF_OIDC_RESOURCE", "alice")]);
    assert_eq!(account.pick("acme/x", "-"), "job:alice");
    assert_eq!(account.pick("gpt2", "-"), "job:alice");
    let unreadable = setup(&[("HF_OIDC_RESOURCE", "$REPO"), ("HF_TOKEN", "one")]);
    assert_eq!(unreadable.pick("acme/x", "-"), "job:? $HF_TOKEN");
}

#[test]
fn a_jobs_identity_is_for_the_environments_endpoint_alone() {
    let setup = Setup {
        config: "[endpoints]\n\"https://hub.corp.example\" = { env = true }\n",
        env: &[("HF_OIDC_RESOURCE", "auto"), ("HF_TOKEN", "one")],
        ..Setup::default()
    };
    let corp = "https://hub.corp.example";
    assert_eq!(setup.pick_at(corp, "acme/x", "-"), "$HF_TOKEN");
    let there = Setup {
        env: &[
            ("HF_OIDC_RESOURCE", "auto"),
            ("HF_ENDPOINT", "https://hub.corp.example"),
        ],
        ..setup
    };
    assert_eq!(there.pick_at(corp, "acme/x", "-"), "job:acme/x");
    assert_eq!(there.pick("acme/x", "-"), "");
}
