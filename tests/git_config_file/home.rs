//! A home in which real git reads the edited file, and helpers that write down what they hear.

use super::ENDPOINTS;
use super::programs::write_program;
use git_credential_hf::git::config_file::{configure, unconfigure};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

pub fn gits() -> Vec<String> {
    let list = std::env::var("GITS").unwrap_or("/usr/local/bin/git:/usr/bin/git".into());
    let found: Vec<String> = list
        .split(':')
        .filter(|git| Path::new(git).exists())
        .map(str::to_owned)
        .collect();
    if found.is_empty() {
        vec!["git".to_owned()]
    } else {
        found
    }
}

/// A home of its own. Its `.gitconfig` is the global file, its `bin` comes first in PATH, and `log`
/// has what helpers heard.
pub struct Home {
    pub git: String,
    pub dir: PathBuf,
}

impl Home {
    pub fn new(git: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir =
            std::env::temp_dir().join(format!("git-config-file-{}-{nth}", std::process::id()));
        fs::create_dir_all(dir.join("bin")).unwrap();
        let home = Self {
            git: git.to_owned(),
            dir,
        };
        home.script("bin/git-credential-hf", "hf");
        home
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join(".gitconfig")
    }

    pub fn read(&self) -> Vec<u8> {
        fs::read(self.config()).unwrap_or_default()
    }

    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        fs::write(self.config(), bytes).unwrap();
    }

    /// A helper that logs `NAME ACTION` and answers `get`.
    pub fn script(&self, path: &str, name: &str) -> PathBuf {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let log = self.dir.join("log");
        let text = format!(
            "#!/bin/sh\ncat >/dev/null\necho {name} $1 >> {}\n[ $1 = get ] && echo username=u && echo password=p\n:\n",
            log.display()
        );
        write_program(&path, &text);
        path
    }

    pub fn run(&self, args: &[&str], input: &str) -> Output {
        let path = format!(
            "{}:{}",
            self.dir.join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut child = Command::new(&self.git)
            .args(args)
            .current_dir(&self.dir)
            .env_clear()
            .envs([
                ("PATH", path.as_str()),
                ("HOME", self.dir.to_str().unwrap()),
                ("GIT_CONFIG_NOSYSTEM", "1"),
            ])
            .envs([
                ("GIT_TERMINAL_PROMPT", "0"),
                ("LC_ALL", "C"),
                ("GIT_CEILING_DIRECTORIES", "/tmp"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // git may end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = self.run(args, "");
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the helpers heard of a credential that git was told to keep.
    pub fn approve(&self, url: &str) -> String {
        let _ = fs::remove_file(self.dir.join("log"));
        self.run(
            &["credential", "approve"],
            &format!("url={url}\nusername=u\npassword=p\n\n"),
        );
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    pub fn configure(&self) {
        let original = fs::read(self.config()).ok();
        self.write(configure(original.as_deref(), ENDPOINTS, "hf").unwrap());
    }

    pub fn unconfigure(&self) {
        self.write(unconfigure(&self.read()).unwrap().bytes);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

pub fn text(home: &Home) -> String {
    String::from_utf8(home.read()).unwrap()
}
