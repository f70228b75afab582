//! `store` and `erase`: what was typed at git's prompt is kept as git scoped it, and nothing else.

use crate::support::hub::Hub;
use crate::support::machine::Machine;
use crate::support::tools::gits;
use crate::support::user::{CONFIG, TYPED, now};
use serde_json::json;
use std::fs;

const HUB: &str = "protocol=https\nhost=huggingface.co\n";
/// Another Hub.
const OTHER: &str = "protocol=https\nhost=hub.other.example\n";
/// A server that is no Hub: whatever git hands over is saved.
const CORP: &str = "protocol=https\nhost=hub.corp.example\n";

/// A machine whose tokens go to the file storage, with a second endpoint.
fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    machine.write(
        CONFIG,
        "version = 1\nstorage = \"file\"\nhints = false\n\
         [endpoints]\n\"https://hub.corp.example\" = { save = \"any\" }\n\
         \"https://hub.other.example\" = {}\n",
    );
    (hub, machine)
}

/// The password that is answered to a request.
fn answered(machine: &Machine, request: &str) -> Option<String> {
    let answer = machine.ask("get", request).ok();
    answer.value("password").map(str::to_owned)
}

fn store(machine: &Machine, request: &str) {
    machine.store_typed(request).silent();
}

#[test]
fn a_typed_token_is_saved_for_the_repo_and_user_that_git_named() {
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
        listed.contains("git:alice@huggingface.co/acme/x"),
        "{listed}"
    );
    // Whose token it is, only the Hub can tell.
    let listed = machine.helper(["list", "--json"]).ok().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let token = &listed["tokens"][0];
    assert_eq!(
        (&token["account"], &token["username"]),
        (&json!(null), &json!("alice"))
    );
    let explained = machine.helper(["explain", "acme/x"]).ok().stdout;
    assert!(explained.contains("git saved it for acme/x"), "{explained}");
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
fn an_account_password_is_refused_on_any_hub_and_saved_where_anything_is() {
    let (_hub, machine) = machine();
    let password = "correct horse battery staple";
    machine.forbid(password);
    let typed = format!("path=acme/x\nusername=alice\npassword={password}\n");
    let refused = machine.store_typed(format!("{HUB}{typed}"));
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    refused.says(&["not a Hub token", "https://huggingface.co/settings/tokens"]);
    machine.store_typed(format!("{OTHER}{typed}")).fails();
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
        .store_typed(format!("{HUB}username=a\npassword=\n"))
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
    let request = format!("{TYPED}{HUB}path=acme/x\n{}", secret(&env));
    from_env.stdin(request).run().silent();
    for value in ["1", "true"] {
        let ephemeral = format!("{HUB}path=acme/x\nephemeral={value}\n{}", secret(&typed));
        store(&machine, &ephemeral);
    }
    // Nothing to keep: no password at all.
    store(&machine, &format!("{HUB}path=acme/x\nusername=alice\n"));
    // What the hf CLI has is known, by name as well as active; and an exchange's token is the job's.
    let named = hub.add_token("named", &[]);
    machine.write(
        ".cache/huggingface/stored_tokens",
        format!("[laptop]\nhf_token = {named}\n"),
    );
    let exchanged = hub.add_token_like("hf_jwt_", "exchanged", &[]);
    for token in [&named, &exchanged] {
        store(&machine, &format!("{HUB}path=else/x\n{}", secret(token)));
        store(&machine, &format!("{HUB}{}", secret(token)));
    }
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
fn gits_own_fill_approve_and_reject_go_round() {
    for git in gits() {
        let (hub, machine) = machine();
        let machine = machine.with_git(&git);
        machine.configure();
        let token = hub.add_token("typed", &[]);
        machine.answer_prompts_with(&token);
        let url = "url=https://huggingface.co/acme/x\n";
        let state = "capability[]=state\n";
        let git_does = |verb: &str, request: String| {
            let git = machine.git(["credential", verb]).stdin(request);
            git.may_print_secret().run()
        };
        // A login from anywhere else, such as a URL, is accepted by the server just as well.
        let login = format!("{url}username=alice\npassword={token}\n\n");
        git_does("approve", login.clone()).silent();
        assert!(machine.files_with_secrets().is_empty());

        let filled = git_does("fill", format!("{url}{state}\n")).ok();
        assert_eq!(filled.value("password"), Some(token.as_str()));
        git_does("approve", format!("{}\n", filled.stdout)).silent();
        // Before git 2.46 nothing tells what a person typed.
        assert_eq!(
            !machine.files_with_secrets().is_empty(),
            git.at_least(2, 46)
        );
        if machine.files_with_secrets().is_empty() {
            continue;
        }
        machine.unset("GIT_ASKPASS");
        let filled = git_does("fill", format!("{url}\n")).ok();
        assert_eq!(filled.value("password"), Some(token.as_str()));
        // What the hf CLI does at its logout names another user, and removes nothing of this.
        let hub_wide = "url=https://huggingface.co\nusername=hf_user\n\n";
        git_does("reject", hub_wide.to_owned()).ok();
        assert_eq!(machine.names().len(), 1);
        git_does("reject", login).ok();
        // It is gone, and not rejected: git asks the person again.
        assert_eq!(machine.state()["rejected"], json!({}));
        let failed = git_does("fill", format!("{url}\n")).fails();
        assert!(
            failed.stderr.contains("could not read Username"),
            "{failed}"
        );
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
