//! `login`: whose token it is, what it may do where, and where it is kept; in the Hub's own wire
//! format, with the words that a user sees.

use crate::hub::common::{
    asked, get, json, label, login, names, only_the_storage_holds_secrets, seen,
};
use crate::support::hub::Right::Write;
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::hub::{Hub, TokenSeen};
use crate::support::machine::Machine;
use crate::support::user::DATA;
use serde_json::{Value, json as value};

const WHOAMI: &str = "/api/whoami-v2";
const KEPT: &str = "stored `work` (hf_…LAST) for https://huggingface.co in a file (readable by you only, not encrypted)\n";

/// Logs in as `work` with a token of which the Hub says this, and returns what the user sees
/// after the first line.
fn told(answer: Value) -> String {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let token = hub.add_token("work", &[]);
    whoami.says("work", answer);
    machine.configure();
    let output = login(&machine, "work", &token).ok();
    let seen = seen(&machine, &output, &token);
    assert_eq!(names(&machine), ["work"]);
    only_the_storage_holds_secrets(&machine, 1);
    let log = hub.log();
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0].token, TokenSeen::Known("work".into()));
    let rest = seen.strip_prefix(KEPT);
    rest.unwrap_or_else(|| panic!("{seen}")).to_owned()
}

#[test]
fn read_and_write_tokens_show_account_role_and_organisations() {
    for role in ["read", "write"] {
        let expected = format!(
            "account alice, role {role}, organisations acme (write), umbrella (read)\n\
             git uses it for alice, acme, umbrella, unless a rule says otherwise\n\
             to write rules for that: git credential-hf use work --for alice --for acme --for umbrella\n"
        );
        assert_eq!(told(account(role)), expected);
    }
}

#[test]
fn a_fine_grained_token_shows_a_table_of_every_kind_of_entity() {
    let mut answer = fine_grained(&[
        ("model", "acme/x", &["repo.content.read"]),
        ("dataset", "acme/d", &["repo.write"]),
        ("space", "acme/s", &["repo.content.read", "repo.write"]),
        ("bucket", "acme/b", &["repo.write"]),
        ("kernel", "acme/k", &["repo.content.read"]),
        ("collection", "acme/c", &["collection.read"]),
        ("org", "acme", &["repo.access.read", "discussion.write"]),
        (
            "user",
            "alice",
            &[
                "inference.serverless.write",
                "inference.endpoints.infer.write",
                "inference.endpoints.write",
                "user.webhooks.read",
                "user.webhooks.write",
                "job.write",
            ],
        ),
        ("resource-group", "research", &["repo.content.read"]),
        ("oauth-app", "app", &[]),
    ]);
    let fine = &mut answer["auth"]["accessToken"]["fineGrained"];
    fine["canReadGatedRepos"] = true.into();
    fine["global"] = value!(["discussion.write", "post.write"]);
    let expected = "\
account alice, role fine-grained, organisations acme (write), umbrella (read)

WHERE                    WHAT IT MAY DO
model acme/x             read
dataset acme/d           read and write
space acme/s             read and write
bucket acme/b            read and write
kernel acme/k            read
collection acme/c        collection.read
org acme                 see access requests, discussions
user alice               inference, call inference endpoints, manage inference endpoints, see webhooks, manage webhooks, run jobs
resource-group research  read
oauth-app app            nothing
gated repos              read those whose terms this account has accepted
everywhere               discussions, post.write

git uses it for acme/x, datasets/acme/d, spaces/acme/s, kernels/acme/k, unless a rule says otherwise
to write rules for that: git credential-hf use work --for acme/x --for datasets/acme/d --for spaces/acme/s --for kernels/acme/k
";
    // Which pattern stands for a model is not the matter here.
    let told = told(answer).replace("models/acme/x", "acme/x");
    assert_eq!(told, expected);
}

