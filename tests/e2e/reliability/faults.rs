//! `kill -9`, a full disk and a keyring that breaks off, at every system call by which a command
//! changes anything: not by luck, but one after the other. Whatever was there before is there
//! afterwards, every file can be read, no secret lies where nobody knows of it, the next command
//! works, and it cleans up.
//!
//! `cargo test --test e2e faults:: -- --nocapture` prints how many faults each command survived.

use crate::hub::common::{get, label};
use crate::support::faults::{Action, Fault, Point};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{OAuth, WhoAmI};
use crate::support::keyring::Keyring;
use crate::support::machine::Machine;
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, STATE, TYPED};
use git_credential_hf::config::Config;
use git_credential_hf::model::token_name::TokenName;
use git_credential_hf::selection::{Mark, Tried};
use git_credential_hf::state::State;
use git_credential_hf::state::file::StateFile;
use git_credential_hf::storage::Storage;
use git_credential_hf::storage::StorageKind;
use git_credential_hf::storage::file::FileStorage;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

const HF_FOLDER: &str = ".cache/huggingface";
const HF_STORED: &str = ".cache/huggingface/stored_tokens";
const HF_TOKEN: &str = ".cache/huggingface/token";

/// What git saves for `new/x`.
const SAVED: &str = "git:alice@huggingface.co/new/x";

/// How many faults of a row may end a login: kills after the Hub has answered and before the
/// answer is written, and an answer that never arrives.
const LOST: usize = 3;

const HUB: &str = "protocol=https\nhost=huggingface.co\n";

/// A command, and what it may leave.
struct Row {
    what: &'static str,
    /// Needs a keyring.
    keyring: bool,
    /// It waits for a second, so several of it run side by side.
    jobs: usize,
    /// What is there beside what is always there.
    prepare: fn(&Desk),
    action: fn(&Desk) -> Action,
    /// A repo, the tokens that git may get for it after a fault, and the one it gets once the
    /// command was run again. `-` is none.
    watch: &'static [(&'static str, &'static str, &'static str)],
    /// To run it again when it is done is an error.
    once: bool,
    /// It renews a browser login, which must be alive afterwards.
    renews: bool,
}

const fn row(
    what: &'static str,
    prepare: fn(&Desk),
    action: fn(&Desk) -> Action,
    watch: &'static [(&'static str, &'static str, &'static str)],
) -> Row {
    Row {
        what,
        keyring: false,
        jobs: 1,
        prepare,
        action,
        watch,
        once: false,
        renews: false,
    }
}

impl Row {
    const fn keyring(self) -> Row {
        Row {
            keyring: true,
            jobs: 3,
            ..self
        }
    }

    const fn once(self) -> Row {
        Row { once: true, ..self }
    }

    const fn renews(self) -> Row {
        Row {
            renews: true,
            ..self
        }
    }

    const fn slow(self, jobs: usize) -> Row {
        Row { jobs, ..self }
    }
}

const CHANGES: &[(&str, &str, &str)] = &[("changing/x", "c0 c1", "c1")];
const GOES: &[(&str, &str, &str)] = &[("changing/x", "c0 -", "-")];
const STAYS: &[(&str, &str, &str)] = &[("changing/x", "c0", "c0")];
const RENEWS: &[(&str, &str, &str)] = &[("changing/x", "oauth", "oauth")];
const COMES: &[(&str, &str, &str)] = &[("new/x", "- new", "new")];

