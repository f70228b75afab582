//! Ends with the exit code of the command line.

#![forbid(unsafe_code)]

/// Faster than musl's own; see Cargo.toml.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> std::process::ExitCode {
    git_credential_hf::cli::main().into()
}
