//! What is claimed where something is in the way, as a person types it and reads it: transcripts
//! below `transcripts/`, which `UPDATE_SNAPSHOTS=1` writes anew.

use super::desk::Desk;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{account, fine_grained};
use crate::support::modes::set_mode;
use crate::support::pool;
use crate::support::snapshot::{expect, tidy};
use crate::support::user::{CONFIG, STATE};

const DEAD_END: &str = "http://127.0.0.1:1";

/// What a session is called, what is in the way, and what is typed.
type Session = (&'static str, fn(&Desk), &'static [&'static str]);

const SESSIONS: &[Session] = &[
    (
        "login-before-configure",
        Desk::unconfigure,
        &[
            "git credential-hf login new --with-token --for acme < new",
            "git credential-hf status",
            "git credential-hf configure",
            "git credential-hf status",
        ],
    ),
    (
        "login-where-hf-token-is-set",
        |desk| {
            desk.forget_everything();
            desk.machine.env("HF_TOKEN", desk.hub.value_of("work"));
        },
        &[
            "git credential-hf login new --with-token < new",
            "git credential-hf login new --with-token --default < new",
            "git credential-hf use new --for acme",
            "git credential-hf explain",
        ],
    ),
    (
        "login-for-what-the-scopes-do-not-reach",
        |desk| {
            let reads = &["repo.content.read"];
            let scopes = fine_grained(&[("model", "acme/secret-model", reads)]);
            desk.whoami.says("new", scopes);
        },
        &[
            "git credential-hf login narrow --with-token --for acme/secrt-model < new",
            "git credential-hf use narrow --for acme/secret-model",
        ],
    ),
    (
        "login-to-another-hub",
        |desk| desk.machine.env("HF_ENDPOINT", "https://hub.corp.example"),
        &[
            "git credential-hf explain acme/x",
            "git credential-hf login corp --with-token --no-verify --storage file < new",
            "git credential-hf configure",
            "git credential-hf use corp --for acme",
            "git credential-hf explain acme/x",
        ],
    ),
    (
        "rejected",
        |desk| {
            desk.hub.revoke("work");
            desk.says(&["git", "fetch"]);
        },
        &[
            "git fetch",
            "git credential-hf explain",
            "git credential-hf token",
            "git credential-hf status",
            "git credential-hf check",
        ],
    ),
    (
        "rejected-and-the-state-cannot-be-written",
        |desk| {
            desk.hub.revoke("work");
            desk.forget_everything();
            desk.machine.env("HF_TOKEN", desk.hub.value_of("work"));
            // Nobody can write there, root neither.
            desk.machine
                .env("GIT_CREDENTIAL_HF_HOME", "/proc/git-credential-hf");
        },
        &["git fetch", "git credential-hf check"],
    ),
    (
        "the-keyring-is-gone",
        |desk| desk.state("storage", "keyring"),
        &[
            "git fetch",
            "git credential-hf check",
            "git credential-hf explain",
        ],
    ),
    (
        "the-network-is-gone",
        |desk| {
            for key in ["HTTPS_PROXY", "https_proxy"] {
                desk.machine.env(key, DEAD_END);
            }
        },
        &[
            "git credential-hf check",
            "git credential-hf login new --with-token < new",
        ],
    ),
    (
        "another-username",
        |desk| desk.git(&["config", "--global", "credential.username", "nobody"]),
        &[
            "git fetch",
            "git credential-hf check",
            "git credential-hf explain",
            "git credential-hf token",
            "git credential-hf run -- true",
        ],
    ),
    (
        "not-called",
        |desk| desk.git(&["config", "credential.helper", ""]),
        &[
            "git credential-hf check",
            "git credential-hf explain",
            "git credential-hf token > /dev/null",
            "git credential-hf run -- true",
            "git credential-hf configure",
            "git credential-hf status",
        ],
    ),
    (
        "not-verified",
        |desk| {
            desk.machine.env("HF_TOKEN", desk.hub.value_of("reader"));
            desk.hf_token();
        },
        &[
            "git credential-hf list",
            "git credential-hf status",
            "git credential-hf refresh",
            "git credential-hf list",
        ],
    ),
    (
        "a-bare-name",
        |_| (),
        &[
            "git credential-hf explain acme",
            "git credential-hf use work --for hf.co/acme",
        ],
    ),
    (
        "nothing-is-removed-without-a-yes",
        |_| (),
        &[
            "git credential-hf logout --all",
            "git credential-hf logout work --revoke",
        ],
    ),
    (
        "values-that-are-not-tokens",
        |desk| {
            let token = desk.hub.value_of("new");
            desk.machine.env("QUOTED", format!("\"{token}\""));
            desk.machine.env("BEARER", format!("Bearer {token}"));
            desk.machine.env("MARKED", format!("\u{feff}{token}"));
            desk.forget_everything();
        },
        &[
            "HF_TOKEN=\"$QUOTED\" git credential-hf status",
            "HF_TOKEN=\"$BEARER\" git credential-hf status",
            "HF_TOKEN=\"$MARKED\" git credential-hf status",
            "HF_TOKEN='${HF_TOKEN}' git credential-hf status",
            "HF_TOKEN=None git credential-hf status",
            "HF_TOKEN=\"$QUOTED\" git fetch",
        ],
    ),
    (
        "a-broken-gitconfig",
        |desk| desk.machine.write(".gitconfig", "[user\n"),
        &["git-credential-hf status", "git-credential-hf configure"],
    ),
    (
        "others-can-write-to-the-state",
        |desk| {
            let state = desk.machine.home().join(STATE);
            set_mode(state, 0o666);
        },
        &["git credential-hf explain", "git credential-hf list"],
    ),
    (
        "a-mirror",
        |desk| {
            desk.forget_everything();
            desk.machine.env("HF_TOKEN", desk.hub.value_of("new"));
            desk.machine.env("HF_ENDPOINT", "https://mirror.example");
        },
        &[
            "git credential-hf token https://huggingface.co/acme/x",
            "git fetch",
        ],
    ),
    (
        "an-endpoint-with-a-path",
        |desk| desk.machine.env("HF_ENDPOINT", "https://proxy.example/hf"),
        &[
            "git credential-hf explain https://huggingface.co/acme/x",
            "git credential-hf explain acme/x",
            "git credential-hf use work --for https://huggingface.co/acme",
            "git credential-hf status",
        ],
    ),
    (
        "a-name-that-only-the-hf-cli-has",
        |desk| {
            desk.hf_token();
            desk.machine.write(CONFIG, "[rules]\nacme = \"acme\"\n");
        },
        &[
            "git credential-hf use acme --for acme",
            "git credential-hf explain",
            "git fetch",
        ],
    ),
    (
        "a-token-in-the-url-and-no-storage",
        |desk| {
            desk.forget_everything();
            desk.machine.write(CONFIG, "");
            desk.token("in the url", &[("acme", Write)], account("write"));
            desk.machine
                .env("URL_TOKEN", desk.hub.value_of("in the url"));
        },
        &["git ls-remote --quiet \"https://u:$URL_TOKEN@huggingface.co/acme/x\" > /dev/null"],
    ),
];

/// Types each command in the clone, and writes down what it shows.
fn transcript((_, set, commands): &Session) -> String {
    let desk = Desk::new();
    set(&desk);
    desk.machine.write("x/new", desk.hub.value_of("new"));
    let mut text = String::new();
    for command in *commands {
        let line = format!("{{ {command}; }} 2>&1");
        let run = desk.machine.command("sh", ["-c", &line]).dir("x");
        let output = run.may_print_secret().run();
        text.push_str(&format!("$ {command}\n{}", output.stdout));
        if output.code != 0 {
            text.push_str(&format!("[exit {}]\n", output.code));
        }
    }
    let program = desk.machine.bin();
    let home = desk.machine.home();
    for (path, name) in [(program, "BIN"), (home, "~")] {
        text = text.replace(path.to_str().expect("a UTF-8 path"), name);
    }
    for (label, secret) in desk.hub.secrets()() {
        assert!(!text.contains(&secret), "{label} is shown: {text}");
    }
    tidy(&text)
}

#[test]
fn what_is_claimed_is_so() {
    pool::each(SESSIONS, |session| {
        expect("advice/transcripts", session.0, &transcript(session));
    });
}
