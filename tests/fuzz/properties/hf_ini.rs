//! The hf CLI's `stored_tokens`: what is read is written back so that it reads the same, and a
//! change touches one section.

use git_credential_hf::hf_cli::ini::{Ini, Section};
use zeroize::Zeroizing;

use super::text;

/// Takes the text of a file.
pub fn check(data: &[u8]) {
    let text = text(data);
    let ini = match Ini::parse(text) {
        Ok(ini) => ini,
        Err(error) => {
            let lines = text.replace("\r\n", "\n").split(['\n', '\r']).count();
            assert!((1..=lines).contains(&error.line), "{error} of {lines}");
            return;
        }
    };
    reads_back(&ini, text);
    // Line ends mean the same, whichever they are.
    if !text.contains('\r') {
        for end in ["\r\n", "\r"] {
            assert_eq!(Ini::parse(&text.replace('\n', end)).as_ref(), Ok(&ini));
        }
    }
    for section in ini.sections() {
        assert!(!section.name().contains(['\n', '\r']) && section.name() != "DEFAULT");
        assert_eq!(ini.section(section.name()), Some(section), "each name once");
        let mut without = ini.clone();
        assert!(without.remove(section.name()) && !without.remove(section.name()));
        others_stay(&ini, &without, section.name());
        assert_eq!(without.section(section.name()), None);

        let mut changed = ini.clone();
        changed.set(renewed(section.name()));
        others_stay(&ini, &changed, section.name());
        assert_eq!(
            changed.section(section.name()),
            Some(&renewed(section.name()))
        );
        reads_back(&changed, text);
    }
    let mut more = ini.clone();
    more.set(renewed("a new one"));
    others_stay(&ini, &more, "a new one");
    reads_back(&more, text);
}

/// What a browser login leaves.
fn renewed(name: &str) -> Section {
    let field = |key: &str, value: &str| (key.to_owned(), Zeroizing::new(value.to_owned()));
    let fields = vec![
        field("hf_token", "not-a-real-one"),
        field("refresh_token", "nor = this"),
        field("expires_at", "1769860800"),
    ];
    Section::new(name, fields)
}

fn reads_back(ini: &Ini, text: &str) {
    let written = ini.to_text();
    let back = Ini::parse(&written);
    let back = back.unwrap_or_else(|error| panic!("{text:?} is written as {written:?}: {error}"));
    assert_eq!(back.sections().count(), ini.sections().count(), "{text:?}");
    for section in ini.sections() {
        assert_eq!(
            back.section(section.name()),
            Some(section),
            "{text:?} {written:?}"
        );
    }
    assert_eq!(*back.to_text(), *written, "{text:?}");
}

fn others_stay(before: &Ini, after: &Ini, but: &str) {
    for section in before.sections().filter(|section| section.name() != but) {
        assert_eq!(after.section(section.name()), Some(section));
    }
    let new = |section: &&Section| before.section(section.name()).is_none();
    assert!(
        after
            .sections()
            .filter(new)
            .all(|section| section.name() == but)
    );
}
