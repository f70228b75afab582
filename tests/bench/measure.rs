//! How calls are measured: whole processes, in turn, and the middle of many.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::tools::find;

/// A program with its arguments, its environment and its input, to be run again and again.
pub struct Call {
    command: Command,
    input: File,
}

impl Call {
    /// A call of `command`, whose environment must have been cleared and set anew.
    pub fn new(mut command: Command, input: &str) -> Call {
        let mut file = tempfile::tempfile().expect("make the input file");
        file.write_all(input.as_bytes()).expect("write the input");
        // The offset is shared with what the child reads, so that a rewind here is enough.
        let stdin = file.try_clone().expect("share the input file");
        command
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Call {
            command,
            input: file,
        }
    }

    /// How long it takes from before its start until its end is known here.
    pub fn time(&mut self) -> Duration {
        self.input.rewind().expect("rewind the input");
        let start = Instant::now();
        let mut child = self.command.spawn().expect("start the program");
        child.wait().expect("wait for the program");
        start.elapsed()
    }

    /// What it prints.
    ///
    /// # Panics
    /// When it fails, since then nothing that is measured of it means anything.
    pub fn answer(&mut self) -> String {
        let output = self.under(&[]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, failed) = (text(&output.stderr), !output.status.success());
        assert!(!failed, "{:?}: {said}", self.command.get_program());
        text(&output.stdout)
    }

    /// How many instructions its own process executes, which is nearly the same every time.
    pub fn instructions(&mut self) -> Option<u64> {
        find("valgrind")?;
        let callgrind = [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
        ];
        let output = self.under(&callgrind);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (_, count) = said.split_once("Collected : ")?;
        count.split_whitespace().next()?.parse().ok()
    }

    /// The most memory that it has had at a time, in bytes.
    pub fn peak_memory(&mut self) -> Option<u64> {
        find("time")?;
        let output = self.under(&["time", "--quiet", "--format=%M"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let kilobytes: u64 = said.lines().last()?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// The system calls that it makes, as a log of `strace`.
    pub fn traced(&mut self, calls: &str) -> Option<String> {
        find("strace")?;
        let log = tempfile::NamedTempFile::new().expect("make the log");
        let path = log.path().to_str().expect("a plain path").to_owned();
        let filter = format!("--trace={calls}");
        self.under(&["strace", "-f", "-qq", "-s", "4096", "-o", &path, &filter]);
        Some(std::fs::read_to_string(&path).expect("read the log"))
    }

    /// Runs it below another program, or by itself.
    fn under(&mut self, tool: &[&str]) -> std::process::Output {
        self.input.rewind().expect("rewind the input");
        let program = self.command.get_program();
        let mut command = match tool {
            [] => Command::new(program),
            [tool, arguments @ ..] => {
                let mut command = Command::new(find(tool).expect("the tool was looked for"));
                command.args(arguments).arg(program);
                command
            }
        };
        command.args(self.command.get_args()).env_clear();
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        if let Some(dir) = self.command.get_current_dir() {
            command.current_dir(dir);
        }
        let stdin = self.input.try_clone().expect("share the input file");
        command.stdin(stdin).output().expect("run the program")
    }
}

/// One thing to time: a call, and what has to be done before each time.
pub struct Timed {
    before: Option<Call>,
    call: Call,
    samples: Vec<Duration>,
}

impl Timed {
    /// A call that leaves everything as it was.
    pub fn new(call: Call) -> Timed {
        Timed {
            before: None,
            call,
            samples: Vec::new(),
        }
    }

    /// A call that needs another one before it.
    pub fn after(before: Call, call: Call) -> Timed {
        Timed {
            before: Some(before),
            ..Timed::new(call)
        }
    }

    /// Takes one sample.
    pub fn sample(&mut self) {
        if let Some(before) = &mut self.before {
            before.time();
        }
        self.samples.push(self.call.time());
    }

    /// Forgets the samples: the first ones fill the caches.
    pub fn forget(&mut self) {
        self.samples.clear();
    }

    /// The middle of its samples, in milliseconds.
    pub fn median(&self) -> f64 {
        median(&self.samples)
    }

    /// The call itself.
    pub fn call(&mut self) -> &mut Call {
        &mut self.call
    }
}

/// Takes `rounds` samples of each, one of each in turn, so that whatever else the machine does
/// meets all of them alike; each time in another order, since who comes after one that works much
/// finds the processor's caches empty. `before` comes before each.
pub fn in_turn<'a>(
    rounds: usize,
    timed: impl IntoIterator<Item = &'a mut Timed>,
    before: impl Fn(),
) {
    let mut timed: Vec<&mut Timed> = timed.into_iter().collect();
    let mut order = Order(0x9e37_79b9_7f4a_7c15);
    for round in 0..=rounds {
        order.shuffle(&mut timed);
        for one in &mut timed {
            before();
            one.sample();
            if round == 0 {
                one.forget();
            }
        }
    }
}

/// Orders that look like chance and are the same in every run (xorshift).
struct Order(u64);

impl Order {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let other = self.0 % (last as u64 + 1);
            items.swap(last, usize::try_from(other).expect("a place"));
        }
    }
}

/// The middle of some durations, in milliseconds.
pub fn median(samples: &[Duration]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort();
    let (Some(low), Some(high)) = (
        sorted.get(sorted.len().saturating_sub(1) / 2),
        sorted.get(sorted.len() / 2),
    ) else {
        return f64::NAN;
    };
    (low.as_secs_f64() + high.as_secs_f64()) * 500.0
}

/// A table in Markdown, with its columns aligned for who reads it as text.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Table {
        Table {
            rows: vec![headings.iter().map(|text| (*text).to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints it.
    pub fn print(&self) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (at, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let padded: Vec<String> = cells
                .map(|(column, (cell, width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            println!("| {} |", padded.join(" | "));
            if at == 0 {
                let rules = widths
                    .iter()
                    .enumerate()
                    .map(|(column, width)| match column {
                        0 => format!("{:-<width$}", ""),
                        _ => format!("{:->1$}:", "", width.saturating_sub(1)),
                    });
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
        println!();
    }
}

/// A number with its unit where there is one, or a dash.
pub fn or_dash(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}
