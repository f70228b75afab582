//! Makes text from outside safe to show on a terminal, and quotes names for the shell.

/// Makes text from outside safe for a terminal. Drops control characters, which could move the
/// cursor or rewrite the screen, and characters that are invisible or change the direction of text.
/// Line breaks stay.
#[must_use]
pub fn sanitize(text: &str) -> String {
    text.chars().filter(|c| is_printable(*c)).collect()
}

/// Makes text from outside safe for one line of a terminal.
#[must_use]
pub fn one_line(text: &str) -> String {
    sanitize(&text.replace(['\n', '\r', '\t'], " "))
}

/// Does what [`sanitize`] does but keeps our own styles. It is the last step for all output to
/// people, and catches what was not sanitized where it came in.
#[must_use]
pub fn sanitize_styled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = style_length(rest).unwrap_or_else(|| {
            if is_printable(c) {
                out.push(c);
            }
            0
        });
        let (kept, _) = rest.split_at_checked(length).unwrap_or_default();
        out.push_str(kept);
        rest = rest.get(length.max(c.len_utf8())..).unwrap_or_default();
    }
    out
}

/// The length of the escape sequence at the start of the text, if it is one that `terminal::Style`
/// writes: reset, bold, dim, or bold with a colour. None of these hides text.
fn style_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\x1b[")?;
    let (code, _) = rest.split_once('m')?;
    let ours = match code.as_bytes() {
        b"0" | b"1" | b"2" => true,
        [b'1', b';', b'3', colour] => (b'1'..=b'6').contains(colour),
        _ => false,
    };
    ours.then(|| "\x1b[m".len() + code.len())
}

/// Whether a character may be shown: a line break or a visible character, but not a control
/// character or one that changes the direction of text.
#[must_use]
pub fn is_printable(c: char) -> bool {
    use icu_properties::CodePointSetData;
    use icu_properties::props::{DefaultIgnorableCodePoint, WhiteSpace};
    if c.is_ascii() {
        return c == '\n' || !c.is_control();
    }
    let deceives = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<WhiteSpace>().contains(c)
        // Invisible, although no Unicode property says so.
        || matches!(
            c,
            '\u{2800}' // a Braille pattern without dots
                | '\u{fff9}'..='\u{fffb}' // marks around annotations
                | '\u{1d159}' // a note without a head
        );
    !(c.is_control() || deceives)
}

/// Quotes a name for the shell of this platform.
pub(crate) fn shell_quoted(name: &str) -> String {
    super::quoting::word(name)
}
