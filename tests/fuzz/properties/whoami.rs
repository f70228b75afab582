//! What the Hub says of a token: kept within bounds, on one line each, and it reads back.

use git_credential_hf::hub::whoami;
use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::operation::Operation;
use git_credential_hf::model::pattern::Pattern;
use git_credential_hf::model::permissions::{Facts, Role};
use git_credential_hf::model::repo::Repo;
use git_credential_hf::model::time;

use super::text;

/// Takes the body of an answer.
pub fn check(data: &[u8]) {
    let body = text(data);
    if let Some(at) = time::parse(body) {
        assert!(time::day(at).as_str() <= "9999-12-32");
    }
    let facts = match whoami::parse(body) {
        Ok(facts) => facts,
        Err(error) => {
            // The body may hold a token, so no error quotes it.
            let said = error.to_string();
            assert!(
                said.contains("not a JSON object") || said.contains("(line "),
                "{said}"
            );
            return;
        }
    };
    bounded(&facts);
    let json = serde_json::to_string(&facts).expect("facts are JSON");
    let back: Facts = serde_json::from_str(&json).expect("what is written reads back");
    assert_eq!(back, facts);

    let endpoint = Endpoint::hugging_face();
    for (_, pattern) in facts.reach(&endpoint) {
        assert_eq!(pattern.endpoint, endpoint);
        assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
    }
    for path in ["acme/x", "datasets/acme/d", "alice/x", "gpt2"] {
        let repo = Repo::from_path(path).expect("a repo");
        let read = facts.covers(&repo, Operation::Fetch);
        let write = facts.covers(&repo, Operation::Push);
        // Who can write can read, and at least as narrowly.
        assert!(
            write.is_none() || (read.is_some() && read <= write),
            "{path}"
        );
        if facts.role == Role::Read {
            assert_eq!(write, None);
        }
    }
}

/// Nothing of it is long, many, or able to move a cursor.
fn bounded(facts: &Facts) {
    let mut texts = vec![facts.account.clone(), facts.role.to_string()];
    texts.extend(facts.account_type.clone());
    texts.extend(facts.display_name.clone());
    texts.extend(facts.global.clone());
    for organisation in &facts.organisations {
        texts.push(organisation.name.clone());
        texts.extend(organisation.role.clone());
    }
    for scope in &facts.scopes {
        texts.push(scope.kind.clone());
        texts.extend(scope.name.clone());
        texts.extend(scope.id.clone());
        texts.extend(scope.permissions.clone());
        assert!(scope.permissions.len() <= 500);
    }
    assert!(facts.organisations.len() <= 500 && facts.scopes.len() <= 500);
    assert!(facts.global.len() <= 500);
    for text in &texts {
        assert!(text.chars().count() <= 200);
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    assert!(!facts.summary().chars().any(char::is_control));
    let cells = facts.table();
    assert!(
        !cells
            .iter()
            .flat_map(|(place, what)| [place, what])
            .any(|cell| cell.chars().any(char::is_control))
    );
    assert_eq!(facts.verified, 0, "only the caller knows when it asked");
}
