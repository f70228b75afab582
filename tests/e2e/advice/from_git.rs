//! What a person is told while git waits for a token.

use super::{Row, row};
use crate::support::hub::Right::Write;
use crate::support::hub::api::{account, fine_grained};
use crate::support::modes::set_mode;
use crate::support::user::{CONFIG, now};
use serde_json::json;

const FETCH: &[&str] = &["git", "fetch"];
const PUSH: &[&str] = &["git", "push", "--dry-run"];
const GPT2: &[&str] = &["git", "ls-remote", "https://huggingface.co/gpt2"];
const LOGIN: &str = "git credential-hf login NAME --for acme";
const AGAIN: &str = "git credential-hf login work";

pub const ROWS: &[Row] = &[
    row(
        |desk| desk.forget_everything(),
        FETCH,
        "no token for acme/x",
        LOGIN,
    ),
    row(
        |desk| {
            desk.forget_everything();
            desk.hub.add_repo("gpt2", true);
        },
        GPT2,
        "no token for gpt2",
        "git credential-hf login NAME --default",
    ),
    row(
        |desk| {
            desk.hub.revoke("work");
            desk.says(FETCH);
        },
        FETCH,
        "was rejected by",
        AGAIN,
    ),
    row(
        |desk| desk.wrongly_rejected(),
        FETCH,
        "was rejected by",
        "git credential-hf check acme/x",
    ),
    row(
        |desk| desk.state("expires", now() + 86_400),
        FETCH,
        "expires in",
        AGAIN,
    ),
    row(
        |desk| desk.username(&desk.hub.unknown_token()),
        FETCH,
        "the username that git sends is an access token",
        "git credential-hf login NAME",
    )
    .by_hand(|desk| desk.username("work")),
    row(
        |desk| desk.wrongly_known(fine_grained(&[("org", "acme", &["repo.content.read"])])),
        PUSH,
        "it has no scope to write to acme/x",
        "git credential-hf check acme/x --push",
    )
    .by_hand(|desk| {
        let writes = &["repo.content.read", "repo.write"];
        desk.whoami
            .says("narrow", fine_grained(&[("org", "acme", writes)]));
    }),
    row(
        |desk| desk.wrongly_known(account("read")),
        PUSH,
        "its role is `read`",
        LOGIN,
    ),
    row(
        |desk| {
            desk.forget_everything();
            desk.oauth().expires_in(1);
            desk.run(&["login", "me", "--web", "--storage", "file", "--for", "acme"]);
            desk.hub.revoke("oauth 1");
            let gone = json!({ "error": "invalid_grant" });
            desk.oauth().fails_with(Some((400, gone)));
        },
        FETCH,
        "cannot be renewed",
        "git credential-hf login me --web",
    )
    .by_hand(|desk| desk.oauth().expires_in(28_800)),
    row(
        |desk| {
            let tokens = desk
                .machine
                .home()
                .join(".local/share/git-credential-hf/tokens");
            set_mode(tokens, 0o755);
        },
        FETCH,
        "has mode 0755",
        "chmod 700 ~/.local/share/git-credential-hf/tokens",
    ),
    row(
        |desk| {
            desk.forget_everything();
            desk.machine.write(CONFIG, "");
            let typed = desk.token("typed", &[("acme", Write)], account("write"));
            desk.machine.answer_prompts_with(&typed);
        },
        FETCH,
        "was not saved",
        "git credential-hf login NAME --storage file",
    ),
];
