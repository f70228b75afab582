//! The Hub beside git: whose a token is, the browser login with tokens that expire, and the end
//! of a token. None of it is there until a test starts it.

use super::{Grants, Hub, Inner, Request, Response, Right, TokenSeen, accounts, lock};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

const HUB: &str = "huggingface.co";

/// How long anything here waits for a test before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// `GET /api/whoami-v2`: 401 for a dead or unknown token, and for any other what a test has said.
pub struct WhoAmI {
    answers: Arc<Mutex<HashMap<String, Value>>>,
}

impl WhoAmI {
    /// Answers from now on; a token that nothing was said of is alice's, and may write.
    pub fn start(hub: &Hub) -> WhoAmI {
        let whoami = WhoAmI {
            answers: Arc::default(),
        };
        whoami.answers_at(hub, HUB);
        whoami
    }

    /// Answers at this host too.
    pub fn answers_at(&self, hub: &Hub, host: &str) {
        let known = Arc::clone(&self.answers);
        hub.route("GET", host, "/api/whoami-v2", move |request| {
            let TokenSeen::Known(label) = &request.token else {
                return invalid_credentials();
            };
            let bearer = request.header("Authorization");
            if !request.token_is_live || !bearer.is_some_and(|it| it.starts_with("Bearer ")) {
                return invalid_credentials();
            }
            let known = lock(&known);
            let value = known.get(label).cloned();
            Response::json(200, &value.unwrap_or_else(|| account("write")))
        });
    }

    /// What the Hub says of the token with this label.
    pub fn says(&self, label: &str, answer: Value) {
        lock(&self.answers).insert(label.to_owned(), answer);
    }
}

/// The Hub's answer to a token it does not take.
pub fn invalid_credentials() -> Response {
    Response::json(401, &json!({ "error": "Invalid username or password." }))
}

/// alice with a token of this role, called `laptop`, and her organisations.
pub fn account(role: &str) -> Value {
    json!({
        "type": "user",
        "id": "65a1",
        "name": "alice",
        "fullname": "Alice Example",
        "isPro": false,
        "orgs": [
            { "id": "65b1", "type": "org", "name": "acme", "roleInOrg": "write" },
            { "id": "65b2", "type": "org", "name": "umbrella", "roleInOrg": "read" },
        ],
        "auth": {
            "type": "access_token",
            "accessToken": {
                "displayName": "laptop",
                "role": role,
                "createdAt": "2026-01-31T12:00:00.000Z",
            },
        },
    })
}

