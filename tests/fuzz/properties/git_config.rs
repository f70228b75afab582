//! Git's configuration files: what `configure` does to one, `unconfigure` undoes to the byte.

use git_credential_hf::git::config_file::{EditError, configure, quote_helper, unconfigure};

use super::text;

const ENDPOINTS: [&str; 2] = ["https://huggingface.co", "https://hf.co"];

/// Takes the bytes of a file; the same as a helper's path and as an endpoint.
pub fn check(data: &[u8]) {
    let first = match configure(Some(data), &ENDPOINTS, "hf") {
        Ok(first) => first,
        Err(error) => {
            // What cannot be read is refused by all, with a line that is there.
            let (EditError::Header { line } | EditError::Key { line } | EditError::Value { line }) =
                error
            else {
                panic!("{error}");
            };
            let lines = data.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            assert!(unconfigure(data).is_err());
            return;
        }
    };
    let again = configure(Some(&first), &ENDPOINTS, "hf").expect("what is written can be read");
    assert_eq!(again, first, "a second time changes nothing");
    // The lines for both endpoints are the last ones, and reset the list: no other helper is called
    // before or after ours.
    let section = |endpoint: &str| {
        format!("[credential \"{endpoint}\"]\n\thelper =\n\thelper = hf\n\tuseHttpPath = true\n")
    };
    let [one, other] = ENDPOINTS.map(section);
    let lines = format!("{one}{other}# git-credential-hf: end\n");
    let plain = String::from_utf8_lossy(&first).replace("\r\n", "\n");
    assert!(plain.ends_with(&lines), "{plain}");

    let left = unconfigure(&first).expect("what is written can be read");
    let twice = unconfigure(&left.bytes).expect("what is left can be read");
    if !mentions_us(data) {
        assert!(first.starts_with(data), "every byte stays");
        assert_eq!(left.bytes, data, "the file comes back");
        assert!(!left.delete_file);
        assert_eq!(twice.bytes, data, "nothing of ours was left");
    }
    written(text(data));
}

/// Whether the file may hold lines of ours: then those go, too.
fn mentions_us(data: &[u8]) -> bool {
    let has = |word: &[u8]| {
        data.windows(word.len())
            .any(|w| w.eq_ignore_ascii_case(word))
    };
    has(b"git-credential-hf") || has(b"usehttppath")
}

/// Any path and any endpoint is written so that it is read as itself, or refused.
fn written(text: &str) {
    let path = format!("/{text}/git-credential-hf");
    if let Ok(bytes) = configure(None, &["https://huggingface.co"], &quote_helper(&path)) {
        // A helper that was not read as ours would stay.
        let left = unconfigure(&bytes).expect("what is written can be read");
        assert!(left.delete_file && left.bytes.is_empty(), "{path:?}");
    }
    if let Ok(bytes) = configure(None, &[text], "hf") {
        let left = unconfigure(&bytes).expect("what is written can be read");
        assert!(left.delete_file && left.bytes.is_empty(), "{text:?}");
    }
}
