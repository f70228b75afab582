//! Removes a section from the hf CLI's `stored_tokens`, and leaves the rest as it is, byte for byte.

use zeroize::Zeroizing;

use crate::hf_cli::Ini;
use crate::hf_cli::ini::IniError;

/// Removes the section of this name. The hf CLI would drop comments and change the order, but what the
/// user wrote stays here.
///
/// # Errors
/// When the hf CLI could not read the file.
pub(crate) fn without(text: &str, name: &str) -> Result<Zeroizing<String>, IniError> {
    let mut wanted = Ini::parse(text)?;
    wanted.remove(name);
    let left = without_lines(text, name);
    // A line only looks like a header, or there is a `[DEFAULT]` section: write the file as the hf CLI would.
    if Ini::parse(&left).as_ref() == Ok(&wanted) {
        Ok(left)
    } else {
        Ok(wanted.to_text())
    }
}

fn without_lines(text: &str, name: &str) -> Zeroizing<String> {
    let mut left = Zeroizing::new(String::with_capacity(text.len()));
    let mut goes = false;
    for line in text.split_inclusive('\n') {
        let header = line
            .strip_prefix('[')
            .and_then(|rest| rest.trim_end().strip_suffix(']'));
        if let Some(header) = header {
            goes = header == name;
        }
        if !goes {
            left.push_str(line);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_section_goes() {
        for (text, left) in [
            (
                "[a]\nhf_token = 1\n\n[b]\nhf_token = 2\n\n",
                "[a]\nhf_token = 1\n\n",
            ),
            ("[b]\nhf_token = 2\n", ""),
            (
                "# mine\n[a]\r\nhf_token=1\r\n[b]\r\nhf_token=2\r\n[c]\nk: v\n",
                "# mine\n[a]\r\nhf_token=1\r\n[c]\nk: v\n",
            ),
            ("[a]\nhf_token = 1\n", "[a]\nhf_token = 1\n"),
            // A line of a value may look like a header.
            ("[a]\nk = 1\n [b]\n[b]\nk = 2\n", "[a]\nk = 1\n [b]\n"),
            // The section begins with blanks.
            (
                "[a]\nk = 1\n\n[c]\nk = 2\n [b]\nk=3\n",
                "[a]\nk = 1\n\n[c]\nk = 2\n [b]\n",
            ),
        ] {
            match without(text, "b") {
                Ok(result) => assert_eq!(result.as_str(), left, "{text:?}"),
                Err(error) => assert!(text.contains("k=3"), "{text:?}: {error}"),
            }
        }
        assert!(without("no section", "b").is_err());
    }

    #[test]
    fn where_lines_do_not_tell_it_is_written_as_the_hf_cli_does() {
        let text = "  [b]\n  hf_token = 2\n[a]\nhf_token = 1\n";
        assert_eq!(
            without(text, "b").unwrap().as_str(),
            "[a]\nhf_token = 1\n\n"
        );
    }
}
