//! A picture of a terminal: text with our colours, as an SVG with nothing but text in it.

use std::fmt::Write;

/// The width of a character and the height of a line.
const CELL: (f64, f64) = (8.43, 20.0);

/// From the frame to the text, and the height of the title bar.
const MARGIN: (f64, f64) = (18.0, 40.0);

/// The picture of a command and what it printed, on a terminal of this width.
pub fn svg(command: &str, shown: &str, columns: usize) -> String {
    let lines: Vec<&str> = shown.trim_end().lines().collect();
    let width = CELL.0 * columns as f64 + 2.0 * MARGIN.0;
    let height = CELL.1 * (lines.len() + 1) as f64 + MARGIN.1 + MARGIN.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n\
         <title>{}</title>\n\
         <style>\n\
         text {{ font: 14px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; \
         fill: #d8dee9; white-space: pre }}\n\
         .bold {{ font-weight: 600; fill: #ffffff }} .dim {{ fill: #7b869c }}\n\
         .red {{ font-weight: 600; fill: #ff6b6b }} .green {{ font-weight: 600; fill: #7bd88f }}\n\
         .yellow {{ font-weight: 600; fill: #ffd21e }} .cyan {{ font-weight: 600; fill: #66d9ef }}\n\
         </style>\n\
         <rect width=\"{width:.0}\" height=\"{height:.0}\" rx=\"10\" fill=\"#14171f\"/>\n",
        escape(command)
    );
    for (at, colour) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        let x = 20 + 20 * at;
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"19\" r=\"6\" fill=\"{colour}\"/>"
        );
    }
    let prompt = format!("\x1b[1;32m$\x1b[0m \x1b[1m{command}\x1b[0m");
    for (at, line) in std::iter::once(prompt.as_str()).chain(lines).enumerate() {
        let y = MARGIN.1 + CELL.1 * (at as f64 + 0.75);
        // Each run of one style has its place, so that no font can push the columns apart.
        let mut column = 0;
        for (style, text) in runs(line) {
            let length = text.chars().count();
            if !text.trim().is_empty() {
                let x = MARGIN.0 + CELL.0 * column as f64;
                let wide = CELL.0 * length as f64;
                let class = style.map_or(String::new(), |style| format!(" class=\"{style}\""));
                let _ = writeln!(
                    svg,
                    "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{wide:.1}\" \
                     xml:space=\"preserve\">{}</text>",
                    escape(&text)
                );
            }
            column += length;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The parts of a line that have one style each; text is cut at wider gaps too.
fn runs(line: &str) -> Vec<(Option<&'static str>, String)> {
    let mut runs = Vec::new();
    let mut style = None;
    for part in line.split('\x1b') {
        let text = match part.strip_prefix('[').and_then(|part| part.split_once('m')) {
            Some((code, text)) => {
                style = match code {
                    "1" => Some("bold"),
                    "2" => Some("dim"),
                    "1;31" => Some("red"),
                    "1;32" => Some("green"),
                    "1;33" => Some("yellow"),
                    "1;36" => Some("cyan"),
                    _ => None,
                };
                text
            }
            None => part,
        };
        let mut rest = text;
        while let Some(at) = rest.find("  ") {
            let (word, gap) = rest.split_at(at);
            let end = gap.find(|c| c != ' ').unwrap_or(gap.len());
            let (gap, tail) = gap.split_at(end);
            runs.push((style, word.to_owned()));
            runs.push((None, gap.to_owned()));
            rest = tail;
        }
        runs.push((style, rest.to_owned()));
    }
    runs
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
