//! Hosts that look like the Hub, and ways that lead from the Hub elsewhere: no token goes along.

mod names;

use crate::hub::common::json;
use crate::support::attacks::{Attacks, all_kept};
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Response, TokenSeen};
use crate::support::machine::{Machine, with_each_git, with_each_git_before};
use crate::support::user::{CONFIG, TYPED};
use names::{HOSTS, SCHEMES};

const X: &str = "https://huggingface.co/acme/x";
const EVIL: &str = "evil.example";
const HUB: &str = "huggingface.co";

/// A machine that has a token by every way there is: by rule, as the default, kept by git, in
/// the environment, from a command, from the hf CLI; and one for another Hub.
fn laden(hub: &Hub) -> Machine {
    let machine = Machine::new(hub);
    let token = |label| hub.add_token(label, &[("acme", Write)]);
    machine.login("work", &token("work"), &["--for", "acme", "--default"]);
    let corp = ["--for", "https://hub.corp.example/acme"];
    machine.login("corp", &token("corp"), &corp);
    let typed = token("typed");
    let approved = format!("protocol=https\nhost=huggingface.co\nusername=me\npassword={typed}\n");
    machine.store_typed(approved).ok();
    machine.env("HF_TOKEN", token("env"));
    machine.env("HUGGING_FACE_HUB_TOKEN", token("old env"));
    let stored = format!("[laptop]\nhf_token = {}\n", token("hf named"));
    machine.write(".cache/huggingface/stored_tokens", stored);
    machine.write(".cache/huggingface/token", token("hf active"));
    let config = machine.read(CONFIG);
    let printed = token("command");
    machine.write("printed", &printed);
    let commands = "\n[commands]\nvault = [\"cat\", \"printed\"]\n";
    machine.write(CONFIG, format!("{config}{commands}"));
    machine
}

#[test]
fn a_host_that_is_not_the_hub_is_another_helpers_for_every_action() {
    let hub = Hub::start();
    let machine = laden(&hub);
    let mut attacks = Attacks::new();
    let kept = all_kept(&machine);
    let answers = |request: &str| machine.ask("get", request).ok().value("password").is_some();
    let hosts = HOSTS.iter().map(|host| ("https", *host));
    let schemes = SCHEMES.iter().map(|scheme| (*scheme, HUB));
    let plain = [
        "hf.co",
        "hub.corp.example",
        "huggingface.co:443",
        "HuggingFace.co.",
    ];
    let downgrades = plain.map(|host| ("http", host));
    for (scheme, host) in hosts.chain(schemes).chain(downgrades) {
        for path in ["", "path=acme/x\n"] {
            let place = format!("protocol={scheme}\nhost={host}\n{path}");
            let get = machine.ask("get", &place);
            let silent = (get.code, get.stdout.as_str(), get.stderr.as_str()) == (0, "", "");
            attacks.tried(format!("get {place:?}"), !silent);
        }
        // Nobody there can have a token kept, dropped or held against.
        let place = format!("protocol={scheme}\nhost={host}\npath=acme/x\n");
        let theirs = hub.unknown_token();
        let scope = format!("{place}username=me\npassword={theirs}\n");
        for (action, request) in [
            ("store", format!("{TYPED}{scope}")),
            ("store", scope.clone()),
            ("erase", scope),
            ("erase", place),
        ] {
            machine.ask(action, &request).silent();
            let changed = all_kept(&machine) != kept;
            attacks.tried(format!("{action} {request:?}"), changed);
        }
    }
    // And all of that is not because it answers nobody.
    for host in [
        "huggingface.co",
        "HuggingFace.co",
        "huggingface.co.",
        "huggingface.co:443",
        "hf.co",
    ] {
        assert!(
            answers(&format!("protocol=https\nhost={host}\npath=acme/x\n")),
            "{host}"
        );
    }
    attacks.end();
}

