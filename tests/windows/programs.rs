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
    assert!(configure().contains("now calls"));
    assert!(configure().contains("already calls"));
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
        .says(&["login \"my token\" --storage file"]);
}
