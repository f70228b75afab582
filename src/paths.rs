//! Where this program keeps its files.

use std::path::PathBuf;

use directories::ProjectDirs;
use sha2::{Digest, Sha256};

use crate::environment::Environment;
use crate::name::TokenName;

/// The program's folders.
#[derive(Debug, Clone)]
pub struct Paths {
    /// Holds `config.toml`.
    pub config_dir: PathBuf,
    /// Holds `state.json`, its lock, and the file storage.
    pub data_dir: PathBuf,
}

/// There is no home directory to keep anything in.
#[derive(Debug, thiserror::Error)]
#[error("this user has no home directory: set HOME, or GIT_CREDENTIAL_HF_HOME to a folder")]
pub struct NoHome;

impl Paths {
    /// The folders for this environment: `GIT_CREDENTIAL_HF_HOME` for all, or the platform's own.
    ///
    /// # Errors
    /// When the platform knows no home directory.
    pub fn new(env: &Environment) -> Result<Self, NoHome> {
        if let Some(home) = &env.home {
            return Ok(Self {
                config_dir: home.clone(),
                data_dir: home.clone(),
            });
        }
        let dirs = ProjectDirs::from("", "", "git-credential-hf").ok_or(NoHome)?;
        Ok(Self {
            config_dir: dirs.config_dir().to_owned(),
            data_dir: dirs.data_local_dir().to_owned(),
        })
    }

    /// The configuration, which people edit.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    /// The state, which only this program writes.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.data_dir.join("state.json")
    }

    /// The lock that is held while a token is renewed.
    #[must_use]
    pub fn renewal_lock(&self, name: &TokenName) -> PathBuf {
        let digest = Sha256::digest(name.as_str().as_bytes());
        let hash: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
        self.data_dir.join(format!("renewal-{hash}.lock"))
    }

    /// The folder of the file storage.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.data_dir.join("tokens")
    }
}
