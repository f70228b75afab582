//! One call of each helper: time, instructions, memory and system calls.

use std::fs;

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
    let nothing = machine.command("/bin/true", [""; 0]).into_command();
    let mut nothing = Timed::new(Call::new(nothing, ""));

    // What repeats comes first, as long as all of them are as they were set up.
    let mut counted: Vec<[Option<f64>; 3]> = Vec::new();
    for call in all.iter_mut().map(|one| &mut one.get).chain([&mut nothing]) {
        let call = call.call();
        counted.push([
            call.instructions().map(|n| n as f64 / 1e6),
            call.peak_memory().map(|bytes| bytes as f64 / 1e6),
            call.traced(CALLS).map(|log| log.lines().count() as f64),
        ]);
    }
    let gets = all.iter_mut().map(|one| &mut one.get);
    in_turn(rounds, gets.chain([&mut nothing]), || {});
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
    row("/bin/true", nothing.median(), counted[all.len()]);
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
