//! Tokens that lie elsewhere in plain text: one reader and editor for each format, which do no
//! I/O. `import` moves them over, and `doctor` tells of them.

pub mod git_credentials;
pub mod login_url;
pub mod netrc;
