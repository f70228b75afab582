//! `import`: the places that tokens lie in, whose they are, and what else may lie there.

use crate::hub::common::{get, json, label, only_the_storage_holds_secrets};
use crate::import::common::{ACTIVE, Desk, STORED, WHOAMI, everywhere, status};
use crate::support::hf::hf;
use crate::support::hub::Right::Read;
use crate::support::hub::api::account;
use crate::support::hub::{Request, Response, TokenSeen};
use crate::support::machine::Output;
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, pushed_with, read_with};
use std::fs;

#[test]
fn the_hf_cli_reads_its_files_afterwards() {
    let Some(hf) = hf() else { return };
    let desk = Desk::to_import();
    desk.machine.env("HF_ENDPOINT", "https://huggingface.co");
    let [one, two] = ["one", "two"].map(|label| desk.named_token(label, "acme"));
    for token in [&one, &two] {
        let login = ["auth", "login", "--token", token];
        desk.machine.hf(&hf, login).ok();
    }
    let list = || desk.machine.hf(&hf, ["auth", "list"]).run();
    assert!(list().ok().stdout.contains("two"));
    // Two of its three are moved; the third is from a browser login and stays.
    let browser = desk.hub.add_token_like("hf_oauth_", "browser", &[]);
    let stored = desk.machine.read(STORED);
    let renewed =
        format!("[web]\nhf_token = {browser}\nrefresh_token = r\nexpires_at = 4102444800\n\n");
    desk.machine.write(STORED, format!("{stored}{renewed}"));
    desk.import(["hf", "--remove"]).ok();
    assert_eq!(desk.machine.read(STORED), renewed);
    let left = list().ok();
    assert!(
        left.stdout.contains("web") && !left.stdout.contains("one"),
        "{left}"
    );
    assert_eq!(desk.value("one"), Some(one));
    assert_eq!(desk.value("two"), Some(two));
}

#[test]
fn what_a_rule_names_stays_in_the_hf_clis_files() {
    let desk = Desk::to_import();
    let token = desk.named_token("work", "acme");
    desk.machine
        .write(STORED, format!("[mine]\nhf_token = {token}\n"));
    desk.machine
        .helper(["use", "hf:mine", "--for", "acme"])
        .ok();
    let output = desk.import(["hf", "--remove"]).fails();
    output.says(&["names `hf:mine`"]);
    assert!(desk.machine.read(STORED).contains(&token));
    desk.machine.helper(["use", "work", "--for", "acme"]).ok();
    desk.import(["hf", "--remove"]).ok();
    assert_eq!(desk.machine.read(STORED), "");
}

