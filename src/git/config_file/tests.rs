use super::*;

const HUB: &[&str] = &["https://huggingface.co"];
const BOTH: &[&str] = &["https://huggingface.co", "https://hf.co"];

fn set(original: &str) -> String {
    let bytes = configure(Some(original.as_bytes()), HUB, "hf").unwrap();
    String::from_utf8(bytes).unwrap()
}

fn unset(current: &str) -> String {
    String::from_utf8(unconfigure(current.as_bytes()).unwrap().bytes).unwrap()
}

fn block(note: &str) -> String {
    format!(
        "{BEGIN}{note}\n[credential]\n\t{ANCHOR}\n[credential \"https://huggingface.co\"]\n\
         \thelper =\n\thelper = hf\n\tuseHttpPath = true\n{END}\n"
    )
}

/// What people have in their files; each must come back to the byte.
const ORIGINALS: &[&str] = &[
    "",
    "\n",
    "\t",
    "\u{feff}",
    "\u{feff}[user]\n\tname = x",
    "[user]\n\tname = x\n",
    "[user]\n\tname = x",
    "[user]\r\n\tname = x\r\n",
    "[user]\r\n\tname = x",
    "[user]\r",
    "[core] bare = true\n[a][b \"c\"] d = e\n",
    "[alias]\n\tx = \"!f() { \\\n\t\techo \\\"a b\\\"; \\\n\t}; f\"",
    "[a]\n\tb = c\\",
    "[a]\n\tb = c\\\n",
    "[a]\r\n\tb = c\\",
    "[a]\n\tb = \"#;\\\\\" ; note \\",
    "# only a comment",
    "[section \"sub \\\"x\\\"\"]\n\tkey\n",
    "[include]\n\tpath = ~/.more\n[includeIf \"gitdir:~/w/\"]\n\tpath = w\n",
    "[credential]\n\thelper = store\n",
    "[credential]\n\thelper = store\n[user]\n\tname = x\n",
    "[credential]\n",
    "[credential \"https://huggingface.co\"]\n\thelper =\n\thelper = hf\n\tuseHttpPath = true\n",
    "[credential \"https://huggingface.co\"]\n\thelper = store",
    "top = level\n",
];

#[test]
fn configure_appends_one_block_and_unconfigure_takes_it_away() {
    for original in ORIGINALS {
        let first = set(original);
        assert!(first.starts_with(original), "{original:?}");
        assert_eq!(set(&first), first, "{original:?}");
        assert_eq!(unset(&first), *original, "{original:?}");
        let other = configure(Some(first.as_bytes()), BOTH, "/opt/bin/git-credential-hf").unwrap();
        assert_eq!(
            set(&String::from_utf8(other).unwrap()),
            first,
            "{original:?}"
        );
        assert_eq!(
            configure(Some(first.as_bytes()), &[], "hf").unwrap(),
            original.as_bytes()
        );
    }
}

#[test]
fn the_begin_line_remembers_how_the_file_ended() {
    for (original, expected) in [
        ("", block("")),
        ("[a]\n", format!("[a]\n{}", block(""))),
        ("[a]", format!("[a]\n{}", block(ADDED[1]))),
        (
            "[a]\nb = c\\",
            format!("[a]\nb = c\\\n\n{}", block(ADDED[2])),
        ),
        (
            "[a]\r\nb = 1",
            format!("[a]\r\nb = 1\r\n{}", block(ADDED[1]).replace('\n', "\r\n")),
        ),
    ] {
        assert_eq!(set(original), expected);
    }
}

#[test]
fn a_file_that_configure_made_is_to_be_deleted_again() {
    let made = configure(None, HUB, "hf").unwrap();
    assert_eq!(made, block(CREATED).into_bytes());
    let again = configure(Some(&made), HUB, "hf").unwrap();
    assert_eq!(again, made);
    let left = unconfigure(&again).unwrap();
    assert_eq!(
        left,
        Unconfigured {
            bytes: Vec::new(),
            delete_file: true
        }
    );
    // A file that was there, though empty, stays, and so does one with somebody's lines in it now.
    assert!(!unconfigure(set("").as_bytes()).unwrap().delete_file);
    let more = [made.as_slice(), b"[user]\n\tname = x\n"].concat();
    let left = unconfigure(&more).unwrap();
    assert_eq!(
        left,
        Unconfigured {
            bytes: b"[user]\n\tname = x\n".to_vec(),
            delete_file: false
        }
    );
}

