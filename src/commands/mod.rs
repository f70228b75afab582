//! One file for each verb.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod configure;
pub(crate) mod credential;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod refresh;
pub(crate) mod rename;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod unuse;
pub(crate) mod use_token;