/// A scope of a fine-grained token: the entity's type and name, and what is permitted there.
pub type Scope<'a> = (&'a str, &'a str, &'a [&'a str]);

/// alice with a fine-grained token of these scopes.
pub fn fine_grained(scopes: &[Scope]) -> Value {
    let scoped: Vec<Value> = scopes
        .iter()
        .map(|(kind, name, permissions)| {
            json!({
                "entity": { "_id": "65c1", "type": kind, "name": name },
                "permissions": permissions,
            })
        })
        .collect();
    let mut answer = account("fineGrained");
    answer["auth"]["accessToken"]["fineGrained"] =
        json!({ "canReadGatedRepos": false, "global": [], "scoped": scoped });
    answer
}

/// What the OAuth server knows and was asked.
struct Server {
    /// The form of every request, by key.
    forms: Vec<HashMap<String, String>>,
    /// The errors that polls are answered with before the person says yes.
    polls: VecDeque<&'static str>,
    /// For how many seconds the next tokens are good.
    expires_in: u64,
    /// The one refresh token that is good now.
    refresh_token: Option<String>,
    /// What a renewal is answered with instead of a token.
    failure: Option<(u16, Value)>,
    rotates: bool,
    /// Refresh tokens that were good once. Whoever sends one has copied it, or has lost the answer:
    /// the login ends (RFC 9700, 4.14.2).
    used: Vec<String>,
    /// Answers to renewals wait while this is set.
    held: bool,
    issued: usize,
    grants: Vec<(String, Right)>,
}

/// `/oauth/device` and `/oauth/token`: the browser login and the renewal of its tokens. The
/// tokens are labelled `oauth 1`, `oauth 2` and so on in the order in which they were handed out.
/// A refresh token is good once, and to use it again ends the login.
#[derive(Clone)]
pub struct OAuth {
    shared: Arc<(Mutex<Server>, Condvar)>,
}

impl OAuth {
    /// Answers from now on; tokens may be used for `grants` and are good for `expires_in` seconds.
    pub fn start(hub: &Hub, grants: Grants, expires_in: u64) -> OAuth {
        let server = Server {
            forms: Vec::new(),
            polls: VecDeque::new(),
            expires_in,
            refresh_token: None,
            failure: None,
            rotates: true,
            used: Vec::new(),
            held: false,
            issued: 0,
            grants: grants
                .iter()
                .map(|(scope, right)| ((*scope).to_owned(), *right))
                .collect(),
        };
        let oauth = OAuth {
            shared: Arc::new((Mutex::new(server), Condvar::new())),
        };
        oauth.device_page("https://huggingface.co/oauth/device", hub);
        let (asked, inner) = (oauth.clone(), Arc::downgrade(&hub.inner));
        hub.route("POST", HUB, "/oauth/token", move |request| {
            asked.token(request, &inner)
        });
        oauth
    }

    /// Which page the person is sent to.
    pub fn device_page(&self, page: &str, hub: &Hub) {
        let page = page.to_owned();
        let asked = self.clone();
        hub.route("POST", HUB, "/oauth/device", move |request| {
            asked.change(|server| server.forms.push(form(request)));
            Response::json(
                200,
                &json!({
                    "device_code": "a-device-code",
                    "user_code": "ABCD-1234",
                    "verification_uri": page,
                    "verification_uri_complete": format!("{page}?user_code=ABCD-1234"),
                    "interval": 1,
                    "expires_in": 600,
                }),
            )
        });
    }

    /// The polls of a login are answered with these errors before they succeed.
    pub fn polls_are_answered(&self, errors: &[&'static str]) {
        self.change(|server| server.polls.extend(errors));
    }

    /// Hands out tokens as after a login: the access token and the refresh token.
    pub fn login(&self, hub: &Hub) -> (String, String) {
        let answer = lock(&self.shared.0).issue(&Arc::downgrade(&hub.inner), true);
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let text = |key: &str| answer[key].as_str().expect("a token").to_owned();
        (text("access_token"), text("refresh_token"))
    }

    /// For how many seconds tokens are good from now on.
    pub fn expires_in(&self, seconds: u64) {
        self.change(|server| server.expires_in = seconds);
    }

    /// Renewals keep the refresh token as it is, and do not send it again.
    pub fn does_not_rotate(&self) {
        self.change(|server| server.rotates = false);
    }

    /// Whether a login can be renewed with this refresh token.
    pub fn is_good(&self, refresh_token: &str) -> bool {
        lock(&self.shared.0).refresh_token.as_deref() == Some(refresh_token)
    }

    /// The refresh token that is good now.
    pub fn good(&self) -> Option<String> {
        lock(&self.shared.0).refresh_token.clone()
    }

    /// Makes this the good refresh token again, for a home that is copied back.
    pub fn go_back_to(&self, refresh_token: Option<String>) {
        self.change(|server| {
            server
                .used
                .retain(|used| Some(used) != refresh_token.as_ref());
            server.refresh_token = refresh_token;
        });
    }

    /// Renewals are answered with this from now on; with nothing, they succeed again.
    pub fn fails_with(&self, failure: Option<(u16, Value)>) {
        self.change(|server| server.failure = failure);
    }

    /// Renewals are carried out, but the answer is held back.
    pub fn hold(&self) {
        self.change(|server| server.held = true);
    }

    /// What was held back is sent.
    pub fn release(&self) {
        self.change(|server| server.held = false);
    }

    /// Waits until that many renewals were asked for.
    pub fn wait_for_renewals(&self, count: usize) {
        let start = Instant::now();
        while self.renewals() < count {
            assert!(start.elapsed() < PATIENCE, "no renewal was asked for");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The forms of all requests, those for a device code included.
    pub fn forms(&self) -> Vec<HashMap<String, String>> {
        lock(&self.shared.0).forms.clone()
    }

    /// How many renewals were asked for.
    pub fn renewals(&self) -> usize {
        let forms = self.forms();
        let kinds = forms.iter().filter_map(|form| form.get("grant_type"));
        kinds.filter(|kind| *kind == "refresh_token").count()
    }

    fn change(&self, change: impl FnOnce(&mut Server)) {
        change(&mut lock(&self.shared.0));
        self.shared.1.notify_all();
    }

    fn token(&self, request: &Request, inner: &Weak<Inner>) -> Response {
        let form = form(request);
        let kind = form.get("grant_type").cloned().unwrap_or_default();
        let mut server = lock(&self.shared.0);
        server.forms.push(form.clone());
        if kind != "refresh_token" {
            return match server.polls.pop_front() {
                Some(error) => Response::json(400, &json!({ "error": error })),
                None => server.issue(inner, true),
            };
        }
        let answer = if let Some((status, value)) = &server.failure {
            Response::json(*status, value)
        } else if form.get("refresh_token") != server.refresh_token.as_ref() {
            let sent = form.get("refresh_token");
            if sent.is_some_and(|sent| server.used.contains(sent)) {
                server.refresh_token = None;
            }
            Response::json(400, &json!({ "error": "invalid_grant" }))
        } else {
            let rotates = server.rotates;
            server.issue(inner, rotates)
        };
        let held = |server: &mut Server| server.held;
        drop(self.shared.1.wait_timeout_while(server, PATIENCE, held));
        answer
    }
}

impl Server {
    /// New tokens, which are secrets like any other: no output may show them.
    fn issue(&mut self, inner: &Weak<Inner>, with_refresh_token: bool) -> Response {
        let Some(inner) = inner.upgrade() else {
            return Response::text(500, "the Hub is gone");
        };
        self.issued += 1;
        let accounts = &mut lock(&inner.state).accounts;
        let access = format!("hf_oauth_{}", accounts::random(34));
        let grants: Vec<(&str, Right)> = self
            .grants
            .iter()
            .map(|(scope, right)| (scope.as_str(), *right))
            .collect();
        accounts.add(&format!("oauth {}", self.issued), &access, &grants);
        let mut answer = json!({
            "access_token": access,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "scope": "openid profile",
        });
        if with_refresh_token {
            let refresh = format!("hf_refresh_{}", accounts::random(34));
            let label = format!("refresh {}", self.issued);
            accounts.add(&label, &refresh, &[]);
            accounts.set_revoked(&label, true);
            answer["refresh_token"] = refresh.clone().into();
            self.used.extend(self.refresh_token.replace(refresh));
        }
        Response::json(200, &answer)
    }
}

fn form(request: &Request) -> HashMap<String, String> {
    url::form_urlencoded::parse(&request.body)
        .into_owned()
        .collect()
}
