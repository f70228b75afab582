//! Retries for files that another program has open. On Windows, a virus scanner, a backup or
//! another process of this program can make opening, renaming and removing a file fail for a
//! moment.

use std::io;

/// Runs an operation on a file, and retries it for up to two seconds while another program has the
/// file open.
///
/// # Errors
/// The error of the last attempt.
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

/// Runs an operation on a file. Other programs cannot make it fail on this platform.
///
/// # Errors
/// The operation's error.
#[cfg(not(windows))]
pub(crate) fn patiently<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    operation()
}

/// Whether another program may have the file open. Windows reports `ERROR_ACCESS_DENIED` (5) both
/// for a file that is being removed and for one without permission.
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
