//! Git's protocol: what is read is what stands there, and no answer says more than it should.

use std::io::BufReader;

use git_credential_hf::git::protocol::{Capabilities, Credential, Reply, Request};
use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::secret::Secret;
use git_credential_hf::selection::Mark;

use super::endpoint::is_the_hub;
use super::take::Take;

/// Takes a request's bytes; an answer is made from its lines, too.
pub fn check(data: &[u8]) {
    answer(data);
    let read = Request::read(&mut &*data);
    // However the bytes arrive.
    let pieces = Request::read(&mut BufReader::with_capacity(3, data));
    assert_eq!(read.is_ok(), pieces.is_ok());
    let Ok(request) = read else { return };
    assert_eq!(fields(&request), fields(&pieces.expect("the same")));
    assert_eq!(fields(&request), as_it_stands(data));

    for end in ["\n", "\r\n"] {
        let again = Request::read(&mut written(&request, end).as_bytes());
        let again = again.expect("what was read can be written");
        assert_eq!(fields(&again), fields(&request));
    }

    if let (Some(protocol), Some(host)) = (&request.protocol, &request.host) {
        let endpoint = Endpoint::from_git(protocol, host);
        let hub = endpoint.is_some_and(|endpoint| endpoint.is_hugging_face());
        assert_eq!(hub, is_the_hub(protocol, host));
    }
    if let Some(ours) = Mark::find(&request.states) {
        assert_eq!(Mark::find(&[ours.to_text()]), Some(ours));
    }
}

/// A request as plain text, to be compared.
type Fields = Vec<(&'static str, String)>;

fn fields(request: &Request) -> Fields {
    let secret = |secret: &Secret| secret.expose().to_owned();
    let one = [
        ("protocol", request.protocol.clone()),
        ("host", request.host.clone()),
        ("path", request.path.clone()),
        ("username", request.username.clone()),
        ("password", request.password.as_ref().map(secret)),
        (
            "password_expiry_utc",
            request.password_expiry_utc.map(|at| at.to_string()),
        ),
        (
            "oauth_refresh_token",
            request.oauth_refresh_token.as_ref().map(secret),
        ),
        ("ephemeral", request.ephemeral.then(|| "1".to_owned())),
        (
            "capability[]",
            request.capabilities.state.then(|| "state".to_owned()),
        ),
    ];
    let one = one
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    one.chain(request.states.iter().map(|s| ("state[]", s.clone())))
        .collect()
}

fn written(request: &Request, end: &str) -> String {
    fields(request)
        .iter()
        .rev()
        .map(|(key, value)| format!("{key}={value}{end}"))
        // Lists keep their order.
        .fold(String::new(), |text, line| {
            if line.starts_with("state[]=") {
                format!("{line}{text}")
            } else {
                text + &line
            }
        })
}

/// The same fields, read in the simplest way: the lines to the first empty one, where the last
/// of a key counts.
fn as_it_stands(data: &[u8]) -> Fields {
    let mut lines = Vec::new();
    let mut ends = Vec::new();
    for whole in data.split_inclusive(|byte| *byte == b'\n') {
        if whole.ends_with(b"\n") {
            ends.push(whole.ends_with(b"\r\n"));
        }
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line).into_owned();
        let (key, value) = line.split_once('=').expect("it was read");
        lines.push((key.to_owned(), value.to_owned()));
    }
    assert!(ends.iter().all(|crlf| *crlf == ends[0]), "mixed line ends");
    let all = |key: &'static str| {
        let values = lines.iter().filter(move |(k, _)| k == key);
        values.map(|(_, value)| value.as_str())
    };
    let since_reset = |key| {
        all(key).fold(Vec::new(), |mut list: Vec<&str>, value| {
            match value {
                "" => list.clear(),
                value => list.push(value),
            }
            list
        })
    };
    let mut fields = Fields::new();
    for key in [
        "protocol",
        "host",
        "path",
        "username",
        "password",
        "password_expiry_utc",
        "oauth_refresh_token",
        "ephemeral",
    ] {
        let Some(value) = all(key).next_back() else {
            continue;
        };
        let value = match key {
            "password_expiry_utc" => match value.parse::<u64>() {
                Ok(at) if at > 0 => at.to_string(),
                _ => continue,
            },
            "ephemeral" => match value.to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => "1".to_owned(),
                _ => continue,
            },
            _ => value.to_owned(),
        };
        fields.push((key, value));
    }
    if since_reset("capability[]").contains(&"state") {
        fields.push(("capability[]", "state".to_owned()));
    }
    let states = since_reset("state[]").into_iter().take(64);
    fields.extend(states.map(|state| ("state[]", state.to_owned())));
    fields
}

/// An answer of any values either is refused whole, or has exactly the lines that it should:
/// never a `host`, by which git would send the token elsewhere.
fn answer(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'|');
    let mut next = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (username, password, state, rest) = (next(), next(), next(), next());
    let Ok(password) = Secret::exact(&password) else {
        return;
    };
    let mut take = Take(rest.as_bytes());
    let expiry = take.flag().then_some(rest.len() as u64);
    let refresh = Secret::exact(&rest).ok().filter(|_| take.flag());
    let again = Some(state).filter(|_| take.flag());
    for announced in [false, true] {
        let credential = Credential {
            username: username.clone(),
            password: password.clone(),
            password_expiry_utc: expiry,
            oauth_refresh_token: refresh.clone(),
            again: again.clone(),
        };
        let mut out = Vec::new();
        let reply = Reply::Credential(Box::new(credential));
        if reply
            .write(Capabilities { state: announced }, &mut out)
            .is_err()
        {
            assert!(out.is_empty(), "an answer that is refused says nothing");
            continue;
        }
        let text = String::from_utf8(out.clone()).expect("text");
        let keys: Vec<&str> = text
            .split_terminator('\n')
            .map(|line| line.split_once('=').expect("key=value").0)
            .collect();
        let known = [
            "capability[]",
            "username",
            "password",
            "password_expiry_utc",
            "oauth_refresh_token",
            "state[]",
            "continue",
        ];
        let places: Vec<_> = keys
            .iter()
            .map(|key| known.iter().position(|k| k == key))
            .collect();
        assert!(places.iter().all(Option::is_some), "{keys:?}");
        assert!(places.is_sorted_by(|a, b| a < b), "{keys:?}");
        assert!(announced || !keys.iter().any(|k| k.contains("[]") || *k == "continue"));

        let back = Request::read(&mut out.as_slice()).expect("git can read it");
        assert_eq!(back.username.as_deref(), Some(username.as_str()));
        assert!(back.password.is_some_and(|back| back.same_as(&password)));
        assert!(back.host.is_none() && back.protocol.is_none() && back.path.is_none());
    }
}
