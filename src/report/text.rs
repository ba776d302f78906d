//! Plain text for a terminal or a pipe: aligned by display width, no colour, no control characters.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::grid::{Grid, grid};
use super::{CellReport, Format, RunReport, words};
use crate::protocol::{Body, CheckOutcome, Explanation, Problem, ScoreSummary, TrainReport};
use crate::util::{figures, sanitise};

const ROWS: usize = 20;

/// Columns narrower than this are not cut further.
const LEAST_COLUMN: usize = 6;

/// Text of a given width (columns of the terminal).
pub struct Text {
    pub width: usize,
}

impl Format for Text {
    fn render(&self, report: &RunReport) -> String {
        let mut out = String::new();
        let title = report.title.as_deref().unwrap_or(&report.notebook);
        let _ = writeln!(out, "{}", sanitise::excerpt(title, 200));
        if !report.params.is_empty() {
            let params: Vec<String> = report.params.iter().map(|(k, v)| format!("{k} = {v}")).collect();
            let _ = writeln!(out, "{}", sanitise::excerpt(&params.join(", "), 200));
        }
        for cell in &report.cells {
            out.push('\n');
            self.cell(&mut out, cell);
        }
        if !report.problems.is_empty() {
            out.push('\n');
        }
        for problem in &report.problems {
            write_problem(&mut out, problem);
        }
        let failed: Vec<(&CellReport, &CheckOutcome)> = report
            .cells
            .iter()
            .flat_map(|cell| cell.checks.iter().map(move |check| (cell, check)))
            .filter(|(_, check)| check.ok != Some(true))
            .collect();
        if !failed.is_empty() {
            out.push_str("\nFailed checks\n");
            for (cell, check) in failed {
                let _ = writeln!(out, "  {}: {}", sanitise::line(&cell.name), check_line(check));
            }
        }
        let _ = writeln!(out, "\n{}: {}", if report.ok { "ok" } else { "not ok" }, super::verdict(report));
        out
    }
}

impl Text {
    fn cell(&self, out: &mut String, cell: &CellReport) {
        let mark = match cell.state.as_str() {
            "done" if cell.checks.iter().any(|check| check.ok != Some(true)) => "✗",
            "done" => "✓",
            "failed" => "✗",
            _ => "○",
        };
        let mut head = format!("{mark} {} {}", cell.kind, sanitise::line(&cell.name));
        if let Some(rows) = cell.rows {
            let _ = write!(head, "  {}", figures::plural(rows, "row", "rows"));
        }
        if cell.state == "done" {
            let time = if cell.cached { "cached".into() } else { figures::clock(cell.elapsed_ms) };
            let _ = write!(head, "  {time}");
        } else {
            let _ = write!(head, "  {}", cell.state);
        }
        if let Some(because) = &cell.because {
            let _ = write!(head, " because of {}", sanitise::line(because));
        }
        if cell.partial {
            head.push_str("  partial");
        }
        let _ = writeln!(out, "{head}");
        match &cell.body {
            Body::Explain(list) => list.iter().for_each(|e| write_explanation(out, e)),
            body => {
                if let Some(line) = summary(body) {
                    let _ = writeln!(out, "  {line}");
                }
                if let Some(grid) = grid(cell, ROWS) {
                    self.grid(out, &grid);
                }
            }
        }
        for check in &cell.checks {
            let mark = if check.ok == Some(true) { "✓" } else { "✗" };
            let _ = writeln!(out, "  {mark} {}", check_line(check));
        }
        for note in &cell.notes {
            let _ = writeln!(out, "  note: {}", sanitise::line(note));
        }
        if let Some(problem) = &cell.error {
            write_problem(out, problem);
        }
    }

    fn grid(&self, out: &mut String, grid: &Grid) {
        let (widths, hidden) = fit(grid, self.width.max(40) - 2);
        let mut write_row = |texts: &mut dyn Iterator<Item = &str>| {
            let mut line = String::from("  ");
            for ((text, width), header) in texts.zip(&widths).zip(&grid.headers) {
                if line.len() > 2 {
                    line.push_str("  ");
                }
                line.push_str(&pad(text, *width, header.right));
            }
            let _ = writeln!(out, "{}", line.trim_end());
        };
        write_row(&mut grid.headers.iter().map(|header| header.text.as_str()));
        for row in &grid.rows {
            write_row(&mut row.iter().map(String::as_str));
        }
        let mut more = Vec::new();
        if grid.more_rows > 0 {
            more.push(figures::plural(grid.more_rows, "more row", "more rows"));
        }
        if hidden > 0 {
            more.push(figures::plural(hidden as u64, "more column", "more columns"));
        }
        if !more.is_empty() {
            let _ = writeln!(out, "  … {}", more.join(", "));
        }
        if grid.rows.is_empty() {
            let _ = writeln!(out, "  (no rows)");
        }
    }
}

/// Widths of the columns that fit, and how many do not.
fn fit(grid: &Grid, room: usize) -> (Vec<usize>, usize) {
    let mut widths: Vec<usize> = grid.headers.iter().map(|header| header.text.width()).collect();
    for row in &grid.rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.width());
        }
    }
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    // The widest column gives way first, down to a readable rest; then the last columns go.
    while total(&widths) > room {
        let widest = widths.iter().copied().max().unwrap_or(0);
        if widest > 24 || (widest > LEAST_COLUMN && total(&widths) - room < widest - LEAST_COLUMN) {
            let excess = total(&widths) - room;
            if let Some(width) = widths.iter_mut().find(|width| **width == widest) {
                *width = widest.saturating_sub(excess).max(24.min(widest - 1)).max(LEAST_COLUMN);
            }
        } else {
            widths.pop();
        }
        if widths.len() <= 1 {
            widths.iter_mut().for_each(|width| *width = (*width).min(room));
            break;
        }
    }
    let hidden = grid.headers.len() - widths.len();
    (widths, hidden)
}

