//! The width of text on a terminal, and shortening text to a width.

use std::cmp::Ordering;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The number of columns that a text needs: two for a CJK character or an emoji, none for a
/// combining mark.
pub(crate) fn of(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Which part to cut out of a text that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The end, for sentences.
    End,
    /// The middle, for names and paths, which differ at both ends.
    Middle,
}

/// Shortens text to at most `width` columns, with `mark` in place of what is cut out.
pub(crate) fn shorten(text: &str, width: usize, cut: Cut, mark: &str) -> String {
    if of(text) <= width {
        return text.to_owned();
    }
    let Some(left) = width.checked_sub(of(mark)) else {
        return start(text.chars(), width);
    };
    match cut {
        Cut::End => start(text.chars(), left).trim_end().to_owned() + mark,
        Cut::Middle => {
            let head = start(text.chars(), left.div_ceil(2));
            let tail = start(text.chars().rev(), left / 2);
            let tail: String = tail.chars().rev().collect();
            format!("{head}{mark}{tail}")
        }
    }
}

/// The first characters that fit into `width` columns.
fn start(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// Compares names in natural order: without case, and `run-2` before `run-10`.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let mut parts: Vec<(u128, String)> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let is_digit = rest.starts_with(|c: char| c.is_ascii_digit());
            let end = rest.find(|c: char| c.is_ascii_digit() != is_digit);
            let (part, tail) = rest.split_at(end.unwrap_or(rest.len()));
            match part.parse() {
                Ok(number) => parts.push((number, String::new())),
                Err(_) => parts.push((u128::MAX, part.to_lowercase())),
            }
            rest = tail;
        }
        parts
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_a_terminal() {
        for (text, width) in [
            ("abc", 3),
            ("é", 1),
            ("e\u{301}", 1),
            ("データ", 6),
            ("🤗", 2),
        ] {
            assert_eq!(of(text), width, "{text}");
        }
    }

    #[test]
    fn text_is_shortened_to_its_columns() {
        for (text, width, cut, short) in [
            ("acme-research-write", 10, Cut::End, "acme-rese…"),
            ("acme-research-write", 10, Cut::Middle, "acme-…rite"),
            ("データデータ", 6, Cut::End, "デー…"),
            ("データデータ", 7, Cut::Middle, "デ…タ"),
            ("abc", 3, Cut::End, "abc"),
            ("abc", 1, Cut::End, "…"),
            ("abc", 0, Cut::End, ""),
        ] {
            let shown = shorten(text, width, cut, "…");
            assert_eq!(shown, short, "{text} in {width}");
            assert!(of(&shown) <= width);
        }
    }

    #[test]
    fn numbers_in_names_are_numbers() {
        let mut names = ["run-10", "Run-9", "run-2", "b", "A", "10", "9", "run"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["9", "10", "A", "b", "run", "run-2", "Run-9", "run-10"]
        );
    }
}
