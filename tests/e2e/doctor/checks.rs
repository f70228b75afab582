//! `doctor`: each check with something in the way and without.

use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Response};
use crate::support::keyring::{DeadBus, Keyring};
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::{CONFIG, DATA, STATE};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const X: &str = "https://huggingface.co/acme/x";
const RULE: &str = "version = 1\nstorage = \"file\"\n[rules]\nacme = \"work\"\n";

/// A machine on which all is well: a token with a rule, git configured, git-lfs with its
/// filters, a clone to stand in, and a Hub whose clock is right.
pub struct Well {
    pub hub: Hub,
    pub machine: Machine,
    pub token: String,
}

impl Well {
    pub fn new() -> Well {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub);
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--for", "acme"]);
        machine.write(CONFIG, RULE);
        for (name, value) in [
            ("clean", "git-lfs clean -- %f"),
            ("smudge", "git-lfs smudge -- %f"),
            ("process", "git-lfs filter-process"),
        ] {
            let key = format!("filter.lfs.{name}");
            machine.git(["config", "--global", &key, value]).ok();
        }
        machine.configure();
        let well = Well {
            hub,
            machine,
            token,
        };
        well.program("git-lfs", "echo 'git-lfs/3.9.9 (a stand-in)'");
        well.hub_says(&well.now(0));
        well.machine.git(["clone", "--quiet", X]).ok();
        well
    }

    /// Puts a script on the PATH.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.machine.bin().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("write a program");
        mode(&path, 0o755);
    }

    /// The time as HTTP writes it, so many seconds from now.
    fn now(&self, seconds: i64) -> String {
        let date = format!("--date=@{}", unix_now() + seconds);
        let form = "+%a, %d %b %Y %H:%M:%S GMT";
        let said = self.machine.command("date", ["-u", &date, form]).ok();
        said.stdout.trim().to_owned()
    }

    fn hub_says(&self, date: &str) {
        let date = date.to_owned();
        self.hub.route("HEAD", "huggingface.co", "/", move |_| {
            Response::text(200, "").header("Date", &date)
        });
    }

    /// Adds to the user's git configuration, below our lines.
    fn git_config(&self, text: &str) {
        let before = self.machine.read(".gitconfig");
        self.machine.write(".gitconfig", format!("{before}{text}"));
    }

    fn data(&self, path: &str) -> std::path::PathBuf {
        self.machine.home().join(DATA).join(path)
    }

    /// The token's file.
    fn token_file(&self) -> std::path::PathBuf {
        let entries = fs::read_dir(self.data("tokens")).expect("the folder of tokens");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut files = paths.filter(|path| path.extension().is_some_and(|e| e == "token"));
        files.next().expect("a token's file")
    }

    /// Changes what is known of the token.
    fn state(&self, key: &str, value: impl Into<Value>) {
        let mut state = self.machine.state();
        state["tokens"]["work"][key] = value.into();
        self.machine.write(STATE, state.to_string());
    }

    /// The checks, by their names, as a report from within the clone has them. Its exit code is
    /// what the verdicts say.
    pub fn checks(&self) -> Checks {
        let run = self.machine.helper(["doctor", "--json"]).dir("x").run();
        let json: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error} in {run}"));
        let checks = json["checks"].as_array().expect("checks").clone();
        let problem = checks.iter().any(|check| check["verdict"] == "problem");
        assert_eq!(run.code, i32::from(problem), "{run}");
        // Whatever asks the Hub says so too.
        let other = |line: &str| !line.contains("cannot use the certificates in");
        assert!(!run.stderr.lines().any(other), "{run}");
        Checks(checks)
    }
}

/// What a report says.
pub struct Checks(Vec<Value>);

impl Checks {
    pub fn get(&self, id: &str) -> &Value {
        let mut with_id = self.0.iter().filter(|check| check["id"] == id);
        let found = with_id.next().unwrap_or_else(|| panic!("no check {id}"));
        assert!(with_id.next().is_none(), "{id} twice");
        found
    }

    /// The verdicts that are worse than a note.
    pub fn bad(&self) -> Vec<(&str, &str)> {
        let words = self.0.iter().map(|check| {
            let word = |key: &str| check[key].as_str().expect("a word");
            (word("id"), word("verdict"))
        });
        words
            .filter(|(_, verdict)| ["warning", "problem"].contains(verdict))
            .collect()
    }
}

