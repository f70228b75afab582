//! Reads and writes git's credential protocol.
//!
//! Source: git-credential(1), "INPUT/OUTPUT FORMAT".

use std::io::{self, BufRead, Read, Write};

use zeroize::{Zeroize, Zeroizing};

use crate::model::secret::{Secret, SecretError};

/// The longest accepted line, in bytes, without its line ending.
pub(crate) const MAX_LINE: usize = 65_535;

/// How many lines a request may have. Git sends a handful, with one `wwwauth[]` for each header.
const MAX_LINES: usize = 100_000;

/// How many `state[]` values are kept; we send one.
const MAX_STATES: usize = 64;

/// The capabilities that a caller announces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `capability[]=state`: the answer may contain `state[]` and `continue` (git 2.46 and newer).
    pub state: bool,
}

/// A request, as far as this helper reads it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `https` and the like, as typed.
    pub protocol: Option<String>,
    /// Host and port, as typed.
    pub host: Option<String>,
    /// The path, percent-decoded by git; absent unless `useHttpPath` is set.
    pub path: Option<String>,
    /// The username, from the URL or from `credential.username`.
    pub username: Option<String>,
    /// The password, in `store` and `erase`.
    pub password: Option<Secret>,
    /// When the password expires, in seconds since 1970.
    pub password_expiry_utc: Option<u64>,
    /// A refresh token that came with the password.
    pub oauth_refresh_token: Option<Secret>,
    /// Whether the credential must not be stored.
    pub ephemeral: bool,
    /// What the caller announces.
    pub capabilities: Capabilities,
    /// What helpers answered before, returned by git; see [`crate::selection::Mark`].
    pub states: Vec<String>,
}

/// Why a request is refused. No message quotes the input, which may contain a secret.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A line that is too long.
    #[error("line {line} of the request is longer than {MAX_LINE} bytes")]
    LongLine {
        /// The line, counted from 1.
        line: usize,
    },
    /// Too many lines.
    #[error("the request has more than {MAX_LINES} lines")]
    ManyLines,
    /// A NUL byte.
    #[error("line {line} of the request contains a NUL byte")]
    Nul {
        /// The line, counted from 1.
        line: usize,
    },
    /// A carriage return that does not end a line.
    #[error("line {line} of the request contains a carriage return")]
    CarriageReturn {
        /// The line, counted from 1.
        line: usize,
    },
    /// Some lines end with LF, and others with CRLF.
    #[error("line {line} of the request does not end like the lines before it (LF or CRLF)")]
    MixedLineEnds {
        /// The line, counted from 1.
        line: usize,
    },
    /// No `=`.
    #[error("line {line} of the request is not of the form key=value")]
    NoEquals {
        /// The line, counted from 1.
        line: usize,
    },
    /// A value that this helper reads is not UTF-8.
    #[error("line {line} of the request is not UTF-8")]
    NotUtf8 {
        /// The line, counted from 1.
        line: usize,
    },
    /// A password that cannot be a token.
    #[error("line {line} of the request: {source}")]
    Secret {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: SecretError,
    },
    /// Standard input failed.
    #[error("cannot read the request: {0}")]
    Io(#[from] io::Error),
}

impl Request {
    /// Reads one request, up to a blank line or the end of the input.
    ///
    /// # Errors
    /// When a line breaks the format, or reading fails.
    pub fn read(input: &mut impl BufRead) -> Result<Self, ProtocolError> {
        let mut request = Self::default();
        let mut buffer = Zeroizing::new(Vec::with_capacity(256));
        // How the first line ends: git drops only the LF, so in a mixture a CR could be meant as
        // part of a value.
        let mut ends_with_crlf = None;
        for line in 1..=MAX_LINES {
            buffer.zeroize();
            // Two bytes more than a line, for its ending, so that a read is bounded.
            let limit = MAX_LINE as u64 + 2;
            input.by_ref().take(limit).read_until(b'\n', &mut buffer)?;
            let mut bytes = buffer.as_slice();
            if bytes.is_empty() {
                return Ok(request);
            }
            // The last line may have no line ending.
            let mut crlf = None;
            if let Some(ended) = bytes.strip_suffix(b"\n") {
                bytes = ended.strip_suffix(b"\r").unwrap_or(ended);
                crlf = Some(bytes.len() != ended.len());
            }
            if bytes.len() > MAX_LINE {
                return Err(ProtocolError::LongLine { line });
            }
            if bytes.contains(&0) {
                return Err(ProtocolError::Nul { line });
            }
            if bytes.contains(&b'\r') {
                return Err(ProtocolError::CarriageReturn { line });
            }
            if crlf.is_some_and(|crlf| *ends_with_crlf.get_or_insert(crlf) != crlf) {
                return Err(ProtocolError::MixedLineEnds { line });
            }
            if bytes.is_empty() {
                return Ok(request);
            }
            let equals = bytes.iter().position(|b| *b == b'=');
            let (key, value) = equals
                .and_then(|at| bytes.split_at_checked(at))
                .ok_or(ProtocolError::NoEquals { line })?;
            request.set(key, value.get(1..).unwrap_or_default(), line)?;
        }
        Err(ProtocolError::ManyLines)
    }

