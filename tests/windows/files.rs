//! Files that other programs hold, folders that other users reach, and what "home" is.

use std::fs::OpenOptions;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::support::{PROGRAM, User, request, run, started, token};

#[test]
fn eight_logins_at_once_are_all_kept() {
    let user = User::new();
    thread::scope(|scope| {
        for at in 0..8 {
            let user = &user;
            scope.spawn(move || {
                let (name, rule) = (format!("t{at}"), format!("ns{at}"));
                user.login(&name, &token(&name), &["--storage", "file", "--for", &rule]);
            });
        }
    });
    for at in 0..8 {
        let expected = token(&format!("t{at}"));
        assert_eq!(user.get(&format!("ns{at}/x")), Some(expected));
    }
}

/// Opens a file as a virus scanner does, so that nobody else can, and lets go after a while.
fn hold(path: &Path, time: Duration) -> thread::JoinHandle<()> {
    let file = OpenOptions::new()
        .read(true)
        .share_mode(0)
        .open(path)
        .unwrap();
    thread::spawn(move || {
        thread::sleep(time);
        drop(file);
    })
}

#[test]
fn a_file_that_a_scanner_holds_for_a_moment_is_waited_for() {
    let user = User::new();
    user.login(
        "work",
        &token("work"),
        &["--storage", "file", "--for", "acme"],
    );
    for name in ["state.json", "config.toml"] {
        let held = hold(&user.path(name), Duration::from_millis(600));
        assert_eq!(user.get("acme/x"), Some(token("work")), "{name}");
        held.join().unwrap();
        let held = hold(&user.path(name), Duration::from_millis(600));
        let more = ["--storage", "file", "--for", "other"];
        user.login("work", &token("work"), &more);
        held.join().unwrap();
    }
}

#[test]
fn a_state_that_stays_held_is_said_as_that() {
    let user = User::new();
    user.login(
        "work",
        &token("work"),
        &["--storage", "file", "--for", "acme"],
    );
    let held = hold(&user.path("state.json"), Duration::from_secs(8));
    let mut named = user.command(&["get"]);
    named.env("GIT_CREDENTIAL_HF_TOKEN_NAME", "work");
    for command in [user.command(&["get"]), named] {
        let said = run(command, request("acme/x")).says(&["cannot use", "state.json"]);
        assert!(!said.stderr.contains("no token"), "{said:?}");
        assert!(!said.stdout.contains("password="), "{said:?}");
    }
    held.join().unwrap();
    assert_eq!(user.get("acme/x"), Some(token("work")));
}

/// A folder that is in nobody's profile, removed at the end.
struct Shared(PathBuf);

impl Shared {
    fn new(name: &str) -> Self {
        let drive = std::env::var("SystemDrive").unwrap_or_else(|_| "C:".to_owned());
        let path = format!("{drive}\\{name}-{}", std::process::id());
        std::fs::create_dir(&path).unwrap();
        Self(PathBuf::from(path))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn outside_the_profile_no_file_is_trusted_with_tokens_or_commands() {
    let shared = Shared::new("hf-outside");
    let helper = |arguments: &[&str]| {
        let mut command = started(PROGRAM);
        command
            .args(arguments)
            .env("GIT_CREDENTIAL_HF_HOME", &shared.0);
        command
    };
    let login = [
        "login",
        "work",
        "--with-token",
        "--no-verify",
        "--storage",
        "file",
    ];
    let refused = run(helper(&login), token("work")).fails(1);
    refused.says(&["outside your user profile"]);
    assert!(!shared.0.join("tokens").exists());
    let doctor = run(helper(&["doctor", "--offline"]), "");
    assert!(
        doctor.stdout.contains("outside your user profile"),
        "{doctor:?}"
    );

    let config = "version = 1\n[rules]\nacme = \"v\"\n[commands]\nv = [\"cmd\", \"/c\", \"echo hf_planted\"]\n";
    std::fs::write(shared.0.join("config.toml"), config).unwrap();
    let refused = run(helper(&["get"]), request("acme/x"));
    assert!(!refused.stdout.contains("planted"), "{refused:?}");
    refused.says(&["outside your user profile", "commands and endpoints"]);

    // In the profile, the same is used.
    let user = User::new();
    user.write("config.toml", &config.replace("planted", &"x".repeat(34)));
    assert!(user.get("acme/x").is_some());
}

#[test]
fn a_fallback_outside_the_profile_is_not_believed() {
    let shared = Shared::new("hf-temp");
    let user = User::new();
    user.login(
        "work",
        &token("work"),
        &["--storage", "file", "--for", "acme"],
    );
    let state = std::fs::read_to_string(user.path("state.json")).unwrap();
    let value = state.split("\"fingerprint\"").nth(1).unwrap();
    let value = value.split('"').nth(1).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let rejected = format!(
        "{{\"version\":1,\"rejected\":{{\"{value} https://huggingface.co\":{}}}}}",
        now.unwrap().as_secs()
    );
    let answer = |temp: &Path| {
        let folder = temp.join("git-credential-hf");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("rejected.json"), &rejected).unwrap();
        let mut get = user.command(&["get"]);
        get.env("TEMP", temp).env("TMP", temp);
        run(get, request("acme/x")).stdout.contains("password=")
    };
    assert!(answer(&shared.0));
    // It is read where nobody else can have written it.
    assert!(!answer(&user.path("temp")));
}

#[test]
fn configure_writes_the_file_that_git_reads() {
    let user = User::new();
    for folder in ["home", "share", "profile"] {
        std::fs::create_dir(user.path(folder)).unwrap();
    }
    let share = user.path("share");
    let (drive, path) = share.to_str().unwrap().split_at(2);
    let (home, profile) = (user.path("home"), user.path("profile"));
    let configure = |variables: &[(&str, &str)]| {
        let mut command = user.command(&["configure"]);
        command.env("USERPROFILE", &profile);
        for (name, value) in variables {
            command.env(name, value);
        }
        run(command, "").ok();
        let written = ["home", "share", "profile"].map(|folder| {
            let file = user.path(folder).join(".gitconfig");
            std::fs::remove_file(file).is_ok()
        });
        written
    };
    let of_share = [("HOMEDRIVE", drive), ("HOMEPATH", path)];
    let home = [("HOME", home.to_str().unwrap()), of_share[0], of_share[1]];
    assert_eq!(configure(&home), [true, false, false]);
    assert_eq!(configure(&of_share), [false, true, false]);
    let gone = [("HOMEDRIVE", drive), ("HOMEPATH", "\\nowhere\\at\\all")];
    assert_eq!(configure(&gone), [false, false, true]);
    assert_eq!(configure(&[]), [false, false, true]);
}

#[test]
fn configure_for_the_system_wants_a_git_that_says_its_file() {
    let user = User::new();
    let mut command = user.command(&["configure", "--system"]);
    // No git at all here: the one of the host would be asked otherwise.
    command.env("PATH", user.home());
    run(command, "").fails(1).says(&["--file"]);
}

#[test]
fn doctor_shows_no_home_however_it_is_written() {
    let user = User::new();
    let command = user.command(&["doctor", "--offline"]);
    let said = run(command, "").stdout;
    let profile = std::env::var("USERPROFILE").unwrap();
    let slashes = profile.replace('\\', "/");
    for home in [profile, slashes] {
        let (said, home) = (said.to_lowercase(), home.to_lowercase());
        assert!(!said.contains(&home), "{said}");
    }
}