#[test]
fn lines_that_others_added_stay_under_their_header() {
    let current = |a: &str, b: &str, c: &str| {
        format!(
            "[user]\n\tname = x\n{BEGIN} (after an added newline)\n[credential]\n{a}\t{ANCHOR}\n\
             [credential \"https://huggingface.co\"]\n\thelper =\n\thelper = hf\n\tuseHttpPath = true\n{b}{END}\n{c}"
        )
    };
    for (a, b, c, left) in [
        ("", "", "", "[user]\n\tname = x"),
        (
            "\thelper = store\n",
            "",
            "",
            "[user]\n\tname = x\n[credential]\n\thelper = store\n",
        ),
        (
            "",
            "\tusername = me\n",
            "",
            "[user]\n\tname = x\n[credential \"https://huggingface.co\"]\n\tusername = me\n",
        ),
        (
            "",
            "",
            "\tusername = me\n",
            "[user]\n\tname = x\n[credential \"https://huggingface.co\"]\n\tusername = me\n",
        ),
        ("", "# mine\n", "", "[user]\n\tname = x\n# mine\n"),
        (
            "",
            "",
            "[alias]\n\ta = b",
            "[user]\n\tname = x\n[alias]\n\ta = b",
        ),
        (
            "",
            "[alias]\n\ta = b\n",
            "",
            "[user]\n\tname = x\n[alias]\n\ta = b\n",
        ),
    ] {
        let file = current(a, b, c);
        assert_eq!(unset(&file), left);
        // Configuring again moves our lines below theirs.
        let again = set(&file);
        assert_eq!(set(&again), again);
        assert!(again.ends_with(&format!("{END}\n")));
        assert_eq!(unset(&again), left);
    }
}

#[test]
fn without_its_marks_a_block_is_known_by_its_three_lines() {
    let full = format!("[user]\n\tname = x\n{}[alias]\n\ta = b\n", block(""));
    let plain = "[user]\n\tname = x\n[alias]\n\ta = b\n";
    for broken in [
        full.replace(&format!("{BEGIN}\n"), ""),
        full.replace(&format!("{END}\n"), ""),
        full.replace(&format!("{BEGIN}\n"), "")
            .replace(&format!("{END}\n"), ""),
        full.replace(BEGIN, &format!("{BEGIN} (edited)")),
        full.replace('\t', "    ")
            .replace("    name", "\tname")
            .replace("    a", "\ta"),
    ] {
        assert_eq!(unset(&broken), plain, "{broken}");
    }
    // Near a lost mark, what only resembles our lines is somebody's.
    let theirs =
        "[credential \"https://huggingface.co\"]\n\thelper = hf\n[credential]\n\thelper = hf\n";
    assert_eq!(unset(theirs), theirs);
    assert_eq!(unset(&format!("{BEGIN}\n{theirs}")), theirs);
    // Between both marks a changed line is somebody's too, and ours go.
    let changed = full.replace("useHttpPath = true", "useHttpPath = false");
    let left = plain.replace(
        "[alias]",
        "[credential \"https://huggingface.co\"]\n\tuseHttpPath = false\n[alias]",
    );
    assert_eq!(unset(&changed), left);
    let twice = full.clone() + &block(" (after an added newline)");
    assert_eq!(unset(&twice), plain.trim_end());
}

#[test]
fn lines_typed_by_hand_survive_configure() {
    let typed =
        "[credential \"https://hub.example\"]\n\thelper =\n\thelper = hf\n\tuseHttpPath = true\n";
    assert_eq!(set(typed), format!("{typed}{}", block("")));
    assert_eq!(unset(&set(typed)), typed);
}

