//! `store` and `erase`: what was typed at git's prompt is kept as git scoped it, and nothing else.

use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::CONFIG;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

const HUB: &str = "protocol=https\nhost=huggingface.co\n";
const CORP: &str = "protocol=https\nhost=hub.corp.example\n";

/// A machine whose tokens go to the file storage, with a second endpoint.
fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(
        CONFIG,
        "version = 1\nstorage = \"file\"\nhints = false\n\
         [endpoints]\n\"https://hub.corp.example\" = {}\n",
    );
    (hub, machine)
}

/// The password that is answered to a request.
fn answered(machine: &Machine, request: &str) -> Option<String> {
    let answer = machine.ask("get", request).ok();
    answer.value("password").map(str::to_owned)
}

fn store(machine: &Machine, request: &str) {
    machine.ask("store", request).silent();
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock").as_secs()
}

#[test]
fn a_typed_token_is_kept_for_the_repo_and_user_that_git_named() {
    let (hub, machine) = machine();
    let token = hub.add_token("typed", &[]);
    let secret = format!("username=alice\npassword={token}\n");
    store(&machine, &format!("{HUB}path=acme/x\n{secret}"));
    for (request, given) in [
        ("path=acme/x\n", true),
        ("path=acme/x.git\n", true),
        ("path=Acme/X\n", true),
        ("path=acme/x.git/info/lfs\n", true),
        ("path=acme/x\nusername=alice\n", true),
        ("path=acme/x\nusername=git\n", true),
        ("path=acme/x\nusername=bob\n", false),
        ("path=acme/y\n", false),
        ("path=acme\n", false),
        ("path=datasets/acme/x\n", false),
        ("path=acme/x/y\n", false),
        ("", false),
    ] {
        let password = answered(&machine, &format!("{HUB}{request}"));
        assert_eq!(password.is_some(), given, "{request:?}");
    }
    let answer = machine.ask("get", format!("{HUB}path=acme/x\n"));
    assert_eq!(answer.value("username"), Some("alice"));
    assert_eq!(answered(&machine, &format!("{CORP}path=acme/x\n")), None);
    let listed = machine.helper(["list"]).ok().stdout;
    assert!(
        listed.contains("alice") && listed.contains("acme/x"),
        "{listed}"
    );
    let explained = machine.helper(["explain", "acme/x"]).ok().stdout;
    assert!(explained.contains("kept by git for acme/x"), "{explained}");
    // A new one takes the place of the old one.
    let newer = hub.add_token("newer", &[]);
    store(
        &machine,
        &format!("{HUB}path=acme/x\nusername=alice\npassword={newer}\n"),
    );
    assert_eq!(machine.names().len(), 1);
    let password = answered(&machine, &format!("{HUB}path=acme/x\n"));
    assert_eq!(password, Some(newer));
}

#[test]
fn without_a_path_it_is_for_the_host_newest_first() {
    let (hub, machine) = machine();
    let [first, second, default] = ["first", "second", "default"].map(|n| hub.add_token(n, &[]));
    for (user, token) in [("alice", &first), ("bob", &second)] {
        store(
            &machine,
            &format!("{HUB}username={user}\npassword={token}\n"),
        );
    }
    let ask = |more: &str| answered(&machine, &format!("{HUB}{more}"));
    assert_eq!(ask("path=acme/x\n").as_ref(), Some(&second));
    assert_eq!(ask("username=alice\n").as_ref(), Some(&first));
    assert_eq!(ask("username=carol\n"), None);
    machine.login("me", &default, &["--default"]);
    assert_eq!(ask("path=acme/x\n").as_ref(), Some(&default));
    assert_eq!(ask("path=acme/x\nusername=bob\n").as_ref(), Some(&second));
}

#[test]
fn an_account_password_is_refused_on_the_public_hub_and_kept_elsewhere() {
    let (_hub, machine) = machine();
    let password = "correct horse battery staple";
    machine.forbid(password);
    let typed = format!("path=acme/x\nusername=alice\npassword={password}\n");
    let refused = machine.ask("store", format!("{HUB}{typed}"));
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    refused.says(&["not a Hub token", "https://huggingface.co/settings/tokens"]);
    assert_eq!(answered(&machine, &format!("{HUB}path=acme/x\n")), None);
    assert!(machine.files_with_secrets().is_empty());

    store(&machine, &format!("{CORP}{typed}"));
    let kept = answered(&machine, &format!("{CORP}path=acme/x\n"));
    assert_eq!(kept.as_deref(), Some(password));
    // Nothing of it is in what may be shown.
    let listed = machine.helper(["list", "--json"]).ok().stdout;
    assert!(
        !listed.contains("staple") && !listed.contains("aple"),
        "{listed}"
    );
}

