//! Prompts. The hidden prompt handles keys itself, so that it can restore the terminal at Ctrl-C:
//! the shell does not do this after a program that git has started.

use std::io::{self, IsTerminal, Read, Write};

use zeroize::Zeroizing;

use super::{Column, Cut, Screen, Table};
use crate::model::pasted;
use crate::model::pasted::PasteError;
use crate::model::secret::{MAX_BYTES, Secret};
use crate::model::text::sanitize;
use crate::system::environment::TerminalEnvironment;

/// A token that the user gave, or why it is not a token.
pub(crate) type Given = Result<Secret, PasteError>;

/// Whether a question can be asked: stdin and stderr are a terminal, and prompts are allowed.
pub(crate) fn can_ask() -> bool {
    let env = TerminalEnvironment::from_process();
    !env.no_prompt && !env.notebook && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question. No answer means no.
pub(crate) fn confirm(question: &str) -> bool {
    let answer = ask(&format!("{question} [y/N]"));
    answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Lets the user choose one of several names, shown with descriptions, by number or by name. `None`
/// if no question can be asked, there is nothing to choose, or the answer is not one of the
/// choices.
pub(crate) fn choose(question: &str, choices: &[(String, String)]) -> Option<usize> {
    if !can_ask() || choices.is_empty() {
        return None;
    }
    let mut table = Table::new([
        Column::new(""),
        Column::new("").shorten(16, Cut::Middle),
        Column::new("").shorten(8, Cut::End),
    ])
    .without_header();
    for (at, (name, about)) in choices.iter().enumerate() {
        let number = format!("  {}", at + 1);
        table.row([number.into(), name.as_str().into(), about.as_str().into()]);
    }
    super::tell_styled(table.render(Screen::stderr()).trim_end());
    let answer = ask(&format!("{question} [1-{}]", choices.len()))?;
    let number = answer.parse::<usize>().ok();
    let by_number = number.filter(|number| (1..=choices.len()).contains(number));
    let by_name = choices.iter().position(|(name, _)| *name == answer);
    by_name.or(by_number.map(|number| number - 1))
}

/// The answer to one of several similar questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Yes to this one.
    Yes,
    /// No to this one.
    No,
    /// Yes to this one and all that follow.
    All,
    /// No to this one and all that follow.
    Quit,
}

/// Asks one of several similar questions. An empty answer means no, and the end of the input means
/// [`Reply::Quit`].
pub(crate) fn confirm_each(question: &str) -> Reply {
    loop {
        let answer = ask(&format!("{question} [y/n/a/q]")).map(|answer| answer.to_lowercase());
        match answer.as_deref() {
            Some("y" | "yes") => return Reply::Yes,
            Some("n" | "no" | "") => return Reply::No,
            Some("a" | "all") => return Reply::All,
            Some("q" | "quit") | None => return Reply::Quit,
            Some(_) => super::tell("y: yes, n: no, a: yes to all that follow, q: stop here"),
        }
    }
}

/// Asks for a line; `None` at the end of the input or without a terminal.
fn ask(question: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    // Write it in one piece, so that other output cannot come in between.
    let question = format!("{} ", Screen::stderr().signs(&sanitize(question)));
    let _ = io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    if matches!(io::stdin().read_line(&mut answer), Ok(0) | Err(_)) {
        // End the line of the question.
        let _ = writeln!(io::stderr());
        return None;
    }
    Some(answer.trim().to_owned())
}

/// Reads a token: from stdin if `on_stdin` and stdin is not a terminal, or else at a hidden prompt.
/// `None` if no question can be asked.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn token(on_stdin: bool, question: &str) -> io::Result<Option<Given>> {
    if on_stdin && !io::stdin().is_terminal() {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
        // In UTF-16, each character of a token has two bytes.
        let most = 2 * MAX_BYTES as u64 + 4;
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
        return Ok(Some(pasted::token(&bytes)));
    }
    if !can_ask() {
        return Ok(None);
    }
    if !super::console::hides_typing() {
        return Err(io::Error::other(
            "this terminal (Git Bash) shows what is typed: start the command with winpty",
        ));
    }
    let typed = hidden(question)?;
    Ok(Some(pasted::token(typed.as_bytes())))
}

