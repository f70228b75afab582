//! Programs that ask this helper without git, or through git in ways of their own.

use crate::support::hub::Right::Write;
use crate::support::hub::{Hub, Logged, TokenSeen};
use crate::support::machine::{Machine, Output};
use crate::support::pypi::Package;
use crate::support::tools::gits;
use crate::support::user::CONFIG;

const CODE: &str = "https://huggingface.co/acme/code";

/// Python's binding of libgit2, which has a pip beside it.
static PYGIT2: Package = Package::new("pygit2", "pygit2==1.21.0\n", &["--only-binary=:all:"]);

/// Puts these files into the private repo acme/code, by way of the Hub's own folder.
fn publish(hub: &Hub, machine: &Machine, files: &[(&str, &str)]) {
    hub.add_repo("acme/code", true);
    let bare = hub.repo_folder("acme/code");
    let bare = bare.to_str().expect("a UTF-8 path");
    machine.git(["clone", "--quiet", bare, "code"]).ok();
    for (path, text) in files {
        machine.write(format!("code/{path}"), text);
    }
    machine.commit_all("code");
    machine.git(["push", "--quiet"]).dir("code").ok();
}

/// Two tokens that may read acme/code: `work` by a rule on this Hub, and `env` in `HF_TOKEN`.
fn put_tokens(hub: &Hub, machine: &Machine, url: &str) {
    let [work, env] = ["work", "env"].map(|name| hub.add_token(name, &[("acme", Write)]));
    machine.login("work", &work, &["--for", &format!("{url}/acme")]);
    machine.env("HF_TOKEN", env);
}

/// Revokes `work` before a client that cannot report a refusal: nothing but `check` makes it go on
/// with the other token.
fn assert_check_helps(hub: &Hub, machine: &Machine, url: &str, read: impl Fn() -> Output) {
    hub.revoke("work");
    for _ in 0..2 {
        hub.clear_log();
        read().fails();
        assert_eq!(
            (hub.tokens_seen("/"), sent(hub)),
            (vec!["work".to_owned()], 1)
        );
        assert_eq!(machine.rejections(), 0);
    }
    machine.helper(["check", &format!("{url}/acme/code")]).run();
    assert_eq!(machine.rejections(), 1);
    hub.clear_log();
    read().ok();
    assert_eq!(hub.tokens_seen("/"), ["env"]);
}

/// How often a token was sent.
fn sent(hub: &Hub) -> usize {
    let log = hub.log();
    let sent = |entry: &&Logged| entry.token != TokenSeen::None;
    log.iter().filter(sent).count()
}

/// A build backend of a few lines, since pip would fetch any other from PyPI.
const BACKEND: &str = r#"
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "code-1.0-py3-none-any.whl"
    info = "code-1.0.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("code_of_acme.py", "")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: code\nVersion: 1.0\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    return name
"#;

#[test]
fn pip_installs_from_a_private_repo() {
    let Some(python) = PYGIT2.folder().map(|folder| folder.join("bin/python")) else {
        return;
    };
    for git in gits() {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git);
        let project =
            "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
        publish(
            &hub,
            &machine,
            &[("pyproject.toml", project), ("backend.py", BACKEND)],
        );
        put_tokens(&hub, &machine, "https://huggingface.co");
        machine.configure();
        let from = format!("code @ git+{CODE}");
        let pip = [
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-cache-dir",
            "--target",
            "out",
            &from,
        ];
        machine.command(&python, pip).ok();
        assert!(machine.home().join("out/code_of_acme.py").exists());
        assert_eq!(hub.tokens_seen("/"), ["work"]);
    }
}

/// A library's callback that asks git, as the manual of git says, and never says how it went.
const CLONE: &str = r#"
import subprocess, sys, pygit2

class Callbacks(pygit2.RemoteCallbacks):
    asked = 0
    def credentials(self, url, username_from_url, allowed_types):
        self.asked += 1
        if self.asked > 1:
            raise SystemExit("asked twice")
        fill = subprocess.run(["git", "credential", "fill"], input=f"url={url}\n\n",
                              stdout=subprocess.PIPE, text=True, check=True)
        answer = dict(line.split("=", 1) for line in fill.stdout.splitlines())
        return pygit2.UserPass(answer["username"], answer["password"])

pygit2.settings.set_ssl_cert_locations(sys.argv[1], None)
pygit2.clone_repository(sys.argv[2], sys.argv[3], callbacks=Callbacks(), proxy=True)
"#;

#[test]
fn a_callback_of_libgit2_asks_git_and_check_reports_what_it_cannot() {
    let Some(python) = PYGIT2.folder().map(|folder| folder.join("bin/python")) else {
        return;
    };
    for git in gits() {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git);
        publish(&hub, &machine, &[("README", "Hello")]);
        put_tokens(&hub, &machine, "https://huggingface.co");
        machine.configure();
        let ca = machine.hub_ca().into_string().expect("a UTF-8 path");
        let clone = |to| machine.command(&python, ["-c", CLONE, &ca, CODE, to]).run();
        clone("one").ok();
        assert_eq!(machine.read("one/README"), "Hello");
        assert_eq!(hub.tokens_seen("/"), ["work"]);

        assert_check_helps(&hub, &machine, "https://huggingface.co", || clone("two"));
    }
}

#[test]
fn cargo_asks_the_helper_without_git() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let url = hub.direct_url();
    let manifest = |name| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n[lib]\npath = \"lib.rs\"\n")
    };
    publish(
        &hub,
        &machine,
        &[("Cargo.toml", &manifest("code")), ("lib.rs", "")],
    );
    machine.write(
        CONFIG,
        format!("[endpoints]\n\"{url}\" = {{ env = true }}\n"),
    );
    put_tokens(&hub, &machine, &url);
    machine.configure();
    // cargo looks for the settings of a host without its port, which the real Hub's has not.
    let own = format!("credential.{url}");
    for key in ["helper", "useHttpPath"] {
        let value = machine
            .git(["config", "--global", &format!("{own}.{key}")])
            .ok()
            .stdout;
        let without_port = format!("credential.https://localhost.{key}");
        machine
            .git(["config", "--global", &without_port, value.trim_end()])
            .ok();
    }
    machine.write(
        "app/Cargo.toml",
        manifest("app") + &format!("[dependencies]\ncode = {{ git = \"{url}/acme/code\" }}\n"),
    );
    machine.write("app/lib.rs", "");
    let ca = hub.ca_file();
    let fetch = |more: &[&str]| {
        hub.clear_log();
        let _ = std::fs::remove_dir_all(machine.home().join(".cargo"));
        let fetch = more.iter().copied().chain(["fetch", "--quiet"]);
        machine
            .command(env!("CARGO"), fetch)
            .dir("app")
            .env("SSL_CERT_FILE", &ca)
            .run()
    };
    // Through a proxy, or with an authority of its own, it asks nobody: README.md says so.
    fetch(&[]).fails();
    assert_eq!(sent(&hub), 0);
    for variable in ["HTTPS_PROXY", "https_proxy", "http_proxy"] {
        machine.unset(variable);
    }
    let authority = format!("http.cainfo='{}'", ca.display());
    fetch(&["--config", &authority]).fails();
    assert_eq!(sent(&hub), 0);

    fetch(&[]).ok();
    assert_eq!(hub.tokens_seen("/"), ["work"]);
    // With git, all is as with git.
    fetch(&["--config", "net.git-fetch-with-cli=true"]).ok();
    assert_eq!(hub.tokens_seen("/"), ["work"]);

    assert_check_helps(&hub, &machine, &url, || fetch(&[]));
}
