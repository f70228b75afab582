//! Bad input: said with its place, exit code as promised, nothing lost, no secret repeated.

use crate::desk::machine_with_work;
use crate::support::user::{CONFIG, STATE, TYPED};

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

#[test]
fn a_mistake_in_the_configuration_is_shown_with_its_place_and_what_was_meant() {
    let (hub, machine, _) = machine_with_work();
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    for (text, words) in [
        (
            "version = 1\ndefalt = \"me\"\n",
            ["config.toml:2:1", "unknown key `defalt`", "`default`"].as_slice(),
        ),
        (
            "[rule]\nacme = \"work\"\n",
            &["config.toml:1:", "`rule`", "`rules`"],
        ),
        (
            "\n[endpoints]\n\"https://hub.corp.example\" = { evn = true }\n",
            &["config.toml:3:", "`evn`", "`env`"],
        ),
        (
            "[rules]\n\"acme/**/x\" = \"work\"\n",
            &["config.toml:2:1", "pattern"],
        ),
        ("[rules]\n\"*/x\" = \"work\"\n", &["config.toml:2:1", "`*`"]),
        (
            "[rules]\n\"\" = \"work\"\n",
            &["config.toml:2:1", "pattern"],
        ),
        (
            "[rules]\n\"https://\" = \"work\"\n",
            &["config.toml:2:1", "pattern"],
        ),
        ("[rules]\nacme = 3\n", &["config.toml:2:8", "in quotes"]),
        (
            "[rules]\nacme = \"a\"\n\"models/b\" = \"b\"\nAcme = \"c\"\n",
            &["config.toml:4:1", "another rule"],
        ),
        (
            "[endpoints]\n\"hub.corp.example\" = {}\n",
            &["config.toml:2:1", "https://"],
        ),
        (
            "keyring_timeout = \"long\"\n",
            &["config.toml:1:", "seconds"],
        ),
        ("storage = \"disk\"\n", &["config.toml:1:", "\"file\""]),
        ("hints = \"no\"\n", &["config.toml:1:", "true or false"]),
        (
            "[commands]\nvault = \"vault kv get\"\n",
            &["config.toml:2:", "list"],
        ),
        ("version = 99\n", &["config.toml:1:", "newer"]),
        ("a = = b\n", &["config.toml:1:"]),
        ("[rules\n", &["config.toml:1:"]),
    ] {
        machine.write(CONFIG, text);
        for arguments in [
            ["list"].as_slice(),
            &["explain", "acme/x"],
            &["use", "work", "--default"],
            &["configure"],
        ] {
            let failed = machine.helper(arguments).fails();
            assert_eq!((failed.code, failed.stdout.as_str()), (1, ""), "{text}");
            failed.says(words);
        }
        // Without the rules, any token might be the wrong one: git is stopped.
        let stopped = machine.ask("get", REQUEST);
        assert_eq!(
            (stopped.code, stopped.stdout.as_str()),
            (1, "quit=1\n"),
            "{text}"
        );
        stopped.says(words);
        // Another host is another helper's.
        let foreign = machine.ask("get", REQUEST.replace("huggingface.co", "github.com"));
        assert_eq!(foreign.stdout, "", "{text}");
        assert_eq!(machine.read(CONFIG), text);
    }
}

#[test]
fn what_may_be_a_token_in_the_configuration_is_not_repeated() {
    let (hub, machine, _) = machine_with_work();
    let token = hub.unknown_token();
    machine.forbid(&token);
    for text in [
        format!("[rules]\nacme = \"{token}\"\n"),
        format!("default = \"{token}\"\n"),
        format!("default = {token}\n"),
        format!("storage = \"{token}\"\n"),
        format!("[commands]\nx = \"echo {token}\"\n"),
        format!("[commands]\nx = {{ run = [\"x\"], endpoint = \"{token}\" }}\n"),
        format!("token \"{token}\"\n"),
    ] {
        machine.write(CONFIG, &text);
        machine.helper(["list"]).fails().says(&["config.toml"]);
        machine.ask("get", REQUEST).fails();
    }
}

