//! Child processes that cannot outlive a test: each leads its own process group, has a deadline,
//! and is killed with its group when dropped.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a process ended and all that it printed.
#[derive(Debug)]
pub struct Finished {
    /// The exit status; 128 and the signal's number for a process that was killed.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// A process under way.
///
/// Its output goes to unnamed files, not pipes, so that a grandchild that stays in the background
/// with the descriptors open cannot make anybody wait for the end of a stream.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
    ended: bool,
}

impl Running {
    /// Starts `command` with `stdin` as its whole input (empty, if there is none).
    pub fn start(mut command: Command, stdin: &[u8]) -> Running {
        let mut input = scratch_file();
        input.write_all(stdin).expect("write the input file");
        input.rewind().expect("rewind the input file");
        let (stdout, stderr) = (scratch_file(), scratch_file());
        let share = |file: &File| Stdio::from(file.try_clone().expect("share the output file"));
        let child = command
            .stdin(input)
            .stdout(share(&stdout))
            .stderr(share(&stderr))
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Running {
            child,
            stdout,
            stderr,
            ended: false,
        }
    }

    /// The process id, which is also that of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.poll().is_some()
    }

    /// What it has printed so far.
    pub fn so_far(&self) -> (Vec<u8>, Vec<u8>) {
        (contents(&self.stdout), contents(&self.stderr))
    }

    /// Waits for the end; at the deadline the whole group is killed and the output is the error.
    pub fn wait(mut self, deadline: Duration) -> Result<Finished, String> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.poll() {
                let (stdout, stderr) = self.so_far();
                let signal = || 128 + status.signal().unwrap_or_default();
                let code = status.code().unwrap_or_else(signal);
                return Ok(Finished {
                    code,
                    stdout,
                    stderr,
                });
            }
            if start.elapsed() > deadline {
                self.kill();
                let (stdout, stderr) = self.so_far();
                return Err(format!(
                    "still running after {deadline:?}\n--- stdout\n{}\n--- stderr\n{}",
                    String::from_utf8_lossy(&stdout),
                    String::from_utf8_lossy(&stderr)
                ));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Kills the process and its whole group at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if self.ended {
            return;
        }
        // std kills one process only, and git's real work is done by its children.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.ended = true;
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("ask how the process is");
        self.ended |= status.is_some();
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `command` to its end.
pub fn run(command: Command, stdin: &[u8], deadline: Duration) -> Result<Finished, String> {
    Running::start(command, stdin).wait(deadline)
}

fn scratch_file() -> File {
    tempfile::tempfile().expect("make a temporary file")
}

/// Reads without moving the file's position, which the writing process shares.
fn contents(file: &File) -> Vec<u8> {
    let length = file.metadata().expect("the size of the output").len();
    let mut bytes = vec![0; usize::try_from(length).expect("output fits in memory")];
    file.read_exact_at(&mut bytes, 0).expect("read the output");
    bytes
}
