//! What other programs can see of this one: its files at every instant, its children, its
//! arguments, its memory after a crash. System calls are watched, where strace is at hand.

use crate::support::attacks::Attacks;
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::OAuth;
use crate::support::machine::Machine;
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, TYPED, login_unverified};
use std::fs::{self};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

/// A machine with all ways to a token, and tools that say what they were given.
fn laden() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    let token = hub.add_token("work", &[("acme", Write)]);
    machine.login("work", &token, &["--for", "acme"]);
    machine.env("HF_TOKEN", hub.add_token("env", &[]));
    machine.env("HUGGING_FACE_HUB_TOKEN", hub.add_token("old env", &[]));
    machine.env("HF_OIDC_ID_TOKEN", hub.add_token("identity", &[]));
    machine.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", hub.add_token("job", &[]));
    (hub, machine)
}

/// The lines that strace writes for one run of the helper, with the lengths of all texts kept.
fn traced(machine: &Machine, calls: &str, command: &[&str], stdin: &str) -> String {
    let log = machine.home().join("strace");
    let script = "umask 0; exec strace -f -y -v -qq -s 100000 -o \"$0\" -e trace=\"$@\"";
    let helper = machine.bin().join("git-credential-hf");
    let mut arguments = vec!["-c", script, log.to_str().expect("UTF-8"), calls, "--"];
    arguments.push(helper.to_str().expect("UTF-8"));
    arguments.extend(command);
    machine
        .command("sh", arguments)
        .stdin(stdin)
        .may_print_secret()
        .run();
    fs::read_to_string(&log).expect("what strace wrote")
}

/// Every command that writes, with what it reads.
fn writing(token: &str) -> Vec<(Vec<&'static str>, String)> {
    let scope = format!("{REQUEST}username=me\npassword={token}\n");
    let login = [&login_unverified("new", "file")[..], &["--for", "b"]];
    vec![
        (login.concat(), token.to_owned()),
        (
            vec!["login", "work", "--with-token", "--no-verify"],
            token.to_owned(),
        ),
        (vec!["store"], format!("{TYPED}{scope}")),
        (vec!["get"], REQUEST.to_owned()),
        (vec!["erase"], scope),
        (vec!["use", "work", "--default"], String::new()),
        (vec!["unuse", "b"], String::new()),
        (vec!["refresh"], String::new()),
        (vec!["logout", "new"], String::new()),
        (vec!["logout", "--all", "--yes"], String::new()),
    ]
}

/// The modes that a line of strace's names as octal numbers: the last argument of a call that
/// makes or changes something.
fn mode_of(line: &str) -> Option<u32> {
    let (call, _) = line.rsplit_once(") ")?;
    let last = call.rsplit([',', '(']).next()?.trim();
    last.starts_with('0')
        .then(|| u32::from_str_radix(last, 8).ok())?
}

/// The files below the helper's own folders are nobody else's at any instant, whatever the
/// umask, and no link is followed when one is made.
#[test]
fn no_file_can_be_read_by_others_at_any_instant() {
    if !need("strace") {
        return;
    }
    let (hub, machine) = laden();
    machine.helper(["logout", "--all", "--yes"]).ok();
    for folder in [".config", ".local"] {
        fs::remove_dir_all(machine.home().join(folder)).expect("begin with nothing");
    }
    let token = hub.unknown_token();
    machine.forbid(&token);
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    fs::remove_dir_all(machine.home().join(".config")).expect("nothing");
    let calls = "open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,\
                 link,linkat,symlink,symlinkat,rename,renameat,renameat2";
    let mut attacks = Attacks::new();
    let mut made = 0;
    let mut commands = writing(&token);
    // The second time the state is where it cannot be written, and the fallback is used.
    commands.extend([(vec!["erase"], format!("{REQUEST}password={}\n", "no token"))]);
    for (command, stdin) in &commands {
        for line in traced(&machine, calls, command, stdin).lines() {
            let creates =
                line.contains("O_CREAT") || line.contains("mkdir") || line.contains("chmod");
            let ours = ["git-credential-hf", ".local", ".config"]
                .iter()
                .any(|n| line.contains(n));
            if !creates || !ours || line.contains("EEXIST") || line.contains("ENOENT") {
                continue;
            }
            made += 1;
            let wide = mode_of(line).is_none_or(|mode| mode & 0o077 != 0);
            let follows = line.contains("O_CREAT") && !line.contains("O_NOFOLLOW");
            let guessed =
                line.contains(".tmp\"") && line.contains("O_CREAT") && !line.contains("O_EXCL");
            attacks.tried(line, wide || follows || guessed);
        }
    }
    assert!(made > 20, "only {made} files and folders were made");
    attacks.end();
}

