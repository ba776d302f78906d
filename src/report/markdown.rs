//! The notebook's prose with each cell's result under it, as Markdown.

use std::fmt::Write;

use super::grid::{Grid, grid};
use super::{CellReport, Format, RunReport, text, words};
use crate::protocol::{Body, Explanation};
use crate::util::{figures, sanitise};

const ROWS: usize = 50;

pub(super) struct Markdown;

impl Format for Markdown {
    fn render(&self, report: &RunReport) -> String {
        let mut out = String::new();
        let sign = if report.ok { "✓" } else { "✗" };
        let _ = writeln!(out, "> {sign} `{}`: {}", escape(&report.notebook), super::verdict(report));
        for problem in &report.problems {
            let _ = writeln!(out, ">\n> **{}**", escape(&problem.to_string()));
        }
        for cell in &report.cells {
            write_cell(&mut out, cell);
        }
        out
    }
}

fn write_cell(out: &mut String, cell: &CellReport) {
    let prose = cell.prose.trim_matches(['\n', '\r']);
    if !prose.is_empty() {
        let _ = writeln!(out, "\n{}", sanitise::lines(prose));
    }
    if !cell.source.trim().is_empty() {
        let fence = "`".repeat(longest_backticks(&cell.source).max(2) + 1);
        let language = if cell.kind == "sql" { "sql" } else { "toml" };
        let source = cell.source.trim_end();
        let _ = writeln!(out, "\n{fence}{language}\n{}\n{fence}", sanitise::lines(source));
    }
    let mut caption = format!("**{}** · {} · {}", escape(&cell.name), cell.kind, cell.state);
    if let Some(rows) = cell.rows {
        let _ = write!(caption, " · {}", figures::plural(rows, "row", "rows"));
    }
    if let Some(because) = &cell.because {
        let _ = write!(caption, " because of {}", escape(because));
    }
    if cell.partial {
        caption.push_str(" · partial");
    }
    let _ = writeln!(out, "\n{caption}");
    match &cell.body {
        Body::Explain(list) => list.iter().for_each(|explanation| write_explanation(out, explanation)),
        body => {
            if let Some(line) = text::summary(body) {
                let _ = writeln!(out, "\n{}", escape(&line));
            }
            if let Some(grid) = grid(cell, ROWS) {
                write_grid(out, &grid);
            }
        }
    }
    if !cell.checks.is_empty() {
        out.push('\n');
    }
    for check in &cell.checks {
        let mark = if check.ok == Some(true) { "✓" } else { "✗" };
        let _ = writeln!(out, "- {mark} {}", escape(&text::check_line(check)));
    }
    for note in &cell.notes {
        let _ = writeln!(out, "\n*{}*", escape(note));
    }
    if let Some(error) = &cell.error {
        let _ = writeln!(out, "\n**Error:** {}", escape(&error.to_string()));
    }
}

fn write_grid(out: &mut String, grid: &Grid) {
    let row = |texts: Vec<String>| format!("| {} |\n", texts.join(" | "));
    out.push('\n');
    out.push_str(&row(grid.headers.iter().map(|header| escape(&header.text)).collect()));
    out.push_str(&row(grid.headers.iter().map(|h| if h.right { "---:" } else { "---" }.into()).collect()));
    for texts in &grid.rows {
        out.push_str(&row(texts.iter().map(|text| escape(text)).collect()));
    }
    if grid.more_rows > 0 {
        let _ = writeln!(out, "\n… {}", figures::plural(grid.more_rows, "more row", "more rows"));
    }
}

/// Strong words bold, with their share in brackets.
fn write_explanation(out: &mut String, explanation: &Explanation) {
    let _ = writeln!(out, "\nRow {}: {}\n", explanation.row + 1, words::caption(explanation));
    for side in [0, 1] {
        let mut line = String::new();
        for word in words::side(explanation, side) {
            if word.gap {
                line.push(' ');
            }
            let text = escape(&word.text);
            match (word.amount(), word.strength >= 0.5) {
                (amount, _) if amount.is_empty() => line.push_str(&text),
                (amount, true) => line.push_str(&format!("**{text}** ({amount})")),
                (amount, false) => line.push_str(&format!("{text} ({amount})")),
            }
        }
        if !line.is_empty() {
            let _ = writeln!(out, "- {line}");
        }
    }
}

fn longest_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// One line of text that means nothing to Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitise::line(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '`' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // Inside a word an underscore is only itself.
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn prose_and_results_stand_together() {
        let text = Markdown.render(&sample::report());
        for wanted in [
            "# Why <b>boots</b>?",
            "```toml\nfrom = \"rel\"\n```",
            "| metric | value | n | n_na |\n| --- | ---: | ---: | ---: |\n| ndcg@10 | .41 ±.03 | 4,870 | 12 |",
            "Boots \\| ␛\\[31m⇋&lt;script>",
            "**跑** (+2.1)鞋 (+0.2)",
            "**Error:** bad:2:8: no column",
        ] {
            assert!(text.contains(wanted), "{wanted}\n--- in ---\n{text}");
        }
    }
}
