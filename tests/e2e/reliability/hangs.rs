//! Things outside that accept and never answer, trickle, or are held by somebody else: each has a
//! deadline and a message. A command that waited for ever would be killed after a minute, which
//! fails its test.
#![cfg_attr(
    not(target_os = "linux"),
    allow(unused_imports, dead_code, reason = "some tests here are for Linux")
)]

use crate::desk::machine_with_work;
use crate::hub::common::{get, login};
use crate::support::machine::Machine;
use crate::support::terminal::Terminal;
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, LOCKS, STATE, TYPED};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::{self, sleep};
use std::time::Duration;

const REQUEST: &str = "protocol=https\nhost=huggingface.co\npath=acme/x\n";

fn make_pipe(machine: &Machine, path: &str) {
    let path = machine.home().join(path);
    let _ = fs::remove_file(&path);
    let path = path.to_str().expect("a UTF-8 path");
    machine.command("mkfifo", [path]).ok();
}

/// A pipe that nobody writes to, in the place of each file that a command reads or locks.
#[test]
fn a_pipe_in_the_place_of_a_file_is_said_by_every_command_that_meets_it() {
    let (hub, machine, token) = machine_with_work();
    let kept = machine.home().with_extension("kept");
    let copy = |from: &Path, to: &Path| {
        let paths = [from, to].map(|path| path.to_str().expect("a UTF-8 path"));
        machine
            .command("cp", ["-a", paths[0], paths[1]])
            .dir("/")
            .ok();
    };
    copy(&machine.home(), &kept);
    let config_lock = CONFIG.replace(".toml", ".lock");
    let data = |file: &str| format!("{DATA}/{file}");
    let files = machine.files_with_secrets();
    let token_file = files[0]
        .strip_prefix(machine.home())
        .expect("a token's file");
    let token_file = token_file.to_str().expect("a UTF-8 path").to_owned();
    let authority = machine.home().join("authority");
    machine.env("SSL_CERT_FILE", hub.ca_file());
    let store = format!(
        "{TYPED}{REQUEST}username=alice\npassword={}\n",
        hub.add_token("new", &[])
    );
    let work = TokenLock(LOCKS).of(&machine);
    for (file, arguments, input, word) in [
        (CONFIG, ["get"].as_slice(), REQUEST, "plain file"),
        (CONFIG, &["erase"], REQUEST, "plain file"),
        (CONFIG, &["use", "work", "--for", "other"], "", "plain file"),
        (
            &config_lock,
            &["use", "work", "--for", "other"],
            "",
            "plain file",
        ),
        (STATE, &["get"], REQUEST, "plain file"),
        (STATE, &["store"], &store, "plain file"),
        (&data("state.lock"), &["store"], &store, "plain file"),
        (&data("state.lock"), &["logout", "work"], "", "plain file"),
        (&data("tokens.lock"), &["logout", "work"], "", "plain file"),
        (&work, &["logout", "work"], "", "plain file"),
        (&token_file, &["get"], REQUEST, "plain file"),
        (".gitconfig", &["configure"], "", "plain file"),
        (".gitconfig", &["unconfigure"], "", "plain file"),
        (
            "authority",
            &["login", "work", "--with-token"],
            &token,
            "plain file",
        ),
    ] {
        fs::remove_dir_all(machine.home()).expect("empty the home");
        copy(&kept, &machine.home());
        make_pipe(&machine, file);
        let run = machine.helper(arguments).stdin(input).may_print_secret();
        let output = run.env("GIT_SSL_CAINFO", &authority).run();
        assert!(output.stderr.contains(word), "{file}: {output}");
    }
}

/// The lock of a token's name.
struct TokenLock<'a>(&'a str);

impl TokenLock<'_> {
    fn of(&self, machine: &Machine) -> String {
        let folder = machine.home().join(self.0);
        let mut entries = fs::read_dir(folder).expect("the locks");
        let name = entries.next().expect("a lock").expect("a lock").file_name();
        format!("{}/{}", self.0, name.to_string_lossy())
    }
}

/// What a server on loopback does with each connection.
type Conduct = fn(TcpStream);

fn server(conduct: Conduct) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen on loopback");
    let address = listener.local_addr().expect("an address");
    // Ends with the test's process: nobody waits for it.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || conduct(stream));
        }
    });
    address
}

fn silent(mut stream: TcpStream) {
    let mut request = [0; 4096];
    while stream.read(&mut request).is_ok_and(|count| count > 0) {}
}

/// A byte now and then, for as long as anybody listens.
fn trickle(mut stream: TcpStream) {
    while stream.write_all(b" ").is_ok() {
        sleep(Duration::from_millis(500));
    }
}

fn slow_body(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    trickle(stream);
}

fn slow_head(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow:");
    trickle(stream);
}

