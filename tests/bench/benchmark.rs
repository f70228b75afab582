//! The benchmark: whole processes of this helper beside git's own, in the same run. Call it by
//! `tests/bench/run`, which gets and builds what it takes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "whoever runs it reads what it prints, and a benchmark that fails says so by panicking"
)]

#[cfg(unix)]
mod contenders;
#[cfg(unix)]
mod end_to_end;
#[cfg(unix)]
mod features;
#[cfg(unix)]
mod growth;
#[cfg(unix)]
mod helpers;
#[cfg(unix)]
mod levels;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
#[path = "../e2e/support/mod.rs"]
mod support;

#[cfg(unix)]
fn main() {
    use support::hub::Hub;
    use support::keyring::Keyring;

    // cargo adds arguments of its own, all with dashes.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == levels::LOOK) {
        return levels::look();
    }
    let mut rounds = 200;
    let mut builds = Vec::new();
    let mut parts = Vec::new();
    for argument in arguments {
        if argument.starts_with('-') {
            continue;
        }
        match argument.split_once('=') {
            Some(("rounds", count)) => rounds = count.parse().expect("rounds=NUMBER"),
            Some(("other", path)) => {
                let path = std::fs::canonicalize(path).expect("other=PROGRAM");
                builds.push((["other build, HF_TOKEN", "other build, file"], path));
            }
            Some(("released", path)) => {
                let path = std::fs::canonicalize(path).expect("released=PROGRAM");
                builds.push((["released, HF_TOKEN", "released, file"], path));
            }
            _ => parts.push(argument),
        }
    }
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|asked| asked == part);
    let hub = Hub::start();
    if wanted("helpers") {
        let keyring = Keyring::is_possible().then(Keyring::start);
        helpers::run(&hub, keyring.as_ref(), &builds, rounds);
    }
    if wanted("features") {
        features::run(&hub, rounds);
    }
    if wanted("growth") {
        growth::run(&hub, rounds);
    }
    if wanted("levels") {
        levels::run();
    }
    if wanted("git") {
        end_to_end::run(&hub, rounds.div_ceil(10));
    }
}

#[cfg(not(unix))]
fn main() {
    println!("the benchmark is for Unix");
}