pub fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set the mode");
}

fn unix_now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("a time after 1970").as_secs()).expect("a time")
}

/// Makes a file look as if it had been there for a while.
fn age(path: &Path) {
    let file = fs::File::options()
        .append(true)
        .open(path)
        .expect("open it");
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    file.set_modified(before).expect("set its time");
}

/// What is done to a machine on which all is well, and what one check then says.
struct Case {
    id: &'static str,
    verdict: &'static str,
    /// Words of its why and its fix.
    words: &'static [&'static str],
    harm: fn(&Well),
}

const CASES: &[Case] = &[
    Case {
        id: "git-version",
        verdict: "problem",
        words: &["git 2.8.0 cannot exclude other helpers"],
        harm: |well| {
            let git = gits().swap_remove(0).path;
            let script = format!(
                "[ \"$1\" = --version ] && exec echo git version 2.8.0\nexec '{}' \"$@\"",
                git.display()
            );
            well.program("git", &script);
        },
    },
    Case {
        id: "repository",
        verdict: "warning",
        words: &["another user owns this repository", "safe.directory"],
        harm: |well| well.machine.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"),
    },
    Case {
        id: "repository",
        verdict: "note",
        words: &["ssh"],
        harm: |well| {
            let set = ["remote", "set-url", "origin", "git@hf.co:acme/x"];
            well.machine.git(set).dir("x").ok();
        },
    },
    Case {
        id: "helper-lines",
        verdict: "problem",
        words: &[
            "after this helper git calls `store` (~/.gitconfig, line ",
            "https://huggingface.co, https://hf.co",
            "git credential-hf configure",
        ],
        harm: |well| well.git_config("[credential]\n\thelper = store\n"),
    },
    Case {
        id: "helper-lines",
        verdict: "problem",
        words: &[
            "`cache` (.git/config, line ",
            ", of this repository)",
            "git credential-hf configure --local",
        ],
        harm: |well| {
            let set = ["config", "credential.helper", "cache"];
            well.machine.git(set).dir("x").ok();
        },
    },
    Case {
        id: "helper-lines",
        verdict: "problem",
        words: &["`store` (~/more, line 2)"],
        harm: |well| {
            well.machine
                .write("more", "[credential]\n\thelper = store\n");
            let home = well.machine.home();
            let home = home.to_str().expect("a UTF-8 path");
            let include = format!("[includeIf \"gitdir:{home}/x/\"]\n\tpath = {home}/more\n");
            well.git_config(&include);
        },
    },
    Case {
        id: "helper-lines",
        verdict: "problem",
        words: &[
            "`store` (GIT_CONFIG_KEY_0)",
            "leave out `credential.helper`, which GIT_CONFIG_KEY_0 sets",
        ],
        harm: |well| {
            well.machine.env("GIT_CONFIG_COUNT", "1");
            well.machine.env("GIT_CONFIG_KEY_0", "credential.helper");
            well.machine.env("GIT_CONFIG_VALUE_0", "store");
        },
    },
    Case {
        id: "helper-lines",
        verdict: "problem",
        words: &["git does not call this helper for https://huggingface.co"],
        harm: |well| {
            well.machine.helper(["unconfigure"]).ok();
        },
    },
    Case {
        id: "helper-program",
        verdict: "problem",
        words: &["there is no such program", "git credential-hf configure"],
        harm: |well| {
            let text = well.machine.read(".gitconfig");
            let gone = text.replace("/git-credential-hf\n", "/gone/git-credential-hf\n");
            well.machine.write(".gitconfig", gone);
        },
    },
    Case {
        id: "use-http-path",
        verdict: "warning",
        words: &["useHttpPath", "configure --local"],
        harm: |well| {
            let key = "credential.https://huggingface.co.useHttpPath";
            well.machine.git(["config", key, "false"]).dir("x").ok();
        },
    },
    Case {
        id: "credential-settings",
        verdict: "warning",
        words: &["`nobody` (~/.gitconfig, line "],
        harm: |well| well.git_config("[credential]\n\tusername = nobody\n"),
    },
    Case {
        id: "configuration",
        verdict: "problem",
        words: &["config.toml:1:"],
        harm: |well| well.machine.write(CONFIG, "rule = 1\n"),
    },
    Case {
        id: "configuration",
        verdict: "problem",
        words: &["HF_ENDPOINT"],
        harm: |well| well.machine.env("HF_ENDPOINT", "nonsense"),
    },
    Case {
        id: "configuration",
        verdict: "problem",
        words: &["state.json is damaged"],
        harm: |well| well.machine.write(STATE, "{"),
    },
    Case {
        id: "configuration",
        verdict: "problem",
        words: &[
            "GIT_CREDENTIAL_HF_TOKEN_NAME",
            "there is no token of that name",
        ],
        harm: |well| well.machine.env("GIT_CREDENTIAL_HF_TOKEN_NAME", "gone"),
    },
    Case {
        id: "rules",
        verdict: "problem",
        words: &["the rule for acme names `work`", "login work", "unuse acme"],
        harm: |well| {
            well.machine.helper(["logout", "work"]).ok();
        },
    },
    Case {
        id: "tokens",
        verdict: "problem",
        words: &["`work` was rejected", "git credential-hf login work"],
        harm: |well| {
            well.hub.revoke("work");
            well.machine.git(["fetch"]).dir("x").fails();
        },
    },
    Case {
        id: "tokens",
        verdict: "problem",
        words: &["`work` has expired (1970-01-01)"],
        harm: |well| well.state("expires", 17),
    },
    Case {
        id: "tokens",
        verdict: "warning",
        words: &["`work` expires in "],
        harm: |well| well.state("expires", unix_now() + 7200),
    },
    Case {
        id: "keyring",
        verdict: "problem",
        words: &[
            "no keyring is running on this machine",
            "1 token is stored there",
        ],
        harm: |well| well.state("storage", "keyring"),
    },
    Case {
        id: "permissions",
        verdict: "problem",
        words: &["tokens has mode 0755", "chmod 700 ~/"],
        harm: |well| mode(&well.data("tokens"), 0o755),
    },
    Case {
        id: "permissions",
        verdict: "problem",
        words: &[".token has mode 0644", "chmod 600 ~/"],
        harm: |well| mode(&well.token_file(), 0o644),
    },
    Case {
        id: "permissions",
        verdict: "problem",
        words: &[
            "other users can write to ~/.config/git-credential-hf/config.toml",
            "chmod 644 ~/",
        ],
        harm: |well| mode(&well.machine.home().join(CONFIG), 0o666),
    },
    Case {
        id: "leftovers",
        verdict: "warning",
        words: &["a killed process", "rm ~/"],
        harm: |well| {
            let left = well.data("tokens/.work-1.token.17-0-5.tmp");
            fs::write(&left, &well.token).expect("leave a file");
            mode(&left, 0o600);
            age(&left);
        },
    },
    Case {
        id: "leftovers",
        verdict: "warning",
        words: &[
            "that belong to no known token",
            "if no token is missing: rm ~/",
        ],
        harm: |well| {
            let left = well.data("tokens/gone-0123456789abcdef.token");
            fs::write(&left, &well.token).expect("leave a file");
            mode(&left, 0o600);
            age(&left);
        },
    },
    Case {
        id: "leftovers",
        verdict: "warning",
        words: &["an old copy of `work`"],
        harm: |well| {
            let mut state = well.machine.state();
            state["leftovers"]["work"] = serde_json::json!(["keyring"]);
            well.machine.write(STATE, state.to_string());
        },
    },
    Case {
        id: "leftovers",
        verdict: "warning",
        words: &["have lost a mark"],
        harm: |well| {
            // Git takes what stands below a section with it, our first line for one.
            let remove = ["config", "--global", "--remove-section", "filter.lfs"];
            well.machine.git(remove).ok();
        },
    },
    Case {
        id: "leftovers",
        verdict: "warning",
        words: &["that file", "rm ~/.gitconfig.lock"],
        harm: |well| {
            well.machine.write(".gitconfig.lock", "");
            age(&well.machine.home().join(".gitconfig.lock"));
        },
    },
    Case {
        id: "exchange",
        verdict: "problem",
        words: &["this job has no ID token", "HF_OIDC_ID_TOKEN"],
        harm: |well| well.machine.env("HF_OIDC_RESOURCE", "acme/x"),
    },
    Case {
        id: "exchange",
        verdict: "problem",
        words: &["HF_OIDC_RESOURCE cannot be used", "unset it"],
        harm: |well| well.machine.env("HF_OIDC_RESOURCE", "acme/*"),
    },
    Case {
        id: "hf-token",
        verdict: "note",
        words: &["HF_TOKEN is set", "unset HF_TOKEN"],
        harm: |well| well.machine.env("HF_TOKEN", &well.token),
    },
    Case {
        id: "hf-token",
        verdict: "warning",
        words: &[
            "git-xet uses it before",
            "git credential-hf run -- git push",
        ],
        harm: |well| {
            well.machine.env("HF_TOKEN", &well.token);
            well.program("git-xet", "");
            well.git_config("[lfs \"customtransfer.xet\"]\n\tpath = git-xet\n");
        },
    },
    Case {
        id: "netrc",
        verdict: "problem",
        words: &["~/.netrc:1 holds hf_…", "git credential-hf import netrc"],
        harm: |well| {
            let text = format!("machine huggingface.co login u password {}\n", well.token);
            well.machine.write(".netrc", text);
            mode(&well.machine.home().join(".netrc"), 0o600);
        },
    },
    Case {
        id: "extra-header",
        verdict: "problem",
        words: &[
            "git config --file ~/.gitconfig --unset-all http.https://huggingface.co.extraheader",
        ],
        harm: |well| {
            let header = format!("Authorization: Bearer {}", well.token);
            let section = "[http \"https://huggingface.co\"]";
            well.git_config(&format!("{section}\n\textraHeader = {header}\n"));
        },
    },
    Case {
        id: "remote-urls",
        verdict: "problem",
        words: &["holds hf_…", "git credential-hf import remotes"],
        harm: |well| {
            let url = format!("https://u:{}@huggingface.co/acme/x", well.token);
            let set = ["remote", "set-url", "origin", &url];
            well.machine.git(set).dir("x").ok();
        },
    },
    Case {
        id: "git-credentials",
        verdict: "warning",
        words: &[
            "~/.git-credentials:1 holds hf_…",
            "git credential-hf import git",
        ],
        harm: |well| {
            let line = format!("https://u:{}@huggingface.co\n", well.token);
            well.machine.write(".git-credentials", line);
        },
    },
    Case {
        id: "git-lfs",
        verdict: "problem",
        words: &["git-lfs does not run"],
        harm: |well| well.program("git-lfs", "exit 3"),
    },
    Case {
        id: "git-lfs",
        verdict: "problem",
        words: &["git-lfs does not run"],
        harm: |well| well.program("git-lfs", "exec sleep 600"),
    },
    Case {
        id: "git-lfs",
        verdict: "warning",
        words: &["git-lfs 3.9.9", "git lfs install"],
        harm: |well| {
            let unset = ["config", "--global", "--unset", "filter.lfs.process"];
            well.machine.git(unset).ok();
        },
    },
    Case {
        id: "git-xet",
        verdict: "warning",
        words: &["git xet install"],
        harm: |well| well.program("git-xet", ""),
    },
    Case {
        id: "git-xet",
        verdict: "problem",
        words: &["there is no such program"],
        harm: |well| well.git_config("[lfs \"customtransfer.xet\"]\n\tpath = git-xet\n"),
    },
    Case {
        id: "hf-cli",
        verdict: "warning",
        words: &[
            "~/.huggingface/token holds hf_…",
            "git credential-hf import hf, or: rm ~/.huggingface/token",
        ],
        harm: |well| well.machine.write(".huggingface/token", &well.token),
    },
    Case {
        id: "git-lfs",
        verdict: "note",
        words: &["info/lfs.access` (.git/config, line ", "--unset-all lfs."],
        harm: |well| {
            let key = "lfs.https://huggingface.co/acme/x.git/info/lfs.access";
            well.machine.git(["config", key, "basic"]).dir("x").ok();
        },
    },
    Case {
        id: "remote-urls",
        verdict: "problem",
        words: &["lfs.url holds hf_…", "git credential-hf import remotes"],
        harm: |well| {
            let url = format!(
                "https://u:{}@huggingface.co/acme/x.git/info/lfs",
                well.token
            );
            let set = ["config", "lfs.url", &url];
            well.machine.git(set).dir("x").ok();
        },
    },
    Case {
        id: "hf-token",
        verdict: "problem",
        words: &["it does not look like one of the Hub's", "unset it"],
        harm: |well| well.machine.env("HF_TOKEN", "None"),
    },
    Case {
        id: "hf-cli",
        verdict: "warning",
        words: &["has expired", "hf auth login"],
        harm: |well| {
            let stored = format!("[me]\nhf_token = {}\nexpires_at = 17\n", well.token);
            well.machine
                .write(".cache/huggingface/stored_tokens", stored);
            well.machine.write(".cache/huggingface/token", &well.token);
        },
    },
    Case {
        id: "proxy",
        verdict: "note",
        words: &["git and this helper go without a proxy"],
        harm: |well| well.git_config("[http]\n\tproxy =\n"),
    },
    Case {
        id: "certificates",
        verdict: "problem",
        words: &["http.sslVerify (~/.gitconfig)"],
        harm: |well| well.git_config("[http]\n\tsslVerify = false\n"),
    },
    Case {
        id: "certificates",
        verdict: "problem",
        words: &["GIT_SSL_NO_VERIFY"],
        harm: |well| well.machine.env("GIT_SSL_NO_VERIFY", ""),
    },
    Case {
        id: "certificates",
        verdict: "problem",
        words: &["CURL_CA_BUNDLE does not name a file with certificates"],
        harm: |well| well.machine.env("CURL_CA_BUNDLE", "/dev/null"),
    },
    Case {
        id: "hub",
        verdict: "problem",
        words: &["certificate", "SSL_CERT_FILE"],
        harm: |well| well.machine.unset("GIT_SSL_CAINFO"),
    },
    Case {
        id: "hub",
        verdict: "warning",
        words: &["redirects to another site"],
        harm: |well| {
            well.hub.route("HEAD", "huggingface.co", "/", |_| {
                Response::redirect(302, "https://evil.example/login")
            });
        },
    },
    Case {
        id: "hub",
        verdict: "warning",
        words: &["offline?", "HTTPS_PROXY"],
        harm: |well| {
            for key in ["HTTPS_PROXY", "https_proxy"] {
                well.machine.env(key, "http://127.0.0.1:1");
            }
        },
    },
    Case {
        id: "clock",
        verdict: "warning",
        words: &["ahead of the Hub's"],
        harm: |well| well.hub_says(&well.now(-600)),
    },
    Case {
        id: "clock",
        verdict: "problem",
        words: &["behind the Hub's", "set the clock"],
        harm: |well| well.hub_says(&well.now(7200)),
    },
];

