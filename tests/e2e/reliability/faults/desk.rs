//! The machine on which a command goes wrong, and what must be there afterwards.

use super::rows::*;
use crate::hub::common::{get, label};
use crate::support::faults::{Action, Fault, Hit, Point};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{OAuth, WhoAmI};
use crate::support::keyring::Keyring;
use crate::support::machine::Machine;
use crate::support::user::{CONFIG, DATA, STATE};
use git_credential_hf::config::Config;
use git_credential_hf::model::token_name::TokenName;
use git_credential_hf::state::State;
use git_credential_hf::state::file::StateFile;
use git_credential_hf::storage::file::FileStorage;
use git_credential_hf::storage::{Storage, StorageKind};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A user with tokens and rules, made anew for every fault.
pub(super) struct Desk {
    pub(super) hub: Hub,
    pub(super) machine: Machine,
    pub(super) oauth: OAuth,
    pub(super) keyring: RefCell<Option<Keyring>>,
    pub(super) prepare: fn(&Desk),
    /// The home as it was before the fault, where that is all there is to restore.
    pub(super) template: PathBuf,
    /// The refresh token in it.
    pub(super) refresh_token: Option<String>,
    /// The kills that have ended a login.
    pub(super) lost: RefCell<Vec<String>>,
}

impl Desk {
    pub(super) fn new(row: &Row) -> Desk {
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

    pub(super) fn start_keyring(&self) {
        let keyring = Keyring::start();
        let address = keyring.address();
        self.machine.env("DBUS_SESSION_BUS_ADDRESS", address);
        self.keyring.replace(Some(keyring));
    }

    pub(super) fn fill(&self) {
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
    pub(super) fn reset(&self) {
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

    pub(super) fn token(&self, label: &str) -> String {
        let known = self.hub.secrets()();
        let found = known.into_iter().find(|(known, _)| known == label);
        found.expect(label).1
    }

    /// Which token git gets, `-` for none.
    pub(super) fn answer(&self, path: &str) -> String {
        let answer = get(&self.machine, path).run();
        let label = label(&self.hub, &answer).unwrap_or_else(|| "-".to_owned());
        label.split(' ').next().unwrap_or_default().to_owned()
    }

    pub(super) fn state(&self) -> State {
        let path = self.machine.home().join(STATE);
        StateFile::new(path)
            .load()
            .expect("a state that can be read")
    }

    /// What holds after any fault.
    pub(super) fn is_whole(&self) {
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
    pub(super) fn nothing_is_unlisted(&self, state: &State) {
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
    pub(super) fn is_clean(&self) {
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
    pub(super) fn write_once_more(&self, action: &Action) {
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

    pub(super) fn refresh_token_is_good(&self) -> bool {
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
    pub(super) fn is_alive(&self, point: &Point, fault: Fault) -> bool {
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
    pub(super) fn survives(
        &self,
        row: &Row,
        point: &Point,
        fault: Fault,
        git_files: &[Vec<u8>],
    ) -> bool {
        self.reset();
        let action = (row.action)(self);
        let (output, hit) = action.with_fault(&self.machine, point, fault);
        let happened = hit == Hit::Point;
        if let Fault::Error(_) = fault {
            assert!(output.code <= 1, "{output}");
            let words = ["git-credential-hf: ", "error: "];
            let told = output.code == 0
                || words.iter().any(|word| output.stderr.contains(word))
                || output.stdout.contains("no: ");
            let told = told || hit == Hit::Words;
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
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
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

pub(super) fn copy(from: &Path, to: &Path) {
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
