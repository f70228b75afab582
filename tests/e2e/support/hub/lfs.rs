//! Large files: git-lfs's batch API on the Hub, the host the objects lie on, and what git-xet asks
//! the Hub for before it uploads.

use super::super::tools::hex;
use super::accounts::{Right, random, unauthorized};
use super::http::{Request, Response};
use super::repos::RepoName;
use hmac_sha256::Hash as Sha256;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet, VecDeque};

/// Where the objects are, on purpose another host than the API's.
pub const OBJECT_HOST: &str = "cdn-lfs.huggingface.co";

/// Where git-xet puts what it uploads.
pub const XET_HOST: &str = "cas-server.xethub.hf.co";
/// When a token for that ends (Unix seconds): not during a test.
const XET_EXPIRES: u64 = 4_000_000_000;

/// The objects of all repos, and the signatures under which they may be fetched and put.
#[derive(Default)]
pub struct Objects {
    by_oid: HashMap<String, Vec<u8>>,
    signatures: HashSet<String>,
    /// Whether the object host asks who is there, as it should not.
    pub demands_auth: bool,
    /// The status that `locks/verify` is answered with; 404 without one, which is harder on
    /// git-lfs and on the helper than the 200 of a server that has locks.
    pub locks_verify: Option<u16>,
    /// The statuses that the next batch requests are refused with.
    pub refused_batches: VecDeque<u16>,
    /// Whether the batch answer brings a token for git-xet's storage that is good for the upload.
    pub xet_is_fresh: bool,
}

/// The right that a call of the LFS API takes. There are no locks here, so asking about them takes
/// no more than reading.
pub fn right_for(request: &Request) -> Right {
    if request.json()["operation"] == "upload" {
        Right::Write
    } else {
        Right::Read
    }
}

impl Objects {
    /// Answers an admitted call of the LFS API; `call` is the path below `info/lfs/`. A client that
    /// knows git-xet's way to upload is told to take it, as by the Hub.
    pub fn api(&mut self, repo: &RepoName, call: &str, request: &Request) -> Response {
        match (request.method.as_str(), call) {
            ("POST", "objects/batch") => {}
            ("POST", "locks/verify") => return self.verify_locks(),
            _ => return lfs_json(404, &json!({ "message": "Not found" })),
        }
        if let Some(status) = self.refused_batches.pop_front() {
            return lfs_json(status, &json!({ "message": "Not now" }));
        }
        let asked = request.json();
        let operation = asked["operation"].as_str().unwrap_or_default();
        let objects = asked["objects"].as_array().cloned().unwrap_or_default();
        let knows = asked["transfers"].as_array();
        let xet = operation == "upload" && knows.is_some_and(|all| all.contains(&json!("xet")));
        let objects: Vec<Value> = objects
            .iter()
            .map(|asked| {
                let mut object = self.offer(operation, asked);
                if xet && !object["actions"].is_null() {
                    object["actions"]["upload"] = self.by_xet(repo);
                }
                object
            })
            .collect();
        let transfer = if xet { "xet" } else { "basic" };
        let answer = json!({ "transfer": transfer, "objects": objects, "hash_algo": "sha256" });
        lfs_json(200, &answer)
    }

    fn verify_locks(&self) -> Response {
        match self.locks_verify.unwrap_or(404) {
            200 => lfs_json(200, &json!({ "ours": [], "theirs": [] })),
            status => lfs_json(status, &json!({ "message": "There are no locks here" })),
        }
    }

    /// How git-xet is to upload an object. Its first token for the storage has expired already, so
    /// that it has to ask for one, as it does in a long upload; unless a test wants a fresh one.
    fn by_xet(&mut self, repo: &RepoName) -> Value {
        let (token, expires) = match self.xet_is_fresh {
            true => (self.xet_storage_token(), XET_EXPIRES),
            false => (random(16), 1),
        };
        json!({
            "href": format!("https://huggingface.co/api/{repo}/xet-write-token/main"),
            "header": {
                "X-Xet-Cas-Url": format!("https://{XET_HOST}"),
                "X-Xet-Access-Token": token,
                "X-Xet-Token-Expiration": expires.to_string(),
                "X-Xet-Session-Id": random(8),
            },
        })
    }

    fn xet_storage_token(&mut self) -> String {
        let token = random(16);
        self.signatures.insert(token.clone());
        token
    }

    /// Hands out a token for git-xet's storage to a client that may write to the repo.
    pub fn xet_token(&mut self) -> Response {
        let token = self.xet_storage_token();
        let answer = json!({
            "casUrl": format!("https://{XET_HOST}"), "exp": XET_EXPIRES, "accessToken": token,
        });
        Response::json(200, &answer)
    }

    /// Answers a request to git-xet's storage: here an object is put there whole, where the real
    /// one takes it in pieces that have names of their own.
    pub fn xet_storage(&mut self, request: &Request) -> Response {
        let header = request.header("Authorization").unwrap_or_default();
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        let oid = request.path.strip_prefix("/objs/");
        match oid.filter(|_| self.signatures.contains(token)) {
            Some(oid) => self.put(oid, request),
            None => Response::text(401, "Invalid storage token"),
        }
    }

    /// What the client may do with one object. `authenticated` is left out, so that a client that
    /// is asked for credentials by the object host goes and looks for some: the hard case.
    fn offer(&mut self, operation: &str, asked: &Value) -> Value {
        let oid = asked["oid"].as_str().unwrap_or_default().to_owned();
        let mut object = json!({ "oid": oid, "size": asked["size"] });
        let present = self.by_oid.contains_key(&oid);
        if operation == "download" && !present {
            object["error"] = json!({ "code": 404, "message": "Object does not exist" });
        } else if operation == "download" || !present {
            let signature = random(16);
            let href = format!("https://{OBJECT_HOST}/objs/{oid}?sig={signature}");
            self.signatures.insert(signature);
            object["actions"] = json!({ operation: { "href": href, "expires_in": 900 } });
        }
        object
    }

    fn put(&mut self, oid: &str, request: &Request) -> Response {
        if hex(&Sha256::hash(&request.body)) != oid {
            return Response::text(422, "The content does not match its name");
        }
        self.by_oid.insert(oid.to_owned(), request.body.clone());
        Response::text(200, "")
    }

    /// Answers a request to the object host.
    pub fn transfer(&mut self, request: &Request) -> Response {
        if self.demands_auth {
            return unauthorized();
        }
        let signature = request.query.strip_prefix("sig=");
        let signed = signature.is_some_and(|signature| self.signatures.contains(signature));
        let Some(oid) = request.path.strip_prefix("/objs/").filter(|_| signed) else {
            return Response::text(403, "Bad signature");
        };
        match request.method.as_str() {
            "PUT" => self.put(oid, request),
            _ => match self.by_oid.get(oid) {
                Some(bytes) => Response::new(200, "application/octet-stream", bytes.clone()),
                None => Response::text(404, "Object does not exist"),
            },
        }
    }
}

/// The path below which the Hub hands out tokens for git-xet's storage, and the repo.
pub fn parse_xet_path(path: &str) -> Option<RepoName> {
    let repo = path.strip_prefix("/api/")?;
    RepoName::parse(repo.strip_suffix("/xet-write-token/main")?)
}

fn lfs_json(status: u16, value: &Value) -> Response {
    Response::new(status, "application/vnd.git-lfs+json", value.to_string())
}
