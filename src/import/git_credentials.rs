//! The file of git's own `store` helper: a URL with a login on each line.

use std::ops::Range;

use zeroize::Zeroizing;

use super::login_url::LoginUrl;

/// A line with a login.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// Its login.
    pub(crate) url: LoginUrl,
    /// The whole line, with its line ending.
    span: Range<usize>,
}

/// The logins in a file. Other lines are skipped, as git does.
pub(crate) fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let span = start..start + line.len();
        start = span.end;
        // A carriage return is not part of a host or path, but comes from an editor.
        let Ok(text) = std::str::from_utf8(line.trim_ascii_end()) else {
            continue;
        };
        if let Some(url) = LoginUrl::parse(text) {
            let line = at + 1;
            found.push(Entry { line, url, span });
        }
    }
    found
}

/// Removes lines from the file. All others stay as they are, byte for byte.
pub(crate) fn without(bytes: &[u8], goes: impl Fn(&Entry) -> bool) -> Zeroizing<Vec<u8>> {
    let mut left = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut copied = 0;
    for entry in entries(bytes).iter().filter(|entry| goes(entry)) {
        left.extend_from_slice(bytes.get(copied..entry.span.start).unwrap_or_default());
        copied = entry.span.end;
    }
    left.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hub(entry: &Entry) -> bool {
        let endpoint = entry.url.endpoint.as_ref();
        endpoint.is_some_and(crate::model::endpoint::Endpoint::is_hugging_face)
    }

    #[test]
    fn only_the_lines_that_go_are_gone() {
        let ours = "https://u:p@huggingface.co\n";
        for (text, lines, left) in [
            ("", &[][..], ""),
            (ours, &[1], ""),
            ("https://u:p@huggingface.co", &[1], ""),
            ("https://u:p@huggingface.co/a/x\r\nx\r\n", &[1], "x\r\n"),
            (
                "# mine\n\nhttps://u:p@github.com\nhttps://u:p@hf.co\n\n\nhttps://u:p@git.example",
                &[4],
                "# mine\n\nhttps://u:p@github.com\n\n\nhttps://u:p@git.example",
            ),
            (
                "https://u:p@huggingface.co.evil.example\n# https://u:p@huggingface.co\n",
                &[],
                "https://u:p@huggingface.co.evil.example\n# https://u:p@huggingface.co\n",
            ),
            (
                "no url\nhttps://huggingface.co\n",
                &[],
                "no url\nhttps://huggingface.co\n",
            ),
        ] {
            let found = entries(text.as_bytes());
            let found: Vec<usize> = found.iter().filter(|e| is_hub(e)).map(|e| e.line).collect();
            assert_eq!(found, lines, "{text:?}");
            assert_eq!(
                without(text.as_bytes(), is_hub).as_slice(),
                left.as_bytes(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let bytes = b"https://u:\xff@huggingface.co\nhttps://u:p@huggingface.co\n\xfe\n";
        let left = without(bytes, is_hub);
        assert_eq!(left.as_slice(), b"https://u:\xff@huggingface.co\n\xfe\n");
    }
}
