//! Which token a fetch, a push and an unknown operation get, for every coverage, role, role in the
//! organisation and kind of token.

use std::ffi::OsString;
use std::path::Path;

use super::*;
use crate::config::Config;
use crate::model::operation::Operation;
use crate::model::permissions::{Facts, Lack, Organisation, Role, Scope};
use crate::model::secret::Fingerprint;
use crate::selection::{HfKnown, Query, would_do};
use crate::state::{Origin, State, TokenInfo, samples};
use crate::system::environment::Environment;

/// Logins in the order in which they were made.
#[derive(Default)]
struct Situation {
    state: State,
    config: &'static str,
    env: &'static [(&'static str, &'static str)],
    hf_active: bool,
}

impl Situation {
    fn of(tokens: &[(&str, TokenInfo)]) -> Self {
        let mut situation = Self::default();
        for (name, token) in tokens {
            let order = situation.state.next_order();
            let token = TokenInfo {
                order,
                fingerprint: Fingerprint::parse(&format!("{order:032}")).unwrap(),
                ..token.clone()
            };
            situation
                .state
                .tokens
                .insert(TokenName::existing(name), token);
        }
        situation
    }

    fn select(&self, path: &str, user: &str, operation: Option<Operation>) -> Selection {
        self.with(path, user, operation, |inputs| select(inputs).unwrap())
    }

