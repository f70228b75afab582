//! HTTP/1.1 as far as git, curl and Go's client speak it: one request in, one response out.

use super::accounts::TokenSeen;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};

const LONGEST_LINE: u64 = 64 * 1024;
const LONGEST_BODY: u64 = 256 * 1024 * 1024;

/// Where a request was meant to go: the scheme, and the host as a URL would show it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub scheme: &'static str,
    pub host: String,
}

impl Origin {
    /// `authority` in lower case, without the scheme's own port or a root dot.
    pub fn new(scheme: &'static str, authority: &str) -> Origin {
        let authority = authority.to_ascii_lowercase();
        let port = if scheme == "https" { ":443" } else { ":80" };
        let host = authority.strip_suffix(port).unwrap_or(&authority);
        let host = host.strip_suffix('.').unwrap_or(host).to_owned();
        Origin { scheme, host }
    }
}

/// A request as the Hub sees it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Lower case, with the port where it is not the scheme's own.
    pub host: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The username of Basic authentication.
    pub user: Option<String>,
    /// Whose token came with it, a revoked one included.
    pub token: TokenSeen,
    /// Whether that token is in force.
    pub token_is_live: bool,
}

impl Request {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// The body as JSON, null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The path with its query, as it was on the request line.
    pub fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// What the Hub answers.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            headers: vec![("Content-Type".into(), kind.into())],
            body: body.into(),
        }
    }

    pub fn text(status: u16, text: &str) -> Response {
        Response::new(status, "text/plain; charset=utf-8", text)
    }

    pub fn json(status: u16, value: &Value) -> Response {
        Response::new(status, "application/json", value.to_string())
    }

    pub fn redirect(status: u16, to: &str) -> Response {
        Response::text(status, "").header("Location", to)
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Writes it out; the answer to a HEAD keeps its body to itself.
    pub fn send(&self, to: &mut impl Write, with_body: bool) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Status\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        to.write_all(head.as_bytes())?;
        if with_body {
            to.write_all(&self.body)?;
        }
        to.flush()
    }
}

/// Reads the next request, none at the end of the stream. `tunnel` is the origin that a CONNECT
/// opened this stream for; without it the request line or the Host header says where it goes.
pub fn receive<S: Read + Write>(
    stream: &mut BufReader<S>,
    tunnel: Option<&Origin>,
) -> io::Result<Option<Request>> {
    let first = line(stream)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut request = Request {
        method: method.to_owned(),
        ..Request::default()
    };
    loop {
        let header = line(stream)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        let header = (name.to_owned(), value.trim().to_owned());
        request.headers.push(header);
    }

    let (authority, local) = match target.strip_prefix("http://") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None if method == "CONNECT" => (target, ""),
        None => (request.header("Host").unwrap_or_default(), target),
    };
    // A CONNECT is for TLS, where port 80 is an odd one.
    let scheme = if method == "CONNECT" { "https" } else { "http" };
    let direct = || Origin::new(scheme, authority);
    let origin = tunnel.cloned().unwrap_or_else(direct);
    let (path, query) = local.split_once('?').unwrap_or((local, ""));
    request.path = path.to_owned();
    request.query = query.to_owned();
    request.scheme = origin.scheme;
    request.host = origin.host;

    let says = |name: &str, value: &str| {
        let header = request.header(name);
        header.is_some_and(|header| header.eq_ignore_ascii_case(value))
    };
    if says("Expect", "100-continue") {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    request.body = if says("Transfer-Encoding", "chunked") {
        chunks(stream)?
    } else {
        let length = request.header("Content-Length").map(str::parse);
        exactly(stream, length.transpose().map_err(broken)?.unwrap_or(0))?
    };
    Ok(Some(request))
}

fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(broken)?;
        if size == 0 {
            while !line(stream)?.is_empty() {}
            return Ok(body);
        }
        body.append(&mut exactly(stream, size)?);
        line(stream)?;
        if body.len() as u64 > LONGEST_BODY {
            return Err(broken("the body is too long"));
        }
    }
}

fn exactly(stream: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > LONGEST_BODY {
        return Err(broken("the body is too long"));
    }
    let mut bytes = Vec::new();
    stream.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(broken("the body is cut short"))
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    let text = String::from_utf8(bytes).map_err(broken)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
