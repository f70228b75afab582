//! The edits, as real git sees them. `GITS` names the programs to try (paths joined as in PATH).
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails says so by panicking"
)]

mod home;
#[path = "../e2e/support/programs.rs"]
#[expect(dead_code, reason = "nothing is copied here")]
mod programs;
mod random;

use home::{Home, gits, text};
use std::fs;

use git_credential_hf::git::config_file::{Reach, configure, quote_helper, reach, unconfigure};

const ENDPOINTS: &[&str] = &["https://huggingface.co", "https://hf.co"];

/// Our helper alone hears of Hub credentials, the other alone of the rest.
fn assert_separate(home: &Home, other: &str) {
    for endpoint in ENDPOINTS {
        assert_eq!(
            home.approve(&format!("{endpoint}/acme/x")),
            "hf store\n",
            "{}",
            text(home)
        );
    }
    assert_eq!(
        home.approve("https://example.com/x"),
        format!("{other} store\n"),
        "{}",
        text(home)
    );
}

#[test]
fn a_generic_helper_set_before_or_after_never_sees_a_hub_token() {
    for git in gits() {
        for original in [
            None,
            Some(""),
            Some("[user]\n\tname = x"),
            Some("[credential]\n\tusername = me\n[user]\n"),
        ] {
            for first in [true, false] {
                let home = Home::new(&git);
                let other = home.script("other", "other").to_str().unwrap().to_owned();
                if let Some(original) = original {
                    home.write(original);
                }
                if first {
                    home.git(&["config", "--global", "credential.helper", &other]);
                }
                home.configure();
                if !first {
                    home.git(&["config", "--global", "credential.helper", &other]);
                }
                assert_separate(&home, "other");
                // Taking it out and setting it anew is what most manuals say.
                home.git(&["config", "--global", "--unset", "credential.helper"]);
                assert_separate_without(&home);
                home.git(&["config", "--global", "credential.helper", &other]);
                assert_separate(&home, "other");
                home.configure();
                assert_separate(&home, "other");
                home.unconfigure();
                assert_eq!(
                    home.approve(ENDPOINTS[0]),
                    "other store\n",
                    "{}",
                    text(&home)
                );
                assert!(!text(&home).contains("git-credential-hf"));
            }
        }
    }
}

fn assert_separate_without(home: &Home) {
    assert_eq!(home.approve("https://huggingface.co/a/b"), "hf store\n");
    assert_eq!(home.approve("https://example.com/x"), "");
}

#[test]
fn gits_own_store_keeps_no_hub_token() {
    for git in gits() {
        for first in [true, false] {
            let home = Home::new(&git);
            for step in 0..2 {
                match first == (step == 0) {
                    true => drop(home.git(&["config", "--global", "credential.helper", "store"])),
                    false => home.configure(),
                }
            }
            home.approve("https://huggingface.co/acme/x");
            assert!(!home.dir.join(".git-credentials").exists());
            home.approve("https://example.com/x");
            assert_eq!(
                fs::read_to_string(home.dir.join(".git-credentials")).unwrap(),
                "https://u:p@example.com\n"
            );
        }
    }
}

#[test]
fn helpers_added_below_the_block_are_reset_by_the_next_configure() {
    for git in gits() {
        for section in [
            "credential",
            "credential \"https://*.co\"",
            "credential \"huggingface.co\"",
            "credential.huggingface.co",
        ] {
            let home = Home::new(&git);
            home.configure();
            let other = home.script("other", "other");
            let lines = format!("[{section}]\n\thelper = {}\n", other.display());
            home.write(text(&home) + &lines);
            assert_eq!(home.approve(ENDPOINTS[0]), "hf store\nother store\n");
            home.configure();
            assert_eq!(home.approve(ENDPOINTS[0]), "hf store\n");
            home.unconfigure();
            assert_eq!(text(&home), lines);
        }
    }
}

