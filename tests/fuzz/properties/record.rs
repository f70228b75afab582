//! What lies in a storage for one token: it reads back, with the endpoint it is for.

use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::storage::Record;

use super::text;

/// Takes the text that lies in a storage.
pub fn check(data: &[u8]) {
    let text = text(data);
    let Ok(record) = Record::from_text(text) else {
        return;
    };
    // The secret is the first line, and no other line can become it.
    assert_eq!(text.split('\n').next(), Some(record.secret.expose()));
    // The endpoint is the one that stands there, and of several the last.
    let lines = text.split('\n').skip(1);
    let endpoint = lines
        .filter_map(|line| line.strip_prefix("endpoint="))
        .last();
    let endpoint = endpoint.map(Endpoint::parse);
    assert_eq!(endpoint, Some(Ok(record.endpoint.clone())), "{text:?}");
    let written = record.to_text();
    assert_eq!(
        written.split('\n').nth(1),
        Some(&*format!("endpoint={}", record.endpoint))
    );

    let back = Record::from_text(&written).expect("what is written reads back");
    assert!(back.secret.same_as(&record.secret));
    assert_eq!(back.endpoint, record.endpoint);
    assert_eq!(
        (back.expires, back.renewed),
        (record.expires, record.renewed)
    );
    assert_eq!(back.client_id, record.client_id);
    match (&back.refresh_token, &record.refresh_token) {
        (Some(back), Some(token)) => assert!(back.same_as(token)),
        (back, token) => assert!(back.is_none() && token.is_none()),
    }
    assert_eq!(*back.to_text(), *written);
}
