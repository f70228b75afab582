//! `check` against git's own verdict, over configurations that decide which login git uses, if any;
//! and that what it advises changes the verdict.

use crate::support::hub::Hub;
use crate::support::hub::Right::{Read, Write};
use crate::support::machine::{Machine, Output};
use crate::support::tools::gits;
use std::fs;

const X: &str = "https://huggingface.co/acme/x";

/// A clone of `acme/x` in `x`, the token `work` for it, and `reader`, which may only read.
struct Desk {
    hub: Hub,
    machine: Machine,
}

impl Desk {
    fn new() -> Desk {
        let hub = Hub::start();
        hub.add_repo("acme/x", true);
        hub.add_repo("acme/open", false);
        let machine = Machine::new(&hub);
        let work = hub.add_token("work", &[("acme", Write)]);
        let reader = hub.add_token("reader", &[("acme", Read)]);
        hub.add_token("other", &[("acme", Write)]);
        machine.login("work", &work, &["--for", "acme"]);
        machine.login("reader", &reader, &[]);
        machine.configure();
        machine.git(["clone", "--quiet", X]).ok();
        Desk { hub, machine }
    }

    fn git(&self, arguments: &[&str]) {
        self.machine.git(arguments).dir("x").ok();
    }

    fn config(&self, key: &str, value: &str) {
        self.git(&["config", "--global", key, value]);
    }

    fn local(&self, key: &str, value: &str) {
        self.git(&["config", "--add", key, value]);
    }

    /// Adds to the user's git configuration, below our lines.
    fn below(&self, text: &str) {
        let before = self.machine.read(".gitconfig");
        self.machine.write(".gitconfig", format!("{before}{text}"));
    }

    fn other(&self) -> String {
        self.hub.value_of("other")
    }

    fn store_has(&self, token: &str) {
        self.local("credential.helper", "");
        self.local("credential.helper", "store");
        let line = format!("https://u:{token}@huggingface.co/acme/x\n");
        self.machine.write(".git-credentials", line);
    }

    /// What git itself says.
    fn gits_verdict(&self, push: bool) -> bool {
        let push_it = ["push", "--dry-run", "origin", "HEAD:refs/heads/new"].as_slice();
        let arguments = if push {
            push_it
        } else {
            &["ls-remote", "origin"]
        };
        self.machine.git(arguments).dir("x").run().code == 0
    }

    fn check(&self, push: bool) -> Output {
        let push = push.then_some("--push");
        let check = ["check"].into_iter().chain(push);
        self.machine.helper(check).dir("x").run()
    }

    /// Does what the help of a verdict says.
    fn follow(&self, said: &Output) {
        let help = said.stdout.rsplit("  = help: ").next().expect("a help");
        let quoted = help.split('`').nth(1).unwrap_or_default();
        let words: Vec<&str> = quoted.split(' ').collect();
        if let Some((_, place)) = help.split_once("remove `")
            && !quoted.starts_with("git ")
        {
            let (_, place) = place.split_once("` from ").expect("a place");
            let (file, line) = place.split_once(", line ").expect("a line");
            let digits = line.split(|c: char| !c.is_ascii_digit()).next();
            let line: usize = digits.expect("a number").parse().expect("a number");
            let file = self.machine.home().join("x").join(file);
            let text = fs::read_to_string(&file).expect("the file");
            let left = text.lines().enumerate().filter(|(at, _)| at + 1 != line);
            let left: Vec<&str> = left.map(|(_, text)| text).collect();
            fs::write(&file, left.join("\n") + "\n").expect("write it");
        } else if help.starts_with("leave out ") {
            self.machine.unset("GIT_CONFIG_COUNT");
        } else if let Some(command) = quoted.strip_prefix("git credential-hf ") {
            self.machine.helper(command.split(' ')).dir("x").ok();
        } else {
            assert_eq!(words[0], "git", "{said}");
            self.git(&words[1..]);
        }
    }
}

struct Row {
    what: &'static str,
    push: bool,
    set: fn(&Desk),
    /// Words of the verdict.
    says: &'static [&'static str],
    then: Then,
}

/// What comes after a verdict.
#[derive(PartialEq)]
enum Then {
    /// Nothing: it works, or the help is for the Hub's pages.
    Done,
    /// What the help says makes it work.
    Helped,
    /// It is not known.
    Open,
}
use Then::{Done, Helped, Open};

