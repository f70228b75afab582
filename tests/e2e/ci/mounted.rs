//! A secret that Kubernetes mounts as a file, named by `HF_TOKEN_PATH`.

use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::machine::Machine;
use crate::support::modes::set_mode;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const X: &str = "https://huggingface.co/acme/x";

/// Writes a version of the secret as the kubelet does: in a folder of its own, which a link that
/// is replaced as a whole leads to.
fn mount(volume: &Path, version: &str, token: &str) {
    let folder = volume.join(version);
    fs::create_dir(&folder).expect("a folder");
    set_mode(&folder, 0o755);
    let file = folder.join("token");
    fs::write(&file, format!("{token}\n")).expect("a file");
    set_mode(&file, 0o440);
    symlink(version, volume.join("..data_tmp")).expect("a link");
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).expect("the link");
}

#[test]
fn a_mounted_secret_is_read_anew_for_every_command() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.configure();
    let volume = machine.home().join("../run/hf");
    fs::create_dir(&volume).expect("the volume");
    set_mode(&volume, 0o1777);
    symlink("..data/token", volume.join("token")).expect("a link");
    machine.env("HF_TOKEN_PATH", volume.join("token"));
    for (version, label) in [("..2026_01", "first"), ("..2026_02", "second")] {
        mount(&volume, version, &hub.add_token(label, &[("acme", Read)]));
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/acme/x"), [label]);
    }
    assert!(machine.files_with_secrets().is_empty());
}
