//! `import`: tokens that lie elsewhere in plain text are found, verified, kept, and only then
//! removed there.

use crate::hub_common::{asked, get, json, label, only_the_storage_holds_secrets};
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, account};
use crate::support::hub::{Hub, Response, TokenSeen};
use crate::support::machine::{Machine, Output, Run};
use crate::support::tools::need;
use crate::support::user::{CONFIG, DATA, pushed_with, read_with};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const WHOAMI: &str = "/api/whoami-v2";
const STORED: &str = ".cache/huggingface/stored_tokens";
const ACTIVE: &str = ".cache/huggingface/token";

/// A machine where git calls the helper, with tokens in every place there is.
struct Desk {
    hub: Hub,
    machine: Machine,
    whoami: WhoAmI,
}

impl Desk {
    fn new() -> Desk {
        let hub = Hub::start();
        let machine = Machine::new(&hub);
        machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
        machine.configure();
        let whoami = WhoAmI::start(&hub);
        Desk {
            hub,
            machine,
            whoami,
        }
    }

    /// A token that the Hub calls by its label; it may do what it is for.
    fn token(&self, label: &str, repo: &str) -> String {
        let token = self.hub.add_token(label, &[(repo, Write)]);
        let mut says = account("write");
        says["auth"]["accessToken"]["displayName"] = label.into();
        self.whoami.says(label, says);
        token
    }

    fn import<'a>(&self, more: impl IntoIterator<Item = &'a str>) -> Run<'_> {
        self.machine.helper(["import"].into_iter().chain(more))
    }

    /// A clone that was made by hand, with these lines in its configuration.
    fn clone_with(&self, dir: &str, config: &str) {
        self.machine.git(["init", "--quiet", dir]).ok();
        let file = format!("{dir}/.git/config");
        let before = self.machine.read(&file);
        self.machine.write(&file, format!("{before}{config}"));
    }

    /// The token that git gets where a URL names it.
    fn value(&self, name: &str) -> Option<String> {
        let run = self.machine.ask(
            "get",
            format!("protocol=https\nhost=huggingface.co\nusername={name}\n"),
        );
        run.value("password").map(str::to_owned)
    }
}

/// The mode of a file.
fn mode(machine: &Machine, path: &str) -> u32 {
    let file = fs::metadata(machine.home().join(path)).expect("a file");
    file.permissions().mode() & 0o777
}

fn status<'v>(json: &'v Value, token: &str) -> &'v Value {
    let end = &token[token.len() - 4..];
    let all = json["tokens"].as_array().expect("tokens");
    let found = all
        .iter()
        .find(|it| it["token"].as_str().is_some_and(|t| t.ends_with(end)));
    found.unwrap_or_else(|| panic!("no {end} in {json}"))
}

/// Puts tokens everywhere: one in the hf CLI's files and netrc, one in git's file, one in a URL.
fn everywhere(desk: &Desk) -> [String; 3] {
    let tokens = ["a", "b", "c"].map(|label| desk.token(label, "acme"));
    let [a, b, c] = &tokens;
    let machine = &desk.machine;
    machine.write(STORED, format!("[work]\nhf_token = {a}\n\n"));
    machine.write(ACTIVE, a);
    machine.write(
        ".netrc",
        format!("# mine\nmachine github.com login me password pw\nmachine huggingface.co\n  login me\n  password {a} # the Hub\nmachine git.example login x password y\n"),
    );
    machine.write(
        ".git-credentials",
        format!("# mine\n\nhttps://me:pw@github.com\r\nhttps://hf_user:{b}@huggingface.co\nhttps://me:pw@git.example"),
    );
    desk.clone_with(
        "x",
        &format!("[remote \"origin\"]\n\turl = \"https://me:{c}@huggingface.co/acme/x\" ; mine\n"),
    );
    tokens
}

