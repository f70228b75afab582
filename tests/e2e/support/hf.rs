//! The real hf CLI, in a virtual environment that the tests make.

use super::machine::{Machine, Run};
use super::pypi::Package;
use std::path::{Path, PathBuf};

/// The version that the facts about its files were read in.
static HF: Package = Package::new("huggingface_hub", "huggingface_hub==2.4.0\n", &[]);

/// Where `hf` is; `None` where it cannot be had.
pub fn hf() -> Option<PathBuf> {
    Some(HF.folder()?.join("bin/hf"))
}

impl Machine {
    /// The hf CLI with these arguments, with the Hub as its only network.
    pub fn hf<'a>(&self, program: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Run<'_> {
        let ca = self.hub_ca();
        self.command(program, arguments)
            .env("SSL_CERT_FILE", ca)
            .env("HF_HUB_DISABLE_UPDATE_CHECK", "1")
            .env("HF_HUB_DISABLE_TELEMETRY", "1")
    }
}