/// A request that is cut short, or in which a host is named where none belongs.
#[test]
fn a_host_named_in_another_field_is_no_host() {
    let hub = Hub::start();
    let machine = laden(&hub);
    let mut attacks = Attacks::new();
    for request in [
        "",
        "\n",
        "protocol=https\n",
        "host=huggingface.co\n",
        "path=acme/x\n",
        "protocol=https\npath=huggingface.co/acme/x\n",
        "protocol=https\nhost=evil.example\npath=https://huggingface.co/acme/x\n",
        "protocol=https\nhost=evil.example\nusername=https://huggingface.co\n",
        "protocol=https\nhost=evil.example\nurl=https://huggingface.co/acme/x\n",
        "url=https://huggingface.co/acme/x\n",
        "protocol=https\nhost=evil.example\nwwwauth[]=host=huggingface.co\n",
        "protocol=https\nhost=evil.example\nwwwauth[]=Basic realm=\"huggingface.co\"\n",
        "protocol=https\nhost=evil.example\nwwwauth[]=protocol=https\nwwwauth[]=host=huggingface.co\n",
        "protocol=https\nhost=evil.example\nstate[]=host=huggingface.co\n",
        "protocol=https\nhost=evil.example\ncapability[]=host=huggingface.co\n",
        "protocol=https\nhost=evil.example\nHost=huggingface.co\n",
        "protocol=https\nhost=evil.example\nHOST=huggingface.co\n",
        "protocol=https\nhost=evil.example\n host=huggingface.co\n",
        "protocol=https\nhost=evil.example\nhost =huggingface.co\n",
        "protocol=https\nhost=evil.example\nhost[]=huggingface.co\n",
        "protocol=https\nhost=evil.example\n\nhost=huggingface.co\n",
        "protocol=https\nhost=evil.example\r\n\r\nhost=huggingface.co\r\n",
        "protocol=https\nhost=huggingface.co\nhost=evil.example\n",
        "protocol=https\nhost=huggingface.co\nhost=\n",
        "protocol=https\nprotocol=http\nhost=huggingface.co\n",
        "protocol=https\nhost=huggingface.co\nprotocol=\n",
    ] {
        let answer = machine.ask("get", request);
        attacks.tried(format!("{request:?}"), !answer.stdout.is_empty());
    }
    attacks.end();
}

#[test]
fn another_hub_gets_its_own_token_and_no_other() {
    let hub = Hub::start();
    let machine = laden(&hub);
    let mut attacks = Attacks::new();
    let others: Vec<String> = hub.secrets()()
        .into_iter()
        .filter(|(label, _)| label != "corp")
        .map(|(_, secret)| secret)
        .collect();
    for more in [
        "",
        "path=acme/x\n",
        "path=datasets/acme/x\n",
        "path=else/x\n",
        "path=acme/x\nusername=work\n",
        "path=acme/x\nusername=vault\n",
        "path=acme/x\nusername=me\n",
        "path=huggingface.co/acme/x\n",
        "path=https://huggingface.co/acme/x\n",
        "path=acme/x\nwwwauth[]=Basic realm=\"huggingface.co\"\n",
    ] {
        let request = format!("protocol=https\nhost=hub.corp.example\n{more}");
        for name in ["", "work", "vault"] {
            let get = machine.helper(["get"]).stdin(&request).may_print_secret();
            let get = get.env("GIT_CREDENTIAL_HF_TOKEN_NAME", name).run();
            let leak = others.iter().any(|secret| get.stdout.contains(secret));
            attacks.tried(format!("{more:?} {name:?}"), leak);
        }
    }
    // And the public Hub none of the other's.
    for more in ["path=acme/x\nusername=corp\n", "username=corp\n"] {
        let request = format!("protocol=https\nhost=huggingface.co\n{more}");
        let corp = machine
            .ask("get", &request)
            .value("password")
            .map(str::to_owned);
        let known = hub.secrets()();
        let is_corp = known
            .iter()
            .any(|(l, s)| l == "corp" && Some(s) == corp.as_ref());
        attacks.tried(format!("{more:?}"), is_corp);
    }
    attacks.end();
}

/// A token for everything, by rule, by default and by variable.
pub fn token_for_everything(hub: &Hub, machine: &Machine) {
    hub.add_repo("acme/x", true);
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme", "--default"]);
    machine.env("HF_TOKEN", &token);
    machine.configure();
    // Even where somebody calls the helper for every host.
    for key in ["credential.helper=hf", "credential.useHttpPath=true"] {
        let (key, value) = key.split_once('=').expect("a value");
        machine
            .git(["config", "--global", "--add", key, value])
            .ok();
    }
}