fn rows() -> Vec<Row> {
    vec![
        row(
            "login --web",
            in_file,
            login_web,
            &[("changing/x", "c0 oauth", "oauth")],
        )
        .slow(6),
        row(
            "login, from a file into the keyring",
            in_file,
            |desk| login(desk, "changing", "c1", "keyring"),
            CHANGES,
        )
        .keyring(),
        row(
            "login, from the keyring into a file",
            in_keyring,
            |desk| login(desk, "changing", "c1", "file"),
            CHANGES,
        )
        .keyring(),
        row(
            "login, new in the keyring",
            in_keyring,
            |desk| login(desk, "new", "new", "keyring"),
            COMES,
        )
        .keyring(),
        row(
            "login, another token in the keyring",
            in_keyring,
            |desk| login(desk, "changing", "c1", "keyring"),
            CHANGES,
        )
        .keyring(),
        row("rename, keyring", in_keyring, |_| rename(), STAYS)
            .keyring()
            .once(),
        row("logout, keyring", in_keyring, |_| logout(), GOES)
            .keyring()
            .once(),
        row("get, renews", in_browser, |_| ask("changing/x"), RENEWS)
            .renews()
            .slow(2),
        row(
            "get, renews in the keyring",
            in_browser_keyring,
            |_| ask("changing/x"),
            RENEWS,
        )
        .renews()
        .keyring(),
        row(
            "get, renews the hf CLI's login",
            in_hf_cli,
            |_| ask("changing/x"),
            RENEWS,
        )
        .renews()
        .slow(2),
        row(
            "refresh",
            in_browser,
            |_| Action::new(&["refresh", "changing"], ""),
            RENEWS,
        )
        .renews()
        .slow(2),
        row(
            "login, new in a file",
            in_file,
            |desk| login(desk, "new", "new", "file"),
            COMES,
        ),
        row(
            "login, another token in a file",
            in_file,
            |desk| login(desk, "changing", "c1", "file"),
            CHANGES,
        ),
        row("login, asks the Hub", in_file, login_verified, CHANGES),
        row("rename, file", in_file, |_| rename(), STAYS).once(),
        row(
            "rename, what git saved",
            in_saved,
            rename_saved,
            &[("new/x", "new", "new")],
        )
        .once(),
        row("logout, file", in_file, |_| logout(), GOES).once(),
        row(
            "use",
            in_file,
            |_| Action::new(&["use", "changing", "--for", "new", "--default"], ""),
            &[
                ("changing/x", "c0", "c0"),
                ("new/x", "- c0", "c0"),
                ("any/x", "- c0", "c0"),
            ],
        ),
        row(
            "unuse",
            in_file,
            |_| Action::new(&["unuse", "changing"], ""),
            GOES,
        )
        .once(),
        row(
            "store, for a repo",
            in_file,
            |desk| store(desk, "path=new/x\n", "new"),
            COMES,
        ),
        row(
            "store, for the host",
            in_file,
            |desk| store(desk, "", "new"),
            COMES,
        ),
        row(
            "store, with expiry and refresh token",
            in_file,
            store_renewable,
            COMES,
        ),
        row(
            "store, another token for a repo",
            in_store,
            |desk| store(desk, "path=new/x\n", "c1"),
            &[("new/x", "new c1", "c1")],
        ),
        row(
            "erase, with the password",
            in_store,
            |desk| erase(desk, "path=new/x\n", Some("new")),
            &[("new/x", "new -", "-")],
        ),
        row(
            "erase, without a password",
            in_store,
            |desk| erase(desk, "path=new/x\n", None),
            &[("new/x", "new -", "-")],
        ),
        row(
            "erase, remembers a rejection",
            in_file,
            |desk| erase(desk, "path=changing/x\n", Some("c0")),
            GOES,
        ),
        row("get, remembers a rejection", in_file, ask_again, GOES),
        row(
            "get, learns of another value",
            in_another_value,
            |_| ask("changing/x"),
            STAYS,
        ),
        row(
            "get, learns what a command printed",
            in_command,
            |_| ask("new/x"),
            &[("new/x", "new", "new")],
        ),
        row(
            "configure",
            in_file,
            |_| Action::new(&["configure"], ""),
            STAYS,
        ),
        row(
            "unconfigure",
            in_git,
            |_| Action::new(&["unconfigure"], ""),
            STAYS,
        ),
    ]
}

fn login(desk: &Desk, name: &str, token: &str, storage: &str) -> Action {
    let fixed = ["login", name, "--with-token", "--no-verify"];
    let more = ["--for", name, "--storage", storage];
    Action::new(&[&fixed[..], &more].concat(), desk.token(token))
}

