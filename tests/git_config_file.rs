//! The edits, as real git sees them. `GITS` names the programs to try (paths joined as in PATH).
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use git_credential_hf::git::config_file::Reach;
use git_credential_hf::git::config_file::Status;
use git_credential_hf::git::config_file::configure;
use git_credential_hf::git::config_file::quote_helper;
use git_credential_hf::git::config_file::reach;
use git_credential_hf::git::config_file::status;
use git_credential_hf::git::config_file::unconfigure;

const ENDPOINTS: &[&str] = &["https://huggingface.co", "https://hf.co"];

fn gits() -> Vec<String> {
    let list = std::env::var("GITS").unwrap_or("/usr/local/bin/git:/usr/bin/git".into());
    let found: Vec<String> = list
        .split(':')
        .filter(|git| Path::new(git).exists())
        .map(str::to_owned)
        .collect();
    if found.is_empty() {
        vec!["git".to_owned()]
    } else {
        found
    }
}

/// A home of its own: its `.gitconfig` is the global file, its `bin` comes first in PATH, `log` is what helpers heard.
struct Home {
    git: String,
    dir: PathBuf,
}

impl Home {
    fn new(git: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir =
            std::env::temp_dir().join(format!("git-config-file-{}-{nth}", std::process::id()));
        fs::create_dir_all(dir.join("bin")).unwrap();
        let home = Self {
            git: git.to_owned(),
            dir,
        };
        home.script("bin/git-credential-hf", "hf");
        home
    }

    fn config(&self) -> PathBuf {
        self.dir.join(".gitconfig")
    }

    fn read(&self) -> Vec<u8> {
        fs::read(self.config()).unwrap_or_default()
    }

    fn write(&self, bytes: impl AsRef<[u8]>) {
        fs::write(self.config(), bytes).unwrap();
    }