#[test]
fn git_takes_no_token_to_a_host_that_looks_like_the_hub() {
    let more = [
        "huggingface.com",
        "hf.com",
        "evilhuggingface.co",
        "huggingface.co-evil.example",
        "huggingface.co.huggingface.co",
        "xn--huggingfce-8ig.co",
        "::1",
    ];
    let mut attacks = Attacks::new();
    with_each_git_before(
        || Hub::start_with_hosts(&more),
        token_for_everything,
        |hub, machine| {
            for (url, asked) in [
                ("https://evil.example/acme/x", EVIL),
                (
                    "https://huggingface.co.evil.example/acme/x",
                    "huggingface.co.evil.example",
                ),
                (
                    "https://cdn-lfs.huggingface.co/acme/x",
                    "cdn-lfs.huggingface.co",
                ),
                ("https://www.huggingface.co/acme/x", "www.huggingface.co"),
                ("https://evil.hf.co/acme/x", "evil.hf.co"),
                ("https://huggingface.com/acme/x", "huggingface.com"),
                ("https://hf.com/acme/x", "hf.com"),
                ("https://evilhuggingface.co/acme/x", "evilhuggingface.co"),
                (
                    "https://huggingface.co-evil.example/acme/x",
                    "huggingface.co-evil.example",
                ),
                (
                    "https://huggingface.co.huggingface.co/acme/x",
                    "huggingface.co.huggingface.co",
                ),
                (
                    "https://xn--huggingfce-8ig.co/acme/x",
                    "xn--huggingfce-8ig.co",
                ),
                ("https://127.0.0.1/acme/x", "127.0.0.1"),
                ("https://huggingface.co:8443/acme/x", "huggingface.co:8443"),
                ("https://huggingface.co:80/acme/x", "huggingface.co:80"),
                ("https://hf.co:8443/acme/x", "hf.co:8443"),
                ("https://huggingface.co@evil.example/acme/x", EVIL),
                ("https://huggingface.co:443@evil.example/acme/x", EVIL),
                ("https://work@evil.example/acme/x", EVIL),
                ("https://huggingface.co%2f@evil.example/acme/x", EVIL),
                (
                    "https://huggingface.co%3a443%2facme%2fx@evil.example/acme/x",
                    EVIL,
                ),
                ("https://evil.example/https://huggingface.co/acme/x", EVIL),
                ("https://evil.example/huggingface.co/acme/x", EVIL),
                ("https://evil.example/acme/x?host=huggingface.co", EVIL),
                ("https://evil.example/acme/x#@huggingface.co/", EVIL),
                ("http://huggingface.co/acme/x", HUB),
                ("http://huggingface.co:443/acme/x", "huggingface.co:443"),
                (
                    "http://huggingface.co.evil.example/acme/x",
                    "huggingface.co.evil.example",
                ),
                // What git or curl does not take is one attack more that got nothing.
                ("https://huggingface.co%00.evil.example/acme/x", ""),
                ("https://huggingface.co%0a.evil.example/acme/x", ""),
                ("https://evil.example%0ahost=huggingface.co/acme/x", ""),
                ("https://evil.example/acme/x%0ahost=huggingface.co", ""),
                ("https://evil.example/%0ahost=huggingface.co%0a/acme/x", ""),
                ("https://x%0ahost=huggingface.co@evil.example/acme/x", ""),
                ("https://evil.example%0d%0ahost=huggingface.co/acme/x", ""),
                ("https://evil.example/acme/x%0dhost=huggingface.co", ""),
                ("https://evil.example%0dhost=huggingface.co/acme/x", ""),
                ("https://huggingface%2eco/acme/x", ""),
                ("https://huggingface.co\\@evil.example/acme/x", ""),
                ("https://huggingf\u{430}ce.co/acme/x", ""),
                ("https://huggingface\u{3002}co.evil.example/acme/x", ""),
                ("https://[::1]/acme/x", ""),
                ("https://[::1]:443@huggingface.co.evil.example/acme/x", ""),
                ("https://huggingface.co.:8443/acme/x", ""),
                ("HTTPS://evil.example/acme/x", ""),
            ] {
                let said = machine.git(["ls-remote", url]).run();
                let failed = if asked.is_empty() { said } else { said.fails() };
                let heard = hub.log().iter().any(|entry| entry.host == asked);
                assert!(
                    asked.is_empty() || heard,
                    "{url} was not asked for: {failed}"
                );
                assert!(
                    !asked.contains("evil") || failed.helper_lines().is_empty(),
                    "{failed}"
                );
                attacks.tried_on(hub, &[], url);
            }
            machine.git(["ls-remote", X]).ok();
            assert_eq!(hub.tokens_seen("/"), ["work"]);
        },
    );
    attacks.end();
}

