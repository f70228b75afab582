//! What a token may do, in words.

use super::{Facts, Role};
use crate::model::operation::Operation;

impl Facts {
    /// One line about the token: account, role and organisations.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = format!("account {}", self.account);
        // A browser login has no role.
        if self.role != Role::Unknown {
            text.push_str(&format!(", role {}", self.role));
        }
        if !self.organisations.is_empty() {
            let names: Vec<String> = self
                .organisations
                .iter()
                .map(|o| match &o.role {
                    Some(role) => format!("{} ({role})", o.name),
                    None => o.name.clone(),
                })
                .collect();
            text.push_str(&format!(", organisations {}", names.join(", ")));
        }
        text
    }

    /// A row for each entity that a fine-grained token covers: the entity, and the permissions in
    /// words.
    #[must_use]
    pub fn table(&self) -> Vec<(String, String)> {
        let mut rows: Vec<(String, String)> = self
            .scopes
            .iter()
            .map(|scope| {
                let writes = scope.permits(Operation::Push);
                let permissions = scope.permissions.iter();
                let what: Vec<String> = permissions
                    // Writing includes reading.
                    .filter(|permission| !writes || *permission != "repo.content.read")
                    .map(|permission| in_words(permission))
                    .collect();
                let what = if what.is_empty() {
                    "nothing".to_owned()
                } else {
                    what.join(", ")
                };
                let entity = scope.name.as_ref().or(scope.id.as_ref());
                let entity = entity.map_or("", String::as_str);
                (format!("{} {entity}", scope.kind), what)
            })
            .collect();
        if self.gated {
            rows.push((
                "gated repos".to_owned(),
                "read those whose terms this account has accepted".to_owned(),
            ));
        }
        if !self.global.is_empty() {
            let what: Vec<String> = self.global.iter().map(|p| in_words(p)).collect();
            rows.push(("everywhere".to_owned(), what.join(", ")));
        }
        rows
    }
}

/// A permission in plain words; an unknown one stays as it is.
fn in_words(permission: &str) -> String {
    match permission {
        "repo.content.read" => "read",
        "repo.write" => "read and write",
        "repo.access.read" => "see access requests",
        "discussion.write" => "discussions",
        "inference.serverless.write" => "inference",
        "inference.endpoints.infer.write" => "call inference endpoints",
        "inference.endpoints.write" => "manage inference endpoints",
        "user.webhooks.read" => "see webhooks",
        "user.webhooks.write" => "manage webhooks",
        "job.write" => "run jobs",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permissions::tests::{facts, scope};

    #[test]
    fn unknown_words_stay_as_they_are() {
        let mut token = facts(Role::FineGrained);
        token.gated = true;
        token.global = vec!["time.travel".into()];
        token.scopes = vec![
            scope("model", "acme/x", "repo.write"),
            scope("resource-group", "rg", "quantum.write"),
        ];
        let rows = token.table().into_iter();
        let rows: Vec<String> = rows
            .map(|(place, what)| format!("{place}: {what}"))
            .collect();
        assert_eq!(
            rows,
            [
                "model acme/x: read and write",
                "resource-group rg: quantum.write",
                "gated repos: read those whose terms this account has accepted",
                "everywhere: time.travel",
            ]
        );
        assert_eq!(
            token.summary(),
            "account alice, role fine-grained, organisations acme (read), umbrella"
        );
    }
}
