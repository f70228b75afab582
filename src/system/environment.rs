//! The environment variables that this program uses, read once.

use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::model::endpoint::{Endpoint, EndpointError};
use crate::model::oidc_resource::{NotAResource, OidcResource};
use crate::model::secret::{NotAToken, Secret, SecretError, check_token};
use crate::system::ci_job::{CiJob, ID_TOKEN_VARIABLES, JOB_VARIABLE};

/// The variables that may contain a token; the first takes precedence.
pub(crate) const TOKEN_VARIABLES: [&str; 2] = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

/// All variables whose value is a secret that this program reads. Programs started from here do not
/// get them unless they need them.
pub(crate) const SECRET_VARIABLES: [&str; 7] = [
    TOKEN_VARIABLES[0],
    TOKEN_VARIABLES[1],
    ID_TOKEN_VARIABLES[0],
    ID_TOKEN_VARIABLES[1],
    ID_TOKEN_VARIABLES[2],
    // CircleCI's older variable contains the same kind of secret.
    "CIRCLE_OIDC_TOKEN",
    JOB_VARIABLE,
];

/// What we read from the environment.
#[derive(Debug, Default)]
pub struct Environment {
    /// The tokens; the first takes precedence.
    pub tokens: Vec<EnvToken>,
    /// `HF_ENDPOINT`, if set.
    pub hf_endpoint: Option<Result<Endpoint, EndpointError>>,
    /// `GIT_CREDENTIAL_HF_TOKEN_NAME`: the token to use, by name.
    pub token_name: Option<String>,
    /// `GIT_CREDENTIAL_HF_HOME`: one folder for configuration, state and file storage.
    pub(crate) home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`: this user's folder for the time of the session.
    pub(crate) runtime_dir: Option<PathBuf>,
    /// `GIT_CREDENTIAL_HF_TRACE`: where the trace is written.
    pub(crate) trace: Option<OsString>,
    /// `HF_OIDC_RESOURCE`: asks to exchange a CI job's identity for a token.
    pub(crate) oidc: Option<Oidc>,
    /// `RUNNER_TEMP`: a folder that GitHub Actions empties before and after each job.
    pub(crate) runner_temp: Option<PathBuf>,
}

/// What the environment says about the terminal.
#[derive(Debug, Default)]
pub(crate) struct TerminalEnvironment {
    /// `GIT_TERMINAL_PROMPT=0`: no prompts.
    pub(crate) no_prompt: bool,
    /// Whether this runs in a Jupyter kernel, where nobody can type into the terminal.
    pub(crate) notebook: bool,
    /// `TERM=dumb`: the terminal cannot move the cursor.
    pub(crate) dumb: bool,
    /// `NO_COLOR` is set, or the terminal does not have colours.
    pub(crate) no_color: bool,
    /// `COLUMNS`: the width of lines.
    pub(crate) columns: Option<usize>,
    /// Whether the locale uses UTF-8.
    pub(crate) utf8: bool,
}

/// A variable that contains a token.
#[derive(Debug)]
pub struct EnvToken {
    /// The variable's name.
    pub variable: &'static str,
    /// Its value, or why it is not a token.
    pub(crate) secret: Result<Secret, SecretError>,
}

/// A request to exchange a CI job's identity for a token.
#[derive(Debug)]
pub(crate) struct Oidc {
    /// The value of `HF_OIDC_RESOURCE`.
    pub(crate) resource: Result<OidcResource, NotAResource>,
    pub(crate) job: CiJob,
}

/// The value of a variable of this process that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// [`variable`] as text.
pub(crate) fn text(name: &str) -> Option<String> {
    Some(variable(name)?.to_string_lossy().into_owned())
}

impl TerminalEnvironment {
    /// Reads this process's environment.
    pub(crate) fn from_process() -> Self {
        Self::read(variable)
    }

    /// Reads an environment through `set`, which gives the variables that are not empty.
    pub(crate) fn read(set: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| set(name).map(|v| v.to_string_lossy().into_owned());
        let dumb = text("TERM").as_deref() == Some("dumb");
        Self {
            no_prompt: text("GIT_TERMINAL_PROMPT")
                .is_some_and(|v| ["0", "false", "no", "off"].contains(&v.as_str())),
            // Colab shows an input field, even for programs that `!` runs.
            notebook: set("JPY_PARENT_PID").is_some() && set("COLAB_RELEASE_TAG").is_none(),
            dumb,
            no_color: set("NO_COLOR").is_some() || dumb,
            columns: text("COLUMNS").and_then(|v| v.trim().parse().ok()),
            utf8: ["LC_ALL", "LC_CTYPE", "LANG"]
                .iter()
                .find_map(|name| text(name))
                .map_or(cfg!(any(windows, target_os = "macos")), |locale| {
                    let locale = locale.to_lowercase();
                    locale.contains("utf-8") || locale.contains("utf8")
                }),
        }
    }
}

impl Environment {
    /// Reads this process's environment.
    pub(crate) fn from_process() -> Self {
        Self::read(variable)
    }

    /// Reads an environment through `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| lookup(name).filter(|v| !v.is_empty());
        let text = |name: &str| set(name).map(|v| v.to_string_lossy().into_owned());
        let tokens = TOKEN_VARIABLES
            .into_iter()
            .filter_map(|variable| {
                let secret = env_secret(set(variable)?).transpose()?;
                Some(EnvToken { variable, secret })
            })
            .collect();
        Self {
            tokens,
            hf_endpoint: text("HF_ENDPOINT").map(|v| Endpoint::parse(v.trim())),
            token_name: text("GIT_CREDENTIAL_HF_TOKEN_NAME"),
            home: set("GIT_CREDENTIAL_HF_HOME").map(PathBuf::from),
            runtime_dir: set("XDG_RUNTIME_DIR").map(PathBuf::from),
            oidc: text("HF_OIDC_RESOURCE")
                .filter(|value| !value.trim().is_empty())
                .map(|value| Oidc {
                    resource: OidcResource::parse(&value),
                    job: CiJob::read(set),
                }),
            runner_temp: set("RUNNER_TEMP").map(PathBuf::from),
            trace: set("GIT_CREDENTIAL_HF_TRACE").filter(|v| v != "0"),
        }
    }

    /// The endpoint that `HF_TOKEN` is for: `HF_ENDPOINT`, or the public Hub. `None` if
    /// `HF_ENDPOINT` is not valid, since it is then not known where the token may be sent.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        match &self.hf_endpoint {
            None => Some(Endpoint::hugging_face()),
            Some(endpoint) => endpoint.clone().ok(),
        }
    }
}

