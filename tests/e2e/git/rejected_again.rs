//! The second refusal of one command, and the tokens of commands.

use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::CONFIG;

#[test]
fn the_second_refused_token_of_one_command_is_remembered_too() {
    const X: &str = "https://huggingface.co/acme/x";
    for git in gits().into_iter().filter(|git| git.at_least(2, 46)) {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        for (name, more) in [
            ("work", ["--for", "acme"].as_slice()),
            ("me", &["--default"]),
        ] {
            let token = hub.add_token(name, &[("acme", Write)]);
            machine.login(name, &token, more);
        }
        machine.configure();
        hub.revoke("work");
        let bad = hub.unknown_token();
        machine.forbid(&bad);
        machine.env("HF_TOKEN", &bad);
        // Git tries two credentials in one command, and the third would be the good one.
        let failed = machine.git(["ls-remote", X]).fails();
        assert_eq!(failed.helper_lines().len(), 2, "{failed}");
        let last = failed.helper_lines().pop().map(str::to_owned);
        let last = last.expect("a line");
        assert!(
            last.contains("HF_TOKEN") && last.contains("rejected"),
            "{failed}"
        );
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.log().len(), 3, "no, then `me`: {:?}", hub.log());
        assert_eq!(hub.tokens_seen("/"), ["me"]);
    }
}

#[test]
fn a_rejected_token_of_a_command_is_named_like_any_other() {
    const X: &str = "https://huggingface.co/acme/x";
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        let token = hub.add_token("vault", &[("acme", Write)]);
        machine.write("vault", format!("{token}\n"));
        let file = machine.home().join("vault");
        machine.write(
            CONFIG,
            format!(
                "[rules]\nacme = \"vault\"\n[commands]\nvault = [\"cat\", \"{}\"]\n",
                file.display()
            ),
        );
        machine.configure();
        hub.revoke("vault");
        for _ in 0..2 {
            let failed = machine.git(["ls-remote", X]).fails();
            let line = failed.helper_line();
            assert!(
                line.contains("`vault`") && line.contains("rejected"),
                "{line}"
            );
        }
        // With another at hand, the change is said too.
        machine.age_rejections(61);
        let other = hub.add_token("other", &[("acme", Write)]);
        let listed = machine.git(["ls-remote", X]).env("HF_TOKEN", &other).run();
        assert!(listed.code == 0 || !git.at_least(2, 46), "{listed}");
    }
}

/// The Hub has false 401s. Then `check`, which every message names, is the way out.
#[test]
fn check_clears_a_wrong_rejection_and_marks_a_dead_token() {
    const X: &str = "https://huggingface.co/acme/x";
    for git in gits() {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        let machine = Machine::new(&hub).with_git(&git);
        machine.configure();
        let [work, me] = ["work", "me"].map(|name| hub.add_token(name, &[("acme", Write)]));
        machine.login("work", &work, &["--for", "acme"]);
        hub.revoke("work");
        let failed = machine.git(["ls-remote", X]).fails();
        assert!(
            failed
                .helper_line()
                .contains("git credential-hf check acme/x"),
            "{failed}"
        );
        // Dead it stays, however often the Hub is asked.
        let said = machine.helper(["check", "acme/x"]).fails().stdout;
        assert!(
            said.starts_with("no: fetch from acme/x fails with token `work`"),
            "{said}"
        );
        machine.git(["ls-remote", X]).fails();
        hub.restore("work");
        machine.git(["ls-remote", X]).fails();
        let said = machine.helper(["check", "acme/x"]).ok().stdout;
        assert!(
            said.contains("`work` was rejected before, but huggingface.co accepts it"),
            "{said}"
        );
        assert!(
            said.contains("ok: fetch from acme/x works with token `work`"),
            "{said}"
        );
        let listed = machine.git(["ls-remote", X]).ok();
        assert!(listed.helper_lines().is_empty(), "{listed}");

        // And what no program has reported yet, `check` finds: git goes on without it.
        machine.login("me", &me, &["--default"]);
        hub.revoke("work");
        let said = machine.helper(["check", "acme/x"]).run();
        let goes_on = git.at_least(2, 46);
        assert_eq!(said.code, i32::from(!goes_on), "{said}");
        let told = [
            "no: fetch from acme/x fails with token `work`",
            "does not accept token `work`: run `git credential-hf login work`",
        ];
        assert!(said.stdout.contains(told[usize::from(goes_on)]), "{said}");
        hub.clear_log();
        machine.git(["ls-remote", X]).ok();
        assert_eq!(hub.tokens_seen("/"), ["me"]);
        let said = machine.helper(["check", "acme/x"]).ok().stdout;
        assert!(
            said.contains("does not accept token `work`: run `git credential-hf login work`"),
            "{said}"
        );
        assert!(
            said.contains("ok: fetch from acme/x works with token `me`"),
            "{said}"
        );
    }
}
