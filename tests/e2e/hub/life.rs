//! Tokens once they are here: `list`, `token`, `run` and `refresh`.

use crate::desk::Desk;
use crate::hub::common::{
    asked, get, json, label, login, names, only_the_storage_holds_secrets, seen,
};
use crate::support::hub::Right::{Read, Write};
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::hub::{Hub, Response};
use crate::support::machine::{Machine, Output};
use crate::support::modes::set_mode;
use crate::support::user::STATE;
use serde_json::{Value, json as value};

pub const HUB: &str = "huggingface.co";

/// A machine with `wide`, a token for acme, and `narrow`, one for acme/x.
pub struct Home {
    pub hub: Hub,
    pub machine: Machine,
    whoami: WhoAmI,
    pub wide: String,
    pub narrow: String,
}

impl Home {
    pub fn new() -> Home {
        let desk = Desk::new().with_repo("acme/x");
        desk.login("wide", &[("acme", Write)], account("write"));
        let scopes = [("model", "acme/x", &["repo.content.read"][..])];
        desk.login("narrow", &[("acme/x", Read)], fine_grained(&scopes));
        let Desk {
            hub,
            machine,
            whoami,
        } = desk;
        let (wide, narrow) = (hub.value_of("wide"), hub.value_of("narrow"));
        hub.clear_log();
        Home {
            hub,
            machine,
            whoami,
            wide,
            narrow,
        }
    }

    pub fn said(&self, output: &Output, token: &str) -> String {
        seen(&self.machine, output, token)
    }

    /// Marks what git gets for a path as rejected, as git does after a 401.
    fn reject(&self, path: &str) {
        let answer = get(&self.machine, path).ok();
        let password = answer.value("password").expect("a token");
        let erase = format!("protocol=https\nhost={HUB}\npath={path}\npassword={password}\n");
        self.machine.helper(["erase"]).stdin(erase).ok();
    }
}

