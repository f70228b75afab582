//! The exit code, and nothing else.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    git_credential_hf::cli::main().into()
}
