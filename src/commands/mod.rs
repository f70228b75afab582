//! One file for each verb.

pub mod capability;
pub mod configure;
pub mod erase;
pub mod explain;
pub mod get;
pub mod here;
pub mod list;
pub mod login;
pub mod logout;
pub mod request;
pub mod rules;
pub mod store;
