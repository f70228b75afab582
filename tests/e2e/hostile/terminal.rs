//! Text from outside on the user's terminal: none of it moves the cursor, rings the bell, turns
//! text round or hides it, whichever command shows it and wherever it came from.

use crate::support::attacks::Attacks;
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::hub::{Hub, Response};
use crate::support::machine::{Machine, Output};
use crate::support::tools::need;
use crate::support::user::{CONFIG, STATE};
use serde_json::{Value, json};
use std::fs;

const HUB: &str = "huggingface.co";

/// What a terminal acts on or an eye is deceived by.
const ESCAPES: &[&str] = &[
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\u{1b}[8m",
    "\u{1b}[1A\u{1b}[2K",
    "\u{1b}P+q\u{1b}\\",
    "\u{9b}2J",
    "\u{9d}0;x\u{9c}",
    "\u{7}",
    "\u{8}\u{8}\u{8}",
    "\r",
    "\u{c}",
    "\u{7f}",
    "\u{85}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{200e}",
    "\u{61c}",
    "\u{200b}",
    "\u{2028}",
    "\u{feff}",
    "\u{e0041}",
];

fn hostile(escape: &str) -> String {
    format!("a{escape}b")
}

/// Whether a terminal would act on it. Nothing here is one, so our own colours are not there.
fn acts(text: &str) -> bool {
    let escapes = ESCAPES.iter().any(|escape| text.contains(escape));
    escapes || text.chars().any(|c| c != '\n' && c.is_control())
}

fn check(attacks: &mut Attacks, what: &str, output: &Output) {
    attacks.tried(
        format!("{what}: {output}"),
        acts(&output.stdout) || acts(&output.stderr),
    );
}

/// Every command that shows what is known.
const SHOWING: &[&[&str]] = &[
    &["status"],
    &["status", "--json"],
    &["list"],
    &["list", "--json"],
    &["explain", "acme/x"],
    &["explain", "acme/x", "--json"],
    &["check", "acme/x"],
    &["check", "acme/x", "--json"],
    &["check", "acme/x", "--push"],
    &["refresh"],
    &["refresh", "--json"],
];

#[test]
fn names_that_the_hub_tells_reach_the_terminal_without_escapes() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let token = hub.add_token("work", &[]);
    let mut attacks = Attacks::new();
    for escape in ESCAPES {
        let bad = hostile(escape);
        let mut answer = fine_grained(&[("org", "acme", &["repo.content.read"])]);
        answer["name"] = json!(bad);
        answer["type"] = json!(bad);
        answer["orgs"] = json!([{ "name": bad, "roleInOrg": bad }]);
        let access = &mut answer["auth"]["accessToken"];
        access["displayName"] = json!(bad);
        access["fineGrained"]["global"] = json!([bad]);
        access["fineGrained"]["scoped"]
            .as_array_mut()
            .expect("scopes")
            .push(
                json!({ "entity": { "_id": bad, "type": bad, "name": bad }, "permissions": [bad] }),
            );
        let mut role = account("write");
        role["auth"]["accessToken"]["role"] = json!(bad);
        for answer in [answer, role] {
            whoami.says("work", answer);
            for login in [
                ["login", "work", "--with-token", "--storage", "file"].as_slice(),
                &["login", "--with-token", "--storage", "file"],
                &[
                    "login",
                    "work",
                    "--with-token",
                    "--storage",
                    "file",
                    "--json",
                ],
            ] {
                let said = machine.helper(login).stdin(&token).run();
                check(&mut attacks, "login", &said);
            }
            for command in SHOWING {
                check(&mut attacks, "after login", &machine.helper(*command).run());
            }
            let request = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
            check(&mut attacks, "get", &machine.ask("get", request));
        }
        machine.helper(["logout", "--all", "--yes"]).ok();
    }
    attacks.end();
}

