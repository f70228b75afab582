//! A Secret Service without a desktop: a private D-Bus session with a real gnome-keyring on it,
//! and a bus that is dead.

use super::modes::set_mode;
use super::process::{self, Running};
use super::tools::{find, hex, need};
use crate::support::programs::copy_program;
use std::collections::BTreeSet;
use std::fs::{self};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than the 25 s that programs on a bus wait for each other.
const PATIENCE: Duration = Duration::from_secs(40);
const SERVICE: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const GET: &str = "org.freedesktop.DBus.Properties.Get";
const PASSWORD: &[u8] = b"a password for tests";

/// An unlocked keyring with a default collection, on a bus of its own. Dropping it ends both.
pub struct Keyring {
    // Fields drop in this order: the daemon before its bus, and both before their folder.
    daemon: Running,
    bus: Running,
    folder: TempDir,
}

impl Keyring {
    /// Whether this system can run one; see `need`.
    pub fn is_possible() -> bool {
        ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"]
            .into_iter()
            .all(need)
    }

    /// Starts one, and returns when it can be used.
    pub fn start() -> Keyring {
        let folder = tempfile::tempdir().expect("make the keyring's folder");
        for name in ["home", "data", "run"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).expect("make a folder");
            set_mode(&path, 0o700);
        }

        let mut bus = command(folder.path(), &program("dbus-daemon"));
        let address = address(folder.path());
        bus.args(["--session", "--nofork", "--nopidfile", "--address"])
            .arg(&address);
        let bus = Running::start(bus, b"");
        let socket = folder.path().join("bus");
        wait_until("the bus listens", &bus, || {
            UnixStream::connect(&socket).is_ok()
        });

