//! `cargo fuzz run --fuzz-dir tests/fuzz state`; see `properties`.
#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("state", data));