fn login_verified(desk: &Desk) -> Action {
    let arguments = ["login", "changing", "--with-token", "--default"];
    Action::new(&arguments, desk.token("c1"))
}

fn login_web(_: &Desk) -> Action {
    Action::new(&["login", "changing", "--web"], "")
}

fn logout() -> Action {
    Action::new(&["logout", "changing"], "")
}

fn rename() -> Action {
    Action::new(&["rename", "changing", "renamed"], "")
}

fn rename_saved(_: &Desk) -> Action {
    Action::new(&["rename", SAVED, "renamed"], "")
}

fn ask(path: &str) -> Action {
    Action::new(&["get"], format!("{HUB}path={path}\n"))
}

/// As git does when the first answer was refused.
fn ask_again(desk: &Desk) -> Action {
    let state = desk.state();
    let token = &state.tokens[&TokenName::existing("changing")];
    let tried = Tried::new(token.fingerprint.clone(), "hf_user", false);
    let state = Mark::Tried(tried).to_text();
    let request =
        format!("capability[]=state\nstate[]={state}\nusername=hf_user\n{HUB}path=changing/x\n");
    Action::new(&["get"], request).by_git()
}

fn store(desk: &Desk, more: &str, token: &str) -> Action {
    let token = desk.token(token);
    let input = format!("{TYPED}{HUB}{more}username=alice\npassword={token}\n");
    Action::new(&["store"], input)
}

fn store_renewable(desk: &Desk) -> Action {
    let refresh = desk.token("refresh");
    let more =
        format!("path=new/x\npassword_expiry_utc=4102444800\noauth_refresh_token={refresh}\n");
    store(desk, &more, "new")
}

fn erase(desk: &Desk, more: &str, token: Option<&str>) -> Action {
    let password = token.map_or_else(String::new, |token| {
        format!("password={}\n", desk.token(token))
    });
    let input = format!("{HUB}{more}username=alice\n{password}");
    Action::new(&["erase"], input)
}

fn in_file(desk: &Desk) {
    login(desk, "changing", "c0", "file")
        .plain(&desk.machine)
        .ok();
}

fn in_keyring(desk: &Desk) {
    login(desk, "changing", "c0", "keyring")
        .plain(&desk.machine)
        .ok();
}

fn in_store(desk: &Desk) {
    store(desk, "path=new/x\n", "new").plain(&desk.machine).ok();
}

fn in_saved(desk: &Desk) {
    in_store(desk);
    desk.machine.helper(["use", SAVED, "--for", "new"]).ok();
}

fn in_git(desk: &Desk) {
    in_file(desk);
    desk.machine.configure();
}

/// A token from a browser login that is due.
fn in_browser(desk: &Desk) {
    in_browser_and(desk, "file");
}

fn in_browser_keyring(desk: &Desk) {
    in_browser_and(desk, "keyring");
}

fn in_browser_and(desk: &Desk, storage: &str) {
    desk.oauth.expires_in(60);
    let arguments = ["login", "changing", "--web", "--storage", storage];
    Action::new(&arguments, "").plain(&desk.machine).ok();
    desk.oauth.expires_in(3600);
    let rule = ["use", "changing", "--for", "changing"];
    desk.machine.helper(rule).ok();
}

/// A browser login in the hf CLI's files that has just expired.
fn in_hf_cli(desk: &Desk) {
    let (access, refresh) = desk.oauth.login(&desk.hub);
    let end = desk.machine.now() - 1;
    let stored = format!(
        "[changing]\nhf_token = {access}\nrefresh_token = {refresh}\nexpires_at = {end}\n\n"
    );
    desk.machine.write(HF_STORED, stored);
    desk.machine.write(HF_TOKEN, access);
}

