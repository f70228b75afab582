//! Quotes the arguments of suggested commands for the user's shell.

/// Quotes `text` as one word for the shell of this platform.
pub(crate) fn word(text: &str) -> String {
    if cfg!(windows) {
        for_windows(text)
    } else {
        for_sh(text)
    }
}

/// Quotes a path as one word. The quotes begin where they are needed, so that a home directory before
/// them can become `~`.
pub(crate) fn path(text: &str) -> String {
    let special = text.find(|c| !is_plain_char(c)).filter(|_| !cfg!(windows));
    let folder = special.and_then(|at| text.get(..at)?.rfind('/'));
    let (folder, rest) = folder
        .and_then(|at| text.split_at_checked(at + 1))
        .unwrap_or(("", text));
    format!("{folder}{}", word(rest))
}

/// Between single quotes, only a single quote is special.
fn for_sh(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Double quotes are the only quotes that cmd, PowerShell and Git Bash have in common.
fn for_windows(text: &str) -> String {
    if is_plain(text) && !text.contains(['@', ',', '%']) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\\\""))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_plain_char)
}

fn is_plain_char(c: char) -> bool {
    c.is_alphanumeric() || "-_./+@%,:".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_kinds_of_shell() {
        for (text, sh, windows) in [
            ("work", "work", "work"),
            ("a/b_c.d-e", "a/b_c.d-e", "a/b_c.d-e"),
            ("my token", "'my token'", "\"my token\""),
            ("acme/llama-*", "'acme/llama-*'", "\"acme/llama-*\""),
            ("it's", "'it'\\''s'", "\"it's\""),
            ("", "''", "\"\""),
            ("C:\\x\\y", "'C:\\x\\y'", "\"C:\\x\\y\""),
            ("a@b,c", "a@b,c", "\"a@b,c\""),
            ("C:\\x y\\z", "'C:\\x y\\z'", "\"C:\\x y\\z\""),
        ] {
            assert_eq!(for_sh(text), sh);
            assert_eq!(for_windows(text), windows);
        }
    }

    #[cfg(unix)]
    #[test]
    fn quotes_in_a_path_begin_where_they_are_needed() {
        for (text, expected) in [
            ("/home/u/.gitconfig", "/home/u/.gitconfig"),
            ("/home/u/a b/c", "/home/u/'a b/c'"),
            ("a'b", r"'a'\''b'"),
            ("/x/$(id)", "/x/'$(id)'"),
            ("", "''"),
        ] {
            assert_eq!(path(text), expected);
        }
    }
}