#[test]
fn nobody_but_the_hub_that_a_token_is_there_for_is_asked() {
    let desk = Desk::to_import();
    let names = ["hub", "corp", "evil", "plain", "sub", "default"];
    let [hub, corp, evil, plain, sub, default] = names.map(|label| desk.named_token(label, "acme"));
    let whoami = |request: &Request| match request.token {
        TokenSeen::Known(_) => Response::json(200, &account("read")),
        _ => Response::text(401, "no"),
    };
    desk.hub.route("GET", "hub.corp.example", WHOAMI, whoami);
    desk.hub.route("GET", "evil.example", WHOAMI, whoami);
    let config =
        "version = 1\nstorage = \"file\"\n[endpoints]\n\"https://hub.corp.example\" = {}\n";
    desk.machine.write(CONFIG, config);
    desk.machine.configure();
    let file = format!(
        "https://u:{evil}@huggingface.co.evil.example\nhttps://u:{evil}@evil.example\n\
         http://u:{plain}@huggingface.co\nhttps://u:{sub}@cdn.huggingface.co\n\
         https://u:{evil}@huggingface.co:443@evil.example/\nhttps://u:{evil}@huggingface.co%2eevil.example\n\
         https://u:{hub}@HuggingFace.co:443/\n"
    );
    desk.machine.write(".git-credentials", &file);
    desk.machine.write(
        ".netrc",
        format!("machine hub.corp.example password {corp}\nmachine evil.example password {evil}\ndefault password {default}\n"),
    );
    let told = json(&desk.import(["--remove", "--json"]).ok());
    assert_eq!(told["tokens"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(status(&told, &corp)["endpoint"], "https://hub.corp.example");
    let log = desk.hub.log();
    let seen: Vec<(&str, &TokenSeen)> =
        log.iter().map(|it| (it.host.as_str(), &it.token)).collect();
    let known = |label: &str| TokenSeen::Known(label.into());
    assert_eq!(
        seen,
        [
            ("huggingface.co", &known("hub")),
            ("hub.corp.example", &known("corp"))
        ]
    );
    // What is another host's stays there, and is named.
    let left = desk.machine.read(".git-credentials");
    assert_eq!(
        left,
        file.replace(&format!("https://u:{hub}@HuggingFace.co:443/\n"), "")
    );
    assert_eq!(
        desk.machine.read(".netrc"),
        format!("machine evil.example password {evil}\ndefault password {default}\n")
    );
    assert_eq!(told["skipped"].as_array().map(Vec::len), Some(8), "{told}");
}

#[test]
fn what_is_no_token_to_move_says_why_and_stays() {
    let desk = Desk::to_import();
    let organisation = desk.hub.add_token_like("api_org_", "org", &[]);
    let browser = desk.hub.add_token_like("hf_oauth_", "browser", &[]);
    let job = desk.hub.add_token_like("hf_jwt_", "job", &[]);
    let password = "correct horse battery";
    desk.machine.forbid(password);
    let file = format!(
        "https://u:{organisation}@huggingface.co\nhttps://u:{browser}@huggingface.co\n\
         https://u:{job}@huggingface.co\nhttps://u:correct%20horse%20battery@huggingface.co\n\
         https://u:a%0Ab@huggingface.co\n"
    );
    desk.machine.write(".git-credentials", &file);
    let refresh = "refresh-me-refresh-me";
    desk.machine.forbid(refresh);
    let stored =
        format!("[web]\nhf_token = {browser}\nrefresh_token = {refresh}\nexpires_at = 1\n");
    desk.machine.write(STORED, &stored);
    desk.machine.write(ACTIVE, &browser);
    let output = desk.import(["--remove"]).ok();
    for reason in [
        "an organisation token, which the Hub no longer accepts",
        "from a browser login",
        "use hf:web",
        "a CI job's token",
        "not a Hub token; the Hub does not accept account passwords",
        "a line break or another control character",
    ] {
        assert!(output.stdout.contains(reason), "{reason}: {output}");
    }
    assert_eq!(desk.machine.read(".git-credentials"), file);
    assert_eq!(desk.machine.read(STORED), stored);
    assert!(
        desk.hub.log().is_empty() && !desk.machine.home().join(DATA).join("state.json").exists()
    );
}

#[test]
fn a_push_url_of_its_own_keeps_its_token() {
    let desk = Desk::to_import();
    desk.hub.add_repo("acme/x", true);
    let reader = desk.hub.add_token("my reader", &[("acme", Read)]);
    let writer = desk.named_token("writer", "acme");
    let mut says = account("read");
    says["auth"]["accessToken"]["displayName"] = "my reader".into();
    desk.whoami.says("my reader", says);
    desk.machine
        .git([
            "clone",
            "--quiet",
            &format!("https://u:{reader}@huggingface.co/acme/x"),
        ])
        .ok();
    let push = format!("\tpushurl = https://u:{writer}@huggingface.co/acme/x\n");
    let config = desk.machine.read("x/.git/config");
    let with_push = config.replace("\tfetch = ", &format!("{push}\tfetch = "));
    desk.machine.write("x/.git/config", with_push);
    desk.import(["remotes", "--remove"]).dir("x").ok();
    let config = desk.machine.read("x/.git/config");
    assert!(
        config.contains("url = https://my%20reader@huggingface.co/acme/x\n")
            && config.contains("pushurl = https://writer@huggingface.co/acme/x\n"),
        "{config}"
    );
    desk.hub.clear_log();
    desk.machine.git(["fetch", "--quiet"]).dir("x").ok();
    desk.machine.write("x/new", "new");
    desk.machine.commit_all("x");
    desk.machine.git(["push", "--quiet"]).dir("x").ok();
    let log = desk.hub.log();
    assert!(read_with(&log).contains("my reader"));
    assert_eq!(
        pushed_with(&log).into_iter().collect::<Vec<_>>(),
        ["writer"]
    );
}

#[test]
fn urls_are_cleaned_wherever_git_reads_them() {
    let desk = Desk::to_import();
    let machine = &desk.machine;
    let names = ["base", "module", "worktree", "elsewhere", "include", "user"];
    let tokens = names.map(|label| desk.named_token(label, "acme"));
    let [base, module, worktree, elsewhere, include, user] = &tokens;
    let url = |token: &str, repo: &str| format!("https://me:{token}@huggingface.co/{repo}");
    // In the user's own file: every URL of the Hub is rewritten to one with a token.
    let gitconfig = machine.read(".gitconfig");
    let lines = format!(
        "[include]\n\tpath = more\n[url \"{}\"] # CI\n\tinsteadOf = https://huggingface.co/\n",
        url(base, "")
    );
    machine.write(".gitconfig", format!("{gitconfig}{lines}"));
    machine.write(
        "more",
        format!("[lfs]\n\turl = {}\n", url(include, "acme/l.git/info/lfs")),
    );
    desk.clone_with(
        "x",
        &format!("[branch \"main\"]\n\tremote = https://{user}@huggingface.co/acme/b\n"),
    );
    machine.write("x/.git/modules/lib/sub/HEAD", "ref: refs/heads/main\n");
    machine.write(
        "x/.git/modules/lib/sub/config",
        format!("[remote \"origin\"]\n\turl = {}\n", url(module, "acme/m")),
    );
    machine.write(
        "x/.git/worktrees/w/config.worktree",
        format!("[remote \"w\"]\n\turl = {}\n", url(worktree, "acme/w")),
    );
    desk.clone_with(
        "src/deep/y",
        &format!(
            "[remote \"origin\"]\n\turl = {}\n",
            url(elsewhere, "acme/y")
        ),
    );
    machine.write("x/a/b/c", "");
    let output = desk
        .import(["remotes", "--remove", "--recurse", "../../../src"])
        .dir("x/a/b")
        .ok();
    only_the_storage_holds_secrets(machine, 6);
    let left = machine.read(".gitconfig");
    let clean = lines.replace(&format!("me:{base}@"), "");
    assert!(left.contains(&clean), "{left}");
    assert!(
        machine
            .read("x/.git/config")
            .contains("remote = https://huggingface.co/acme/b\n"),
        "{output}"
    );
    assert_eq!(
        machine.read("more"),
        "[lfs]\n\turl = https://huggingface.co/acme/l.git/info/lfs\n"
    );
    machine.git(["-C", "x", "config", "--list"]).ok();
}

#[test]
fn gits_own_lock_is_respected() {
    let desk = Desk::to_import();
    let [_, b, _] = everywhere(&desk);
    desk.machine.write(".git-credentials.lock", "");
    let output = desk.import(["git", "--remove"]).fails();
    output.says(&[".git-credentials.lock", "nothing was removed from"]);
    assert!(desk.machine.read(".git-credentials").contains(&b));
    let lock = desk.machine.home().join(".git-credentials.lock");
    assert!(lock.is_file());
    fs::remove_file(&lock).expect("removed");
    desk.import(["git", "--remove"]).ok();
    assert!(!desk.machine.read(".git-credentials").contains(&b));
    assert!(!lock.exists());
}

#[test]
fn files_that_are_none_hold_nothing_up() {
    let desk = Desk::to_import();
    let [_, _, c] = everywhere(&desk);
    let machine = &desk.machine;
    let home = machine.home();
    for file in [".netrc", ".git-credentials", STORED] {
        fs::remove_file(home.join(file)).expect("removed");
    }
    let pipe = home.join(".git-credentials");
    machine.command("mkfifo", [&pipe]).ok();
    machine.write(".netrc", vec![b'#'; 9_000_000]);
    machine.write(STORED, "hf_token = x\n");
    machine.write("x/.git/modules/bad/HEAD", "");
    machine.write("x/.git/modules/bad/config", "[remote\n");
    let output = desk.import(["--remove"]).dir("x").fails();
    output.says(&[
        ".git-credentials: it is not a plain file",
        ".netrc: it is too large",
        "stored_tokens: line 1",
        "modules/bad/config: line 1",
    ]);
    // And the rest is done.
    assert!(!machine.read("x/.git/config").contains(&c));
    assert!(machine.names().contains("c"));
}

#[test]
fn names_and_files_from_elsewhere_cannot_write_to_the_terminal() {
    let desk = Desk::to_import();
    let evil = "al\u{1b}[2Jice\u{9b}1A\u{202e}\r\u{7}\nx";
    let token = desk.named_token("work", "acme");
    let mut says = account("write");
    says["name"] = evil.into();
    says["auth"]["accessToken"]["displayName"] = evil.into();
    desk.whoami.says("work", says);
    desk.machine.write(
        STORED,
        format!("[a\u{1b}[2J\u{202e}b]\nhf_token = {token}\n"),
    );
    let other = desk.hub.unknown_token();
    desk.machine.forbid(&other);
    desk.machine.write(
        ".git-credentials",
        format!("https://%1b[2J:{other}@huggingface.co/acme/%1b[2J\n"),
    );
    let fit = |output: &Output| {
        let text = format!("{}{}", output.stdout, output.stderr);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
    };
    fit(&desk.import(["--dry-run"]).ok());
    fit(&desk.import(["--remove"]).fails());
    fit(&desk.import(["--json", "--no-verify"]).ok());
    assert_eq!(
        label(&desk.hub, &get(&desk.machine, "acme/x").ok()).as_deref(),
        Some("work")
    );
}

#[test]
fn a_trace_and_the_arguments_of_other_programs_hold_no_token() {
    if !need("strace") {
        return;
    }
    let desk = Desk::to_import();
    let tokens = everywhere(&desk);
    let trace = desk.machine.home().join("trace");
    let log = desk.machine.home().join("log");
    let (trace, log) = (
        trace.to_str().expect("a path"),
        log.to_str().expect("a path"),
    );
    let run = [
        "-f",
        "-s",
        "10000",
        "-e",
        "trace=execve",
        "-o",
        log,
        "git-credential-hf",
        "import",
    ];
    let more = ["hf", "git", "netrc", "remotes", "--remove"];
    let run = desk.machine.command("strace", run.into_iter().chain(more));
    run.env("GIT_CREDENTIAL_HF_TRACE", trace).dir("x").ok();
    let text = desk.machine.read("trace");
    assert!(text.contains("found hf_…"), "{text}");
    assert!(desk.machine.read("log").contains("--show-origin"));
    only_the_storage_holds_secrets(&desk.machine, tokens.len());
}
