//! One call of each helper: time, instructions, memory and system calls.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::contenders::{self, Build, Contender};
use crate::measure::{Call, Table, Timed, in_turn, or_dash};
use crate::support::hub::Hub;
use crate::support::keyring::Keyring;
use crate::support::machine::Machine;

/// The calls that open a file or look one up, and those that start a thread or a process.
const CALLS: &str = "%file,clone,clone3,fork,vfork,connect";

/// Prints all there is to say of one call.
pub fn run(hub: &Hub, keyring: Option<&Keyring>, builds: &[Build], rounds: usize) {
    let mut all = contenders::all(hub, keyring, builds);
    let machine = Machine::new(hub);
    let empty = empty_program(machine.home());
    let mut floors = ["/bin/true", &empty].map(|program| {
        let command = machine.command(program, [""; 0]).into_command();
        Timed::new(Call::new(command, ""))
    });

    // What repeats comes first, as long as all of them are as they were set up.
    let mut counted: Vec<[Option<f64>; 3]> = Vec::new();
    let gets = all.iter_mut().map(|one| &mut one.get);
    for call in gets.chain(&mut floors) {
        let call = call.call();
        counted.push([
            call.instructions().map(|n| n as f64 / 1e6),
            call.peak_memory().map(|bytes| bytes as f64 / 1e6),
            call.traced(CALLS).map(|log| log.lines().count() as f64),
        ]);
    }
    let gets = all.iter_mut().map(|one| &mut one.get);
    in_turn(rounds, gets.chain(&mut floors), || {});
    let known = all.iter_mut().map(|one| &mut one.store_known);
    in_turn(rounds, known, || {});
    in_turn(
        rounds / 2,
        all.iter_mut().filter_map(|one| one.store_new.as_mut()),
        || {},
    );
    in_turn(rounds / 2, all.iter_mut().map(|one| &mut one.erase), || {});

    println!("get:\n");
    let of = |name: &str| {
        let found = all.iter().find(|one| one.name == name);
        found.map(|one| one.get.median())
    };
    let (store, libsecret) = (of("git-credential-store"), of("git-credential-libsecret"));
    let mut table = Table::new(&[
        "helper, token from",
        "ms",
        "to git's store",
        "to libsecret",
        "million instructions",
        "peak MB",
        "calls: files, threads, sockets",
    ]);
    let mut row = |name: &str, time: f64, [instructions, memory, calls]: [Option<f64>; 3]| {
        table.row([
            name.to_owned(),
            format!("{time:.2}"),
            or_dash(store.map(|store| time / store), 2),
            or_dash(libsecret.map(|libsecret| time / libsecret), 2),
            or_dash(instructions, 2),
            or_dash(memory, 1),
            or_dash(calls, 0),
        ]);
    };
    for (one, counted) in all.iter().zip(&counted) {
        row(one.name, one.get.median(), *counted);
    }
    let names = ["/bin/true", "an empty Rust program"];
    for ((name, floor), counted) in names.iter().zip(&floors).zip(&counted[all.len()..]) {
        row(name, floor.median(), *counted);
    }
    table.print();

    println!("store and erase, ms:\n");
    let mut table = Table::new(&[
        "helper, token from",
        "store of what it answered",
        "store of a new one",
        "erase",
    ]);
    let time = |timed: &Timed| format!("{:.2}", timed.median());
    for Contender {
        name,
        store_known,
        store_new,
        erase,
        ..
    } in &all
    {
        let new = store_new.as_ref().map_or_else(|| "-".to_owned(), time);
        table.row([(*name).to_owned(), time(store_known), new, time(erase)]);
    }
    table.print();

    let ours = ("ours".to_owned(), contenders::program());
    let builds = builds.iter().map(|(names, path)| {
        let name = names[0].split(',').next();
        (name.unwrap_or_default().to_owned(), path.clone())
    });
    for (name, path) in [ours].into_iter().chain(builds) {
        let size = fs::metadata(path).expect("the program").len();
        println!("size of {name}: {:.2} MB", size as f64 / 1e6);
    }
    println!();
}

/// Builds a Rust program that does nothing, as ours is built from source: nothing that is written in
/// Rust and loads the system's libraries is faster.
fn empty_program(folder: PathBuf) -> String {
    let source = folder.join("empty.rs");
    fs::write(&source, "fn main() {}").expect("write the source");
    let program = folder.join("empty");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args(["-O", "-Cpanic=abort", "-Cstrip=symbols", "-o"])
        .args([&program, &source])
        .status();
    assert!(built.expect("run rustc").success(), "rustc failed");
    program.to_str().expect("a plain path").to_owned()
}
