//! A user's machine: a fresh home, a clean environment, the helper on the PATH, and the Hub as
//! the only network. Everything that runs there is watched for secrets in its output.

use super::hub::Hub;
use super::modes::set_mode;
use super::process::{Finished, Running};
use super::programs::write_program;
use super::tools::{Git, find_in, gits};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HELPER: &str = "git-credential-hf";

/// A machine of its own for one test. Its settings may be changed while other threads use it.
pub struct Machine {
    root: TempDir,
    git: Git,
    env: Mutex<BTreeMap<OsString, OsString>>,
    forbidden: Mutex<Vec<(String, String)>>,
    tokens: Box<dyn Fn() -> Vec<(String, String)> + Send + Sync>,
}

/// Runs a test with each git, every time on a new machine before a new Hub. `set` prepares them.
pub fn with_each_git(set: impl Fn(&Hub, &Machine), test: impl FnMut(&Hub, &Machine)) {
    with_each_git_before(Hub::start, set, test);
}

/// As [`with_each_git`], before Hubs that are started in this way.
pub fn with_each_git_before(
    start: impl Fn() -> Hub,
    set: impl Fn(&Hub, &Machine),
    mut test: impl FnMut(&Hub, &Machine),
) {
    for git in gits() {
        let hub = start();
        let machine = Machine::new(&hub).with_git(&git);
        set(&hub, &machine);
        test(&hub, &machine);
    }
}

impl Machine {
    /// A machine that reaches `hub`, with the newest git there is.
    pub fn new(hub: &Hub) -> Machine {
        let root = tempfile::tempdir().expect("make the machine's folder");
        let at = |name: &str| root.path().join(name);
        for folder in ["home", "bin", "run", "certificates"] {
            fs::create_dir(at(folder)).expect("make a folder");
        }
        set_mode(at("run"), 0o700);
        symlink(
            env!("CARGO_BIN_EXE_git-credential-hf"),
            at("bin").join(HELPER),
        )
        .expect("put the helper on the PATH");

        let mut env = BTreeMap::new();
        let mut set = |key: &str, value: &OsStr| env.insert(key.into(), value.into());
        set("HOME", at("home").as_os_str());
        set("XDG_RUNTIME_DIR", at("run").as_os_str());
        set("LANG", "C.UTF-8".as_ref());
        set("GIT_CONFIG_SYSTEM", "/dev/null".as_ref());
        set("GIT_TERMINAL_PROMPT", "0".as_ref());
        set("GIT_SSL_CAINFO", hub.ca_file().as_os_str());
        // Without this each git reads all of the system's certificates too, which takes it longer
        // than all the rest.
        set("GIT_SSL_CAPATH", at("certificates").as_os_str());
        set(
            "DBUS_SESSION_BUS_ADDRESS",
            "unix:path=/nonexistent".as_ref(),
        );
        for key in ["HTTPS_PROXY", "https_proxy", "http_proxy"] {
            set(key, hub.proxy_url().as_ref());
        }

        let git = gits().swap_remove(0);
        let machine = Machine {
            root,
            git,
            env: Mutex::new(env),
            forbidden: Mutex::default(),
            tokens: Box::new(hub.secrets()),
        };
        machine.write(
            ".gitconfig",
            "[user]\n\tname = Test User\n\temail = user@example.com\n",
        );
        machine
    }

    /// The same machine with another git.
    #[must_use]
    pub fn with_git(mut self, git: &Git) -> Machine {
        self.git = git.clone();
        self
    }

    /// Sets a variable for everything that runs from now on.
    pub fn env(&self, key: &str, value: impl AsRef<OsStr>) {
        lock(&self.env).insert(key.into(), value.as_ref().into());
    }

    /// Removes a variable for everything that runs from now on.
    pub fn unset(&self, key: &str) {
        lock(&self.env).remove(OsStr::new(key));
    }

