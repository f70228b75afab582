//! Writes this program as a value of `helper`, and recognises it.

use super::EditError;
use super::parse::{File, parse};

/// Writes the absolute path of the helper as a value of `helper`.
///
/// git gives `PATH get` to a shell if the value itself, unquoted, is an absolute path (`credential_do` in
/// `credential.c`). So what is special to a shell gets a backslash, which is then escaped for the
/// configuration file. Backslashes of a Windows path become slashes, which the shell of Git for Windows wants.
pub fn quote_helper(path: &str) -> String {
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        path.replace('\\', "/")
    };
    let mut shell = String::new();
    for c in path.chars() {
        match c {
            // A backslash before a newline would join the lines instead.
            '\n' => shell.push_str("'\n'"),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() && !"/._-+:,@%=".contains(c) => {
                shell.extend(['\\', c])
            }
            c => shell.push(c),
        }
    }
    let value = shell
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
        .replace('\t', r"\t");
    if value.contains([';', '#', '\r']) {
        format!("\"{value}\"")
    } else {
        value
    }
}

/// Whether a value of `helper`, as git reads it, means this program.
#[must_use]
pub fn is_our_helper(value: &[u8]) -> bool {
    let absolute = match value {
        [b'/', ..] => true,
        [drive, b':', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    };
    value == b"hf" || absolute && is_our_name(value)
}

/// Whether the last part of a path is this program's name. Windows ignores case, and takes
/// the `.exe` for granted.
fn is_our_name(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|b| matches!(b, b'/' | b'\\'));
    let base = parts.next().unwrap_or_default();
    let on_windows = matches!(path, [_, b':', ..]);
    base == b"git-credential-hf"
        || base.eq_ignore_ascii_case(b"git-credential-hf.exe")
        || on_windows && base.eq_ignore_ascii_case(b"git-credential-hf")
}

/// Whether a value of `helper` means this program, however it was written by hand.
#[must_use]
pub fn means_us(value: &str) -> bool {
    if is_our_helper(value.as_bytes()) {
        return true;
    }
    let shell = value.starts_with('!');
    let first = first_word(value.trim_start_matches('!'));
    (first == "hf" && !shell) || is_our_name(first.as_bytes())
}

/// The first word of a command, as the shell that git gives it to reads it.
#[must_use]
pub fn first_word(command: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = command.trim_start().chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '\\') => word.extend(characters.next()),
            // Between double quotes, a backslash is literal unless something special follows.
            (Some('"'), '\\') if matches!(characters.peek(), Some('"' | '\\' | '$' | '`')) => {
                word.extend(characters.next());
            }
            (None, c) if c.is_whitespace() => break,
            (_, c) => word.push(c),
        }
    }
    word
}

/// Refuses a helper that git would read as another value, or that we would not recognise again.
pub(super) fn check_helper(helper: &str) -> Result<(), EditError> {
    let text = format!("[credential]\nhelper = {helper}");
    // A backslash at the end would join the next line.
    let whole = |file: &File| !helper.contains(['\n', '\0']) && file.missing_newlines == 1;
    let ours = parse(text.as_bytes()).is_ok_and(|file| {
        whole(&file)
            && file
                .items
                .last()
                .is_some_and(|item| item.sets(b"helper", is_our_helper))
    });
    if ours {
        Ok(())
    } else {
        Err(EditError::Helper(helper.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_this_program() {
        for (value, expected) in [
            ("hf", true),
            ("/opt/x/git-credential-hf", true),
            (r"/home/it\'s\ me/git-credential-hf", true),
            ("/usr/bin/env /opt/a.b/git-credential-hf", true),
            ("C:/x/git-credential-hf.exe", true),
            ("!git-credential-hf", true),
            ("C:/X/GIT-CREDENTIAL-HF", true),
            (r"C:\x\Git-Credential-HF.EXE", true),
            (r#"!"C:\Program Files\hf\git-credential-hf.exe" --x"#, true),
            ("!'/opt/my tools/git-credential-hf'", true),
            (r"!/opt/my\ tools/git-credential-hf", true),
            ("!'/opt/git-credential-hf /x'", false),
            ("/opt/GIT-CREDENTIAL-HF", false),
            ("!/opt/git-credential-hf --x", true),
            ("!hf", false),
            ("store", false),
            ("/opt/git-credential-hf-other", false),
            ("!echo git-credential-hf", false),
            ("", false),
        ] {
            assert_eq!(means_us(value), expected, "{value}");
        }
    }
}