/// The state a kill between the two writes of a login leaves, a while later.
fn in_another_value(desk: &Desk) {
    in_file(desk);
    let mut state = desk.machine.state();
    let known = state["tokens"]["changing"]["fingerprint"].take();
    state["tokens"]["changing"]["fingerprint"] = "0".repeat(32).into();
    state["tokens"]["changing"]["former"] = serde_json::json!([known]);
    state["tokens"]["changing"]["added"] = 1_700_000_000.into();
    desk.machine.write(STATE, state.to_string());
}

fn in_command(desk: &Desk) {
    let vault = desk.machine.bin().join("vault");
    fs::write(&vault, desk.token("new")).expect("fill the vault");
    let config = desk.machine.read(CONFIG);
    let command = format!("[commands]\nvault = [\"cat\", {vault:?}]\n");
    let rule = "[rules]\n\"new/x\" = \"vault\"\n";
    desk.machine.write(
        CONFIG,
        format!("{}{command}", config.replacen("[rules]\n", rule, 1)),
    );
}

/// A user with tokens and rules, made anew for every fault.
struct Desk {
    hub: Hub,
    machine: Machine,
    oauth: OAuth,
    keyring: RefCell<Option<Keyring>>,
    prepare: fn(&Desk),
    /// The home as it was before the fault, where that is all there is to restore.
    template: PathBuf,
    /// The refresh token in it.
    refresh_token: Option<String>,
    /// The kills that have ended a login.
    lost: RefCell<Vec<String>>,
}

impl Desk {
    fn new(row: &Row) -> Desk {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        let oauth = OAuth::start(&hub, &[("changing", Write)], 3600);
        WhoAmI::start(&hub);
        for label in ["steady", "kept", "c0", "c1", "new", "refresh", "last"] {
            hub.add_token(label, &[]);
        }
        let template = machine.home().with_extension("template");
        let mut desk = Desk {
            hub,
            machine,
            oauth,
            keyring: RefCell::default(),
            prepare: row.prepare,
            template,
            refresh_token: None,
            lost: RefCell::default(),
        };
        if row.keyring {
            desk.start_keyring();
        }
        desk.fill();
        copy(&desk.machine.home(), &desk.template);
        desk.refresh_token = desk.oauth.good();
        desk
    }

    fn start_keyring(&self) {
        let keyring = Keyring::start();
        let address = keyring.address();
        self.machine.env("DBUS_SESSION_BUS_ADDRESS", address);
        self.keyring.replace(Some(keyring));
    }

    fn fill(&self) {
        let machine = &self.machine;
        machine.write(".gitconfig", "[user]\n\tname = Test User\n# the last line");
        // A machine that stands still for a moment must not add a fault of its own: what is said of
        // the deadline would then be the write that fails.
        machine.write(
            CONFIG,
            "# mine\nversion = 1\nkeyring_timeout = 30\n\n[rules]\nold = \"steady\"  # why\n",
        );
        machine.login("steady", &self.token("steady"), &["--for", "steady"]);
        store(self, "path=kept/x\n", "kept").plain(machine).ok();
        (self.prepare)(self);
    }

    /// Brings back what was there before a fault.
    fn reset(&self) {
        let home = self.machine.home();
        fs::remove_dir_all(&home).expect("empty the home");
        copy(&self.template, &home);
        self.oauth.go_back_to(self.refresh_token.clone());
        if self.keyring.borrow().is_none() {
            return;
        }
        // Now and then the daemon has locked itself when its client was killed.
        let locked = |keyring: &Keyring| keyring.is_locked();
        if self.keyring.borrow().as_ref().is_some_and(locked) {
            self.start_keyring();
        }
        if let Some(keyring) = &*self.keyring.borrow() {
            keyring.clear();
        }
        (self.prepare)(self);
    }

    fn token(&self, label: &str) -> String {
        let known = self.hub.secrets()();
        let found = known.into_iter().find(|(known, _)| known == label);
        found.expect(label).1
    }

    /// Which token git gets, `-` for none.
    fn answer(&self, path: &str) -> String {
        let answer = get(&self.machine, path).run();
        let label = label(&self.hub, &answer).unwrap_or_else(|| "-".to_owned());
        label.split(' ').next().unwrap_or_default().to_owned()
    }

