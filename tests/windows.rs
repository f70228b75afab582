//! The built program on Windows: the Credential Manager, and the folders that it uses there.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(home: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_git-credential-hf"))
        .args(arguments)
        .env("GIT_CREDENTIAL_HF_HOME", home)
        .env_remove("HF_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn login_get_list_and_logout_with_each_storage() {
    let home = tempfile::tempdir().unwrap();
    for (storage, name) in [("keyring", "in-keyring"), ("file", "in-file")] {
        let name = format!("{name}-{}", std::process::id());
        let token = format!("hf_{}", name.replace('-', "").repeat(3));
        let login = [
            "login",
            &name,
            "--with-token",
            "--no-verify",
            "--storage",
            storage,
            "--for",
            "acme",
        ];
        let kept = run(home.path(), &login, &format!("{token}\r\n"));
        assert!(kept.status.success(), "{}", text(&kept.stderr));
        assert!(!text(&kept.stdout).contains(&token));

        let request = "protocol=https\r\nhost=huggingface.co\r\npath=acme/x\r\n\r\n";
        let answer = run(home.path(), &["get"], request);
        assert!(text(&answer.stdout).contains(&format!("password={token}\n")));
        let foreign = run(
            home.path(),
            &["get"],
            &request.replace("huggingface.co", "evil.example"),
        );
        assert!(foreign.stdout.is_empty());

        let listed = run(home.path(), &["list"], "");
        assert!(
            text(&listed.stdout).contains(storage),
            "{}",
            text(&listed.stdout)
        );
        let gone = run(home.path(), &["logout", &name], "");
        assert!(gone.status.success(), "{}", text(&gone.stderr));
        let answer = run(home.path(), &["get"], request);
        assert!(answer.stdout.is_empty());
    }
}
