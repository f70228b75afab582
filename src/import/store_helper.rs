//! Finds the file of a configured `store` helper.

use std::path::{Path, PathBuf};

/// The file in a `credential.helper` of the form `store --file FILE`; `None` for other helpers, for
/// the default files, and for values that only a shell can evaluate.
pub(crate) fn file(helper: &str, home: &Path) -> Option<PathBuf> {
    let words = words(helper, home)?;
    let mut words = words.iter().map(String::as_str).peekable();
    let first = words.next()?;
    let program = first.trim_start_matches('!');
    let program = program.rsplit('/').next().unwrap_or(program);
    let is_store = match program {
        "store" => !first.starts_with('!'),
        "git-credential-store" => true,
        "git" => words.next_if(|word| *word == "credential-store").is_some(),
        _ => false,
    };
    if !is_store {
        return None;
    }
    let mut found = None;
    while let Some(word) = words.next() {
        if word == "--file" {
            found = words.next().map(PathBuf::from);
        } else if let Some(path) = word.strip_prefix("--file=") {
            found = Some(PathBuf::from(path));
        }
    }
    // What a relative path means depends on where git runs.
    found.filter(|path| path.is_absolute())
}

/// Splits a command into words as a shell does; `None` if a shell would do more than that.
fn words(command: &str, home: &Path) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = command.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(characters.next()?),
            (None | Some('"'), '$' | '`') => return None,
            (None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '{') => return None,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '~') if word.is_none() => {
                if !matches!(characters.peek(), None | Some('/')) {
                    return None;
                }
                word = Some(home.to_str()?.to_owned());
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn helpers_and_their_files() {
        for (helper, expected) in [
            ("store", None),
            ("store --file /a/b", Some("/a/b")),
            ("store --file=/a/b", Some("/a/b")),
            ("store --file ~/b", Some("/home/u/b")),
            ("store --file '/a b/c'", Some("/a b/c")),
            ("store --file /a\\ b/\"c d\"", Some("/a b/c d")),
            (
                "/usr/lib/git-core/git-credential-store --file /a",
                Some("/a"),
            ),
            ("!git credential-store --file /a", Some("/a")),
            ("!/usr/bin/git credential-store --file=/a", Some("/a")),
            // To a shell these are neither home directories nor absolute paths.
            ("store --file=~/b", None),
            ("store --file ~bob/b", None),
            ("store --file b", None),
            ("store --file $HOME/b", None),
            ("store --file \"$HOME/b\"", None),
            ("store --file '/a", None),
            ("!store --file /a", None),
            ("!f() { cat /a; }; f", None),
            ("cache --timeout 3", None),
            ("osxkeychain", None),
            ("", None),
        ] {
            let found = file(helper, Path::new("/home/u"));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{helper}");
        }
    }
}
