//! Tables that fit the terminal. Columns are shortened or dropped, so that lines do not wrap.

use super::screen::{Screen, Style};
use super::width::{self, Cut};
use crate::model::text;

/// The spaces between two columns.
const GAP: usize = 2;

/// A column, and what may be done to it if the table is too wide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    /// The least width it may be shortened to, and which part to cut; `None` if it must not be
    /// shortened.
    shorten: Option<(usize, Cut)>,
    /// Columns with the highest rank are dropped first. Rank 0 is never dropped.
    rank: u8,
}

impl Column {
    /// A column that is neither shortened nor dropped.
    pub(crate) const fn new(title: &'static str) -> Self {
        Self {
            title,
            shorten: None,
            rank: 0,
        }
    }

    /// Allows shortening it to `least` columns.
    pub(crate) const fn shorten(mut self, least: usize, cut: Cut) -> Self {
        self.shorten = Some((least, cut));
        self
    }

    /// Allows dropping it, before columns with a lower rank.
    pub(crate) const fn drop(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }
}

/// A cell: its text and style.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// Text in a style.
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style: Some(style),
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() || self.text == "-"
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, style: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    header: bool,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
            header: true,
        }
    }

    /// Leaves out the line of titles.
    pub(crate) fn without_header(mut self) -> Self {
        self.header = false;
        self
    }

    /// Adds a row. Missing cells at the end are empty.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines without trailing spaces.
    pub(crate) fn render(&self, screen: Screen) -> String {
        let rows: Vec<Vec<Cell>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| shown(cell, screen)).collect())
            .collect();
        let widths = self.widths(&rows, screen);
        let header: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::styled(column.title, Style::Dim))
            .collect();
        let mut text = String::new();
        for row in self.header.then_some(&header).into_iter().chain(&rows) {
            let mut line = String::new();
            let mut pad = 0;
            for (at, column) in self.columns.iter().enumerate() {
                let Some(width) = widths.get(at).copied().flatten() else {
                    continue;
                };
                let empty = Cell::default();
                let cell = row.get(at).unwrap_or(&empty);
                let cut = column.shorten.map_or(Cut::End, |(_, cut)| cut);
                let short = width::shorten(&cell.text, width, cut, &screen.signs("…"));
                if !short.is_empty() {
                    line.push_str(&" ".repeat(pad));
                    pad = 0;
                    line.push_str(&match cell.style {
                        Some(style) => screen.paint(style, &short),
                        None => short.clone(),
                    });
                }
                pad += width - width::of(&short) + GAP;
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// The width of each column; `None` for a column that is left out.
    fn widths(&self, rows: &[Vec<Cell>], screen: Screen) -> Vec<Option<usize>> {
        let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at));
        let mut widths: Vec<Option<usize>> = (0..self.columns.len())
            .map(|at| {
                let title = self.columns.get(at).map_or("", |column| column.title);
                // On a terminal, leave out a column without content.
                if screen.width.is_some() && cells(at).all(Cell::is_empty) {
                    return None;
                }
                let title = if self.header { width::of(title) } else { 0 };
                let widest = cells(at).map(|cell| width::of(&cell.text)).max();
                Some(title.max(widest.unwrap_or(0)))
            })
            .collect();
        let Some(limit) = screen.width else {
            return widths;
        };
        let least = |at: usize, width: usize| {
            let column = self.columns.get(at).and_then(|column| column.shorten);
            column.map_or(width, |(least, _)| width.min(least))
        };
        while total(&widths, least) > limit {
            let dropped = (0..widths.len())
                .filter(|at| widths.get(*at).is_some_and(Option::is_some))
                .filter_map(|at| Some((self.columns.get(at)?.rank, at)))
                .filter(|(rank, _)| *rank > 0)
                .max();
            match dropped.and_then(|(_, at)| widths.get_mut(at)) {
                Some(width) => *width = None,
                None => break,
            }
        }
        // Shorten the widest column that may be shortened. If that is not enough, shorten any
        // column.
        while total(&widths, |_, width| width) > limit {
            let mut wide: Vec<(bool, usize, usize)> = widths
                .iter()
                .enumerate()
                .filter_map(|(at, width)| Some((at, (*width)?)))
                .map(|(at, width)| (width > least(at, width), width, at))
                .collect();
            wide.sort_unstable();
            match wide.last() {
                Some((_, width, at)) if *width > 1 => {
                    if let Some(shorter) = widths.get_mut(*at) {
                        *shorter = Some(width - 1);
                    }
                }
                _ => break,
            }
        }
        widths
    }
}

