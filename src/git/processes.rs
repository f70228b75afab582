//! Reads the programs that run, those that call this one above all: from `/proc` on Linux, by one `ps`
//! on other Unix systems, and from the table of processes on Windows.

#[cfg(unix)]
use std::collections::HashMap;

/// A running program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    words: Vec<String>,
    parent: u32,
    /// When it was started, on systems where the id of a parent that has ended may be reused; else 0.
    started: u64,
}

/// All programs by their ids, each with the id of the user that it runs for.
#[cfg(unix)]
type Processes = HashMap<u32, (u32, Process)>;

/// The command lines of the calling programs, the nearest first, up to one that is hidden or has
/// ended.
pub(crate) fn ancestors(levels: usize) -> Vec<Vec<String>> {
    let mut table = Table::read();
    let Some(nearest) = parent(&mut table) else {
        return Vec::new();
    };
    climb(nearest, levels, |id| table.get(id))
}

/// Climbs from a program's parent, given with the time when the program itself was started.
fn climb(
    (mut id, mut child_started): (u32, u64),
    levels: usize,
    mut get: impl FnMut(u32) -> Option<Process>,
) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    while found.len() < levels {
        let Some(process) = get(id) else { break };
        // A younger program has the id of the parent, which has ended.
        if process.started > child_started {
            break;
        }
        (id, child_started) = (process.parent, process.started);
        found.push(process.words);
    }
    found
}

#[cfg(unix)]
fn parent(_: &mut Table) -> Option<(u32, u64)> {
    Some((std::os::unix::process::parent_id(), 0))
}

#[cfg(windows)]
fn parent(table: &mut Table) -> Option<(u32, u64)> {
    let own = table.get(std::process::id())?;
    Some((own.parent, own.started))
}

/// The ids of this user's running gits that did not call this program; `None` if that is not known.
#[cfg(unix)]
pub(super) fn running_gits() -> Option<Vec<u32>> {
    let all = processes()?;
    let parent_of = |id: &u32| all.get(id).map(|(_, it)| it.parent);
    let callers: Vec<u32> = std::iter::successors(Some(std::process::id()), parent_of)
        .take(64)
        .collect();
    let user = rustix::process::geteuid().as_raw();
    let is_git = |process: &Process| {
        let program = process.words.first().map_or("", String::as_str);
        let name = program.rsplit('/').next().unwrap_or(program);
        // Daemons run for hours, and do not change files.
        (name == "git" || name.starts_with("git-"))
            && !process.words.iter().any(|word| word == "--daemon")
    };
    let gits = all.iter().filter(|(id, (owner, process))| {
        *owner == user && is_git(process) && !callers.contains(id)
    });
    Some(gits.map(|(id, _)| *id).collect())
}

#[cfg(not(unix))]
pub(super) const fn running_gits() -> Option<Vec<u32>> {
    None
}

/// Where programs are looked up.
#[cfg(target_os = "linux")]
struct Table;

#[cfg(target_os = "linux")]
impl Table {
    fn read() -> Self {
        Self
    }

    fn get(&mut self, id: u32) -> Option<Process> {
        process(id)
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
struct Table(Processes);

#[cfg(all(unix, not(target_os = "linux")))]
impl Table {
    fn read() -> Self {
        Self(processes().unwrap_or_default())
    }

    fn get(&mut self, id: u32) -> Option<Process> {
        self.0.get(&id).map(|(_, process)| process.clone())
    }
}

#[cfg(windows)]
struct Table(sysinfo::System);

#[cfg(windows)]
impl Table {
    fn read() -> Self {
        Self(sysinfo::System::new())
    }

    /// Read one at a time, since reading a command line takes milliseconds.
    fn get(&mut self, id: u32) -> Option<Process> {
        use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, UpdateKind};
        let id = sysinfo::Pid::from_u32(id);
        self.0.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[id]),
            false,
            ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always),
        );
        let process = self.0.process(id)?;
        let words = process.cmd().iter();
        Some(Process {
            words: words
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            parent: process.parent().map_or(0, sysinfo::Pid::as_u32),
            started: process.start_time(),
        })
    }
}

