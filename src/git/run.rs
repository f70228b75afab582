//! The one place that asks git something.

use std::process::Stdio;
use std::time::Duration;

use crate::system::process::{self, output_within};

/// How long git may take to read its configuration: a hostile one may include a pipe.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How much configuration is read, in bytes, and how many places are taken from it: more is no
/// working repository's.
const MAX_CONFIG: u64 = 1024 * 1024;

/// What git prints, under a deadline; `None` without git, or where it has nothing to tell.
#[must_use]
pub fn ask(arguments: &[&str]) -> Option<String> {
    let mut command = process::command("git");
    command.args(arguments).stderr(Stdio::null());
    let finished = output_within(command, TIMEOUT, MAX_CONFIG).ok()?;
    let told = String::from_utf8_lossy(&finished.output).into_owned();
    finished.status.success().then_some(told)
}