/// No program that is started is given a secret, in its arguments or in its environment. (What
/// `run` starts is given one: that is what it is for. Git's attempt for `check` has the environment
/// that every git command of the user's has.)
#[test]
fn no_child_is_given_a_secret() {
    if !need("strace") || !need("script") {
        return;
    }
    let (hub, machine) = laden();
    OAuth::start(&hub, &[], 3600);
    machine.git(["init", "--quiet", "."]).ok();
    machine
        .git(["remote", "add", "origin", "https://huggingface.co/acme/x"])
        .ok();
    machine.program("xdg-open", "#!/bin/sh\nexit 0\n");
    let config = machine.read(CONFIG);
    let command = "[commands]\nvault = [\"sh\", \"-c\", \"exit 1\"]\n";
    machine.write(
        CONFIG,
        format!("{config}\n{command}").replace("acme = \"work\"", "acme = \"vault\""),
    );

    let helper = machine.bin().join("git-credential-hf");
    let helper = helper.to_str().expect("UTF-8").to_owned();
    let strace = machine.home().join("children");
    let strace = strace.to_str().expect("UTF-8").to_owned();
    let mut attacks = Attacks::new();
    let mut seen = std::collections::BTreeSet::new();
    let no_path = "protocol=https\nhost=huggingface.co\n";
    for (command, stdin) in [
        ("get", REQUEST),
        ("get", no_path),
        ("store", no_path),
        ("erase", no_path),
        ("explain", ""),
        ("check acme/x", ""),
        ("check", ""),
        ("configure --local", ""),
        ("unconfigure --local", ""),
        ("login web --web --storage file --no-verify", ""),
        ("list", ""),
    ] {
        let follow =
            format!("strace -f -v -qq -s 100000 -e trace=execve -o {strace} -- {helper} {command}");
        // A browser is opened from a terminal only.
        let run = if command.contains("--web") {
            machine
                .command("script", ["-qfec", &follow, "/dev/null"])
                .env("DISPLAY", ":0")
        } else {
            machine.command("sh", ["-c", &follow]).stdin(stdin)
        };
        run.may_print_secret().run();
        let log = machine.read("children");
        for line in log.lines().filter(|line| line.contains("execve(")) {
            let attempt = command.starts_with("check");
            let given = match line.split_once("], [") {
                Some((arguments, _)) if attempt => arguments,
                _ => line,
            };
            let program = line.split('"').nth(1).unwrap_or_default().to_owned();
            if program == helper || !line.ends_with(" = 0") {
                continue;
            }
            let told: Vec<String> = hub.secrets()()
                .into_iter()
                // A command may prove who it is to a vault as the job it runs in.
                .filter(|(label, _)| label != "job" || !program.ends_with("/sh"))
                .filter(|(_, secret)| given.contains(secret.as_str()))
                .map(|(label, _)| label)
                .collect();
            let name = Path::new(&program).file_name().expect("a name");
            seen.insert(name.to_string_lossy().into_owned());
            attacks.tried(
                format!("{command} starts {program} with {told:?}"),
                !told.is_empty(),
            );
        }
    }
    for program in ["git", "sh", "xdg-open"] {
        assert!(
            seen.contains(program),
            "{program} was not started: {seen:?}"
        );
    }
    attacks.end();
}