#[test]
fn errors_of_a_server_reach_the_terminal_without_escapes() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &["--default"]);
    let mut attacks = Attacks::new();
    for escape in ESCAPES {
        let bad = hostile(escape);
        let answers = [
            Response::json(403, &json!({ "error": bad })),
            Response::text(403, &bad),
            Response::text(500, &bad),
            Response::text(200, &bad),
            Response::json(200, &json!({ "name": [bad] })),
            Response::json(400, &json!({ "error": bad, "error_description": bad })),
        ];
        for answer in answers {
            let answer = std::sync::Arc::new(std::sync::Mutex::new(answer));
            for (method, path) in [
                ("GET", "/api/whoami-v2"),
                ("GET", "/acme/x.git/info/refs"),
                ("GET", "/acme/x/info/refs"),
                ("POST", "/api/credentials/revoke"),
                ("POST", "/oauth/device"),
                ("POST", "/oauth/token"),
            ] {
                let answer = std::sync::Arc::clone(&answer);
                hub.route(method, HUB, path, move |_| {
                    answer.lock().expect("it").clone()
                });
            }
            for command in [["check", "acme/x"].as_slice(), &["refresh", "--json"]] {
                check(&mut attacks, "server", &machine.helper(command).run());
            }
            let login = ["login", "new", "--with-token", "--storage", "file"];
            check(
                &mut attacks,
                "login",
                &machine.helper(login).stdin(&token).run(),
            );
        }
    }
    attacks.end();
}

/// The page and the code of a browser login, all at once: each poll waits for a second.
#[test]
fn the_page_of_a_browser_login_reaches_the_terminal_without_escapes() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let bad = hostile(&ESCAPES.concat());
    let answer = Response::json(
        200,
        &json!({ "device_code": "x", "user_code": bad, "verification_uri": bad,
                 "verification_uri_complete": bad, "interval": 1, "expires_in": 0 }),
    );
    hub.route("POST", HUB, "/oauth/device", move |_| answer.clone());
    let error = Response::json(400, &json!({ "error": bad, "error_description": bad }));
    hub.route("POST", HUB, "/oauth/token", move |_| error.clone());
    let mut attacks = Attacks::new();
    let web = ["login", "web", "--web", "--storage", "file"];
    check(&mut attacks, "login --web", &machine.helper(web).run());
    attacks.end();
}

