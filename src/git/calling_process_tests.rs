use super::*;

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn said(line: &str) -> String {
    match Program::parse(&words(line)).in_use() {
        None => "-".to_owned(),
        Some(InUse::Remote { name, operation }) => format!("{operation} {name}"),
        Some(InUse::At(place)) => {
            let user = place.username.map_or_else(String::new, |u| format!("{u}@"));
            format!("{user}{}/{}", place.endpoint, place.path)
        }
    }
}

#[test]
fn what_programs_have_in_use() {
    const X: &str = "https://huggingface.co/acme/x";
    for (line, expected) in [
        (format!("/usr/lib/git-core/git-remote-https origin {X}"), X),
        (format!("git-remote-https {X} {X}"), X),
        (format!("git-remote-https {X}"), X),
        (format!("git remote-https origin {X}"), X),
        (format!("git lfs pre-push origin {X}"), X),
        (
            "git-remote-https up https://work@HF.co/acme/x.git/".to_owned(),
            "work@https://huggingface.co/acme/x.git",
        ),
        (
            "git-remote-http up http://127.0.0.1:8080/acme/x".to_owned(),
            "http://127.0.0.1:8080/acme/x",
        ),
        (format!("git-lfs pre-push origin {X}"), X),
        (format!("git-lfs pre-push --dry-run {X} {X}"), X),
        ("git-lfs push origin main".to_owned(), "push origin"),
        ("git-lfs push --all up".to_owned(), "push up"),
        (format!("git-lfs push {X} main"), X),
        ("git-lfs fetch up".to_owned(), "fetch up"),
        ("/usr/bin/git-lfs pull up".to_owned(), "fetch up"),
        // By ssh: git asks no helper there, but git-xet may.
        (
            "git-lfs pre-push origin git@hf.co:acme/x".to_owned(),
            "push origin",
        ),
    ] {
        assert_eq!(said(&line), expected, "{line}");
    }
}

#[test]
fn what_says_nothing() {
    for line in [
        "",
        "git fetch https://huggingface.co/acme/x",
        "git-remote-https",
        "git-remote-https origin",
        "git-remote-https origin ssh://git@hf.co/acme/x",
        "git-lfs",
        "git-lfs push",
        "git-lfs filter-process",
        "git-lfs smudge -- a.bin",
        "git-lfs pre-push",
        "git-lfs pre-push origin",
        "vi git-lfs pre-push origin https://huggingface.co/acme/x",
        "my-git-lfs push origin",
    ] {
        assert_eq!(said(line), "-", "{line}");
    }
}

#[test]
fn what_programs_are_about_to_do() {
    const X: &str = "https://huggingface.co/acme/x";
    // The nearest program first; what each line of callers comes to.
    for (lines, expected) in [
        (&["git push"][..], "push"),
        (&["git -C /srv/repo push origin main"], "push"),
        (
            &["/usr/bin/git -c a.b=c --git-dir /x --no-pager push"],
            "push",
        ),
        (&["git --git-dir=/x fetch"], "fetch"),
        (
            &["git clone --depth 1 https://huggingface.co/acme/x"],
            "fetch",
        ),
        (&["git pull"], "fetch"),
        (&["git submodule update --init"], "fetch"),
        (&["git remote update"], "fetch"),
        (&["/usr/libexec/git-core/git-push origin"], "push"),
        (&["C:\\Git\\cmd\\GIT.EXE push"], "push"),
        (
            &["C:/Git/git-lfs.exe pre-push origin https://hf.co/acme/x"],
            "push",
        ),
        (
            &["git-remote-https origin https://hf.co/acme/x", "git push"],
            "push",
        ),
        (
            &["git remote-https origin https://hf.co/acme/x", "git fetch"],
            "fetch",
        ),
        // The wrapper of a bare helper name, an alias, a shell alias, a hook.
        (
            &[
                "git credential-hf get",
                "sh -c git_credential-hf_get",
                "git-remote-https origin https://hf.co/acme/x",
                "git remote-https origin https://hf.co/acme/x",
                "git push",
                "git publish",
            ],
            "push",
        ),
        (
            &[
                "git-remote-https o x",
                "git push",
                "sh -c git_push",
                "git up",
            ],
            "push",
        ),
        (
            &[
                "git-remote-https o x",
                "git fetch",
                "sh pre-push",
                "git push",
            ],
            "fetch",
        ),
        // git-lfs, git-xet below it, and a `git ls-remote` below it.
        (
            &["git-lfs pre-push origin url", "sh pre-push", "git push"],
            "push",
        ),
        (
            &[
                "git credential fill",
                "git-xet transfer",
                "sh -c git-xet",
                "git-lfs push origin",
            ],
            "push",
        ),
        (
            &[
                "git-remote-https o x",
                "git ls-remote",
                "git-lfs pre-push o x",
            ],
            "fetch",
        ),
        (&["git lfs push origin main"], "push"),
        (&["git -C x lfs --debug pull"], "fetch"),
        (&["git-lfs smudge -- a.bin", "git checkout push"], "fetch"),
        (&["git-lfs filter-process", "git checkout main"], "fetch"),
        (
            &[
                "git credential fill",
                "git-lfs filter-process",
                "git clone url",
            ],
            "fetch",
        ),
        // A folder, a remote and a branch of such names.
        (&["git -C push fetch"], "fetch"),
        (&["git fetch push push"], "fetch"),
        (&["git checkout push"], "-"),
        (&["git -c push"], "-"),
        (&["git"], "-"),
        (&["git --exec-path"], "-"),
        (&["push"], "-"),
        (&["vi git-lfs pre-push"], "-"),
        (&["sh -c git push"], "-"),
        (&["my-git push"], "-"),
        (&["git credential fill", "python -m dvc push"], "-"),
        (&["git-lfs"], "-"),
        (&["git-lfs version"], "-"),
        (&[""], "-"),
        (&[], "-"),
    ] {
        let programs = lines.iter().map(|line| Program::parse(&words(line)));
        let operation = Callers(programs.collect()).operation();
        let said = operation.map_or_else(|| "-".to_owned(), |it| it.to_string());
        assert_eq!(said, expected, "{lines:?}");
    }
    // A folder of that name is part of one word where the system tells words apart.
    let folder = ["/home/me/git-lfs pre-push/bin/editor", "x"].map(str::to_owned);
    assert_eq!(Program::parse(&folder).operation(), None);
    // The place in use and the operation come out of one reading.
    let both = Program::parse(&words(&format!("git-lfs pre-push origin {X}")));
    assert!(both.in_use().is_some() && both.operation().is_some());
}

