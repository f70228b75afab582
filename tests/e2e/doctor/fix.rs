//! `doctor --fix`: only what is ours and can be undone, only on a yes, and once.

use crate::doctor::well::Well;
use crate::support::modes::set_mode;
use crate::support::user::DATA;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const STORE: &str = "[credential]\n\thelper = store\n";

/// All that `--fix` can put right, and something that it cannot.
fn harmed() -> Well {
    let well = Well::new();
    let machine = &well.machine;
    let config = machine.read(".gitconfig");
    machine.write(".gitconfig", format!("{config}{STORE}"));
    let local = ["config", "credential.helper", "cache"];
    machine.git(local).dir("x").ok();
    let tokens = machine.home().join(DATA).join("tokens");
    set_mode(&tokens, 0o755);
    let left = tokens.join(".work-1.token.17-0-5.tmp");
    fs::write(&left, &well.token).expect("leave a file");
    set_mode(&left, 0o600);
    machine.age(&left, 3600);
    let line = format!("https://u:{}@huggingface.co\n", well.token);
    machine.write(".git-credentials", line);
    well
}

/// All below the home, with modes and contents. A lock is no change.
fn snapshot(well: &Well) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![well.machine.home()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("list a folder") {
            let path = entry.expect("an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("what it is");
            let contents = if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).expect("read a file")
            };
            let name = path.display().to_string();
            if !name.ends_with(".lock") {
                found.push((name, metadata.permissions().mode(), contents));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_ours_is_put_right_and_the_rest_is_told() {
    let well = harmed();
    let before: Vec<_> = well
        .checks()
        .bad()
        .iter()
        .map(|(id, _)| (*id).to_owned())
        .collect();
    assert_eq!(
        before,
        [
            "helper-lines",
            "permissions",
            "leftovers",
            "git-credentials"
        ]
    );
    let fixed = well
        .machine
        .helper(["doctor", "--fix", "--yes"])
        .dir("x")
        .ok();
    for words in [
        "done: git credential-hf configure\n",
        "done: git credential-hf configure --local\n",
        "done: chmod 700 ~/.local/share/git-credential-hf/tokens\n",
        "done: rm ~/.local/share/git-credential-hf/tokens/.work-1.token.17-0-5.tmp\n",
        "left to do by hand:\n",
        "git credential-hf import git\n",
        "now: 25 checks: 1 warning",
    ] {
        assert!(fixed.stdout.contains(words), "{words:?} is not in {fixed}");
    }
    assert_eq!(well.checks().bad(), [("git-credentials", "warning")]);

    // What others wrote is still theirs, and our lines can be taken out again.
    let machine = &well.machine;
    for (scope, dir) in [(None, "."), (Some("--local"), "x")] {
        let arguments = ["unconfigure"].into_iter().chain(scope);
        machine.helper(arguments).dir(dir).ok();
    }
    assert!(machine.read(".gitconfig").ends_with(STORE));
    assert!(machine.read("x/.git/config").contains("helper = cache"));
}

#[test]
fn the_second_time_there_is_nothing_to_do() {
    let well = harmed();
    let fix = || {
        let run = well.machine.helper(["doctor", "--fix", "--yes", "--json"]);
        let said = run.dir("x").ok().stdout;
        let json: Value = serde_json::from_str(&said).expect("JSON");
        let repairs = json["repairs"].as_array().expect("repairs").clone();
        assert!(
            repairs.iter().all(|repair| repair["done"] == true),
            "{said}"
        );
        repairs.len()
    };
    assert_eq!(fix(), 4);
    let once = snapshot(&well);
    assert_eq!(fix(), 0);
    assert_eq!(snapshot(&well), once);
}

#[test]
fn without_a_yes_nothing_is_changed() {
    let well = harmed();
    let before = snapshot(&well);
    let asked = well.machine.helper(["doctor", "--fix"]).dir("x").fails();
    assert_eq!(asked.code, 1);
    asked.says(&["refusing to change anything without confirmation; pass --yes"]);
    assert_eq!(snapshot(&well), before);
    let usage = well.machine.helper(["doctor", "--yes"]).fails();
    assert_eq!(usage.code, 2);
}

#[test]
fn what_cannot_be_done_is_told_with_its_reason() {
    let well = harmed();
    well.machine.write(".gitconfig.lock", "");
    let failed = well.machine.helper(["doctor", "--fix", "--yes"]).fails();
    for words in [
        "failed: git credential-hf configure: ",
        ".gitconfig.lock",
        "done: chmod 700 ",
        "now: 25 checks: 1 problem",
    ] {
        assert!(
            failed.stdout.contains(words),
            "{words:?} is not in {failed}"
        );
    }
}

#[test]
fn a_broken_configuration_keeps_no_other_repair_back() {
    let well = harmed();
    well.machine
        .write(crate::support::user::CONFIG, "rule = 1\n");
    let failed = well
        .machine
        .helper(["doctor", "--fix", "--yes"])
        .dir("x")
        .fails();
    assert!(failed.stdout.contains("done: chmod 700 "), "{failed}");
    assert!(failed.stdout.contains("config.toml:1:"), "{failed}");
}
