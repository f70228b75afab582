//! `cargo fuzz run --fuzz-dir tests/fuzz record`; see `properties`.
#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("record", data));
