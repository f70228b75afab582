//! `check`: whether a read or a push would work with the token that git would get, and if not,
//! why: every reason that the Hub tells apart, as a user reads it.

use crate::hub::common::{asked, json, login, seen};
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, account, fine_grained, invalid_credentials};
use crate::support::hub::{Grants, Hub, Response, TokenSeen};
use crate::support::machine::{Machine, Output};
use serde_json::{Value, json as value};

pub const WHOAMI: &str = "/api/whoami-v2";
pub const TOKENS: &str = "https://huggingface.co/settings/tokens";

/// A machine with one token, called `work` and used for everything, and repos to check.
pub struct Checked {
    pub hub: Hub,
    machine: Machine,
    token: String,
}

impl Checked {
    pub fn new(grants: Grants, answer: Value) -> Checked {
        let hub = Hub::start();
        for (repo, private) in [
            ("alice/x", true),
            ("acme/x", true),
            ("umbrella/x", true),
            ("other/x", true),
            ("acme/open", false),
        ] {
            hub.add_repo(repo, private);
        }
        let machine = Machine::new(&hub);
        machine.configure();
        let token = hub.add_token("work", grants);
        WhoAmI::start(&hub).says("work", answer);
        login(&machine, "work", &token).ok();
        machine.helper(["use", "work", "--default"]).ok();
        hub.clear_log();
        Checked {
            hub,
            machine,
            token,
        }
    }

    fn check(&self, arguments: &[&str]) -> Output {
        self.hub.clear_log();
        let output = self.machine.helper(["check"].iter().chain(arguments)).run();
        let says = |word| {
            output
                .stdout
                .lines()
                .any(|line: &str| line.starts_with(word))
        };
        let code = match (says("ok: "), says("not known: ")) {
            (true, _) => 0,
            (false, true) => 3,
            (false, false) => 1,
        };
        assert_eq!(output.code, code, "{output}");
        output
    }

    /// Checks in vain: the reason and the help that the user sees. The Hub is asked once what
    /// the token may do, and not at all where its first answer says everything.
    pub fn fails(&self, arguments: &[&str], whoami: usize) -> (String, String) {
        self.told(arguments, whoami, ["no", "fails"])
    }

    /// The same where the Hub does not say enough.
    pub fn stays_open(&self, arguments: &[&str], whoami: usize) -> (String, String) {
        self.told(arguments, whoami, ["not known", "could not be tried"])
    }

    fn told(&self, arguments: &[&str], whoami: usize, [word, ends]: [&str; 2]) -> (String, String) {
        let output = self.check(arguments);
        let text = seen(&self.machine, &output, &self.token);
        assert_eq!(asked(&self.hub, WHOAMI), whoami, "{text}");
        let verb = if arguments.contains(&"--push") {
            "push to"
        } else {
            "fetch from"
        };
        let first = format!("{word}: {verb} {} {ends} with token `work` (", arguments[0]);
        assert!(text.starts_with(&first), "{text}");
        assert!(text.contains("` (hf_…LAST), chosen because it"), "{text}");
        let rest = text.split_once("\n  = reason: ").expect("a reason").1;
        let (reason, help) = rest.split_once("\n  = help: ").expect("a help");
        (reason.to_owned(), help.trim_end().to_owned())
    }

    /// The Hub answers a request for `acme/x` in this way, once it comes with a token.
    pub fn refs(&self, answer: Response) {
        answer_refs(&self.hub, answer);
    }

    /// The proxy, as `check` names it.
    pub fn proxy(&self) -> String {
        format!("{} (https_proxy)", self.hub.proxy_url())
    }
}

/// The Hub answers a request for `acme/x` in this way, git's and the helper's own, once it comes
/// with a token.
pub fn answer_refs(hub: &Hub, answer: Response) {
    for path in ["/acme/x/info/refs", "/acme/x.git/info/refs"] {
        let answer = answer.clone();
        hub.route("GET", "huggingface.co", path, move |request| {
            if request.token == TokenSeen::None {
                // Git sends a password only where it is asked for one in this way.
                invalid_credentials().header("WWW-Authenticate", "Basic realm=\"the Hub\"")
            } else {
                answer.clone()
            }
        });
    }
}

/// A reason and its help.
pub fn row(reason: impl Into<String>, help: impl Into<String>) -> (String, String) {
    (reason.into(), help.into())
}

