//! Files that chance has written: each comes back as it was, and git reads the same in it.

use super::ENDPOINTS;
use super::home::{Home, gits};
use git_credential_hf::git::config_file::{configure, unconfigure};
use std::collections::HashMap;

struct Lcg(u64);

impl Lcg {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Mostly readable files, and some that are not.
fn random_file(lcg: &mut Lcg) -> String {
    const PIECES: &[&str] = &[
        "[user]\n",
        "[core] bare = true\n",
        "[a][b \"c d\"]",
        "[credential]\n",
        "[credential]",
        "\thelper = store\n",
        "[credential \"https://huggingface.co\"]\n",
        "\thelper =\n",
        "\thelper = hf\n",
        "\tuseHttpPath = true\n",
        "[CREDENTIAL \"https://hf.co\"] # note\n",
        "[credential.hf.co]\n",
        "\thelper = \"hf\" ; x\n",
        "\tkey\n",
        "\tname = \"a # b\" c ; d\n",
        "\tv = one \\\n two\n",
        "\tv = x\\\n",
        "\tw = \\\"q\\\\\\t\n",
        "# comment \\\n",
        "; other\n",
        "\n",
        "  \t",
        "[section \"sub \\\"x\\\"\"]\n",
        "[s \"]\\]\"]\n",
        "[include]\n\tpath = nowhere\n",
        "\tempty =\n",
        "\t  Spaced   =   a   b  \n",
        "x=1\n",
        "# git-credential-hf\n",
        "\r",
        "=",
        "\"",
        "\\",
        "é",
    ];
    if lcg.below(5) == 0 {
        const BYTES: &[&str] = &[
            "[", "]", "\"", "\\", "=", "#", ";", "a", "b.", " ", "\t", "\n", "\n", "\r", "-", "é",
        ];
        let noise: String = (0..lcg.below(9)).map(|_| lcg.pick(BYTES)).collect();
        return lcg
            .pick(&["", "[a]\n", "[a \"", "[a]\nb = ", "\u{feff}"])
            .to_owned()
            + &noise;
    }
    let mut file = String::from(if lcg.below(12) == 0 { "\u{feff}" } else { "" });
    for _ in 0..lcg.below(14) {
        // The last few break most files, so they are rare.
        let sane = lcg.below(40) != 0;
        file.push_str(lcg.pick(if sane {
            &PIECES[..PIECES.len() - 5]
        } else {
            PIECES
        }));
    }
    match lcg.below(6) {
        0 => file.truncate(file.trim_end().len()),
        1 => file.push('\\'),
        2 => file.push_str("\tlast = line"),
        _ => {}
    }
    if lcg.below(4) == 0 {
        file.replace('\n', "\r\n")
    } else {
        file
    }
}

#[test]
fn random_files_come_back_and_git_reads_the_same_in_them() {
    let rounds: u64 = std::env::var("ROUNDS").map_or(400, |n| n.parse().unwrap());
    for git in gits() {
        let home = Home::new(&git);
        let list = |bytes: &[u8]| {
            home.write(bytes);
            let output = home.run(&["config", "-f", ".gitconfig", "--list", "-z"], "");
            output.status.success().then_some(output.stdout)
        };
        let mut seen: HashMap<bool, u32> = HashMap::new();
        for seed in 0..rounds {
            let mut lcg = Lcg(seed);
            let original = random_file(&mut lcg);
            let before = list(original.as_bytes());
            *seen.entry(before.is_some()).or_default() += 1;
            let first = configure(Some(original.as_bytes()), ENDPOINTS, "hf");
            assert_eq!(
                first.is_ok(),
                before.is_some(),
                "seed {seed}: {original:?} {first:?}"
            );
            let (Ok(first), Some(before)) = (first, before) else {
                continue;
            };
            assert_eq!(
                configure(Some(&first), ENDPOINTS, "hf").unwrap(),
                first,
                "seed {seed}: {original:?}"
            );
            assert_eq!(
                unconfigure(&first).unwrap().bytes,
                original.as_bytes(),
                "seed {seed}: {original:?}"
            );
            let after = list(&first).unwrap_or_else(|| panic!("seed {seed}: {original:?}"));
            let block = list(&configure(None, ENDPOINTS, "hf").unwrap()).unwrap();
            assert_eq!(after, [before, block].concat(), "seed {seed}: {original:?}");

            // Whatever git then adds stays, and nothing of ours does.
            list(&first);
            let key = lcg.pick(&[
                "credential.username",
                "credential.https://hf.co.username",
                "user.email",
                "n.e.w",
            ]);
            home.git(&["config", "-f", ".gitconfig", "--add", key, "added value"]);
            let edited = home.read();
            let left = unconfigure(&edited).unwrap().bytes;
            let mut expected = entries(&list(original.as_bytes()).unwrap());
            expected.push(format!("{}\nadded value", key));
            expected.sort();
            assert_eq!(
                entries(&list(&left).unwrap()),
                expected,
                "seed {seed}: {original:?}"
            );
            let again = configure(Some(&edited), ENDPOINTS, "hf").unwrap();
            assert_eq!(
                configure(Some(&again), ENDPOINTS, "hf").unwrap(),
                again,
                "seed {seed}: {original:?}"
            );
        }
        println!("{git}: readable or not: {seen:?}");
        assert!(seen[&true] > seen[&false] && seen[&false] > 0);
    }
}

fn entries(list: &[u8]) -> Vec<String> {
    let mut all: Vec<String> = list
        .split(|&byte| byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| String::from_utf8_lossy(entry).into_owned())
        .collect();
    all.sort();
    all
}