    /// One more secret that no output may show. The Hub's tokens need not be named.
    pub fn forbid(&self, secret: &str) {
        let label = format!("forbidden {}", lock(&self.forbidden).len());
        lock(&self.forbidden).push((label, secret.to_owned()));
    }

    /// The file with the authority that the Hub's certificates are from.
    pub fn hub_ca(&self) -> OsString {
        let env = lock(&self.env);
        let file = env.get(OsStr::new("GIT_SSL_CAINFO"));
        file.cloned().expect("git's authority")
    }

    /// The user's home, which is also where commands run unless told otherwise.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The folder in front of the PATH, for programs that a test puts there.
    pub fn bin(&self) -> PathBuf {
        self.root.path().join("bin")
    }

    /// A text file, by its path from the home.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.home().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a program to a folder that is on the PATH, and returns its path.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.bin().join(name);
        write_program(&path, text);
        path
    }

    /// Writes a file, by its path from the home, with the folders it takes.
    pub fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
        let path = self.home().join(path);
        let folder = path.parent().expect("a file in a folder");
        fs::create_dir_all(folder).expect("make the folders");
        fs::write(&path, contents).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// The files below the home that hold a secret.
    pub fn files_with_secrets(&self) -> Vec<PathBuf> {
        let secrets = self.secrets();
        let mut found = Vec::new();
        let mut folders = vec![self.home()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("list a folder") {
                let entry = entry.expect("list a folder");
                let kind = entry.file_type().expect("the kind of a file");
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let bytes = fs::read(entry.path()).expect("read a file");
                    let text = String::from_utf8_lossy(&bytes);
                    if secrets.iter().any(|(_, secret)| text.contains(secret)) {
                        found.push(entry.path());
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// Git, to be run in the home unless `dir` says otherwise.
    pub fn git(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Run<'_> {
        self.command(&self.git.path, arguments)
    }

    /// The helper, called by its name.
    pub fn helper(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Run<'_> {
        self.command(self.bin().join(HELPER), arguments)
    }

    /// Any program.
    pub fn command(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item: AsRef<OsStr>>,
    ) -> Run<'_> {
        let mut env = lock(&self.env).clone();
        let path = env.entry("PATH".into()).or_insert_with(|| self.path());
        // For a bare name std would first copy all of this process, which takes longer.
        let program = Path::new(program.as_ref());
        let is_bare = program.components().count() == 1;
        let found = is_bare.then(|| find_in(path, program)).flatten();
        let mut command = Command::new(found.as_deref().unwrap_or(program));
        command
            .args(arguments)
            .env_clear()
            .envs(env)
            .current_dir(self.home());
        Run {
            machine: self,
            command,
            stdin: Vec::new(),
            timeout: Duration::from_secs(60),
            may_print_secret: false,
        }
    }

    fn path(&self) -> OsString {
        let git = self.git.path.parent().expect("git in a folder");
        let bin = self.bin();
        let folders = [&bin, git, Path::new("/usr/bin"), Path::new("/bin")];
        std::env::join_paths(folders).expect("a PATH")
    }

    fn secrets(&self) -> Vec<(String, String)> {
        let mut secrets = (self.tokens)();
        secrets.extend(lock(&self.forbidden).iter().cloned());
        secrets
    }
}

/// A command about to run on a machine.
pub struct Run<'m> {
    machine: &'m Machine,
    command: Command,
    stdin: Vec<u8>,
    timeout: Duration,
    may_print_secret: bool,
}

impl<'m> Run<'m> {
    /// More arguments.
    #[must_use]
    pub fn and(mut self, more: &[&str]) -> Self {
        self.command.args(more);
        self
    }

    /// The whole of its input; without this it reads an empty one.
    #[must_use]
    pub fn stdin(mut self, input: impl AsRef<[u8]>) -> Self {
        self.stdin = input.as_ref().to_vec();
        self
    }

    /// Where it runs, from the home.
    #[must_use]
    pub fn dir(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(self.machine.home().join(path));
        self
    }

    /// A variable for this command only.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// When it is killed with all its children and the test fails; 60 seconds without this.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Allows secrets on its stdout. On stderr they never are.
    #[must_use]
    pub fn may_print_secret(mut self) -> Self {
        self.may_print_secret = true;
        self
    }

    /// The command as it would be started, without its input.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.start().wait()
    }

    /// Runs it, and fails the test unless it succeeds.
    pub fn ok(self) -> Output {
        self.run().ok()
    }

    /// Runs it, and fails the test unless it fails.
    pub fn fails(self) -> Output {
        self.run().fails()
    }

    /// Starts it, to be waited for or killed later.
    pub fn start(self) -> Started<'m> {
        let shown = [self.command.get_program()]
            .into_iter()
            .chain(self.command.get_args())
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ");
        Started {
            machine: self.machine,
            running: Running::start(self.command, &self.stdin),
            shown,
            timeout: self.timeout,
            may_print_secret: self.may_print_secret,
        }
    }
}