#[test]
fn what_works_is_said_in_one_line_and_costs_what_git_costs() {
    let test = Checked::new(&[("acme", Write), ("alice", Write)], account("write"));
    let head = test.hub.head("acme/x");
    for (arguments, expected) in [
        (
            &["acme/x"][..],
            "ok: fetch from acme/x works with token `work` (hf_…LAST), chosen because its account is a member of acme\n",
        ),
        (
            &["acme/x", "--push"],
            "ok: push to acme/x works with token `work` (hf_…LAST), chosen because its account is a member of acme\n",
        ),
        (
            &["https://huggingface.co/acme/x/tree/main"],
            "ok: fetch from acme/x works with token `work` (hf_…LAST), chosen because its account is a member of acme\n",
        ),
        (
            &["acme/open"],
            "ok: fetch from acme/open works with no token: it is public\n",
        ),
    ] {
        let output = test.check(arguments).ok();
        assert_eq!(seen(&test.machine, &output, &test.token), expected);
        let log = test.hub.log();
        assert!((2..=3).contains(&log.len()), "{log:?}");
        let of_git = |path: &str| path.ends_with("/info/refs") || path.ends_with("-pack");
        assert!(log.iter().all(|entry| of_git(&entry.path)), "{log:?}");
        assert_eq!(test.hub.head("acme/x"), head, "a push wrote something");
    }
}

#[test]
fn a_dead_token_is_told_without_another_question() {
    let test = Checked::new(&[("acme", Write)], account("write"));
    test.hub.revoke("work");
    let expected = row(
        "the Hub does not accept the token: it was revoked, has expired, or is incomplete",
        "run `git credential-hf login work`",
    );
    assert_eq!(test.fails(&["acme/x"], 0), expected);
    assert_eq!(test.fails(&["acme/x", "--push"], 0), expected);
}

#[test]
fn a_read_token_cannot_push() {
    let test = Checked::new(&[("alice", Read)], account("read"));
    test.check(&["alice/x"]).ok();
    assert_eq!(
        test.fails(&["alice/x", "--push"], 1),
        row(
            "this is a read token, and a push needs a token that may write",
            format!("create one: {TOKENS}/new?tokenType=write")
        )
    );
}

#[test]
fn a_role_in_the_organisation_and_being_no_member_are_told_apart() {
    let test = Checked::new(&[("umbrella", Read)], account("write"));
    assert_eq!(
        test.fails(&["umbrella/x", "--push"], 1),
        row(
            "alice has the role read in umbrella, which is not enough",
            "ask an administrator of the organisation for another role"
        )
    );
    assert_eq!(
        test.fails(&["other/x"], 1),
        row(
            "alice is not a member of other",
            "use a token of an account that is: git credential-hf use NAME --for other"
        )
    );
}

#[test]
fn a_scope_that_is_missing_is_named() {
    let scopes = [
        ("model", "acme/x", &["repo.content.read"][..]),
        ("org", "umbrella", &["discussion.write"]),
    ];
    let test = Checked::new(&[("acme/x", Read)], fine_grained(&scopes));
    test.check(&["acme/x"]).ok();
    for (arguments, may, wanted) in [
        (&["acme/x", "--push"][..], "only read", "write to acme/x"),
        (&["umbrella/x"], "not read", "read umbrella/x"),
        (&["umbrella/x", "--push"], "not read", "write to umbrella/x"),
    ] {
        let reason = format!("this fine-grained token may {may} {}", arguments[0]);
        let help = format!("edit it and add a scope to {wanted}: {TOKENS}");
        assert_eq!(test.fails(arguments, 1), row(reason, help));
    }
    // The Hub hides what a token may not see, so a name that is wrong looks the same.
    assert_eq!(
        test.fails(&["acme/typo"], 1),
        row(
            "the Hub does not show acme/typo to this token: this fine-grained token may not read acme/typo",
            format!(
                "edit it and add a scope to read acme/typo: {TOKENS}; \
                 or check the name: https://huggingface.co/acme/typo"
            )
        )
    );
}

#[test]
fn a_repo_that_is_not_there_is_told_with_its_page() {
    let test = Checked::new(&[("acme", Write)], account("write"));
    assert_eq!(
        test.fails(&["datasets/acme/x"], 1),
        row(
            "datasets/acme/x does not exist, or this token may not see it",
            "check the name and its kind (datasets/.., spaces/..): https://huggingface.co/datasets/acme/x"
        )
    );
}

