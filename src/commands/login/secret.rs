//! Reads the token from the prompt or stdin, and refuses what is not a token.

use anyhow::Result;

use super::{Args, at_the_prompt};
use crate::model::endpoint::Endpoint;
use crate::model::secret::{Secret, TokenKind};
use crate::model::text::one_line;
use crate::system::environment::TerminalEnvironment;
use crate::terminal::{self, Failure, console, prompt};

/// Asks for the token on a terminal, or reads it from stdin.
pub(super) fn read_secret(login: &Args, endpoint: &Endpoint) -> Result<Secret> {
    let again = at_the_prompt(login);
    if terminal::can_ask() && !console::hides_typing() {
        return Err(Failure::new(
            "this terminal (Git Bash) shows what is typed, so it cannot ask for a token",
        )
        .help(format!("log in with the browser: {again} --web"))
        .help(format!(
            "or give the token on stdin: {again} --with-token < FILE"
        ))
        .help(format!("or ask in a Windows console: winpty {again}"))
        .into());
    }
    if terminal::can_ask() && endpoint.is_hugging_face() {
        terminal::tell(&format!(
            "Create a token here, and paste it below: {}",
            endpoint.new_token_page()
        ));
    }
    let question = format!("Token for {endpoint} (not shown)");
    let given = prompt::token(login.with_token, &question)
        .map_err(|error| Failure::new(one_line(&error.to_string())))?;
    let given = given.ok_or_else(|| nobody_to_ask(login, endpoint))?;
    Ok(given.map_err(|error| {
        Failure::new(error.to_string())
            .help("a token is one line of letters and digits, such as hf_..")
            .help(format!("create one: {}", endpoint.new_token_page()))
    })?)
}

/// What to do if nobody can be asked for the token.
fn nobody_to_ask(login: &Args, endpoint: &Endpoint) -> Failure {
    let again = at_the_prompt(login);
    if TerminalEnvironment::from_process().notebook {
        return Failure::new("a notebook cannot ask for a token")
            .help(format!("run in a cell: !{again} --web"))
            .help(format!(
                "or with the token in a file: !{again} --with-token < FILE"
            ))
            .help("or set HF_TOKEN before the kernel starts, which needs no login");
    }
    Failure::new("cannot ask for the token without a terminal")
        .help(format!("give it on stdin: {again} --with-token < FILE"))
        .help(format!(
            "or create one first: {}",
            endpoint.new_token_page()
        ))
}

/// Refuses what the Hub would not accept.
pub(super) fn check_secret(secret: &Secret, endpoint: &Endpoint) -> Result<()> {
    match secret.kind() {
        TokenKind::Organisation => Err(Failure::new(
            "this is an organisation token (api_org_), which the Hub no longer accepts",
        )
        .help(format!(
            "create a fine-grained token for the organisation: {}",
            endpoint.new_token_page()
        ))
        .into()),
        TokenKind::Other if endpoint.is_hugging_face() && secret.expose().contains("hf_") => Err(
            Failure::new("this does not look like a complete token (hf_ and 34 letters or digits)")
                .help("check whether it was cut off, or has something before or after it")
                .into(),
        ),
        TokenKind::Other if endpoint.is_hugging_face() => Err(Failure::new(
            "this is not a Hub token: those begin with hf_",
        )
        .help(format!(
            "the Hub does not accept account passwords; create a token: {}",
            endpoint.new_token_page()
        ))
        .into()),
        _ => Ok(()),
    }
}