#[test]
fn a_fine_grained_token_without_scopes_is_told_to_get_some() {
    let expected = "\
account alice, role fine-grained, organisations acme (write), umbrella (read)
it has no scopes, so it may not do anything yet: edit it at https://huggingface.co/settings/tokens
next, say where to use it: `git credential-hf use work --for NAMESPACE`, or `git credential-hf use work --default`
";
    assert_eq!(told(fine_grained(&[])), expected);
}

#[test]
fn what_the_hub_has_not_invented_yet_is_shown_as_it_is() {
    let answer = value!({
        "type": "robot",
        "id": 17,
        "name": "alice",
        "plan": { "name": "galaxy", "seats": [1, 2] },
        "orgs": [
            { "id": 1, "type": "guild", "name": "acme", "roleInOrg": "archmage", "since": null },
            { "id": 2, "type": "org" },
        ],
        "auth": {
            "type": "quantum",
            "expiresAt": "2199-01-31T12:00:00.000Z",
            "accessToken": { "displayName": "x", "role": "superWrite", "powers": { "a": [true] } },
        },
        "warnings": ["something new"],
    });
    let told_of_it = told(answer);
    let lines: Vec<&str> = told_of_it.lines().take(2).collect();
    let expected = [
        "account alice, role superWrite, organisations acme (archmage)",
        "expires on 2199-01-31",
    ];
    assert_eq!(lines, expected);
    let least = told(value!({ "name": "alice" }));
    assert!(least.starts_with("account alice\n"), "{least}");
}

#[test]
fn without_a_name_it_gets_the_one_it_has_on_the_hub() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    for (on_the_hub, here) in [
        (value!("laptop"), "laptop"),
        (value!("my own: token"), "my own- token"),
        (value!(" --yes "), "yes"),
        // Nothing of a name that could move a cursor or turn the text around is left.
        (
            value!("a\u{1b}]0;title\u{7}b\u{202e}c\nd\u{9b}2Je"),
            "a]0;titlebc d2Je",
        ),
        (Value::Null, "alice"),
    ] {
        let token = hub.add_token(here, &[]);
        let mut answer = account("write");
        answer["auth"]["accessToken"]["displayName"] = on_the_hub;
        whoami.says(here, answer);
        let output = machine
            .helper(["login", "--with-token", "--storage", "file"])
            .stdin(token)
            .ok();
        let first = format!("stored `{here}` (");
        assert!(output.stdout.starts_with(&first), "{output}");
        assert!(names(&machine).contains(&here.to_owned()));
    }
}

#[test]
fn names_from_the_hub_cannot_write_to_the_terminal() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let evil = "al\u{1b}[2Jice\u{9b}1A\u{202e}\r\u{7}\nx";
    let mut answer = fine_grained(&[("org", evil, &["repo.write", evil]), (evil, "acme/x", &[])]);
    answer["name"] = evil.into();
    answer["orgs"][0]["name"] = evil.into();
    answer["orgs"][0]["roleInOrg"] = evil.into();
    answer["auth"]["accessToken"]["fineGrained"]["global"] = value!([evil]);
    let token = hub.add_token("work", &[]);
    whoami.says("work", answer.clone());
    answer["auth"]["accessToken"]["role"] = evil.into();
    let other = hub.add_token("other", &[]);
    whoami.says("other", answer);
    hub.add_repo("acme/x", true);

    let commands: [&[&str]; 5] = [
        &["list"],
        &["explain", "acme/x"],
        &["refresh"],
        &["check", "acme/x"],
        &["logout", "--all", "--yes"],
    ];
    let mut outputs = vec![
        login(&machine, "work", &token).ok(),
        login(&machine, "other", &other).ok(),
        machine.helper(["use", "work", "--for", "acme/x"]).ok(),
    ];
    outputs.extend(commands.map(|command| machine.helper(command).run()));
    for output in outputs {
        let text = format!("{}{}", output.stdout, output.stderr);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
        assert!(!text.is_empty());
    }
}

