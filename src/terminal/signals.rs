//! Handles signals that arrive at a hidden prompt: restores the terminal's modes before the signal
//! ends the process.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

/// The signals that end a program by default.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// The terminal and its original modes, while a prompt has changed them.
static CHANGED: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Whether no prompt is open, so that a signal has its default effect. Initialised together with
/// the handlers, which stay for the rest of the process; `None` if they cannot be installed.
static IDLE: OnceLock<Option<Arc<AtomicBool>>> = OnceLock::new();

/// Restores the terminal if a signal arrives while this exists.
pub(crate) struct Watch(());

impl Watch {
    /// Starts watching. Call this before changing the modes.
    ///
    /// # Errors
    /// When the terminal's file descriptor cannot be duplicated.
    pub(crate) fn begin(terminal: &File, before: &Termios) -> io::Result<Self> {
        *lock() = Some((terminal.try_clone()?, before.clone()));
        let idle = IDLE.get_or_init(|| install().ok());
        if let Some(idle) = idle {
            idle.store(false, Ordering::SeqCst);
        }
        Ok(Self(()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(Some(idle)) = IDLE.get() {
            idle.store(true, Ordering::SeqCst);
        }
        *lock() = None;
    }
}

fn install() -> io::Result<Arc<AtomicBool>> {
    let idle = Arc::new(AtomicBool::new(true));
    for signal in ENDING {
        flag::register_conditional_default(signal, Arc::clone(&idle))?;
    }
    let mut signals = Signals::new(ENDING)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                end_by(signal);
            }
        })?;
    Ok(idle)
}

/// Restores the terminal, and ends this process as the signal would have.
fn end_by(signal: i32) -> ! {
    if let Some((terminal, before)) = &*lock() {
        let _ = tcsetattr(terminal, OptionalActions::Flush, before);
        let _ = io::Write::write_all(&mut &*terminal, b"\n");
    }
    let _ = low_level::emulate_default_handler(signal);
    // Reached only if the signal could not be raised.
    std::process::exit(128 + signal)
}

fn lock() -> std::sync::MutexGuard<'static, Option<(File, Termios)>> {
    CHANGED.lock().unwrap_or_else(PoisonError::into_inner)
}
