//! One file for each check. `run` reads what it needs, and a pure part judges that.

mod certificates;
mod clock;
mod configuration;
mod credential_settings;
mod exchange;
mod extra_header;
mod git_credentials;
mod git_lfs;
mod git_version;
mod git_xet;
mod helper_lines;
mod helper_program;
mod hf_cli;
mod hf_token;
mod hub;
mod keyring;
mod netrc;
mod permissions;
mod plain_text;
mod proxy;

mod leftovers;
mod remote_urls;
mod repository;
mod rules;
mod tokens;
mod use_http_path;

use super::Check;

/// All checks, in the order in which they are run and shown.
pub(crate) const ALL: &[&Check] = &[
    &git_version::CHECK,
    &repository::CHECK,
    &helper_lines::CHECK,
    &helper_program::CHECK,
    &use_http_path::CHECK,
    &credential_settings::CHECK,
    &configuration::CHECK,
    &rules::CHECK,
    &tokens::CHECK,
    &keyring::CHECK,
    &permissions::CHECK,
    &leftovers::CHECK,
    &hf_token::CHECK,
    &exchange::CHECK,
    &netrc::CHECK,
    &extra_header::CHECK,
    &remote_urls::CHECK,
    &git_credentials::CHECK,
    &git_lfs::CHECK,
    &git_xet::CHECK,
    &hf_cli::CHECK,
    &proxy::CHECK,
    &certificates::CHECK,
    &hub::CHECK,
    &clock::CHECK,
];
