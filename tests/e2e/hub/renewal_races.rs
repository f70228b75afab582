//! Renewals that are killed, or meet a login, a logout or each other.

use crate::desk::BrowserDesk;
use crate::hub::common::{get, login, names};
use crate::support::hub::Right::Write;
use crate::support::user::{LOCKS, STATE};

/// Between the two writes of a renewal: the storage has the new token, the state the old one's
/// fingerprint. What is known of the account is as true as before.
#[test]
fn a_renewal_killed_between_its_writes_keeps_what_is_known_of_the_account() {
    let desk = BrowserDesk::new(60);
    let before = desk.machine.read(STATE);
    assert_eq!(desk.label(&desk.get()), "oauth 2");
    desk.machine.write(STATE, before);
    assert_eq!(desk.label(&desk.get()), "oauth 2");
    let token = &desk.machine.state()["tokens"]["me"];
    assert_eq!(token["facts"]["account"], "alice", "{token}");
    // The second time nothing is left to choose it by.
    assert_eq!(desk.label(&desk.get()), "oauth 2");
}

/// The same without a kill: a `get` that read the state before the renewal and the storage after.
#[test]
fn many_at_once_keep_what_is_known_of_the_account() {
    for _ in 0..5 {
        let desk = BrowserDesk::new(60);
        let all: Vec<_> = (0..30)
            .map(|_| get(&desk.machine, "alice/x").start())
            .collect();
        for started in all {
            let output = started.wait().ok();
            assert_eq!(desk.label(&output), "oauth 2", "{output}");
        }
        let token = &desk.machine.state()["tokens"]["me"];
        assert_eq!(token["facts"]["account"], "alice", "{token}");
    }
}

#[test]
fn a_logout_during_a_renewal_leaves_no_secret_behind() {
    let desk = BrowserDesk::new(60);
    desk.oauth.hold();
    let renewing = get(&desk.machine, "alice/x").start();
    desk.oauth.wait_for_renewals(1);
    let logout = desk.machine.helper(["logout", "me"]).start();
    logout.wait_until_it_opens(LOCKS);
    desk.oauth.release();
    logout.wait().ok();
    renewing.wait();
    assert!(names(&desk.machine).is_empty());
    let left = desk.machine.files_with_secrets();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_login_during_a_renewal_is_not_undone_by_it() {
    let desk = BrowserDesk::new(60);
    let new = desk.hub.add_token("new", &[("alice", Write)]);
    desk.oauth.hold();
    let renewing = get(&desk.machine, "alice/x").start();
    desk.oauth.wait_for_renewals(1);
    let login = login(&desk.machine, "me", &new).start();
    login.wait_until_it_opens(LOCKS);
    desk.oauth.release();
    login.wait().ok();
    renewing.wait();
    assert_eq!(desk.label(&desk.get()), "new");
}

#[test]
fn refresh_names_the_token_once() {
    let desk = BrowserDesk::new(600);
    let failure = serde_json::json!({ "error": "invalid_grant" });
    desk.oauth.fails_with(Some((400, failure)));
    let output = desk.machine.helper(["refresh", "me"]).fails();
    assert_eq!(output.stdout.matches("`me`").count(), 1, "{output}");
}

/// The Hub ended the access token, but the refresh token is good: one more try is worth it.
#[test]
fn a_rejected_token_that_can_be_renewed_is_renewed() {
    let desk = BrowserDesk::new(3600);
    desk.hub.add_repo("alice/x", true);
    desk.machine.configure();
    // It has been good for a while.
    let mut state = desk.machine.state();
    state["tokens"]["me"]["added"] = 1_700_000_000.into();
    desk.machine.write(STATE, state.to_string());
    desk.hub.revoke("oauth 1");
    let url = "https://huggingface.co/alice/x";
    desk.machine.git(["ls-remote", url]).run();
    desk.machine.git(["ls-remote", url]).ok();
}

/// A Hub that does not answer costs one of them ten seconds, and the others what is left of it.
#[test]
fn those_who_wait_for_a_renewal_that_hangs_do_not_each_try_it_too() {
    let desk = BrowserDesk::new(600);
    desk.oauth.hold();
    let first = get(&desk.machine, "alice/x").start();
    desk.oauth.wait_for_renewals(1);
    let others: Vec<_> = (0..5)
        .map(|_| get(&desk.machine, "alice/x").start())
        .collect();
    for started in others.into_iter().chain([first]) {
        let output = started.wait().ok();
        assert_eq!(desk.label(&output), "oauth 1", "{output}");
    }
    assert_eq!(desk.label(&desk.get()), "oauth 1");
    assert_eq!(desk.oauth.renewals(), 1);
    desk.oauth.release();
    // Who asks for it gets another try, and a clock that was wrong is no reason to wait.
    let mut state = desk.machine.state();
    let failed = &mut state["tokens"]["me"]["renewal_failed"];
    assert!(failed.is_u64(), "nothing was remembered");
    *failed = 4_102_444_800_u64.into();
    desk.machine.write(STATE, state.to_string());
    let output = desk.get();
    assert_eq!(desk.oauth.renewals(), 2, "{output}");
}
