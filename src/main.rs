//! The exit code, and nothing else.

#![cfg_attr(all(target_os = "linux", target_env = "gnu", not(test)), no_main)]

/// What glibc calls, in the place of Rust's runtime: see `start.rs`. The arguments are there all
/// the same, on glibc (see the documentation of `std::env::args`).
#[cfg(all(target_os = "linux", target_env = "gnu", not(test)))]
#[allow(unsafe_code, reason = "the one name of the program that C knows")]
#[unsafe(no_mangle)]
extern "C" fn main() -> std::ffi::c_int {
    git_credential_hf::system::start::instead_of_runtime();
    // Also flushes what is printed.
    std::process::exit(git_credential_hf::cli::main().into())
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() -> std::process::ExitCode {
    git_credential_hf::cli::main().into()
}
