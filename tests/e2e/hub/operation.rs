//! The token that may do what git is about to do: nobody says which one to use, and no rule is
//! written.

use crate::desk::Desk;
use crate::hub::common::{get, label, login};
use crate::support::git_lfs;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{account, fine_grained};
use crate::support::hub::{Logged, OBJECT_HOST, TokenSeen};
use crate::support::tools::{cannot, need};
use crate::support::user::{noise, statuses};
use serde_json::json;

const URL: &str = "https://huggingface.co/acme/x";

impl Desk {
    /// A token that reads acme/x, and one that writes to all of acme.
    fn with_two_scoped_tokens() -> Desk {
        let desk = Desk::new().with_acme();
        desk.store_scoped();
        desk
    }

    /// The private acme/x, and git that calls the helper.
    fn with_acme(self) -> Desk {
        self.with_repo("acme/x").configured()
    }

    fn store_scoped(&self) {
        let (read, write) = (&["repo.content.read"], &["repo.write"]);
        self.login(
            "ro",
            &[("acme", Read)],
            fine_grained(&[("model", "acme/x", read)]),
        );
        self.login(
            "fg",
            &[("acme", Write)],
            fine_grained(&[("org", "acme", write)]),
        );
    }

    /// The read and the write token of one account, a member of the organisation.
    fn store_for_account(&self) {
        for (name, right, role) in [("fg", Write, "write"), ("ro", Read, "read")] {
            let mut answer = account(role);
            answer["orgs"] = json!([{"type": "org", "name": "acme", "roleInOrg": "write"}]);
            self.login(name, &[("acme", right)], answer);
        }
    }

    /// Two tokens of which nothing is known but the rule that names them.
    fn store_with_rule(&self) {
        for (name, right, flag) in [("ro", Read, "--fetch"), ("fg", Write, "--push")] {
            let token = self.hub.add_token(name, &[("acme", right)]);
            self.machine.login(name, &token, &[]);
            let arguments = ["use", name, "--for", "acme", flag];
            self.machine.helper(arguments).ok();
        }
    }

    /// The tokens that a command's requests brought.
    fn seen(&self, run: impl FnOnce()) -> Vec<String> {
        self.hub.clear_log();
        run();
        assert!(self.hub.log().iter().all(|entry| entry.status != 403));
        self.hub.tokens_seen("/acme/x")
    }

    fn clone_acme(&self) {
        self.machine.git(["clone", "--quiet", URL, "x"]).ok();
    }

    fn commit(&self) {
        self.machine
            .git(["commit", "--quiet", "--allow-empty", "-m", "more"])
            .dir("x")
            .ok();
    }
}

#[test]
fn a_clone_takes_the_token_that_reads_and_a_push_the_one_that_writes() {
    let desk = Desk::with_two_scoped_tokens();
    let git = |arguments: &[&str]| desk.machine.git(arguments).dir("x").ok();
    assert_eq!(desk.seen(|| desk.clone_acme()), ["ro"]);
    git(&["config", "alias.publish", "push --quiet"]);
    git(&["config", "alias.up", "!git push --quiet"]);
    for push in [
        &["push", "--quiet"][..],
        &["publish"],
        &["up"],
        &["-C", ".", "-c", "a.b=c", "push", "--quiet"],
        &["push", "--quiet", "--recurse-submodules=on-demand"],
    ] {
        desk.commit();
        let seen = desk.seen(|| drop(git(push)));
        assert_eq!(seen, ["fg"], "{push:?}");
    }
    assert_eq!(desk.seen(|| drop(git(&["fetch", "--quiet"]))), ["ro"]);
    // Names that say push, and a fetch from there.
    git(&["remote", "add", "push", URL]);
    let fetch = ["fetch", "--quiet", "push"];
    assert_eq!(desk.seen(|| drop(git(&fetch))), ["ro"]);
    // A hook of a push fetches.
    let hook = "x/.git/hooks/pre-push";
    desk.machine.write(hook, "#!/bin/sh\ngit fetch --quiet\n");
    desk.machine.command("chmod", ["+x", hook]).ok();
    desk.commit();
    let mut seen = desk.seen(|| drop(git(&["push", "--quiet"])));
    seen.sort();
    assert_eq!(seen, ["fg", "ro"]);
}

