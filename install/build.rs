//! How the released program is linked on Linux: with the unwinder in it, so that its start loads
//! libc and nothing else.
//!
//! The standard library asks for `libgcc_s.so.1`, which has the unwinder behind the backtrace of
//! a panic. Git starts this program for every operation, and finding, mapping and relocating that
//! library took a tenth of all the time that `get` takes (`tests/bench/run`). gcc has the same
//! code as an archive. Where the linker meets that first, nothing is left to be had from the
//! shared library, and it is left out (rustc always says `--as-needed`). It does with link-time
//! optimisation, which puts all calls in front, and with rustc's own lld; elsewhere the shared
//! library does as ever.
//!
//! The archive of gcc 12 and newer wants glibc 2.35. A program that is built to be copied to
//! older systems is better linked statically: `install/install.sh --static`.

use std::env;
use std::path::Path;
use std::process::Command;

const ARCHIVE: &str = "gcc_eh";

fn main() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    println!("cargo::rerun-if-changed=install/build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    let target = target.to_uppercase().replace('-', "_");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_{target}_LINKER");
    let glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if glibc && is("PROFILE", "release") && linker_has_archive() {
        println!("cargo::rustc-link-lib=static:-bundle={ARCHIVE}");
    }
}

/// Whether the compiler that rustc links with brings the archive, which some distributions pack
/// apart. One that is named in `RUSTFLAGS` is not known here.
fn linker_has_archive() -> bool {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(linker)
        .arg(format!("-print-file-name=lib{ARCHIVE}.a"))
        .output();
    // What it cannot find it answers with the bare name (gcc(1)).
    asked.is_ok_and(|said| {
        let path = String::from_utf8_lossy(&said.stdout);
        let path = Path::new(path.trim_end());
        said.status.success() && path.is_absolute() && path.is_file()
    })
}
