//! The claims of an ID token (a JWT of OpenID Connect). Only the Hub can verify the token; we read
//! the claims to say what is wrong with it before the Hub refuses it.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::secret::{Secret, redact};
use super::text::one_line;
use super::time;

/// The claims of an ID token that we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    /// `iss`: who issued it.
    pub(crate) issuer: String,
    /// `sub`: whom it identifies.
    pub(crate) subject: String,
    /// `aud`: who may accept it.
    pub(crate) audiences: Vec<String>,
    /// `exp`: when it expires, in Unix seconds.
    pub(crate) expires: Option<u64>,
}

/// Why an ID token cannot be exchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdTokenError {
    /// Not a JWT with claims.
    #[error("is not an ID token (a JWT: three parts with a dot between them)")]
    NotAnIdToken,
    /// It is meant for somebody else.
    #[error("has {0}, and the Hub accepts only its own address")]
    WrongAudience(String),
    /// It expired this many seconds ago.
    #[error("expired {} ago", time::span(*.0))]
    Expired(u64),
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: Audience,
    #[serde(default)]
    exp: Option<f64>,
}

/// RFC 7519, 4.1.3: one audience or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Claims {
    /// Reads the claims of an ID token.
    ///
    /// # Errors
    /// [`IdTokenError::NotAnIdToken`].
    pub(crate) fn read(token: &Secret) -> Result<Self, IdTokenError> {
        let parts: Vec<&str> = token.expose().split('.').collect();
        let [_, payload, _] = parts.as_slice() else {
            return Err(IdTokenError::NotAnIdToken);
        };
        let payload = base64url(payload).ok_or(IdTokenError::NotAnIdToken)?;
        // serde also reads a struct from an array.
        if payload.first() != Some(&b'{') {
            return Err(IdTokenError::NotAnIdToken);
        }
        let payload: Payload =
            serde_json::from_slice(&payload).map_err(|_| IdTokenError::NotAnIdToken)?;
        let shown = |text: &str| -> String {
            let text = redact(&one_line(text));
            text.chars().take(200).collect()
        };
        let audiences = match payload.aud {
            Audience::One(one) => vec![one],
            Audience::Many(many) => many,
        };
        Ok(Self {
            issuer: shown(&payload.iss),
            subject: shown(&payload.sub),
            audiences: audiences.iter().map(|audience| shown(audience)).collect(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates, and fractions of a second do not matter"
            )]
            expires: payload.exp.map(|at| at as u64),
        })
    }

    /// Checks whether the Hub could accept the token at `now` (Unix seconds); `audience` is the
    /// Hub's address.
    ///
    /// # Errors
    /// With the reason why it could not.
    pub(crate) fn check(&self, audience: &str, now: u64) -> Result<(), IdTokenError> {
        if !self.audiences.iter().any(|known| known == audience) {
            let named: Vec<String> = self
                .audiences
                .iter()
                .map(|one| format!("`{one}`"))
                .collect();
            return Err(IdTokenError::WrongAudience(match named.as_slice() {
                [] => "no audience".to_owned(),
                named => format!("the audience {}", named.join(" and ")),
            }));
        }
        match self.expires {
            Some(at) if at <= now => Err(IdTokenError::Expired(now - at)),
            _ => Ok(()),
        }
    }
}

/// Decodes unpadded base64url (RFC 4648, section 5).
fn base64url(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "https://huggingface.co";

    fn read(text: &str) -> Result<Claims, IdTokenError> {
        Claims::read(&Secret::exact(text).unwrap())
    }

    #[test]
    fn claims_are_read() {
        // {"iss":"https://ci.example","sub":"job?>","aud":"https://huggingface.co","exp":100}
        let token = "e30.eyJpc3MiOiJodHRwczovL2NpLmV4YW1wbGUiLCJzdWIiOiJqb2I_PiIsImF1ZCI6Imh0dHBzOi8vaHVnZ2luZ2ZhY2UuY28iLCJleHAiOjEwMH0.x";
        let claims = read(token).unwrap();
        assert_eq!(claims.issuer, "https://ci.example");
        assert_eq!(claims.subject, "job?>");
        assert_eq!(claims.check(HUB, 99), Ok(()));
        assert_eq!(claims.check(HUB, 160), Err(IdTokenError::Expired(60)));
        let other = claims.check("https://hub.example", 99);
        assert_eq!(
            other,
            Err(IdTokenError::WrongAudience(format!("the audience `{HUB}`")))
        );
    }

    #[test]
    fn audiences_may_be_a_list_and_must_match_exactly() {
        let claims = |audiences: &[&str]| Claims {
            issuer: String::new(),
            subject: String::new(),
            audiences: audiences.iter().map(|&one| one.to_owned()).collect(),
            expires: None,
        };
        assert_eq!(claims(&["x", HUB]).check(HUB, 1), Ok(()));
        for wrong in [
            &[][..],
            &["https://huggingface.co/"],
            &["https://huggingface.co.evil.example"],
            &["https://hf.co"],
        ] {
            let checked = claims(wrong).check(HUB, 1);
            assert!(
                matches!(checked, Err(IdTokenError::WrongAudience(_))),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn other_texts_are_not_id_tokens() {
        for text in [
            "x",
            "hf_abc",
            "a.b",
            "a.b.c.d",
            "e30.!.x",
            "e30.e30=.x",
            "e30.W10.x",
            "e30.eyJhdWQiOjF9.x",
        ] {
            assert_eq!(read(text), Err(IdTokenError::NotAnIdToken), "{text}");
        }
        // A token without claims has no audience.
        let empty = read("e30.e30.x").unwrap();
        assert!(matches!(
            empty.check(HUB, 1),
            Err(IdTokenError::WrongAudience(_))
        ));
    }
}