/// The tokens that came with requests for which `is` holds, each once.
fn tokens(log: &[Logged], is: impl Fn(&Logged) -> bool) -> Vec<&str> {
    let mut found = Vec::new();
    for entry in log.iter().filter(|entry| is(entry)) {
        if let TokenSeen::Known(label) = &entry.token {
            found.push(label.as_str());
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whoever asks, git's transport or git-lfs with either protocol, and however the push was called.
#[test]
fn with_each_git_and_each_git_lfs() {
    let service = |entry: &Logged, name: &str| {
        entry.path.ends_with(name) || entry.query == format!("service={name}")
    };
    let fetches = |entry: &Logged| service(entry, "git-upload-pack");
    let of_lfs = |entry: &Logged| entry.path.contains("/info/lfs/");
    for (git, lfs) in git_lfs::pairs() {
        for store in [
            Desk::store_scoped,
            Desk::store_for_account,
            Desk::store_with_rule,
        ] {
            let desk = Desk::with(|machine| machine.with_git(&git).with_git_lfs(&lfs)).with_acme();
            store(&desk);
            let git = |arguments: &[&str]| drop(desk.machine.git(arguments).dir("x").ok());
            desk.clone_acme();
            git(&["lfs", "track", "*.bin"]);
            git(&["config", "alias.up", "!git push --quiet"]);
            for (number, push) in [
                &["push", "--quiet"][..],
                &["up"],
                &["-C", ".", "push", "--quiet"],
                &["lfs", "push", "origin", "main"],
            ]
            .iter()
            .enumerate()
            {
                desk.machine
                    .write(format!("x/{number}.bin"), noise(1000 + number));
                desk.machine.commit_all("x");
                desk.hub.clear_log();
                git(push);
                let log = desk.hub.log();
                let uploads = log
                    .iter()
                    .filter(|it| it.method == "PUT" && it.host == OBJECT_HOST);
                assert_eq!(uploads.count(), 1, "{push:?}");
                let push = format!("{push:?}, {lfs:?}: {log:?}");
                let writes = |entry: &Logged| of_lfs(entry) || service(entry, "git-receive-pack");
                assert_eq!(tokens(&log, writes), ["fg"], "{push}");
                // git-lfs looks up the remote's branches first.
                assert!(["ro"].starts_with(&tokens(&log, fetches)), "{push}");
            }
            git(&["push", "--quiet"]);

            desk.hub.clear_log();
            desk.machine.git(["clone", "--quiet", URL, "copy"]).ok();
            desk.machine.git(["lfs", "pull"]).dir("copy").ok();
            assert!(
                desk.machine
                    .home()
                    .join("copy/0.bin")
                    .metadata()
                    .expect("it")
                    .len()
                    == 1000
            );
            let log = desk.hub.log();
            assert_eq!(tokens(&log, of_lfs), ["ro"], "{lfs:?}");
            assert_eq!(tokens(&log, |_| true), ["ro"], "{lfs:?}");
        }
    }
}

/// Looking up the calling programs takes time, and git waits.
#[test]
fn command_lines_are_read_only_where_something_depends_on_them() {
    if !need("strace") {
        return;
    }
    let desk = Desk::new().with_acme();
    let Desk { hub, machine, .. } = &desk;
    for (name, right) in [("one", Read), ("other", Write)] {
        let token = hub.add_token(name, &[("acme", right)]);
        machine.login(name, &token, &[]);
    }
    let looks = || {
        let helper = machine.bin().join("git-credential-hf");
        let helper = helper.to_str().expect("UTF-8");
        let strace = [
            "-f",
            "-qq",
            "-e",
            "trace=openat",
            "-o",
            "calls",
            helper,
            "get",
        ];
        let request = "protocol=https\nhost=huggingface.co\npath=acme/x\n\n";
        let get = machine.command("strace", strace).stdin(request);
        let answer = get.may_print_secret().ok();
        assert!(label(hub, &answer).is_some(), "{answer}");
        machine.read("calls").contains("/cmdline\"")
    };
    machine.helper(["use", "one", "--for", "acme"]).ok();
    assert!(!looks());
    let other = ["use", "other", "--for", "acme", "--push"];
    machine.helper(other).ok();
    assert!(looks());
}

/// Where the command lines cannot be read, the token that may do either is given.
#[test]
fn without_proc_the_operation_is_not_known() {
    if !need("unshare") {
        return;
    }
    let desk = Desk::with_two_scoped_tokens();
    // Another user's processes are hidden so (hidepid), and a chroot may have none at all.
    let hidden = "mount -t tmpfs none /proc && exec \"$@\"";
    let arguments = [
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        hidden,
        "sh",
        "git",
    ];
    let git = |arguments_of_git: &[&str]| {
        let all = arguments.iter().chain(arguments_of_git);
        desk.machine.command("unshare", all).run()
    };
    if git(&["version"]).code != 0 {
        cannot::<()>("this system has no namespaces to hide /proc in");
        return;
    }
    let seen = desk.seen(|| drop(git(&["clone", "--quiet", URL, "x"]).ok()));
    assert_eq!(seen, ["fg"]);
    desk.commit();
    assert_eq!(
        desk.seen(|| drop(git(&["-C", "x", "push", "--quiet"]).ok())),
        ["fg"]
    );
}

#[test]
fn an_accounts_read_and_write_tokens() {
    let desk = Desk::new().with_acme();
    let member = |role: &str| {
        let mut answer = account(role);
        answer["orgs"] = serde_json::json!([{"type": "org", "name": "acme", "roleInOrg": "write"}]);
        answer
    };
    desk.login("w", &[("acme", Write)], member("write"));
    desk.login("r", &[("acme", Read)], member("read"));
    assert_eq!(desk.seen(|| desk.clone_acme()), ["r"]);
    desk.commit();
    let push = || drop(desk.machine.git(["push", "--quiet"]).dir("x").ok());
    assert_eq!(desk.seen(push), ["w"]);
    // Asked by nobody that says what it does: the one that may do either.
    assert_eq!(
        label(&desk.hub, &get(&desk.machine, "acme/x").ok()).as_deref(),
        Some("w")
    );
}

#[test]
fn split_rules() {
    let desk = Desk::with_two_scoped_tokens();
    let machine = &desk.machine;
    desk.login("a", &[("acme", Read)], account("read"));
    desk.login("b", &[("acme", Write)], account("write"));
    machine
        .helper(["use", "a", "--for", "acme", "--fetch"])
        .ok();
    machine.helper(["use", "b", "--for", "acme", "--push"]).ok();
    let config = machine.read(".config/git-credential-hf/config.toml");
    assert!(
        config.contains(r#"acme = { fetch = "a", push = "b" }"#),
        "{config}"
    );
    assert_eq!(desk.seen(|| desk.clone_acme()), ["a"]);
    desk.commit();
    let push = || drop(machine.git(["push", "--quiet"]).dir("x").ok());
    assert_eq!(desk.seen(push), ["b"]);
    for (flags, token) in [
        (&["explain", "acme/x"][..], "a"),
        (&["explain", "acme/x", "--push"], "b"),
    ] {
        let said = machine.helper(flags).ok().stdout;
        let row = said
            .lines()
            .find(|line| line.starts_with("→"))
            .expect("a row");
        assert_eq!(row.split_whitespace().nth(1), Some(token), "{said}");
    }
    let listed = machine.helper(["list"]).ok().stdout;
    assert!(
        listed.contains("acme, fetch") && listed.contains("acme, push"),
        "{listed}"
    );
}

#[test]
fn a_push_that_the_hub_will_refuse_is_told_before() {
    let desk = Desk::with_two_scoped_tokens();
    desk.clone_acme();
    desk.commit();
    desk.machine.helper(["use", "ro", "--for", "acme/x"]).ok();
    let refused = desk.machine.git(["push", "--quiet"]).dir("x").fails();
    assert!(
        refused.stderr.contains(
            "chosen because rule `acme/x` names it, may not push to acme/x, as far as is known: \
             it has no scope to write to acme/x"
        ),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("use fg --for acme/x --push"),
        "{refused}"
    );
    let fetched = desk.machine.git(["fetch", "--quiet"]).dir("x").ok();
    assert_eq!(fetched.stderr, "");
    let helps = ["use", "fg", "--for", "acme/x", "--push"];
    desk.machine.helper(helps).ok();
    let pushed = desk.machine.git(["push", "--quiet"]).dir("x").ok();
    assert_eq!(pushed.stderr, "");
}

#[test]
fn a_push_stops_at_a_variable_without_a_valid_token() {
    let desk = Desk::new().with_acme();
    let mut answer = account("write");
    answer["orgs"] = serde_json::json!([{"type": "org", "name": "acme", "roleInOrg": "write"}]);
    desk.login("w", &[("acme", Write)], answer);
    desk.machine.env("HF_TOKEN", "\"hf_quoted\"");
    desk.clone_acme();
    desk.commit();
    desk.hub.clear_log();
    let stopped = desk.machine.git(["push", "--quiet"]).dir("x").fails();
    assert!(
        stopped.stderr.contains("HF_TOKEN cannot be used"),
        "{stopped}"
    );
    // The push came as far as the Hub's first question.
    let log = desk.hub.log();
    assert_eq!(statuses(&log), [401], "{log:?}");
    assert_eq!(log[0].query, "service=git-receive-pack");
    assert_eq!(log[0].token, TokenSeen::None);
}

#[test]
fn one_personal_login_opens_what_the_account_was_accepted_to() {
    let desk = Desk::new().with_acme();
    desk.hub.add_repo("stranger/gated", true);
    let token = desk.hub.add_token("me", &[("stranger", Read)]);
    desk.whoami.says("me", account("read"));
    login(&desk.machine, "me", &token).ok();
    let url = "https://huggingface.co/stranger/gated";
    desk.machine.git(["clone", "--quiet", url, "gated"]).ok();
    assert_eq!(desk.hub.tokens_seen("/stranger/gated"), ["me"]);
}