/// Pads or cuts to a display width.
fn pad(text: &str, width: usize, right: bool) -> String {
    let mut shown = text.to_string();
    if shown.width() > width {
        while shown.width() + 1 > width && shown.pop().is_some() {}
        shown.push('…');
    }
    let blanks = " ".repeat(width.saturating_sub(shown.width()));
    if right { blanks + &shown } else { shown + &blanks }
}

/// `ndcg@10 >= 0.5: 0.41, threshold 0.5; rows: SELECT ...`.
pub(crate) fn check_line(check: &CheckOutcome) -> String {
    let mut line = sanitise::line(&check.text).into_owned();
    match (check.ok, check.value, check.threshold) {
        (None, ..) => line.push_str(": n/a"),
        (_, Some(value), Some(threshold)) => {
            let _ = write!(line, ": {}, threshold {}", figures::number(value), figures::number(threshold));
        }
        _ => {}
    }
    if let Some(reason) = &check.reason {
        let _ = write!(line, "; {}", sanitise::line(reason));
    }
    if let Some(sql) = check.rows_sql.as_ref().filter(|_| check.ok != Some(true)) {
        let _ = write!(line, "; rows: {}", sanitise::excerpt(sql, 300));
    }
    line
}

fn write_problem(out: &mut String, problem: &Problem) {
    for (i, line) in problem.to_string().lines().enumerate() {
        let start = if i == 0 { "  error: " } else { "  " };
        let _ = writeln!(out, "{start}{}", sanitise::excerpt(line, 2000));
    }
}

fn write_explanation(out: &mut String, explanation: &Explanation) {
    let _ = writeln!(out, "  row {} · {}", explanation.row + 1, words::caption(explanation));
    for side in [0, 1] {
        let mut line = String::new();
        for word in words::side(explanation, side) {
            if word.gap {
                line.push(' ');
            }
            line.push_str(&word.text);
            let amount = word.amount();
            if !amount.is_empty() {
                let _ = write!(line, "[{amount}]");
            }
        }
        if !line.is_empty() {
            let _ = writeln!(out, "    {line}");
        }
    }
}

/// One line about a score or train cell.
pub(super) fn summary(body: &Body) -> Option<String> {
    match body {
        Body::Score(score) => Some(score_line(score)),
        Body::Train(train) => Some(train_line(train)),
        Body::Table | Body::Explain(_) => None,
    }
}

fn score_line(score: &ScoreSummary) -> String {
    let count = |n: u64| figures::thousands(i128::from(n));
    let cached = match score.cached_inputs {
        0 => String::new(),
        n => format!(", {} of them from the cache", count(n)),
    };
    let mut line = format!(
        "{} on {}: {} inputs ({} different{cached})",
        sanitise::line(&score.model),
        score.device,
        count(score.rows),
        count(score.unique_inputs),
    );
    if score.tokens > 0 || score.cached_inputs == 0 {
        let pace = figures::compact(score.tokens_per_second.max(0.0) as u64);
        let _ = write!(line, ", {} tokens at {pace}/s", count(score.tokens));
    }
    for (n, what) in [(score.truncated, "cut to the limit"), (score.empty, "empty"), (score.nan, "NaN")] {
        if n > 0 {
            let _ = write!(line, ", {} {what}", count(n));
        }
    }
    line
}

fn train_line(train: &TrainReport) -> String {
    let best = train.epochs.iter().find(|epoch| epoch.epoch == train.best_epoch);
    let figures = best.map_or(String::new(), |best| {
        let f1 = best.f1.map_or("n/a".into(), figures::number);
        format!(
            ", dev loss {}, accuracy {}, F1 {f1}",
            figures::number(best.dev_loss),
            figures::number(best.accuracy)
        )
    });
    format!(
        "{} train and {} dev rows; best of {} is epoch {}{figures}; written to {}",
        figures::thousands(i128::from(train.train_rows)),
        figures::thousands(i128::from(train.dev_rows)),
        figures::plural(train.epochs.len() as u64, "epoch", "epochs"),
        train.best_epoch,
        sanitise::line(&train.out),
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_report_reads_as_text() {
        let text = Text { width: 80 }.render(&sample::report());
        for wanted in [
            "Why <b>boots</b>?\nk = 10\n",
            "✗ metrics quality  2 rows  1.2s",
            "  metric      value      n  n_na",
            "  ndcg@10  .41 ±.03  4,870    12",
            "✗ ndcg@10 >= 0.5: 0.41, threshold 0.5; rows: SELECT * FROM rel",
            "… 998 more rows",
            "跑[+2.1]鞋[+0.2]",
            "Hiking[−0.9] <b>",
            "error: bad:2:8: no column",
            "skipped because of bad",
            "not ok: 1 check failed, 1 cell failed, 1 cell not run, 5 cells in 12s",
        ] {
            assert!(text.contains(wanted), "{wanted}\n--- in ---\n{text}");
        }
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
        assert!(text.lines().all(|line| line.width() <= 110), "{text}");
    }

    #[test]
    fn tables_fit_the_width() {
        let headers =
            (0..50).map(|i| super::super::grid::Header { text: format!("列{i}"), right: false }).collect();
        let rows = vec![vec!["很长的文字很长的文字很长的文字很长的文字".to_string(); 50]];
        let grid = Grid { headers, rows, more_rows: 0 };
        for width in [40, 80, 200] {
            let mut out = String::new();
            Text { width }.grid(&mut out, &grid);
            assert!(out.lines().all(|line| line.width() <= width), "{width}\n{out}");
            assert!(out.contains("more columns"), "{out}");
        }
    }
}