    fn with<T>(
        &self,
        path: &str,
        user: &str,
        operation: Option<Operation>,
        then: impl FnOnce(Inputs<'_>) -> T,
    ) -> T {
        let config = Config::parse(Path::new("config.toml"), self.config).unwrap();
        let user = (!user.is_empty()).then(|| user.to_owned());
        let wanted = Query::new(Endpoint::hugging_face(), Some(path.to_owned()), user);
        then(Inputs {
            wanted: &wanted.for_operation(operation),
            config: &config,
            state: &self.state,
            env: &Environment::read(|name| {
                let pair = self.env.iter().find(|(n, _)| *n == name)?;
                Some(OsString::from(pair.1))
            }),
            remotes: &[],
            hf: HfKnown {
                active: self.hf_active,
                names: &[],
            },
        })
    }

    fn names(&self, path: &str, operation: Option<Operation>) -> String {
        let selection = self.select(path, "", operation);
        let names = selection.candidates.iter().map(|candidate| {
            let mark = if candidate.lack.is_some() { "!" } else { "" };
            match candidate.source.name() {
                Some(name) => format!("{name}{mark}"),
                None => "(hf)".to_owned(),
            }
        });
        names.collect::<Vec<_>>().join(" ")
    }

    /// The candidates for a fetch, a push and an unknown operation; `!` marks one that is known not
    /// to be able to push.
    fn all(&self, path: &str) -> [String; 3] {
        [Some(Operation::Fetch), Some(Operation::Push), None].map(|it| self.names(path, it))
    }
}

/// A login with this role, and with this role in the organisation `acme` if it is a member.
fn login(role: &str, in_acme: Option<&str>) -> TokenInfo {
    TokenInfo {
        account: Some("alice".to_owned()),
        facts: Some(Facts {
            account: "alice".to_owned(),
            role: Role::read(role),
            organisations: in_acme
                .map(|role| Organisation {
                    name: "acme".to_owned(),
                    role: (!role.is_empty()).then(|| role.to_owned()),
                })
                .into_iter()
                .collect(),
            ..Facts::default()
        }),
        ..samples::token()
    }
}

/// A fine-grained token with these scopes: `model acme/x write`.
fn fine(in_acme: Option<&str>, scopes: &[&str]) -> TokenInfo {
    let mut token = login("fineGrained", in_acme);
    let facts = token.facts.as_mut().unwrap();
    for scope in scopes {
        let mut words = scope.split(' ').map(str::to_owned);
        facts.scopes.push(Scope {
            kind: words.next().unwrap(),
            name: words.next(),
            id: None,
            permissions: vec![match words.next().as_deref() {
                Some("write") => "repo.write".to_owned(),
                _ => "repo.content.read".to_owned(),
            }],
        });
    }
    token
}

#[test]
fn the_token_that_may_do_it() {
    const READ: &[&str] = &["org acme read"];
    const WRITE: &[&str] = &["org acme write"];
    const ONE_READ: &[&str] = &["model acme/x read"];
    const ONE_WRITE: &[&str] = &["model acme/x write"];
    let admin = Some("admin");
    type Row<'a> = (&'a [(&'a str, TokenInfo)], &'a str, [&'a str; 3]);
    let rows: &[Row<'_>] = &[
        // The case that was seen in practice: the narrow token reads, the wide one writes.
        (
            &[("ro", fine(admin, ONE_READ)), ("fg", fine(admin, WRITE))],
            "acme/x",
            ["ro fg", "fg ro!", "fg ro"],
        ),
        (
            &[("r", fine(admin, READ)), ("w", fine(admin, WRITE))],
            "datasets/acme/y",
            ["r w", "w r!", "w r"],
        ),
        (
            &[("org", fine(admin, WRITE)), ("one", fine(admin, ONE_WRITE))],
            "acme/x",
            ["one org", "one org", "one org"],
        ),
        // One token that reads one repo and writes to all of them.
        (
            &[(
                "both",
                fine(admin, &["model acme/x read", "org acme write"]),
            )],
            "acme/x",
            ["both", "both", "both"],
        ),
        // An account's read and write tokens, whichever is older.
        (
            &[("w", login("write", admin)), ("r", login("read", admin))],
            "alice/x",
            ["r w", "w r!", "w r"],
        ),
        (
            &[("r", login("read", admin)), ("w", login("write", admin))],
            "acme/x",
            ["r w", "w r!", "w r"],
        ),
        // The role in the organisation: admin and write may push, a contributor may or may not.
        (
            &[
                ("c", login("write", Some("contributor"))),
                ("w", login("write", Some("write"))),
                ("a", login("write", admin)),
                ("r", login("write", Some("read"))),
                ("s", login("write", Some(""))),
            ],
            "acme/x",
            ["r c s w a", "w a c s r!", "w a c s r"],
        ),
        // The role limits a fine-grained token too.
        (
            &[
                ("in-vain", fine(Some("read"), WRITE)),
                ("perhaps", fine(Some("contributor"), WRITE)),
                ("outside", fine(None, WRITE)),
            ],
            "acme/x",
            [
                "in-vain perhaps outside",
                "outside perhaps in-vain!",
                "outside perhaps in-vain",
            ],
        ),
        // The Hub does not say what a browser login may write.
        (
            &[
                ("web", login("", admin)),
                ("r", login("read", admin)),
                ("w", login("write", admin)),
            ],
            "alice/x",
            ["r web w", "w web r!", "w web r"],
        ),
        // Scoped comes before account, unless it is known that it will be refused.
        (
            &[("w", login("write", admin)), ("fg", fine(admin, WRITE))],
            "acme/x",
            ["fg w", "fg w", "fg w"],
        ),
        (
            &[("w", login("write", admin)), ("fg", fine(admin, READ))],
            "acme/x",
            ["fg w", "w fg!", "fg w"],
        ),
        // A stranger's repo gets the oldest login, but never for a push.
        (
            &[("fg", fine(admin, WRITE)), ("w", login("write", admin))],
            "stranger/gated",
            ["w", "", "w"],
        ),
        (
            &[("new", login("superWrite", admin))],
            "acme/x",
            ["", "", ""],
        ),
    ];
    for (tokens, path, expected) in rows {
        let names: Vec<&str> = tokens.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            Situation::of(tokens).all(path),
            *expected,
            "{names:?} {path}"
        );
    }
}

#[test]
fn scoped_beats_the_environment_and_it_beats_the_account() {
    let mut situation = Situation::of(&[
        ("account", login("write", Some("admin"))),
        ("scoped", fine(Some("admin"), &["org acme write"])),
        ("reads", fine(Some("admin"), &["model acme/x read"])),
    ]);
    situation.env = &[("HF_TOKEN", "hf_x")];
    situation.hf_active = true;
    situation.config = "default = \"account\"\n";
    assert_eq!(
        situation.all("acme/x"),
        [
            "reads scoped HF_TOKEN account (hf)",
            "scoped HF_TOKEN account (hf) reads!",
            "scoped reads HF_TOKEN account (hf)"
        ]
    );
    assert_eq!(
        situation.names("alice/x", Some(Operation::Push)),
        "HF_TOKEN account (hf)"
    );
}

#[test]
fn ties_go_to_the_older_login_and_are_reported() {
    let mut situation = Situation::of(&[
        ("z-old", login("write", Some("admin"))),
        ("a-new", login("write", Some("admin"))),
        ("twin", login("write", Some("admin"))),
    ]);
    let old = situation.state.tokens[&TokenName::existing("z-old")]
        .fingerprint
        .clone();
    situation
        .state
        .tokens
        .get_mut(&TokenName::existing("twin"))
        .unwrap()
        .fingerprint = old;
    let (selection, equals) = situation
        .with("acme/x", "", Some(Operation::Push), select_with_equals)
        .unwrap();
    assert_eq!(selection.candidates[0].source.name(), Some("z-old"));
    // The same value under another name does not count as another token.
    assert_eq!(equals, [TokenName::existing("a-new")]);
}

#[test]
fn any_is_the_oldest_login_that_reaches_further() {
    let gated = |scopes| {
        let mut token = fine(None, scopes);
        token.facts.as_mut().unwrap().gated = true;
        token
    };
    let situation = Situation::of(&[
        ("narrow", fine(None, &["model acme/x read"])),
        ("gated", gated(&[])),
        ("wide", login("write", None)),
    ]);
    assert_eq!(situation.all("stranger/x"), ["gated", "", "gated"]);
    // An account's name still narrows the choice.
    let nobody = situation.select("stranger/x", "bob", None);
    assert!(nobody.candidates.is_empty());
}

#[test]
fn a_push_stops_at_a_variable_without_a_valid_token() {
    let situation = Situation {
        env: &[("HF_TOKEN", "\"hf_x\"")],
        ..Situation::of(&[("w", login("write", None))])
    };
    for (operation, required) in [
        (Some(Operation::Fetch), false),
        (Some(Operation::Push), true),
        (None, false),
    ] {
        let selection = situation.select("alice/x", "", operation);
        let candidate = &selection.candidates[0];
        assert_eq!(candidate.source, Source::Environment("HF_TOKEN"));
        assert_eq!(candidate.required, required, "{operation:?}");
    }
}

#[test]
fn rules_for_each_operation() {
    let situation = Situation {
        config: "[rules]\nacme = { fetch = \"r\", push = \"w\" }\n\
                 \"acme/x\" = { push = \"x\" }\n\"acme/y\" = { fetch = \"x\" }\nother = \"w\"\n",
        ..Situation::of(&[
            ("r", samples::token()),
            ("w", samples::token()),
            ("x", samples::token()),
        ])
    };
    for (path, expected) in [
        ("acme/z", ["r", "w", "w"]),
        ("acme/x", ["r", "x w", "x w"]),
        ("acme/y", ["x r", "w", "x w"]),
        ("other/y", ["w", "w", "w"]),
    ] {
        assert_eq!(situation.all(path), expected, "{path}");
    }
}

#[test]
fn what_a_token_lacks_and_which_would_do() {
    let mut situation = Situation::of(&[
        ("role", login("read", Some("admin"))),
        ("member", login("write", Some("read"))),
        ("scope", fine(Some("admin"), &["org acme read"])),
        ("good", fine(Some("admin"), &["org acme write"])),
    ]);
    for (config, path, expected) in [
        ("default = \"role\"", "acme/x", Lack::Role),
        ("default = \"member\"", "acme/x", Lack::OrganisationRole),
        ("default = \"member\"", "other/x", Lack::Membership),
        ("default = \"scope\"", "other/x", Lack::Scope),
    ] {
        situation.config = config;
        let push = situation.select(path, "", Some(Operation::Push)).candidates;
        let chosen = push.iter().find(|it| it.reason == Reason::Default);
        let last = push
            .iter()
            .find(|it| Some(it.source.name()) == Some(config.split('"').nth(1)));
        assert_eq!(
            chosen.or(last).unwrap().lack,
            Some(expected),
            "{config} {path}"
        );
        let fetch = situation
            .select(path, "", Some(Operation::Fetch))
            .candidates;
        assert!(fetch.iter().all(|it| it.lack.is_none()));
    }
    let would = |path: &str| {
        let repo = Repo::from_path(path).unwrap();
        situation.with(path, "", Some(Operation::Push), |it| would_do(it, &repo))
    };
    assert_eq!(would("acme/x"), [TokenName::existing("good")]);
    assert_eq!(would("other/x"), []);
}

#[test]
fn git_saves_below_what_was_chosen() {
    let saved = TokenInfo {
        origin: Origin::Git,
        ..login("write", Some("admin"))
    };
    let situation = Situation::of(&[("git:x", saved), ("reads", login("read", Some("admin")))]);
    assert_eq!(
        situation.all("acme/x"),
        ["reads git:x", "git:x reads!", "reads git:x"]
    );
}
