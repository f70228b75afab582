//! `doctor`: each check with something in the way and without.

use super::cases::{CASES, Case};
use super::well::Well;
use crate::support::advice::{Advised, commands_in, follow, never_advised};
use crate::support::hub::Hub;
use crate::support::keyring::{DeadBus, Keyring};
use crate::support::machine::Machine;
use crate::support::pool;
use crate::support::tools::gits;
use crate::support::user::CONFIG;
use serde_json::Value;
use std::fs;

/// Checks that follow from another one's harm.
const FOLLOW: &[(&str, &[&str])] = &[
    ("repository", &["hf-token"]),
    ("configuration", &["hub", "tokens"]),
    ("rules", &["tokens"]),
    ("leftovers", &["git-lfs"]),
    // Without its proxy the Hub of the tests is out of reach.
    ("proxy", &["hub"]),
];

#[test]
fn where_all_is_well_nothing_is_said() {
    for git in gits() {
        let mut well = Well::new();
        well.machine = well.machine.with_git(&git);
        let checks = well.checks();
        assert_eq!(checks.bad(), [], "{git:?}");
        for case in CASES {
            let check = checks.get(case.id);
            let fine = ["ok", "skipped"].contains(&check["verdict"].as_str().expect("a word"))
                || (case.id == "git-version" && !git.at_least(2, 46));
            assert!(fine, "{git:?} {check}");
        }
        for (id, words) in [
            ("repository", "1 remote here is on a Hub"),
            ("helper-lines", "git calls this helper and no other"),
            ("helper-program", "this program"),
            ("use-http-path", "git tells the helper which"),
            ("rules", "1 rule"),
            ("tokens", "1 token, not rejected"),
            ("git-lfs", "git-lfs 3.9.9"),
            ("proxy", "https_proxy is set"),
            ("certificates", "GIT_SSL_CAINFO"),
            ("hub", "https://huggingface.co answers"),
            ("clock", "agrees with the Hub's"),
        ] {
            let why = checks.get(id)["findings"][0]["why"].as_str();
            assert!(why.is_some_and(|why| why.contains(words)), "{id}: {why:?}");
        }
    }
}

/// What a fix names that repairs nothing by itself: it shows something, or is another program's
/// that is not here.
const SHOWS: &[&str] = &[
    "git credential-hf list",
    "git credential-hf refresh",
    "git credential-hf run -- git push",
    "git xet install",
    // Run by `hf_cli::files`, with the real hf CLI.
    "hf auth login --force",
];

