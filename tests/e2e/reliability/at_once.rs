//! Many processes at once, and processes killed at any moment: nothing is lost, nothing is half.

use crate::support::hub::Hub;
use crate::support::hub::api::WhoAmI;
use crate::support::machine::Machine;
use crate::support::user::{CONFIG, STATE, TYPED};
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

const HUB: &str = "protocol=https\nhost=huggingface.co\n";

fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    (hub, machine)
}

fn request(repo: &str) -> String {
    format!("{HUB}path={repo}\n")
}

fn credential(repo: &str, user: &str, token: &str) -> String {
    format!("{TYPED}{HUB}path={repo}\nusername={user}\npassword={token}\n")
}

fn answered(machine: &Machine, request: &str) -> Option<String> {
    let answer = machine.ask("get", request).ok();
    answer.value("password").map(str::to_owned)
}

/// Numbers that look random, the same in every run.
fn numbers() -> impl FnMut(u64) -> u64 {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

/// A hundred stores, thirty erases, thirty logins, twenty new rules, ten requests to refresh and
/// ten to git's own, of one user in the same moment.
#[test]
fn two_hundred_processes_at_once_lose_nothing() {
    let (hub, machine) = machine();
    WhoAmI::start(&hub);
    let tokens = |prefix: &str, count: usize| -> Vec<String> {
        let labels = (0..count).map(|n| format!("{prefix}{n}"));
        labels.map(|label| hub.add_token(&label, &[])).collect()
    };
    let (typed, old, new) = (tokens("typed", 100), tokens("old", 30), tokens("new", 30));
    let steady = hub.add_token("steady", &[]);
    machine.login("steady", &steady, &["--for", "steady"]);
    for (n, token) in old.iter().enumerate() {
        let kept = credential(&format!("old/r{n}"), "alice", token);
        machine.ask("store", kept).silent();
    }

    let mut actions: Vec<(Vec<String>, String)> = Vec::new();
    let mut add = |arguments: &[&str], input: String| {
        let arguments = arguments.iter().map(|it| (*it).to_owned());
        actions.push((arguments.collect(), input));
    };
    for (n, token) in typed.iter().enumerate() {
        // Different users, different repos, and half of them different only in the user.
        let repo = format!("acme/r{}", n / 2);
        add(&["store"], credential(&repo, &format!("user{n}"), token));
    }
    for (n, token) in old.iter().enumerate() {
        add(&["erase"], credential(&format!("old/r{n}"), "alice", token));
    }
    for (n, token) in new.iter().enumerate() {
        let (name, rule) = (format!("login{n}"), format!("ns{n}"));
        let login = [
            "login",
            &name,
            "--with-token",
            "--no-verify",
            "--for",
            &rule,
        ];
        add(&login, token.clone());
    }
    for n in 0..20 {
        add(
            &["use", "steady", "--for", &format!("more{n}")],
            String::new(),
        );
    }
    for _ in 0..10 {
        add(&["refresh", "steady"], String::new());
        add(&["get"], request("steady/x"));
    }
    assert_eq!(actions.len(), 200);
    // Every kind from the first moment to the last.
    let mut random = numbers();
    actions.sort_by_cached_key(|_| random(u64::MAX));

    let long = Duration::from_secs(120);
    let start = |(arguments, input): &(Vec<String>, String)| {
        let run = machine.helper(arguments).stdin(input).may_print_secret();
        run.timeout(long).start()
    };
    let running: Vec<_> = actions.iter().map(start).collect();
    for run in running {
        run.wait().ok();
    }

    let names = machine.names();
    let logins = names.iter().filter(|name| name.starts_with("login"));
    assert_eq!((logins.count(), names.len()), (30, 131), "{names:?}");
    for (n, token) in typed.iter().enumerate() {
        let request = format!("{}username=user{n}\n", request(&format!("acme/r{}", n / 2)));
        assert_eq!(answered(&machine, &request).as_ref(), Some(token), "{n}");
    }
    for (n, token) in new.iter().enumerate() {
        let request = request(&format!("ns{n}/x"));
        assert_eq!(answered(&machine, &request).as_ref(), Some(token), "{n}");
    }
    for (n, token) in old.iter().enumerate() {
        let request = request(&format!("old/r{n}"));
        assert_ne!(answered(&machine, &request).as_ref(), Some(token), "{n}");
    }
    for n in 0..20 {
        let answer = answered(&machine, &request(&format!("more{n}/x")));
        assert_eq!(answer.as_ref(), Some(&steady), "{n}");
    }
    assert_eq!(
        machine.state()["tokens"]["steady"]["facts"]["account"],
        "alice"
    );
    assert_eq!(machine.files_with_secrets().len(), 131);
    println!("processes at once: {}", actions.len());
}

#[test]
fn two_configurations_at_once_keep_both_rules() {
    let (hub, machine) = machine();
    machine.login("work", &hub.add_token("work", &[]), &[]);
    let rules: BTreeSet<String> = (0..40).map(|n| format!("ns{n}")).collect();
    let using: Vec<_> = rules
        .iter()
        .map(|rule| machine.helper(["use", "work", "--for", rule]).start())
        .collect();
    for run in using {
        run.wait().ok();
    }
    let config = machine.read(CONFIG);
    for rule in rules {
        assert!(config.contains(&format!("{rule} = \"work\"")), "{rule}");
    }
}

#[test]
fn readers_never_see_a_half_written_token() {
    let (hub, machine) = machine();
    let tokens = ["a", "b"].map(|name| hub.add_token(name, &[]));
    machine.login("work", &tokens[0], &["--for", "acme"]);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..40 {
                machine.login("work", &tokens[n % 2], &[]);
            }
        });
        while !writer.is_finished() {
            let answer = machine.ask("get", request("acme/x")).ok();
            let password = answer.value("password").map(str::to_owned);
            assert!(password.is_some_and(|p| tokens.contains(&p)));
            assert_eq!(answer.stderr, "");
        }
    });
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_breaks_nothing() {
    let (hub, machine) = machine();
    let steady = hub.add_token("steady", &[]);
    machine.login("steady", &steady, &["--for", "steady"]);
    let kept = hub.add_token("kept", &[]);
    machine
        .ask("store", credential("kept/x", "alice", &kept))
        .silent();
    let changing = ["c0", "c1"].map(|name| hub.add_token(name, &[]));
    machine.login("changing", &changing[0], &["--for", "changing"]);

    // How long one takes here, so that the kills fall within it on any machine.
    let start = std::time::Instant::now();
    for _ in 0..4 {
        machine.login("changing", &changing[0], &[]);
    }
    let whole = u64::try_from(start.elapsed().as_micros() / 4).expect("a short time");
    let mut random = numbers();
    for n in 0..60 {
        let new = hub.add_token(&format!("new{n}"), &[]);
        let (name, rule) = (format!("new{n}"), format!("new{n}"));
        let started = match n % 4 {
            0 => {
                let store = credential(&format!("some/r{n}"), "alice", &new);
                machine.helper(["store"]).stdin(store).start()
            }
            1 => {
                let login = [
                    "login",
                    &name,
                    "--with-token",
                    "--no-verify",
                    "--for",
                    &rule,
                ];
                machine.helper(login).stdin(&new).start()
            }
            2 => {
                let store = credential("kept/x", "alice", &kept);
                let erase = credential("kept/x", "alice", &new);
                let (verb, input) = if n % 8 == 2 {
                    ("store", store)
                } else {
                    ("erase", erase)
                };
                machine.helper([verb]).stdin(input).start()
            }
            _ => {
                let login = ["login", "changing", "--with-token", "--no-verify"];
                machine.helper(login).stdin(&changing[n % 2]).start()
            }
        };
        thread::sleep(Duration::from_micros(random(whole * 5 / 4)));
        started.kill();

        machine.state();
        let ask = |repo: &str| answered(&machine, &request(repo));
        assert_eq!(ask("steady/x").as_ref(), Some(&steady), "after kill {n}");
        assert_eq!(ask("kept/x").as_ref(), Some(&kept), "after kill {n}");
        let password = ask("changing/x");
        assert!(
            password.is_some_and(|p| changing.contains(&p)),
            "after kill {n}"
        );
        // What was under way is there whole, or not at all.
        let password = ask(&format!("new{n}/x"));
        assert!(password.is_none_or(|p| p == new), "after kill {n}");
    }
    // And nothing that a kill left stands in anybody's way.
    let last = hub.add_token("last", &[]);
    machine.login("last", &last, &["--for", "last"]);
    assert_eq!(answered(&machine, &request("last/x")), Some(last));
    machine.helper(["list"]).ok();
    assert!(!machine.read(STATE).contains(&steady));
}