#[cfg(target_os = "linux")]
/// Reads one program from Linux's `/proc`; `None` if it is hidden or has ended.
fn process(id: u32) -> Option<Process> {
    use std::io::Read;
    // Real command lines are short, but what a person typed may be long.
    const MAX_WORDS: u64 = 128 * 1024;
    let read = |file: &str| {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(format!("/proc/{id}/{file}")).ok()?;
        file.take(MAX_WORDS).read_to_end(&mut bytes).ok()?;
        // The part that was cut off may be the URL.
        if bytes.len() as u64 == MAX_WORDS {
            bytes.clear();
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    // `ID (NAME) STATE PARENT ..`, where the name may contain anything.
    let stat = read("stat")?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
    let words = read("cmdline")?;
    let words = words.strip_suffix('\0').unwrap_or(&words);
    Some(Process {
        words: words.split('\0').map(str::to_owned).collect(),
        parent: parent.parse().ok()?,
        started: 0,
    })
}

/// Reads all programs; `None` if `/proc` is not there.
#[cfg(target_os = "linux")]
fn processes() -> Option<Processes> {
    use std::os::unix::fs::MetadataExt as _;
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let id = entry.file_name().to_str()?.parse().ok()?;
        Some((id, (entry.metadata().ok()?.uid(), process(id)?)))
    };
    Some(std::fs::read_dir("/proc").ok()?.filter_map(read).collect())
}

/// Reads all programs from `ps`, which every other Unix has; `None` if it fails.
#[cfg(all(unix, not(target_os = "linux")))]
fn processes() -> Option<Processes> {
    listed()
}

#[cfg(all(unix, any(test, not(target_os = "linux"))))]
fn listed() -> Option<Processes> {
    use std::process::Stdio;
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
    const MAX_OUTPUT: u64 = 8 * 1024 * 1024;
    let mut command = crate::system::process::command("ps");
    command
        .args(["-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "uid="])
        .args(["-o", "args="])
        .stderr(Stdio::null());
    let finished = crate::system::process::output_within(command, TIMEOUT, MAX_OUTPUT).ok()?;
    let listing = String::from_utf8_lossy(&finished.output).into_owned();
    finished.status.success().then(|| table(&listing))
}

/// Parses lines of `ID PARENT USER WORDS..`. `ps` does not mark where a word with a space ends, but
/// remote names and URLs have no spaces.
#[cfg(all(unix, any(test, not(target_os = "linux"))))]
fn table(listing: &str) -> Processes {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let mut number = || words.next()?.parse::<u32>().ok();
        let (id, parent, user) = (number()?, number()?, number()?);
        let process = Process {
            words: words.map(str::to_owned).collect(),
            parent,
            started: 0,
        };
        Some((id, (user, process)))
    };
    listing.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn listings_of_ps() {
        let table = table(
            "    1     0    0 /sbin/init\n  17 1 501 git-lfs push  up\nx 1 0 y\n 18 1\n 19 17 0\n",
        );
        let seen = |id| {
            let (user, process) = table.get(&id)?;
            Some((process.parent, *user, process.words.join("|")))
        };
        assert_eq!(seen(17), Some((1, 501, "git-lfs|push|up".to_owned())));
        assert_eq!(seen(19), Some((17, 0, String::new())));
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn the_walk_ends_at_a_program_that_is_hidden_or_has_taken_the_id_of_another() {
        // ID, parent, started
        let all = [(4, 3, 40), (3, 2, 30), (2, 1, 20), (1, 0, 10)];
        let climb = |levels, all: &[(u32, u32, u64)]| {
            let get = |id: u32| {
                let (_, parent, started) = *all.iter().find(|it| it.0 == id)?;
                let words = vec![id.to_string()];
                Some(Process {
                    words,
                    parent,
                    started,
                })
            };
            climb((4, 50), levels, get).concat().concat()
        };
        assert_eq!(climb(8, &all), "4321");
        assert_eq!(climb(2, &all), "43");
        let mut younger = all;
        younger[2].2 = 35;
        assert_eq!(climb(8, &younger), "43");
        assert_eq!(climb(8, &[all[0], all[1], all[3]]), "43");
    }

    /// Both ways of asking the system agree about this program.
    #[cfg(target_os = "linux")]
    #[test]
    fn this_program_and_its_parent() {
        let id = std::process::id();
        let this = process(id).unwrap();
        assert_eq!(this.parent, std::os::unix::process::parent_id());
        assert_eq!(this.words.first(), std::env::args().next().as_ref());
        assert!(process(this.parent).is_some());
        // Without procps there is no `ps` to compare with.
        if let Some((_, listed)) = listed().and_then(|all| all.get(&id).cloned()) {
            assert_eq!(listed, this);
        }
        let user = rustix::process::geteuid().as_raw();
        assert_eq!(processes().unwrap().get(&id), Some(&(user, this)));
    }
}
