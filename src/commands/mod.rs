//! One file for each verb.

pub mod capability;
pub mod check;
pub mod chosen;
pub mod completions;
pub mod configure;
pub mod doctor;
pub mod erase;
pub mod explain;
pub mod get;
pub mod here;
pub mod import;
pub mod list;
pub mod list_json;
pub mod login;
pub mod login_web;
pub mod logout;
pub mod man;
pub mod refresh;
pub mod request;
pub mod rules;
pub mod run;
pub mod store;
pub mod token;
