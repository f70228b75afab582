//! Large files: git-lfs's batch API on the Hub, and the host the objects lie on.

use super::accounts::{Right, random, unauthorized};
use super::http::{Request, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// Where the objects are, on purpose another host than the API's.
pub const OBJECT_HOST: &str = "cdn-lfs.huggingface.co";

/// The objects of all repos, and the signatures under which they may be fetched and put.
#[derive(Default)]
pub struct Objects {
    by_oid: HashMap<String, Vec<u8>>,
    signatures: HashSet<String>,
    /// Whether the object host asks who is there, as it should not.
    pub demands_auth: bool,
}

/// The right that a call of the LFS API takes. Locks are not offered, so asking for them takes
/// no more than reading.
pub fn right_for(request: &Request) -> Right {
    if request.json()["operation"] == "upload" {
        Right::Write
    } else {
        Right::Read
    }
}

impl Objects {
    /// Answers an admitted call of the LFS API; `call` is the path below `info/lfs/`.
    pub fn api(&mut self, call: &str, request: &Request) -> Response {
        if (request.method.as_str(), call) != ("POST", "objects/batch") {
            return lfs_json(404, &json!({ "message": "Not found" }));
        }
        let asked = request.json();
        let operation = asked["operation"].as_str().unwrap_or_default();
        let objects = asked["objects"].as_array().cloned().unwrap_or_default();
        let objects = objects.iter();
        let objects: Vec<Value> = objects.map(|asked| self.offer(operation, asked)).collect();
        let answer = json!({ "transfer": "basic", "objects": objects, "hash_algo": "sha256" });
        lfs_json(200, &answer)
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
            "PUT" if hex(&Sha256::digest(&request.body)) != oid => {
                Response::text(422, "The content does not match its name")
            }
            "PUT" => {
                self.by_oid.insert(oid.to_owned(), request.body.clone());
                Response::text(200, "")
            }
            _ => match self.by_oid.get(oid) {
                Some(bytes) => Response::new(200, "application/octet-stream", bytes.clone()),
                None => Response::text(404, "Object does not exist"),
            },
        }
    }
}

fn lfs_json(status: u16, value: &Value) -> Response {
    Response::new(status, "application/vnd.git-lfs+json", value.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
