//! Git's credential protocol as git speaks it: bytes in, bytes out.

use crate::desk::machine_with_work;
use crate::support::user::{CONFIG, DATA};

const HUB: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";
const STATE: &str = "capability[]=authtype\ncapability[]=state\n";

/// A machine with `work` for acme in the file storage.
#[test]
fn every_way_to_write_the_request_is_read() {
    let (_hub, machine, token) = machine_with_work();
    for request in [
        HUB.to_owned(),
        format!("{HUB}\n"),
        HUB.trim_end().to_owned(),
        HUB.replace('\n', "\r\n"),
        format!("{}\r\n", HUB.replace('\n', "\r\n")),
        "path=acme/x\nhost=huggingface.co\nprotocol=https\n".to_owned(),
        format!("{HUB}\nhost=evil.example\npassword=x\n"),
        format!("wwwauth[]=Basic realm=\"x\"\n{HUB}wwwauth[]=\n"),
        format!("{HUB}new-key=with=signs\nlist[]=a\nlist[]=\nempty=\n"),
        format!("username=\n{HUB}"),
        format!("protocol=http\nhost=evil.example\n{HUB}"),
        format!("{HUB}wwwauth[]=\u{7f}\u{1}\n"),
    ] {
        let answer = machine.ask("get", &request).ok();
        assert_eq!(
            answer.value("password"),
            Some(token.as_str()),
            "{request:?}"
        );
        assert_eq!(answer.value("username"), Some("hf_user"), "{request:?}");
        assert_eq!(answer.stderr, "", "{request:?}");
        // Without being asked for more, username and password are all.
        assert_eq!(answer.stdout.lines().count(), 2, "{answer}");
    }
    // Bytes that are no text, in what this helper does not read.
    let request = [HUB.as_bytes(), b"wwwauth[]=\xff\xfe\n"].concat();
    let answer = machine.ask("get", request).ok();
    assert_eq!(answer.value("password"), Some(token.as_str()));
}

#[test]
fn the_user_name_that_was_asked_for_is_answered() {
    let (_hub, machine, token) = machine_with_work();
    for name in ["work", "git", "oauth2", "__token__", "HF_USER"] {
        let answer = machine.ask("get", format!("{HUB}username={name}\n")).ok();
        assert_eq!(answer.value("username"), Some(name));
        assert_eq!(answer.value("password"), Some(token.as_str()), "{name}");
    }
}

#[test]
fn the_hub_is_the_hub_however_its_host_is_written() {
    let (_hub, machine, token) = machine_with_work();
    for host in [
        "HuggingFace.co",
        "huggingface.co:443",
        "huggingface.co.",
        "HUGGINGFACE.CO.:443",
        "hf.co",
        "HF.co.",
    ] {
        let request = format!("protocol=https\nhost={host}\npath=acme/x\n");
        let answer = machine.ask("get", request).ok();
        assert_eq!(answer.value("password"), Some(token.as_str()), "{host}");
        // Git would take the host of the answer for the one to go to.
        assert_eq!(answer.value("host"), None);
    }
}