    fn state(&self) -> State {
        let path = self.machine.home().join(STATE);
        StateFile::new(path)
            .load()
            .expect("a state that can be read")
    }

    /// What holds after any fault.
    fn is_whole(&self) {
        let state = self.state();
        let path = self.machine.home().join(CONFIG);
        let config = Config::load(&path).expect("a configuration that can be read");
        let rules: BTreeMap<String, &str> = config
            .rules
            .iter()
            .map(|rule| {
                (
                    rule.pattern.to_string(),
                    rule.only_token().unwrap().as_str(),
                )
            })
            .collect();
        for rule in ["old", "steady"] {
            assert_eq!(rules.get(rule), Some(&"steady"), "{rules:?}");
        }
        let text = self.machine.read(CONFIG);
        assert!(
            text.starts_with("# mine\n") && text.contains("\"steady\"  # why\n"),
            "{text}"
        );

        let tokens = self.machine.home().join(DATA).join("tokens");
        let storage = FileStorage::new(tokens);
        for (name, label) in [
            ("steady", "steady"),
            ("git:alice@huggingface.co/kept/x", "kept"),
        ] {
            let name = TokenName::existing(name);
            assert!(state.tokens.contains_key(&name), "{name}");
            let record = storage.read(&name).expect("a token that can be read");
            assert_eq!(record.secret.expose(), self.token(label));
        }
        self.nothing_is_unlisted(&state);
    }

    /// Every secret lies where the state says, or in a temporary file that the next write removes.
    fn nothing_is_unlisted(&self, state: &State) {
        let known = |kind: StorageKind| {
            let tokens = state
                .tokens
                .iter()
                .filter(move |(_, token)| token.storage == kind);
            let left = state
                .stale_copies
                .iter()
                .filter(move |(_, left)| left.contains(&kind));
            let names: BTreeSet<&TokenName> = tokens
                .map(|(name, _)| name)
                .chain(left.map(|(name, _)| name))
                .collect();
            names
        };
        let in_files: Vec<String> = known(StorageKind::File).iter().map(|n| n.hash()).collect();
        let folder = self.machine.home().join(DATA).join("tokens");
        let hf = self.machine.home().join(HF_FOLDER);
        for path in self.machine.files_with_secrets() {
            if path.starts_with(&hf) {
                continue;
            }
            let name = path.file_name().expect("a name").to_string_lossy();
            let listed = in_files.iter().any(|hash| name.contains(hash));
            assert!(
                listed && path.starts_with(&folder),
                "an unlisted secret: {path:?}"
            );
        }
        if let Some(keyring) = &*self.keyring.borrow() {
            let listed = known(StorageKind::Keyring);
            let listed: BTreeSet<String> = listed.iter().map(ToString::to_string).collect();
            let there = keyring.names();
            assert!(
                there.is_subset(&listed),
                "{there:?} in the keyring, {listed:?} listed"
            );
        }
    }