        let mut daemon = command(folder.path(), &runnable_daemon(folder.path()));
        daemon.args(["--foreground", "--unlock", "--components=secrets"]);
        let daemon = Running::start(daemon, PASSWORD);
        let keyring = Keyring {
            daemon,
            bus,
            folder,
        };
        // A client that calls before the daemon owns its name makes the bus start another one,
        // and that one is locked. Asking the bus itself starts nothing.
        wait_until("the keyring is on the bus", &keyring.daemon, || {
            let owned = keyring.call(
                "org.freedesktop.DBus",
                "/",
                "org.freedesktop.DBus.NameHasOwner",
                &format!("string:{SERVICE}"),
            );
            owned.contains("true")
        });
        wait_until("there is a default collection", &keyring.daemon, || {
            keyring.default_collection().is_some()
        });
        keyring
    }

    /// The bus, for `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> String {
        address(self.folder.path())
    }

    /// What the bus calls itself when somebody joins it: the first line of its handshake.
    pub fn guid(&self) -> String {
        let mut bus = UnixStream::connect(self.folder.path().join("bus")).expect("the bus");
        let user = rustix::process::geteuid().as_raw().to_string();
        let hello = format!("\0AUTH EXTERNAL {}\r\n", hex(user.as_bytes()));
        bus.write_all(hello.as_bytes()).expect("greet the bus");
        let mut line = String::new();
        BufReader::new(bus)
            .read_line(&mut line)
            .expect("its answer");
        let guid = line.trim_end().strip_prefix("OK ");
        guid.expect("the bus takes its own user").to_owned()
    }

    /// The path on the bus of the collection that new secrets go to.
    pub fn default_collection(&self) -> Option<String> {
        let said = self.service("ReadAlias", "string:default");
        let path = said.trim();
        path.contains("/collection/").then(|| path.to_owned())
    }

    /// The same, where there must be one: a daemon that is busy with a call that was cut off may
    /// take a moment to answer.
    fn collection(&self) -> String {
        for _ in 0..100 {
            if let Some(collection) = self.default_collection() {
                return collection;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("there is no default collection");
    }

    /// Whether the default collection is locked.
    pub fn is_locked(&self) -> bool {
        self.property("Locked").contains("true")
    }

    /// Whether the default collection holds nothing.
    pub fn is_empty(&self) -> bool {
        !self.property("Items").contains("/org/freedesktop")
    }

    /// What dbus-send prints of a property of the default collection.
    fn property(&self, name: &str) -> String {
        let collection = self.collection();
        let mut send = self.send(SERVICE, &collection, GET);
        let property = format!("string:{name}");
        send.args(["string:org.freedesktop.Secret.Collection", &property]);
        finish(send)
    }

    /// Locks the default collection; only a prompt, which nobody can answer here, unlocks it.
    pub fn lock(&self) {
        let collection = self.collection();
        self.service("Lock", &format!("array:objpath:{collection}"));
        assert!(self.is_locked(), "the keyring did not lock");
    }

    /// Deletes the default collection, so that new secrets have no place.
    pub fn delete_default(&self) {
        let collection = self.collection();
        let method = "org.freedesktop.Secret.Collection.Delete";
        finish(self.send(SERVICE, &collection, method));
        assert!(self.default_collection().is_none(), "there is a default");
    }

    /// Whether the daemon answers, and is not locked.
    pub fn is_well(&self) -> bool {
        const SOON: Duration = Duration::from_secs(5);
        let read = "org.freedesktop.Secret.Service.ReadAlias";
        let mut send = self.send(SERVICE, SERVICE_PATH, read);
        send.arg("string:default");
        let locked = said_within(send, SOON).and_then(|alias| {
            let mut send = self.send(SERVICE, alias.trim(), GET);
            send.args(["string:org.freedesktop.Secret.Collection", "string:Locked"]);
            said_within(send, SOON)
        });
        locked.is_ok_and(|locked| locked.contains("false"))
    }

    /// The names of the tokens that are stored there.
    pub fn names(&self) -> BTreeSet<String> {
        let name = |item: &String| {
            let mut send = self.send(SERVICE, item, GET);
            send.args(["string:org.freedesktop.Secret.Item", "string:Attributes"]);
            let said = finish(send);
            let mut words = said.split_whitespace();
            words.find(|word| *word == "username")?;
            words.next().map(str::to_owned)
        };
        // What a client asked for before it was killed may still be under way, so an item can go
        // between the two questions.
        for _ in 0..10 {
            if let Some(names) = self.items().iter().map(name).collect() {
                return names;
            }
        }
        panic!("an item without a user name");
    }

    /// Removes all tokens.
    pub fn clear(&self) {
        // What a client asked for before it was killed may still be under way.
        for _ in 0..10 {
            let items = self.items();
            if items.is_empty() {
                return;
            }
            for item in items {
                finish(self.send(SERVICE, &item, "org.freedesktop.Secret.Item.Delete"));
            }
        }
        panic!("items that cannot be removed");
    }

    /// Everything of ours, answers to renewals included.
    fn items(&self) -> Vec<String> {
        let services = ["git-credential-hf", "git-credential-hf-renewal"];
        let said = services.map(|service| {
            let ours = format!("dict:string:string:service,{service}");
            self.service("SearchItems", &ours)
        });
        let words = said.iter().flat_map(|said| said.split_whitespace());
        let items = words.filter(|word| word.contains("/collection/"));
        items.map(str::to_owned).collect()
    }

    fn service(&self, method: &str, argument: &str) -> String {
        let method = format!("org.freedesktop.Secret.Service.{method}");
        self.call(SERVICE, SERVICE_PATH, &method, argument)
    }

    fn call(&self, to: &str, path: &str, method: &str, argument: &str) -> String {
        let mut send = self.send(to, path, method);
        send.arg(argument);
        finish(send)
    }

    fn send(&self, to: &str, path: &str, method: &str) -> Command {
        let mut send = command(self.folder.path(), &program("dbus-send"));
        send.args(["--session", "--print-reply=literal"]).args([
            format!("--dest={to}").as_str(),
            path,
            method,
        ]);
        send
    }
}

/// What dbus-send prints, which is nothing when the call fails.
fn finish(send: Command) -> String {
    said_within(send, PATIENCE).expect("the bus answers")
}

fn said_within(send: Command, deadline: Duration) -> Result<String, String> {
    let done = process::run(send, b"", deadline)?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn address(folder: &Path) -> String {
    format!("unix:path={}", folder.join("bus").display())
}

/// A command with the keyring's own environment, which the services that the bus starts inherit.
fn command(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder.join("home"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_CACHE_HOME", folder.join("data"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("DBUS_SESSION_BUS_ADDRESS", address(folder))
        .env("LANG", "C.UTF-8");
    command
}

fn program(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("{name} is not installed"))
}

/// The keyring daemon, in a form that runs here. Packages give the file a capability to lock
/// memory, and the kernel refuses to run such a file where that capability cannot be had, as in
/// most containers. A copy has no capability, and does without the locking.
fn runnable_daemon(folder: &Path) -> PathBuf {
    let installed = program("gnome-keyring-daemon");
    if Command::new(&installed).arg("--version").output().is_ok() {
        return installed;
    }
    let copy = folder.join("gnome-keyring-daemon");
    copy_program(&installed, &copy);
    copy
}

fn wait_until(what: &str, process: &Running, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            let (stdout, stderr) = process.so_far();
            let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
            panic!("waited {PATIENCE:?} in vain until {what}: {said}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A bus that accepts every connection and never says a word.
pub struct DeadBus {
    socket: PathBuf,
    stopping: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl DeadBus {
    pub fn start() -> DeadBus {
        let folder = tempfile::tempdir().expect("make the bus's folder");
        let socket = folder.path().join("bus");
        let listener = UnixListener::bind(&socket).expect("listen on a socket");
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let listener = thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                silent.extend(stream);
            }
        });
        DeadBus {
            socket,
            stopping,
            listener: Some(listener),
            _folder: folder,
        }
    }

    /// The bus, for `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket.display())
    }
}

impl Drop for DeadBus {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Accepting ends with one more connection, which finds the flag set.
        let _ = UnixStream::connect(&self.socket);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}
