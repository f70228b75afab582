//! Trusted publishers: GitHub's endpoint for ID tokens, and the Hub's exchange of an ID token for
//! a token of one repo or account. Neither forgives a request that is not as documented.

use super::super::user::now;
use super::{Hub, Inner, Request, Response, Right, accounts, lock};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

const HUB: &str = "huggingface.co";
/// Where GitHub hands out ID tokens; the stand-in needs a certificate for it.
pub const GITHUB: &str = "run-actions.actions.githubusercontent.com";
/// GitHub's issuer.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
const ID_TOKEN_PATH: &str = "/12/idtoken/job/34";

/// What an ID token says.
#[derive(Clone, Debug)]
pub struct Identity {
    pub issuer: &'static str,
    pub subject: &'static str,
    pub audience: &'static str,
    /// In seconds from now; negative where it has expired.
    pub expires_in: i64,
}

impl Identity {
    /// A job of the repository `acme/ci` on `main`, for the Hub.
    pub fn job() -> Identity {
        Identity {
            issuer: GITHUB_ISSUER,
            subject: "repo:acme/ci:ref:refs/heads/main",
            audience: "https://huggingface.co",
            expires_in: 300,
        }
    }
}

struct Publisher {
    subject: String,
    resource: String,
    grants: Vec<(String, Right)>,
}

#[derive(Default)]
struct Server {
    publishers: Vec<Publisher>,
    /// Every ID token that an issuer has signed.
    signed: BTreeMap<String, Value>,
    expires_in: u64,
    issued: usize,
    /// The resource of every exchange that was asked for.
    asked: Vec<String>,
    /// What the exchange is answered with instead.
    failure: Option<(u16, Value, Duration)>,
}

/// The two endpoints. Tokens are labelled `job 1`, `job 2` and so on.
#[derive(Clone)]
pub struct Trusted {
    server: Arc<Mutex<Server>>,
    inner: Weak<Inner>,
    request_token: String,
}

impl Trusted {
    /// Answers from now on; tokens are good for an hour.
    pub fn start(hub: &Hub) -> Trusted {
        let trusted = Trusted {
            server: Arc::default(),
            inner: Arc::downgrade(&hub.inner),
            request_token: hub.add_token_like("", "the runner's", &[]),
        };
        lock(&trusted.server).expires_in = 3600;
        let exchanging = trusted.clone();
        hub.route("POST", HUB, "/oauth/token", move |request| {
            exchanging.exchange(request)
        });
        let minting = trusted.clone();
        hub.route("GET", GITHUB, ID_TOKEN_PATH, move |request| {
            minting.mint(request)
        });
        trusted
    }

