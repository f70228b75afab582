//! The properties of `fuzz/properties`, held against the fuzz targets' own seeds and against
//! cases made from them: the same ones in every run, unless told otherwise.
//!
//! What a failure leaves is an input as short as it could be made, in a file; the last lines of
//! the failure say how to repeat it. Kept below `fuzz/corpus`, it is a seed for both from then on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "so a property fails"
)]

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

#[path = "fuzz/properties/mod.rs"]
mod properties;

/// How many cases each property is given beside the seeds: `PROPERTY_CASES`.
const CASES: u64 = 5_000;

/// What the cases are made from beside the seeds: `PROPERTY_SEED`.
const SEED: u64 = 0x6769_742d_6866;

/// The longest case, in bytes.
const LONGEST: usize = 2_048;

macro_rules! each {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            hold(stringify!($name));
        })*

        #[test]
        fn every_property_has_a_test_a_target_and_seeds() {
            let tests = [$(stringify!($name)),*];
            let properties = properties::ALL.map(|property| property.name);
            assert_eq!(tests, properties);
            let listed = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
            for name in properties {
                assert!(listed.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
                assert!(folder().join(format!("targets/{name}.rs")).exists(), "{name}");
                assert!(seeds(name).len() >= 3, "{name}");
            }
            for folder in fs::read_dir(folder().join("corpus")).unwrap() {
                let name = folder.unwrap().file_name().into_string().unwrap();
                assert!(properties.contains(&name.as_str()), "{name}");
            }
        }
    };
}

each! { config endpoint git_config hf_ini names protocol record select state terminal whoami }

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// The seeds of a property, by their files' names.
fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<_> = fs::read_dir(folder().join("corpus").join(name))
        .expect("a folder of seeds")
        .map(|entry| {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            (file, fs::read(path).unwrap())
        })
        .collect();
    seeds.sort();
    seeds
}

/// Holds a property against one input (`PROPERTY_INPUT=FILE`), or against its seeds and cases.
fn hold(name: &str) {
    if let Some(file) = std::env::var_os("PROPERTY_INPUT") {
        return properties::check(name, &fs::read(file).unwrap());
    }
    let number = |variable: &str, default| {
        std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
    };
    let (seed, cases) = (
        number("PROPERTY_SEED", SEED),
        number("PROPERTY_CASES", CASES),
    );
    let seeds = seeds(name);
    for (file, data) in &seeds {
        if fails(name, data) {
            report(name, data, &format!("the seed corpus/{name}/{file}"));
        }
    }
    for case in 0..cases {
        let data = make(&mut Random::new(seed, case), &seeds);
        if fails(name, &data) {
            report(name, &data, &format!("case {case} of PROPERTY_SEED={seed}"));
        }
    }
}

thread_local! {
    /// Whether this thread's panics are expected ones, which nobody wants to see.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

fn fails(name: &str, data: &[u8]) -> bool {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                shown(panic);
            }
        }));
    });
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| properties::check(name, data)));
    QUIET.set(false);
    outcome.is_err()
}

/// Fails the test with the shortest input that still fails the property.
fn report(name: &str, data: &[u8], found: &str) -> ! {
    let short = shorten(data, |data| fails(name, data));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("properties");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, &short).unwrap();
    eprintln!(
        "the property `{name}` fails for {found}; made shorter:\n  {}\n\
         repeat it:    PROPERTY_INPUT={file} cargo test --test properties {name}\n\
         keep it:      cp {file} tests/fuzz/corpus/{name}/WHAT-IT-IS",
        short.escape_ascii(),
        file = file.display(),
    );
    properties::check(name, &short);
    panic!("the property fails at times only");
}

/// Takes out pieces for as long as the rest still fails, large ones first.
fn shorten(data: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut short = data.to_vec();
    let mut piece = short.len().div_ceil(2);
    while piece > 0 {
        let (mut at, before) = (0, short.len());
        while at < short.len() {
            let end = (at + piece).min(short.len());
            let rest = [&short[..at], &short[end..]].concat();
            if fails(&rest) {
                short = rest;
            } else {
                at = end;
            }
        }
        if short.len() == before || piece > 1 {
            piece /= 2;
        }
    }
    short
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn new(seed: u64, case: u64) -> Self {
        let mut random = Self(seed);
        Self(random.next() ^ case.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("it is below")
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(24) + 1)
    }
}

/// What formats are made of, and what breaks them.
const PIECES: [&[u8]; 34] = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b"=",
    b"/",
    b".",
    b"..",
    b":",
    b"@",
    b"%",
    b"\\",
    b"\"",
    b"'",
    b"#",
    b";",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"*",
    b"|",
    b"-",
    b"\x1b[",
    b"\xc3\xa9",
    b"\xff",
    b"\xe2\x80\xae",
    b".git",
    b"//",
    b"://",
    b"0",
];

/// A seed with a few changes in it.
fn make(random: &mut Random, seeds: &[(String, Vec<u8>)]) -> Vec<u8> {
    let pick = |random: &mut Random| match seeds.get(random.below(seeds.len() + 1)) {
        Some((_, seed)) => seed.clone(),
        None => Vec::new(),
    };
    let mut data = pick(random);
    for _ in 0..=random.below(6) {
        let range = random.range(data.len());
        match random.below(7) {
            0 => drop(data.drain(range)),
            1 => {
                let again = data[range.clone()].to_vec();
                data.splice(range.end..range.end, again);
            }
            2 => {
                let other = pick(random);
                let piece = random.range(other.len());
                data.splice(range, other[piece].iter().copied());
            }
            3 => {
                if let Some(byte) = data.get_mut(range.start) {
                    *byte ^= 1 << random.below(8);
                }
            }
            4 => {
                let byte = random.next().to_le_bytes()[0];
                data.insert(range.start, byte);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                data.splice(range.start..range.start, piece.iter().copied());
            }
        }
    }
    data.truncate(LONGEST);
    data
}

#[test]
fn an_input_is_made_as_short_as_it_can_be() {
    let fails = |data: &[u8]| data.contains(&b'x') && data.contains(&b'y');
    assert_eq!(shorten(b"one x and two or three ys", fails), b"xy");
    assert_eq!(shorten(b"xy", fails), b"xy");
}

#[test]
fn the_same_seed_makes_the_same_cases() {
    let seeds = seeds("protocol");
    let cases = |seed| (0..50).map(move |case| (seed, case));
    let made = |seed| -> Vec<Vec<u8>> {
        cases(seed)
            .map(|(seed, case)| make(&mut Random::new(seed, case), &seeds))
            .collect()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
}