/// The width of a line.
fn total(widths: &[Option<usize>], of: impl Fn(usize, usize) -> usize) -> usize {
    let shown = widths
        .iter()
        .enumerate()
        .filter_map(|(at, width)| Some(of(at, (*width)?)));
    let (count, sum) = shown.fold((0, 0), |(count, sum), width| (count + 1, sum + width));
    sum + GAP * usize::saturating_sub(count, 1)
}

fn shown(cell: &Cell, screen: Screen) -> Cell {
    Cell {
        text: screen.text(&text::one_line(&cell.text)),
        style: cell.style,
    }
}

#[cfg(test)]
mod tests {
    use super::super::screen::sized;
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::new("NAME").shorten(10, Cut::Middle),
            Column::new("TOKEN").drop(1),
            Column::new("ACCOUNT").shorten(8, Cut::Middle).drop(2),
            Column::new("EXPIRES").drop(4),
            Column::new("STORAGE").shorten(6, Cut::End).drop(3),
            Column::new("STATUS"),
        ]);
        for (name, account, storage, status) in [
            ("acme", "alice", "keyring", "ok"),
            ("データ", "bob", "file, not encrypted", "ok"),
            (
                "a-name-of-a-token-that-is-far-too-long",
                "carol-of-the-other-department",
                "command vault",
                "rejected",
            ),
        ] {
            table.row([
                name.into(),
                "hf_…1234".into(),
                account.into(),
                "-".into(),
                storage.into(),
                Cell::styled(status, Style::Red),
            ]);
        }
        table
    }

    #[test]
    fn tables_fit_their_terminal() {
        for (width, expected) in [
            (
                120,
                "\
NAME                                    TOKEN     ACCOUNT                        STORAGE              STATUS
acme                                    hf_…1234  alice                          keyring              ok
データ                                  hf_…1234  bob                            file, not encrypted  ok
a-name-of-a-token-that-is-far-too-long  hf_…1234  carol-of-the-other-department  command vault        rejected
",
            ),
            (
                80,
                "\
NAME                 TOKEN     ACCOUNT              STORAGE             STATUS
acme                 hf_…1234  alice                keyring             ok
データ               hf_…1234  bob                  file, not encrypt…  ok
a-name-of…-too-long  hf_…1234  carol-of-…epartment  command vault       rejected
",
            ),
            (
                60,
                "\
NAME          TOKEN     ACCOUNT       STORAGE       STATUS
acme          hf_…1234  alice         keyring       ok
データ        hf_…1234  bob           file, not e…  ok
a-name…-long  hf_…1234  carol-…tment  command vau…  rejected
",
            ),
            (
                30,
                "\
NAME        TOKEN     STATUS
acme        hf_…1234  ok
データ      hf_…1234  ok
a-nam…long  hf_…1234  rejected
",
            ),
        ] {
            let text = table().render(sized(width));
            assert_eq!(text, expected, "{width}\n{text}");
        }
        for width in 1..150 {
            let text = table().render(sized(width));
            for line in text.lines() {
                assert!(width::of(line) <= width.max(20), "{width}: {text}");
            }
        }
    }

    #[test]
    fn a_pipe_gets_every_column() {
        let text = table().render(Screen::pipe());
        assert!(text.contains("EXPIRES"), "{text}");
        let wide =
            "a-name-of-a-token-that-is-far-too-long  hf_…1234  carol-of-the-other-department  -";
        assert!(text.contains(wide), "{text}");
    }

    #[test]
    fn colours_do_not_change_the_layout() {
        let colours = Screen {
            colour: true,
            ..sized(80)
        };
        let painted = table().render(colours);
        let mut plain = painted.replace("\x1b[0m", "");
        for code in ["\x1b[1;31m", "\x1b[2m"] {
            plain = plain.replace(code, "");
        }
        assert_ne!(painted, plain);
        assert_eq!(plain, table().render(sized(80)));
    }

    #[test]
    fn cells_are_ascii_without_utf8() {
        let screen = Screen {
            unicode: false,
            ..sized(80)
        };
        let text = table().render(screen);
        assert!(text.is_ascii(), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}