#[test]
fn without_a_token_only_public_repos_can_be_read() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    hub.add_repo("acme/open", false);
    let machine = Machine::new(&hub);
    machine.configure();
    let ok = machine.helper(["check", "acme/open"]).ok();
    assert_eq!(
        ok.stdout,
        "ok: fetch from acme/open works with no token: it is public\n"
    );
    for arguments in [
        &["acme/x"][..],
        &["acme/x", "--push"],
        &["acme/open", "--push"],
    ] {
        let output = machine.helper(["check"].iter().chain(arguments)).fails();
        let verb = if arguments.len() > 1 {
            "push to"
        } else {
            "fetch from"
        };
        let repo = arguments[0];
        let expected = format!(
            "no: {verb} {repo} fails with no token\n  \
             = reason: git has no token for {repo}, and the Hub asks for one\n  \
             = help: run `git credential-hf login NAME --for acme`, or set HF_TOKEN\n"
        );
        assert_eq!((output.code, output.stdout), (1, expected));
        assert_eq!(output.stderr, "");
    }
    for path in ["/acme/x/info/refs", "/acme/x.git/info/refs"] {
        let bad_gateway = |_: &_| Response::text(502, "");
        hub.route("GET", "huggingface.co", path, bad_gateway);
    }
    let output = machine.helper(["check", "acme/x"]).fails();
    let expected = format!(
        "not known: fetch from acme/x could not be tried\n  \
         = reason: the Hub answered with status 502; requests go through the proxy {} (https_proxy)\n  \
         = help: try again later\n",
        hub.proxy_url()
    );
    assert_eq!((output.code, output.stdout), (3, expected));
    assert_eq!(asked(&hub, WHOAMI), 0);
}

#[test]
fn json_names_the_reason_for_programs() {
    let test = Checked::new(&[("acme", Read)], account("write"));
    let ok = test.machine.helper(["check", "acme/x", "--json"]).ok();
    assert_eq!(
        json(&ok)["repos"],
        value!([{
            "repo": "acme/x",
            "endpoint": "https://huggingface.co",
            "operation": "fetch",
            "works": true,
            "with": format!(
                "token `work` (hf_…{}), chosen because its account is a member of acme",
                &test.token[test.token.len() - 4..]
            ),
            "kind": "stored",
            "name": "work",
            "reason": "its account is a member of acme",
            "token": format!("hf_…{}", &test.token[test.token.len() - 4..]),
            "problem": null,
            "notes": [],
        }])
    );
    for (repo, kind) in [
        ("other/x", "not-a-member"),
        ("umbrella/x", "organisation-role"),
        ("acme/x", "refused"),
        ("acme/none", "not-found"),
    ] {
        let arguments = ["check", repo, "--push", "--json"];
        let output = test.machine.helper(arguments).fails();
        let told = json(&output);
        let told = &told["repos"][0];
        assert_eq!(told["works"], false, "{told}");
        assert_eq!(told["problem"]["kind"], kind, "{told}");
        assert!(told["problem"]["help"].is_string(), "{told}");
    }
    test.hub.revoke("work");
    let output = test.machine.helper(["check", "acme/x", "--json"]).fails();
    assert_eq!(json(&output)["repos"][0]["problem"]["kind"], "token-dead");
}

#[test]
fn a_clone_checks_its_own_remotes() {
    let test = Checked::new(&[("acme", Read)], account("write"));
    let machine = &test.machine;
    machine.git(["init", "-q", "x"]).ok();
    let said = machine.helper(["check"]).dir("x").fails();
    assert!(
        said.stderr.contains("not a clone of a Hub repository"),
        "{said}"
    );
    for (name, url) in [
        ("origin", "https://huggingface.co/acme/x"),
        ("other", "https://huggingface.co/other/x"),
    ] {
        machine.git(["remote", "add", name, url]).dir("x").ok();
    }
    let said = machine.helper(["check"]).dir("x").fails();
    assert!(
        said.stdout.contains("ok: fetch from acme/x works"),
        "{said}"
    );
    assert!(
        said.stdout.contains("no: fetch from other/x fails"),
        "{said}"
    );
}