#[test]
fn a_foreign_host_gets_not_a_word() {
    let (hub, machine, token) = machine_with_work();
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    machine.helper(["use", "work", "--default"]).ok();
    let before = machine.state();
    for (protocol, host) in [
        ("https", "github.com"),
        ("https", "huggingface.co.evil.example"),
        ("https", "evilhuggingface.co"),
        ("https", "evil-huggingface.co"),
        ("https", "cdn-lfs.huggingface.co"),
        ("https", "www.huggingface.co"),
        ("https", "hub.hf.co"),
        ("https", "huggingface.com"),
        ("https", "huggingface.co:8443"),
        ("https", "huggingface.co:80"),
        ("https", "huggingface.co:0443"),
        ("https", "huggingface.co:"),
        ("https", "huggingface.co:443:443"),
        ("https", "huggingface.co.."),
        ("https", ".huggingface.co"),
        ("https", "huggingface.co@evil.example"),
        ("https", "evil.example@huggingface.co"),
        ("https", "huggingface.co/"),
        ("https", "huggingface.co/@evil.example"),
        ("https", "evil.example/huggingface.co"),
        ("https", "evil.example#huggingface.co"),
        ("https", "evil.example\\huggingface.co"),
        ("https", "huggingface.co%2eevil.example"),
        ("https", "huggingface%2eco"),
        ("https", " huggingface.co"),
        ("https", "huggingface.co "),
        ("https", "huggingface.co\t"),
        ("https", "huggingf\u{430}ce.co"),
        ("https", "huggingface\u{3002}co"),
        ("https", "xn--huggingface-co"),
        ("https", "[huggingface.co]"),
        ("https", "127.0.0.1"),
        ("https", ""),
        ("http", "huggingface.co"),
        ("http", "huggingface.co:443"),
        ("http", "hf.co"),
        ("ssh", "huggingface.co"),
        ("ftp", "huggingface.co"),
        ("", "huggingface.co"),
        ("httpss", "huggingface.co"),
        ("cert", "huggingface.co"),
    ] {
        let request = format!("{STATE}protocol={protocol}\nhost={host}\npath=acme/x\n");
        machine.ask("get", &request).silent();
        let filled = format!("{request}username=work\npassword={token}\n");
        machine.ask("store", &filled).silent();
        machine.ask("erase", &filled).silent();
        machine.ask("erase", &request).silent();
    }
    for request in ["", "\n", "protocol=https\n", "host=huggingface.co\n"] {
        for action in ["get", "store", "erase"] {
            machine.ask(action, request).silent();
        }
    }
    assert_eq!(machine.state(), before);
}

#[test]
fn plain_http_is_answered_only_where_the_configuration_allows_it() {
    let (hub, machine, _) = machine_with_work();
    let token = hub.add_token("local", &[]);
    machine.env("HF_TOKEN", &token);
    let ask = |port: u16| {
        let request = format!("protocol=http\nhost=127.0.0.1:{port}\npath=acme/x\n");
        machine.ask("get", request)
    };
    machine.env("HF_ENDPOINT", "http://127.0.0.1:8080");
    ask(8080).silent();
    machine.unset("HF_ENDPOINT");
    machine.write(
        CONFIG,
        "[endpoints]\n\"http://127.0.0.1:8080\" = { allow_http = true, env = true }\n",
    );
    assert_eq!(ask(8080).ok().value("password"), Some(token.as_str()));
    ask(8081).silent();
    machine.write(CONFIG, "[endpoints]\n\"http://127.0.0.1:8080\" = {}\n");
    ask(8080).fails().says(&["plain http", "allow_http = true"]);
}

#[test]
fn a_token_goes_to_the_endpoint_it_was_stored_for() {
    let (hub, machine, _) = machine_with_work();
    machine.write(
        CONFIG,
        "version = 1\nstorage = \"file\"\n[rules]\nacme = \"work\"\n\
         [endpoints]\n\"https://hub.corp.example\" = {}\n",
    );
    let corp = hub.add_token("corp", &[]);
    machine.login("corp", &corp, &["--for", "https://hub.corp.example/acme"]);
    let env = hub.add_token("env", &[]);
    machine.env("HF_TOKEN", &env);
    let ask = |host: &str, path: &str| {
        let request = format!("protocol=https\nhost={host}\npath={path}\n");
        let answer = machine.ask("get", request).ok();
        answer.value("password").map(str::to_owned)
    };
    assert_eq!(ask("hub.corp.example", "acme/x").as_ref(), Some(&corp));
    // The environment's token is for the public Hub.
    assert_eq!(ask("hub.corp.example", "other/x"), None);
    assert_eq!(ask("huggingface.co", "other/x").as_ref(), Some(&env));
    // Neither by name, nor by rule, does a token leave its endpoint.
    let named = "protocol=https\nhost=hub.corp.example\npath=other/x\nusername=work\n";
    assert_eq!(machine.ask("get", named).ok().stdout, "");
    machine.env("HF_ENDPOINT", "https://hub.corp.example");
    assert_eq!(ask("hub.corp.example", "other/x").as_ref(), Some(&env));
    assert_eq!(ask("huggingface.co", "other/x"), None);
    machine.env("GIT_CREDENTIAL_HF_TOKEN_NAME", "work");
    let answer = machine.ask("get", "protocol=https\nhost=hub.corp.example\n");
    assert_eq!(answer.stdout, "quit=1\n");
    answer.says(&["`work`", "https://huggingface.co"]);
}

