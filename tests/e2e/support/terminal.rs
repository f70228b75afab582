//! A real terminal with a command on it, and a person who reads and types.

use super::machine::Run;
use super::tools::find;
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Written to the terminal after the command has ended; nothing else writes it.
const END: &str = "\u{0}the end\u{0}";

/// A command on a terminal of 100 columns.
pub struct Terminal {
    /// The end that a person has.
    person: File,
    /// The end that the command has: while it is open, the modes can be read.
    command: File,
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of the screen has been read.
    read: usize,
}

impl Terminal {
    /// Starts a command with a terminal as its stdin, stdout, stderr and controlling terminal.
    pub fn start(run: Run<'_>) -> Terminal {
        let run = run.into_command();
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&person)
            .and_then(|()| unlockpt(&person))
            .expect("open its other end");
        let path = ptsname(&person, Vec::new()).expect("its name");
        let path = std::ffi::OsStr::from_bytes(path.as_bytes());
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let command = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).expect("open it");
        let (person, command) = (File::from(person), File::from(command));
        let size = Winsize {
            ws_row: 50,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&command, size).expect("set its size");

        // Each takes its own place without another process: `env` lets signals end the command even
        // where the tests were started with some ignored (in the background, or by nohup), and
        // `setsid` gives it the terminal.
        let mut leader = Command::new(find("env").expect("env"));
        leader
            .arg("--default-signal")
            .arg(find("setsid").expect("setsid"))
            .arg("--ctty")
            .arg(run.get_program())
            .args(run.get_args());
        leader.env_clear().env("TERM", "xterm");
        for (key, value) in run.get_envs() {
            if let Some(value) = value {
                leader.env(key, value);
            }
        }
        leader.env_remove("GIT_TERMINAL_PROMPT");
        leader.current_dir(run.get_current_dir().expect("a folder"));
        let end = || Stdio::from(command.try_clone().expect("share the terminal"));
        let child = leader.stdin(end()).stdout(end()).stderr(end()).spawn();
        let child = child.expect("start the command");

        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (person.try_clone().expect("share it"), Arc::clone(&screen));
        thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut some) {
                to.lock().expect("the screen").extend(&some[..length]);
            }
        });
        Terminal {
            person,
            command,
            child,
            screen,
            read: 0,
        }
    }

    /// Waits until the screen shows this, after what was waited for before.
    pub fn sees(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if let Some(at) = screen[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            let ended = self.child.try_wait().expect("ask how it is").is_some();
            assert!(
                start.elapsed() < PATIENCE && !(ended && start.elapsed() > Duration::from_secs(1)),
                "{text:?} does not come: {screen}"
            );
            sleep(Duration::from_millis(5));
        }
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        self.person.write_all(keys.as_bytes()).expect("type");
    }

    /// Whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.command).expect("its modes").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Waits until nothing that is typed is shown any more.
    pub fn hides(&self) {
        let start = Instant::now();
        while self.echoes() {
            assert!(start.elapsed() < PATIENCE, "it is shown: {}", self.screen());
            sleep(Duration::from_millis(5));
        }
    }

    /// Sends the command a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("kill").success());
    }

    /// Answers each question with yes, and with a token where one is asked for, up to the end.
    pub fn answered(mut self, token: &str) -> (i32, String) {
        let start = Instant::now();
        while self.child.try_wait().expect("ask how it is").is_none() {
            assert!(start.elapsed() < PATIENCE, "{}", self.screen());
            let screen = self.screen();
            let asked = &screen[self.read..];
            if asked.ends_with("(not shown): ") {
                self.read = screen.len();
                self.hides();
                self.types(&format!("{token}\n"));
            } else if asked.ends_with("] ") && (asked.contains("[y/")) {
                self.read = screen.len();
                self.types("y\n");
            }
            sleep(Duration::from_millis(5));
        }
        self.ends()
    }

    /// Waits for the end: its exit code (128 and the number for a signal), and all that was shown.
    pub fn ends(mut self) -> (i32, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("ask how it is") {
                Some(status) => break status,
                None if start.elapsed() > PATIENCE => panic!("it does not end: {}", self.screen()),
                None => sleep(Duration::from_millis(5)),
            }
        };
        // What it has written last may still be on its way: what is written now comes after it.
        self.command.write_all(END.as_bytes()).expect("write");
        self.sees(END);
        let code = status
            .code()
            .unwrap_or(128 + status.signal().unwrap_or_default());
        assert!(self.echoes(), "the terminal is not as it was");
        (code, self.screen().replace(END, ""))
    }

    /// All that was shown, with plain line ends.
    pub fn screen(&self) -> String {
        let bytes = self.screen.lock().expect("the screen");
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
