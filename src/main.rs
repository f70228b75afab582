//! The exit code, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_credential_hf::cli::main()
}