    /// What holds once commands have run again to their end.
    fn is_clean(&self) {
        self.is_whole();
        let state = self.state();
        assert!(state.stale_copies.is_empty(), "{:?}", state.stale_copies);
        let left = files(&self.machine.home());
        let left = left.iter().filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let ends = [".tmp", ".renewal"];
            ends.iter().any(|end| name.ends_with(end))
                || name.ends_with("config.lock") && name.starts_with(".git")
        });
        assert_eq!(left.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
    }

    /// A write by every way that the command has written.
    fn write_once_more(&self, action: &Action) {
        let storage = if self.keyring.borrow().is_some() {
            "keyring"
        } else {
            "file"
        };
        login(self, "last", "last", storage)
            .plain(&self.machine)
            .ok();
        if action.arguments[0].ends_with("configure") {
            self.machine.configure();
        }
    }

    fn refresh_token_is_good(&self) -> bool {
        if !self.machine.home().join(HF_STORED).exists() {
            let renewed = self.machine.helper(["refresh", "changing"]).run();
            return renewed.code == 0;
        }
        let stored = self.machine.read(HF_STORED);
        let mut lines = stored.lines();
        let kept = lines.find_map(|line| line.strip_prefix("refresh_token = "));
        kept.is_some_and(|kept| self.oauth.is_good(kept))
    }

    /// Whether the login can be renewed after a fault. A few kills end it, and then the next
    /// command says what to do.
    fn is_alive(&self, point: &Point, fault: Fault) -> bool {
        let next = get(&self.machine, "changing/x").run();
        if self.refresh_token_is_good() {
            return true;
        }
        let remedies = [
            "git credential-hf login changing --web",
            "hf auth login --force",
        ];
        let told = remedies.iter().any(|remedy| next.stderr.contains(remedy));
        assert!(told, "the login is lost without a word: {next}");
        let mut lost = self.lost.borrow_mut();
        lost.push(point.to_string());
        // An answer that breaks off on its way from the Hub has never been here.
        let cut_off = point.call == "recvfrom";
        assert!(fault == Fault::Kill || cut_off, "lost: {lost:#?}");
        assert!(lost.len() <= LOST, "lost: {lost:#?}");
        false
    }

    /// Goes through one fault, and says whether it came to pass.
    fn survives(&self, row: &Row, point: &Point, fault: Fault, git_files: &[Vec<u8>]) -> bool {
        self.reset();
        let action = (row.action)(self);
        let (output, happened) = action.with_fault(&self.machine, point, fault);
        if let Fault::Error(_) = fault {
            assert!(output.code <= 1, "{output}");
            let words = ["git-credential-hf: ", "error: "];
            let told = output.code == 0
                || words.iter().any(|word| output.stderr.contains(word))
                || output.stdout.contains("no: ");
            assert!(told, "an error without a word: {output}");
        }
        self.is_whole();
        let git_file = fs::read(self.machine.home().join(".gitconfig")).expect("git's own file");
        assert!(
            git_files.contains(&git_file),
            "{}",
            String::from_utf8_lossy(&git_file)
        );
        if row.renews && !self.is_alive(point, fault) {
            return happened;
        }
        for (path, may, _) in row.watch {
            let answer = self.answer(path);
            assert!(
                may.split(' ').any(|it| it == answer),
                "{path} gets {answer}: {output}"
            );
        }
        // As `doctor --fix` does when it is old.
        let lock = self.machine.home().join(".gitconfig.lock");
        if fault == Fault::Kill && lock.exists() {
            let refused = action.plain(&self.machine).fails();
            refused.says(&[".gitconfig.lock", "doctor --fix"]);
            fs::remove_file(lock).expect("remove the lock");
        }
        let again = action.plain(&self.machine).run();
        assert!(
            row.once || again.code == 0 || action.arguments == ["get"],
            "{again}"
        );
        for (path, _, then) in row.watch {
            assert_eq!(self.answer(path), *then, "{path} after {again}");
        }
        // What a process cannot clean up itself, the next one does.
        if fault == Fault::Kill {
            self.write_once_more(&action);
        }
        self.is_clean();
        happened
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("list a folder");
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("list a folder").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("make a folder");
    let mode = fs::metadata(from).expect("the mode").permissions();
    fs::set_permissions(to, mode).expect("set the mode");
    for entry in fs::read_dir(from).expect("list a folder") {
        let path = entry.expect("list a folder").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copy a file");
        }
    }
}

