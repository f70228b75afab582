//! Git, git-lfs and git-xet with the helper between them and the Hub.

pub mod clients;
pub mod clone_and_push;
pub mod configure;
pub mod lfs;
pub mod lfs_matrix;
pub mod no_path;
pub mod other_helpers;
pub mod protocol;
pub mod rejected;
pub mod rejected_again;
pub mod store_and_erase;
pub mod submodules;
pub mod two_remotes;
pub mod worktrees;
pub mod xet;
