//! What the Hub answers to a renewal is the only login there is from then on: it is neither lost
//! nor thrown away when the disk is full or the storage breaks meanwhile.

use crate::desk::{BrowserDesk, HF_FOLDER};
use crate::hub::common::{get, label};
use crate::hub::life::HUB;
use crate::support::hub::Response;
use crate::support::keyring::Keyring;
use crate::support::machine::Output;
use crate::support::tools::{cannot, need};
use crate::support::user::DATA;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

const LOGIN: &str = "git credential-hf login me --web";

/// A program run as root, where that takes no password.
fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

/// A small disk of its own in the place of a folder, with what the folder held.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// None where this user cannot mount one, unless every test is to be run in earnest.
    fn over(folder: PathBuf) -> Option<Disk> {
        if !need("mount") {
            return None;
        }
        let held = folder.with_extension("held");
        let run = |program: &str, arguments: &[&Path]| {
            let done = Command::new(program).args(arguments).status();
            done.expect(program).success()
        };
        fs::rename(&folder, &held).expect("move the folder");
        fs::create_dir(&folder).expect("make the folder");
        let user = rustix::process::geteuid().as_raw();
        let options = format!("size=128k,mode=0700,uid={user}");
        let mount = as_root("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&folder)
            .status();
        if !mount.is_ok_and(|status| status.success()) {
            return cannot("no disk can be mounted here");
        }
        let disk = Disk { folder };
        assert!(run("cp", &[Path::new("-a"), &held.join("."), &disk.folder]));
        fs::remove_dir_all(&held).expect("remove what was copied");
        Some(disk)
    }

    fn fill(&self) {
        let mut file = File::create(self.folder.join("filler")).expect("a file");
        while file.write_all(&[b'x'; 512]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.folder.join("filler")).expect("remove the filler");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = as_root("umount").arg("-l").arg(&self.folder).status();
    }
}

/// A browser login that is due.
fn due() -> BrowserDesk {
    BrowserDesk::before_login(60)
}

impl BrowserDesk {
    /// What git is answered, by label, and what is said, when `meanwhile` happens after the Hub has
    /// been asked and before it answers.
    fn get_while(&self, meanwhile: impl FnOnce()) -> (Option<String>, Output) {
        self.oauth.hold();
        let asking = get(&self.machine, "alice/x").start();
        self.oauth.wait_for_renewals(1);
        meanwhile();
        self.oauth.release();
        let output = asking.wait();
        (label(&self.hub, &output), output)
    }

    /// A renewal whose answer is parked: there was no room to replace the login.
    fn interrupt(&self, folder: &str) -> Option<Disk> {
        let disk = Disk::over(self.folder(folder))?;
        let (label, output) = self.get_while(|| disk.fill());
        assert_eq!(label.as_deref(), Some("oauth 2"), "{output}");
        disk.free();
        assert_eq!(self.answers().len(), 1);
        Some(disk)
    }

    /// The files in which answers are parked.
    fn answers(&self) -> Vec<PathBuf> {
        let mut files = self.machine.files_with_secrets();
        files.retain(|path| path.extension().is_some_and(|end| end == "renewal"));
        files
    }

    fn gets(&self, expected: &str) -> Output {
        let output = self.get();
        assert_eq!(self.label(&output), expected, "{output}");
        output
    }

    fn gets_silently(&self, expected: &str) {
        let output = self.gets(expected);
        assert_eq!(output.stderr, "", "{output}");
    }

    fn folder(&self, path: &str) -> PathBuf {
        self.machine.home().join(path)
    }
}

#[test]
fn the_hub_is_not_asked_while_there_is_no_room_for_its_answer() {
    let desk = due().stored_in("file");
    let Some(disk) = Disk::over(desk.folder(DATA)) else {
        return;
    };
    disk.fill();
    desk.gets_silently("oauth 1");
    assert_eq!(desk.oauth.renewals(), 0);
    let refused = desk.machine.helper(["refresh", "me"]).fails();
    assert!(refused.stdout.contains("could not be stored"), "{refused}");
    disk.free();
    desk.gets_silently("oauth 2");
}

#[test]
fn a_disk_that_fills_up_while_the_hub_is_asked_costs_no_login() {
    let desk = due().stored_in("file");
    let Some(disk) = Disk::over(desk.folder(DATA)) else {
        return;
    };
    let (label, output) = desk.get_while(|| disk.fill());
    assert_eq!(label.as_deref(), Some("oauth 2"), "{output}");
    assert!(output.helper_line().contains("tries again"), "{output}");
    desk.gets("oauth 2");
    assert_eq!(desk.oauth.renewals(), 1);
    disk.free();
    desk.gets_silently("oauth 2");
    desk.gets_silently("oauth 2");
    desk.machine.helper(["refresh", "me"]).ok();
    assert_eq!(desk.oauth.renewals(), 2);
}

