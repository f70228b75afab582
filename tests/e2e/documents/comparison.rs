//! What the README's comparison says of the other ways to give git a token, seen with the real ones.

use super::document;
use crate::support::hf::hf;
use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::hub::api::WhoAmI;
use crate::support::machine::Machine;

const ACME: &str = "https://huggingface.co/acme/x";
const UMBRELLA: &str = "https://huggingface.co/umbrella/y";

/// A Hub with a private repo and a token of each of two organisations.
fn hub() -> (Hub, Machine) {
    let hub = Hub::start();
    for (namespace, repo) in [("acme", "acme/x"), ("umbrella", "umbrella/y")] {
        hub.add_repo(repo, true);
        hub.add_token(namespace, &[(namespace, Read)]);
    }
    let machine = Machine::new(&hub);
    (hub, machine)
}

fn git_reads(machine: &Machine, url: &str) -> bool {
    machine.git(["ls-remote", url]).run().code == 0
}

/// The cell of a row of the table, by the column's heading.
fn cell(row: &str, column: &str) -> String {
    let lines = document("README.md").lines();
    let table = lines.skip_while(|line| !line.starts_with("| | git-credential-hf"));
    let mut rows = table.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let heading = rows.next().expect("a table");
    let at = heading.iter().position(|it| *it == column).expect(column);
    let row = rows.find(|cells| cells.get(1) == Some(&row)).expect(row);
    row[at].to_owned()
}

#[test]
fn gits_store_has_one_token_for_the_host_in_plain_text() {
    let (hub, machine) = hub();
    let approve = |url: &str, label: &str| {
        let token = hub.value_of(label);
        let input = format!("url={url}\nusername=u\npassword={token}\n");
        machine.git(["credential", "approve"]).stdin(input).ok();
    };
    machine
        .git(["config", "--global", "credential.helper", "store"])
        .ok();
    approve(ACME, "acme");
    approve(UMBRELLA, "umbrella");
    // The later one is for both.
    assert!(!git_reads(&machine, ACME) && git_reads(&machine, UMBRELLA));
    assert!(cell("tokens for one Hub", "git-credential-store").starts_with("one for the host"));

    let path = ["config", "--global", "credential.useHttpPath", "true"];
    machine.git(path).ok();
    approve(ACME, "acme");
    approve(UMBRELLA, "umbrella");
    assert!(git_reads(&machine, ACME) && git_reads(&machine, UMBRELLA));
    assert!(cell("tokens for one Hub", "git-credential-store").contains("for each path"));
    assert!(
        machine
            .read(".git-credentials")
            .contains(&hub.value_of("acme"))
    );
    assert_eq!(cell("stored", "git-credential-store"), "plain text");
}

#[test]
fn the_hf_cli_has_one_token_at_a_time_in_plain_text() {
    let Some(hf) = hf() else { return };
    let (hub, machine) = hub();
    let whoami = WhoAmI::start(&hub);
    machine.env("HF_ENDPOINT", "https://huggingface.co");
    machine
        .git(["config", "--global", "credential.helper", "store"])
        .ok();
    for label in ["acme", "umbrella"] {
        let mut says = crate::support::hub::api::account("read");
        says["auth"]["accessToken"]["displayName"] = label.into();
        whoami.says(label, says);
        let token = hub.value_of(label);
        let login = [
            "auth",
            "login",
            "--token",
            &token,
            "--add-to-git-credential",
        ];
        machine.hf(&hf, login).ok();
    }
    assert!(!git_reads(&machine, ACME) && git_reads(&machine, UMBRELLA));
    assert!(cell("tokens for one Hub", "`hf auth login`").starts_with("one at a time"));
    let active = machine.read(".cache/huggingface/token");
    assert_eq!(active.trim(), hub.value_of("umbrella"));
    assert_eq!(cell("stored", "`hf auth login`"), "plain text");
}

#[test]
fn a_token_in_the_url_is_in_plain_text_in_each_clone() {
    let (hub, machine) = hub();
    let token = hub.value_of("acme");
    machine.env("URL", format!("https://u:{token}@huggingface.co/acme/x"));
    machine
        .command("sh", ["-c", "git clone --quiet \"$URL\" x"])
        .ok();
    assert!(machine.read("x/.git/config").contains(&token));
    let stored = cell("stored", "token in the URL");
    assert_eq!(stored, "plain text in each clone");
}
