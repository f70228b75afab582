//! What the helper asks the Hub, and what it makes of the answers.

pub mod check;
pub mod common;
pub mod edges;
pub mod life;
pub mod live;
pub mod login;
pub mod logout;
pub mod operation;
mod policy;
pub mod refusals;
pub mod renewal;
pub mod renewal_kept;
pub mod renewal_races;
pub mod renewal_stores;
pub mod scopes;
pub mod verdict;
mod web;