#[test]
fn the_hf_clis_login_survives_a_full_disk_too() {
    let desk = due().in_hf_cli(-1);
    let Some(disk) = Disk::over(desk.folder(HF_FOLDER)) else {
        return;
    };
    disk.fill();
    let output = desk.get();
    let label = label(&desk.hub, &output);
    assert_eq!((label, desk.oauth.renewals()), (None, 0), "{output}");
    assert!(
        output.helper_line().contains("could not be stored"),
        "{output}"
    );
    disk.free();
    let (label, output) = desk.get_while(|| disk.fill());
    assert_eq!(label.as_deref(), Some("oauth 2"), "{output}");
    assert!(output.helper_line().contains("tries again"), "{output}");
    desk.gets("oauth 2");
    disk.free();
    desk.gets_silently("oauth 2");
    assert_eq!(desk.oauth.renewals(), 1);
    let stored = desk.machine.read(format!("{HF_FOLDER}/stored_tokens"));
    let active = desk.machine.read(format!("{HF_FOLDER}/token"));
    assert!(stored.contains(&format!("hf_token = {active}\n")));
    let mut lines = stored.lines();
    let refresh = lines.find_map(|line| line.strip_prefix("refresh_token = "));
    assert!(desk.oauth.is_good(refresh.expect("a refresh token")));
}

#[test]
fn an_answer_that_cannot_be_stored_anywhere_is_used_and_said() {
    let desk = due().stored_in("file");
    let tokens = desk.folder(DATA).join("tokens");
    let away = tokens.with_extension("away");
    let (label, output) = desk.get_while(|| {
        fs::rename(&tokens, &away).expect("move the storage away");
        fs::write(&tokens, "").expect("a file in its place");
    });
    assert_eq!(label.as_deref(), Some("oauth 2"), "{output}");
    let line = output.helper_line();
    assert!(
        line.contains("cannot be stored") && line.contains(LOGIN),
        "{line}"
    );
    fs::remove_file(&tokens).expect("remove the file");
    fs::rename(&away, &tokens).expect("bring the storage back");
    let said = desk.gets("oauth 1");
    assert!(said.helper_line().contains(LOGIN), "{said}");
}

#[test]
fn a_keyring_that_dies_while_the_hub_is_asked_costs_no_answer() {
    if !Keyring::is_possible() {
        return;
    }
    for locks in [false, true] {
        let desk = due();
        let keyring = Keyring::start();
        desk.machine
            .env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
        let desk = desk.stored_in("keyring");
        let mut keyring = Some(keyring);
        let (label, output) = desk.get_while(|| {
            if locks {
                keyring.as_ref().expect("the keyring").lock();
            } else {
                keyring = None;
            }
        });
        assert_eq!(label.as_deref(), Some("oauth 2"), "{output}");
        let line = output.helper_line();
        assert!(
            line.contains("cannot be stored") && line.contains(LOGIN),
            "{line}"
        );
    }
}

#[test]
fn a_login_or_a_logout_removes_the_answer_of_an_interrupted_renewal() {
    for then in [&["logout", "me"][..], &["login", "me", "--web"]] {
        let desk = due().stored_in("file");
        let Some(_disk) = desk.interrupt(DATA) else {
            return;
        };
        desk.machine.helper(then).ok();
        assert!(desk.answers().is_empty());
    }
}

#[test]
fn a_new_name_does_not_cost_the_answer_of_an_interrupted_renewal() {
    let desk = due().stored_in("file");
    let Some(_disk) = desk.interrupt(DATA) else {
        return;
    };
    desk.machine.helper(["rename", "me", "mine"]).ok();
    assert!(desk.answers().is_empty());
    desk.gets_silently("oauth 2");
    desk.machine.helper(["refresh", "mine"]).ok();
    assert_eq!(desk.oauth.renewals(), 2);
}

#[test]
fn what_is_ended_on_the_hub_is_the_answer_of_an_interrupted_renewal() {
    let desk = due().stored_in("file");
    let Some(_disk) = desk.interrupt(DATA) else {
        return;
    };
    let sent = Arc::new(Mutex::new(Value::Null));
    let seen = Arc::clone(&sent);
    let path = "/api/credentials/revoke";
    desk.hub.route("POST", HUB, path, move |request| {
        *seen.lock().expect("the body") = request.json();
        Response::text(202, "")
    });
    let good = desk.oauth.good().expect("a refresh token");
    desk.machine
        .helper(["logout", "me", "--revoke", "--yes"])
        .ok();
    let sent = sent.lock().expect("the body").clone();
    let ended = sent["credentials"].as_array().expect("credentials");
    assert!(ended.iter().any(|it| *it == good), "another login");
}

#[test]
fn an_answer_goes_once_the_hf_cli_has_logged_out() {
    for then in [&["doctor", "--fix", "--yes"][..], &["logout", "--all"]] {
        let desk = due().in_hf_cli(-1);
        let Some(_disk) = desk.interrupt(HF_FOLDER) else {
            return;
        };
        let answer = desk.answers().remove(0);
        let fix = |then: &[&str]| desk.machine.helper(then).run();
        // While the login is there, so is the only answer that renews it.
        fix(then);
        assert!(answer.is_file());
        let stored = format!("{HF_FOLDER}/stored_tokens");
        let text = desk.machine.read(&stored);
        desk.machine
            .write(&stored, text.replace("[alice]", "[bob]"));
        let named = desk.machine.helper(["doctor"]).run();
        assert!(named.stdout.contains("has logged out since"), "{named}");
        // Files of other programs are not ours to remove.
        for other in [".stored_tokens.x.renewal", "stored_tokens.renewal"] {
            desk.machine.write(format!("{HF_FOLDER}/{other}"), "");
        }
        fix(then);
        assert!(!answer.exists(), "{then:?}");
        for other in [".stored_tokens.x.renewal", "stored_tokens.renewal"] {
            assert!(desk.folder(HF_FOLDER).join(other).is_file());
        }
    }
}
