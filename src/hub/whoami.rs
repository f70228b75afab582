//! `GET /api/whoami-v2`: whose token it is and what it may do.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;

use super::{Hub, HubError, bearer, from_json};
use crate::model::permissions::{Facts, Organisation, Role, Scope};
use crate::model::secret::Secret;

impl Hub {
    /// Asks the Hub about a token. The Hub limits the rate of these requests, so `login` and
    /// explanations of failures use them, but never `get`.
    ///
    /// # Errors
    /// See [`HubError`]; [`HubError::Rejected`] means that the token is not valid.
    pub(crate) fn whoami(&self, secret: &Secret) -> Result<Facts, HubError> {
        let authorization = bearer(secret)?;
        let answer = self.send(&|| {
            let request = self.request(Method::GET, "/api/whoami-v2")?;
            Ok(request.header(AUTHORIZATION, authorization.clone()))
        })?;
        parse(&answer.ok()?.body)
    }
}

/// Reads the body of an answer.
///
/// # Errors
/// When the body does not have the expected form.
pub fn parse(body: &str) -> Result<Facts, HubError> {
    Ok(from_json::<WhoAmI>(body)?.into())
}

// The format of the answer. All fields but `name` may be missing, and the Hub adds fields without
// notice.

#[derive(Deserialize)]
struct WhoAmI {
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    r#type: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    orgs: Vec<Org>,
    #[serde(default, deserialize_with = "nullable")]
    auth: Auth,
}

#[derive(Deserialize)]
struct Org {
    #[serde(default, deserialize_with = "nullable")]
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable", rename = "roleInOrg")]
    role: Option<String>,
}

