//! The exit code, and nothing else.

fn main() -> std::process::ExitCode {
    git_credential_hf::cli::main().into()
}