/// Lines with single spaces, and every age as `N s ago`.
fn rows(text: &str) -> Vec<String> {
    let tidy = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let age = |at: usize| words.get(at + 1) == Some(&"s") && words.get(at + 2) == Some(&"ago");
        let words = words.iter().enumerate();
        let words = words.map(|(at, word)| if age(at) { "N" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(tidy).collect()
}

#[test]
fn list_shows_each_token_and_what_goes_where() {
    let home = Home::new();
    let Home {
        hub,
        machine,
        whoami,
        wide,
        narrow,
    } = &home;
    let old = hub.add_token("old", &[]);
    let mut answer = account("read");
    answer["name"] = "bob".into();
    answer["orgs"] = value!([]);
    answer["auth"]["expiresAt"] = "2020-01-31T12:00:00.000Z".into();
    whoami.says("old", answer);
    login(machine, "old", &old).ok();
    machine
        .helper(["use", "wide", "--for", "datasets/acme"])
        .ok();
    machine
        .helper(["use", "gone", "--for", "acme/lost"])
        .fails();
    machine.helper(["use", "wide", "--default"]).ok();
    home.reject("acme/x");
    let hint = |token: &str| format!("hf_…{}", &token[token.len() - 4..]);
    let (wide, narrow, old) = (hint(wide), hint(narrow), hint(&old));
    let output = machine.helper(["list"]).ok();
    let listed = rows(&output.stdout);
    let (table, tree) = listed.split_at(5);
    assert_eq!(
        table,
        [
            "NAME TOKEN ACCOUNT ROLE STORAGE EXPIRES VERIFIED STATUS".to_owned(),
            format!("narrow {narrow} alice fine-grained file, not encrypted - just now rejected"),
            format!("old {old} bob read file, not encrypted 2020-01-31 just now expired"),
            format!("wide {wide} alice write file, not encrypted - just now ok"),
            String::new(),
        ]
    );
    let tree: Vec<String> = tree
        .iter()
        // Which pattern stands for a model is not the matter here.
        .map(|line| line.replace("models/acme/x", "acme/x"))
        .collect();
    assert_eq!(
        tree,
        [
            "https://huggingface.co",
            "acme/x → wide (account), else narrow",
            "datasets/acme → wide",
            "acme → wide (account)",
            "alice → wide (account)",
            "bob → wide (default, may not push), else old",
            "umbrella → wide (account, may not push)",
            "other repos → wide (default)",
        ]
    );
    assert_eq!(output.stderr, "");

    let told = json(&machine.helper(["list", "--json"]).ok());
    let tokens = told["tokens"].as_array().expect("a list");
    let of = |key: &str| -> Vec<&Value> { tokens.iter().map(|token| &token[key]).collect() };
    assert_eq!(of("name"), ["narrow", "old", "wide"]);
    assert_eq!(of("token"), [narrow.as_str(), old.as_str(), wide.as_str()]);
    assert_eq!(of("encrypted"), [false, false, false]);
    assert_eq!(
        of("expires"),
        [&Value::Null, &value!(1_580_472_000), &Value::Null]
    );
    let rejected: Vec<bool> = of("rejected").iter().map(|at| at.is_u64()).collect();
    assert_eq!(rejected, [true, false, false]);
    assert_eq!(told["default"], "wide");
    assert_eq!(told["rules"][0]["pattern"], "datasets/acme");
    // Nothing of this needs the Hub.
    assert_eq!(asked(hub, "/api/whoami-v2"), 1);
    only_the_storage_holds_secrets(machine, 3);
}

#[test]
fn an_expired_token_is_not_answered() {
    let home = Home::new();
    let mut answer = account("write");
    answer["auth"]["expiresAt"] = "2020-01-31T12:00:00.000Z".into();
    home.whoami.says("wide", answer);
    login(&home.machine, "wide", &home.wide).ok();
    let output = get(&home.machine, "acme/y").ok();
    assert_eq!(output.stdout, "");
    assert_eq!(
        output.stderr,
        format!(
            "git-credential-hf: token `wide` (hf_…{}) has expired; run `git credential-hf login wide`\n",
            &home.wide[home.wide.len() - 4..]
        )
    );
    assert_eq!(
        label(&home.hub, &get(&home.machine, "acme/x").ok()).as_deref(),
        Some("narrow")
    );
}

#[test]
fn token_prints_the_token_that_git_gets_and_nothing_else() {
    let home = Home::new();
    let token = |arguments: &[&str]| {
        let run = home.machine.helper(["token"].iter().chain(arguments));
        run.may_print_secret().run()
    };
    assert_eq!(token(&["acme/x"]).ok().stdout, format!("{}\n", home.narrow));
    assert_eq!(
        token(&["datasets/acme/x"]).ok().stdout,
        format!("{}\n", home.wide)
    );
    let told = json(&token(&["acme/x", "--json"]).ok());
    assert_eq!(told["token"], home.narrow);
    assert_eq!(told["name"], "narrow");
    assert_eq!(told["kind"], "stored");
    assert_eq!(told["reason"], "its scopes cover acme/x");
    // Which may read what anyone can, and so would do for any repo.
    home.machine.helper(["logout", "wide", "--yes"]).ok();
    let none = token(&["other/x"]).fails();
    assert_eq!(none.stdout, "");
    assert_eq!(
        none.stderr,
        "error: there is no token for other/x\n  \
         = help: run `git credential-hf login NAME --for other`, or set HF_TOKEN\n"
    );
    let elsewhere = token(&["https://evil.example/acme/x"]).fails();
    assert_eq!(elsewhere.stdout, "");
    assert!(
        elsewhere
            .stderr
            .contains("https://evil.example is not one of your Hubs"),
        "{elsewhere}"
    );
    assert!(home.hub.log().is_empty());
}

#[test]
fn run_gives_the_token_to_one_command() {
    let home = Home::new();
    let machine = &home.machine;
    machine.env(
        "HUGGING_FACE_HUB_TOKEN",
        home.hub.add_token("environment", &[]),
    );
    // A rule, for the environment's token comes before what scopes say.
    machine.helper(["use", "narrow", "--for", "acme/x"]).ok();
    let run = |script: &str| {
        let arguments = [
            "run", "--for", "acme/x", "--", "sh", "-c", script, "sh", "--push",
        ];
        machine.helper(arguments).may_print_secret().run()
    };
    let output = run(r#"printf '%s|%s|%s' "$HF_TOKEN" "${HUGGING_FACE_HUB_TOKEN-none}" "$1""#).ok();
    assert_eq!(output.stdout, format!("{}|none|--push", home.narrow));
    assert_eq!(output.stderr, "");
    assert_eq!(run("exit 7").code, 7);
    assert_eq!(run("kill -TERM $$").code, 128 + 15);

    let missing = ["run", "--for", "acme/x", "--", "no-such-program"];
    let output = machine.helper(missing).fails();
    assert!(
        output
            .stderr
            .starts_with("error: cannot run `no-such-program`: "),
        "{output}"
    );
    machine.unset("HUGGING_FACE_HUB_TOKEN");
    machine.helper(["logout", "wide", "--yes"]).ok();
    let none = machine
        .helper(["run", "--for", "other/x", "--", "touch", "ran"])
        .fails();
    assert!(
        none.stderr
            .starts_with("error: there is no token for other/x\n"),
        "{none}"
    );
    assert!(!machine.home().join("ran").exists());
    assert_eq!(machine.helper(["run", "--for", "acme/x"]).fails().code, 2);
}

#[test]
fn run_sends_the_command_to_the_hub_that_the_token_is_for() {
    let home = Home::new();
    let Home { hub, machine, .. } = &home;
    let corp = "https://hub.corp.example";
    let script = r#"printf '%s|%s' "$HF_TOKEN" "${HF_ENDPOINT-none}""#;
    let run = |repo: &str| {
        let arguments = ["run", "--for", repo, "--", "sh", "-c", script];
        machine.helper(arguments).may_print_secret()
    };
    assert_eq!(run("acme/x").ok().stdout, format!("{}|none", home.narrow));
    let there = hub.add_token("corp", &[]);
    let arguments = ["login", "corp", "--with-token", "--no-verify", "--for"];
    let acme = format!("{corp}/acme");
    machine
        .helper(arguments.iter().chain(&[acme.as_str()]))
        .stdin(&there)
        .ok();
    let url = format!("{corp}/acme/x");
    assert_eq!(run(&url).ok().stdout, format!("{there}|{corp}"));
    // Where the environment means another Hub, a full URL still says which is meant.
    machine.env("HF_ENDPOINT", corp);
    assert_eq!(run("acme/x").ok().stdout, format!("{there}|{corp}"));
    let output = run("https://huggingface.co/acme/x").ok();
    assert_eq!(output.stdout, format!("{}|none", home.narrow));
}

#[test]
fn refresh_asks_about_every_token_and_remembers_what_is_dead() {
    let home = Home::new();
    let Home { hub, machine, .. } = &home;
    home.reject("acme/x");
    let ok = "still works: account alice, role";
    let organisations = "organisations acme (write), umbrella (read)";
    assert_eq!(
        machine.helper(["refresh"]).ok().stdout,
        format!(
            "ok: `narrow` {ok} fine-grained, {organisations}\n\
             ok: `wide` {ok} write, {organisations}\n"
        )
    );
    // Verified, so it is offered again.
    assert_eq!(
        label(hub, &get(machine, "acme/x").ok()).as_deref(),
        Some("narrow")
    );
    hub.revoke("narrow");
    let output = machine.helper(["refresh"]).fails();
    assert_eq!(
        output.stdout,
        format!(
            "no: `narrow`: the Hub no longer accepts it; run `git credential-hf login narrow`\n\
             ok: `wide` {ok} write, {organisations}\n"
        )
    );
    assert_eq!((output.code, output.stderr.as_str()), (1, ""));
    assert_eq!(
        label(hub, &get(machine, "acme/x").ok()).as_deref(),
        Some("wide")
    );
    let output = machine.helper(["refresh", "--json"]).fails();
    let told = json(&output);
    assert_eq!(told["tokens"][0]["ok"], false);
    assert_eq!(told["tokens"][1]["ok"], true);
    hub.route("GET", HUB, "/api/whoami-v2", |_| Response::text(500, ""));
    let output = machine.helper(["refresh", "wide"]).fails();
    assert_eq!(
        output.stdout,
        "no: `wide`: the Hub answered with status 500\n"
    );
    let output = machine.helper(["refresh", "wied"]).fails();
    assert_eq!(
        output.stderr,
        "error: there is no token called `wied`\n  = help: did you mean `wide`?\n"
    );
    assert_eq!(names(machine), ["narrow", "wide"]);
}

/// If the state cannot be written, rejections are remembered in a second file, which must be cleared
/// too when the token turns out to be good or is stored again.
#[test]
fn a_good_token_is_not_held_back_by_a_rejection_in_the_second_file() {
    const SECOND: &str = "run/git-credential-hf/rejected.json";
    let home = Home::new();
    let machine = &home.machine;
    machine.env("XDG_RUNTIME_DIR", machine.home().join("run"));
    let is_rejected = || {
        let list = machine.helper(["list"]).ok().stdout;
        let row = list.lines().find(|line| line.starts_with("wide"));
        row.expect("a row").contains("rejected")
    };
    for again in [["refresh", "wide"].as_slice(), &["login", "wide"]] {
        let request = format!("protocol=https\nhost={HUB}\npassword={}\n\n", home.wide);
        machine.helper(["erase"]).stdin(request).ok();
        let mut state = machine.state();
        let second = value!({ "version": 1, "tokens": {}, "rejected": state["rejected"].take() });
        state["rejected"] = value!({});
        machine.write(STATE, state.to_string());
        machine.write(SECOND, second.to_string());
        set_mode(
            machine.home().join(SECOND).parent().expect("a folder"),
            0o700,
        );
        assert!(is_rejected(), "{second}");
        match again {
            ["login", name] => login(machine, name, &home.wide).ok(),
            more => machine.helper(more).ok(),
        };
        assert!(!is_rejected(), "after {again:?}: {}", machine.read(SECOND));
    }
}
