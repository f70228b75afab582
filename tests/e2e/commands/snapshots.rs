//! Whole outputs as people see them: on terminals of several widths, without UTF-8, without colours
//! and in a pipe. The expected texts are in `snapshots/`; `UPDATE_SNAPSHOTS=1` writes them anew,
//! and `tests/pictures/make` makes pictures of the same session.

use crate::support::hub::Hub;
use crate::support::hub::Right::Write;
use crate::support::hub::api::{WhoAmI, account, fine_grained};
use crate::support::machine::Machine;
use crate::support::picture;
use crate::support::snapshot::{expect, tidy};
use crate::support::user::{CONFIG, now};
use serde_json::json;
use std::path::Path;

/// A user who works for two organisations, with tokens in all states.
fn machine() -> (Hub, Machine) {
    let hub = Hub::start();
    hub.add_repo("acme/llama", true);
    let machine = Machine::new(&hub);
    let whoami = WhoAmI::start(&hub);
    let write: &[&str] = &["repo.content.read", "repo.write"];
    let soon = now() + 3 * 86_400 + 3_600;
    let mut ends = fine_grained(&[("org", "acme", &["repo.content.read"])]);
    ends["auth"]["expiresAt"] = json!(date(soon));
    for (name, answer, more) in [
        (
            "acme-write",
            fine_grained(&[("org", "acme", write)]),
            ["--for", "acme"].as_slice(),
        ),
        ("acme-read-10", ends.clone(), &[]),
        ("acme-read-9", ends, &[]),
        (
            "umbrella-data",
            fine_grained(&[("dataset", "umbrella/corpus", write)]),
            &["--for", "datasets/umbrella/corpus"],
        ),
        ("me", account("write"), &["--default"]),
        ("old-laptop", account("read"), &[]),
    ] {
        whoami.says(name, answer);
        let token = hub.add_token(name, &[("acme", Write)]);
        let login = ["login", name, "--with-token", "--storage", "file"];
        let login = machine.helper(login.iter().chain(more));
        login.stdin(&token).ok();
        if name == "old-laptop" {
            machine.ask(
                "erase",
                format!("protocol=https\nhost=huggingface.co\nusername=alice\npassword={token}\n"),
            );
        }
    }
    let config = machine.read(CONFIG);
    let vault =
        "\n[commands]\nvault = [\"vault\", \"kv\", \"get\", \"-field=token\", \"secret/hf\"]\n";
    machine.write(CONFIG, config + vault);
    machine.configure();
    (hub, machine)
}

/// A day as the Hub writes it.
fn date(at: u64) -> String {
    let days = i64::try_from(at / 86_400).expect("a day") + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let rest = at % 86_400;
    let (hours, minutes) = (rest / 3_600, rest % 3_600 / 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hours:02}:{minutes:02}:00.000Z")
}

/// What a command prints on a terminal of this width.
fn on_terminal(machine: &Machine, arguments: &str, width: usize, env: &[(&str, &str)]) -> String {
    let line = format!("stty cols {width} rows 60; git-credential-hf {arguments}");
    let mut run = machine.command("script", ["-qec", &line, "/dev/null"]);
    for (key, value) in [("TERM", "xterm")].iter().chain(env) {
        run = run.env(key, value);
    }
    let shown = tidy(&run.run().stdout);
    assert!(!shown.is_empty(), "{arguments} shows nothing");
    shown
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let mut plain = parts.next().unwrap_or("").to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, text)| text));
    }
    plain
}

/// The columns of a line; what is shown here is one column wide each.
fn widest(text: &str) -> usize {
    let widths = text.lines().map(|line| line.chars().count());
    widths.max().unwrap_or(0)
}

#[test]
fn outputs_fit_their_terminal() {
    let (_hub, machine) = machine();
    for (name, arguments) in [
        ("status", "status"),
        ("list", "list"),
        ("list-verbose", "list --verbose"),
        ("explain", "explain acme/llama"),
    ] {
        for width in [60, 80, 120] {
            let text = on_terminal(&machine, arguments, width, &[]);
            assert!(text.contains("\x1b["), "{arguments} has no colours: {text}");
            let text = without_colours(&text);
            assert!(widest(&text) <= width, "{arguments} at {width}:\n{text}");
            expect("commands/snapshots", &format!("{name}-{width}"), &text);
        }
        let plain = on_terminal(&machine, arguments, 80, &[("NO_COLOR", "1")]);
        assert!(!plain.contains('\x1b'), "{plain}");
        expect("commands/snapshots", &format!("{name}-80"), &plain);
        let ascii = on_terminal(&machine, arguments, 80, &[("LC_ALL", "C")]);
        let ascii = without_colours(&ascii);
        assert!(ascii.is_ascii() && widest(&ascii) <= 80, "{ascii}");
        expect("commands/snapshots", &format!("{name}-ascii"), &ascii);
        let pipe = machine.helper(arguments.split(' ')).ok().stdout;
        expect("commands/snapshots", &format!("{name}-pipe"), &tidy(&pipe));
    }
}

#[test]
fn doctor_fits_its_terminal() {
    let (_hub, machine) = machine();
    for width in [60, 80, 120] {
        let text = without_colours(&on_terminal(&machine, "doctor --offline", width, &[]));
        // A path or a command that is longer than the line stays whole, so that it can be copied.
        let long = |line: &&str| line.split(' ').all(|word| word.chars().count() < 40);
        let broken = text
            .lines()
            .filter(long)
            .find(|line| line.chars().count() > width);
        assert_eq!(broken, None, "{width}:\n{text}");
    }
    let ascii = on_terminal(&machine, "doctor --offline", 80, &[("LC_ALL", "C")]);
    assert!(ascii.is_ascii(), "{ascii}");
}

