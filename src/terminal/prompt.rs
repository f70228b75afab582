//! The hidden prompt. It reads keys itself, so that Ctrl-C leaves the terminal as it was: a
//! program that git has started cannot count on the shell to mend it.

use std::io::{self, IsTerminal, Read};

use zeroize::Zeroizing;

use crate::model::pasted;
use crate::model::pasted::Obstacle;
use crate::model::secret::{MAX_BYTES, Secret};

/// A token as it was given, or what keeps it from being one.
pub type Given = Result<Secret, Obstacle>;

/// A token that a person gives: on stdin where that is asked for and not a terminal, else at a
/// hidden prompt; `None` where nobody can be asked.
///
/// # Errors
/// When it cannot be read.
pub fn token(on_stdin: bool, question: &str) -> io::Result<Option<Given>> {
    if on_stdin && !io::stdin().is_terminal() {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
        // UTF-16 has two bytes for each of the token's.
        let most = 2 * MAX_BYTES as u64 + 4;
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
        return Ok(Some(pasted::token(&bytes)));
    }
    if !super::can_ask() {
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

/// Takes one byte into the line, as a terminal's own editing would.
fn take(line: &mut Zeroizing<Vec<u8>>, byte: u8) -> Key {
    match byte {
        b'\r' | b'\n' => return Key::Done,
        0x03 => return Key::Interrupt,
        0x04 if line.is_empty() => return Key::End,
        0x04 => return Key::Done,
        // Backspace: a whole character goes, of several bytes in UTF-8.
        0x08 | 0x7f => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
        // Ctrl-U: the whole line.
        0x15 => line.clear(),
        // Other control keys and what arrow keys send are no part of a token.
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
pub fn hidden(prompt: &str) -> io::Result<Zeroizing<String>> {
    use std::fs::File;
    use std::io::Write;

    use crate::terminal::signals::Watch;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// Puts the terminal's modes back, whatever happens.
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
    // Without ISIG, Ctrl-C and Ctrl-Z are keys like any other.
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
pub fn hidden(prompt: &str) -> io::Result<Zeroizing<String>> {
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
        // Windows ends the program itself, unless the console gives the key away.
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
