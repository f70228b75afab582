//! The state file: what is read is written back the same, and nothing in it can stop `get`.

use std::path::Path;

use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::secret::Fingerprint;
use git_credential_hf::state::file::{StateError, parse, to_json};
use git_credential_hf::state::{Eligibility, State, VERSION};

/// Takes the content of a state file.
pub fn check(data: &[u8]) {
    let state = match parse(Path::new("state.json"), data) {
        Ok(state) => state,
        Err(StateError::Newer { version, .. }) => return assert!(version > VERSION),
        Err(StateError::Damaged { line, .. }) => {
            let lines = data.split(|byte| *byte == b'\n').count();
            return assert!(line <= lines, "line {line} of {lines}");
        }
        Err(error) => panic!("{error}"),
    };
    let json = to_json(&state);
    let back = parse(Path::new("state.json"), &json).expect("what is written reads back");
    assert_eq!(back.tokens, state.tokens);
    assert_eq!(back.rejected, state.rejected);
    assert_eq!(back.commands, state.commands);
    assert_eq!(to_json(&back), json);

    for token in state.tokens.values() {
        // What is read is what this program writes, so it can go into `state[]` and file names.
        for value in token.former.iter().chain([&token.fingerprint]) {
            assert_eq!(Fingerprint::parse(value.as_str()).as_ref(), Some(value));
        }
    }
    for now in [0, 1, 1_700_000_000, u64::MAX] {
        rejections(state.clone(), now);
    }
    assert!(state.next_order() >= 1);
}

/// Whatever a file says of the past, a rejection counts from now on, and can be lifted; and no
/// other value or endpoint is touched by it.
fn rejections(mut state: State, now: u64) {
    let hub = Endpoint::hugging_face();
    let corp = Endpoint::from_git("https", "hub.corp.example").expect("a host");
    let value = Fingerprint::parse(&"0".repeat(32)).expect("a fingerprint");
    let other = Fingerprint::parse(&"1".repeat(32)).expect("a fingerprint");
    let before = [(&hub, &other), (&corp, &value)].map(|(e, v)| state.eligibility(e, v, now));

    state.reject(&hub, &value, now);
    assert_eq!(state.eligibility(&hub, &value, now), Eligibility::Withheld);
    assert_eq!(state.rejected_at(&hub, &value), Some(now));
    let after = [(&hub, &other), (&corp, &value)].map(|(e, v)| state.eligibility(e, v, now));
    for (before, after) in before.iter().zip(&after) {
        // What is long past may be forgotten, and no more.
        assert!(after == before || *after == Eligibility::Good);
    }
    state.clear_rejection(&hub, &value);
    assert_eq!(state.eligibility(&hub, &value, now), Eligibility::Good);

    let fallen: Vec<_> = state.tokens.keys().cloned().collect();
    for name in fallen {
        state.printed(&name, &value);
        assert!(
            state
                .commands
                .get(&name)
                .is_some_and(|v| v.last() == Some(&value))
        );
        if let Some(token) = state.tokens.get_mut(&name) {
            token.replace_value(other.clone(), String::new());
            assert_eq!(token.fingerprint, other);
            assert!(!token.former.contains(&other));
        }
    }
}
