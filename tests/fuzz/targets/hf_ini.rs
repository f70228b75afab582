//! `cargo fuzz run --fuzz-dir tests/fuzz hf_ini`; see `properties`.
#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("hf_ini", data));
