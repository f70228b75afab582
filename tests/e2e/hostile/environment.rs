//! Variables that a hostile environment may have set. They are trusted for what they say of
//! themselves, and a stored token still goes to the Hub it was stored for and to no other.

use crate::hub::common::label;
use crate::support::attacks::{Attacks, all_kept};
use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, TokenSeen};
use crate::support::machine::Machine;
use crate::support::modes::mode_of;
use crate::support::tools::gits;
use crate::support::user::CONFIG;

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

/// What `HF_ENDPOINT` may be turned to.
const ENDPOINTS: &[&str] = &[
    "https://evil.example",
    "https://evil.example/",
    "https://huggingface.co.evil.example",
    "https://www.huggingface.co",
    "https://huggingface.co:8443",
    "https://hub.corp.example",
    "http://huggingface.co",
    "http://evil.example",
    "https://huggingface.co@evil.example",
    "https://user:password@huggingface.co",
    "https://huggingface.co/evil",
    "https://huggingface.co?evil",
    "https://huggingface.co#evil",
    "https://huggingface.co\\evil",
    "https://huggingface.co evil.example",
    "https://huggingface.co\nhost=evil.example",
    "https://huggingface.co\r\nhost=evil.example",
    "https://huggingf\u{430}ce.co",
    "https://huggingface%2eco",
    "https://*",
    "https://[::1]",
    "https://",
    "evil.example",
    "//evil.example",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "nonsense",
    "https://a b",
    "\u{1b}[2J",
];

/// A machine with a stored token for acme on the Hub, and for everything else as the default.
fn stored() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme", "--default"]);
    machine.write("printed", hub.add_token("command", &[]));
    let config = machine.read(CONFIG);
    machine.write(
        CONFIG,
        format!("{config}\n[commands]\nvault = [\"cat\", \"printed\"]\n"),
    );
    (hub, machine)
}

/// The host and scheme of a URL, where it has any that git could ask for.
fn place_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#', '\\', '\n', '\r', ' ']).next()?;
    Some((scheme, host))
}

#[test]
fn a_stored_token_goes_to_the_hub_it_was_stored_for_whatever_hf_endpoint_says() {
    let (hub, machine) = stored();
    let mut attacks = Attacks::new();
    for endpoint in ENDPOINTS {
        machine.env("HF_ENDPOINT", endpoint);
        let places = [place_of(endpoint), Some(("https", "evil.example"))];
        let hub_itself = |place: &(&str, &str)| *place == ("https", "huggingface.co");
        for (scheme, host) in places.into_iter().flatten().filter(|p| !hub_itself(p)) {
            for more in [
                "",
                "path=acme/x\n",
                "path=acme/x\nusername=work\n",
                "username=vault\n",
            ] {
                let request = format!("protocol={scheme}\nhost={host}\n{more}");
                for name in ["", "work"] {
                    let get = machine.helper(["get"]).stdin(&request).may_print_secret();
                    let get = get.env("GIT_CREDENTIAL_HF_TOKEN_NAME", name).run();
                    attacks.tried(
                        format!("{endpoint} {request:?}"),
                        label(&hub, &get).is_some(),
                    );
                }
            }
        }
        // The commands that ask a Hub themselves ask the token's own.
        for command in [
            ["check", "acme/x"].as_slice(),
            &["token", "acme/x"],
            &["refresh", "work"],
            &["run", "--for", "acme/x", "--", "env"],
        ] {
            let run = machine.helper(command).may_print_secret();
            let said = run.run();
            let secrets = hub.secrets()();
            let printed = secrets
                .iter()
                .any(|(_, secret)| said.stdout.contains(secret));
            attacks.tried(format!("{endpoint} {command:?}"), printed);
            attacks.tried_on(&hub, &[], format!("{endpoint} {command:?} on the network"));
            let clean = said.stderr.chars().all(|c| c == '\n' || !c.is_control());
            attacks.tried(format!("{endpoint} {command:?} on the terminal"), !clean);
        }
        // And on its own Hub it is answered as ever.
        let get = machine.ask("get", REQUEST).ok();
        assert_eq!(label(&hub, &get).as_deref(), Some("work"), "{endpoint}");
        machine.forgive();
    }
    attacks.end();
}