/// Checks that follow from another one's harm.
const FOLLOW: &[(&str, &[&str])] = &[
    ("repository", &["hf-token"]),
    ("configuration", &["hub", "tokens"]),
    ("rules", &["tokens"]),
    ("leftovers", &["git-lfs"]),
    // Without its proxy the Hub of the tests is out of reach.
    ("proxy", &["hub"]),
];

#[test]
fn where_all_is_well_nothing_is_said() {
    for git in gits() {
        let mut well = Well::new();
        well.machine = well.machine.with_git(&git);
        let checks = well.checks();
        assert_eq!(checks.bad(), [], "{git:?}");
        for case in CASES {
            let check = checks.get(case.id);
            let fine = ["ok", "skipped"].contains(&check["verdict"].as_str().expect("a word"))
                || (case.id == "git-version" && !git.at_least(2, 46));
            assert!(fine, "{git:?} {check}");
        }
        for (id, words) in [
            ("repository", "1 remote here is on a Hub"),
            ("helper-lines", "git calls this helper and no other"),
            ("helper-program", "this program"),
            ("use-http-path", "git tells the helper which"),
            ("rules", "1 rule"),
            ("tokens", "1 token, not rejected"),
            ("git-lfs", "git-lfs 3.9.9"),
            ("proxy", "https_proxy is set"),
            ("certificates", "GIT_SSL_CAINFO"),
            ("hub", "https://huggingface.co answers"),
            ("clock", "agrees with the Hub's"),
        ] {
            let why = checks.get(id)["findings"][0]["why"].as_str();
            assert!(why.is_some_and(|why| why.contains(words)), "{id}: {why:?}");
        }
    }
}

