//! What the commands advise.

use super::desk::Desk;
use super::{Row, row};
use crate::support::hub::Response;
use crate::support::hub::Right::Read;
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::modes::set_mode;
use crate::support::programs::write_program;
use crate::support::tools::gits;
use crate::support::user::{CONFIG, STATE, login_unverified};
use serde_json::json;
use std::fs::{self};

const CONFIGURE: &str = "git credential-hf configure";

pub const ROWS: &[Row] = &[
    row(
        Desk::unconfigure,
        &["explain"],
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        Desk::unconfigure,
        &["status"],
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        Desk::unconfigure,
        &["check"],
        "git does not call this helper",
        CONFIGURE,
    ),
    row(
        |desk| desk.git(&["config", "credential.helper", ""]),
        &["configure"],
        "cancels it",
        "git credential-hf configure --local",
    ),
    row(
        Desk::unconfigure,
        &["configure", "--file", "more"],
        "git does not read",
        "git config --global --add include.path ~/x/more",
    ),
    row(
        |desk| desk.run(&["configure", "--local"]),
        &["unconfigure"],
        "but git",
        "git credential-hf unconfigure --local",
    ),
    row(
        |desk| desk.run(&["logout", "work"]),
        &["explain"],
        "there is no token of that name",
        "git credential-hf login work",
    ),
    row(
        Desk::forget_everything,
        &["check"],
        "the Hub asks for one",
        "git credential-hf login NAME --for acme",
    ),
    row(
        Desk::forget_everything,
        &["explain"],
        "there is no token for it",
        "git credential-hf login NAME --for acme",
    ),
    row(
        Desk::forget_everything,
        &["status"],
        "there are no tokens yet",
        "git credential-hf login",
    ),
    row(
        |desk| {
            desk.forget_everything();
            desk.machine.env("HF_TOKEN", desk.hub.value_of("new"));
            desk.machine.env("HF_ENDPOINT", "https://mirror.example");
        },
        &["token", "https://huggingface.co/acme/x"],
        "there is no token for",
        "git credential-hf login NAME --for https://huggingface.co/acme",
    ),
    row(
        |desk| desk.hub.revoke("work"),
        &["check"],
        "the Hub does not accept the token",
        "git credential-hf login work",
    ),
    row(
        Desk::read_only_by_rule,
        &["check", "--push"],
        "push to acme/x fails",
        "git credential-hf use work --for acme/x --push",
    ),
    row(
        Desk::read_only_by_rule,
        &["explain", "--push"],
        "may not push to acme/x",
        "git credential-hf use work --for acme/x --push",
    ),
    row(
        |desk| {
            let dead = desk.hub.add_token("dead", &[]);
            desk.machine.login("dead", &dead, &["--for", "acme"]);
        },
        &["check"],
        "fetch from acme/x fails",
        "git credential-hf use work --for acme --fetch",
    ),
    row(
        |desk| {
            desk.hf_token();
            desk.machine.write(CONFIG, "[rules]\nacme = \"acme\"\n");
        },
        &["explain"],
        "there is no token of that name",
        "git credential-hf use hf:acme --for acme",
    ),
    row(
        |desk| {
            let state = desk.machine.home().join(STATE);
            set_mode(state, 0o666);
        },
        &["explain"],
        "other users can write to",
        "chmod go-w ~/.local/share/git-credential-hf/state.json",
    ),
    row(
        |desk| {
            let mut state = desk.machine.state();
            let work = state["tokens"]["work"].clone();
            state["tokens"] = json!({ "gone": work });
            desk.machine.write(STATE, state.to_string());
        },
        &["check"],
        "there is no token of that name",
        "git credential-hf login work",
    ),
    row(
        |desk| {
            desk.machine.write(
                "more",
                "[credential \"https://huggingface.co\"]\n\thelper =\n",
            );
            desk.git(&["config", "extensions.worktreeConfig", "true"]);
            desk.git(&["config", "--worktree", "credential.helper", ""]);
        },
        &["explain"],
        "cancels it",
        "git credential-hf configure --file .git/config.worktree",
    ),
    row(
        |desk| {
            let url = format!(
                "https://u:{}@huggingface.co/acme/x",
                desk.hub.unknown_token()
            );
            desk.git(&["remote", "set-url", "origin", &url]);
        },
        &["check"],
        "git uses another login",
        "git remote set-url origin https://huggingface.co/acme/x",
    ),
    row(
        |desk| desk.wrongly_rejected(),
        &["token"],
        "was rejected less than a minute ago",
        "git credential-hf check acme/x",
    ),
    row(
        Desk::forget_everything,
        &["use", "gone", "--for", "acme"],
        "no token is stored here yet",
        "git credential-hf login NAME",
    ),
    row(
        |desk| {
            desk.hub.add_repo("gpt2", true);
            desk.token("new gpt2", &[("gpt2", Read)], account("write"));
            desk.machine
                .login("new", &desk.hub.value_of("new gpt2"), &[]);
            desk.git(&["remote", "set-url", "origin", "https://huggingface.co/gpt2"]);
        },
        &["use", "new"],
        "has no namespace",
        "git credential-hf use NAME --default",
    )
    .proven_by(&["explain"], "→  new "),
    row(
        |desk| {
            desk.forget_everything();
            desk.hub.add_repo("gpt2", true);
            let able = desk.token("able", &[("gpt2", Read)], account("write"));
            desk.machine.login("able", &able, &[]);
            desk.token("unable", &[], account("write"));
            desk.verified("unable");
            desk.run(&["use", "unable", "--default"]);
        },
        &["check", "gpt2"],
        "fetch from gpt2 fails",
        "git credential-hf use able --default",
    ),
    row(
        |desk| desk.verified("reader"),
        &["use", "reader", "--for", "umbrella"],
        "do not reach umbrella",
        "git credential-hf refresh",
    )
    .by_hand(|desk| {
        let reads = &["repo.content.read"];
        desk.whoami
            .says("reader", fine_grained(&[("org", "umbrella", reads)]));
    }),
    row(
        |desk| desk.machine.env("HF_ENDPOINT", "https://hub.corp.example"),
        &["explain", "https://hub.corp.example/acme/x"],
        "git does not call this helper",
        CONFIGURE,
    )
    .by_hand(Desk::other_endpoint),
    row(
        |desk| {
            desk.hf_token();
            desk.machine.write(CONFIG, "default = \"acme\"\n");
        },
        &["explain"],
        "there is no token of that name",
        "git credential-hf use hf:acme --default",
    ),
    row(
        |desk| {
            desk.hub.add_repo("umbrella/y", true);
            desk.token("reads", &[("umbrella", Read)], account("read"));
            desk.machine.login("new", &desk.hub.value_of("reads"), &[]);
            let mut state = desk.machine.state();
            state["tokens"]["new"]["rejected"] = json!(null);
            desk.token("outside", &[], {
                let mut outside = account("write");
                outside["orgs"] = json!([]);
                outside
            });
            desk.verified("outside");
            desk.run(&["use", "outside", "--default"]);
        },
        &["check", "umbrella/y"],
        "is not a member of umbrella",
        "git credential-hf use NAME --for umbrella",
    ),
    row(
        |desk| desk.verified("reader"),
        &["logout"],
        "no token was named",
        "git credential-hf logout --all",
    ),
    row(
        |desk| {
            desk.machine
                .write(".local/share/git-credential-hf/tokens/README", "");
            let tokens = desk
                .machine
                .home()
                .join(".local/share/git-credential-hf/tokens");
            for entry in fs::read_dir(tokens).expect("the folder of tokens") {
                fs::write(entry.expect("an entry").path(), "{").expect("damage it");
            }
        },
        &["logout", "work", "--revoke", "--yes"],
        "cannot be revoked on the Hub",
        "git credential-hf logout work",
    ),
    row(
        |desk| desk.verified("reader"),
        &["rename", "work", "reader"],
        "already exists",
        "git credential-hf logout reader",
    ),
    row(
        |desk| desk.hub.revoke("work"),
        &["refresh", "work"],
        "no longer accepts it",
        "git credential-hf login work",
    ),
    row(
        Desk::forget_everything,
        &["list"],
        "There are no tokens yet",
        "git credential-hf login NAME",
    ),
    row(
        |desk| {
            desk.forget_everything();
            desk.with_new();
        },
        &["list"],
        "nothing yet",
        "git credential-hf use NAME --for NAMESPACE",
    ),
    row(
        |_| (),
        &login_unverified("new", "file"),
        "next, say where to use it",
        "git credential-hf use new --for NAMESPACE",
    ),
    row(
        |_| (),
        &login_unverified("new", "file"),
        "next, say where to use it",
        "git credential-hf use new --default",
    ),
    row(
        Desk::other_endpoint,
        &[
            "login",
            "work",
            "--with-token",
            "--no-verify",
            "--for",
            "https://hub.corp.example/acme",
        ],
        "is a token for https://huggingface.co",
        "git credential-hf logout work",
    ),
    row(
        |_| (),
        &[
            "login",
            "corp",
            "--with-token",
            "--no-verify",
            "--storage",
            "file",
            "--for",
            "https://hub.corp.example/acme",
        ],
        "added https://hub.corp.example",
        CONFIGURE,
    )
    .proven_by(&["explain", "https://hub.corp.example/acme/x"], "→  corp "),
    row(
        |desk| {
            desk.with_new();
            desk.machine.write(CONFIG, "default = \"gone\"\n");
        },
        &["status"],
        "which does not exist",
        "git credential-hf use NAME --default",
    ),
    row(
        Desk::wrong_token_typed,
        &["check"],
        "the Hub does not accept the token",
        "git credential-hf login NAME --for acme",
    ),
    row(
        |desk| {
            desk.wrong_token_typed();
            desk.hf_active_token();
            desk.says(&["git", "fetch"]);
        },
        &["check"],
        "does not accept token `git:alice",
        "git credential-hf logout git:alice@huggingface.co",
    ),
    row(
        Desk::with_new,
        &["logout"],
        "no token was named",
        "git credential-hf logout NAME",
    )
    .proven_by(
        &["rename", "new", "other"],
        "there is no token called `new`",
    ),
    row(
        |desk| {
            desk.hub
                .route("POST", "huggingface.co", "/api/credentials/revoke", |_| {
                    Response::json(200, &json!({}))
                });
            desk.with_new();
        },
        &["logout", "gone", "--revoke", "--yes"],
        "there is no token called `gone`",
        "git credential-hf logout --with-token --revoke",
    )
    .proven_by(
        &["rename", "new", "other"],
        "there is no token called `new`",
    ),
    row(
        Desk::with_new,
        &["use"],
        "no token was named",
        "git credential-hf use NAME",
    )
    .proven_by(&["explain"], "→  new "),
    row(
        |desk| {
            let line = format!("https://u:{}@huggingface.co\n", desk.hub.value_of("new"));
            desk.machine.write(".git-credentials", line);
        },
        &["import", "git"],
        "plain-text copy is left",
        "git credential-hf import git --remove",
    ),
    row(
        Desk::hf_active_token,
        &["import", "hf"],
        "the hf CLI's own copy is left",
        "git credential-hf import hf --remove",
    ),
    row(
        |desk| {
            let token = desk.hub.value_of("new");
            let url = format!("https://u:{token}@huggingface.co/datasets/acme/d");
            desk.git(&["remote", "add", "data", &url]);
        },
        &["import", "remotes"],
        "to use `laptop` for datasets/acme/d",
        "git credential-hf use laptop --for datasets/acme/d",
    ),
    row(
        |desk| {
            desk.machine.write(CONFIG, "");
            let token = desk.hub.value_of("new");
            let line = format!("machine huggingface.co login u password {token}\n");
            desk.machine.write(".netrc", line);
        },
        &["import", "netrc"],
        "no keyring is running",
        "git credential-hf import --storage file",
    ),
    row(
        |desk| desk.machine.write(CONFIG, ""),
        &["login", "new", "--with-token"],
        "no keyring is running",
        "git credential-hf login new --with-token --storage file",
    ),
    row(
        |desk| {
            desk.oauth();
            desk.hub
                .route("GET", "huggingface.co", "/api/whoami-v2", |_| {
                    Response::text(503, "not now")
                });
        },
        &["login", "me", "--web", "--storage", "file"],
        "is not known yet",
        "git credential-hf refresh",
    )
    .by_hand(|desk| {
        WhoAmI::start(&desk.hub);
    })
    .proven_by(&["status"], "alice"),
    row(
        |desk| {
            let other = desk.token("other", &[], account("read"));
            desk.machine.login("laptop", &other, &[]);
        },
        &["login", "--with-token", "--storage", "file"],
        "`laptop` is already used here",
        "git credential-hf login laptop",
    ),
    row(
        |desk| {
            desk.machine.unset("HOME");
            desk.machine.unset("XDG_CONFIG_HOME");
        },
        &["configure"],
        "HOME is not set, so git reads no configuration",
        "git credential-hf configure --file FILE",
    )
    .by_hand(|desk| desk.machine.env("HOME", desk.machine.home())),
    row(
        |desk| {
            desk.unconfigure();
            let system = desk.machine.home().join("system");
            desk.machine.env("GIT_CONFIG_SYSTEM", system);
            desk.machine.env("GIT_CONFIG_NOSYSTEM", "1");
        },
        &["configure", "--system"],
        "git does not read ~/system",
        CONFIGURE,
    ),
    row(
        |desk| {
            // Two gits, each built with a place of its own.
            let second = desk.machine.home().join("second");
            for (folder, system) in [(desk.machine.bin(), "one"), (second.clone(), "two")] {
                let (git, home) = (&gits()[0].path, desk.machine.home());
                let system = home.join(system);
                let script = format!(
                    "#!/bin/sh\nGIT_CONFIG_SYSTEM='{}' exec '{}' \"$@\"\n",
                    system.display(),
                    git.display()
                );
                fs::create_dir_all(&folder).expect("make a folder");
                write_program(&folder.join("git"), &script);
            }
            let path = std::env::join_paths([desk.machine.bin(), second]).expect("a PATH");
            desk.machine.env("PATH", path);
            desk.machine.unset("GIT_CONFIG_SYSTEM");
        },
        &["configure", "--system"],
        "~/second/git does not read ~/one",
        "git credential-hf configure --file ~/two",
    ),
    row(
        |desk| {
            let system = desk.machine.home().join("system");
            desk.machine.env("GIT_CONFIG_SYSTEM", system);
            desk.run(&["configure", "--system"]);
        },
        &["unconfigure"],
        "but git still calls it",
        "git credential-hf unconfigure --system",
    ),
    row(
        |desk| {
            desk.git(&["config", "extensions.worktreeConfig", "true"]);
            desk.run(&["configure", "--file", ".git/config.worktree"]);
        },
        &["unconfigure"],
        "but git still calls it",
        "git credential-hf unconfigure --file .git/config.worktree",
    ),
];