#[test]
fn a_request_that_breaks_the_format_is_refused_with_the_line() {
    let (_hub, machine, token) = machine_with_work();
    let before = machine.state();
    let long = [HUB.as_bytes(), b"wwwauth[]=", &[b'a'; 70_000], b"\n"].concat();
    let endless = [HUB.as_bytes(), &[b'a'; 3_000_000]].concat();
    let binary = [HUB.as_bytes(), b"path=\xff\xfe\n"].concat();
    for (what, request, words) in [
        ("70,000 bytes", long, ["line 4", "65535"]),
        ("three megabytes", endless, ["line 4", "65535"]),
        (
            "NUL",
            [HUB.as_bytes(), b"path=a\0b\n"].concat(),
            ["line 4", "NUL"],
        ),
        (
            "NUL in the host",
            b"protocol=https\nhost=huggingface.co\0.evil.example\n".to_vec(),
            ["line 2", "NUL"],
        ),
        (
            "CR",
            [HUB.as_bytes(), b"path=a\rhost=b\n"].concat(),
            ["line 4", "carriage return"],
        ),
        (
            "two CR",
            [HUB.as_bytes(), b"path=a\r\r\n"].concat(),
            ["line 4", "carriage return"],
        ),
        (
            "CR at the end",
            [HUB.as_bytes(), b"path=a\r"].concat(),
            ["line 4", "carriage return"],
        ),
        (
            "CRLF after LF",
            [HUB.as_bytes(), b"username=work\r\n"].concat(),
            ["line 4", "LF or CRLF"],
        ),
        (
            "LF after CRLF",
            [HUB.replace('\n', "\r\n").as_bytes(), b"username=work\n"].concat(),
            ["line 4", "LF or CRLF"],
        ),
        (
            "a blank line of the other kind",
            [HUB.as_bytes(), b"\r\n"].concat(),
            ["line 4", "LF or CRLF"],
        ),
        (
            "no sign",
            [HUB.as_bytes(), b"password\n"].concat(),
            ["line 4", "key=value"],
        ),
        ("no text", binary, ["line 4", "UTF-8"]),
    ] {
        for action in ["get", "store", "erase"] {
            let refused = machine.ask(action, &request);
            assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{what}");
            assert!(refused.stderr.starts_with("error: "), "{what}: {refused}");
            refused.says(&words);
        }
    }
    assert_eq!(machine.state(), before);
    // The longest line that there may be.
    let mut request = b"wwwauth[]=".to_vec();
    request.resize(65_535, b'a');
    request.push(b'\n');
    request.extend(HUB.as_bytes());
    let answer = machine.ask("get", request).ok();
    assert_eq!(answer.value("password"), Some(token.as_str()));
}

#[test]
fn an_action_of_a_newer_git_is_passed_over_in_silence() {
    let (_hub, machine, _) = machine_with_work();
    for action in ["approve", "new-action", "list-all"] {
        machine.ask(action, HUB).silent();
        machine.ask(action, "capability[]=state\n").silent();
        // Without a request it is a person's mistake, as in a script of a CI job.
        assert_eq!(machine.ask(action, "").fails().code, 2);
    }
    let said = machine.ask("capability", "").ok();
    assert_eq!(said.stdout, "version 0\ncapability state\n");
    assert_eq!(said.stderr, "");
}

