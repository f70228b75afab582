//! Keeps secrets in this process.

#[cfg(unix)]
mod unix {
    use std::sync::OnceLock;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    static BEFORE: OnceLock<Rlimit> = OnceLock::new();

    /// Prevents core dumps by the kernel or a crash reporter, since a crash must not write tokens
    /// to a disk. On Linux, other programs of this user cannot attach to the process either.
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

    /// Restores the limit, for a program that replaces this process.
    pub(crate) fn restore() {
        if let Some(before) = BEFORE.get() {
            let _ = setrlimit(Resource::Core, *before);
        }
    }
}

#[cfg(unix)]
pub(crate) use unix::{no_core_dump, restore};

/// Does nothing on Windows, where the machine's settings decide whether error reporting keeps a
/// dump of a program that crashes.
#[cfg(not(unix))]
pub(crate) fn no_core_dump() {}
