//! Several worktrees of one clone.

use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::{pushed_with, read_with};

#[test]
fn each_works_with_the_token_of_its_repo_with_and_without_a_path() {
    for git in gits() {
        let hub = Hub::start();
        let machine = Machine::new(&hub).with_git(&git);
        for namespace in ["acme", "umbrella"] {
            hub.add_repo(&format!("{namespace}/x"), true);
            machine.login_for(&hub, namespace);
        }
        machine.configure();
        let run = |dir: &str, command: &str| machine.git(command.split(' ')).dir(dir).ok();
        run(".", "clone https://huggingface.co/acme/x");
        run("x", "worktree add ../tree -b tree");
        run(".", "clone --bare https://huggingface.co/acme/x bare.git");
        run("bare.git", "worktree add ../bare-tree -b bare-tree");
        // One with a remote of its own.
        run("x", "config extensions.worktreeConfig true");
        run("x", "worktree add ../own -b own");
        run(
            "own",
            "config --worktree remote.origin.url https://huggingface.co/umbrella/x",
        );
        run("x", "config --unset remote.origin.url");
        run(
            "x",
            "config --worktree remote.origin.url https://huggingface.co/acme/x",
        );
        run(
            "tree",
            "config --worktree remote.origin.url https://huggingface.co/acme/x",
        );
        for paths in ["true", "false"] {
            run(
                ".",
                &format!("config --global credential.https://huggingface.co.useHttpPath {paths}"),
            );
            for (dir, expected) in [
                ("x", "acme"),
                ("tree", "acme"),
                ("bare-tree", "acme"),
                ("own", "umbrella"),
            ] {
                hub.clear_log();
                machine.write(format!("{dir}/new"), format!("{dir} {paths}"));
                machine.commit_all(dir);
                run(dir, "fetch");
                let branch = format!("push origin HEAD:refs/heads/{dir}-{paths}");
                run(dir, &branch);
                let log = hub.log();
                for used in [read_with(&log), pushed_with(&log)] {
                    assert!(used.iter().eq([expected]), "{dir} {paths}: {used:?}");
                }
                let explained = machine.helper(["explain"]).dir(dir).ok().stdout;
                assert!(
                    explained.contains(&format!("{expected}/x on")),
                    "{explained}"
                );
            }
        }
    }
}
