//! A real Jupyter kernel, driven by nbclient as papermill drives it: nobody can answer a question
//! there, so none may be waited for.

use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::machine::Machine;
use crate::support::pypi::Package;
use crate::support::user::CONFIG;
use std::time::Duration;

static NBCLIENT: Package = Package::new(
    "nbclient",
    "nbclient==0.11.0\nipykernel==7.4.0\n",
    &["--only-binary=:all:"],
);

/// Runs the cells and prints what each shows. A cell that waits for an answer fails.
const RUN: &str = r#"
import sys, nbformat
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(line) for line in sys.argv[1:]]
book = nbformat.v4.new_notebook(cells=cells)
NotebookClient(book, timeout=60, kernel_name="python3").execute()
for cell in book.cells:
    print('##', cell.source)
    for output in cell.outputs:
        print(output.get("text", output.get("evalue", "")), end="")
"#;

#[test]
fn the_session_of_a_notebook() {
    let Some(jupyter) = NBCLIENT.folder() else {
        return;
    };
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.configure();
    machine.unset("GIT_TERMINAL_PROMPT");
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    machine.write("token", hub.add_token("work", &[("acme", Read)]));
    machine.write("run.py", RUN);
    let python = jupyter.join("bin/python");
    let cells = [
        "!git clone --quiet https://huggingface.co/acme/x; echo clone $?",
        "!git credential-hf login work; echo login $?",
        "!git credential-hf login work --with-token --no-verify --for acme < token; echo stdin $?",
        "!git clone --quiet https://huggingface.co/acme/x; echo clone $?",
        "!git credential-hf logout; echo logout $?",
    ];
    let session = machine
        .command(python, ["run.py"].into_iter().chain(cells))
        .timeout(Duration::from_secs(180))
        .ok()
        .stdout;
    let shown: Vec<&str> = session.split("## ").skip(1).collect();
    for (shown, words) in shown.iter().zip([
        &[
            "a notebook cannot answer git's prompt",
            "!git credential-hf login NAME --for acme --web",
            "clone 128",
        ][..],
        &[
            "a notebook cannot ask for a token",
            "!git credential-hf login work --with-token",
            "login 1",
        ],
        &["stored `work`", "stdin 0"],
        &["clone 0"],
        &["no token was named", "logout 2"],
    ]) {
        for word in words {
            assert!(shown.contains(word), "{word:?} is not in {session}");
        }
        assert!(!shown.contains("Username for"), "{session}");
    }
}