#[test]
fn each_check_finds_what_it_is_for_and_no_other_does() {
    for case in CASES {
        let well = Well::new();
        (case.harm)(&well);
        let checks = well.checks();
        let check = checks.get(case.id);
        assert_eq!(check["verdict"], case.verdict, "{check}");
        let text = check.to_string().replace("\\\"", "\"");
        for word in case.words {
            assert!(text.contains(word), "{word:?} is not in {text}");
        }
        let follow = FOLLOW.iter().find(|(id, _)| *id == case.id);
        let follow = follow.map_or(&[][..], |(_, ids)| ids);
        let others: Vec<_> = checks
            .bad()
            .into_iter()
            .filter(|(id, _)| *id != case.id && !follow.contains(id))
            .collect();
        assert_eq!(
            others,
            [],
            "with the harm of {} ({:?})",
            case.id,
            case.words
        );
    }
}

#[test]
fn every_check_has_been_seen_bad() {
    let well = Well::new();
    for check in &well.checks().0 {
        let id = check["id"].as_str().expect("an id");
        assert!(CASES.iter().any(|case| case.id == id), "{id} has no case");
    }
}

#[test]
fn json_has_a_form_that_programs_can_count_on() {
    let well = Well::new();
    well.git_config("[credential]\n\thelper = store\n");
    let said = well.machine.helper(["doctor", "--json", "--offline"]);
    let said = said.dir("x").fails();
    let json: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(json["version"], 1);
    assert_eq!(
        (&json["problems"], &json["warnings"]),
        (&1.into(), &0.into())
    );
    assert!(json["program"].is_string() && json["system"].is_string());
    assert!(json.get("repairs").is_none(), "{json}");
    for check in json["checks"].as_array().expect("checks") {
        let known = ["ok", "note", "warning", "problem", "skipped"];
        let groups = [
            "git",
            "helper",
            "tokens",
            "elsewhere",
            "programs",
            "network",
        ];
        let is_one_of =
            |value: &Value, of: &[&str]| value.as_str().is_some_and(|v| of.contains(&v));
        assert!(is_one_of(&check["group"], &groups), "{check}");
        assert!(is_one_of(&check["verdict"], &known), "{check}");
        let findings = check["findings"].as_array().expect("findings");
        assert!(!findings.is_empty(), "{check}");
        for finding in findings {
            assert!(is_one_of(&finding["verdict"], &known), "{finding}");
            assert!(finding["why"].is_string(), "{finding}");
            assert!(finding["fix"].is_string() || finding["fix"].is_null());
            assert!(finding["automatic"].is_boolean(), "{finding}");
        }
    }
    assert_eq!(said.code, 1);
}

