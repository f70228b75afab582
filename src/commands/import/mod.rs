//! `import`: stores tokens that other programs have in plain text, and then removes them there.
//!
//! A token is removed from the old place only after it was read back from the new one, so that a kill
//! at any moment leaves it in at least one of them.

mod keep;
mod removal;
mod report;
mod rules;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::app::Context;
use crate::app::lookup::parse_name;
use crate::import::{Found, Place, Source};
use crate::model::endpoint::Endpoint;
use crate::model::permissions::Facts;
use crate::model::secret::{Secret, TokenKind};
use crate::model::token_name::TokenName;
use crate::state::Origin;
use crate::storage::StorageKind;
use crate::system::files::Lock;
use crate::system::trace;
use crate::{import, terminal};
use report::Report;

/// The arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(
    about = "Import tokens that are stored elsewhere in plain text",
    long_about = "\
Looks for tokens of your Hubs that other programs store in plain text: in the hf CLI's files
(hf), in the files of git's `store` helper (git), in netrc files (netrc), and in URLs of git's
configuration, here and in submodules (remotes). By default it looks in all four.

Each token is verified with its Hub and stored under its name there, as `login` does.
Then its plain-text copies can be removed, after asking or with --remove, but never before the
token has been read back from its new storage. A token in another helper's keychain is not in
plain text and is not read: `login` with it again, and erase it there.

Removing a token from the hf CLI's files logs out `hf` and Python, and git uses it from there
anyway, so --remove does that only if `hf` is named.",
    after_help = "\
Examples:
  git credential-hf import --dry-run    only shows what there is
  git credential-hf import              asks before anything is removed
  git credential-hf import git netrc --remove
  git credential-hf import remotes --recurse ~/src"
)]
pub(crate) struct Args {
    /// Where to look; by default, everywhere
    #[arg(value_enum, value_name = "SOURCE")]
    pub(crate) sources: Vec<Source>,
    /// Show what would be imported, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove the plain-text copies without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) remove: bool,
    /// Look in the clones below this folder too; repeatable
    #[arg(long, value_name = "DIR")]
    pub(crate) recurse: Vec<PathBuf>,
    /// The token's name, if there is only one; by default, the name it has on the Hub
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where to store them; the choice is remembered
    #[arg(long, value_enum)]
    pub(crate) storage: Option<StorageKind>,
    /// Do not ask the Hub whose tokens they are
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Args {
    /// Whether a copy is removed without asking.
    fn removes(&self, place: &Place) -> bool {
        self.remove && self.may_remove_unasked(place.is_hf_login())
    }

    /// Removing the hf CLI's copy logs out hf and Python, so that source must be named explicitly.
    fn may_remove_unasked(&self, is_hf_login: bool) -> bool {
        !is_hf_login || self.sources.contains(&Source::Hf)
    }
}

/// A token, wherever it was found.
#[derive(Debug)]
struct Token {
    /// Its value.
    secret: Secret,
    /// The Hub that it is for.
    endpoint: Endpoint,
    /// Where it is stored in plain text.
    copies: Vec<Copy>,
    /// What was done with it.
    fate: Fate,
}

/// One place where a token is stored in plain text.
#[derive(Debug)]
struct Copy {
    /// What was found there.
    found: Found,
    /// Whether it was removed.
    removed: bool,
}

/// What was done with a token.
#[derive(Debug)]
enum Fate {
    /// It is not stored here yet.
    New,
    /// It was already stored here.
    Known(TokenName),
    /// It has been stored here.
    Kept(TokenName, StorageKind, Option<Box<Facts>>),
    /// It is not stored, and why.
    Failed(String),
}

impl Token {
    /// The name under which it was read back.
    fn name(&self) -> Option<&TokenName> {
        match &self.fate {
            Fate::Known(name) | Fate::Kept(name, ..) => Some(name),
            Fate::New | Fate::Failed(_) => None,
        }
    }
}

/// Moves tokens from other programs' files to a storage.
///
/// # Errors
/// When something could not be read, verified, stored or removed. The rest is done anyway.
pub(crate) fn run(import: &Args) -> Result<()> {
    let mut context = Context::with_config()?;
    let name = import.name.as_deref();
    let name = name.map(parse_name).transpose()?;
    let _lock = (!import.dry_run).then(|| lock(&context)).transpose()?;

    let named = |source: &Source| import.sources.is_empty() || import.sources.contains(source);
    let sources: Vec<Source> = Source::ALL.into_iter().filter(named).collect();
    let mut progress = terminal::Progress::begin();
    progress.show_now("searching ..");
    let findings = import::find(&context, &sources, &import.recurse);
    progress.clear();
    let tokens = grouped(&context, findings.found)?;
    let mut report = Report::new(import, tokens, findings.skipped, &findings.problems);
    report.found()?;
    if import.dry_run {
        return report.end();
    }
    let new = report.tokens.iter().filter(|token| token.name().is_none());
    if name.is_some() && new.count() > 1 {
        return Err(
            terminal::Failure::new("--name is for one token, but several were found")
                .help("omit it, and each token gets the name it has on the Hub")
                .into(),
        );
    }
    keep::all(&context, import, name.as_ref(), &mut report)?;
    context.load_config()?;
    rules::say(&context, &report)?;
    removal::all(&context, import, &mut report)?;
    report.end()
}

fn lock(context: &Context) -> Result<Lock> {
    Lock::acquire(&context.paths.import_lock(), Duration::ZERO).map_err(|error| {
        let failure = terminal::Failure::new(format!("cannot start: {error}"));
        if error.kind() == std::io::ErrorKind::TimedOut {
            failure
                .help("another import is running: wait until it ends")
                .into()
        } else {
            failure.into()
        }
    })
}

/// The tokens, each once. Those that seem to be stored here already are marked.
fn grouped(context: &Context, all: Vec<Found>) -> Result<Vec<Token>> {
    let state = context.state_file.load()?;
    let mut tokens: Vec<Token> = Vec::new();
    for found in all {
        trace::line(|| format!("found {} in {}", found.secret.hint(), found.place));
        let same = tokens
            .iter_mut()
            .find(|token| token.endpoint == found.endpoint && token.secret.same_as(&found.secret));
        let token = match same {
            Some(token) => token,
            None => {
                let value = found.secret.fingerprint();
                let known = state.tokens.iter().find(|(_, known)| {
                    // A password's fingerprint is too short to be sure.
                    found.secret.kind() != TokenKind::Other
                        && known.origin == Origin::Login
                        && known.endpoint == found.endpoint
                        && known.fingerprint == value
                });
                tokens.push(Token {
                    secret: found.secret.clone(),
                    endpoint: found.endpoint.clone(),
                    copies: Vec::new(),
                    fate: known.map_or(Fate::New, |(name, _)| Fate::Known(name.clone())),
                });
                let Some(token) = tokens.last_mut() else {
                    continue;
                };
                token
            }
        };
        let removed = false;
        token.copies.push(Copy { found, removed });
    }
    Ok(tokens)
}
