//! One file for each verb.

pub mod check;
pub mod configure;
pub mod credential;
pub mod doctor;
pub mod explain;
pub mod import;
pub mod list;
pub mod list_json;
pub mod login;
pub mod login_web;
pub mod logout;
pub mod naming;
pub mod refresh;
pub mod rename;
pub mod rules;
pub mod run;
pub mod status;
pub mod token;
