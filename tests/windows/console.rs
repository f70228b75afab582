//! Terminals: the console, and Git Bash's, which is a pipe with a certain name.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::os::windows::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ran, User, started, token};

#[allow(unsafe_code, reason = "what the standard library does not have")]
mod system {
    use super::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};

    /// A key that goes down or up, as the console's input has it (`INPUT_RECORD`).
    #[repr(C)]
    struct Key {
        kind: u32,
        down: i32,
        repeat: u16,
        code: u16,
        scan: u16,
        character: u16,
        modifiers: u32,
    }

    const KEY_EVENT: u32 = 1;
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
        fn FreeConsole() -> i32;
        fn AllocConsole() -> i32;
        fn GetConsoleMode(console: RawHandle, mode: *mut u32) -> i32;
        fn WriteConsoleInputW(
            console: RawHandle,
            keys: *const Key,
            count: u32,
            written: *mut u32,
        ) -> i32;
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

    /// Gives this process, and those that it starts, a console of their own.
    pub fn console() {
        // SAFETY: neither takes anything.
        let made = unsafe {
            FreeConsole();
            AllocConsole()
        };
        assert_ne!(made, 0, "{}", std::io::Error::last_os_error());
    }

    /// Ctrl-C for all processes of this console, as its keyboard sends it.
    pub fn press_ctrl_c() {
        // SAFETY: it takes two numbers.
        let sent = unsafe { GenerateConsoleCtrlEvent(0, 0) };
        assert_ne!(sent, 0, "{}", std::io::Error::last_os_error());
    }

    /// The mode of a console; none where it does not answer (wine without a display).
    pub fn mode(console: &impl AsRawHandle) -> Option<u32> {
        let mut mode = 0;
        // SAFETY: the handle is open, and the number outlives the call.
        let read = unsafe { GetConsoleMode(console.as_raw_handle(), &raw mut mode) };
        (read != 0).then_some(mode)
    }

    /// Types a text.
    pub fn type_text(console: &impl AsRawHandle, text: &str) {
        let press = |character| {
            [1, 0].map(|down| Key {
                kind: KEY_EVENT,
                down,
                repeat: 1,
                code: 0,
                scan: 0,
                character,
                modifiers: 0,
            })
        };
        let keys: Vec<Key> = text.encode_utf16().flat_map(press).collect();
        let count = u32::try_from(keys.len()).unwrap();
        let mut written = 0;
        // SAFETY: the handle is open, and as many keys are there as are said to be.
        let done = unsafe {
            let console = console.as_raw_handle();
            WriteConsoleInputW(console, keys.as_ptr(), count, &raw mut written)
        };
        assert!(
            done != 0 && written == count,
            "{}",
            std::io::Error::last_os_error()
        );
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

/// Stands for a command that does not end at Ctrl-C, as Python's prompt does not.
#[test]
#[ignore = "started by another test"]
fn a_command_that_ignores_ctrl_c() {
    ctrlc::set_handler(|| {}).unwrap();
    println!("it runs");
    std::thread::sleep(Duration::from_secs(2));
    std::process::exit(9);
}

/// The rest is in a process that has a console of its own: Ctrl-C would reach whoever runs the
/// tests, too.
fn in_a_console(test: &str) {
    const DETACHED_PROCESS: u32 = 0x8;
    let output = started(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .creation_flags(DETACHED_PROCESS)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn ctrl_c_is_for_the_command_that_run_has_started() {
    in_a_console("console::ctrl_c_during_run");
}

#[test]
#[ignore = "started by the test above"]
fn ctrl_c_during_run() {
    system::console();
    ctrlc::set_handler(|| {}).unwrap();
    let user = User::new();
    user.login("work", &token("work"), &["--storage", "file", "--default"]);
    let this = std::env::current_exe().unwrap();
    let mut command = user.command(&["run", "--for", "acme/x", "--"]);
    command
        .arg(this)
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("console::a_command_that_ignores_ctrl_c")
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains("it runs")));
    system::press_ctrl_c();
    // It is the command that says what that means: it is waited for, and its code passed on.
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

/// The console's keyboard and screen, if it answers.
fn keys_and_screen() -> Option<(File, File)> {
    let open = |name: &str| File::options().read(true).write(true).open(name).unwrap();
    let both = (open("CONIN$"), open("CONOUT$"));
    if system::mode(&both.0).is_none() {
        eprintln!("skipped: the console does not answer, as under wine without a display");
        return None;
    }
    Some(both)
}

/// Starts a login that asks for the token.
fn login(user: &User, keys: &File, screen: File) -> Child {
    let login = [
        "login",
        "work",
        "--no-verify",
        "--storage",
        "file",
        "--for",
        "acme",
    ];
    let mut command = user.command(&login);
    command
        .stdin(keys.try_clone().unwrap())
        .stdout(Stdio::null())
        .stderr(screen);
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(child.try_wait().unwrap().is_none(), "it does not ask");
    child
}

#[test]
fn ctrl_c_at_the_prompt_leaves_the_console_as_it_was() {
    in_a_console("console::a_login_in_a_console");
}

#[test]
#[ignore = "started by the test above"]
fn a_login_in_a_console() {
    const ENABLE_ECHO_INPUT: u32 = 0x4;
    system::console();
    ctrlc::set_handler(|| {}).unwrap();
    let Some((keys, screen)) = keys_and_screen() else {
        return;
    };
    let before = system::mode(&keys);
    assert!(before.is_some_and(|mode| mode & ENABLE_ECHO_INPUT != 0));

    let user = User::new();
    let mut child = login(&user, &keys, screen);
    system::press_ctrl_c();
    // The code is the system's own; wine has another one than Windows.
    child.wait().unwrap();
    assert_eq!(system::mode(&keys), before);
    assert!(!user.path("state.json").exists());
}

#[test]
fn what_is_typed_at_the_prompt_is_the_token() {
    in_a_console("console::a_token_that_is_typed");
}

#[test]
#[ignore = "started by the test above"]
fn a_token_that_is_typed() {
    system::console();
    let Some((keys, screen)) = keys_and_screen() else {
        return;
    };
    let before = system::mode(&keys);
    let user = User::new();
    let mut child = login(&user, &keys, screen);
    // The last character is a slip, which is taken back.
    system::type_text(&keys, &format!("{}x\u{8}\r", token("typed")));
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "it still waits");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(system::mode(&keys), before);
    assert_eq!(user.get("acme/x"), Some(token("typed")));
}
