//! `tests/live/run`, which a person runs against the live Hub, run against the stand-in: it works,
//! it shows no secret, and `tests/live/expected` is what the stand-in answers.

use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::WhoAmI;
use crate::support::machine::Machine;
use crate::support::tools::need;

#[test]
fn the_script_for_the_live_hub_says_what_the_stand_in_answers() {
    if !need("curl") {
        return;
    }
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    WhoAmI::start(&hub);
    let machine = Machine::new(&hub);
    machine.env("CURL_CA_BUNDLE", hub.ca_file());
    let mut tokens = String::new();
    for (kind, prefix, right) in [
        ("read", "hf_", Read),
        ("write", "hf_", Write),
        ("oauth", "hf_oauth_", Write),
        ("jwt", "hf_jwt_", Write),
    ] {
        let token = hub.add_token_like(prefix, kind, &[("acme", right)]);
        tokens.push_str(&format!("{kind} {token}\n"));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/run");
    let said = machine.command(script, ["acme/x"]).stdin(tokens).run();
    let rows = said.stdout.lines().filter(|line| line.contains("| same |"));
    assert_eq!((said.code, rows.count()), (0, 36), "{said}");
    assert!(!said.stdout.contains("acme"), "{said}");
}
