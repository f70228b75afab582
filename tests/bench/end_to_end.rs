//! What a user waits for: git and git-lfs against the Hub, with our helper, with git's own, and
//! with none at all.

use crate::measure::{Call, Table, Timed, in_turn, or_dash};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;
use crate::support::tools::need;
use crate::support::user::noise;

const REPO: &str = "https://huggingface.co/acme/bench";
const FILES: usize = 100;

/// A way to give git its token.
struct Way {
    name: &'static str,
    machine: Machine,
}

/// The same user with the same clone, once for each way.
fn ways(hub: &Hub, token: &str) -> Vec<Way> {
    let with = |name, set_up: &dyn Fn(&Machine)| {
        let machine = Machine::new(hub);
        machine.git(["lfs", "install", "--skip-repo"]).ok();
        set_up(&machine);
        machine
            .git(["init", "--quiet", "--initial-branch=main", "clone"])
            .ok();
        machine
            .git(["remote", "add", "origin", REPO])
            .dir("clone")
            .ok();
        machine.git(["lfs", "track", "*.bin"]).dir("clone").ok();
        let bytes = noise(FILES * 2048);
        for (n, part) in bytes.chunks(2048).enumerate() {
            machine.write(format!("clone/{n}.bin"), part);
        }
        machine.commit_all("clone");
        Way { name, machine }
    };
    let config = |machine: &Machine, key: &str, value: &str| {
        machine.git(["config", "--global", key, value]).ok();
    };
    let stored = format!("https://hf_user:{token}@huggingface.co\n");
    // As many systems have one for everybody.
    let another = |machine: &Machine| {
        let file = machine.home().join("another");
        let helper = format!("store --file '{}'", file.display());
        config(machine, "credential.helper", &helper);
    };
    let from_file = |machine: &Machine| {
        machine.configure();
        machine.login("work", token, &["--for", "acme"]);
    };
    vec![
        with("no helper: the token in http.extraHeader", &|machine| {
            let basic = base64(&format!("hf_user:{token}"));
            let key = "http.https://huggingface.co/.extraHeader";
            config(machine, key, &format!("Authorization: Basic {basic}"));
        }),
        with("git-credential-store", &|machine| {
            config(machine, "credential.helper", "store");
            machine.write(".git-credentials", &stored);
        }),
        with("git-credential-store after another helper", &|machine| {
            another(machine);
            let add = ["config", "--global", "--add", "credential.helper", "store"];
            machine.git(add).ok();
            machine.write(".git-credentials", &stored);
        }),
        with("ours, HF_TOKEN", &|machine| {
            machine.configure();
            machine.env("HF_TOKEN", token);
        }),
        with("ours, file", &from_file),
        with("ours, file, after another helper", &|machine| {
            another(machine);
            from_file(machine);
        }),
        with("ours, file, by its bare name", &|machine| {
            from_file(machine);
            // As `configure` writes it where the system's own PATH leads to the program.
            let path = format!("{}/git-credential-hf", machine.bin().display());
            let lines = machine.read(".gitconfig");
            assert!(lines.contains(&path), "{lines}");
            machine.write(".gitconfig", lines.replace(&path, "hf"));
        }),
    ]
}

/// Prints times and counts.
pub fn run(hub: &Hub, rounds: usize) {
    hub.add_repo("acme/bench", true);
    let token = hub.add_token("git", &[("acme", Write)]);
    let ways = ways(hub, &token);
    println!("git ls-remote of a private repo:\n");
    let ask = |way: &Way| {
        let ls_remote = way.machine.git(["ls-remote", REPO]);
        Timed::new(Call::new(ls_remote.into_command(), ""))
    };
    print(&ways, rounds * 2, ask, || {});
    if !need("git-lfs") {
        return;
    }
    println!("git lfs push of {FILES} files:\n");
    let push = |way: &Way| {
        let push = way.machine.git(["lfs", "push", "origin", "main"]);
        Timed::new(Call::new(push.dir("clone").into_command(), ""))
    };
    // What the Hub has already is not sent again.
    print(&ways, rounds, push, || hub.forget_objects());
}

fn print(ways: &[Way], rounds: usize, make: impl Fn(&Way) -> Timed, before: impl Fn()) {
    let mut timed: Vec<Timed> = ways.iter().map(make).collect();
    let mut counts = Vec::new();
    for one in &mut timed {
        before();
        one.call().answer();
        before();
        counts.push(one.call().traced("execve").map(|log| Counts::of(&log)));
    }
    in_turn(rounds, &mut timed, &before);
    let headings = ["token from", "ms", "get", "store", "processes in all"];
    let mut table = Table::new(&headings);
    for ((way, timed), counts) in ways.iter().zip(&timed).zip(counts) {
        let count = |of: fn(&Counts) -> usize| or_dash(counts.as_ref().map(|c| of(c) as f64), 0);
        table.row([
            way.name.to_owned(),
            format!("{:.1}", timed.median()),
            count(|counts| counts.get),
            count(|counts| counts.store),
            count(|counts| counts.processes),
        ]);
    }
    table.print();
}

/// What a command has started.
struct Counts {
    get: usize,
    store: usize,
    processes: usize,
}

impl Counts {
    fn of(log: &str) -> Counts {
        let started = |line: &&str| line.contains("execve(") && line.ends_with(" = 0");
        let started: Vec<&str> = log.lines().filter(started).collect();
        // Git starts a helper through a shell, whose command line is whole in the log.
        let calls = |action: &str| {
            let end = format!(" {action}\"");
            let call = |line: &&&str| {
                let shell = line.contains("\"-c\", \"") && line.contains("credential-");
                shell && line.contains(&end)
            };
            started.iter().filter(call).count()
        };
        Counts {
            get: calls("get"),
            store: calls("store"),
            processes: started.len(),
        }
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = text.as_bytes().chunks(3);
    groups
        .flat_map(|group| {
            let bits = (0..3).fold(0, |bits, at| {
                bits << 8 | usize::from(group.get(at).copied().unwrap_or(0))
            });
            (0..4).map(move |at| match at > group.len() {
                true => '=',
                false => char::from(DIGITS[bits >> (18 - 6 * at) & 63]),
            })
        })
        .collect()
}