#[test]
fn who_asks() {
    use Asker::{GitTransport, Other, Unknown};
    const TRANSPORT: &str = "/usr/lib/git-core/git-remote-https origin https://hf.co/acme/x";
    for (lines, expected) in [
        (&[TRANSPORT][..], GitTransport),
        (
            &["git-remote-http up http://127.0.0.1:8080/acme/x"],
            GitTransport,
        ),
        (
            &["git remote-https up https://hf.co/acme/x", "git push"],
            GitTransport,
        ),
        (
            &[
                "git credential-hf get",
                "sh -c git credential-hf get",
                TRANSPORT,
            ],
            GitTransport,
        ),
        (
            &["/bin/sh -c /opt/git-credential-hf get", TRANSPORT],
            GitTransport,
        ),
        (&["/usr/bin/git credential-hf get", TRANSPORT], GitTransport),
        (
            &["git credential fill", "git-lfs pre-push origin url"],
            Other,
        ),
        // Git's transport further up does not ask.
        (
            &[
                "git credential-hf get",
                "git credential fill",
                "git-lfs smudge",
                TRANSPORT,
            ],
            Other,
        ),
        (&["git push"], Other),
        (&["git clone https://hf.co/acme/x", TRANSPORT], Other),
        (&["/home/me/wrapper get", TRANSPORT], Other),
        (&["sh /home/me/wrapper get", TRANSPORT], Other),
        (&["bash"], Other),
        (&["cargo fetch"], Other),
        (&[""], Other),
        (&["my-git-remote-https origin url"], Other),
        (&["git -c x=y remote-https origin url"], Other),
        (
            &["git credential-hf get", "sh -c git credential-hf get"],
            Unknown,
        ),
        (&[], Unknown),
    ] {
        let programs = lines.iter().map(|line| Program::parse(&words(line)));
        let callers = Callers(programs.collect());
        assert_eq!(callers.asker(), expected, "{lines:?}");
    }
}

#[test]
fn places_in_use_and_all_others() {
    use Operation::{Fetch, Push};
    let hub = Endpoint::hugging_face();
    let remote = |name: &str, path: &str, operation| Remote {
        name: name.to_owned(),
        location: parse_location(path, &hub).unwrap(),
        operation,
    };
    let remotes = [
        remote("origin", "acme/x", Fetch),
        remote("up", "umbrella/x", Fetch),
        remote("up", "https://me@hf.co/umbrella/x", Push),
        remote("again", "acme/x", Fetch),
        remote("corp", "https://hub.corp.example/acme/z", Fetch),
    ];
    let named = |name: &str, operation| {
        Some(InUse::Remote {
            name: name.to_owned(),
            operation,
        })
    };
    let all = "acme/x umbrella/x me@umbrella/x";
    for (used, expected) in [
        (None, all),
        (place("https://huggingface.co/other/y"), "other/y"),
        (place("https://me@hf.co/acme/x"), "me@acme/x"),
        // A remote elsewhere is not the one that asks.
        (place("https://hub.corp.example/acme/z"), all),
        (named("corp", Push), all),
        (named("none", Push), all),
        (named("origin", Fetch), "acme/x"),
        (named("origin", Push), "acme/x"),
        (named("up", Fetch), "umbrella/x"),
        (named("up", Push), "me@umbrella/x"),
    ] {
        let remotes = || Ok::<_, ()>(remotes.as_slice());
        let places = places(&hub, used.as_ref(), remotes).unwrap();
        let shown = places.iter().map(|place| match &place.username {
            Some(user) => format!("{user}@{}", place.path),
            None => place.path.clone(),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{used:?}");
    }
}