#[test]
fn what_git_config_adds_keeps_its_meaning() {
    for git in gits() {
        let home = Home::new(&git);
        home.write("[user]\n\tname = x\n");
        home.configure();
        let added = [
            ("credential.helper", "cache"),
            ("credential.https://huggingface.co.username", "me"),
            ("credential.https://hf.co.username", "you"),
            ("credential.https://github.com.username", "octo"),
            ("user.email", "x@example.com"),
            ("alias.a", "b"),
        ];
        for (key, value) in added {
            home.git(&["config", "--global", key, value]);
        }
        home.git(&[
            "config",
            "--global",
            "--add",
            "credential.https://huggingface.co.helper",
            "cache",
        ]);
        for _ in 0..2 {
            home.configure();
            home.unconfigure();
            for (key, value) in added {
                assert_eq!(
                    home.git(&["config", "--global", "--get-all", key])
                        .trim_end(),
                    value
                );
            }
            let own = home.git(&[
                "config",
                "--global",
                "--get-all",
                "credential.https://huggingface.co.helper",
            ]);
            assert_eq!(own, "cache\n");
            assert_eq!(
                home.git(&["config", "--global", "--list"]).lines().count(),
                added.len() + 2
            );
        }
    }
}

#[test]
fn sections_that_git_removed_leave_nothing_behind() {
    for git in gits() {
        for sections in [
            &["credential"][..],
            &["credential.https://hf.co"],
            &["credential.https://huggingface.co"],
            &[
                "credential",
                "credential.https://hf.co",
                "credential.https://huggingface.co",
            ],
        ] {
            let home = Home::new(&git);
            home.write("[user]\n\tname = x\n");
            home.configure();
            for section in sections {
                home.git(&["config", "--global", "--remove-section", section]);
            }
            let torn = home.read();
            home.unconfigure();
            assert_eq!(text(&home), "[user]\n\tname = x\n");
            home.write(torn);
            home.configure();
            home.unconfigure();
            assert_eq!(text(&home), "[user]\n\tname = x\n");
        }
    }
}

#[test]
fn an_absolute_path_with_odd_characters_is_called() {
    for git in gits() {
        for dir in [
            "plain",
            "a b'c$d;e",
            "x#y \"z\" \\w",
            "(p) & q | *~!?{}[]<>`",
            "tab\there",
            "new\nline",
            "Büro",
            "=a=b",
        ] {
            let home = Home::new(&git);
            let path = home.script(&format!("{dir}/git-credential-hf"), "odd");
            let helper = quote_helper(path.to_str().unwrap());
            home.write(configure(None, ENDPOINTS, &helper).unwrap());
            let answer = home.run(
                &["credential", "fill"],
                "url=https://huggingface.co/a/b\n\n",
            );
            assert!(
                String::from_utf8_lossy(&answer.stdout).contains("password=p\n"),
                "{dir}: {answer:?}"
            );
            assert_eq!(
                fs::read_to_string(home.dir.join("log")).unwrap(),
                "odd get\n"
            );
            assert!(unconfigure(&home.read()).unwrap().delete_file);
        }
    }
}

#[test]
fn patterns_reach_as_far_as_in_git() {
    let patterns = [
        "https://huggingface.co",
        "https://huggingface.co/",
        "HTTPS://HuggingFace.CO:0443",
        "https://*.co",
        "https://*",
        "https://*.*",
        "http://huggingface.co",
        "https://huggingface.co:8443",
        "huggingface.co",
        "https://",
        "",
        "https://github.com",
        "//huggingface.co",
        "https://huggingface.co:",
        "hf.co",
        "https://hugging.*",
    ];
    for git in gits() {
        for pattern in patterns {
            let home = Home::new(&git);
            let other = home.script("other", "other");
            home.write(format!(
                "[credential \"{pattern}\"]\n\thelper = {}\n",
                other.display()
            ));
            let called = !home.approve("https://huggingface.co/a/b").is_empty();
            match reach(pattern, ENDPOINTS[0]) {
                Reach::Never => assert!(!called, "{pattern}"),
                Reach::Always => assert!(called, "{pattern}"),
                Reach::Sometimes => {}
            }
        }
    }
}
