//! Shows the tokens for each place (a repo, a namespace, an endpoint), beginning with the one that git gets.

use crate::terminal::{Cell, Column, Cut, Screen, Style, Table};

/// If there are more lines than this, they are combined by token, unless the user asks for all.
const MANY: usize = 24;

/// How many places one line names in full.
const NAMED: usize = 2;

/// A token and the place that it is for, in order of precedence.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// A pattern, a path, or [`ELSEWHERE`].
    pub(crate) place: String,
    /// The token's name.
    pub(crate) token: String,
    /// Why it is used, or what is wrong with it; may be empty.
    pub(crate) why: String,
    /// Whether it cannot be used.
    pub(crate) broken: bool,
}

/// All repos that no other line names.
pub(crate) const ELSEWHERE: &str = "other repos";

/// The lines of one Hub.
pub(crate) fn render(uses: &[Use], verbose: bool, screen: Screen) -> String {
    let mut places = by_place(uses);
    if places.len() > MANY && !verbose {
        places = by_token(places);
    }
    let mut table = Table::new([
        Column::new("").shorten(14, Cut::Middle),
        Column::new(""),
        Column::new("").shorten(14, Cut::End),
    ])
    .without_header();
    for (names, uses) in &places {
        let tokens = answer(uses, verbose);
        let broken = uses.first().is_some_and(|first| first.broken);
        table.row([
            format!("  {}", some_of(names)).into(),
            Cell::styled("→", Style::Dim),
            if broken {
                Cell::styled(tokens, Style::Yellow)
            } else {
                tokens.into()
            },
        ]);
    }
    table.render(screen)
}

/// A line's places, and the tokens for them.
type Line<'a> = (Vec<&'a str>, Vec<&'a Use>);

/// Each place once, in the order of its first token. The line for all other repos comes last.
fn by_place(uses: &[Use]) -> Vec<Line<'_>> {
    let mut places: Vec<Line<'_>> = Vec::new();
    for one in uses {
        let known = places.iter_mut().find(|(names, _)| {
            names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&one.place))
        });
        match known {
            Some((_, uses)) => uses.push(one),
            None => places.push((vec![one.place.as_str()], vec![one])),
        }
    }
    places.sort_by_key(|(names, _)| names.first() == Some(&ELSEWHERE));
    places
}

/// Combines the lines with the same tokens.
fn by_token(places: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (names, uses) in places {
        let elsewhere = names.first() == Some(&ELSEWHERE);
        let known = lines
            .iter_mut()
            .filter(|_| !elsewhere)
            .find(|(_, known)| answer(known, false) == answer(&uses, false));
        match known {
            Some((known, _)) => known.extend(names),
            None => lines.push((names, uses)),
        }
    }
    lines
}

/// The token that is used, and those that are used if it is missing.
fn answer(uses: &[&Use], verbose: bool) -> String {
    let mut text = String::new();
    for (at, one) in uses.iter().enumerate() {
        let again = uses.iter().take(at).any(|before| before.token == one.token);
        if at > 1 && !verbose || again {
            continue;
        }
        if at > 0 {
            text.push_str(", else ");
        }
        text.push_str(&one.token);
        if !one.why.is_empty() && (verbose || at == 0 || one.broken) {
            text.push_str(&format!(" ({})", one.why));
        }
    }
    text
}

fn some_of(names: &[&str]) -> String {
    match names {
        [first, rest @ ..] if rest.len() >= NAMED => format!("{first} and {} more", rest.len()),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::screen::sized;

    fn uses(lines: &[(&str, &str, &str)]) -> Vec<Use> {
        lines
            .iter()
            .map(|(place, token, why)| Use {
                place: (*place).to_owned(),
                token: (*token).to_owned(),
                why: (*why).to_owned(),
                broken: *why == "missing",
            })
            .collect()
    }

    #[test]
    fn a_place_is_named_once() {
        let uses = uses(&[
            ("acme", "acme-fg", ""),
            (ELSEWHERE, "HF_TOKEN", ""),
            ("acme", "me", "its scopes"),
            ("acme", "third", "its scopes"),
            ("datasets/acme/x", "data", "missing"),
            (ELSEWHERE, "me", "default"),
        ]);
        assert_eq!(
            render(&uses, false, sized(60)),
            "  acme             →  acme-fg, else me
  datasets/acme/x  →  data (missing)
  other repos      →  HF_TOKEN, else me
"
        );
        assert!(
            render(&uses, true, sized(80))
                .contains("acme-fg, else me (its scopes), else third (its scopes)")
        );
    }

    #[test]
    fn many_places_with_one_token_are_one_line() {
        let places: Vec<(String, &str)> = (0..200)
            .map(|at| {
                (
                    format!("acme/repo-{at}"),
                    if at % 5 == 0 { "data" } else { "work" },
                )
            })
            .collect();
        let lines: Vec<(&str, &str, &str)> = places
            .iter()
            .map(|(place, token)| (place.as_str(), *token, ""))
            .collect();
        let text = render(&uses(&lines), false, sized(60));
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("more"), "{text}");
        assert_eq!(render(&uses(&lines), true, sized(60)).lines().count(), 200);
    }
}
