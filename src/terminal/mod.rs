//! What the user sees: output, tables, styles, errors and prompts.

pub(crate) mod console;
pub(crate) mod error_report;
pub(crate) mod output;
pub(crate) mod prompt;
pub(crate) mod screen;
#[cfg(unix)]
mod signals;
pub(crate) mod table;
pub(crate) mod width;

pub(crate) use error_report::{AlreadyReported, Failure, Help, NotKnown, print_error};
pub use output::{Progress, json, print, print_json, print_secret, say, tell, tell_styled};
pub(crate) use prompt::{Reply, can_ask, choose, confirm, confirm_each};
pub(crate) use screen::{Screen, Style};
pub(crate) use table::{Cell, Column, Table};
pub(crate) use width::Cut;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::{is_printable, one_line, sanitize, sanitize_styled};

    /// Texts that a hostile server may send, and what is left of them.
    const HOSTILE: [(&str, &str); 8] = [
        ("a\x1b[2Jb", "a[2Jb"),
        ("a\u{9b}2Jb", "a2Jb"),
        ("a\x07b\x08c\x7fd", "abcd"),
        ("a\x1b]0;title\x07b", "a]0;titleb"),
        ("a\u{202e}b\u{2066}c\u{61c}d", "abcd"),
        ("a\u{200b}b\u{feff}c\u{e0041}d", "abcd"),
        ("a\x1b[8mhidden\x1b[38;5;1mb", "a[8mhidden[38;5;1mb"),
        ("a\r\n\x1b", "a\n"),
    ];

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        for (text, left) in HOSTILE {
            assert_eq!(sanitize(text), left, "{text:?}");
            assert_eq!(sanitize_styled(text), left, "{text:?}");
            assert!(!one_line(text).contains('\n'));
        }
        assert_eq!(one_line("a\r\nb\tc"), "a  b c");
        // Other scripts, combining marks and emoji are kept.
        for text in ["données", "привет", "データ", "e\u{301}", "🤗"] {
            assert_eq!(sanitize(text), text);
        }
    }

    #[test]
    fn characters_that_cannot_be_seen_do_not_pass() {
        for code in [
            0xad, 0xa0, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x1680,
            0x2000, 0x200b, 0x200e, 0x2028, 0x202e, 0x2060, 0x2065, 0x206f, 0x2800, 0x3000, 0x3164,
            0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0xfff9, 0x1bca0, 0x1d159, 0x1d173, 0xe0000,
            0xe0041, 0xe0100, 0xe01ef, 0xe0fff,
        ] {
            let c = char::from_u32(code).unwrap();
            assert!(!is_printable(c), "U+{code:04X}");
            assert_eq!(sanitize(&format!("a{c}b")), "ab");
        }
    }

    #[test]
    fn our_own_styles_pass() {
        let ours = "\x1b[1;31merror\x1b[0m: \x1b[1mx\x1b[0m";
        assert_eq!(sanitize_styled(ours), ours);
        assert_eq!(sanitize_styled("\x1b"), "");
        assert_eq!(sanitize_styled("\x1b["), "[");
        assert_eq!(sanitize_styled("\x1b[1"), "[1");
    }

    #[test]
    fn json_keeps_its_values_and_shows_no_escape() {
        for (text, _) in HOSTILE {
            let value = serde_json::json!({ text: [text, "\u{1f917}"] });
            let json = json(&value).unwrap();
            assert!(sanitize(&json) == *json && json.is_ascii(), "{text:?}");
            let back: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(back, value);
        }
    }
}
