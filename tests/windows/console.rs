//! Terminals: the console, and Git Bash's, which is a pipe with a certain name.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::windows::io::{FromRawHandle, OwnedHandle, RawHandle};
use std::os::windows::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Ran, User, token};

#[allow(unsafe_code, reason = "what the standard library does not have")]
mod system {
    use super::{FromRawHandle, OwnedHandle, RawHandle};

    const PIPE_ACCESS_DUPLEX: u32 = 3;
    const INVALID: RawHandle = -1_isize as RawHandle;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateNamedPipeW(
            name: *const u16,
            access: u32,
            mode: u32,
            instances: u32,
            out_size: u32,
            in_size: u32,
            timeout: u32,
            security: *const u8,
        ) -> RawHandle;
        fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
        fn AllocConsole() -> i32;
    }

    /// The server's end of a pipe.
    pub fn pipe(name: &str) -> OwnedHandle {
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let nowhere = std::ptr::null();
        // SAFETY: the name ends with a zero, and the handle is owned by nobody else.
        unsafe {
            let handle = CreateNamedPipeW(
                name.as_ptr(),
                PIPE_ACCESS_DUPLEX,
                0,
                2,
                512,
                512,
                0,
                nowhere,
            );
            assert_ne!(handle, INVALID, "{}", std::io::Error::last_os_error());
            OwnedHandle::from_raw_handle(handle)
        }
    }

    /// A console for this process and those that it starts, where there is none.
    pub fn console() {
        // SAFETY: it takes nothing.
        unsafe { AllocConsole() };
    }

    /// Ctrl-Break, which unlike Ctrl-C can be sent to one group of processes.
    pub fn send_break(group: u32) -> bool {
        // SAFETY: it takes two numbers.
        unsafe { GenerateConsoleCtrlEvent(1, group) != 0 }
    }
}

/// Both ends of a pipe with a name, the second one as a program's stdin or stderr.
fn terminal_of_git_bash(stream: &str) -> (OwnedHandle, File) {
    let process = std::process::id();
    let name = format!("\\\\.\\pipe\\msys-{process:016x}-pty0-{stream}");
    let server = system::pipe(&name);
    let client = File::options().read(true).write(true).open(name).unwrap();
    (server, client)
}

#[test]
fn git_bash_would_show_what_is_typed_so_no_token_is_asked_for_there() {
    let user = User::new();
    let (_keys, stdin) = terminal_of_git_bash("from-master");
    let (screen, stderr) = terminal_of_git_bash("to-master");
    let mut command = user.command(&["login", "work"]);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(stderr);
    let mut child = command.spawn().unwrap();
    drop(command);
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > Duration::from_secs(20) => {
                child.kill().unwrap();
                panic!("it waits for a token");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert_eq!(status.code(), Some(1));
    let mut said = vec![0; 4096];
    let mut screen = File::from(screen);
    let count = std::io::Read::read(&mut screen, &mut said).unwrap();
    let ran = Ran {
        code: status.code(),
        stdout: String::new(),
        stderr: String::from_utf8_lossy(&said[..count]).into_owned(),
    };
    ran.says(&["Git Bash", "login work --web", "--with-token", "winpty"]);
}

/// Stands for a command that does not end at Ctrl-Break, as Python's prompt does not at Ctrl-C.
#[test]
#[ignore = "the next test starts it"]
fn a_command_that_ignores_ctrl_break() {
    ctrlc::set_handler(|| {}).unwrap();
    println!("it runs");
    std::thread::sleep(Duration::from_secs(2));
    std::process::exit(9);
}

#[test]
fn a_break_is_for_the_command_that_run_has_started() {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    let user = User::new();
    user.login("work", &token("work"), &["--storage", "file", "--default"]);
    let this = std::env::current_exe().unwrap();
    system::console();
    let mut command = user.command(&["run", "--for", "acme/x", "--"]);
    command
        .arg(this)
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("console::a_command_that_ignores_ctrl_break")
        .creation_flags(CREATE_NEW_PROCESS_GROUP)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains("it runs")));
    let sent = system::send_break(child.id());
    let status = child.wait().unwrap();
    assert!(sent, "there is no console to send it by");
    // It is the command that says what the break means: it is waited for, and its code passed on.
    assert_eq!(status.code(), Some(9));
}