#[test]
fn no_verify_asks_nobody() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.configure();
    let output = login(&machine, "work", &token).and(&["--no-verify"]).ok();
    let expected = format!(
        "{KEPT}next, say where to use it: `git credential-hf use work --for NAMESPACE`, \
         or `git credential-hf use work --default`\n"
    );
    assert_eq!(seen(&machine, &output, &token), expected);
    assert!(hub.log().is_empty(), "{:?}", hub.log());
    machine.helper(["use", "work", "--default"]).ok();
    assert_eq!(
        label(&hub, &get(&machine, "acme/x").ok()).as_deref(),
        Some("work")
    );
}

#[test]
fn json_says_the_same_to_programs() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let token = hub.add_token("work", &[]);
    whoami.says("work", fine_grained(&[("org", "acme", &["repo.write"])]));
    let more = ["--json", "--for", "acme", "--default"];
    let output = login(&machine, "work", &token).and(&more).ok();
    let told = json(&output);
    assert_eq!(told["name"], "work");
    assert_eq!(told["token"], format!("hf_…{}", &token[token.len() - 4..]));
    assert_eq!(told["endpoint"], "https://huggingface.co");
    assert_eq!(told["storage"], "file");
    let facts = &told["facts"];
    assert_eq!(facts["account"], "alice");
    assert_eq!(facts["role"], "fineGrained");
    assert_eq!(facts["display_name"], "laptop");
    assert_eq!(
        facts["scopes"],
        value!([{
            "kind": "org", "name": "acme", "id": "65c1", "permissions": ["repo.write"],
        }])
    );
    assert_eq!(output.stderr, "");
    let config = machine.read(".config/git-credential-hf/config.toml");
    assert!(
        config.contains("default = \"work\"") && config.contains("acme = \"work\""),
        "{config}"
    );
}

#[test]
fn logging_in_again_replaces_the_token_and_lifts_a_rejection() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let old = hub.add_token("old", &[("acme", Write)]);
    let new = hub.add_token("new", &[("acme", Write)]);
    whoami.says("old", account("read"));
    login(&machine, "work", &old).ok();
    let reject = || {
        let answer = get(&machine, "acme/x").ok();
        let password = answer.value("password").expect("a token");
        let erase =
            format!("protocol=https\nhost=huggingface.co\npath=acme/x\npassword={password}\n");
        machine.helper(["erase"]).stdin(erase).ok();
        let refused = get(&machine, "acme/x").run();
        assert_eq!(refused.stdout, "quit=1\n", "{refused}");
    };
    reject();
    // The same value again: it was verified, so nothing is held against it any more.
    login(&machine, "work", &old).ok();
    assert_eq!(
        label(&hub, &get(&machine, "acme/x").ok()).as_deref(),
        Some("old")
    );
    reject();
    login(&machine, "work", &new).ok();
    assert_eq!(
        label(&hub, &get(&machine, "acme/x").ok()).as_deref(),
        Some("new")
    );
    assert_eq!(machine.state()["tokens"]["work"]["facts"]["role"], "write");
    let files = machine.files_with_secrets();
    assert_eq!(files.len(), 1, "{files:?}");
    let kept = std::fs::read_to_string(&files[0]).expect("the storage's file");
    assert!(kept.contains(&new) && !kept.contains(&old));
    assert!(files[0].starts_with(machine.home().join(DATA)));
    assert_eq!(asked(&hub, WHOAMI), 3);
}

#[test]
fn a_trace_shows_every_request_and_no_token() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    WhoAmI::start(&hub);
    let trace = machine.home().join("trace");
    machine.env("GIT_CREDENTIAL_HF_TRACE", &trace);
    let token = hub.add_token("work", &[]);
    login(&machine, "work", &token).ok();
    get(&machine, "acme/x").ok();
    let text = machine.read("trace");
    for line in [
        "request: GET https://huggingface.co/api/whoami-v2",
        "candidate 1: token `work` (file, not encrypted): its account is a member of acme",
        &format!("hf_…{}", &token[token.len() - 4..]),
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    only_the_storage_holds_secrets(&machine, 1);
}
