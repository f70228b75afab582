//! Configurations, and what `check` says of each.

use super::desk::Desk;

pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) push: bool,
    pub(super) set: fn(&Desk),
    /// Words of the verdict.
    pub(super) says: &'static [&'static str],
    pub(super) then: Then,
}

/// What comes after a verdict.
#[derive(PartialEq)]
pub(super) enum Then {
    /// Nothing: it works, or the help is for the Hub's pages.
    Done,
    /// What the help says makes it work.
    Helped,
    /// It is not known.
    Open,
}
use Then::{Done, Helped, Open};

pub(super) const fn row(
    what: &'static str,
    set: fn(&Desk),
    says: &'static [&'static str],
    then: Then,
) -> Row {
    Row {
        what,
        push: false,
        set,
        says,
        then,
    }
}

pub(super) const fn push(row: Row) -> Row {
    Row { push: true, ..row }
}

pub(super) const ROWS: &[Row] = &[
    row(
        "a rule",
        |_| (),
        &["ok: fetch from acme/x works with token `work`"],
        Done,
    ),
    push(row(
        "a rule",
        |_| (),
        &["ok: push to acme/x works with token `work`"],
        Done,
    )),
    push(row(
        "a token that may only read",
        |desk| drop(desk.machine.helper(["use", "reader", "--for", "acme"]).ok()),
        &["no: push to acme/x fails with token `reader`"],
        Done,
    )),
    row(
        "not configured",
        |desk| drop(desk.machine.helper(["unconfigure"]).ok()),
        &["git does not call this helper for https://huggingface.co\n"],
        Helped,
    ),
    row(
        "a reset in the repository",
        |desk| desk.local("credential.helper", ""),
        &["https://huggingface.co/acme/x: the empty `credential.helper` (.git/config, line "],
        Helped,
    ),
    row(
        "a reset for the namespace",
        |desk| desk.local("credential.https://huggingface.co/acme.helper", ""),
        &["(.git/config, line ", "cancels it"],
        Helped,
    ),
    row(
        "a reset for another namespace",
        |desk| desk.local("credential.https://huggingface.co/umbrella.helper", ""),
        &["ok: fetch from acme/x works with token `work`"],
        Done,
    ),
    push(row(
        "a reset further down",
        |desk| desk.below("[credential]\n\thelper =\n"),
        &["home/.gitconfig, line "],
        Helped,
    )),
    row(
        "a reset in an included file",
        |desk| {
            desk.machine.write("more", "[credential]\n\thelper =\n");
            desk.below("[include]\n\tpath = more\n");
        },
        &["home/more, line 2)"],
        Helped,
    ),
    row(
        "a reset in a variable",
        |desk| {
            desk.machine.env("GIT_CONFIG_COUNT", "1");
            desk.machine.env("GIT_CONFIG_KEY_0", "credential.helper");
            desk.machine.env("GIT_CONFIG_VALUE_0", "");
        },
        &["the empty `credential.helper` (GIT_CONFIG_KEY_0)"],
        Helped,
    ),
    row(
        "another helper with a good token",
        |desk| desk.store_has(&desk.other()),
        &["ok: fetch from acme/x works with another login: the helper `store` (.git/config, line "],
        Done,
    ),
    row(
        "another helper with a bad token",
        |desk| desk.store_has(&desk.hub.unknown_token()),
        &["git uses another login, which does not work: the helper `store`"],
        Helped,
    ),
    row(
        "a username that nobody has",
        |desk| desk.config("credential.username", "nobody"),
        &[
            "note: git asks with the username `nobody` (credential.username, ",
            "the username that git's configuration gives matches no stored token",
        ],
        Helped,
    ),
    push(row(
        "a username that is another token's name",
        |desk| desk.config("credential.https://huggingface.co/acme.username", "reader"),
        &[
            "no: push to acme/x fails with token `reader` (hf_",
            "), chosen because the username names it",
        ],
        Done,
    )),
    row(
        "a username for another host",
        |desk| desk.config("credential.https://github.com.username", "nobody"),
        &["ok: fetch from acme/x works with token `work`"],
        Done,
    ),
    push(row(
        "a header with a good token",
        |desk| {
            let header = format!("Authorization: Bearer {}", desk.other());
            desk.config("http.extraHeader", &header);
        },
        &["ok: push to acme/x works with another login: `http.extraheader` ("],
        Done,
    )),
    row(
        "a header with a bad token",
        |desk| {
            let header = format!("Authorization: Bearer {}", desk.hub.unknown_token());
            desk.config("http.https://huggingface.co.extraHeader", &header);
        },
        &["`http.https://huggingface.co.extraheader` ("],
        Helped,
    ),
    push(row(
        "a login in ~/.netrc",
        |desk| {
            let line = format!("machine huggingface.co login u password {}\n", desk.other());
            desk.machine.write(".netrc", line);
        },
        &["ok: push to acme/x works with a login from elsewhere, such as ~/.netrc"],
        Done,
    )),
    row(
        "a good login in the URL",
        |desk| {
            let url = format!("https://u:{}@huggingface.co/acme/x", desk.other());
            desk.git(&["remote", "set-url", "origin", &url]);
        },
        &["ok: fetch from acme/x works with another login: the one in the URL"],
        Done,
    ),
    row(
        "a bad login in the URL",
        |desk| {
            let url = format!(
                "https://u:{}@huggingface.co/acme/x",
                desk.hub.unknown_token()
            );
            desk.git(&["remote", "set-url", "origin", &url]);
        },
        &["git uses another login, which does not work: the one in the URL"],
        Helped,
    ),
    row(
        "a dead token, and another in the environment",
        |desk| {
            desk.hub.revoke("work");
            desk.machine.env("HF_TOKEN", desk.other());
        },
        &[
            "ok: fetch from acme/x works with HF_TOKEN (hf_",
            "huggingface.co does not accept token `work`",
        ],
        Done,
    ),
    row(
        "a dead token",
        |desk| desk.hub.revoke("work"),
        &["the Hub does not accept the token"],
        Done,
    ),
    row(
        "no token",
        |desk| drop(desk.machine.helper(["logout", "--all", "--yes"]).ok()),
        &["no: fetch from acme/x fails with no token\n"],
        Done,
    ),
    row(
        "a proxy that is not there",
        |desk| desk.config("http.proxy", "http://u:p@127.0.0.1:1"),
        &[
            "not known: fetch from acme/x could not be tried\n",
            "requests go through the proxy http://127.0.0.1:1 (`http.proxy`, ",
        ],
        Open,
    ),
    row(
        "a proxy for the Hub alone",
        |desk| {
            for name in ["HTTPS_PROXY", "https_proxy", "http_proxy"] {
                desk.machine.unset(name);
            }
            desk.config("http.proxy", "http://127.0.0.1:1");
            desk.config("http.https://huggingface.co.proxy", &desk.hub.proxy_url());
            desk.hub.revoke("work");
        },
        &["the Hub does not accept the token"],
        Done,
    ),
];