#[test]
fn what_is_no_token_is_not_kept() {
    let (hub, machine, _) = machine_with_work();
    let before = machine.state();
    let good = hub.unknown_token();
    machine.forbid(&good);
    let broken = format!("{good}\n{good}");
    for (input, word) in [
        (broken.as_bytes(), "line break"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hf_abc\0defghijk", "NUL byte"),
        (b"correct horse", "it contains a space"),
        (b"correct-horse", "not a Hub token"),
        (
            format!("api_org_{}", &good[3..]).as_bytes(),
            "organisation token",
        ),
        (&[b'a'; 100_000], "longer"),
        (&b"hf_\xff\xfe"[..], "UTF-8"),
    ] {
        for name in ["new", "work"] {
            let login = [
                "login",
                name,
                "--with-token",
                "--no-verify",
                "--for",
                "else",
            ];
            let failed = machine.helper(login).stdin(input).fails();
            assert_eq!((failed.code, failed.stdout.as_str()), (1, ""));
            failed.says(&["error: ", word]);
        }
    }
    assert_eq!(machine.state(), before);
    assert!(!machine.read(CONFIG).contains("else"));
    // White space around a copied token is no part of it.
    machine.login("padded", &format!("  {good} \r\n"), &[]);
}

#[test]
fn a_bad_name_or_pattern_is_refused_before_anything_is_asked_or_kept() {
    let (hub, machine, _) = machine_with_work();
    let before = (machine.state(), machine.read(CONFIG));
    let token = hub.unknown_token();
    machine.forbid(&token);
    for (name, pattern) in [
        ("", "acme"),
        (" work", "acme"),
        ("git:x", "acme"),
        ("a\u{1b}[2J", "acme"),
        ("new", ""),
        ("new", "acme/**/x"),
        ("new", "a b"),
        ("new", "https://evil.example:0/acme"),
        ("new", "http://hub.corp.example/acme"),
        ("new", "datasets"),
    ] {
        let login = [
            "login",
            name,
            "--with-token",
            "--no-verify",
            "--for",
            pattern,
        ];
        let failed = machine.helper(login).stdin(&token).fails();
        assert_eq!(failed.code, 1, "{failed}");
        assert!(!failed.stderr.contains('\u{1b}'), "{failed}");
        failed.says(&["error: "]);
    }
    assert_eq!((machine.state(), machine.read(CONFIG)), before);
}

#[test]
fn a_token_where_its_name_belongs_is_not_repeated() {
    let (hub, machine, _) = machine_with_work();
    let token = hub.unknown_token();
    machine.forbid(&token);
    for arguments in [
        ["login", &token].as_slice(),
        &["use", &token, "--default"],
        &["logout", &token],
    ] {
        let failed = machine.helper(arguments).stdin(&token).fails();
        assert_eq!(failed.code, 2);
        failed.says(&["an argument contains a token", "--with-token"]);
    }
}

#[test]
fn wrong_usage_is_exit_code_two() {
    let (_hub, machine, _) = machine_with_work();
    for arguments in [
        ["login", "new", "--no-such-option"].as_slice(),
        &["login", "new", "--storage", "cloud"],
        &["use"],
        &["logout"],
        &["logout", "work", "--all"],
        &["explain", "a/b", "c/d"],
        &["list", "extra"],
        &["--no-such-option"],
        &["no-such-verb", "argument"],
        &["no-such-verb"],
    ] {
        let failed = machine.helper(arguments).fails();
        assert_eq!(failed.code, 2, "{failed}");
    }
    for arguments in [
        ["--help"].as_slice(),
        &["-h"],
        &["login", "--help"],
        &["--version"],
    ] {
        let said = machine.helper(arguments).ok();
        assert!(!said.stdout.is_empty() && said.stderr.is_empty(), "{said}");
    }
    assert!(machine.names().contains("work"));
}

#[test]
fn logout_of_everything_asks_and_nobody_answers() {
    let (_hub, machine, _) = machine_with_work();
    let failed = machine.helper(["logout", "--all"]).fails();
    assert_eq!(failed.code, 1);
    failed.says(&["refusing to remove anything", "--yes"]);
    assert!(machine.names().contains("work"));
    machine.helper(["logout", "--all", "--yes"]).ok();
    assert!(machine.names().is_empty() && machine.files_with_secrets().is_empty());
}

#[test]
fn a_damaged_or_newer_state_is_never_written_over() {
    let (hub, machine, _) = machine_with_work();
    let env = hub.add_token("env", &[]);
    let typed = hub.add_token("typed", &[]);
    let whole = machine.read(STATE);
    for (text, word) in [
        (whole[..whole.len() / 2].to_owned(), "is damaged"),
        (String::new(), "is damaged"),
        ("\0\0\0\0".to_owned(), "is damaged"),
        ("{}".to_owned(), "is damaged"),
        (
            whole.replace("\"version\": 1", "\"version\": 2"),
            "newer git-credential-hf",
        ),
        (
            "{\"version\": 7, \"tokens\": \"elsewhere\"}".to_owned(),
            "newer git-credential-hf",
        ),
    ] {
        machine.write(STATE, &text);
        let scope = format!("{TYPED}{REQUEST}username=alice\npassword={typed}\n");
        for action in ["store", "erase"] {
            let failed = machine.ask(action, &scope);
            // An erase is remembered elsewhere, so that git-lfs does not ask for ever.
            let code = i32::from(action == "store");
            assert_eq!((failed.code, failed.stdout.as_str()), (code, ""), "{text}");
            failed.says(&["state.json", word]);
        }
        let login = [
            "login",
            "new",
            "--with-token",
            "--no-verify",
            "--for",
            "else",
        ];
        machine.helper(login).stdin(&typed).fails().says(&[word]);
        for arguments in [
            ["list"].as_slice(),
            &["logout", "work"],
            &["use", "work", "--default"],
        ] {
            let failed = machine.helper(arguments).fails();
            assert_eq!(failed.code, 1);
            failed.says(&["state.json", word]);
        }
        // What needs no state still works, with a word about it.
        let get = machine.helper(["get"]).stdin(REQUEST).env("HF_TOKEN", &env);
        let answer = get.may_print_secret().ok();
        assert_eq!(answer.value("password"), Some(env.as_str()), "{text}");
        answer.says(&[word]);
        assert_eq!(machine.read(STATE), text);
    }
    // Put right, all is as before.
    machine.write(STATE, &whole);
    let answer = machine.ask("get", REQUEST).ok();
    assert!(answer.value("password").is_some());
}

#[test]
fn a_variable_that_is_no_token_is_said_and_passed_over() {
    let (hub, machine, _) = machine_with_work();
    let good = hub.add_token("good", &[]);
    machine.env("HF_TOKEN", "hf_\u{1b}[2Jabcdefghijk");
    machine.env("HUGGING_FACE_HUB_TOKEN", &good);
    let request = REQUEST.replace("acme", "other");
    let answer = machine.ask("get", request).ok();
    assert_eq!(answer.value("password"), Some(good.as_str()));
    let line = answer.helper_line();
    assert!(
        line.contains("HF_TOKEN") && !line.contains("abcdefghijk"),
        "{line}"
    );
}

#[test]
fn one_folder_can_hold_everything() {
    let (hub, machine, _) = machine_with_work();
    let token = hub.add_token("other", &[]);
    let home = machine.home().join("elsewhere");
    machine.env("GIT_CREDENTIAL_HF_HOME", &home);
    assert_eq!(machine.ask("get", REQUEST).ok().stdout, "");
    machine.login("other", &token, &["--default"]);
    for file in ["config.toml", "state.json", "tokens"] {
        assert!(home.join(file).exists(), "{file}");
    }
    let answer = machine.ask("get", REQUEST).ok();
    assert_eq!(answer.value("password"), Some(token.as_str()));
}
