//! Text that other people wrote, made safe to show, and names as a shell wants them.

/// Text from outside made fit for a terminal: control characters, which could move the cursor
/// or rewrite what stands there, are dropped, and so are those that change the order of what
/// follows or cannot be seen; line breaks stay.
#[must_use]
pub fn sanitize(text: &str) -> String {
    text.chars().filter(|c| is_printable(*c)).collect()
}

/// Text from outside made fit for one line of a terminal.
#[must_use]
pub fn one_line(text: &str) -> String {
    sanitize(&text.replace(['\n', '\r', '\t'], " "))
}

/// The last thing that happens to all text for people: the same as [`sanitize`], but for our own
/// styles. What was not made fit where it came in is made so here.
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

/// The length of the sequence at the start of the text, if it is one that `terminal::Style` writes: an
/// end, bold, dim, or bold in a colour. None of these hides text.
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

/// Whether a character is text: not one that a terminal acts on (the line break is), that turns
/// the direction of what follows, or that cannot be seen, so that text reads as another.
#[must_use]
pub fn is_printable(c: char) -> bool {
    use icu_properties::CodePointSetData;
    use icu_properties::props::{DefaultIgnorableCodePoint, WhiteSpace};
    if c.is_ascii() {
        return c == '\n' || !c.is_control();
    }
    let deceives = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<WhiteSpace>().contains(c)
        // What no property tells apart from visible text.
        || matches!(
            c,
            '\u{2800}' // a Braille pattern without dots
                | '\u{fff9}'..='\u{fffb}' // marks around annotations
                | '\u{1d159}' // a note without a head
        );
    !(c.is_control() || deceives)
}

/// A name as a shell wants it.
#[must_use]
pub(crate) fn shell_quoted(name: &str) -> String {
    super::quoting::word(name)
}