/// `HF_TOKEN` belongs to `HF_ENDPOINT`: that is the contract of the variables, which whoever
/// sets both knows. It goes there and nowhere else, the public Hub included.
#[test]
fn hf_token_goes_to_hf_endpoint_alone() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    let mut attacks = Attacks::new();
    for endpoint in ENDPOINTS {
        machine.env("HF_ENDPOINT", endpoint);
        for (scheme, host) in [
            ("https", "huggingface.co"),
            ("https", "hf.co"),
            ("https", "other.example"),
            ("https", "evil.example.other.example"),
            ("http", "huggingface.co"),
            ("http", "evil.example"),
        ] {
            let request = format!("protocol={scheme}\nhost={host}\npath=acme/x\n");
            let get = machine.ask("get", &request);
            attacks.tried(
                format!("{endpoint} {scheme} {host}"),
                label(&hub, &get).is_some(),
            );
        }
    }
    machine.env("HF_ENDPOINT", "https://hub.corp.example");
    let corp = REQUEST.replace("huggingface.co", "hub.corp.example");
    assert_eq!(
        label(&hub, &machine.ask("get", corp).ok()).as_deref(),
        Some("env")
    );
    attacks.end();
}

/// `env = true` is about `HF_TOKEN` alone.
#[test]
fn the_hf_clis_token_goes_to_no_configured_endpoint() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(".cache/huggingface/token", hub.add_token("cli", &[]));
    machine.write(
        CONFIG,
        "version = 1\ndefault = \"hf:cli\"\n[endpoints]\n\"https://hub.corp.example\" = { env = true }\n",
    );
    let corp = REQUEST.replace("huggingface.co", "hub.corp.example");
    let answer = machine.ask("get", &corp).ok();
    assert_eq!(label(&hub, &answer), None, "{answer}");
    machine.env("HF_ENDPOINT", "https://hub.corp.example");
    let answer = machine.ask("get", &corp).ok();
    assert_eq!(label(&hub, &answer).as_deref(), Some("cli"), "{answer}");
}

/// What cannot be read as an endpoint is said by every command that depends on it.
#[test]
fn a_bad_endpoint_in_the_environment_is_said() {
    let (_hub, machine) = stored();
    for bad in [
        "nonsense",
        "https://a b",
        "https://user@huggingface.co",
        "https://hub.corp.example/x",
    ] {
        machine.env("HF_ENDPOINT", bad);
        machine
            .helper(["explain", "acme/x"])
            .fails()
            .says(&["HF_ENDPOINT"]);
        machine
            .helper(["use", "work", "--for", "acme/x"])
            .fails()
            .says(&["HF_ENDPOINT"]);
    }
}

