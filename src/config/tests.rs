use std::path::Path;
use std::time::Duration;

use super::*;
use crate::model::endpoint::Endpoint;
use crate::model::token_name::TokenName;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("config.toml"), text)
}

#[test]
fn the_documented_example() {
    let config = parse(
        r#"
version = 1
default = "personal"            # the token of step 6
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
            "config.toml:1:1: unknown key `zzzzzz` | known here: version, default, storage, hints, keyring_timeout, rules, endpoints, commands",
        ),
        (
            "version = 2\n",
            "config.toml:1:11: this is format 2, from a newer git-credential-hf | update git-credential-hf",
        ),
        (
            "[rules]\n\"acme/x/y\" = \"a\"\n",
            "config.toml:2:1: this pattern matches nothing: a pattern has at most a kind, a namespace and a name: datasets/acme/x | ",
        ),
        (
            "[rules]\nacme = \"a\"\nAcme = \"b\"\n",
            "config.toml:3:1: there is another rule for `Acme` | keep one of them",
        ),
        (
            "[rules]\nacme = 1\n",
            "config.toml:2:8: this is the name of a token, in quotes | ",
        ),
        (
            "hints = \"no\"\n",
            "config.toml:1:9: `hints` is true or false | ",
        ),
        (
            "storage = \"disk\"\n",
            "config.toml:1:11: `storage` is where `login` puts new tokens | write \"keyring\" or \"file\"",
        ),
        (
            "keyring_timeout = 0\n",
            "config.toml:1:19: `keyring_timeout` is a number of seconds from 0.1 to 600 | write `keyring_timeout = 3`",
        ),
        (
            "[endpoints]\n\"http://hub.example\" = {}\n",
            "config.toml:2:1: `http://hub.example` is plain http, which anybody on the way can read | write { allow_http = true } if that is meant",
        ),
        (
            "[endpoints]\n\"https://hub.example/x\" = {}\n",
            "config.toml:2:1: an endpoint is scheme, host and port, without a path | ",
        ),
        (
            "[endpoints]\n\"https://hub.example\" = { enw = true }\n",
            "config.toml:2:27: unknown key `enw` | did you mean `env`?",
        ),
        (
            "[commands]\nv = \"vault kv get\"\n",
            "config.toml:2:5: a command is a list of texts: the program, then its arguments | write [\"pass\", \"show\", \"hf\"]; no shell reads it",
        ),
        (
            "[commands]\nv = []\n",
            "config.toml:2:5: a command is a list of texts: the program, then its arguments | write [\"pass\", \"show\", \"hf\"]; no shell reads it",
        ),
    ] {
        let error = parse(text).unwrap_err();
        let shown = format!("{error} | {}", error.help.clone().unwrap_or_default());
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

/// Configurations made of many lines, good and bad, in an order that only the number decides.
fn any_text(number: u64) -> String {
    let lines = [
        "version = 1",
        "hints = false",
        "default = \"me\"",
        "[rules]",
        "[rules]",
        "[rules] # mine",
        "[commands]",
        "[endpoints]",
        "# a comment",
        "",
        "acme = \"work\"",
        "acme=\"work\"",
        "\"acme/x\" = \"data\" # why",
        "\"acme/llama-*\" = \"llama\"",
        "\"datasets/acme/x\" = \"data\"",
        "other = \"work\"",
        "Other = \"work\"",
        "\"other\" = \"work\"",
        "\"other/x\" = \"git:alice@huggingface.co\"",
        "\"other/x.git\" = \"work\"",
        "\"third/*\" = \"\"",
        "\"fourth/a b\" = \"work\"",
        "\"fifth/..\" = \"work\"",
        "sixth.a = \"work\"",
        "'seventh' = 'work'",
        "\"eighth/x\" = \"wo\\u0072k\"",
        "ninth = \"-x\"",
        "ninth = \"wo\\qrk\"",
        "tenth = 1",
        "eleventh = \"work",
        "twelfth = [",
        "]",
        "\"datasets/other\" = \"work\"",
        "\"https://hub.example/acme\" = \"corp\"",
        "\"https://hub.example\" = {}",
        "vault = [\"vault\"]",
        "thirteenth = \"\"\"work",
        "\"\"\"",
        "unknown = 1",
        "fourteenth = \"work\"\r",
        "[rules.acme]",
    ];
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let count = next(14);
    // Most begin as they should, or hardly any would be right.
    let mut text = ["version = 1\n[rules]\n", "[rules]\n", ""][next(3)].to_owned();
    for _ in 0..count {
        text.push_str(lines[next(lines.len())]);
        text.push('\n');
    }
    text
}

#[test]
fn what_is_sifted_means_the_same() {
    let endpoint = Endpoint::hugging_face();
    let (mut right, mut wrong, mut sifted) = (0, 0, 0);
    for number in 0..6_000 {
        let text = any_text(number);
        for path in ["acme/x", "datasets/Acme/x", "other/llama-2", "gpt2"] {
            let repo = crate::model::repo::Repo::from_path(path).unwrap();
            let namespace = repo.namespace.as_ref();
            let shown = |config: Result<Config, ConfigError>| {
                config
                    .map(|mut config| {
                        let matching = |rule: &Rule| rule.pattern.matches(&endpoint, &repo);
                        config.rules.retain(matching);
                        format!("{config:?}")
                    })
                    .map_err(|error| format!("{error:?}"))
            };
            let whole = shown(Config::parse(Path::new("c"), &text));
            let with = shown(Config::parse_with(
                Path::new("c"),
                &text,
                Rules::Of(namespace),
            ));
            assert_eq!(with, whole, "{path} in\n{text}");
            match whole {
                Ok(_) => right += 1,
                Err(_) => wrong += 1,
            }
            let less = sift::without_other_rules(&text, namespace);
            sifted += u32::from(less.is_some_and(|less| less.len() < text.len()));
        }
    }
    // All three kinds must be there, or this shows nothing.
    assert!(
        right > 500 && wrong > 500 && sifted > 500,
        "{right} {wrong} {sifted}"
    );
}