#[test]
fn state_and_continue_are_answered_to_gits_transport_where_announced() {
    let (hub, machine, token) = machine_with_work();
    let keys = |output: &crate::support::machine::Output| {
        let key = |line: &str| line.split_once('=').map(|(key, _)| key.to_owned());
        output.stdout.lines().filter_map(key).collect::<Vec<_>>()
    };
    let plain = ["username", "password"];
    // With no other candidate there is nothing to come back for.
    let alone = machine
        .ask_as_transport("get", format!("{STATE}{HUB}"))
        .ok();
    assert_eq!(keys(&alone), plain);

    let env = hub.add_token("env", &[]);
    machine.env("HF_TOKEN", &env);
    for announced in [
        "",
        "capability[]=authtype\n",
        "capability[]=state\ncapability[]=\n",
    ] {
        let answer = machine
            .ask_as_transport("get", format!("{announced}{HUB}"))
            .ok();
        assert_eq!(keys(&answer), plain, "{announced:?}");
    }
    let other = machine.ask("get", format!("{STATE}{HUB}")).ok();
    assert_eq!(keys(&other), plain);
    let first = machine
        .ask_as_transport("get", format!("{STATE}{HUB}"))
        .ok();
    let all = [
        "capability[]",
        "username",
        "password",
        "state[]",
        "continue",
    ];
    assert_eq!(keys(&first), all);
    assert_eq!(first.value("continue"), Some("1"));
    assert_eq!(first.value("password"), Some(token.as_str()));
    let state = first.value("state[]").expect("a state");
    assert!(state.starts_with("hf:1:tried:"), "{state}");
    assert!(!state.contains(&token), "the token is in state[]");

    // Asked again with our state, another helper's, and the user name of our answer: the next.
    let again = |user: &str| format!("{STATE}{HUB}{user}state[]=other:1:x\nstate[]={state}\n");
    let ours = again("username=hf_user\n");
    // From another program, or without that user name, it is a request like any other.
    for repeated in [
        machine.ask("get", &ours),
        machine.ask_as_transport("get", again("")),
        machine.ask_as_transport("get", again("username=git\n")),
    ] {
        assert_eq!(repeated.value("password"), Some(token.as_str()));
        assert_eq!(keys(&repeated), plain);
        assert_eq!(machine.state()["rejected"], serde_json::json!({}));
    }
    let second = machine.ask_as_transport("get", &ours).ok();
    assert_eq!(second.value("password"), Some(env.as_str()));
    assert_eq!(keys(&second), plain);
    assert!(second.helper_line().contains("`work`"), "{second}");
    let last = machine.ask_as_transport("get", format!("{STATE}{HUB}"));
    assert_eq!(last.value("password"), Some(env.as_str()));
    assert!(machine.home().join(DATA).exists());
}

#[test]
fn an_unanswered_request_leaves_a_mark() {
    let (_hub, machine, _) = machine_with_work();
    let other = HUB.replace("acme", "other");
    let answer = machine.ask("get", format!("{STATE}{other}")).ok();
    assert_eq!(answer.stdout, "capability[]=state\nstate[]=hf:1:asked\n");
    assert!(!answer.helper_line().contains("not saved"), "{answer}");
    let answer = machine.ask("get", &other).ok();
    assert_eq!(answer.stdout, "");
    let line = answer.helper_line();
    assert!(
        line.contains("login NAME") && line.contains("not saved"),
        "{line}"
    );
    // The mark says nothing of any token.
    for action in ["get", "erase"] {
        let request = format!("{STATE}state[]=hf:1:asked\n{HUB}");
        assert_eq!(machine.ask_as_transport(action, request).code, 0);
        assert_eq!(machine.state()["rejected"], serde_json::json!({}));
    }
}

#[test]
fn a_token_in_the_place_of_the_user_name_is_recognised() {
    let (hub, machine, _) = machine_with_work();
    let token = hub.add_token("misplaced", &[]);
    let other = HUB.replace("acme", "other");
    for (action, password) in [
        ("get", ""),
        ("erase", "password=\n"),
        ("erase", "password=x\n"),
    ] {
        let said = machine.ask(
            action,
            format!("{STATE}{other}username={token}\n{password}"),
        );
        let line = said.helper_line();
        assert!(line.contains("is an access token"), "{line}");
        assert!(line.contains("git credential-hf login"), "{line}");
    }
}

#[test]
fn the_trace_tells_decisions_and_no_secret() {
    let (hub, machine, token) = machine_with_work();
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    let traced = machine
        .helper(["get"])
        .stdin(HUB)
        .env("GIT_CREDENTIAL_HF_TRACE", "1");
    let answer = traced.may_print_secret().ok();
    assert_eq!(answer.value("password"), Some(token.as_str()));
    let last = &token[token.len() - 4..];
    answer.says(&["`work`", "HF_TOKEN", "rule `acme`", last]);
    let file = machine.home().join("trace");
    let traced = machine.helper(["get"]).stdin(HUB);
    let traced = traced.env("GIT_CREDENTIAL_HF_TRACE", &file);
    traced.may_print_secret().ok();
    let trace = machine.read("trace");
    assert!(
        trace.contains("`work`") && !trace.contains(&token),
        "{trace}"
    );
}
