//! A real Jupyter kernel, driven by nbclient as papermill drives it.

use super::machine::Machine;
use super::pypi::Package;
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

/// Runs the cells on a machine, and gives what each showed; `None` where there is no Jupyter to be
/// had.
pub fn run(machine: &Machine, cells: &[&str]) -> Option<Vec<String>> {
    let python = NBCLIENT.folder()?.join("bin/python");
    machine.write("run.py", RUN);
    let arguments = ["run.py"].into_iter().chain(cells.iter().copied());
    let run = machine.command(python, arguments);
    let session = run.timeout(Duration::from_secs(180)).ok().stdout;
    let shown = session.split("## ").skip(1);
    Some(shown.map(str::to_owned).collect())
}
