//! What more rules and more tokens cost.

use std::fmt::Write as _;

use crate::contenders::our_get;
use crate::measure::{Table, Timed, in_turn, or_dash};
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;
use crate::support::user::{CONFIG, STATE};

/// Rules and tokens; the first is what the others are held against.
const SIZES: [(usize, usize); 8] = [
    (1, 1),
    (100, 1),
    (1_000, 1),
    (10_000, 1),
    (1, 20),
    (1, 200),
    (1, 2_000),
    (1_000, 200),
];

/// A machine with one token in a file that a rule chooses, among many others.
fn machine(hub: &Hub, token: &str, rules: usize, tokens: usize) -> Machine {
    let machine = Machine::new(hub);
    machine.login("work", token, &["--for", "acme"]);
    let mut config = machine.read(CONFIG);
    for n in 1..rules {
        // One rule in ten is a glob, as there are more repos than families of them.
        let pattern = match n % 10 {
            0 => format!("org-{n}/llama-*"),
            1..5 => format!("org-{n}"),
            _ => format!("datasets/org-{n}/set-{n}"),
        };
        let _ = writeln!(config, "{pattern:?} = \"work\"");
    }
    machine.write(CONFIG, config);
    let mut state = machine.state();
    let all = state["tokens"].as_object_mut().expect("tokens");
    let model = all["work"].clone();
    for n in 1..tokens {
        let mut other = model.clone();
        other["fingerprint"] = format!("{n:032x}").into();
        other["account"] = format!("account-{n}").into();
        other["order"] = (n + 1).into();
        // As `login` leaves it that has asked the Hub, with a fine-grained token.
        other["facts"] = serde_json::json!({
            "account": format!("account-{n}"),
            "account_type": "user",
            "organisations": [{ "name": format!("org-{n}"), "role": "write" }],
            "display_name": format!("token-{n}"),
            "role": "fineGrained",
            "scopes": [{
                "kind": "org",
                "name": format!("org-{n}"),
                "id": format!("{n:024x}"),
                "permissions": ["repo.content.read", "repo.write", "discussion.write"],
            }],
            "verified": 1_700_000_000,
        });
        all.insert(format!("token-{n}"), other);
    }
    machine.write(STATE, state.to_string());
    // A login more, so that the file is as the program itself writes it.
    machine.login("work", token, &[]);
    machine
}

/// Prints how long `get` takes in each size, and how many instructions.
pub fn run(hub: &Hub, rounds: usize) {
    let token = hub.add_token("growth", &[("acme", Write)]);
    let machines = SIZES.map(|(rules, tokens)| machine(hub, &token, rules, tokens));
    let mut gets: Vec<Timed> = machines
        .iter()
        .map(|machine| Timed::new(our_get(machine, &token)))
        .collect();
    in_turn(rounds, &mut gets, || {});
    let headings = [
        "rules",
        "tokens",
        "get, ms",
        "ratio",
        "million instructions",
    ];
    let mut table = Table::new(&headings);
    let mut first = None;
    for ((rules, tokens), get) in SIZES.iter().zip(&mut gets) {
        let time = get.median();
        let count = get.call().instructions().map(|n| n as f64 / 1e6);
        table.row([
            rules.to_string(),
            tokens.to_string(),
            format!("{time:.2}"),
            format!("{:.2}", time / *first.get_or_insert(time)),
            or_dash(count, 2),
        ]);
    }
    table.print();
}
