//! The commands that change something, and what each changes.

use super::desk::Desk;
use crate::support::faults::Action;
use crate::support::user::{CONFIG, STATE, TYPED, now};
use git_credential_hf::model::token_name::TokenName;
use git_credential_hf::selection::{Mark, Tried};
use std::fs;

pub(super) const HF_FOLDER: &str = ".cache/huggingface";
pub(super) const HF_STORED: &str = ".cache/huggingface/stored_tokens";
pub(super) const HF_TOKEN: &str = ".cache/huggingface/token";

/// What git saves for `new/x`.
pub(super) const SAVED: &str = "git:alice@huggingface.co/new/x";

/// How many faults of a row may end a login: kills after the Hub has answered and before the
/// answer is written, and an answer that never arrives.
pub(super) const LOST: usize = 3;

pub(super) const HUB: &str = "protocol=https\nhost=huggingface.co\n";

/// A command, and what it may leave.
pub(super) struct Row {
    pub(super) what: &'static str,
    /// Needs a keyring.
    pub(super) keyring: bool,
    /// It waits for a second, so several of it run side by side.
    pub(super) jobs: usize,
    /// What is there beside what is always there.
    pub(super) prepare: fn(&Desk),
    pub(super) action: fn(&Desk) -> Action,
    /// A repo, the tokens that git may get for it after a fault, and the one it gets once the
    /// command was run again. `-` is none.
    pub(super) watch: &'static [(&'static str, &'static str, &'static str)],
    /// To run it again when it is done is an error.
    pub(super) once: bool,
    /// It renews a browser login, which must be alive afterwards.
    pub(super) renews: bool,
}

pub(super) const fn row(
    what: &'static str,
    prepare: fn(&Desk),
    action: fn(&Desk) -> Action,
    watch: &'static [(&'static str, &'static str, &'static str)],
) -> Row {
    Row {
        what,
        keyring: false,
        jobs: 1,
        prepare,
        action,
        watch,
        once: false,
        renews: false,
    }
}

impl Row {
    pub(super) const fn keyring(self) -> Row {
        Row {
            keyring: true,
            jobs: 3,
            ..self
        }
    }

    pub(super) const fn once(self) -> Row {
        Row { once: true, ..self }
    }

    pub(super) const fn renews(self) -> Row {
        Row {
            renews: true,
            ..self
        }
    }

    pub(super) const fn slow(self, jobs: usize) -> Row {
        Row { jobs, ..self }
    }
}

