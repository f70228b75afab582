//! What Rust's runtime does before `main` that this program needs, without the rest of it.
//!
//! Git waits for this program in each operation. The runtime prepares a handler for stack
//! overflows, for which glibc reads and parses `/proc/self/maps`: a tenth of the time of `get`.
//! A stack overflow ends the program without it just as well. So `main` is our own where the
//! standard library works without its runtime (see `main.rs`), and this stands in for it.

use std::os::fd::{BorrowedFd, IntoRawFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio;

/// To be called first, before anything is opened.
pub fn instead_of_runtime() {
    open_standard_streams();
    // What has a reader no more is an error of the one write, not the end of the program: it may
    // be in the middle of something. Programs that are started have the system's default again.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGPIPE, Arc::<AtomicBool>::default());
}

/// Puts `/dev/null` where the caller has closed a standard stream. Otherwise the next file that
/// is opened takes its place, and what is meant for git or for a person is written into it.
fn open_standard_streams() {
    let streams: [fn() -> BorrowedFd<'static>; 3] = [stdio::stdin, stdio::stdout, stdio::stderr];
    for stream in streams {
        if fcntl_getfd(stream()) != Err(Errno::BADF) {
            continue;
        }
        // The lowest number that is free, which is this one. It stays for good, and for programs
        // that are started, too.
        match rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()) {
            Ok(null) => drop(null.into_raw_fd()),
            Err(_) => std::process::abort(),
        }
    }
}
