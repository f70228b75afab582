//! Ends with the exit code of the command line.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    git_credential_hf::cli::main().into()
}