/// A command under way on a machine.
pub struct Started<'m> {
    machine: &'m Machine,
    running: Running,
    shown: String,
    timeout: Duration,
    may_print_secret: bool,
}

impl Started<'_> {
    /// The process id, which is also that of its group.
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Waits until it has a file open that is `path`, or below it, from the home. A process that
    /// waits for a lock has opened the file of the lock.
    pub fn wait_until_it_opens(&self, path: impl AsRef<Path>) {
        let path = self.machine.home().join(path);
        let open = format!("/proc/{}/fd", self.id());
        let is_open = || {
            let entries = fs::read_dir(&open).into_iter().flatten().flatten();
            let mut files = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
            files.any(|file| file.starts_with(&path))
        };
        self.wait_until(&format!("{} is open", path.display()), is_open);
    }

    /// Waits until this is on its stdout.
    pub fn wait_until_it_prints(&self, text: &str) {
        let is_printed = || {
            let (stdout, _) = self.running.so_far();
            String::from_utf8_lossy(&stdout).contains(text)
        };
        self.wait_until(&format!("{text:?} is printed"), is_printed);
    }

    fn wait_until(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            let (stdout, stderr) = self.running.so_far();
            assert!(
                start.elapsed() < self.timeout,
                "{}: waited {:?} in vain until {what}: {}",
                self.shown,
                self.timeout,
                String::from_utf8_lossy(&[stdout, stderr].concat())
            );
            sleep(Duration::from_millis(5));
        }
    }

    /// Kills it and its children, as `kill -9` does.
    pub fn kill(mut self) {
        self.running.kill();
    }

    /// Waits for its end, and checks that what it printed is no secret.
    pub fn wait(self) -> Output {
        let Finished {
            code,
            stdout,
            stderr,
        } = match self.running.wait(self.timeout) {
            Ok(finished) => finished,
            Err(words) => panic!("{}: {words}", self.shown),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let output = Output {
            command: self.shown,
            code,
            stdout: text(&stdout),
            stderr: text(&stderr),
        };
        for (label, secret) in self.machine.secrets() {
            let told = output.stderr.contains(&secret)
                || (!self.may_print_secret && output.stdout.contains(&secret));
            assert!(!told, "the secret {label:?} was printed by {output}");
        }
        output
    }
}

/// What a command printed and how it ended.
#[derive(Clone, Debug)]
pub struct Output {
    command: String,
    /// The exit status; 128 and the signal's number if it was killed.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Fails the test unless the command succeeded.
    pub fn ok(self) -> Output {
        assert_eq!(self.code, 0, "should have succeeded: {self}");
        self
    }

    /// Fails the test unless the command failed.
    pub fn fails(self) -> Output {
        assert_ne!(self.code, 0, "should have failed: {self}");
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Output {
            command,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            to,
            "{command}\n--- exit {code}, stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
