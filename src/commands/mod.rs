//! One file for each verb.

pub mod check;
pub mod completions;
pub mod configure;
pub mod credential;
pub mod doctor;
pub mod explain;
pub mod import;
pub mod list;
pub mod login;
pub mod logout;
pub mod man;
pub mod refresh;
pub mod rename;
pub mod run;
pub mod status;
pub mod token;
pub mod unuse;
pub mod use_token;