/// A state file, a configuration and arguments that hold escapes: names that git kept for a URL
/// which a stranger wrote are in all three.
#[test]
fn what_lies_in_files_and_arguments_reaches_the_terminal_without_escapes() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[]);
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    let mut attacks = Attacks::new();
    for escape in ESCAPES.iter().filter(|escape| **escape != "\r") {
        let bad = hostile(escape);
        // As git's `store` keeps it for such a URL.
        let scope = format!(
            "protocol=https\nhost=huggingface.co\npath=acme/{bad}\nusername={bad}\npassword={token}\n"
        );
        check(&mut attacks, "store", &machine.store_typed(&scope));
        let names = machine.names();
        assert!(!names.is_empty(), "{bad:?} was not kept");
        attacks.tried(format!("{names:?}"), names.iter().any(|name| acts(name)));
        for command in SHOWING {
            check(&mut attacks, "kept by git", &machine.helper(*command).run());
        }
        for action in ["get", "erase"] {
            let said = machine.ask(action, &scope);
            attacks.tried(format!("{action}: {said}"), acts(&said.stderr));
        }
        check(
            &mut attacks,
            "logout",
            &machine.helper(["logout", "--all", "--yes"]).ok(),
        );

        // As another program may have left it.
        machine.login("work", &token, &["--for", "acme"]);
        let text = machine.state().to_string();
        let mut state: Value = serde_json::from_str(&text).expect("JSON");
        let work = state["tokens"]["work"].take();
        for field in ["account", "hint", "path"] {
            let mut token = work.clone();
            token[field] = json!(bad);
            state["tokens"][format!("{bad}-{field}")] = token;
        }
        state["tokens"]
            .as_object_mut()
            .expect("tokens")
            .remove("work");
        state["rejected"] = json!({});
        machine.write(STATE, state.to_string());
        for command in SHOWING {
            check(&mut attacks, "state", &machine.helper(*command).run());
        }
        let name = format!("{bad}-account");
        for command in [
            ["use", &name, "--for", "acme/x"].as_slice(),
            &["use", &name, "--default"],
            &["refresh", &name],
            &["unuse", &bad],
            &["explain", &bad],
            &[
                "explain",
                &format!("https://{bad}@huggingface.co/acme/{bad}"),
            ],
            &["check", &format!("https://huggingface.co/acme/{bad}")],
            &["token", &bad],
            &["run", "--for", "acme/x", "--", &bad],
            &["logout", &name],
            &["logout", &name, "--json"],
            &["login", &bad],
            &["login", "x", "--for", &bad],
            &["login", "x", "--storage", &bad],
            &[&bad, "x"],
            &[&format!("--{bad}")],
            &["configure", "--file", &format!("/nonexistent/{bad}/x")],
        ] {
            let said = machine.helper(command).may_print_secret().run();
            check(&mut attacks, "argument", &said);
        }
        machine.write(STATE, text);

        // As the hf CLI keeps a token under a name that somebody made up.
        if !bad.contains(['\u{c}', '\u{85}', '\u{2028}']) {
            let stored = format!("[{bad}]\nhf_token = {token}\n");
            machine.write(".cache/huggingface/stored_tokens", stored);
        }
        machine.write(".cache/huggingface/token", &token);
        for command in SHOWING {
            check(&mut attacks, "hf CLI", &machine.helper(*command).run());
        }
        fs::remove_dir_all(machine.home().join(".cache")).expect("remove it");

        // And as a person may have pasted it into the configuration.
        let config = machine.read(CONFIG);
        for text in [
            format!("[rules]\n\"acme/{bad}\" = \"x\"\n"),
            format!("[rules]\nacme = \"{bad}\"\n"),
            format!("[rules]\nacme = '{bad}'\n"),
            format!("\"{bad}\" = 1\n"),
            format!("default = \"{bad}\"\n"),
            format!("[endpoints]\n\"https://{bad}\" = {{}}\n"),
            format!("[commands]\nx = [\"{bad}\"]\n"),
            format!("[commands]\n\"{bad}\" = [\"x\"]\n"),
            format!("{bad}\n"),
        ] {
            // Both as the character itself and as TOML's own escape for it.
            let escaped: String = text.chars().flat_map(toml).collect();
            for text in [text, escaped] {
                machine.write(CONFIG, &text);
                let said = machine.helper(["list"]).run();
                check(&mut attacks, "configuration", &said);
            }
        }
        machine.write(CONFIG, config);
        machine.helper(["logout", "--all", "--yes"]).ok();
    }
    attacks.end();
}

/// A character as TOML writes it in double quotes, where it is no plain one.
fn toml(c: char) -> Vec<char> {
    if c == '\n' || (c.is_ascii() && !c.is_ascii_control()) {
        vec![c]
    } else {
        format!("\\U{:08X}", u32::from(c)).chars().collect()
    }
}

/// On a terminal our own colours are there, and nothing of others'.
#[test]
fn on_a_terminal_only_our_own_styles_pass() {
    if !need("script") {
        return;
    }
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.env("TERM", "xterm");
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &["--for", "acme"]);
    let mut attacks = Attacks::new();
    for escape in ESCAPES {
        let answer = Response::text(403, &format!("gated {}", hostile(escape)));
        hub.route("GET", HUB, "/acme/x.git/info/refs", move |_| answer.clone());
        for command in [
            "check acme/x",
            "explain acme/x",
            "\"$BAD\" x",
            "logout \"$BAD\"",
        ] {
            let line = format!("git-credential-hf {command}");
            let run = machine.command("script", ["-qfec", &line, "/dev/null"]);
            let shown = run.env("BAD", hostile(escape)).run().stdout;
            let shown = shown.replace("\r\n", "\n");
            let left = [
                "0",
                "1",
                "1;31",
                "1;32",
                "2",
                "4",
                "1;36",
                "33",
                "32",
                "31",
                "1m\u{1b}[31",
            ]
            .iter()
            .fold(shown.clone(), |text, code| {
                text.replace(&format!("\u{1b}[{code}m"), "")
            });
            // An argument that is refused together with an escape is shown without colours.
            let is_plain = shown.starts_with("error: unrecognized subcommand");
            assert!(is_plain || left != shown, "{command}: {shown:?}");
            attacks.tried(format!("{command}: {left:?}"), acts(&left));
        }
    }
    attacks.end();
}