pub(super) const CHANGES: &[(&str, &str, &str)] = &[("changing/x", "c0 c1", "c1")];
pub(super) const GOES: &[(&str, &str, &str)] = &[("changing/x", "c0 -", "-")];
pub(super) const STAYS: &[(&str, &str, &str)] = &[("changing/x", "c0", "c0")];
pub(super) const RENEWS: &[(&str, &str, &str)] = &[("changing/x", "oauth", "oauth")];
pub(super) const COMES: &[(&str, &str, &str)] = &[("new/x", "- new", "new")];

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "login --web",
            in_file,
            login_web,
            &[("changing/x", "c0 oauth", "oauth")],
        )
        .slow(6),
        row(
            "login, from a file into the keyring",
            in_file,
            |desk| login(desk, "changing", "c1", "keyring"),
            CHANGES,
        )
        .keyring(),
        row(
            "login, from the keyring into a file",
            in_keyring,
            |desk| login(desk, "changing", "c1", "file"),
            CHANGES,
        )
        .keyring(),
        row(
            "login, new in the keyring",
            in_keyring,
            |desk| login(desk, "new", "new", "keyring"),
            COMES,
        )
        .keyring(),
        row(
            "login, another token in the keyring",
            in_keyring,
            |desk| login(desk, "changing", "c1", "keyring"),
            CHANGES,
        )
        .keyring(),
        row("rename, keyring", in_keyring, |_| rename(), STAYS)
            .keyring()
            .once(),
        row("logout, keyring", in_keyring, |_| logout(), GOES)
            .keyring()
            .once(),
        row("get, renews", in_browser, |_| ask("changing/x"), RENEWS)
            .renews()
            .slow(2),
        row(
            "get, renews in the keyring",
            in_browser_keyring,
            |_| ask("changing/x"),
            RENEWS,
        )
        .renews()
        .keyring(),
        row(
            "get, renews the hf CLI's login",
            in_hf_cli,
            |_| ask("changing/x"),
            RENEWS,
        )
        .renews()
        .slow(2),
        row(
            "refresh",
            in_browser,
            |_| Action::new(&["refresh", "changing"], ""),
            RENEWS,
        )
        .renews()
        .slow(2),
        row(
            "login, new in a file",
            in_file,
            |desk| login(desk, "new", "new", "file"),
            COMES,
        ),
        row(
            "login, another token in a file",
            in_file,
            |desk| login(desk, "changing", "c1", "file"),
            CHANGES,
        ),
        row("login, asks the Hub", in_file, login_verified, CHANGES),
        row("rename, file", in_file, |_| rename(), STAYS).once(),
        row(
            "rename, what git saved",
            in_saved,
            rename_saved,
            &[("new/x", "new", "new")],
        )
        .once(),
        row("logout, file", in_file, |_| logout(), GOES).once(),
        row(
            "use",
            in_file,
            |_| Action::new(&["use", "changing", "--for", "new", "--default"], ""),
            &[
                ("changing/x", "c0", "c0"),
                ("new/x", "- c0", "c0"),
                ("any/x", "- c0", "c0"),
            ],
        ),
        row(
            "unuse",
            in_file,
            |_| Action::new(&["unuse", "changing"], ""),
            GOES,
        )
        .once(),
        row(
            "store, for a repo",
            in_file,
            |desk| store(desk, "path=new/x\n", "new"),
            COMES,
        ),
        row(
            "store, for the host",
            in_file,
            |desk| store(desk, "", "new"),
            COMES,
        ),
        row(
            "store, with expiry and refresh token",
            in_file,
            store_renewable,
            COMES,
        ),
        row(
            "store, another token for a repo",
            in_store,
            |desk| store(desk, "path=new/x\n", "c1"),
            &[("new/x", "new c1", "c1")],
        ),
        row(
            "erase, with the password",
            in_store,
            |desk| erase(desk, "path=new/x\n", Some("new")),
            &[("new/x", "new -", "-")],
        ),
        row(
            "erase, without a password",
            in_store,
            |desk| erase(desk, "path=new/x\n", None),
            &[("new/x", "new -", "-")],
        ),
        row(
            "erase, remembers a rejection",
            in_file,
            |desk| erase(desk, "path=changing/x\n", Some("c0")),
            GOES,
        ),
        row("get, remembers a rejection", in_file, ask_again, GOES),
        row(
            "get, learns of another value",
            in_another_value,
            |_| ask("changing/x"),
            STAYS,
        ),
        row(
            "get, learns what a command printed",
            in_command,
            |_| ask("new/x"),
            &[("new/x", "new", "new")],
        ),
        row(
            "configure",
            in_file,
            |_| Action::new(&["configure"], ""),
            STAYS,
        ),
        row(
            "unconfigure",
            in_git,
            |_| Action::new(&["unconfigure"], ""),
            STAYS,
        ),
    ]
}

pub(super) fn login(desk: &Desk, name: &str, token: &str, storage: &str) -> Action {
    let fixed = ["login", name, "--with-token", "--no-verify"];
    let more = ["--for", name, "--storage", storage];
    Action::new(&[&fixed[..], &more].concat(), desk.token(token))
}

pub(super) fn login_verified(desk: &Desk) -> Action {
    let arguments = ["login", "changing", "--with-token", "--default"];
    Action::new(&arguments, desk.token("c1"))
}

pub(super) fn login_web(_: &Desk) -> Action {
    Action::new(&["login", "changing", "--web"], "")
}

pub(super) fn logout() -> Action {
    Action::new(&["logout", "changing"], "")
}

pub(super) fn rename() -> Action {
    Action::new(&["rename", "changing", "renamed"], "")
}

pub(super) fn rename_saved(_: &Desk) -> Action {
    Action::new(&["rename", SAVED, "renamed"], "")
}

pub(super) fn ask(path: &str) -> Action {
    Action::new(&["get"], format!("{HUB}path={path}\n"))
}

