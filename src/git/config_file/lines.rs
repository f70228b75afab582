//! Finds the line of an entry, since git only says in which file it is.

use super::parse::{Kind, parse};

/// The line of the last entry of this key and value, counted from 1. The key is as `git config`
/// prints it: section and name in lower case, the part between as written.
pub(crate) fn line_of(bytes: &[u8], key: &str, value: Option<&str>) -> Option<usize> {
    let (section, name) = key.rsplit_once('.')?;
    let mut inside = false;
    let mut found = None;
    for item in parse(bytes).ok()?.items {
        match &item.kind {
            Kind::Header(header) => inside = header == section.as_bytes(),
            Kind::Entry { key, value: its } => {
                let same = its.as_deref() == value.map(str::as_bytes);
                if inside && key == name.as_bytes() && same {
                    found = Some(item.line);
                }
            }
            Kind::Comment(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_an_entry() {
        let file = b"[credential]\n\thelper = store\n[credential \"https://Hub.co\"]\n\thelper =\n\t# x\n\thelper = hf\n\tuserName = a b\n";
        for (key, value, line) in [
            ("credential.helper", Some("store"), Some(2)),
            ("credential.https://Hub.co.helper", Some(""), Some(4)),
            ("credential.https://Hub.co.helper", Some("hf"), Some(6)),
            ("credential.https://Hub.co.username", Some("a b"), Some(7)),
            ("credential.https://hub.co.helper", Some("hf"), None),
            ("credential.helper", Some("hf"), None),
            ("nothing", None, None),
        ] {
            assert_eq!(line_of(file, key, value), line, "{key} {value:?}");
        }
    }
}
