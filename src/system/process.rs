//! Finds and runs other programs, with a deadline.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::system::environment::SECRET_VARIABLES;
use crate::system::executable::file_names;

/// How often we check whether a program has ended.
const POLL: Duration = Duration::from_millis(5);

/// How long we wait for more output after the program has ended. A program that it started may keep
/// the pipe open for ever.
const GRACE: Duration = Duration::from_millis(200);

/// A command for a program found by [`find`]. It does not get the secrets in our environment: git
/// does not need them to read its configuration, and a browser would keep them for days.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(find(program.as_ref()));
    for variable in SECRET_VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Finds a program to start. Every program is looked up on the PATH here. If it is not found,
/// returns a path that does not exist, since the system would otherwise search relative folders
/// too.
pub(crate) fn find(program: &OsStr) -> PathBuf {
    if Path::new(program).components().count() > 1 {
        return PathBuf::from(program);
    }
    all_on_path(program)
        .into_iter()
        .next()
        .unwrap_or_else(|| Path::new("/nonexistent").join(program))
}

/// The result of a program.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// Everything that it printed, which may be a secret.
    pub(crate) output: Zeroizing<Vec<u8>>,
}

/// Runs a program without input and reads its output. Kills it after `timeout`. It stays in the
/// foreground of the terminal, so that it can ask for a PIN.
///
/// # Errors
/// When it cannot be started; [`io::ErrorKind::TimedOut`]; and [`io::ErrorKind::FileTooLarge`] when
/// it prints more than `limit` bytes, since a part of the output could mislead.
pub(crate) fn output_within(
    command: Command,
    timeout: Duration,
    limit: u64,
) -> io::Result<Finished> {
    finish(command, timeout, limit, end)
}

/// Like [`output_within`], but also kills the programs that the program has started. They are not
/// in the foreground of the terminal, so they cannot ask for anything.
pub(crate) fn output_of_all_within(
    command: Command,
    timeout: Duration,
    limit: u64,
) -> io::Result<Finished> {
    #[cfg(unix)]
    let command = {
        let mut command = command;
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    };
    finish(command, timeout, limit, |child| {
        #[cfg(unix)]
        if let Some(group) = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        end(child);
    })
}

fn finish(
    mut command: Command,
    timeout: Duration,
    limit: u64,
    end: impl FnOnce(&mut Child),
) -> io::Result<Finished> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let stdout = child.stdout.take();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(mut stdout) = stdout else { return };
        let mut buffer = Zeroizing::new(vec![0; 4096]);
        let mut sent = 0;
        // Read to the end even past the limit: a closed pipe would kill the program.
        while let Ok(count @ 1..) = stdout.read(&mut buffer) {
            let part = buffer.get(..count).unwrap_or_default();
            // One part beyond the limit is enough to know that it was exceeded.
            if sent <= limit && sender.send(Zeroizing::new(part.to_vec())).is_err() {
                return;
            }
            sent += count as u64;
        }
    });
    let mut output = Zeroizing::new(Vec::with_capacity(1024));
    // Whether the program, or one that it has started, can still print.
    let mut open = true;
    let mut read = || match receiver.recv_timeout(POLL) {
        Ok(part) => {
            output.extend_from_slice(&part);
            true
        }
        Err(mpsc::RecvTimeoutError::Timeout) => true,
        Err(mpsc::RecvTimeoutError::Disconnected) => false,
    };
    // A program that has closed its output has usually ended too, so begin with short pauses.
    let mut pause = Duration::from_micros(50);
    let status = loop {
        if open {
            open = read();
        } else {
            std::thread::sleep(pause);
            pause = (pause * 2).min(POLL);
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() >= timeout {
            end(&mut child);
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
    };
    let ended = Instant::now();
    while open && ended.elapsed() < GRACE {
        open = read();
    }
    if output.len() as u64 > limit {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok(Finished { status, output })
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Finds a program on the PATH. Relative folders are ignored: they are different in each
/// repository, and a hostile repository could contain the program.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    all_on_path(program.as_ref()).into_iter().next()
}

/// All files on the PATH with the name of a program; the first is the one that runs.
pub(crate) fn all_on_path(program: &OsStr) -> Vec<PathBuf> {
    let names = file_names(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .flat_map(|dir| names.iter().map(move |name| dir.join(name)))
        .filter(|file| is_program(file))
        .collect()
}

/// Whether a file is executable.
pub(crate) fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(file);
        metadata.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    file.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, timeout: Duration) -> io::Result<String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let finished = output_within(command, timeout, 1000)?;
        Ok(String::from_utf8_lossy(&finished.output).into_owned())
    }

    #[test]
    fn programs_that_do_not_end_as_they_should() {
        let long = Duration::from_secs(20);
        let start = Instant::now();
        assert_eq!(sh("echo a; sleep 30 & echo b", long).unwrap(), "a\nb\n");
        assert_eq!(sh("printf %1000d 1", long).unwrap().len(), 1000);
        for script in ["printf %1001d 1", "seq 100000"] {
            let error = sh(script, long).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{script}");
        }
        for script in [
            "echo a; exec >&-; exec sleep 30",
            "exec sleep 30",
            "exec yes",
        ] {
            let error = sh(script, Duration::from_millis(300)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{script}");
        }
        assert!(start.elapsed() < long);
    }
}