const fn row(what: &'static str, set: fn(&Desk), says: &'static [&'static str], then: Then) -> Row {
    Row {
        what,
        push: false,
        set,
        says,
        then,
    }
}

const fn push(row: Row) -> Row {
    Row { push: true, ..row }
}

const ROWS: &[Row] = &[
    row(
        "a rule",
        |_| (),
        &["ok: read acme/x works with token `work`"],
        Done,
    ),
    push(row(
        "a rule",
        |_| (),
        &["ok: push acme/x works with token `work`"],
        Done,
    )),
    push(row(
        "a token that may only read",
        |desk| drop(desk.machine.helper(["use", "reader", "--for", "acme"]).ok()),
        &["no: push acme/x fails with token `reader`"],
        Done,
    )),
    row(
        "not configured",
        |desk| drop(desk.machine.helper(["unconfigure"]).ok()),
        &["git does not call this helper for https://huggingface.co\n"],
        Helped,
    ),
    row(
        "a reset in the repository",
        |desk| desk.local("credential.helper", ""),
        &["https://huggingface.co/acme/x: the empty `credential.helper` (.git/config, line "],
        Helped,
    ),
    row(
        "a reset for the namespace",
        |desk| desk.local("credential.https://huggingface.co/acme.helper", ""),
        &["(.git/config, line ", "cancels it"],
        Helped,
    ),
    row(
        "a reset for another namespace",
        |desk| desk.local("credential.https://huggingface.co/umbrella.helper", ""),
        &["ok: read acme/x works with token `work`"],
        Done,
    ),
    push(row(
        "a reset further down",
        |desk| desk.below("[credential]\n\thelper =\n"),
        &["home/.gitconfig, line "],
        Helped,
    )),
    row(
        "a reset in an included file",
        |desk| {
            desk.machine.write("more", "[credential]\n\thelper =\n");
            desk.below("[include]\n\tpath = more\n");
        },
        &["home/more, line 2)"],
        Helped,
    ),
    row(
        "a reset in a variable",
        |desk| {
            desk.machine.env("GIT_CONFIG_COUNT", "1");
            desk.machine.env("GIT_CONFIG_KEY_0", "credential.helper");
            desk.machine.env("GIT_CONFIG_VALUE_0", "");
        },
        &["the empty `credential.helper` (GIT_CONFIG_KEY_0)"],
        Helped,
    ),
    row(
        "another helper with a good token",
        |desk| desk.store_has(&desk.other()),
        &["ok: read acme/x works with another login: the helper `store` (.git/config, line "],
        Done,
    ),
    row(
        "another helper with a bad token",
        |desk| desk.store_has(&desk.hub.unknown_token()),
        &["git uses another login, which does not work: the helper `store`"],
        Helped,
    ),
    row(
        "a username that nobody has",
        |desk| desk.config("credential.username", "nobody"),
        &[
            "note: git asks with the username `nobody` (credential.username, ",
            "the username that git's configuration gives matches no stored token",
        ],
        Helped,
    ),
    push(row(
        "a username that is another token's name",
        |desk| desk.config("credential.https://huggingface.co/acme.username", "reader"),
        &[
            "no: push acme/x fails with token `reader` (hf_",
            "), chosen because the username names it",
        ],
        Done,
    )),
    row(
        "a username for another host",
        |desk| desk.config("credential.https://github.com.username", "nobody"),
        &["ok: read acme/x works with token `work`"],
        Done,
    ),
    push(row(
        "a header with a good token",
        |desk| {
            let header = format!("Authorization: Bearer {}", desk.other());
            desk.config("http.extraHeader", &header);
        },
        &["ok: push acme/x works with another login: `http.extraheader` ("],
        Done,
    )),
    row(
        "a header with a bad token",
        |desk| {
            let header = format!("Authorization: Bearer {}", desk.hub.unknown_token());
            desk.config("http.https://huggingface.co.extraHeader", &header);
        },
        &["`http.https://huggingface.co.extraheader` ("],
        Helped,
    ),
    push(row(
        "a login in ~/.netrc",
        |desk| {
            let line = format!("machine huggingface.co login u password {}\n", desk.other());
            desk.machine.write(".netrc", line);
        },
        &["ok: push acme/x works with a login from elsewhere, such as ~/.netrc"],
        Done,
    )),
    row(
        "a good login in the URL",
        |desk| {
            let url = format!("https://u:{}@huggingface.co/acme/x", desk.other());
            desk.git(&["remote", "set-url", "origin", &url]);
        },
        &["ok: read acme/x works with another login: the one in the URL"],
        Done,
    ),
    row(
        "a bad login in the URL",
        |desk| {
            let url = format!(
                "https://u:{}@huggingface.co/acme/x",
                desk.hub.unknown_token()
            );
            desk.git(&["remote", "set-url", "origin", &url]);
        },
        &["git uses another login, which does not work: the one in the URL"],
        Helped,
    ),
    row(
        "a dead token, and another in the environment",
        |desk| {
            desk.hub.revoke("work");
            desk.machine.env("HF_TOKEN", desk.other());
        },
        &[
            "ok: read acme/x works with HF_TOKEN (hf_",
            "huggingface.co does not accept token `work`",
        ],
        Done,
    ),
    row(
        "a dead token",
        |desk| desk.hub.revoke("work"),
        &["the Hub does not accept the token"],
        Done,
    ),
    row(
        "no token",
        |desk| drop(desk.machine.helper(["logout", "--all", "--yes"]).ok()),
        &["no: read acme/x fails with no token\n"],
        Done,
    ),
    row(
        "a proxy that is not there",
        |desk| desk.config("http.proxy", "http://u:p@127.0.0.1:1"),
        &[
            "not known: read acme/x could not be tried\n",
            "requests go through the proxy http://127.0.0.1:1 (`http.proxy`, ",
        ],
        Open,
    ),
    row(
        "a proxy for the Hub alone",
        |desk| {
            for name in ["HTTPS_PROXY", "https_proxy", "http_proxy"] {
                desk.machine.unset(name);
            }
            desk.config("http.proxy", "http://127.0.0.1:1");
            desk.config("http.https://huggingface.co.proxy", &desk.hub.proxy_url());
            desk.hub.revoke("work");
        },
        &["the Hub does not accept the token"],
        Done,
    ),
];

#[test]
fn check_says_what_git_does() {
    for Row {
        what,
        push,
        set,
        says,
        then,
    } in ROWS
    {
        // What git reports changes what is known, so each has a machine of its own.
        let [told, asked] = [(); 2].map(|()| {
            let desk = Desk::new();
            set(&desk);
            desk
        });
        let works = told.gits_verdict(*push);
        let said = asked.check(*push);
        let code = if *then == Open { 3 } else { i32::from(!works) };
        assert_eq!(said.code, code, "{what}: git works: {works}, {said}");
        for words in *says {
            assert!(
                said.stdout.contains(words),
                "{what}: {words:?} is not in {said}"
            );
        }
        assert_eq!(said.stderr, "", "{what}: {said}");
        if *then == Helped {
            asked.follow(&said);
            let again = asked.check(*push);
            assert_eq!(again.code, 0, "{what}, after what was advised: {again}");
            assert!(
                again.stdout.contains("with token `work`"),
                "{what}: {again}"
            );
        }
    }
}

#[test]
fn explain_and_the_request_itself_name_the_line_too() {
    let desk = Desk::new();
    desk.config("credential.username", "nobody");
    let said = desk.machine.helper(["explain"]).dir("x").ok().stdout;
    assert!(
        said.contains("git asks with the username `nobody`"),
        "{said}"
    );
    assert!(
        said.contains("remove `credential.username` from "),
        "{said}"
    );
    let failed = desk.machine.git(["fetch"]).dir("x").fails();
    let line = failed.helper_line();
    assert!(
        line.contains("the username that git's configuration gives"),
        "{line}"
    );
    assert!(line.contains("home/.gitconfig, line "), "{line}");
    desk.machine
        .helper(["token"])
        .dir("x")
        .fails()
        .says(&["home/.gitconfig, line "]);
    desk.config("credential.username", "reader");
    for command in [["token"].as_slice(), &["run", "--", "printenv", "HF_TOKEN"]] {
        let run = desk
            .machine
            .helper(command)
            .dir("x")
            .may_print_secret()
            .ok();
        assert_eq!(
            run.stdout.trim(),
            desk.hub.value_of("reader"),
            "{command:?}"
        );
    }
    // A username in the URL is the URL's.
    let url = "https://nobody@huggingface.co/acme/x";
    let said = desk.machine.helper(["explain", url]).ok().stdout;
    assert!(said.contains("the username in the URL"), "{said}");
    let failed = desk.machine.git(["ls-remote", url]).fails();
    assert!(
        failed.helper_line().contains("the username in the URL"),
        "{failed}"
    );
}

#[test]
fn a_reset_is_told_by_every_command_that_speaks_of_git() {
    let desk = Desk::new();
    desk.local("credential.helper", "");
    let words = "the empty `credential.helper` (.git/config, line ";
    let said = desk.machine.helper(["explain"]).dir("x").ok().stdout;
    assert!(said.contains(words), "{said}");
    let token = desk.machine.helper(["token"]).dir("x").may_print_secret();
    token.ok().says(&[words]);
    let run = desk.machine.helper(["run", "--", "true"]).dir("x");
    run.ok().says(&[words]);
    let said = desk
        .machine
        .helper(["doctor", "--offline"])
        .dir("x")
        .fails()
        .stdout;
    assert!(said.contains(words), "{said}");
    assert!(
        said.contains("= fix: git credential-hf configure --local"),
        "{said}"
    );
    desk.machine.helper(["configure", "--local"]).dir("x").ok();
    let said = desk
        .machine
        .helper(["doctor", "--offline"])
        .dir("x")
        .run()
        .stdout;
    assert!(!said.contains("keeps git from calling"), "{said}");
    // From git's own command line.
    let git = [
        "-c",
        "credential.helper=",
        "credential-hf",
        "check",
        "acme/x",
    ];
    let said = desk.machine.git(git).fails().stdout;
    assert!(
        said.contains("(git -c, or GIT_CONFIG_PARAMETERS)"),
        "{said}"
    );
}

#[test]
fn a_push_is_tried_without_a_commit_and_writes_nothing() {
    for git in gits() {
        let desk = Desk::new();
        let machine = desk.machine.with_git(&git);
        let head = desk.hub.head("acme/x");
        machine.git(["init", "--quiet", "new"]).ok();
        machine.git(["remote", "add", "origin", X]).dir("new").ok();
        machine
            .git(["config", "push.gpgSign", "true"])
            .dir("new")
            .ok();
        let files = || {
            let list = machine.command("find", [".", "-type", "f"]).dir("new").ok();
            list.stdout
        };
        let before = files();
        for dir in ["new", "."] {
            let said = machine.helper(["check", X, "--push"]).dir(dir).ok().stdout;
            assert!(
                said.starts_with("ok: push acme/x works with token `work`"),
                "{said}"
            );
        }
        machine
            .git(["config", "credential.helper", ""])
            .dir("new")
            .ok();
        let said = machine
            .helper(["check", "--push"])
            .dir("new")
            .fails()
            .stdout;
        assert!(said.contains("(.git/config, line "), "{said}");
        assert_eq!(files(), before);
        assert_eq!(desk.hub.head("acme/x"), head);
        // A mirror takes no refspec, and its own settings count.
        machine
            .git(["config", "remote.origin.mirror", "true"])
            .dir("x")
            .ok();
        machine.helper(["check", "--push"]).dir("x").ok();
        let left = machine.home().parent().expect("the machine").join("run");
        let left: Vec<_> = fs::read_dir(left).expect("the runtime folder").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn several_repos_are_checked_at_once() {
    let desk = Desk::new();
    let check = ["check", "acme/x", "acme/open", "acme/typo"];
    let said = desk.machine.helper(check).fails();
    let lines: Vec<&str> = said
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!((said.code, lines.len()), (1, 3), "{said}");
    assert!(
        lines[1] == "ok: read acme/open works with no token: it is public",
        "{said}"
    );
    // One that is not known does not hide one that is.
    for name in ["HTTPS_PROXY", "https_proxy"] {
        desk.machine.env(name, "http://127.0.0.1:1");
    }
    let said = desk
        .machine
        .helper(["check", "acme/x", "acme/open"])
        .fails();
    assert_eq!(said.code, 3, "{said}");
}