#[test]
fn an_empty_password_is_one_on_another_endpoint() {
    let (_hub, machine) = machine();
    store(&machine, &format!("{CORP}username=alice\npassword=\n"));
    let answer = machine.ask("get", CORP).ok();
    assert_eq!(answer.value("username"), Some("alice"));
    assert_eq!(answer.value("password"), Some(""));
    machine
        .ask("store", format!("{HUB}username=a\npassword=\n"))
        .fails();
}

#[test]
fn what_is_known_or_not_to_be_kept_is_not_stored() {
    let (hub, machine) = machine();
    let [work, env, typed] = ["work", "env", "typed"].map(|name| hub.add_token(name, &[]));
    machine.login("work", &work, &["--for", "acme"]);
    let before = machine.state();
    let secret = |token: &str| format!("username=hf_user\npassword={token}\n");
    store(&machine, &format!("{HUB}path=acme/x\n{}", secret(&work)));
    store(&machine, &format!("{HUB}path=else/x\n{}", secret(&work)));
    let from_env = machine.helper(["store"]).env("HF_TOKEN", &env);
    let request = format!("{HUB}path=acme/x\n{}", secret(&env));
    from_env.stdin(request).run().silent();
    for value in ["1", "true"] {
        let ephemeral = format!("{HUB}path=acme/x\nephemeral={value}\n{}", secret(&typed));
        store(&machine, &ephemeral);
    }
    // Nothing to keep: no password at all.
    store(&machine, &format!("{HUB}path=acme/x\nusername=alice\n"));
    // With our state[], it is known whatever its source is now.
    let ask = machine.helper(["get"]).env("HF_TOKEN", &env);
    let request = format!("capability[]=state\n{HUB}path=else/x\n");
    let answer = ask.stdin(request).may_print_secret().ok();
    let state = answer.value("state[]").expect("a state");
    let request = format!("{HUB}path=else/x\nstate[]={state}\n{}", secret(&env));
    store(&machine, &request);
    assert_eq!(machine.state(), before);
}

#[test]
fn expiry_and_refresh_token_are_given_back() {
    let (hub, machine) = machine();
    let token = hub.add_token_like("hf_oauth_", "browser", &[]);
    machine.forbid("refresh-me-later");
    let later = now() + 3600;
    let kept = |at: u64| {
        format!(
            "{HUB}path=acme/x\nusername=alice\npassword={token}\n\
             password_expiry_utc={at}\noauth_refresh_token=refresh-me-later\n"
        )
    };
    store(&machine, &kept(later));
    let answer = machine.ask("get", format!("{HUB}path=acme/x\n")).ok();
    let later = later.to_string();
    assert_eq!(answer.value("password_expiry_utc"), Some(later.as_str()));
    assert_eq!(
        answer.value("oauth_refresh_token"),
        Some("refresh-me-later")
    );
    // The same token with a new expiry is a new fact.
    let sooner = now() + 1800;
    store(&machine, &kept(sooner));
    let answer = machine.ask("get", format!("{HUB}path=acme/x\n")).ok();
    let sooner = sooner.to_string();
    assert_eq!(answer.value("password_expiry_utc"), Some(sooner.as_str()));
    // What has expired is not answered, and that is said.
    store(&machine, &kept(now() - 60));
    let answer = machine.ask("get", format!("{HUB}path=acme/x\n")).ok();
    assert_eq!(answer.stdout, "");
    assert!(answer.helper_line().contains("has expired"), "{answer}");
}

#[test]
fn erase_with_a_password_touches_only_that_secret() {
    let (hub, machine) = machine();
    let [typed, other] = ["typed", "other"].map(|name| hub.add_token(name, &[]));
    let scope = format!("{HUB}path=acme/x\nusername=alice\n");
    store(&machine, &format!("{scope}password={typed}\n"));
    let before = machine.state();
    machine
        .ask("erase", format!("{scope}password={other}\n"))
        .silent();
    machine.ask("erase", format!("{scope}password=\n")).silent();
    assert_eq!(machine.state(), before);
    assert_eq!(answered(&machine, &scope).as_ref(), Some(&typed));
    machine
        .ask("erase", format!("{scope}password={typed}\n"))
        .ok();
    assert_eq!(answered(&machine, &scope), None);
    assert!(machine.names().is_empty());
    assert!(machine.files_with_secrets().is_empty());
}