#[derive(Deserialize, Default)]
struct Auth {
    #[serde(default, deserialize_with = "nullable", rename = "accessToken")]
    access_token: Option<AccessToken>,
    #[serde(default, deserialize_with = "nullable", rename = "expiresAt")]
    expires_at: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct AccessToken {
    #[serde(default, deserialize_with = "nullable", rename = "displayName")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    role: Option<String>,
    #[serde(default, deserialize_with = "nullable", rename = "fineGrained")]
    fine_grained: Option<FineGrained>,
}

#[derive(Deserialize)]
struct FineGrained {
    #[serde(default, deserialize_with = "nullable", rename = "canReadGatedRepos")]
    can_read_gated_repos: bool,
    #[serde(default, deserialize_with = "nullable")]
    global: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    scoped: Vec<Scoped>,
}

#[derive(Deserialize)]
struct Scoped {
    entity: Entity,
    #[serde(default, deserialize_with = "nullable")]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(default, deserialize_with = "nullable")]
    r#type: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable", rename = "_id")]
    id: Option<String>,
}

/// Treats a field that is `null` as missing.
fn nullable<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// How many organisations, scopes or permissions are kept. More would bloat the state file, which
/// every `get` reads.
const MAX_ROWS: usize = 500;

/// The longest text that is kept, in characters.
const MAX_TEXT: usize = 200;

/// Reduces text from the Hub to one line, since it ends up on terminals, in files and in git's
/// protocol.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over")]
fn clean(text: String) -> String {
    crate::model::text::one_line(&text)
        .chars()
        .take(MAX_TEXT)
        .collect()
}

impl From<WhoAmI> for Facts {
    fn from(wire: WhoAmI) -> Self {
        let WhoAmI {
            name,
            r#type,
            orgs,
            auth,
        } = wire;
        let Auth {
            access_token,
            expires_at,
        } = auth;
        let token = access_token.unwrap_or(AccessToken {
            display_name: None,
            role: None,
            fine_grained: None,
        });
        let fine = token.fine_grained;
        let (gated, global, scoped) = fine.map_or((false, Vec::new(), Vec::new()), |f| {
            (f.can_read_gated_repos, f.global, f.scoped)
        });
        Self {
            account: clean(name),
            account_type: r#type.map(clean),
            organisations: orgs
                .into_iter()
                .take(MAX_ROWS)
                .filter_map(|org| {
                    Some(Organisation {
                        name: clean(org.name?),
                        role: org.role.map(clean),
                    })
                })
                .collect(),
            display_name: token.display_name.map(clean),
            role: token
                .role
                .map_or(Role::Unknown, |role| Role::read(&clean(role))),
            gated,
            global: global.into_iter().take(MAX_ROWS).map(clean).collect(),
            scopes: scoped
                .into_iter()
                .take(MAX_ROWS)
                .map(|scope| Scope {
                    kind: clean(scope.entity.r#type.unwrap_or_else(|| "unknown".to_owned())),
                    name: scope.entity.name.map(clean),
                    id: scope.entity.id.map(clean),
                    permissions: scope
                        .permissions
                        .into_iter()
                        .take(MAX_ROWS)
                        .map(clean)
                        .collect(),
                })
                .collect(),
            expires: expires_at.as_ref().and_then(expiry),
            verified: 0,
        }
    }
}

/// Reads `expiresAt` as Unix seconds. The Hub writes text (`2026-01-31T12:00:00.000Z`); a large
/// number is read as milliseconds, as elsewhere in the Hub's JSON.
fn expiry(value: &serde_json::Value) -> Option<u64> {
    match value {
        serde_json::Value::Number(number) => {
            let number = number.as_u64()?;
            Some(if number > 100_000_000_000 {
                number / 1000
            } else {
                number
            })
        }
        serde_json::Value::String(text) => crate::model::time::parse(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Facts {
        parse(json).unwrap()
    }

    #[test]
    fn a_fine_grained_token() {
        let facts = read(
            r#"{"type": "user", "id": "1", "name": "alice", "isPro": false,
                "orgs": [{"id": "2", "type": "org", "name": "acme", "roleInOrg": "write", "new": 1}],
                "auth": {"type": "access_token", "expiresAt": "2026-01-31T12:00:00.000Z",
                  "accessToken": {"displayName": "laptop", "role": "fineGrained", "createdAt": "x",
                    "fineGrained": {"canReadGatedRepos": true, "global": ["discussion.write"],
                      "scoped": [{"entity": {"_id": "3", "type": "model", "name": "acme/x"},
                                  "permissions": ["repo.content.read", "repo.write"]},
                                 {"entity": {"_id": "4", "type": "oauth-app"}, "permissions": []}]}}}}"#,
        );
        assert_eq!(facts.account, "alice");
        assert_eq!(facts.role, Role::FineGrained);
        assert_eq!(facts.display_name.as_deref(), Some("laptop"));
        assert!(facts.gated);
        assert_eq!(facts.expires, Some(1_769_860_800));
        let names: Vec<_> = facts.scopes.iter().map(|s| s.name.as_deref()).collect();
        assert_eq!(names, [Some("acme/x"), None]);
        let [org] = facts.organisations.as_slice() else {
            panic!()
        };
        assert_eq!(
            (org.name.as_str(), org.role.as_deref()),
            ("acme", Some("write"))
        );
    }

    #[test]
    fn the_least_and_the_unknown() {
        let facts = read(r#"{"name": "bob"}"#);
        assert_eq!(facts.role, Role::Unknown);
        let facts = read(
            r#"{"name": "bob", "type": "robot", "orgs": [{}], "future": {"a": [1]},
                "auth": {"type": "new", "accessToken": {"role": "superWrite", "fineGrained": {}}}}"#,
        );
        assert_eq!(facts.role, Role::Other("superWrite".into()));
        assert!(facts.organisations.is_empty() && facts.scopes.is_empty());
    }

    #[test]
    fn forms_of_the_expiry() {
        for (json, expected) in [
            ("1769860800000", Some(1_769_860_800)),
            ("1769860800", Some(1_769_860_800)),
            ("\"2026-01-31T12:00:00Z\"", Some(1_769_860_800)),
            ("\"never\"", None),
            ("null", None),
        ] {
            assert_eq!(
                expiry(&serde_json::from_str(json).unwrap()),
                expected,
                "{json}"
            );
        }
    }
}
