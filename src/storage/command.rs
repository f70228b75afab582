//! Tokens that another program prints: `pass`, 1Password, Vault, a cloud's secret manager.

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use super::StorageError;
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;
use crate::system::ci_job::JOB_VARIABLE;
use crate::system::process;
use crate::system::process::output_within;

/// A program that prints a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCommand {
    /// The program and its arguments. Never empty.
    pub arguments: Vec<String>,
    /// The only endpoint that the token is sent to.
    pub endpoint: Endpoint,
}

impl TokenCommand {
    /// The name in listings: the program, since its arguments may contain secrets.
    pub(crate) fn described(&self) -> String {
        let program = self.arguments.first().map_or("", String::as_str);
        format!("command {program}")
    }
}

/// How many bytes a command may print: some vaults print notes below the token.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// How long a command may take. It may ask for a fingerprint or a PIN.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the command without a shell and reads the token from the first line of its output.
///
/// The command gets no input and none of the tokens in the environment. Its stderr goes to the
/// user.
///
/// # Errors
/// When it cannot be started, fails, does not print a token, or takes longer than `timeout`.
pub(crate) fn run(command: &TokenCommand, timeout: Duration) -> Result<Secret, StorageError> {
    let [program, arguments @ ..] = command.arguments.as_slice() else {
        return Err(StorageError::Unavailable("the command is empty".to_owned()));
    };
    // Messages show only the program's name: its arguments and output may contain secrets.
    let fail = |what: &str| StorageError::Unavailable(format!("`{program}` {what}"));
    let mut process = process::command(program);
    process.args(arguments);
    // A vault may accept a CI job's identity, as the Hub does.
    if let Some(value) = std::env::var_os(JOB_VARIABLE) {
        process.env(JOB_VARIABLE, value);
    }
    let finished = output_within(process, timeout, MAX_OUTPUT).map_err(|error| {
        fail(&match error.kind() {
            io::ErrorKind::FileTooLarge => format!("printed more than {MAX_OUTPUT} bytes"),
            io::ErrorKind::TimedOut => format!("did not finish within {} s", timeout.as_secs()),
            _ => format!("cannot be started: {error}"),
        })
    })?;
    if !finished.status.success() {
        return Err(fail(&format!("failed ({})", finished.status)));
    }
    let line = finished.output.split(|byte| *byte == b'\n').next();
    let line = std::str::from_utf8(line.unwrap_or_default())
        .map_err(|_| fail("printed something that is not text"))?;
    Secret::from_input(Zeroizing::new(line.to_owned()))
        .map_err(|error| fail(&format!("did not print a token: {error}")))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::endpoint::Endpoint;

    fn run_sh(script: &str) -> Result<Secret, StorageError> {
        let command = TokenCommand {
            arguments: vec!["sh".into(), "-c".into(), script.into()],
            endpoint: Endpoint::hugging_face(),
        };
        run(&command, Duration::from_millis(500))
    }

    #[test]
    fn the_first_line_is_the_token() {
        assert_eq!(run_sh("echo ' one '; echo two").unwrap().expose(), "one");
        assert_eq!(run_sh("printf one; seq 100000").unwrap().expose(), "one1");
    }

    #[test]
    fn failures_do_not_quote_the_output() {
        for (script, expected) in [
            ("echo secret-thing; exit 3", "`sh` failed (exit status: 3)"),
            ("true", "`sh` did not print a token: the token is empty"),
            (
                "printf 'a\\033b'",
                "`sh` did not print a token: the token contains",
            ),
            ("sleep 5", "`sh` did not finish within 0 s"),
        ] {
            let error = run_sh(script).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("secret-thing"));
        }
        let command = TokenCommand {
            arguments: vec!["/nowhere/at/all".into()],
            endpoint: Endpoint::hugging_face(),
        };
        let error = run(&command, TIMEOUT).unwrap_err().to_string();
        // Under emulation, a missing program is reported only by the exit code.
        let told = ["cannot be started", "exit status: 127"];
        assert!(told.iter().any(|t| error.contains(t)), "{error}");
    }
}