#[test]
fn erase_of_a_token_from_login_marks_it_and_keeps_it() {
    let (hub, machine) = machine();
    let token = hub.add_token("work", &[]);
    machine.login("work", &token, &["--for", "acme"]);
    let request = format!("{HUB}path=acme/x\nusername=hf_user\npassword={token}\n");
    let erased = machine.ask("erase", request).ok();
    let line = erased.helper_line();
    assert!(
        line.contains("`work`") && line.contains("login work"),
        "{line}"
    );
    assert!(machine.names().contains("work"));
    assert_eq!(machine.files_with_secrets().len(), 1);
    let answer = machine.ask("get", format!("{HUB}path=acme/x\n"));
    assert_eq!(answer.stdout, "quit=1\n");
    // On another host, the same value means nothing.
    let elsewhere = format!("{CORP}path=acme/x\nusername=u\npassword={token}\n");
    machine.ask("erase", elsewhere).silent();
}

#[test]
fn erase_without_a_password_removes_what_store_kept_in_that_scope() {
    for (request, left) in [
        ("path=acme/x\nusername=alice\n", 3),
        ("path=acme/x.git\nusername=alice\n", 3),
        ("username=alice\n", 2),
        ("path=acme/x\n", 2),
        ("path=acme/y\n", 4),
        ("username=carol\n", 4),
        ("", 1),
    ] {
        let (hub, machine) = machine();
        let login = hub.add_token("work", &[]);
        machine.login("work", &login, &["--for", "acme", "--default"]);
        for (name, scope) in [
            ("one", "path=acme/x\nusername=alice\n"),
            ("two", "path=acme/x\nusername=bob\n"),
            ("three", "username=alice\n"),
        ] {
            let token = hub.add_token(name, &[]);
            store(&machine, &format!("{HUB}{scope}password={token}\n"));
        }
        assert_eq!(machine.names().len(), 4);
        machine.ask("erase", format!("{HUB}{request}")).silent();
        let names = machine.names();
        assert_eq!(names.len(), left, "{request:?}: {names:?}");
        assert!(names.contains("work"), "{request:?}");
        assert_eq!(machine.files_with_secrets().len(), left, "{request:?}");
        let password = answered(&machine, &format!("{HUB}path=other/z\nusername=work\n"));
        assert_eq!(password, Some(login), "{request:?}");
    }
}

#[test]
fn gits_own_approve_fill_and_reject_go_round() {
    for git in gits() {
        let (hub, machine) = machine();
        let machine = machine.with_git(&git);
        machine.configure();
        let token = hub.add_token("typed", &[]);
        let url = "url=https://huggingface.co/acme/x\n";
        let git = |verb: &str, request: String| {
            let git = machine.git(["credential", verb]).stdin(request);
            git.may_print_secret().run()
        };
        git(
            "approve",
            format!("{url}username=alice\npassword={token}\n\n"),
        )
        .ok();
        let filled = git("fill", format!("{url}\n")).ok();
        assert_eq!(filled.value("password"), Some(token.as_str()));
        // What the hf CLI does at its logout names another user, and removes nothing of this.
        let hub_wide = "url=https://huggingface.co\nusername=hf_user\n\n";
        git("reject", hub_wide.to_owned()).ok();
        assert_eq!(machine.names().len(), 1);
        git(
            "reject",
            format!("{url}username=alice\npassword={token}\n\n"),
        )
        .ok();
        git("fill", format!("{url}\n")).fails();
        assert!(
            fs::read_dir(machine.home().join(".local/share/git-credential-hf/tokens"))
                .is_ok_and(|folder| folder.count() == 0)
        );
    }
}

#[test]
fn what_was_kept_for_the_host_is_not_kept_again_for_each_repo() {
    let (hub, machine) = machine();
    let other = hub.add_token("other", &[]);
    for (host, token) in [
        (HUB, hub.add_token("typed", &[])),
        (CORP, "a password".to_owned()),
    ] {
        store(
            &machine,
            &format!("{host}username=alice\npassword={token}\n"),
        );
        let names = machine.names();
        // An older git brings back what it was given, without saying where it comes from.
        store(
            &machine,
            &format!("{host}path=acme/x\nusername=alice\npassword={token}\n"),
        );
        assert_eq!(machine.names(), names);
        // Typed for one repo, it is kept for that one; typed for another, for that too.
        for path in ["acme/y", "acme/z"] {
            store(
                &machine,
                &format!("{host}path={path}\nusername=alice\npassword={other}\n"),
            );
            let request = format!("{host}path={path}\n");
            assert_eq!(
                answered(&machine, &request).as_deref(),
                Some(other.as_str())
            );
        }
    }
}

#[test]
fn a_token_that_was_replaced_can_be_typed_again() {
    let (hub, machine) = machine();
    let (one, two) = (hub.add_token("one", &[]), hub.add_token("two", &[]));
    let request = format!("{HUB}path=acme/x\n");
    for token in [&one, &two, &one] {
        store(
            &machine,
            &format!("{request}username=alice\npassword={token}\n"),
        );
        assert_eq!(answered(&machine, &request).as_ref(), Some(token));
    }
}