    /// A helper that logs `NAME ACTION` and answers `get`.
    fn script(&self, path: &str, name: &str) -> PathBuf {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let log = self.dir.join("log");
        let text = format!(
            "#!/bin/sh\ncat >/dev/null\necho {name} $1 >> {}\n[ $1 = get ] && echo username=u && echo password=p\n:\n",
            log.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let path = format!(
            "{}:{}",
            self.dir.join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut child = Command::new(&self.git)
            .args(args)
            .current_dir(&self.dir)
            .env_clear()
            .envs([
                ("PATH", path.as_str()),
                ("HOME", self.dir.to_str().unwrap()),
                ("GIT_CONFIG_NOSYSTEM", "1"),
            ])
            .envs([
                ("GIT_TERMINAL_PROMPT", "0"),
                ("LC_ALL", "C"),
                ("GIT_CEILING_DIRECTORIES", "/tmp"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // git may end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn git(&self, args: &[&str]) -> String {
        let output = self.run(args, "");
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the helpers heard of a credential that git was told to keep.
    fn approve(&self, url: &str) -> String {
        let _ = fs::remove_file(self.dir.join("log"));
        self.run(
            &["credential", "approve"],
            &format!("url={url}\nusername=u\npassword=p\n\n"),
        );
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn configure(&self) {
        let original = fs::read(self.config()).ok();
        self.write(configure(original.as_deref(), ENDPOINTS, "hf").unwrap());
    }

    fn unconfigure(&self) {
        self.write(unconfigure(&self.read()).unwrap().bytes);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Our helper alone hears of Hub credentials, the other alone of the rest.
fn assert_separate(home: &Home, other: &str) {
    for endpoint in ENDPOINTS {
        assert_eq!(
            home.approve(&format!("{endpoint}/acme/x")),
            "hf store\n",
            "{}",
            text(home)
        );
        assert!(matches!(
            status(&home.read(), endpoint),
            Ok(Status::Configured { .. })
        ));
    }
    assert_eq!(
        home.approve("https://example.com/x"),
        format!("{other} store\n"),
        "{}",
        text(home)
    );
}

fn text(home: &Home) -> String {
    String::from_utf8(home.read()).unwrap()
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
fn helpers_added_below_the_block_are_reported_and_reset_by_the_next_configure() {
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
            assert!(matches!(
                status(&home.read(), ENDPOINTS[0]),
                Ok(Status::HelperAfter { .. })
            ));
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

struct Lcg(u64);

impl Lcg {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Mostly readable files, and some that are not.
fn random_file(lcg: &mut Lcg) -> String {
    const PIECES: &[&str] = &[
        "[user]\n",
        "[core] bare = true\n",
        "[a][b \"c d\"]",
        "[credential]\n",
        "[credential]",
        "\thelper = store\n",
        "[credential \"https://huggingface.co\"]\n",
        "\thelper =\n",
        "\thelper = hf\n",
        "\tuseHttpPath = true\n",
        "[CREDENTIAL \"https://hf.co\"] # note\n",
        "[credential.hf.co]\n",
        "\thelper = \"hf\" ; x\n",
        "\tkey\n",
        "\tname = \"a # b\" c ; d\n",
        "\tv = one \\\n two\n",
        "\tv = x\\\n",
        "\tw = \\\"q\\\\\\t\n",
        "# comment \\\n",
        "; other\n",
        "\n",
        "  \t",
        "[section \"sub \\\"x\\\"\"]\n",
        "[s \"]\\]\"]\n",
        "[include]\n\tpath = nowhere\n",
        "\tempty =\n",
        "\t  Spaced   =   a   b  \n",
        "x=1\n",
        "# git-credential-hf\n",
        "\r",
        "=",
        "\"",
        "\\",
        "é",
    ];
    if lcg.below(5) == 0 {
        const BYTES: &[&str] = &[
            "[", "]", "\"", "\\", "=", "#", ";", "a", "b.", " ", "\t", "\n", "\n", "\r", "-", "é",
        ];
        let noise: String = (0..lcg.below(9)).map(|_| lcg.pick(BYTES)).collect();
        return lcg
            .pick(&["", "[a]\n", "[a \"", "[a]\nb = ", "\u{feff}"])
            .to_owned()
            + &noise;
    }
    let mut file = String::from(if lcg.below(12) == 0 { "\u{feff}" } else { "" });
    for _ in 0..lcg.below(14) {
        // The last few break most files, so they are rare.
        let sane = lcg.below(40) != 0;
        file.push_str(lcg.pick(if sane {
            &PIECES[..PIECES.len() - 5]
        } else {
            PIECES
        }));
    }
    match lcg.below(6) {
        0 => file.truncate(file.trim_end().len()),
        1 => file.push('\\'),
        2 => file.push_str("\tlast = line"),
        _ => {}
    }
    if lcg.below(4) == 0 {
        file.replace('\n', "\r\n")
    } else {
        file
    }
}

#[test]
fn random_files_come_back_and_git_reads_the_same_in_them() {
    let rounds: u64 = std::env::var("ROUNDS").map_or(400, |n| n.parse().unwrap());
    for git in gits() {
        let home = Home::new(&git);
        let list = |bytes: &[u8]| {
            home.write(bytes);
            let output = home.run(&["config", "-f", ".gitconfig", "--list", "-z"], "");
            output.status.success().then_some(output.stdout)
        };
        let mut seen: HashMap<bool, u32> = HashMap::new();
        for seed in 0..rounds {
            let mut lcg = Lcg(seed);
            let original = random_file(&mut lcg);
            let before = list(original.as_bytes());
            *seen.entry(before.is_some()).or_default() += 1;
            let first = configure(Some(original.as_bytes()), ENDPOINTS, "hf");
            assert_eq!(
                first.is_ok(),
                before.is_some(),
                "seed {seed}: {original:?} {first:?}"
            );
            let (Ok(first), Some(before)) = (first, before) else {
                continue;
            };
            assert_eq!(
                configure(Some(&first), ENDPOINTS, "hf").unwrap(),
                first,
                "seed {seed}: {original:?}"
            );
            assert_eq!(
                unconfigure(&first).unwrap().bytes,
                original.as_bytes(),
                "seed {seed}: {original:?}"
            );
            let after = list(&first).unwrap_or_else(|| panic!("seed {seed}: {original:?}"));
            let block = list(&configure(None, ENDPOINTS, "hf").unwrap()).unwrap();
            assert_eq!(after, [before, block].concat(), "seed {seed}: {original:?}");

            // Whatever git then adds stays, and nothing of ours does.
            list(&first);
            let key = lcg.pick(&[
                "credential.username",
                "credential.https://hf.co.username",
                "user.email",
                "n.e.w",
            ]);
            home.git(&["config", "-f", ".gitconfig", "--add", key, "added value"]);
            let edited = home.read();
            let left = unconfigure(&edited).unwrap().bytes;
            let mut expected = entries(&list(original.as_bytes()).unwrap());
            expected.push(format!("{}\nadded value", key));
            expected.sort();
            assert_eq!(
                entries(&list(&left).unwrap()),
                expected,
                "seed {seed}: {original:?}"
            );
            let again = configure(Some(&edited), ENDPOINTS, "hf").unwrap();
            assert_eq!(
                configure(Some(&again), ENDPOINTS, "hf").unwrap(),
                again,
                "seed {seed}: {original:?}"
            );
        }
        println!("{git}: readable or not: {seen:?}");
        assert!(seen[&true] > seen[&false] && seen[&false] > 0);
    }
}

fn entries(list: &[u8]) -> Vec<String> {
    let mut all: Vec<String> = list
        .split(|&byte| byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| String::from_utf8_lossy(entry).into_owned())
        .collect();
    all.sort();
    all
}
