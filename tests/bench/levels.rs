//! What reading the programs that wait for the helper costs, for each level.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use git_credential_hf::git::calling_process::Callers;

use crate::measure::Table;

/// The word that tells this program to be the one that looks at its callers.
pub const LOOK: &str = "look-at-callers";

/// How far up the helper looks, at most.
const LEVELS: usize = 8;

/// Looks at the callers again and again, and prints the microseconds that it takes.
pub fn look() {
    const TIMES: u32 = 2000;
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(Callers::read());
    }
    println!("{}", start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
}

/// Prints how long it takes below as many shells as it reads at most.
pub fn run() {
    let this = std::env::current_exe().expect("this program");
    let mut command = Command::new("sh");
    for _ in 1..LEVELS {
        command.args(["-c", "\"$@\"; :", "sh", "sh"]);
    }
    command.args(["-c", "\"$@\"; :", "sh"]).arg(this).arg(LOOK);
    let output = command.output().expect("run the shells");
    let text = String::from_utf8_lossy(&output.stdout);
    let all: f64 = text.trim().parse().expect("a number");
    let mut table = Table::new(&["calling programs", "all, ms", "one, ms"]);
    table.row([
        LEVELS.to_string(),
        format!("{:.3}", all / 1e3),
        format!("{:.4}", all / 1e3 / LEVELS as f64),
    ]);
    table.print();
}