#[test]
fn a_file_git_cannot_read_is_left_alone() {
    use EditError::{Header, Key, Value};
    for (text, error) in [
        ("[core", Header { line: 1 }),
        ("\n[core\n]", Header { line: 2 }),
        ("[]", Header { line: 1 }),
        ("[a \"b\" ]", Header { line: 1 }),
        ("[a \"b\nc\"]", Header { line: 1 }),
        ("[a b]", Header { line: 1 }),
        ("[a_b]", Header { line: 1 }),
        ("[a]\n\n1b = c\n", Key { line: 3 }),
        ("[a]\nb c\n", Key { line: 2 }),
        ("[a]\nb # c\n", Key { line: 2 }),
        ("[a]\nb = \"c\nd = e\n", Value { line: 2 }),
        ("[a]\nb = \\\n\"c", Value { line: 3 }),
        ("[a]\nb = c\\d\n", Value { line: 2 }),
        ("<<<<<<< HEAD\n", Key { line: 1 }),
    ] {
        let bytes = text.as_bytes();
        assert_eq!(
            configure(Some(bytes), HUB, "hf"),
            Err(error.clone()),
            "{text:?}"
        );
        assert_eq!(unconfigure(bytes), Err(error), "{text:?}");
    }
}

#[test]
fn what_would_not_be_recognised_again_is_not_written() {
    for bad in [
        "",
        "store",
        "hf2",
        "hf\nx = y",
        "bin/git-credential-hf",
        "/opt/a #b/git-credential-hf",
        "\"hf",
        "hf\\",
    ] {
        assert_eq!(
            configure(None, HUB, bad),
            Err(EditError::Helper(bad.to_owned()))
        );
    }
    for good in [
        "/usr/bin/git-credential-hf",
        "C:/x/git-credential-hf.exe",
        "hf",
    ] {
        assert!(configure(None, HUB, good).is_ok(), "{good}");
    }
    for bad in ["", "https://a\n[b]"] {
        assert_eq!(
            configure(None, &[bad], "hf"),
            Err(EditError::Endpoint(bad.to_owned()))
        );
    }
}

#[test]
fn quoted_paths() {
    for (path, value) in [
        ("/usr/bin/git-credential-hf", "/usr/bin/git-credential-hf"),
        ("/a b/git-credential-hf", r"/a\\ b/git-credential-hf"),
        (
            "/a'b\"c/git-credential-hf",
            r#"/a\\'b\\\"c/git-credential-hf"#,
        ),
        (
            "/a;b#c/git-credential-hf",
            r#""/a\\;b\\#c/git-credential-hf""#,
        ),
        ("/a\\b/git-credential-hf", r"/a\\\\b/git-credential-hf"),
        (
            "/a\tb\nc/git-credential-hf",
            r"/a\\\tb'\n'c/git-credential-hf",
        ),
        ("/Büro/git-credential-hf", "/Büro/git-credential-hf"),
        (
            r"C:\Users\me\bin\git-credential-hf.exe",
            "C:/Users/me/bin/git-credential-hf.exe",
        ),
        (
            r"C:\Program Files (x86)\git-credential-hf.exe",
            r"C:/Program\\ Files\\ \\(x86\\)/git-credential-hf.exe",
        ),
    ] {
        assert_eq!(quote_helper(path), value);
        assert!(configure(None, HUB, value).is_ok(), "{path}");
    }
}

#[test]
fn patterns_reach_as_git_matches_them() {
    use Reach::{Always, Never, Sometimes};
    for (pattern, expected) in [
        ("https://huggingface.co", Always),
        ("https://huggingface.co/", Always),
        ("HTTPS://HuggingFace.CO:0443", Always),
        ("https://*.co", Always),
        ("https://*", Never),
        ("https://*.huggingface.co", Never),
        ("http://huggingface.co", Never),
        ("https://huggingface.co:8443", Never),
        ("https://huggingface.co/acme", Sometimes),
        ("https://me@huggingface.co", Sometimes),
        ("huggingface.co", Always),
        ("https://", Always),
        ("", Always),
        ("/acme/x", Sometimes),
        ("https://hugging%66ace.co", Sometimes),
        ("https://github.com", Never),
    ] {
        assert_eq!(reach(pattern, HUB[0]), expected, "{pattern}");
    }
    assert_eq!(reach("https://[::1]:8080", "https://[::1]:8080"), Always);
    assert_eq!(reach("https://[::1]", "https://[::1]:8080"), Never);
}

#[test]
fn a_block_without_one_of_its_marks_is_noticed() {
    let whole = set("[user]\n\tname = x\n");
    for (text, damaged) in [
        (String::new(), false),
        ("[user\n".to_owned(), false),
        (whole.clone(), false),
        (format!("{whole}{whole}"), true),
        (whole.replace(END, "# other"), true),
        (whole.replace(BEGIN, "# other"), true),
    ] {
        assert_eq!(has_damaged_block(text.as_bytes()), damaged, "{text}");
    }
}
