//! Files that another program holds open. On Windows a virus scanner, a backup or another process
//! of this program makes opening, renaming and removing a file fail for a moment.

use std::io;

/// Runs an operation on a file, again and again for up to two seconds where Windows says that
/// another program has the file.
///
/// # Errors
/// The operation's own, the last one.
#[cfg(windows)]
pub(crate) fn patiently<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    use std::time::{Duration, Instant};

    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match operation() {
            Err(error) if is_held(&error) && start.elapsed() < Duration::from_secs(2) => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            outcome => return outcome,
        }
    }
}

/// Runs an operation on a file: here no other program can be in its way.
///
/// # Errors
/// The operation's own.
#[cfg(not(windows))]
pub(crate) fn patiently<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    operation()
}

/// Whether Windows says that somebody else has the file. `ERROR_ACCESS_DENIED` (5) is also what
/// it says of a file that is being removed, besides of one that is forbidden for good.
#[cfg(windows)]
fn is_held(error: &io::Error) -> bool {
    const ERROR_ACCESS_DENIED: i32 = 5;
    const ERROR_SHARING_VIOLATION: i32 = 32;
    const ERROR_LOCK_VIOLATION: i32 = 33;
    let code = error.raw_os_error();
    [
        ERROR_ACCESS_DENIED,
        ERROR_SHARING_VIOLATION,
        ERROR_LOCK_VIOLATION,
    ]
    .iter()
    .any(|held| code == Some(*held))
}