    /// The variables of a job with `permissions: id-token: write`.
    pub fn github_variables(&self) -> [(&'static str, String); 3] {
        let url = format!("https://{GITHUB}{ID_TOKEN_PATH}?api-version=2.0");
        [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", self.request_token.clone()),
        ]
    }

    /// A trusted publisher: this subject may have a token of `resource` with these rights.
    pub fn publisher(&self, subject: &str, resource: &str, grants: &[(&str, Right)]) {
        let grants = grants
            .iter()
            .map(|(scope, right)| ((*scope).to_owned(), *right));
        lock(&self.server).publishers.push(Publisher {
            subject: subject.to_owned(),
            resource: resource.to_owned(),
            grants: grants.collect(),
        });
    }

    /// An ID token, signed by its issuer. It is a secret like any other.
    pub fn sign(&self, identity: &Identity) -> String {
        let at = now().saturating_add_signed(identity.expires_in);
        let claims = json!({
            "iss": identity.issuer,
            "sub": identity.subject,
            "aud": identity.audience,
            "iat": at - 300,
            "exp": at,
        });
        let header = base64url(br#"{"alg":"RS256","typ":"JWT"}"#);
        let payload = base64url(claims.to_string().as_bytes());
        let token = format!("{header}.{payload}.{}", accounts::random(86));
        let mut server = lock(&self.server);
        let label = format!("ID token {}", server.signed.len());
        server.signed.insert(token.clone(), claims);
        drop(server);
        let inner = self.inner.upgrade().expect("the Hub");
        let accounts = &mut lock(&inner.state).accounts;
        accounts.add(&label, &token, &[]);
        // It is not a token of the Hub, whoever sends it there as one.
        accounts.set_revoked(&label, true);
        token
    }

    /// Tokens are good for that many seconds from now on.
    pub fn expires_in(&self, seconds: u64) {
        lock(&self.server).expires_in = seconds;
    }

    /// Exchanges are answered with this after a while; with nothing, they succeed again.
    pub fn fails_with(&self, failure: Option<(u16, Value, Duration)>) {
        lock(&self.server).failure = failure;
    }

    /// The resource of every exchange that was asked for.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.server).asked.clone()
    }

    fn mint(&self, request: &Request) -> Response {
        let bearer = format!("Bearer {}", self.request_token);
        if request.header("Authorization") != Some(&bearer) {
            return Response::json(401, &json!({ "message": "Unauthorized" }));
        }
        let query: Vec<(String, String)> = url::form_urlencoded::parse(request.query.as_bytes())
            .into_owned()
            .collect();
        let expected = [
            ("api-version", "2.0"),
            ("audience", "https://huggingface.co"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        if query != expected {
            return Response::json(400, &json!({ "message": "unexpected query" }));
        }
        Response::json(
            200,
            &json!({ "count": 1, "value": self.sign(&Identity::job()) }),
        )
    }

    fn exchange(&self, request: &Request) -> Response {
        let refuse = |error: &str, why: &str| {
            Response::json(400, &json!({ "error": error, "error_description": why }))
        };
        let Value::Object(form) = request.json() else {
            return refuse("invalid_request", "the body is not JSON");
        };
        let text = |key: &str| form.get(key).and_then(Value::as_str).unwrap_or_default();
        let resource = text("resource").to_owned();
        lock(&self.server).asked.push(resource.clone());
        let failure = lock(&self.server).failure.clone();
        if let Some((status, value, pause)) = failure {
            std::thread::sleep(pause);
            return Response::json(status, &value);
        }
        let keys: Vec<&str> = form.keys().map(String::as_str).collect();
        if keys
            != [
                "grant_type",
                "resource",
                "subject_token",
                "subject_token_type",
            ]
            || text("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange"
            || text("subject_token_type") != "urn:ietf:params:oauth:token-type:id_token"
            || request.header("Content-Type") != Some("application/json")
            || request.header("Authorization").is_some()
        {
            return refuse("invalid_request", "this is not the exchange of an ID token");
        }
        let mut server = lock(&self.server);
        let Some(claims) = server.signed.get(text("subject_token")) else {
            return refuse("invalid_grant", "the ID token was not signed by its issuer");
        };
        if claims["aud"] != "https://huggingface.co" || claims["exp"].as_u64() <= Some(now()) {
            return refuse(
                "invalid_grant",
                "the ID token is for somebody else, or expired",
            );
        }
        let subject = claims["sub"].as_str().unwrap_or_default();
        let mut publishers = server.publishers.iter();
        let Some(publisher) =
            publishers.find(|one| one.subject == subject && one.resource == resource)
        else {
            return refuse("invalid_grant", "No trusted publisher matches the ID token");
        };
        let grants = publisher.grants.clone();
        let grants: Vec<(&str, Right)> = grants
            .iter()
            .map(|(scope, right)| (scope.as_str(), *right))
            .collect();
        server.issued += 1;
        let token = format!("hf_jwt_{}.{}", accounts::random(40), accounts::random(40));
        let Some(inner) = self.inner.upgrade() else {
            return Response::text(500, "the Hub is gone");
        };
        let accounts = &mut lock(&inner.state).accounts;
        accounts.add(&format!("job {}", server.issued), &token, &grants);
        Response::json(
            200,
            &json!({
                "access_token": token,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "bearer",
                "expires_in": server.expires_in,
            }),
        )
    }
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = (bits << 8) | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..=chunk.len() {
            let digit = (bits >> (18 - 6 * at)) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}
