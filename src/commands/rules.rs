//! `use` and `unuse`: rules and the default token.

use anyhow::Result;

use crate::app::Context;
use crate::app::asking;
use crate::app::target;
use crate::config::edit::Change;
use crate::config::edit::edit;
use crate::model::endpoint::Endpoint;
use crate::model::pattern::Pattern;
use crate::model::token_name::TokenName;
use crate::state::State;
use crate::terminal::Failure;
use crate::terminal::print;

/// What `unuse` is given.
#[derive(Debug, clap::Args)]
#[command(about = "Take a rule out")]
pub struct Unuse {
    /// The rule's pattern, as `list` shows it; without one, the rule for the repository at hand
    pub pattern: Option<String>,
}

/// What `use` is given.
#[derive(Debug, clap::Args)]
#[command(
    about = "Choose a token for a namespace or repo, or as the default",
    long_about = "\
Writes a rule to config.toml. Of several rules that match a repo the most specific wins: a repo
with its kind, a repo, a glob (the longest), a namespace with its kind, a namespace. Without
--for and --default the rule is for the repository at hand.",
    after_help = "\
Examples:
  git credential-hf use work --for acme
  git credential-hf use llama --for 'acme/llama-*' --for datasets/acme/llama
  git credential-hf use me --default
  cd some-clone && git credential-hf use work"
)]
pub struct Use {
    /// The token's name; without one, a terminal lets you choose
    pub name: Option<String>,
    /// The namespace or repo; repeatable
    #[arg(long = "for", value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Use it where nothing else is chosen
    #[arg(long)]
    pub default: bool,
}

/// Chooses a token for patterns, or as the default.
///
/// # Errors
/// When there is no such token, or it is for another endpoint than a pattern.
pub fn use_token(choice: &Use) -> Result<()> {
    let context = Context::with_config()?;
    let state = context.state_file.load()?;
    let name = match &choice.name {
        Some(name) => TokenName::existing(name),
        None => asking::any_token(&context, &state, "Use which one?").ok_or_else(|| {
            Failure::usage("no token was named").help(
                "name one: git credential-hf use NAME (`git credential-hf list` shows the names)",
            )
        })?,
    };
    let endpoint = endpoint_of(&context, &state, &name)?;
    let patterns = if choice.default && choice.patterns.is_empty() {
        Vec::new()
    } else {
        target::patterns(&context, &choice.patterns)?
    };
    Assignment {
        name: &name,
        endpoint: &endpoint,
        patterns: &patterns,
        default: choice.default,
    }
    .write_and_say(&context)
}

/// Takes a rule out.
///
/// # Errors
/// When there is no such rule.
pub fn unuse(choice: &Unuse) -> Result<()> {
    let context = Context::with_config()?;
    let given: Vec<String> = choice.pattern.iter().cloned().collect();
    for pattern in target::patterns(&context, &given)? {
        if !context
            .config
            .rules
            .iter()
            .any(|rule| rule.pattern == pattern)
        {
            let rules: Vec<String> = context
                .config
                .rules
                .iter()
                .map(|rule| rule.pattern.to_string())
                .collect();
            let names: Vec<&str> = rules.iter().map(String::as_str).collect();
            let failure = Failure::new(format!("there is no rule for `{pattern}`"));
            return Err(match crate::config::nearest(&pattern.to_string(), &names) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help("`git credential-hf list` shows the rules"),
            }
            .into());
        }
        edit(&context.paths.config(), &[Change::RemoveRule(&pattern)])?;
        print(&format!("removed the rule for {pattern}\n"))?;
    }
    Ok(())
}

/// Where a token is to be used.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// The token.
    pub name: &'a TokenName,
    /// The endpoint it is for.
    pub endpoint: &'a Endpoint,
    /// The patterns that get a rule.
    pub patterns: &'a [Pattern],
    /// Whether it becomes the default.
    pub default: bool,
}