/// A program that crashes with tokens in its memory leaves no core file, whatever the limit.
#[test]
fn a_crash_leaves_no_core_file() {
    let (_hub, machine) = laden();
    let folder = machine.home().join("crash");
    fs::create_dir(&folder).expect("a folder");
    let helper = machine.bin().join("git-credential-hf");
    let mut attacks = Attacks::new();
    let mut dumped = Vec::new();
    for (program, action) in [("/bin/cat", "-"), (helper.to_str().expect("UTF-8"), "get")] {
        for signal in ["ABRT", "TRAP", "ILL", "FPE"] {
            // The shell becomes the program, which waits for its input.
            let script = "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$1\"";
            let mut child = Command::new("sh")
                .args(["-c", script, program, action])
                .current_dir(&folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("start it");
            let id = child.id().to_string();
            wait_until_reading(&id, program);
            let kill = Command::new("kill").args(["-s", signal, &id]).status();
            assert!(kill.expect("kill").success());
            let status = child.wait().expect("its end");
            assert!(status.signal().is_some(), "{program} survived {signal}");
            if program == "/bin/cat" {
                dumped.push(status.core_dumped());
            } else {
                attacks.tried(signal, status.core_dumped());
            }
        }
    }
    if !dumped.iter().any(|dumped| *dumped) {
        eprintln!("this system writes no core files at all, so that says little");
    }
    attacks.end();
}

/// Waits until the shell has become the program and that is waiting for its input.
fn wait_until_reading(id: &str, program: &str) {
    let name = Path::new(program)
        .file_name()
        .expect("a name")
        .to_string_lossy();
    let start = std::time::Instant::now();
    loop {
        // The kernel keeps 15 characters of a name.
        let is = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let sleeps = status
            .rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('S'));
        if sleeps && name.starts_with(is.trim_end()) && !is.is_empty() {
            return;
        }
        assert!(
            start.elapsed().as_secs() < 20,
            "{program} does not wait: {is} {status}"
        );
        std::thread::yield_now();
    }
}

/// Before anything secret is read, the process has told the kernel that nobody of the same user
/// may look into it, and that it leaves no core.
#[test]
fn the_process_closes_itself_before_it_reads() {
    if !need("strace") {
        return;
    }
    let (_hub, machine) = laden();
    let mut attacks = Attacks::new();
    for (command, stdin) in [
        (["get"].as_slice(), REQUEST),
        (&["erase"], REQUEST),
        (&["list"], ""),
    ] {
        let log = traced(
            &machine,
            "prctl,prlimit64,setrlimit,openat,read",
            command,
            stdin,
        );
        let at = |words: &[&str]| {
            let is = |line: &str| words.iter().all(|word| line.contains(word));
            log.lines().position(is).unwrap_or(usize::MAX)
        };
        let closed = at(&["PR_SET_DUMPABLE", "SUID_DUMP_DISABLE"]);
        let limited = at(&["RLIMIT_CORE", "rlim_cur=0"]);
        let first = at(&["read(0,"])
            .min(at(&["state.json"]))
            .min(at(&["config.toml"]));
        assert!(first < usize::MAX, "{log}");
        attacks.tried(format!("{command:?}: dumpable"), closed >= first);
        attacks.tried(format!("{command:?}: core limit"), limited >= first);
    }
    attacks.end();
}

/// What lies there keeps the modes that a careful user has given it, under any umask.
#[test]
fn every_umask_ends_in_the_same_private_modes() {
    let mut attacks = Attacks::new();
    for umask in ["000", "002", "022", "077"] {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        let token = hub.add_token("work", &[]);
        let helper = machine.bin().join("git-credential-hf");
        let login = "login work --with-token --no-verify --storage file --for acme";
        let script = format!("umask {umask}; exec \"$0\" {login}");
        let arguments = ["-c", &script, helper.to_str().expect("UTF-8")];
        machine.command("sh", arguments).stdin(&token).ok();
        for folder in [DATA, ".config/git-credential-hf"] {
            let mut folders = vec![machine.home().join(folder)];
            while let Some(path) = folders.pop() {
                let metadata = fs::symlink_metadata(&path).expect("what is there");
                let mode = metadata.permissions().mode() & 0o777;
                let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
                attacks.tried(
                    format!("{} {mode:o} under {umask}", path.display()),
                    mode != expected,
                );
                if metadata.is_dir() {
                    let entries = fs::read_dir(&path).expect("a folder");
                    folders.extend(entries.map(|entry| entry.expect("an entry").path()));
                }
            }
        }
    }
    attacks.end();
}