/// The deadline of a request is for all of it: a server that trickles gets no more time.
#[test]
fn a_hub_that_does_not_come_to_an_end_costs_ten_seconds() {
    let refresh = |conduct: Conduct, proxy: bool| {
        let (hub, machine, token) = machine_with_work();
        let address = server(conduct);
        let url = format!("http://{address}");
        let mut endpoint = "https://huggingface.co".to_owned();
        if proxy {
            for variable in ["https_proxy", "HTTPS_PROXY"] {
                machine.env(variable, &url);
            }
        } else {
            machine.env("no_proxy", "127.0.0.1");
            endpoint.clone_from(&url);
            let line = format!("[endpoints]\n\"{url}\" = {{ allow_http = true }}\n");
            machine.write(CONFIG, format!("{}{line}", machine.read(CONFIG)));
            machine.env("HF_ENDPOINT", &url);
        }
        let failed = login(&machine, "slow", &token).fails();
        let host = endpoint.split_once("//").expect("a URL").1;
        failed.says(&[&format!("{host} did not answer within 10 s")]);
        drop(hub);
    };
    thread::scope(|scope| {
        for (conduct, proxy) in [
            (silent as Conduct, false),
            (slow_body, false),
            (slow_head, false),
            (silent, true),
            (slow_head, true),
        ] {
            scope.spawn(move || refresh(conduct, proxy));
        }
    });
}

/// A resolver that does not answer is left behind; the process does not wait for it at its end.
#[test]
fn a_resolver_that_hangs_holds_nobody_up() {
    if !need("strace") {
        return;
    }
    let (_hub, machine, token) = machine_with_work();
    for variable in ["https_proxy", "HTTPS_PROXY"] {
        machine.unset(variable);
    }
    // Strace itself waits for what it holds up.
    let slow = [
        "-s",
        "KILL",
        "20",
        "strace",
        "-f",
        "-o",
        "/dev/null",
        "-P",
        "/etc/resolv.conf",
        "-e",
    ];
    let inject = "inject=openat,newfstatat,stat,statx:delay_enter=120000000";
    let helper = ["git-credential-hf", "login", "slow", "--with-token"];
    let arguments = slow.into_iter().chain([inject]).chain(helper);
    let run = machine.command("timeout", arguments).stdin(&token);
    run.fails()
        .says(&["huggingface.co did not answer within 10 s"]);
}

/// Holds the lock of a file until it is dropped.
fn hold(machine: &Machine, path: &str) -> File {
    let path = machine.home().join(path);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    let file = file.expect("a lock's file");
    file.lock().expect("a lock that is free");
    file
}

/// A process that is stopped with a lock in its hands is not waited for for ever; and none that
/// is dead.
#[test]
fn a_lock_that_is_never_let_go_is_an_error_in_words() {
    let waits = |lock: &str, arguments: &[&str]| {
        let (hub, machine, _) = machine_with_work();
        let typed = hub.add_token("typed", &[]);
        let path = match lock {
            "name" => TokenLock(LOCKS).of(&machine),
            _ => lock.to_owned(),
        };
        let held = hold(&machine, &path);
        let input = format!("{TYPED}{REQUEST}username=alice\npassword={typed}\n");
        let run = || machine.helper(arguments).stdin(&input).may_print_secret();
        let failed = run().fails();
        let name = path.rsplit('/').next().expect("a name");
        failed.says(&["another process has locked ", name]);
        // Answers need no lock.
        let answer = get(&machine, "acme/x").ok();
        assert!(answer.value("password").is_some(), "{answer}");
        drop(held);
        run().ok();
    };
    let (config, state) = (
        CONFIG.replace(".toml", ".lock"),
        STATE.replace(".json", ".lock"),
    );
    let tokens = format!("{DATA}/tokens.lock");
    thread::scope(|scope| {
        for (lock, arguments) in [
            (
                config.as_str(),
                ["use", "work", "--for", "other"].as_slice(),
            ),
            (&state, &["store"]),
            (&tokens, &["store"]),
            ("name", &["logout", "work"]),
        ] {
            scope.spawn(move || waits(lock, arguments));
        }
    });
}

/// A program that a command leaves behind may hold its output open for ever.
#[test]
fn a_command_that_leaves_a_program_behind_is_done_when_it_is_done() {
    let (hub, machine, _) = machine_with_work();
    let token = hub.add_token("vault", &[]);
    machine.write("vault", format!("{token}\n"));
    let script = "cat $HOME/vault; sleep 100 & exit 0";
    let command = format!("[commands]\nvault = [\"sh\", \"-c\", \"{script}\"]\n");
    machine.write(
        CONFIG,
        format!("version = 1\n[rules]\nacme = \"vault\"\n{command}"),
    );
    let answer = get(&machine, "acme/x")
        .timeout(Duration::from_secs(50))
        .ok();
    assert_eq!(answer.value("password"), Some(token.as_str()));
}

/// With a terminal at hand and nobody at it: git's own actions do not ask.
#[test]
#[cfg(target_os = "linux")]
fn git_s_actions_never_ask_on_a_terminal() {
    let (hub, machine, _) = machine_with_work();
    let typed = hub.add_token("typed", &[]);
    let secret = format!("username=alice\npassword={typed}\n");
    let nobody = REQUEST.replace("acme", "nobody");
    let ask = |action: &str, input: &str| {
        machine.write("input", input);
        let command = format!("git-credential-hf {action} <input");
        // It fails the test if the command does not end.
        Terminal::start(machine.command("sh", ["-c", &command])).ends();
    };
    // No keyring, a state that is damaged, and a token that is nowhere.
    machine.write(
        CONFIG,
        "version = 1\nstorage = \"keyring\"\n[rules]\nacme = \"gone\"\n",
    );
    for damaged in [false, true] {
        if damaged {
            machine.write(STATE, "");
        }
        for input in [REQUEST, &nobody] {
            ask("get", input);
            for action in ["store", "erase"] {
                ask(action, input);
                ask(action, &format!("{input}{secret}"));
            }
        }
    }
}
