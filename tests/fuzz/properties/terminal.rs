//! Text on its way to a terminal: no control character and no token is left in it.

use git_credential_hf::model::secret::{Secret, holds_token, redact};
use git_credential_hf::model::text;
use git_credential_hf::terminal;

use super::text;

/// Takes any text.
pub fn check(data: &[u8]) {
    let lossy = String::from_utf8_lossy(data);
    for text in [text(data), &lossy] {
        let shown = text::sanitize(text);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
        assert_eq!(text::sanitize(&shown), shown);
        let line = text::one_line(text);
        assert!(!line.chars().any(char::is_control));
        assert_eq!(text::one_line(&line), line);
        fit(text);

        let redacted = redact(text);
        assert!(!holds_token(&redacted), "{redacted:?}");
        assert_eq!(redact(&redacted), redacted);
        if !holds_token(text) {
            assert_eq!(redacted, text);
        }
    }
    secret(text(data));
}

/// Our own styles pass, and nothing else that a terminal acts on; JSON keeps its values.
fn fit(text: &str) {
    let fit = text::sanitize_styled(text);
    assert_eq!(text::sanitize_styled(&fit), fit);
    for after in fit.split('\x1b').skip(1) {
        let ends = ["[0m", "[1m", "[2m"]
            .iter()
            .any(|style| after.starts_with(style));
        let colour = after.strip_prefix("[1;3").is_some_and(|rest| {
            let mut rest = rest.bytes();
            rest.next()
                .is_some_and(|colour| (b'1'..=b'6').contains(&colour))
                && rest.next() == Some(b'm')
        });
        assert!(ends || colour, "{fit:?}");
    }
    let json = serde_json::json!({ text: [text] });
    let written = terminal::json(&json).expect("text is JSON");
    assert_eq!(text::sanitize(&written), *written);
    let back: serde_json::Value = serde_json::from_str(&written).expect("JSON reads back");
    assert_eq!(back, json);
}

/// A secret's hint and `Debug` give at most four of its characters.
fn secret(text: &str) {
    let Ok(secret) = Secret::exact(text) else {
        return;
    };
    let hint = secret.hint();
    let kind = secret.kind().prefix();
    assert!(hint.chars().count() <= "(not in the Hub's format)".len());
    if !kind.is_empty() {
        let tail = hint.strip_prefix(kind).and_then(|h| h.strip_prefix('…'));
        assert!(tail.is_some_and(|tail| tail.len() <= 4 && text.ends_with(tail)));
    }
    assert_eq!(format!("{secret:?}"), format!("Secret({hint})"));
    assert!(!secret.fingerprint().as_str().is_empty());
}