/// Tries a case, and gives the fixes that were taken.
fn try_case(case: &Case) -> Vec<Advised> {
    let well = Well::new();
    (case.harm)(&well);
    let checks = well.checks();
    let check = checks.get(case.id);
    assert_eq!(check["verdict"], case.verdict, "{check}");
    let text = check.to_string().replace("\\\"", "\"");
    for word in case.words {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    let follow = FOLLOW.iter().find(|(id, _)| *id == case.id);
    let follow = follow.map_or(&[][..], |(_, ids)| ids);
    let others: Vec<_> = checks
        .bad()
        .into_iter()
        .filter(|(id, _)| *id != case.id && !follow.contains(id))
        .collect();
    assert_eq!(
        others,
        [],
        "with the harm of {} ({:?})",
        case.id,
        case.words
    );
    take_the_fix(case, well, check)
}

/// Whether two findings say the same, but for numbers such as how long ago something was.
fn same(a: &Value, b: &Value) -> bool {
    let words = |it: &Value| {
        let why = it["why"].to_string();
        why.replace(|letter: char| letter.is_ascii_digit(), "")
    };
    words(a) == words(b)
}

/// Runs what a check tells people to run: each command by itself changes the verdict.
fn take_the_fix(case: &Case, well: Well, check: &Value) -> Vec<Advised> {
    let findings = check["findings"].as_array().expect("findings");
    let is_it = |finding: &&Value| finding["verdict"] == case.verdict;
    let finding = findings.iter().find(is_it).expect("the finding");
    let fix = finding["fix"].as_str().unwrap_or_default();
    let commands = commands_in(fix);
    let mut taken = Vec::new();
    let mut well = Some(well);
    for command in commands.into_iter().filter(|it| !SHOWS.contains(it)) {
        let well = well.take().unwrap_or_else(|| {
            let well = Well::new();
            (case.harm)(&well);
            well
        });
        let shown = follow(&well.machine, "x", command, &well.hub.value_of("new"));
        let after = well.checks();
        let after = after.get(case.id)["findings"]
            .as_array()
            .expect("findings")
            .clone();
        assert!(
            !after.iter().any(|it| same(it, finding)),
            "{command} changes nothing of {finding}; it showed {shown}"
        );
        taken.push(Advised::new(fix, command));
    }
    taken
}

#[test]
fn each_check_finds_what_it_is_for_and_no_other_does() {
    let taken: Vec<Advised> = pool::each(CASES, try_case).into_iter().flatten().collect();
    let never = never_advised(true, &taken, BY_HAND);
    assert!(never.is_empty(), "no case takes this fix: {never:#?}");
}

/// Fixes that no case takes: the words of them, and why.
const BY_HAND: &[(&str, &str)] = &[
    (
        "add it below [endpoints]",
        "`explain` advises the same; run in `advice`",
    ),
    (
        "the next `git credential-hf login`",
        "run in reliability::storages",
    ),
    (
        "remote set-url NAME URL",
        "by hand: which URL, nobody but the user knows",
    ),
    ("config --list --show-origin", "it shows something"),
    ("install git-lfs, then", "installs another program"),
    ("run -- git push", "for one command: commands::what_helps"),
];

#[test]
fn every_check_has_been_seen_bad() {
    let well = Well::new();
    for check in &well.checks().0 {
        let id = check["id"].as_str().expect("an id");
        assert!(CASES.iter().any(|case| case.id == id), "{id} has no case");
    }
}

#[test]
fn json_has_a_form_that_programs_can_count_on() {
    let well = Well::new();
    well.git_config("[credential]\n\thelper = store\n");
    let said = well.machine.helper(["doctor", "--json", "--offline"]);
    let said = said.dir("x").fails();
    let json: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(json["version"], 1);
    assert_eq!(
        (&json["problems"], &json["warnings"]),
        (&1.into(), &0.into())
    );
    assert!(json["program"].is_string() && json["system"].is_string());
    assert!(json.get("repairs").is_none(), "{json}");
    let checks = json["checks"].as_array().expect("checks");
    assert_eq!(checks.len(), 25, "{json}");
    for check in checks {
        let known = ["ok", "note", "warning", "problem", "skipped"];
        let groups = [
            "git",
            "helper",
            "tokens",
            "elsewhere",
            "programs",
            "network",
        ];
        let is_one_of =
            |value: &Value, of: &[&str]| value.as_str().is_some_and(|v| of.contains(&v));
        assert!(is_one_of(&check["group"], &groups), "{check}");
        assert!(is_one_of(&check["verdict"], &known), "{check}");
        let findings = check["findings"].as_array().expect("findings");
        assert!(!findings.is_empty(), "{check}");
        for finding in findings {
            assert!(is_one_of(&finding["verdict"], &known), "{finding}");
            assert!(finding["why"].is_string(), "{finding}");
            // A key that is missing would read as null.
            let fix = finding.get("fix").expect("a fix, or null");
            assert!(fix.is_string() || fix.is_null(), "{finding}");
            assert!(finding["automatic"].is_boolean(), "{finding}");
        }
    }
    assert_eq!(said.code, 1);
}

#[test]
fn offline_leaves_the_network_alone() {
    let well = Well::new();
    well.hub.clear_log();
    let said = well.machine.helper(["doctor", "--offline"]).dir("x").ok();
    assert_eq!(
        said.stdout.matches("skipped (--offline)").count(),
        2,
        "{said}"
    );
    assert!(well.hub.log().is_empty());
    well.machine.helper(["doctor"]).dir("x").ok();
    // One request, and no token with it: the Hub limits how often it may be asked about tokens.
    assert_eq!(well.hub.log().len(), 1, "{:?}", well.hub.log());
    assert!(well.hub.tokens_seen("/").is_empty());
}

#[test]
fn a_keyring_makes_the_round_trip_and_nothing_stays() {
    if !Keyring::is_possible() {
        return;
    }
    let well = Well::new();
    well.machine
        .write(CONFIG, "version = 1\nkeyring_timeout = 1\n");
    let why = |well: &Well| well.checks().get("keyring")["findings"][0]["why"].to_string();
    let keyring = Keyring::start();
    well.machine
        .env("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    assert!(
        why(&well).contains("an entry can be written, read and removed"),
        "{}",
        why(&well)
    );
    assert!(keyring.is_empty(), "the entry is still there");
    keyring.lock();
    assert!(
        why(&well).contains("no token is stored there"),
        "{}",
        why(&well)
    );

    let dead = DeadBus::start();
    well.machine.env("DBUS_SESSION_BUS_ADDRESS", dead.address());
    let why = why(&well);
    assert!(why.contains("did not answer within 1 s"), "{why}");
}

#[test]
fn an_empty_home_is_looked_at_and_left_empty() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    fs::remove_file(machine.home().join(".gitconfig")).expect("remove the file");
    let said = machine.helper(["doctor"]).fails();
    for words in [
        "git does not call this helper",
        "there are no tokens yet",
        "git credential-hf login NAME",
    ] {
        assert!(said.stdout.contains(words), "{words:?} is not in {said}");
    }
    let mut left = fs::read_dir(machine.home()).expect("list the home");
    assert!(left.next().is_none(), "something was written");
}

#[test]
fn the_proxy_is_judged_for_the_hub_in_question() {
    let well = Well::new();
    well.machine.env("no_proxy", ".corp.example,huggingface.co");
    let proxy = || well.checks().get("proxy")["findings"].to_string();
    assert!(proxy().contains("no_proxy excepts huggingface.co"));
    well.machine.env("no_proxy", "hub.corp.example");
    assert!(proxy().contains("https_proxy is set"));
    well.machine.env("HF_ENDPOINT", "https://hub.corp.example");
    assert!(proxy().contains("no_proxy excepts hub.corp.example"));
}