    fn set(&mut self, key: &[u8], value: &[u8], line: usize) -> Result<(), ProtocolError> {
        let text = || std::str::from_utf8(value).map_err(|_| ProtocolError::NotUtf8 { line });
        let secret =
            || Secret::exact(text()?).map_err(|source| ProtocolError::Secret { line, source });
        match key {
            b"protocol" => self.protocol = Some(text()?.to_owned()),
            b"host" => self.host = Some(text()?.to_owned()),
            b"path" => self.path = Some(text()?.to_owned()),
            b"username" => self.username = Some(text()?.to_owned()),
            b"password" => self.password = Some(secret()?),
            b"oauth_refresh_token" => self.oauth_refresh_token = Some(secret()?),
            // Git takes a number that it cannot parse as "never" (credential.c).
            b"password_expiry_utc" => {
                self.password_expiry_utc = text()?.parse().ok().filter(|at| *at > 0);
            }
            b"ephemeral" => self.ephemeral = is_true(text()?),
            b"capability[]" => match text()? {
                "" => self.capabilities = Capabilities::default(),
                "state" => self.capabilities.state = true,
                _ => {}
            },
            b"state[]" => match text()? {
                "" => self.states.clear(),
                state if self.states.len() < MAX_STATES => self.states.push(state.to_owned()),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Git's booleans (git-config(1), "Values"), in the forms that programs send.
fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// What `get` says.
#[derive(Debug)]
pub enum Reply {
    /// A credential.
    Credential(Box<Credential>),
    /// Git must stop, without another helper or a prompt.
    Quit,
    /// No credential: git asks the next helper, or the user. The mark in `state[]` comes back with
    /// what the user types.
    Unanswered(String),
}

/// The answer to `get`.
#[derive(Debug)]
pub struct Credential {
    /// The username, which the Hub ignores; it may be empty.
    pub username: String,
    /// The token. `model/secret.rs` lists every other place that a secret goes to.
    pub password: Secret,
    /// When it expires, in seconds since 1970.
    pub password_expiry_utc: Option<u64>,
    /// Returned if git gave us one.
    pub oauth_refresh_token: Option<Secret>,
    /// Set if another candidate is left: git comes back with this `state[]` if this one is refused.
    pub again: Option<String>,
}

impl Reply {
    /// Writes the reply in one piece.
    ///
    /// # Errors
    /// When a value would break the format, or writing fails. Nothing is written in part.
    pub fn write(&self, announced: Capabilities, out: &mut impl Write) -> io::Result<()> {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        match self {
            Self::Unanswered(_) if !announced.state => {}
            Self::Unanswered(state) => {
                push(&mut text, "capability[]", "state")?;
                push(&mut text, "state[]", state)?;
            }
            Self::Quit => text.push_str("quit=1\n"),
            Self::Credential(credential) => {
                let Credential {
                    username,
                    password,
                    password_expiry_utc,
                    oauth_refresh_token,
                    again,
                } = credential.as_ref();
                let again = again.as_ref().filter(|_| announced.state);
                if again.is_some() {
                    push(&mut text, "capability[]", "state")?;
                }
                push(&mut text, "username", username)?;
                push(&mut text, "password", password.expose())?;
                if let Some(at) = password_expiry_utc {
                    push(&mut text, "password_expiry_utc", &at.to_string())?;
                }
                if let Some(token) = oauth_refresh_token {
                    push(&mut text, "oauth_refresh_token", token.expose())?;
                }
                if let Some(state) = again {
                    push(&mut text, "state[]", state)?;
                    push(&mut text, "continue", "1")?;
                }
            }
        }
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

fn push(text: &mut String, key: &str, value: &str) -> io::Result<()> {
    if value.contains(['\n', '\r', '\0']) || key.len() + value.len() + 1 > MAX_LINE {
        let message = format!("the value of {key} cannot be sent to git");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    for part in [key, "=", value, "\n"] {
        text.push_str(part);
    }
    Ok(())
}

/// The answer to `capability`, in the format that `git credential capability` prints.
pub(crate) const CAPABILITIES: &str = "version 0\ncapability state\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Request, ProtocolError> {
        Request::read(&mut io::BufReader::with_capacity(7, bytes))
    }

    #[test]
    fn any_order_unknown_keys_and_line_endings() {
        for input in [
            &b"protocol=https\nhost=hf.co\npath=a/b\nusername=u\n\n"[..],
            b"path=a/b\nusername=u\nhost=hf.co\nprotocol=https",
            b"protocol=https\r\nhost=hf.co\r\npath=a/b\r\nusername=u\r\n\r\n",
            b"new-key=x\nprotocol=ssh\nprotocol=https\nhost=hf.co\nlist[]=1\npath=a/b\nusername=u\n",
            b"protocol=https\nhost=hf.co\npath=a/b\nusername=u\n\nhost=evil.example\n",
        ] {
            let request = read(input).unwrap();
            assert_eq!(request.protocol.as_deref(), Some("https"));
            assert_eq!(request.host.as_deref(), Some("hf.co"));
            assert_eq!(request.path.as_deref(), Some("a/b"));
            assert_eq!(request.username.as_deref(), Some("u"));
            assert!(request.password.is_none());
        }
    }

    #[test]
    fn lists_and_their_reset() {
        let request = read(b"capability[]=state\nstate[]=a\nstate[]=\nstate[]=b\n").unwrap();
        assert_eq!(request.states, ["b"]);
        assert!(request.capabilities.state);
        let request = read(b"capability[]=authtype\ncapability[]=state\ncapability[]=\n").unwrap();
        assert!(!request.capabilities.state);
    }

    #[test]
    fn values_keep_their_equals_signs_and_spaces() {
        let request = read(b"username= a=b \npassword=x=y=\n").unwrap();
        assert_eq!(request.username.as_deref(), Some(" a=b "));
        assert_eq!(request.password.unwrap().expose(), "x=y=");
    }

    #[test]
    fn expiry_and_booleans() {
        let expiry = |v: &str| {
            read(format!("password_expiry_utc={v}\n").as_bytes())
                .unwrap()
                .password_expiry_utc
        };
        assert_eq!(expiry("9999999999"), Some(9_999_999_999));
        assert_eq!(expiry("0"), None);
        assert_eq!(expiry("soon"), None);
        for (value, expected) in [("1", true), ("true", true), ("0", false), ("", false)] {
            let input = format!("ephemeral={value}\n");
            assert_eq!(read(input.as_bytes()).unwrap().ephemeral, expected);
        }
    }

    #[test]
    fn long_lines() {
        let line = |n: usize| {
            let mut bytes = b"path=".to_vec();
            bytes.resize(n, b'a');
            bytes
        };
        assert_eq!(
            read(&line(MAX_LINE)).unwrap().path.unwrap().len(),
            MAX_LINE - 5
        );
        let mut crlf = line(MAX_LINE);
        crlf.extend_from_slice(b"\r\nhost=h\r\n");
        assert_eq!(read(&crlf).unwrap().host.as_deref(), Some("h"));
        for length in [MAX_LINE + 1, MAX_LINE + 2, 70_000, 200_000] {
            assert!(matches!(
                read(&line(length)),
                Err(ProtocolError::LongLine { line: 1 })
            ));
        }
    }

    #[test]
    fn refusals() {
        for (input, expected) in [
            (
                &b"protocol=https\nhost=a\0b\n"[..],
                "line 2 of the request contains a NUL byte",
            ),
            (
                b"host=a\rb\n",
                "line 1 of the request contains a carriage return",
            ),
            (
                b"host=a\r\r\n",
                "line 1 of the request contains a carriage return",
            ),
            (
                b"host=a\r",
                "line 1 of the request contains a carriage return",
            ),
            (
                b"protocol=https\nhost=a\r\n",
                "line 2 of the request does not end like the lines before it (LF or CRLF)",
            ),
            (
                b"protocol=https\r\nhost=a\r\n\n",
                "line 3 of the request does not end like the lines before it (LF or CRLF)",
            ),
            (
                b"host\n",
                "line 1 of the request is not of the form key=value",
            ),
            (b"host=\xff\n", "line 1 of the request is not UTF-8"),
            (
                b"password=\x1b[0m\n",
                "line 1 of the request: the token contains a line break or another control character",
            ),
        ] {
            assert_eq!(read(input).unwrap_err().to_string(), expected);
        }
        // Unknown keys may have any value.
        assert!(read(b"wwwauth[]=\xff\xfe\n").is_ok());
    }

    fn credential() -> Credential {
        Credential {
            username: "alice".into(),
            password: Secret::exact("not-a-real-one").unwrap(),
            password_expiry_utc: Some(17),
            oauth_refresh_token: None,
            again: Some("s".into()),
        }
    }

    fn written(credential: Credential, state: bool) -> String {
        let mut out = Vec::new();
        Reply::Credential(Box::new(credential))
            .write(Capabilities { state }, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn state_and_continue_only_where_announced() {
        assert_eq!(
            written(credential(), true),
            "capability[]=state\nusername=alice\npassword=not-a-real-one\n\
             password_expiry_utc=17\nstate[]=s\ncontinue=1\n"
        );
        assert_eq!(
            written(credential(), false),
            "username=alice\npassword=not-a-real-one\npassword_expiry_utc=17\n"
        );
    }

    #[test]
    fn an_unanswered_request_leaves_a_mark_where_state_is_announced() {
        for (state, expected) in [(true, "capability[]=state\nstate[]=s\n"), (false, "")] {
            let mut out = Vec::new();
            let reply = Reply::Unanswered("s".into());
            reply.write(Capabilities { state }, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn an_answer_cannot_be_broken_by_its_values() {
        let mut out = Vec::new();
        let mut bad = credential();
        bad.username = "alice\nhost=evil.example".into();
        let reply = Reply::Credential(Box::new(bad));
        assert!(reply.write(Capabilities::default(), &mut out).is_err());
        assert!(out.is_empty());
    }
}
