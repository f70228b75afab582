//! Programs by the names that Windows has for them: this one, and those that `run` and [commands]
//! start.

use std::path::{Path, PathBuf};

use crate::support::{PROGRAM, User, request, run, started, token};

/// A copy of the program that is called differently, in a folder with a space.
fn copy(user: &User, name: &str) -> PathBuf {
    let path = user.path("my programs").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy(PROGRAM, &path).unwrap();
    path
}

fn helper_line(user: &User, program: &Path) -> String {
    let mut command = started(program);
    let file = user.path("gitconfig");
    command
        .args(["configure", "--file"])
        .arg(&file)
        .env("GIT_CREDENTIAL_HF_HOME", user.home());
    run(command, "").ok();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(file).unwrap();
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("helper = "));
    line.unwrap().to_owned()
}

#[test]
fn the_helper_line_names_a_file_however_the_program_was_started() {
    let user = User::new();
    let program = copy(&user, "git-credential-hf.exe");
    let expected = helper_line(&user, &program);
    assert!(expected.ends_with("/git-credential-hf.exe"), "{expected}");
    assert!(
        !expected.contains('\\') || expected.contains("my\\\\ programs"),
        "{expected}"
    );
    assert_eq!(helper_line(&user, &program.with_extension("")), expected);

    // In upper case it is still ours, and a second run changes nothing.
    let upper = program.with_file_name("GIT-CREDENTIAL-HF.EXE");
    let line = helper_line(&user, &upper);
    assert!(line.eq_ignore_ascii_case(&expected), "{line}");
    let file = user.path("twice");
    let configure = || {
        let mut command = started(&upper);
        let home = user.home();
        command
            .args(["configure", "--file"])
            .arg(&file)
            .env("GIT_CREDENTIAL_HF_HOME", home);
        run(command, "").ok().stdout
    };
    // Git does not read that file by itself, so nothing more is claimed.
    assert!(configure().starts_with("configured "));
    assert!(configure().starts_with("already configured: "));
}

/// A script on the PATH that prints a token.
fn vault(user: &User, token: &str) -> PathBuf {
    let folder = user.path("bin");
    user.write("bin\\vault.cmd", &format!("@echo {token}\r\n"));
    folder
}

#[test]
fn a_command_may_be_a_script_and_is_never_one_of_the_working_directory() {
    let user = User::new();
    let folder = vault(&user, &token("vault"));
    let get = |program: &str, path: &Path| {
        let program = program.replace('\\', "\\\\");
        let config =
            format!("version = 1\n[rules]\nacme = \"v\"\n[commands]\nv = [\"{program}\"]\n");
        user.write("config.toml", &config);
        let mut command = user.command(&["get"]);
        command.current_dir(&folder).env("PATH", path);
        run(command, request("acme/x"))
    };
    let system = PathBuf::from(std::env::var("SystemRoot").unwrap()).join("System32");
    let path = std::env::join_paths([&folder, &system]).unwrap();
    let whole = folder.join("vault.cmd");
    for program in ["vault", "vault.cmd", whole.to_str().unwrap()] {
        let answer = get(program, Path::new(&path));
        assert!(
            answer.stdout.contains(&token("vault")),
            "{program}: {answer:?}"
        );
    }
    // It is in the working directory each time.
    let without = get("vault.cmd", &system);
    assert!(!without.stdout.contains("password="), "{without:?}");
    for program in ["C:vault.cmd", ".\\vault.cmd", "\\vault.cmd"] {
        let refused = get(program, Path::new(&path));
        assert!(
            !refused.stdout.contains("password="),
            "{program}: {refused:?}"
        );
        refused.says(&["absolute path"]);
    }
}

#[test]
fn run_passes_codes_on_and_says_127_where_there_is_no_program() {
    let user = User::new();
    user.login("work", &token("work"), &["--storage", "file", "--default"]);
    let exits = user.run(&["run", "--for", "acme/x", "--", "cmd", "/c", "exit 7"], "");
    assert_eq!(exits.code, Some(7), "{exits:?}");
    let missing = user
        .run(&["run", "--for", "acme/x", "--", "no-such-program"], "")
        .fails(127);
    missing.says(&["cannot run `no-such-program`"]);
    let prints = user
        .run(
            &[
                "run",
                "--for",
                "acme/x",
                "--",
                "cmd",
                "/c",
                "echo %HF_TOKEN%",
            ],
            "",
        )
        .ok();
    assert!(prints.stdout.contains(&token("work")), "{prints:?}");
}

#[test]
fn suggested_commands_are_quoted_for_cmd_too() {
    let user = User::new();
    let login = ["login", "my token", "--with-token", "--no-verify"];
    let long = format!("hf_{}", "x".repeat(3000));
    user.run(&login, long)
        .fails(1)
        .says(&["login \"my token\" --with-token --storage file"]);
}

/// The token that a program of this name gets, started with a verb, where fetch and push have
/// different ones.
fn token_below(user: &User, program: &str, verb: &str) -> String {
    let copy = user.path("tools").join(program);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let output = started(&copy)
        .args([verb, "--ignored", "--exact", "--nocapture"])
        .arg("programs::a_program_that_asks_for_a_token")
        .env("GIT_CREDENTIAL_HF_HOME", user.home())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find_map(|line| line.strip_prefix("password="));
    line.map(str::to_owned).unwrap_or(said)
}

#[test]
#[ignore = "started by the test below"]
fn a_program_that_asks_for_a_token() {
    let mut command = started(PROGRAM);
    command.arg("get");
    println!("{}", run(command, request("acme/x")).stdout);
}

#[test]
fn what_git_is_about_to_do_is_read_from_its_command_line() {
    let user = User::new();
    for (name, flag) in [("reads", "--fetch"), ("writes", "--push")] {
        user.login(name, &token(name), &["--storage", "file"]);
        user.run(&["use", name, "--for", "acme", flag], "").ok();
    }
    for (program, verb, expected) in [
        ("git.exe", "fetch", "reads"),
        ("GIT.EXE", "fetch", "reads"),
        ("git.exe", "push", "writes"),
        // Nobody says what it does: the token that may do either.
        ("other.exe", "fetch", "writes"),
    ] {
        assert_eq!(
            token_below(&user, program, verb),
            token(expected),
            "{program} {verb}"
        );
    }
}