/// Reads a variable's value without outer white space; `None` if nothing is left. The hf CLI also
/// joins the lines of a value, but here a value with several lines is an error.
fn env_secret(value: OsString) -> Result<Option<Secret>, SecretError> {
    let value = match value.into_string() {
        Ok(value) => Zeroizing::new(value),
        Err(_) => return Err(NotAToken::NotAscii.into()),
    };
    check_token(&value)?;
    match Secret::from_input(value) {
        Ok(secret) => Ok(Some(secret)),
        Err(SecretError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        |name| {
            let pair = pairs.iter().find(|(n, _)| *n == name)?;
            Some(OsString::from(pair.1))
        }
    }

    fn read(pairs: &[(&str, &str)]) -> Environment {
        Environment::read(lookup(pairs))
    }

    fn terminal(pairs: &[(&str, &str)]) -> TerminalEnvironment {
        TerminalEnvironment::read(lookup(pairs))
    }

    #[test]
    fn tokens_are_cleaned_and_ordered() {
        let env = read(&[
            ("HUGGING_FACE_HUB_TOKEN", "second"),
            ("HF_TOKEN", " \tfirst\r\n"),
        ]);
        let seen: Vec<_> = env
            .tokens
            .iter()
            .map(|t| (t.variable, t.secret.as_ref().unwrap().expose()))
            .collect();
        assert_eq!(
            seen,
            [("HF_TOKEN", "first"), ("HUGGING_FACE_HUB_TOKEN", "second")]
        );
    }

    #[test]
    fn empty_values_are_ignored_and_bad_ones_reported() {
        assert!(read(&[("HF_TOKEN", "")]).tokens.is_empty());
        assert!(read(&[("HF_TOKEN", " \r\n ")]).tokens.is_empty());
        use NotAToken::{NotAscii, Placeholder, Quote, Space};
        for (value, expected) in [
            ("\"hf_abc\"", Quote),
            ("'hf_abc'", Quote),
            ("$HF_TOKEN", Placeholder),
            ("${HF_TOKEN}", Placeholder),
            ("{{ secrets.HF_TOKEN }}", Placeholder),
            ("Bearer hf_abc", Space),
            ("a\tb", Space),
            ("hf_a\r\nbc", Space),
            ("hf_a\u{a0}bc", Space),
            ("hf_\u{e9}", NotAscii),
            ("hf_a\u{200b}", NotAscii),
            ("hf_a\u{1b}", NotAscii),
            ("\u{feff}hf_a", NotAscii),
        ] {
            let env = read(&[("HF_TOKEN", value), ("HUGGING_FACE_HUB_TOKEN", "good")]);
            let secrets: Vec<_> = env.tokens.iter().map(|token| &token.secret).collect();
            let error = secrets[0].as_ref().unwrap_err();
            assert_eq!(*error, SecretError::NotAToken(expected), "{value:?}");
            assert!(secrets[1].is_ok());
        }
    }

    #[test]
    fn the_endpoint_of_the_environment() {
        assert!(read(&[]).endpoint().unwrap().is_hugging_face());
        let env = read(&[("HF_ENDPOINT", "https://hub.corp.example/")]);
        assert_eq!(
            env.endpoint().unwrap().to_string(),
            "https://hub.corp.example"
        );
        assert_eq!(read(&[("HF_ENDPOINT", "nonsense")]).endpoint(), None);
    }

    #[test]
    fn notebooks() {
        assert!(!terminal(&[]).notebook);
        assert!(terminal(&[("JPY_PARENT_PID", "7")]).notebook);
        let colab = [("JPY_PARENT_PID", "7"), ("COLAB_RELEASE_TAG", "release")];
        assert!(!terminal(&colab).notebook);
    }

    #[test]
    fn git_terminal_prompt() {
        assert!(terminal(&[("GIT_TERMINAL_PROMPT", "0")]).no_prompt);
        assert!(!terminal(&[("GIT_TERMINAL_PROMPT", "1")]).no_prompt);
    }
}