#[test]
fn offline_leaves_the_network_alone() {
    let well = Well::new();
    well.hub.clear_log();
    let said = well.machine.helper(["doctor", "--offline"]).dir("x").ok();
    assert_eq!(
        said.stdout.matches("left out (--offline)").count(),
        2,
        "{said}"
    );
    assert!(well.hub.log().is_empty());
    well.machine.helper(["doctor"]).dir("x").ok();
    // One request, and no token with it: the Hub limits how often it may be asked about tokens.
    assert_eq!(well.hub.log().len(), 1, "{:?}", well.hub.log());
    assert!(well.hub.tokens_seen("/").is_empty());
}

#[test]
fn a_keyring_makes_the_round_trip_and_nothing_stays() {
    if !Keyring::is_possible() {
        return;
    }
    let well = Well::new();
    well.machine
        .write(CONFIG, "version = 1\nkeyring_timeout = 1\n");
    let why = |well: &Well| well.checks().get("keyring")["findings"][0]["why"].to_string();
    let keyring = Keyring::start();
    well.machine
        .env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    assert!(
        why(&well).contains("an entry can be written, read and removed"),
        "{}",
        why(&well)
    );
    assert!(keyring.is_empty(), "the entry is still there");
    keyring.lock();
    assert!(
        why(&well).contains("no token is stored there"),
        "{}",
        why(&well)
    );

    let dead = DeadBus::start();
    well.machine.env("DBUS_SESSION_BUS_ADDRESS", dead.address());
    let why = why(&well);
    assert!(why.contains("did not answer within 1 s"), "{why}");
}

#[test]
fn an_empty_home_is_looked_at_and_left_empty() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    fs::remove_file(machine.home().join(".gitconfig")).expect("remove the file");
    let said = machine.helper(["doctor"]).fails();
    for words in [
        "git does not call this helper",
        "there are no tokens yet",
        "git credential-hf login NAME",
        "`git credential-hf doctor --fix` can make 1 of these fixes",
    ] {
        assert!(said.stdout.contains(words), "{words:?} is not in {said}");
    }
    let mut left = fs::read_dir(machine.home()).expect("list the home");
    assert!(left.next().is_none(), "something was written");
}
