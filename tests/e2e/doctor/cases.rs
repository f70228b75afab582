//! What can be in the way, and what the check that is for it then says.

use super::well::Well;
use crate::support::hub::Response;
use crate::support::hub::api::OAuth;
use crate::support::modes::set_mode;
use crate::support::programs::copy_program;
use crate::support::tools::gits;
use crate::support::user::{CONFIG, STATE, now};
use std::fs;

/// What is done to a machine on which all is well, and what one check then says.
pub struct Case {
    pub id: &'static str,
    pub verdict: &'static str,
    /// Words of its why and its fix.
    pub words: &'static [&'static str],
    pub harm: fn(&Well),
}

pub const CASES: &[Case] = &[
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
        harm: |well| well.state("expires", now() + 7200),
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
        harm: |well| set_mode(well.data("tokens"), 0o755),
    },
    Case {
        id: "permissions",
        verdict: "problem",
        words: &[".token has mode 0644", "chmod 600 ~/"],
        harm: |well| set_mode(well.token_file(), 0o644),
    },
    Case {
        id: "permissions",
        verdict: "problem",
        words: &[
            "other users can write to ~/.config/git-credential-hf/config.toml",
            "chmod 644 ~/",
        ],
        harm: |well| set_mode(well.machine.home().join(CONFIG), 0o666),
    },
    Case {
        id: "leftovers",
        verdict: "warning",
        words: &["a killed process", "rm ~/"],
        harm: |well| {
            let left = well.data("tokens/.work-1.token.17-0-5.tmp");
            fs::write(&left, &well.token).expect("leave a file");
            set_mode(&left, 0o600);
            well.machine.age(&left, 3600);
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
            set_mode(&left, 0o600);
            well.machine.age(&left, 3600);
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
            well.machine.age(".gitconfig.lock", 3600);
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
            set_mode(well.machine.home().join(".netrc"), 0o600);
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
    Case {
        id: "helper-lines",
        verdict: "problem",
        words: &["~/system", "for the whole system"],
        harm: |well| {
            let system = well.machine.home().join("system");
            well.machine.env("GIT_CONFIG_SYSTEM", system);
            well.machine.helper(["configure", "--system"]).ok();
            well.machine.helper(["unconfigure"]).ok();
            let ours = well.machine.read("system");
            let text = format!("{ours}[credential]\n\thelper = store\n");
            well.machine.write("system", text);
        },
    },
    Case {
        id: "helper-program",
        verdict: "note",
        words: &["which is a different copy of this program"],
        harm: |well| {
            let copy = well.machine.home().join("copy/git-credential-hf");
            well.machine.write("copy/README", "");
            let program = well.machine.bin().join("git-credential-hf");
            copy_program(&program, &copy);
            well.machine.command(copy, ["configure"]).ok();
        },
    },
    Case {
        id: "keyring",
        verdict: "note",
        words: &["no keyring is running", "no token is stored there"],
        harm: |well| {
            let config = well.machine.read(CONFIG);
            well.machine
                .write(CONFIG, config.replace("storage = \"file\"\n", ""));
        },
    },
    Case {
        id: "rules",
        verdict: "problem",
        words: &["the default is `gone`", "use NAME --default"],
        harm: |well| {
            let config = well.machine.read(CONFIG);
            let token = well.hub.value_of("new");
            well.machine.login("new", &token, &[]);
            well.machine
                .write(CONFIG, format!("default = \"gone\"\n{config}"));
        },
    },
    Case {
        id: "hf-token",
        verdict: "note",
        words: &["it takes precedence over the tokens of an account"],
        harm: |well| {
            well.machine.helper(["unuse", "acme"]).ok();
            let token = well.hub.value_of("new");
            well.machine.login("new", &token, &[]);
            well.machine.env("HF_TOKEN", &well.token);
        },
    },
    Case {
        id: "tokens",
        verdict: "problem",
        words: &["`work` has expired", "git credential-hf logout work"],
        harm: |well| {
            well.state("origin", "git");
            well.state("expires", 17);
        },
    },
    Case {
        id: "tokens",
        verdict: "problem",
        words: &["`work` has expired", "git credential-hf login work --web"],
        harm: |well| {
            OAuth::start(&well.hub, &[], 30_000);
            well.state("hint", "hf_oauth_…LAST");
            well.state("expires", 17);
            // Otherwise it would be renewed.
            well.state("renewal_failed", 17);
        },
    },
    Case {
        id: "rules",
        verdict: "problem",
        words: &["the rule for acme names `hf:gone`", "unuse acme"],
        harm: |well| {
            let config = well.machine.read(CONFIG);
            well.machine
                .write(CONFIG, config.replace("work", "hf:gone"));
        },
    },
];
