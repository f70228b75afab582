//! Programs that a test writes and then runs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program that everybody can run.
pub fn write_program(path: &Path, text: &str) {
    install(Path::new("/dev/stdin"), path, text);
}

/// Copies a program to where everybody can run it.
pub fn copy_program(from: &Path, to: &Path) {
    install(from, to, "");
}

/// Another process writes the file. If this one had it open, so might a child that another thread is
/// just starting, and the system runs no file that somebody can write ("Text file busy").
fn install(from: &Path, to: &Path, input: &str) {
    let mut child = Command::new("install")
        .args(["-m", "755", "--"])
        .args([from, to])
        .stdin(Stdio::piped())
        .spawn()
        .expect("start install");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("pass the program");
    drop(stdin);
    let ended = child.wait().expect("wait for install");
    assert!(ended.success(), "{} cannot be written", to.display());
}