/// As git does when the first answer was refused.
pub(super) fn ask_again(desk: &Desk) -> Action {
    let state = desk.state();
    let token = &state.tokens[&TokenName::existing("changing")];
    let tried = Tried::new(token.fingerprint.clone(), "hf_user", false);
    let state = Mark::Tried(tried).to_text();
    let request =
        format!("capability[]=state\nstate[]={state}\nusername=hf_user\n{HUB}path=changing/x\n");
    Action::new(&["get"], request).by_git()
}

pub(super) fn store(desk: &Desk, more: &str, token: &str) -> Action {
    let token = desk.token(token);
    let input = format!("{TYPED}{HUB}{more}username=alice\npassword={token}\n");
    Action::new(&["store"], input)
}

pub(super) fn store_renewable(desk: &Desk) -> Action {
    let refresh = desk.token("refresh");
    let more =
        format!("path=new/x\npassword_expiry_utc=4102444800\noauth_refresh_token={refresh}\n");
    store(desk, &more, "new")
}

pub(super) fn erase(desk: &Desk, more: &str, token: Option<&str>) -> Action {
    let password = token.map_or_else(String::new, |token| {
        format!("password={}\n", desk.token(token))
    });
    let input = format!("{HUB}{more}username=alice\n{password}");
    Action::new(&["erase"], input)
}

pub(super) fn in_file(desk: &Desk) {
    login(desk, "changing", "c0", "file")
        .plain(&desk.machine)
        .ok();
}

pub(super) fn in_keyring(desk: &Desk) {
    login(desk, "changing", "c0", "keyring")
        .plain(&desk.machine)
        .ok();
}

pub(super) fn in_store(desk: &Desk) {
    store(desk, "path=new/x\n", "new").plain(&desk.machine).ok();
}

pub(super) fn in_saved(desk: &Desk) {
    in_store(desk);
    desk.machine.helper(["use", SAVED, "--for", "new"]).ok();
}

pub(super) fn in_git(desk: &Desk) {
    in_file(desk);
    desk.machine.configure();
}

/// A token from a browser login that is due.
pub(super) fn in_browser(desk: &Desk) {
    in_browser_and(desk, "file");
}

pub(super) fn in_browser_keyring(desk: &Desk) {
    in_browser_and(desk, "keyring");
}

pub(super) fn in_browser_and(desk: &Desk, storage: &str) {
    desk.oauth.expires_in(60);
    let arguments = ["login", "changing", "--web", "--storage", storage];
    Action::new(&arguments, "").plain(&desk.machine).ok();
    desk.oauth.expires_in(3600);
    let rule = ["use", "changing", "--for", "changing"];
    desk.machine.helper(rule).ok();
}

/// A browser login in the hf CLI's files that has just expired.
pub(super) fn in_hf_cli(desk: &Desk) {
    let (access, refresh) = desk.oauth.login(&desk.hub);
    let end = now() - 1;
    let stored = format!(
        "[changing]\nhf_token = {access}\nrefresh_token = {refresh}\nexpires_at = {end}\n\n"
    );
    desk.machine.write(HF_STORED, stored);
    desk.machine.write(HF_TOKEN, access);
}

/// The state a kill between the two writes of a login leaves, a while later.
pub(super) fn in_another_value(desk: &Desk) {
    in_file(desk);
    let mut state = desk.machine.state();
    let known = state["tokens"]["changing"]["fingerprint"].take();
    state["tokens"]["changing"]["fingerprint"] = "0".repeat(32).into();
    state["tokens"]["changing"]["former"] = serde_json::json!([known]);
    state["tokens"]["changing"]["added"] = 1_700_000_000.into();
    desk.machine.write(STATE, state.to_string());
}

pub(super) fn in_command(desk: &Desk) {
    let vault = desk.machine.bin().join("vault");
    fs::write(&vault, desk.token("new")).expect("fill the vault");
    let config = desk.machine.read(CONFIG);
    let command = format!("[commands]\nvault = [\"cat\", {vault:?}]\n");
    let rule = "[rules]\n\"new/x\" = \"vault\"\n";
    desk.machine.write(
        CONFIG,
        format!("{}{command}", config.replacen("[rules]\n", rule, 1)),
    );
}
