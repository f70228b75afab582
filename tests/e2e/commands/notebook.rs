//! A Jupyter kernel: nobody can answer a question there, so none may be waited for.

use crate::support::hub::Hub;
use crate::support::hub::Right::Read;
use crate::support::machine::Machine;
use crate::support::notebook;
use crate::support::user::CONFIG;

#[test]
fn the_session_of_a_notebook() {
    let hub = Hub::start();
    hub.add_repo("acme/x", true);
    let machine = Machine::new(&hub);
    machine.configure();
    machine.unset("GIT_TERMINAL_PROMPT");
    machine.write(CONFIG, "version = 1\nstorage = \"file\"\n");
    machine.write("token", hub.add_token("work", &[("acme", Read)]));
    let cells = [
        "!git clone --quiet https://huggingface.co/acme/x; echo clone $?",
        "!git credential-hf login work; echo login $?",
        "!git credential-hf login work --with-token --no-verify --for acme < token; echo stdin $?",
        "!git clone --quiet https://huggingface.co/acme/x; echo clone $?",
        "!git credential-hf logout; echo logout $?",
    ];
    let Some(session) = notebook::run(&machine, &cells) else {
        return;
    };
    for (shown, words) in session.iter().zip([
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
            assert!(shown.contains(word), "{word:?} is not in {session:?}");
        }
        assert!(!shown.contains("Username for"), "{session:?}");
    }
}
