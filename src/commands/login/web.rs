//! `login --web`: the login in a browser, on this machine or another one.

use std::io::{self, IsTerminal, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Result;
use url::Url;

use crate::hub::oauth::{DeviceCode, Poll, Tokens};
use crate::hub::{Hub, HubError, oauth};
use crate::model::endpoint::Endpoint;
use crate::model::{text, time};
use crate::storage::Record;
use crate::system::environment::{TerminalEnvironment, variable};
use crate::system::{clock, process};
use crate::terminal;
use crate::terminal::{Failure, console};

/// How much slower to poll when the server asks for it, in seconds (RFC 8628, 3.5).
const SLOW_DOWN: u64 = 5;

/// Shows the page and the code, and waits for the user. Nothing is stored before the Hub agrees, so
/// Ctrl-C never leaves anything behind.
///
/// # Errors
/// When the user refuses or takes too long, or the Hub cannot be reached.
pub(crate) fn run(hub: &Hub, again: &str) -> Result<Record> {
    let client_id = oauth::client_id();
    let host = hub.endpoint().authority();
    let code = hub.device_code(&client_id).map_err(|error| {
        Failure::new(format!("the browser login at {host} cannot start: {error}"))
    })?;
    let complete = code.verification_uri_complete.as_deref();
    let page = page_of(hub, complete.unwrap_or(&code.verification_uri));
    // The page of another host is neither opened nor completed with the code.
    let shown = complete.filter(|_| page.is_some());
    let shown = shown.unwrap_or(&code.verification_uri);
    terminal::tell(&format!(
        "Open {} in a browser, here or on any other device.",
        text::one_line(shown)
    ));
    terminal::tell(&format!(
        "The code is {}, and it is valid for {}.",
        text::one_line(&code.user_code),
        time::span(code.expires_in)
    ));
    if io::stderr().is_terminal()
        && let Some(page) = page
    {
        open_browser(page.as_str());
    }
    let tokens = wait(hub, &client_id, &code, &host, again)?;
    Ok(Record {
        expires: tokens
            .expires_in
            .map(|seconds| clock::now().saturating_add(seconds)),
        refresh_token: tokens.refresh_token,
        client_id: Some(client_id),
        ..Record::new(tokens.access_token, hub.endpoint().clone())
    })
}

fn wait(hub: &Hub, client_id: &str, code: &DeviceCode, host: &str, again: &str) -> Result<Tokens> {
    let start = Instant::now();
    let deadline = Duration::from_secs(code.expires_in);
    let mut interval = code.interval;
    let spinner = Spinner::new("Waiting for the browser");
    loop {
        spinner.turn_for(Duration::from_secs(interval));
        match hub.poll(client_id, code) {
            Ok(Poll::Done(tokens)) => return Ok(tokens),
            Ok(Poll::Pending) => {}
            Ok(Poll::SlowDown) => interval += SLOW_DOWN,
            Err(error) if error.is_oauth("access_denied") => {
                return Err(Failure::new("the login was refused in the browser").into());
            }
            Err(error) if error.is_oauth("expired_token") => return Err(expired(again)),
            // A short loss of the network does not end the login.
            Err(HubError::Unavailable(_)) if start.elapsed() < deadline => {}
            Err(error) => {
                return Err(
                    Failure::new(format!("the browser login at {host} failed: {error}")).into(),
                );
            }
        }
        if start.elapsed() >= deadline {
            return Err(expired(again));
        }
    }
}

fn expired(again: &str) -> anyhow::Error {
    Failure::new("the code expired before it was entered")
        .help(format!("start again: {again}"))
        .into()
}

/// The page to open, which must be on the Hub itself. The program that opens pages might run anything
/// else, such as a file's name or an option.
fn page_of(hub: &Hub, text: &str) -> Option<Url> {
    let page = Url::parse(text).ok()?;
    let host = page.host_str()?;
    let authority = match page.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let endpoint = Endpoint::from_git(page.scheme(), &authority)?;
    (endpoint == *hub.endpoint()).then_some(page)
}

/// Opens the page if there is a desktop: not over SSH, and not without a display.
fn open_browser(page: &str) {
    let set = |name: &str| variable(name).is_some();
    if set("SSH_CONNECTION") || set("SSH_TTY") {
        return;
    }
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if set("DISPLAY") || set("WAYLAND_DISPLAY") {
        ("xdg-open", &[])
    } else {
        return;
    };
    let _ = process::command(program)
        .args(arguments)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

/// A spinner on a terminal; nothing elsewhere.
struct Spinner {
    text: &'static str,
    on: bool,
}

impl Spinner {
    fn new(text: &'static str) -> Self {
        let env = TerminalEnvironment::from_process();
        Self {
            text,
            // It is erased by an escape sequence. A notebook or a plain terminal would show a line for
            // each turn.
            on: io::stderr().is_terminal()
                && console::shows_colours()
                && !env.notebook
                && !env.dumb,
        }
    }

    fn turn_for(&self, time: Duration) {
        if !self.on {
            std::thread::sleep(time);
            return;
        }
        let start = Instant::now();
        for frame in ["|", "/", "-", "\\"].iter().cycle() {
            if start.elapsed() >= time {
                break;
            }
            let _ = write!(io::stderr(), "\r{} {frame} ", self.text);
            std::thread::sleep(Duration::from_millis(120));
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if self.on {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_hub_are_opened() {
        let hub = Hub::new(&Endpoint::hugging_face());
        for text in [
            "https://huggingface.co/device?code=AB-CD",
            "https://hf.co/device",
        ] {
            assert!(page_of(&hub, text).is_some(), "{text}");
        }
        for text in [
            "--version",
            "x/evil.desktop",
            "calc.exe",
            "file:///etc/passwd",
            "http://huggingface.co/device",
            "https://huggingface.co.evil.example/device",
            "https://huggingface.co@evil.example/device",
            "javascript:alert(1)",
            "",
        ] {
            assert!(page_of(&hub, text).is_none(), "{text}");
        }
    }
}
