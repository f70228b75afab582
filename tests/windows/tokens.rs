//! Tokens in the Credential Manager and in files, and what people give as one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use crate::support::{User, run, token, unique};

#[test]
fn login_get_list_and_logout_with_each_storage() {
    let user = User::new();
    for (storage, name) in [("keyring", "in-keyring"), ("file", "in-file")] {
        let (name, token) = (unique(name), token(name));
        let kept = user.login(&name, &token, &["--storage", storage, "--for", "acme"]);
        assert!(!kept.stdout.contains(&token));
        assert_eq!(user.get("acme/x"), Some(token));
        let foreign = "protocol=https\r\nhost=evil.example\r\npath=acme/x\r\n\r\n";
        assert_eq!(user.run(&["get"], foreign).ok().stdout, "");
        let listed = user.run(&["list"], "").ok();
        assert!(listed.stdout.contains(storage), "{listed:?}");
        user.run(&["logout", &name], "").ok();
        assert_eq!(user.get("acme/x"), None);
    }
}

#[test]
fn names_that_differ_in_case_are_two_tokens() {
    let user = User::new();
    let (upper, lower) = (unique("Alpha"), unique("alpha"));
    let (of_upper, of_lower) = (token("upper"), token("lower"));
    user.login(&upper, &of_upper, &["--for", "acme"]);
    user.login(&lower, &of_lower, &["--for", "umbrella"]);
    assert_eq!(user.get("acme/x"), Some(of_upper.clone()));
    assert_eq!(user.get("umbrella/x"), Some(of_lower));
    user.run(&["logout", &lower], "").ok();
    assert_eq!(user.get("acme/x"), Some(of_upper));
    user.run(&["logout", &upper], "").ok();
}

/// Two users of one machine's account, or an old state: the entry's name is right, its value not.
#[test]
fn an_entry_with_another_value_is_not_sent() {
    let (user, other) = (User::new(), User::new());
    let name = unique("shared");
    user.login(&name, &token("first"), &["--for", "acme"]);
    other.login(&name, &token("second"), &["--for", "acme"]);
    let refused = user.run(&["get"], crate::support::request("acme/x")).ok();
    assert!(!refused.stdout.contains("password="), "{refused:?}");
    refused.says(&[&name, "not the one that was stored"]);
    assert_eq!(other.get("acme/x"), Some(token("second")));
    other.run(&["logout", &name], "").ok();
}

#[test]
fn a_token_that_is_too_long_for_the_keyring_is_offered_a_file() {
    let user = User::new();
    let long = format!("hf_{}", "x".repeat(3000));
    let login = ["login", "long", "--with-token", "--no-verify"];
    let refused = user.run(&login, &long).fails(1);
    assert!(!refused.stderr.contains("unlock"), "{refused:?}");
    refused.says(&["2560 bytes", "login long --with-token --storage file"]);
    user.login("long", &long, &["--storage", "file", "--for", "acme"]);
    assert_eq!(user.get("acme/x"), Some(long));
}

/// A Hub that hands out one login by the browser, with tokens longer than the keyring takes.
fn hub_with_long_tokens() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                head.push_str(&std::mem::take(&mut line).to_ascii_lowercase());
            }
            let length = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "));
            let length = length.map_or(0, |text| text.trim().parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = if head.starts_with("post /oauth/device") {
                format!(
                    "{{\"device_code\":\"d\",\"user_code\":\"AB-CD\",\"verification_uri\":\
                     \"http://{address}/device\",\"interval\":1,\"expires_in\":60}}"
                )
            } else {
                let long = "x".repeat(2000);
                format!(
                    "{{\"access_token\":\"hf_oauth_{long}\",\"refresh_token\":\"{long}\",\
                     \"expires_in\":28800}}"
                )
            };
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n"
            );
            let mut stream = reader.into_inner();
            stream.write_all((head + &answer).as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

#[test]
fn a_login_by_the_browser_that_is_too_long_for_the_keyring_is_not_lost() {
    let user = User::new();
    let hub = hub_with_long_tokens();
    let config = format!("version = 1\n[endpoints]\n\"{hub}\" = {{ allow_http = true }}\n");
    user.write("config.toml", &config);
    let pattern = format!("{hub}/acme");
    let login = ["login", "web", "--web", "--no-verify", "--for", &pattern];
    let kept = user.run(&login, "").ok();
    kept.says(&["2560 bytes", "stored in a file", "not encrypted"]);
    let host = hub.strip_prefix("http://").unwrap();
    let request = format!("protocol=http\nhost={host}\npath=acme/x\n\n");
    let answer = user.run(&["get"], request).ok();
    assert!(
        answer.stdout.contains("password=hf_oauth_xxx"),
        "{answer:?}"
    );
}

#[test]
fn what_powershell_writes_is_read() {
    let value = token("shell");
    let utf16: Vec<u8> = format!("\u{feff}{value}\r\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf8 = format!("\u{feff}{value}\r\n").into_bytes();
    let line = format!("$env:HF_TOKEN = \"{value}\"\r\n").into_bytes();
    for input in [utf16, utf8, line] {
        let user = User::new();
        let login = [
            "login",
            "work",
            "--with-token",
            "--no-verify",
            "--for",
            "acme",
        ];
        let login = [&login[..], &["--storage", "file"]].concat();
        user.run(&login, &input).ok();
        assert_eq!(user.get("acme/x").as_deref(), Some(value.as_str()));
    }
}

#[test]
fn json_is_ascii_and_keeps_its_values_and_tables_are_ascii_in_a_pipe() {
    let user = User::new();
    user.login(
        "wörk",
        &token("umlaut"),
        &["--storage", "file", "--for", "acme"],
    );
    let json = user.run(&["list", "--json"], "").ok().stdout;
    assert!(json.is_ascii() && json.contains("w\\u00f6rk"), "{json}");
    user.run(&["use", "wörk", "--default"], "").ok();
    user.login(
        "plain",
        &token("plain"),
        &["--storage", "file", "--for", "b"],
    );
    let table = user.run(&["list"], "").ok().stdout;
    assert!(table.is_ascii() && table.contains("hf_..laut"), "{table}");
    let command = user.command(&["doctor", "--offline"]);
    let doctor = run(command, "").stdout;
    assert!(doctor.replace("wörk", "").is_ascii(), "{doctor}");
}