#[test]
fn much_of_everything_stays_a_page() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    for at in 0..40 {
        let name = format!("team-{at}-with-a-name-that-is-much-too-long-for-a-column");
        machine.login(&name, &hub.add_token(&name, &[]), &[]);
    }
    let mut config = machine.read(CONFIG) + "\n[rules]\n";
    for at in 0..200 {
        let token = format!(
            "team-{}-with-a-name-that-is-much-too-long-for-a-column",
            at % 4
        );
        config.push_str(&format!(
            "\"acme/a-repo-with-a-long-name-{at}\" = \"{token}\"\n"
        ));
    }
    machine.write(CONFIG, config);
    let text = without_colours(&on_terminal(&machine, "list", 60, &[]));
    assert!(widest(&text) <= 60, "{text}");
    assert!(text.lines().count() < 60, "{text}");
    let (two, ten) = (text.find("team-2-"), text.find("team-10"));
    assert!(two < ten && two.is_some(), "{text}");
    let all = without_colours(&on_terminal(&machine, "list -v", 60, &[]));
    assert!(all.lines().count() > 240, "{all}");
}

#[test]
fn help_names_its_own_option_once() {
    let (_hub, machine) = machine();
    for arguments in ["", "list --nope", "-h", "list -h"] {
        let text = without_colours(&on_terminal(&machine, arguments, 80, &[]));
        assert!(!text.contains("-h, -h"), "{arguments}: {text}");
        assert!(widest(&text) <= 80, "{arguments}: {text}");
    }
    let coloured = on_terminal(&machine, "nope", 80, &[]);
    assert!(coloured.contains('\x1b'), "{coloured}");
    let plain = on_terminal(&machine, "nope", 80, &[("NO_COLOR", "1")]);
    assert!(!plain.contains('\x1b'), "{plain}");
}

/// The verbs, as the help lists them.
fn verbs(machine: &Machine) -> Vec<String> {
    let help = machine.helper(["-h"]).ok().stdout;
    let (_, commands) = help.split_once("Commands:\n").expect("the commands");
    let (commands, _) = commands.split_once("\n\n").expect("their end");
    let names = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let names = names.filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split(' ').next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_help_fits_its_terminal() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let verbs = verbs(&machine);
    assert!(verbs.len() > 15, "{verbs:?}");
    for width in [40, 60, 80] {
        let mut all = String::new();
        for verb in [String::new()].iter().chain(&verbs) {
            let help = on_terminal(&machine, &format!("{verb} -h"), width, &[]);
            let help = without_colours(&help);
            for line in help.lines() {
                // A single word and the usage stay whole.
                let whole = line.starts_with("Usage: ") || !line.trim().contains(' ');
                assert!(whole || widest(line) <= width, "{verb}:\n{help}");
            }
            all.push_str(&format!("$ git credential-hf {verb} -h\n{help}\n"));
        }
        expect("commands/snapshots", &format!("help-{width}"), &all);
    }
}

#[test]
fn many_clones_with_one_token_are_one_question() {
    let hub = Hub::start();
    let machine = Machine::new(&hub);
    let _whoami = WhoAmI::start(&hub);
    let (many, one) = (hub.add_token("many", &[]), hub.add_token("one", &[]));
    for at in 0..300 {
        let token = if at == 150 { &one } else { &many };
        let config =
            format!("[remote \"origin\"]\n\turl = https://u:{token}@huggingface.co/acme/x{at}\n");
        machine.write(format!("src/x{at}/.git/HEAD"), "ref: refs/heads/main\n");
        machine.write(format!("src/x{at}/.git/config"), config);
    }
    machine.configure();
    let import = "stty cols 80; git-credential-hf import remotes --recurse src --storage file";
    for (answers, left) in [("q\n", 300), ("n\ny\n", 299), ("a\n", 0)] {
        let run = machine.command("script", ["-qec", import, "/dev/null"]);
        let run = run.env("TERM", "xterm").env("GIT_TERMINAL_PROMPT", "1");
        let run = run.stdin(answers).run();
        let asked = run.stdout.matches("[y/n/a/q]").count();
        assert_eq!(asked, answers.lines().count(), "{run}");
        assert!(run.stdout.contains("and 296 more") || left == 0, "{run}");
        let clones = (0..300).map(|at| machine.read(format!("src/x{at}/.git/config")));
        let with_token = clones.filter(|config| config.contains("hf_")).count();
        assert_eq!(with_token, left, "{answers:?}: {run}");
        assert!(run.stdout.lines().count() < 60, "{run}");
    }
}

/// Makes the pictures where `PICTURES` names a folder, and otherwise checks that they can be made.
#[test]
fn pictures() {
    let (_hub, machine) = machine();
    let folder = std::env::var_os("PICTURES");
    for (name, arguments, width) in [
        ("status", "status", 92),
        ("list", "list", 92),
        ("explain", "explain acme/llama", 92),
        ("doctor", "doctor --offline", 100),
    ] {
        let shown = on_terminal(&machine, arguments, width, &[]);
        let bin = machine.bin().display().to_string();
        let shown = shown.replace(&bin, "/usr/local/bin");
        let svg = picture::svg(&format!("git credential-hf {arguments}"), &shown, width);
        assert!(svg.contains("</svg>"), "{svg}");
        if let Some(folder) = &folder {
            let file = Path::new(folder).join(format!("{name}.svg"));
            std::fs::write(file, svg).expect("write a picture");
        }
    }
}
