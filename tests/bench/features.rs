//! What a feature costs a call that does not use it: the same `get` from a file, by a rule, with
//! one thing more on the machine.

use crate::contenders::{SHORT_REQUEST, our_get};
use crate::measure::{Table, Timed, in_turn, or_dash};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;
use crate::support::user::{CONFIG, STATE};

/// A feature, and how a machine comes to have it.
type Feature<'a> = (&'static str, Box<dyn Fn(&Machine) + 'a>);

/// The first one is nothing at all; the others are held against it.
fn features(hub: &Hub) -> Vec<Feature<'_>> {
    let add = |machine: &Machine, lines: &str| {
        let before = machine.read(CONFIG);
        machine.write(CONFIG, before + lines);
    };
    let other = |machine: &Machine, more: &[&str]| {
        let name = format!("other {}", more.join(" "));
        machine.login("other", &hub.add_token(&name, &[("umbrella", Write)]), more);
    };
    vec![
        ("none of these", Box::new(|_| {})),
        (
            "HF_TOKEN, which the rule beats",
            Box::new(|machine| machine.env("HF_TOKEN", hub.add_token("unused", &[]))),
        ),
        (
            "the hf CLI, logged in",
            Box::new(|machine| {
                let token = hub.add_token("active", &[]);
                machine.write(".cache/huggingface/token", &token);
                let stored = format!("[active]\nhf_token = {token}\n\n");
                machine.write(".cache/huggingface/stored_tokens", stored);
            }),
        ),
        (
            "a default token",
            Box::new(move |machine| other(machine, &["--default"])),
        ),
        (
            "a rule for another namespace",
            Box::new(move |machine| other(machine, &["--for", "umbrella"])),
        ),
        (
            "[endpoints], another Hub",
            Box::new(move |machine| {
                add(
                    machine,
                    "\n[endpoints]\n\"https://hub.corp.example\" = { env = true }\n",
                );
            }),
        ),
        (
            "[commands], a vault",
            Box::new(move |machine| {
                add(
                    machine,
                    "\n[commands]\nvault = [\"vault\", \"kv\", \"get\", \"hf\"]\n",
                );
            }),
        ),
        (
            "a token in the keyring",
            Box::new(move |machine| {
                other(machine, &[]);
                // As `login` leaves it there; nobody has to answer, since nobody asks.
                let mut state = machine.state();
                state["tokens"]["other"]["storage"] = "keyring".into();
                machine.write(STATE, state.to_string());
            }),
        ),
        (
            "a rejected token",
            Box::new(move |machine| {
                let token = hub.add_token("rejected", &[]);
                machine.login("rejected", &token, &[]);
                let refused = format!("{SHORT_REQUEST}username=hf_user\npassword={token}\n");
                machine.ask("erase", &refused).ok();
                let rejected = &machine.state()["rejected"];
                assert!(rejected.as_object().is_some_and(|all| !all.is_empty()));
            }),
        ),
        (
            "a working folder with ten remotes",
            Box::new(|machine| {
                machine.git(["init", "--quiet"]).ok();
                for n in 0..10 {
                    let url = format!("https://huggingface.co/org-{n}/x");
                    machine.git(["remote", "add", &format!("r{n}"), &url]).ok();
                }
            }),
        ),
    ]
}

/// Prints how long `get` takes with each feature, how many instructions, and how many files it
/// looks at.
pub fn run(hub: &Hub, rounds: usize) {
    let token = hub.add_token("features", &[("acme", Write)]);
    let mut gets = Vec::new();
    let mut machines = Vec::new();
    let mut counted = Vec::new();
    for (name, give) in features(hub) {
        let machine = Machine::new(hub);
        machine.login("work", &token, &["--for", "acme"]);
        give(&machine);
        let mut call = our_get(&machine, &token);
        let files = call.traced("%file").map(|log| log.lines().count() as f64);
        counted.push((name, call.instructions().map(|n| n as f64), files));
        gets.push(Timed::new(call));
        machines.push(machine);
    }
    in_turn(rounds, &mut gets, || {});

    println!("get from a file, by a rule, with a feature that the call does not use:\n");
    let headings = [
        "there is also",
        "ms",
        "ratio",
        "instructions",
        "more",
        "files",
    ];
    let mut table = Table::new(&headings);
    let mut first = None;
    for ((name, instructions, files), get) in counted.iter().zip(&gets) {
        let time = get.median();
        let (plain_time, plain) = *first.get_or_insert((time, *instructions));
        let more = instructions.zip(plain).map(|(with, plain)| with - plain);
        table.row([
            (*name).to_owned(),
            format!("{time:.2}"),
            format!("{:.2}", time / plain_time),
            or_dash(*instructions, 0),
            or_dash(more, 0),
            or_dash(*files, 0),
        ]);
    }
    table.print();
}
