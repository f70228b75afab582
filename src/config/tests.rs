use std::path::Path;
use std::time::Duration;

use super::*;
use crate::model::endpoint::Endpoint;
use crate::model::operation::Operation;
use crate::model::token_name::TokenName;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("config.toml"), text)
}

#[test]
fn the_documented_example() {
    let config = parse(
        r#"
version = 1
default = "personal"            # the token of the step default
storage = "keyring"
hints = true
keyring_timeout = 3

[rules]
acme = "acme-write"
"acme/llama-*" = "llama"
"datasets/acme/x" = "data"
"https://hub.corp.example/acme" = "corp"

[endpoints]
"https://hub.corp.example" = { env = true }
"http://127.0.0.1:8080" = { allow_http = true }

[commands]
vault = ["vault", "kv", "get", "-field=token", "secret/hf"]
corp = { run = ["pass", "corp"], endpoint = "https://hub.corp.example" }
"#,
    )
    .unwrap();
    let rules: Vec<String> = config.rules.iter().map(|r| r.pattern.to_string()).collect();
    assert_eq!(
        rules,
        [
            "datasets/acme/x",
            "acme/llama-*",
            "acme",
            "https://hub.corp.example/acme"
        ]
    );
    assert_eq!(config.default.unwrap().as_str(), "personal");
    assert_eq!(config.keyring_timeout, Duration::from_secs(3));
    assert_eq!(config.endpoints.len(), 2);
    let corp = config.commands.get(&TokenName::existing("corp")).unwrap();
    assert_eq!(corp.endpoint.to_string(), "https://hub.corp.example");
    assert_eq!(config.commands.len(), 2);
}

#[test]
fn a_rule_may_name_a_token_for_each_operation() {
    let (fetch, push) = (Some(Operation::Fetch), Some(Operation::Push));
    for (value, expected) in [
        ("\"a\"", [Some("a"), Some("a"), Some("a")]),
        ("{ fetch = \"a\" }", [Some("a"), None, Some("a")]),
        ("{ push = \"b\" }", [None, Some("b"), Some("b")]),
        (
            "{ fetch = \"a\", push = \"b\" }",
            [Some("a"), Some("b"), Some("b")],
        ),
    ] {
        let config = parse(&format!("[rules]\nacme = {value}\n")).unwrap();
        let rule = config.rules.first().unwrap();
        let tokens = [fetch, push, None].map(|it| rule.token(it).map(TokenName::as_str));
        assert_eq!(tokens, expected, "{value}");
    }
    for wrong in ["{}", "{ pull = \"a\" }", "{ fetch = 1 }", "[\"a\"]"] {
        let error = parse(&format!("[rules]\nacme = {wrong}\n")).unwrap_err();
        assert!(error.to_string().contains(":2:"), "{wrong}: {error}");
    }
}

#[test]
fn an_endpoint_may_have_a_default_of_its_own() {
    let text = "default = \"a\"\n[endpoints]\n\"https://hub.example\" = { default = \"b\" }\n";
    let config = parse(text).unwrap();
    let hub = Endpoint::from_git("https", "hub.example").unwrap();
    let other = Endpoint::hugging_face();
    let defaults = [hub, other].map(|it| config.default_for(&it).map(TokenName::as_str));
    assert_eq!(defaults, [Some("b"), Some("a")]);
}

#[test]
fn an_empty_file_is_the_default() {
    let config = parse("").unwrap();
    assert!(config.hints && config.rules.is_empty() && config.storage.is_none());
    assert_eq!(
        config.endpoint(&Endpoint::hugging_face()),
        Some(EndpointOptions::default())
    );
    assert_eq!(
        config.endpoint(&Endpoint::parse("https://x.example").unwrap()),
        None
    );
}

#[test]
fn errors_say_where_and_what_would_be_right() {
    for (text, expected) in [
        (
            "version = 1\nruls = {}\n",
            "config.toml:2:1: unknown key `ruls` | did you mean `rules`?",
        ),
        (
            "zzzzzz = 1\n",
            "config.toml:1:1: unknown key `zzzzzz` | known keys: version, default, storage, hints, keyring_timeout, rules, endpoints, commands",
        ),
        (
            "version = 2\n",
            "config.toml:1:11: this is format 2, of a newer git-credential-hf | update git-credential-hf",
        ),
        (
            "[rules]\n\"acme/x/y\" = \"a\"\n",
            "config.toml:2:1: this is not a pattern: a pattern has at most a kind, a namespace and a name: datasets/acme/x | ",
        ),
        (
            "[rules]\nacme = \"a\"\nAcme = \"b\"\n",
            "config.toml:3:1: there is another rule for `Acme` | keep one of them",
        ),
        (
            "[rules]\nacme = 1\n",
            "config.toml:2:8: this must be the name of a token, in quotes | ",
        ),
        (
            "hints = \"no\"\n",
            "config.toml:1:9: `hints` must be true or false | ",
        ),
        (
            "storage = \"disk\"\n",
            "config.toml:1:11: unknown storage | write \"keyring\" or \"file\"",
        ),
        (
            "keyring_timeout = 0\n",
            "config.toml:1:19: `keyring_timeout` must be a number of seconds from 0.1 to 600 | write `keyring_timeout = 3`",
        ),
        (
            "[endpoints]\n\"http://hub.example\" = {}\n",
            "config.toml:2:1: `http://hub.example` is plain http, which anyone on the network can read | to allow it, write { allow_http = true }",
        ),
        (
            "[endpoints]\n\"https://hub.example/x\" = {}\n",
            "config.toml:2:1: an endpoint is a scheme, host and port, without a path | ",
        ),
        (
            "[endpoints]\n\"https://hub.example\" = { enw = true }\n",
            "config.toml:2:27: unknown key `enw` | did you mean `env`?",
        ),
        (
            "[commands]\nv = \"vault kv get\"\n",
            "config.toml:2:5: a command must be a list of strings: the program, then its arguments | for example [\"pass\", \"show\", \"hf\"]; it is not run by a shell",
        ),
        (
            "[commands]\nv = []\n",
            "config.toml:2:5: a command must be a list of strings: the program, then its arguments | for example [\"pass\", \"show\", \"hf\"]; it is not run by a shell",
        ),
    ] {
        let error = parse(text).unwrap_err();
        let shown = format!(
            "{error} | {}",
            error.help.as_ref().map_or("", |help| &help.0)
        );
        assert_eq!(shown, expected);
    }
    let error = parse("version = 1\nrules = [\n").unwrap_err();
    assert!(error.place.is_some_and(|(line, _)| line >= 2), "{error}");
}

#[test]
fn a_token_written_by_mistake_is_not_quoted() {
    let token = format!("hf_{}", "Ab1".repeat(12));
    for text in [
        format!("default = \"{token}\"\n"),
        format!("[rules]\nacme = \"{token}\"\n"),
        format!("default = {token}\n"),
    ] {
        let error = parse(&text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains(&token),
            "{}",
            shown.replace(&token, "TOKEN")
        );
    }
}
