//! Where this program keeps its files.

use std::path::PathBuf;

use directories::ProjectDirs;

use crate::model::token_name::TokenName;
use crate::system::environment::Environment;
use crate::system::files::is_private_dir;

/// The program's folders.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// Contains `config.toml`.
    pub(crate) config_dir: PathBuf,
    /// Contains `state.json`, the locks and the file storage.
    pub(crate) data_dir: PathBuf,
}

/// Why there is no folder for our files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoHome {
    /// There is no home directory, and the fallback folder is not private.
    #[error(
        "this user does not have a home directory: set HOME, or set GIT_CREDENTIAL_HF_HOME to a folder"
    )]
    Nowhere,
    /// A relative path would be a different folder in each repository, and a hostile repository
    /// could contain it.
    #[error("GIT_CREDENTIAL_HF_HOME must be an absolute path")]
    Relative,
}

impl Paths {
    /// The folders for this environment: `GIT_CREDENTIAL_HF_HOME` for everything, or else the
    /// platform's.
    pub(crate) fn new(env: &Environment) -> Result<Self, NoHome> {
        if let Some(home) = &env.home {
            if !home.is_absolute() {
                return Err(NoHome::Relative);
            }
            return Ok(Self {
                config_dir: home.clone(),
                data_dir: home.clone(),
            });
        }
        let Some(dirs) = ProjectDirs::from("", "", "git-credential-hf") else {
            // In some containers the user has no home directory. `HF_TOKEN` must work anyway.
            let fallback = Self::fallback(env);
            let dir = fallback.parent().ok_or(NoHome::Nowhere)?;
            if dir.exists() && !is_private_dir(dir) {
                return Err(NoHome::Nowhere);
            }
            return Ok(Self {
                config_dir: dir.to_owned(),
                data_dir: dir.to_owned(),
            });
        };
        Ok(Self {
            config_dir: dirs.config_dir().to_owned(),
            data_dir: dirs.data_local_dir().to_owned(),
        })
    }

    /// The configuration file, which people edit.
    pub(crate) fn config(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    /// The state file, which only this program writes.
    pub(crate) fn state(&self) -> PathBuf {
        self.data_dir.join("state.json")
    }

    /// Folders for files that last as long as a CI job, the best first: the folder that GitHub
    /// Actions empties after the job, then the session's.
    pub(crate) fn for_job(env: &Environment) -> Vec<PathBuf> {
        let runner = env.runner_temp.iter().filter(|dir| dir.is_absolute());
        let runner = runner.map(|dir| dir.join("git-credential-hf"));
        let session = Self::fallback(env).parent().map(PathBuf::from);
        runner.chain(session).collect()
    }

    /// The file that remembers rejections when the state file cannot be written: in the session's
    /// runtime folder, or in a folder for this user in the temporary folder.
    pub(crate) fn fallback(env: &Environment) -> PathBuf {
        #[cfg(unix)]
        let dir = match &env.runtime_dir {
            Some(dir) => dir.join("git-credential-hf"),
            None => {
                let user = rustix::process::geteuid().as_raw();
                std::env::temp_dir().join(format!("git-credential-hf-{user}"))
            }
        };
        #[cfg(not(unix))]
        let dir = {
            let _ = env;
            std::env::temp_dir().join("git-credential-hf")
        };
        dir.join("rejected.json")
    }

    /// The lock that is held while a token's secret changes.
    pub(crate) fn name_lock(&self, name: &TokenName) -> PathBuf {
        let file = format!("{}.lock", name.hash());
        self.data_dir.join("locks").join(file)
    }

    /// The lock that is held while tokens are imported.
    pub(crate) fn import_lock(&self) -> PathBuf {
        self.data_dir.join("locks").join("import.lock")
    }

    /// The folder of the file storage.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.data_dir.join("tokens")
    }
}
