//! `use`: chooses a token for a repo, for a namespace, or as the default.

use crate::app::assignment::Assignment;
use crate::app::lookup::endpoint_of;
use anyhow::Result;

use crate::app::{Context, menu, target};
use crate::model::operation::Operation;
use crate::model::token_name::TokenName;
use crate::terminal::Failure;

/// The arguments of `use`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Choose a token for a namespace or repo, or as the default",
    long_about = "\
Writes a rule to config.toml. Of several rules that match a repo the most specific wins: a repo
with its kind, a repo, a glob (the longest), a namespace with its kind, a namespace. Without
--for and --default the rule is for the current repository.",
    after_help = "\
Examples:
  git credential-hf use work --for acme
  git credential-hf use llama --for 'acme/llama-*' --for datasets/acme/llama
  git credential-hf use acme-write --for acme --push
  git credential-hf use me --default
  cd some-clone && git credential-hf use work"
)]
pub(crate) struct Args {
    /// The token's name; by default, you choose one from a list
    pub(crate) name: Option<String>,
    /// Use it for this namespace or repo (acme, acme/x, datasets/acme/x, acme/llama-*); repeatable
    #[arg(long = "for", value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
    /// Write rules for pushing only
    #[arg(long, conflicts_with = "fetch")]
    pub(crate) push: bool,
    /// Write rules for fetching only
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Use it where no other token is chosen
    #[arg(long)]
    pub(crate) default: bool,
}

/// Chooses a token for patterns, or as the default.
///
/// # Errors
/// When there is no such token, or it is for another endpoint than a pattern.
pub(crate) fn run(choice: &Args) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    let name = match &choice.name {
        Some(name) => TokenName::existing(name),
        None => menu::any_token(&context, &state, "Use which one?").ok_or_else(|| {
            Failure::usage("no token was named").help(
                "name one: git credential-hf use NAME (`git credential-hf list` shows the names)",
            )
        })?,
    };
    let endpoint = endpoint_of(&context, &state, &name)?;
    let for_operation = choice.fetch || choice.push;
    let patterns = if choice.default && choice.patterns.is_empty() && !for_operation {
        Vec::new()
    } else {
        target::patterns(&context, &choice.patterns, "add --for PATTERN")?
    };
    Assignment {
        name: &name,
        endpoint: &endpoint,
        patterns: &patterns,
        operation: match (choice.fetch, choice.push) {
            (true, _) => Some(Operation::Fetch),
            (_, true) => Some(Operation::Push),
            _ => None,
        },
        default: choice.default,
    }
    .write_and_say(&context)
}
