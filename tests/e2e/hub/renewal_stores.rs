//! What is the same for a browser login of this helper's and for one of the hf CLI's: one policy
//! renews both.

use crate::desk::BrowserDesk;
use crate::hub::common::get;
use crate::support::user::{LOCKS, now};
use serde_json::json;
use std::fs;

/// The store of a browser login.
struct Store {
    /// A login with so many seconds left.
    desk: fn(i64) -> BrowserDesk,
    /// A lifetime with which a new token is due at once, in seconds.
    short: u64,
    /// What is locked for a renewal.
    lock: &'static str,
    /// The command that is advised where nothing can renew it any more.
    remedy: &'static str,
}

const STORES: [Store; 2] = [
    Store {
        desk: |left| BrowserDesk::new(left.unsigned_abs()),
        short: 60,
        lock: LOCKS,
        remedy: "run `git credential-hf login me --web`",
    },
    Store {
        desk: |left| BrowserDesk::before_login(left.unsigned_abs()).in_hf_cli(left),
        short: 8 * 3600,
        lock: ".cache/huggingface/stored_tokens.lock",
        remedy: "run `hf auth login --force`",
    },
];

#[test]
fn twenty_at_once_renew_once() {
    for store in STORES {
        let desk = (store.desk)(60);
        let BrowserDesk { machine, oauth, .. } = &desk;
        // The first one is held up, so that all others come while the renewal is under way.
        oauth.hold();
        let all: Vec<_> = (0..20).map(|_| get(machine, "alice/x").start()).collect();
        oauth.wait_for_renewals(1);
        for started in &all {
            started.wait_until_it_opens(store.lock);
        }
        oauth.release();
        for started in all {
            let output = started.wait().ok();
            assert_eq!(desk.label(&output), "oauth 2");
            assert_eq!(output.stderr, "");
            let expiry = output.value("password_expiry_utc").expect("its end");
            assert!(expiry.parse::<u64>().expect("a number") > now() + 3000);
        }
        assert_eq!(oauth.renewals(), 1);
    }
}

#[test]
fn a_short_lived_login_is_not_renewed_for_every_request() {
    for store in STORES {
        let desk = (store.desk)(60);
        desk.oauth.expires_in(store.short);
        for _ in 0..3 {
            assert_eq!(desk.label(&desk.get()), "oauth 2");
        }
        assert_eq!(desk.oauth.renewals(), 1);
    }
}

#[test]
fn a_login_that_cannot_be_renewed_is_used_while_it_is_good() {
    for store in STORES {
        let desk = (store.desk)(600);
        for (status, body) in [
            (500, json!({})),
            (503, json!({ "error": "maintenance" })),
            (400, json!({ "error": "temporarily_unavailable" })),
            (200, json!({ "nonsense": true })),
        ] {
            desk.oauth.fails_with(Some((status, body)));
            let output = desk.get();
            assert_eq!(desk.label(&output), "oauth 1", "status {status}");
            assert_eq!(output.stderr, "");
        }
        // The user should know while there is time.
        let gone = json!({ "error": "invalid_grant" });
        desk.oauth.fails_with(Some((400, gone)));
        let output = desk.get();
        assert_eq!(desk.label(&output), "oauth 1");
        assert!(output.helper_line().ends_with(store.remedy), "{output}");
        desk.oauth.fails_with(None);
        assert_eq!(desk.label(&desk.get()), "oauth 2");
    }
}

/// The Hub has given the only refresh token to a process that is gone: better said now than when
/// the old token has expired.
#[test]
fn a_renewal_killed_at_its_request_leaves_the_login_whole_and_is_said() {
    for store in STORES {
        let desk = (store.desk)(600);
        let BrowserDesk { machine, oauth, .. } = &desk;
        let files = machine.files_with_secrets();
        let contents = || -> Vec<Vec<u8>> {
            let files = files.iter();
            files.map(|path| fs::read(path).expect("a file")).collect()
        };
        let before = contents();
        oauth.hold();
        let killed = get(machine, "alice/x").start();
        oauth.wait_for_renewals(1);
        killed.kill();
        oauth.release();
        assert!(contents() == before && !before.is_empty());
        let output = desk.get();
        assert_eq!(desk.label(&output), "oauth 1");
        assert!(output.helper_line().ends_with(store.remedy), "{output}");
    }
}
