//! What the system is asked for so that secrets stay in this process.

#[cfg(unix)]
mod unix {
    use std::sync::OnceLock;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    static BEFORE: OnceLock<Rlimit> = OnceLock::new();

    /// No core file of this process is written, by the kernel or by a crash reporter, and no
    /// other program of this user can attach to it: a crash must not put tokens on a disk.
    pub(crate) fn no_core_dump() {
        let before = getrlimit(Resource::Core);
        let none = Rlimit {
            current: Some(0),
            maximum: before.maximum,
        };
        let _ = BEFORE.set(before);
        let _ = setrlimit(Resource::Core, none);
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{DumpableBehavior, set_dumpable_behavior};
            let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        }
    }

    /// Gives the limit back, for a program that takes the place of this one.
    pub(crate) fn restore() {
        if let Some(before) = BEFORE.get() {
            let _ = setrlimit(Resource::Core, *before);
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::{no_core_dump, restore};

/// Windows has no limit to set: its error reporting may keep a dump of a program that crashes,
/// as the machine's settings say.
#[cfg(not(unix))]
pub(crate) fn no_core_dump() {}