/// What a key does to the line being typed.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Done,
    Interrupt,
    End,
    Typing,
}

/// The exit code of a program that Ctrl-C has ended, by the shells' convention.
const INTERRUPTED: i32 = 130;

/// Adds a byte to the line, or edits the line as a terminal would.
fn take(line: &mut Zeroizing<Vec<u8>>, byte: u8) -> Key {
    match byte {
        b'\r' | b'\n' => return Key::Done,
        0x03 => return Key::Interrupt,
        0x04 if line.is_empty() => return Key::End,
        0x04 => return Key::Done,
        // Backspace: remove a whole character, which may have several bytes in UTF-8.
        0x08 | 0x7f => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
        // Ctrl-U: remove the whole line.
        0x15 => line.clear(),
        // Ignore other control keys, which are not part of a token.
        byte if byte < 0x20 => {}
        byte => line.push(byte),
    }
    Key::Typing
}

/// Asks for a line without showing it.
///
/// # Errors
/// When there is no terminal, or its end comes before a line.
#[cfg(unix)]
pub(crate) fn hidden(prompt: &str) -> io::Result<Zeroizing<String>> {
    use std::fs::File;

    use crate::terminal::signals::Watch;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// Restores the terminal's modes when dropped.
    struct Restore<'a>(&'a File, Termios);

    impl Drop for Restore<'_> {
        fn drop(&mut self) {
            let _ = tcsetattr(self.0, OptionalActions::Flush, &self.1);
            let _ = (&mut &*self.0).write_all(b"\n");
        }
    }

    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let _watch = Watch::begin(&terminal, &before)?;
    (&terminal).write_all(format!("{}: ", crate::model::text::one_line(prompt)).as_bytes())?;
    let mut quiet = before.clone();
    // Without ISIG, Ctrl-C and Ctrl-Z do not send signals.
    quiet
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
    let restore = Restore(&terminal, before);
    tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;

    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    let mut byte = [0_u8];
    loop {
        if (&terminal).read(&mut byte)? == 0 {
            return Err(no_line());
        }
        match take(&mut line, byte[0]) {
            Key::Typing => {}
            Key::Done => break,
            Key::End => return Err(no_line()),
            Key::Interrupt => {
                drop(line);
                drop(restore);
                std::process::exit(INTERRUPTED);
            }
        }
    }
    text(&line)
}

/// Asks for a line without showing it.
///
/// # Errors
/// When there is no terminal, or its end comes before a line.
#[cfg(not(unix))]
pub(crate) fn hidden(prompt: &str) -> io::Result<Zeroizing<String>> {
    use std::io::Write;

    write!(io::stderr(), "{}: ", crate::model::text::one_line(prompt))?;
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    let keys = super::console::Keys::open()?;
    let last = 'keys: loop {
        let c = keys.read()?;
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            match take(&mut line, byte) {
                Key::Typing => {}
                last => break 'keys last,
            }
        }
    };
    writeln!(io::stderr())?;
    match last {
        Key::End => Err(no_line()),
        // Usually Windows ends the program itself, unless the console passes the key on.
        Key::Interrupt => {
            drop(line);
            std::process::exit(INTERRUPTED);
        }
        _ => text(&line),
    }
}

fn no_line() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "no token was given")
}

fn text(line: &[u8]) -> io::Result<Zeroizing<String>> {
    std::str::from_utf8(line)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what was typed is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (typed, line, key) in [
            (&b"abc\r"[..], "abc", Key::Done),
            (b"abc\x04", "abc", Key::Done),
            (b"\x04", "", Key::End),
            (b"ab\x7fc\n", "ac", Key::Done),
            ("aé\x7fb\n".as_bytes(), "ab", Key::Done),
            (b"\x7fx\x15y\n", "y", Key::Done),
            (b"ab\x03", "ab", Key::Interrupt),
            (b"a\x1a\x1bb\n", "ab", Key::Done),
        ] {
            let mut buffer = Zeroizing::new(Vec::new());
            let mut last = Key::Typing;
            for byte in typed {
                last = take(&mut buffer, *byte);
            }
            assert_eq!(
                (buffer.as_slice(), last),
                (line.as_bytes(), key),
                "{typed:?}"
            );
        }
    }
}