#[test]
fn variables_of_this_program_open_no_other_way() {
    let (hub, machine) = stored();
    let kept = all_kept(&machine);
    machine.write(
        "evil/config.toml",
        "[endpoints]\n\"https://evil.example\" = { env = true }\n",
    );
    let mut attacks = Attacks::new();
    let evil = REQUEST.replace("huggingface.co", "evil.example");
    for (key, value) in [
        ("GIT_CREDENTIAL_HF_HOME", "evil"),
        ("GIT_CREDENTIAL_HF_HOME", "./evil"),
        ("GIT_CREDENTIAL_HF_HOME", "../home/evil"),
        ("GIT_CREDENTIAL_HF_HOME", ""),
        ("GIT_CREDENTIAL_HF_TOKEN_NAME", "work"),
        ("GIT_CREDENTIAL_HF_TOKEN_NAME", "../../x"),
        ("GIT_CREDENTIAL_HF_TOKEN_NAME", "\u{1b}[2J"),
        ("XDG_RUNTIME_DIR", "."),
        ("XDG_RUNTIME_DIR", "/nonexistent"),
        ("TMPDIR", "/nonexistent"),
        ("XDG_CONFIG_HOME", "evil"),
        ("XDG_DATA_HOME", "evil"),
        ("SUDO_UID", "0"),
        ("SUDO_UID", "-1"),
        ("GIT_DIR", "/nonexistent"),
        ("GIT_CONFIG_PARAMETERS", "'credential.helper=hf'"),
        ("HF_OIDC_RESOURCE", "acme/x"),
    ] {
        for (request, wrong) in [(evil.as_str(), true), (REQUEST, false)] {
            let get = machine
                .helper(["get"])
                .stdin(request)
                .env(key, value)
                .may_print_secret();
            let get = get.run();
            let clean = get.stderr.chars().all(|c| c == '\n' || !c.is_control());
            let leak = (wrong && !get.stdout.is_empty() && get.stdout != "quit=1\n") || !clean;
            attacks.tried(format!("{key}={value:?}"), leak);
        }
    }
    // Traces hold no secret, wherever they go, and are readable by their owner alone.
    for (action, request) in [("get", REQUEST), ("get", evil.as_str()), ("erase", REQUEST)] {
        let trace = machine.home().join("trace");
        let run = machine.helper([action]).stdin(request).may_print_secret();
        run.env("GIT_CREDENTIAL_HF_TRACE", &trace).ok();
        let text = machine.read("trace");
        let told = hub.secrets()()
            .iter()
            .any(|(_, secret)| text.contains(secret));
        attacks.tried(
            format!("trace of {action}"),
            told || text.contains('\u{1b}'),
        );
        attacks.tried("the mode of a trace", mode_of(&trace) != 0o600);
    }
    for path in kept.keys() {
        assert!(path.exists(), "{} is gone", path.display());
    }
    attacks.end();
}

/// What cannot be a token is never sent: it is reported, and the next token used.
#[test]
fn a_value_that_cannot_be_a_token_is_said_and_not_sent() {
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        let token = hub.add_token("work", &[("acme", Write)]);
        machine.login("work", &token, &["--default"]);
        machine.configure();
        let mut attacks = Attacks::new();
        for (value, why) in [
            (format!("\"{token}\""), "quotation mark"),
            (format!("'{token}'"), "quotation mark"),
            ("${HF_TOKEN}".to_owned(), "not filled in"),
            ("$HF_TOKEN".to_owned(), "not filled in"),
            ("{{ secrets.HF_TOKEN }}".to_owned(), "not filled in"),
            (format!("Bearer {token}"), "space"),
            (format!("HF_TOKEN= {token}"), "space"),
            (format!("{token}\nsecond line"), "line break"),
            (format!("\u{feff}{token}"), "printable ASCII"),
            (format!("{token}\u{1b}[0m"), "printable ASCII"),
            (
                "\u{442}\u{43e}\u{43a}\u{435}\u{43d}".to_owned(),
                "printable ASCII",
            ),
        ] {
            for variable in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
                hub.clear_log();
                let url = "https://huggingface.co/acme/x";
                let said = machine.git(["ls-remote", url]).env(variable, &value).ok();
                let other = hub.log().iter().any(|it| it.token == TokenSeen::Unknown);
                attacks.tried(format!("{variable}={value:?}"), other);
                if other {
                    continue;
                }
                let line = said.helper_line();
                assert!(line.contains(variable) && line.contains(why), "{said}");
                let doctor = machine
                    .helper(["doctor", "--offline"])
                    .env(variable, &value);
                let doctor = doctor.run().stdout;
                assert!(doctor.contains(why), "{doctor}");
            }
        }
        // The second variable takes its place, and white space around is none of the value.
        let padded = format!(" \t{token}\r\n");
        let both = [("HF_TOKEN", "$TOKEN"), ("HUGGING_FACE_HUB_TOKEN", &padded)];
        machine.helper(["logout", "work"]).ok();
        let ls = machine.git(["ls-remote", "https://huggingface.co/acme/x"]);
        let ls = both
            .iter()
            .fold(ls, |run, (key, value)| run.env(key, value));
        ls.ok();
        attacks.end();
    }
}