impl Assignment<'_> {
    /// Writes the rules and the default, and says so.
    ///
    /// # Errors
    /// As [`Assignment::write`].
    pub fn write_and_say(self, context: &Context) -> Result<()> {
        self.write(context)?;
        let name = self.name;
        for pattern in self.patterns {
            print(&format!("{pattern} uses `{name}`\n"))?;
        }
        if self.default {
            print(&format!("everything without a rule uses `{name}`\n"))?;
        }
        Ok(())
    }

    /// Writes the rules and the default.
    ///
    /// # Errors
    /// When a pattern is of another endpoint than the token, or the configuration cannot be
    /// changed.
    pub fn write(self, context: &Context) -> Result<()> {
        let Self {
            name,
            endpoint,
            patterns,
            default,
        } = self;
        if let Some(pattern) = patterns.iter().find(|p| p.endpoint != *endpoint) {
            return Err(Failure::new(format!(
                "`{name}` is a token for {endpoint}, and `{pattern}` is on {}",
                pattern.endpoint
            ))
            .help("a token goes to the Hub it was stored for, and to no other")
            .into());
        }
        let rules = patterns
            .iter()
            .map(|pattern| Change::SetRule(pattern, name));
        let default = default.then_some(Change::SetDefault(Some(name)));
        let changes: Vec<Change<'_>> = rules.chain(default).collect();
        if changes.is_empty() {
            return Ok(());
        }
        Ok(edit(&context.paths.config(), &changes)?)
    }
}

/// The endpoint of the token of this name.
///
/// # Errors
/// When there is none.
pub fn endpoint_of(context: &Context, state: &State, name: &TokenName) -> Result<Endpoint> {
    if let Some(token) = state.tokens.get(name) {
        return Ok(token.endpoint.clone());
    }
    if let Some(command) = context.config.commands.get(name) {
        return Ok(command.endpoint.clone());
    }
    if let Some(hf_name) = name.of_hf_cli() {
        let names = context.hf_cli().stored()?;
        if names.section(hf_name).is_some() {
            return context.env.endpoint().ok_or_else(|| {
                Failure::new("HF_ENDPOINT names no Hub, so the hf CLI's tokens belong to none")
                    .into()
            });
        }
    }
    Err(no_such_token(context, state, name.as_str()).into())
}

/// The error for a name that no token has; what was typed is not repeated if it may be a token.
#[must_use]
pub fn no_such_token(context: &Context, state: &State, typed: &str) -> Failure {
    if let Some(hf_name) = TokenName::existing(typed).of_hf_cli() {
        return no_such_hf_token(context, hf_name);
    }
    let names: Vec<&str> = state
        .tokens
        .keys()
        .chain(context.config.commands.keys())
        .map(TokenName::as_str)
        .collect();
    if context
        .config
        .commands
        .contains_key(&TokenName::existing(typed))
    {
        let config = context.paths.config();
        return Failure::new(format!("`{typed}` is a command, not a stored token"))
            .help(format!("it is in {}, below [commands]", config.display()));
    }
    let failure = match TokenName::parse(typed) {
        Err(error @ crate::model::token_name::NameError::IsToken) => {
            Failure::new(error.to_string())
        }
        _ => Failure::new(format!("there is no token called `{typed}`")),
    };
    match crate::config::nearest(typed, &names) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => failure.help("add one with `git credential-hf login NAME`"),
        None => failure.help(format!("there are: {}", names.join(", "))),
    }
}

/// The same for the hf CLI's tokens, which its own commands deal with.
fn no_such_hf_token(context: &Context, typed: &str) -> Failure {
    let names = context.hf_cli().names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.contains(&typed) {
        return Failure::new(format!("`hf:{typed}` is the hf CLI's token"))
            .help("`hf auth list`, `hf auth switch` and `hf auth logout` deal with it");
    }
    let failure = match TokenName::parse(typed) {
        Err(error @ crate::model::token_name::NameError::IsToken) => {
            Failure::new(error.to_string())
        }
        _ => Failure::new(format!("the hf CLI has no token called `{typed}`")),
    };
    match crate::config::nearest(typed, &names) {
        Some(near) => failure.help(format!("did you mean `hf:{near}`?")),
        None if names.is_empty() => failure.help("add one with `hf auth login`"),
        None => failure.help(format!("there are: hf:{}", names.join(", hf:"))),
    }
}