#[test]
fn a_dry_run_shows_what_there_is_and_touches_nothing() {
    let desk = Desk::new();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    let before = machine.files_with_secrets();
    let output = desk.import(["--dry-run"]).dir("x").ok();
    for (token, place) in tokens
        .iter()
        .zip([".netrc:3", ".git-credentials:4", "origin.url"])
    {
        let end = format!("hf_…{}", &token[token.len() - 4..]);
        assert!(
            output.stdout.contains(&end) && output.stdout.contains(place),
            "{output}"
        );
    }
    assert!(
        output
            .stdout
            .contains("keep 3 tokens here; nothing was changed"),
        "{output}"
    );
    assert!(desk.hub.log().is_empty());
    assert_eq!(machine.files_with_secrets(), before);
    assert!(!machine.home().join(DATA).exists());
    let told = json(&desk.import(["--dry-run", "--json"]).dir("x").ok());
    assert_eq!(told["tokens"].as_array().map(Vec::len), Some(3));
    assert_eq!(status(&told, &tokens[0])["status"], "new");
    assert_eq!(
        status(&told, &tokens[0])["copies"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn without_a_terminal_tokens_are_kept_and_nothing_is_removed() {
    let desk = Desk::new();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    let places = [
        STORED,
        ACTIVE,
        ".netrc",
        ".git-credentials",
        "x/.git/config",
    ];
    let before = places.map(|place| machine.read(place));
    let output = desk.import([]).dir("x").ok();
    assert_eq!(places.map(|place| machine.read(place)), before);
    assert_eq!(asked(&desk.hub, WHOAMI), 3);
    for (label, token) in ["a", "b", "c"].iter().zip(&tokens) {
        assert!(
            output.stdout.contains(&format!("kept `{label}` (hf_…")),
            "{output}"
        );
        assert_eq!(desk.value(label).as_ref(), Some(token));
    }
    assert!(
        output.stdout.contains("git credential-hf import --remove"),
        "{output}"
    );
    // Once more: nothing new, and nobody is asked.
    desk.hub.clear_log();
    let again = desk.import([]).dir("x").ok();
    assert!(again.stdout.contains("kept here as `a`"), "{again}");
    assert!(desk.hub.log().is_empty());
    assert_eq!(machine.names().len(), 3);
}

#[test]
fn copies_are_removed_and_everything_else_stays_to_the_byte() {
    let desk = Desk::new();
    let [a, _, c] = everywhere(&desk);
    let machine = &desk.machine;
    desk.hub.add_repo("acme/x", true);
    // A link stays a link, and a mode stays a mode.
    let home = machine.home();
    fs::create_dir(home.join("dotfiles")).expect("a folder");
    fs::rename(home.join(".netrc"), home.join("dotfiles/netrc")).expect("a move");
    symlink("dotfiles/netrc", home.join(".netrc")).expect("a link");
    for (path, mode) in [
        (".netrc", 0o640),
        (".git-credentials", 0o600),
        ("x/.git/config", 0o664),
    ] {
        fs::set_permissions(home.join(path), fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let config = machine.read("x/.git/config");

    let output = desk.import(["--remove", "--rules"]).dir("x").ok();
    assert_eq!(
        machine.read(".netrc"),
        "# mine\nmachine github.com login me password pw\n  # the Hub\nmachine git.example login x password y\n"
    );
    assert!(home.join(".netrc").is_symlink());
    assert_eq!(
        machine.read(".git-credentials"),
        "# mine\n\nhttps://me:pw@github.com\r\nhttps://me:pw@git.example"
    );
    assert_eq!(
        machine.read("x/.git/config"),
        config.replace(&format!("me:{c}@"), "")
    );
    let modes = [".netrc", ".git-credentials", "x/.git/config"].map(|path| mode(machine, path));
    assert_eq!(modes, [0o640, 0o600, 0o664]);
    // The hf CLI is not logged out unless that was said.
    assert_eq!(machine.read(ACTIVE), a);
    assert!(output.stdout.contains("import hf --remove"), "{output}");
    // Three tokens are as good for acme, so it takes the rule for the URL's own to be used still.
    machine.git(["fetch", "--quiet"]).dir("x").ok();
    assert_eq!(
        read_with(&desk.hub.log()).into_iter().collect::<Vec<_>>(),
        ["c"]
    );

    let output = desk.import(["hf", "--remove"]).ok();
    assert_eq!(machine.read(STORED), "");
    assert!(!home.join(ACTIVE).exists(), "{output}");
    only_the_storage_holds_secrets(machine, 3);
    let nothing = desk.import([]).dir("x").ok();
    assert_eq!(nothing.stdout, "no tokens in plain text were found\n");
}

#[test]
fn on_a_terminal_it_asks_file_by_file() {
    if !need("script") {
        return;
    }
    let desk = Desk::new();
    let [a, b, c] = everywhere(&desk);
    let machine = &desk.machine;
    machine.unset("GIT_TERMINAL_PROMPT");
    // A rule for acme/x: yes. The hf CLI: no. git's file: yes. netrc: nothing said. URLs: yes.
    let line = "printf 'y\\nn\\ny\\n\\nyes\\n' | script -qfec 'git credential-hf import' /dev/null";
    let shown = machine.command("sh", ["-c", line]).dir("x").ok().stdout;
    for question in [
        "Use `c` for acme/x by a rule?",
        "from the hf CLI's files? That logs hf and Python out",
        ".git-credentials? [y/N]",
        ".netrc? [y/N]",
        "out of the URLs in",
    ] {
        assert!(shown.contains(question), "{question}: {shown}");
    }
    assert_eq!(machine.read(ACTIVE), a);
    assert!(machine.read(".netrc").contains(&a));
    assert!(!machine.read(".git-credentials").contains(&b));
    assert!(!machine.read("x/.git/config").contains(&c));
    assert!(machine.read(CONFIG).contains("\"acme/x\" = \"c\""));
}

#[test]
fn what_the_hub_does_not_take_stays_where_it_is() {
    let desk = Desk::new();
    let good = desk.token("good", "acme");
    let dead = desk.token("dead", "acme");
    desk.hub.revoke("dead");
    let file = format!("https://u:{dead}@huggingface.co\nhttps://v:{good}@huggingface.co\n");
    desk.machine.write(".git-credentials", &file);
    let output = desk.import(["--remove"]).fails();
    let hint = format!("hf_…{} is left where it is", &dead[dead.len() - 4..]);
    let output = output.says(&[&hint, "huggingface.co does not accept this token"]);
    assert!(output.stdout.contains("kept `good`"), "{output}");
    let left = desk.machine.read(".git-credentials");
    assert_eq!(left, format!("https://u:{dead}@huggingface.co\n"));

    // A Hub that is down says nothing of a token, and neither do we unless asked to.
    desk.hub.restore("dead");
    desk.hub.route("GET", "huggingface.co", WHOAMI, |_| {
        Response::text(503, "down")
    });
    desk.import(["--remove"]).fails().says(&["add --no-verify"]);
    assert_eq!(desk.machine.read(".git-credentials"), left);
    desk.import(["--remove", "--no-verify"]).ok();
    assert_eq!(desk.machine.read(".git-credentials"), "");
    assert_eq!(desk.value("u"), Some(dead));
}

#[test]
fn a_storage_that_does_not_work_leaves_everything_where_it_is() {
    let desk = Desk::new();
    let tokens = everywhere(&desk);
    let machine = &desk.machine;
    machine.write(CONFIG, "version = 1\n");
    let before = machine.files_with_secrets();
    let output = desk.import(["--remove"]).dir("x").fails();
    output.says(&[
        "no keyring is running",
        "git credential-hf import --storage file",
    ]);
    assert_eq!(machine.files_with_secrets(), before);
    for (file, token) in [".netrc", ".git-credentials", "x/.git/config"]
        .iter()
        .zip(&tokens)
    {
        assert!(machine.read(file).contains(token), "{file}");
    }
    assert!(machine.names().is_empty());
    // The same for one that keeps nothing: a folder that others can reach.
    let folder = machine.home().join(DATA).join("tokens");
    fs::create_dir_all(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    desk.import(["--remove", "--storage", "file"])
        .dir("x")
        .fails();
    assert_eq!(machine.files_with_secrets(), before);
}

#[test]
fn a_copy_is_not_removed_while_git_does_not_call_the_helper() {
    let desk = Desk::new();
    let [_, b, _] = everywhere(&desk);
    desk.machine.helper(["unconfigure"]).ok();
    let output = desk.import(["git", "--remove"]).fails();
    output.says(&["does not call this helper", "git credential-hf configure"]);
    assert!(desk.machine.read(".git-credentials").contains(&b));
    desk.machine.configure();
    desk.import(["git", "--remove"]).ok();
    assert!(!desk.machine.read(".git-credentials").contains(&b));
}

#[test]
fn a_token_that_is_kept_already_is_not_replaced_and_not_kept_twice() {
    let desk = Desk::new();
    let [old, new, same] = ["old", "new", "same"].map(|label| desk.token(label, "acme"));
    for label in ["old", "new"] {
        let mut says = account("write");
        says["auth"]["accessToken"]["displayName"] = "laptop".into();
        desk.whoami.says(label, says);
    }
    desk.machine.login("laptop", &old, &[]);
    desk.machine.login("mine", &same, &[]);
    desk.machine.write(
        ".git-credentials",
        format!("https://u:{new}@huggingface.co\nhttps://u:{same}@hf.co/acme/x\n"),
    );
    let told = json(&desk.import(["--remove", "--json"]).ok());
    assert_eq!(status(&told, &new)["name"], "laptop-2");
    assert_eq!(status(&told, &new)["status"], "kept");
    assert_eq!(status(&told, &same)["name"], "mine");
    assert_eq!(status(&told, &same)["status"], "known");
    assert_eq!(status(&told, &same)["copies"][0]["removed"], true);
    assert_eq!(desk.machine.read(".git-credentials"), "");
    assert_eq!(desk.machine.names().len(), 3);
    for (name, token) in [("laptop", old), ("laptop-2", new), ("mine", same)] {
        assert_eq!(desk.value(name), Some(token), "{name}");
    }
    let taken = desk.token("other", "acme");
    desk.machine
        .write(".netrc", format!("machine hf.co password {taken}\n"));
    desk.import(["--name", "mine"])
        .fails()
        .says(&["another token called `mine`"]);
    desk.import(["--name", "fourth"]).ok();
    assert_eq!(desk.value("fourth"), Some(taken));
}

#[test]
fn nobody_but_the_hub_that_a_token_is_there_for_is_asked() {
    let desk = Desk::new();
    let names = ["hub", "corp", "evil", "plain", "sub", "default"];
    let [hub, corp, evil, plain, sub, default] = names.map(|label| desk.token(label, "acme"));
    let whoami = |request: &crate::support::hub::Request| match request.token {
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
    let desk = Desk::new();
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
        "an organisation token, which the Hub no longer takes",
        "from a browser login",
        "use hf:web",
        "a CI job's token",
        "not a Hub token; account passwords are not taken",
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
    let desk = Desk::new();
    desk.hub.add_repo("acme/x", true);
    let reader = desk.hub.add_token("my reader", &[("acme", Read)]);
    let writer = desk.token("writer", "acme");
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
    let desk = Desk::new();
    let machine = &desk.machine;
    let names = ["base", "module", "worktree", "elsewhere", "include", "user"];
    let tokens = names.map(|label| desk.token(label, "acme"));
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
fn gits_own_lock_is_respected_and_one_that_a_kill_left_is_not_in_the_way() {
    let desk = Desk::new();
    let [_, b, _] = everywhere(&desk);
    desk.machine.write(".git-credentials.lock", "");
    let output = desk.import(["git", "--remove"]).fails();
    output.says(&[".git-credentials.lock", "nothing is removed from"]);
    assert!(desk.machine.read(".git-credentials").contains(&b));
    let lock = desk.machine.home().join(".git-credentials.lock");
    fs::remove_file(&lock).expect("removed");
    symlink("git-credential-hf", &lock).expect("a link");
    desk.import(["git", "--remove"]).ok();
    assert!(!desk.machine.read(".git-credentials").contains(&b));
    assert!(!lock.is_symlink());
}

#[test]
fn files_that_are_none_hold_nothing_up() {
    let desk = Desk::new();
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
    let desk = Desk::new();
    let evil = "al\u{1b}[2Jice\u{9b}1A\u{202e}\r\u{7}\nx";
    let token = desk.token("work", "acme");
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
    let desk = Desk::new();
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
    let more = ["hf", "git", "netrc", "remotes", "--remove", "--rules"];
    let run = desk.machine.command("strace", run.into_iter().chain(more));
    run.env("GIT_CREDENTIAL_HF_TRACE", trace).dir("x").ok();
    let text = desk.machine.read("trace");
    assert!(text.contains("found hf_…"), "{text}");
    assert!(desk.machine.read("log").contains("--show-origin"));
    only_the_storage_holds_secrets(&desk.machine, tokens.len());
}