/// Where a redirect may lead that must not take a token along.
const ELSEWHERE: [&str; 9] = [
    "https://evil.example/acme/x",
    "https://huggingface.co.evil.example/acme/x",
    "https://www.huggingface.co/acme/x",
    "https://huggingface.co:8443/acme/x",
    "https://huggingface.co@evil.example/acme/x",
    "https://hub.corp.example/acme/x",
    "http://huggingface.co/acme/x",
    "http://evil.example/acme/x",
    "//evil.example/acme/x",
];

#[test]
fn git_takes_no_token_along_a_redirect_away_from_the_hub() {
    let mut attacks = Attacks::new();
    with_each_git(token_for_everything, |hub, machine| {
        for to in ELSEWHERE {
            for status in [301, 302, 303, 307, 308] {
                // At once, and only for those who have shown a token.
                for late in [false, true] {
                    let target = format!("{to}/info/refs?service=git-upload-pack");
                    hub.route("GET", HUB, "/acme/moved/info/refs", move |request| {
                        if late && request.token == TokenSeen::None {
                            return Response::text(401, "who is there")
                                .header("WWW-Authenticate", "Basic realm=\"Hub\"");
                        }
                        Response::redirect(status, &target)
                    });
                    machine
                        .git(["ls-remote", "https://huggingface.co/acme/moved"])
                        .fails();
                    let asked = hub.log().iter().any(|entry| entry.status == status);
                    assert!(asked, "{status} to {to} was not met");
                    attacks.tried_on(hub, &[], format!("{status} to {to}, late: {late}"));
                    // What the host there said about the token was held against it.
                    machine.forgive();
                }
            }
        }
        // One that stays on the Hub is followed, and the rule of where it leads counts.
        hub.redirect("huggingface.co/old/x", X);
        machine
            .git(["ls-remote", "https://huggingface.co/old/x"])
            .ok();
        assert_eq!(hub.tokens_seen("/"), ["work"]);
    });
    attacks.end();
}

/// The helper's own requests: asking about a token, renewing it, ending it.
#[test]
fn the_helper_takes_no_token_along_a_redirect_away_from_the_hub() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme"]);
    machine.configure();
    let mut attacks = Attacks::new();
    for to in ELSEWHERE {
        for status in [301, 302, 303, 307, 308] {
            for (method, path, command) in [
                ("GET", "/api/whoami-v2", ["refresh", "work"].as_slice()),
                ("GET", "/acme/x.git/info/refs", &["check", "acme/x"]),
                (
                    "GET",
                    "/acme/x.git/info/refs",
                    &["check", "acme/x", "--push"],
                ),
                (
                    "POST",
                    "/api/credentials/revoke",
                    &["logout", "work", "--revoke", "--yes"],
                ),
                ("POST", "/oauth/device", &["login", "new", "--web"]),
            ] {
                hub.route(method, HUB, path, move |_| Response::redirect(status, to));
                machine.helper(command).fails();
                let went = hub
                    .log()
                    .iter()
                    .any(|entry| entry.host != HUB || entry.scheme != "https");
                assert!(!went, "{status} to {to} was followed");
                attacks.tried_on(&hub, &[], format!("{status} to {to}: {command:?}"));
            }
        }
    }
    assert!(json(&machine.helper(["list", "--json"]).ok())["tokens"][0]["name"] == "work");
    attacks.end();
}
