//! A user with folders of their own in the profile, and the built program in them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_git-credential-hf");

/// Variables of whoever runs the tests that the program reads.
const FOREIGN: [&str; 17] = [
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_ENDPOINT",
    "HF_HOME",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "GIT_CREDENTIAL_HF_TOKEN_NAME",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
];

pub struct User {
    home: tempfile::TempDir,
}

impl User {
    /// The temporary folder is in the profile, so nobody else gets at it.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program, with `GIT_CREDENTIAL_HF_HOME` set to this user's folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = started(PROGRAM);
        command
            .args(arguments)
            .env("GIT_CREDENTIAL_HF_HOME", self.home());
        command
    }

    pub fn run(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        run(self.command(arguments), input)
    }

    /// Logs in without the Hub, which is expected to succeed.
    pub fn login(&self, name: &str, token: &str, more: &[&str]) -> Ran {
        let login = ["login", name, "--with-token", "--no-verify"];
        self.run(&[&login, more].concat(), token).ok()
    }

    /// The password that git would get for a repo of the Hub.
    pub fn get(&self, path: &str) -> Option<String> {
        let answer = self.run(&["get"], request(path)).stdout;
        let password = answer
            .lines()
            .find_map(|line| line.strip_prefix("password="));
        password.map(str::to_owned)
    }
}

/// A program without the variables of whoever runs the tests.
pub fn started(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
}

/// What git asks.
pub fn request(path: &str) -> String {
    format!("protocol=https\nhost=huggingface.co\npath={path}\n\n")
}

/// A token that nobody has, different for each name.
pub fn token(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("hf_{}{plain}", "x".repeat(34 - plain.len()))
}

/// A name for one test, so that the one Credential Manager serves all.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

pub fn run(mut command: Command, input: impl AsRef<[u8]>) -> Ran {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read its input may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_ref());
    Ran::from(child.wait_with_output().unwrap())
}

/// What a program did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    pub fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Checks that stderr has all of these words.
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no {word} in {self:?}");
        }
        self
    }
}