/// Runs every row with a fault at every point that `applies`, and counts.
fn every(faults: &str, rows: Vec<Row>, fault: Fault, applies: fn(&Row, &Point) -> bool) {
    if !need("strace") || !Keyring::is_possible() {
        return;
    }
    let mut jobs = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        jobs.extend((0..row.jobs).map(|job| (at, job)));
    }
    jobs.reverse();
    let jobs = Mutex::new(jobs);
    let done = Mutex::new(Vec::<(usize, Result<bool, String>)>::new());
    let workers = thread::available_parallelism().map_or(2, usize::from) * 2;
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let job = lock(&jobs).pop();
                    let Some((at, job)) = job else { break };
                    let outcomes = go_through(&rows[at], job, fault, applies);
                    lock(&done).extend(outcomes.into_iter().map(|outcome| (at, outcome)));
                }
            });
        }
    });
    let done = done.into_inner().expect("what was done");
    let count = |at: usize| {
        let happened = |(row, outcome): &&(usize, _)| *row == at && *outcome == Ok(true);
        done.iter().filter(happened).count()
    };
    for (at, row) in rows.iter().enumerate() {
        println!("{:>5}  {}", count(at), row.what);
    }
    println!("{faults}: {}", (0..rows.len()).map(count).sum::<usize>());
    let failed: Vec<&String> = done
        .iter()
        .filter_map(|(_, outcome)| outcome.as_ref().err())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let harmless = rows.iter().enumerate().find(|(at, _)| count(*at) == 0);
    assert!(
        harmless.is_none(),
        "nothing went wrong in {:?}",
        harmless.map(|(_, row)| row.what)
    );
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether each fault came to pass, or what was lost by it.
fn go_through(
    row: &Row,
    job: usize,
    fault: Fault,
    applies: fn(&Row, &Point) -> bool,
) -> Vec<Result<bool, String>> {
    let mut desk = Desk::new(row);
    let git_file = |desk: &Desk| fs::read(desk.machine.home().join(".gitconfig")).expect("it");
    let before = git_file(&desk);
    let points = (row.action)(&desk).points(&desk.machine);
    let git_files = [before, git_file(&desk)];
    let points = points.iter().filter(|point| applies(row, point));
    let mine = points.enumerate().filter(|(at, _)| at % row.jobs == job);
    mine.map(|(_, point)| {
        for _ in 0..3 {
            let survives = || desk.survives(row, point, fault, &git_files);
            // What was lost has been printed by then.
            if let Ok(happened) = catch_unwind(AssertUnwindSafe(survives)) {
                return Ok(happened);
            }
            // A daemon that has hung or ended because its client went away says nothing of what
            // this program kept: the same fault meets another daemon.
            let keyring = desk.keyring.borrow();
            if keyring.as_ref().is_none_or(Keyring::is_well) {
                break;
            }
            drop(keyring);
            println!("{}: the keyring broke at {point}", row.what);
            desk = Desk::new(row);
        }
        Err(format!("{}: {fault:?} at {point}", row.what))
    })
    .collect()
}

#[test]
fn a_kill_at_every_write_of_every_command_loses_nothing() {
    every("kills survived", rows(), Fault::Kill, |_, point| {
        point.changes()
    });
}

#[test]
fn a_full_disk_at_every_write_of_every_command_loses_nothing() {
    let full = Fault::Error("ENOSPC");
    every("full disks survived", rows(), full, |_, point| {
        point.needs_space()
    });
}

#[test]
fn a_keyring_that_breaks_off_at_any_word_loses_nothing() {
    let rows = rows().into_iter().filter(|row| row.keyring).collect();
    let reset = Fault::Error("ECONNRESET");
    every("broken keyrings survived", rows, reset, |_, point| {
        point.is_talk()
    });
}

/// What only reads does not even make a lock.
#[test]
fn commands_that_only_look_change_nothing() {
    if !need("strace") {
        return;
    }
    let desk = Desk::new(&row("", in_file, |_| ask("steady/x"), &[]));
    for arguments in [
        ["list"].as_slice(),
        &["list", "--json"],
        &["explain", "changing/x"],
        &["token", "changing/x"],
        &["capability"],
    ] {
        let points = Action::new(arguments, "").points(&desk.machine);
        assert_eq!(points, [], "{arguments:?}");
    }
    for action in [
        ask("changing/x"),
        ask("nobody/x"),
        store(&desk, "path=changing/x\n", "c0"),
        erase(&desk, "path=changing/x\n", Some("new")),
    ] {
        assert_eq!(action.points(&desk.machine), [], "{action:?}");
    }
}
