//! A cell's rows as a table of short texts, the same for every format that people read: numbers at
//! their own precision, value and interval in one column, n/a written out.

use serde_json::Value;

use super::{CellReport, ResultRows};
use crate::util::{figures, sanitise};

/// Characters of one value that a table shows at most.
const VALUE_CHARS: usize = 200;

/// Columns and rows as text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grid {
    pub headers: Vec<Header>,
    pub rows: Vec<Vec<String>>,
    /// Rows of the relation that are not shown.
    pub more_rows: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub text: String,
    pub right: bool,
}

/// How a column's values are written.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Number,
    /// A figure that may be n/a.
    Figure,
    Signed,
    P,
    /// `4,870`.
    Count,
    /// `value ±half` out of value, lower, upper.
    Interval(usize, usize),
    /// The same of a difference, with its sign.
    Change(usize, usize),
}

/// The table of a cell's result, `limit` rows at most; `None` where there are no columns.
pub(super) fn grid(cell: &CellReport, limit: usize) -> Option<Grid> {
    let result = cell.result.as_ref().filter(|result| !result.columns.is_empty())?;
    let measured = matches!(cell.kind.as_str(), "metrics" | "fairness" | "slices" | "compare");
    let columns = columns(result, measured);
    let headers = columns
        .iter()
        .map(|(at, style)| Header {
            text: sanitise::excerpt(&result.columns[*at].name, 60),
            right: *style != Style::Plain,
        })
        .collect();
    let shown = result.rows.iter().take(limit);
    let rows: Vec<Vec<String>> =
        shown.map(|row| columns.iter().map(|(at, style)| text(row, *at, *style)).collect()).collect();
    let total = cell.rows.unwrap_or(result.rows.len() as u64).max(result.rows.len() as u64);
    Some(Grid { more_rows: total - rows.len() as u64, headers, rows })
}

/// Which columns are shown, and how.
fn columns(result: &ResultRows, measured: bool) -> Vec<(usize, Style)> {
    let find = |name: &str| result.columns.iter().position(|column| column.name == name);
    // Of two runs, the difference has the interval.
    let change = find("baseline").is_some();
    let figure = if change { "delta" } else { "value" };
    let interval = match (find(figure), find("lower"), find("upper")) {
        (Some(value), Some(lower), Some(upper)) if measured => Some((value, lower, upper)),
        _ => None,
    };
    let mut shown = Vec::new();
    for (at, column) in result.columns.iter().enumerate() {
        let style = match (column.name.as_str(), interval) {
            (_, Some((value, lower, upper))) if at == value && change => Style::Change(lower, upper),
            (_, Some((value, lower, upper))) if at == value => Style::Interval(lower, upper),
            (_, Some((_, lower, upper))) if at == lower || at == upper => continue,
            // The SQL behind a group is for the screen's Enter key and for JSON.
            ("predicate", _) if measured => continue,
            ("delta" | "divergence" | "searched_divergence" | "held_divergence", _) if measured => {
                Style::Signed
            }
            ("p" | "p_adjusted" | "held_p", _) if measured => Style::P,
            ("n" | "n_na" | "held_n" | "wins" | "ties" | "losses", _) if measured => Style::Count,
            _ if is_number(&column.sql_type) && measured => Style::Figure,
            _ if is_number(&column.sql_type) => Style::Number,
            _ => Style::Plain,
        };
        shown.push((at, style));
    }
    shown
}

fn is_number(sql_type: &str) -> bool {
    let upper = sql_type.to_uppercase();
    let plain = !upper.contains('[') && !upper.contains('(') || upper.starts_with("DECIMAL(");
    let number = ["INT", "DECIMAL", "DOUBLE", "FLOAT", "REAL"].iter().any(|name| upper.contains(name));
    plain && number && upper != "INTERVAL"
}

fn text(row: &[Value], at: usize, style: Style) -> String {
    let value = row.get(at).unwrap_or(&Value::Null);
    match style {
        Style::Interval(lower, upper) | Style::Change(lower, upper) => {
            let number = |at: usize| row.get(at).and_then(Value::as_f64);
            let Some(value) = value.as_f64() else { return "n/a".into() };
            let plus = if value > 0.0 && matches!(style, Style::Change(..)) { "+" } else { "" };
            format!("{plus}{}", figures::interval(value, number(lower), number(upper)))
        }
        Style::P => figures::p_value(value.as_f64()),
        Style::Signed => value.as_f64().map_or("n/a".into(), |value| figures::signed(value, 3)),
        Style::Count => value.as_u64().map_or("n/a".into(), |n| figures::thousands(i128::from(n))),
        Style::Figure if value.is_null() => "n/a".into(),
        _ => plain(value),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (None, Some(real)) if !number.is_u64() => figures::number(real),
            _ => number.to_string(),
        },
        Value::String(text) => sanitise::excerpt(text, VALUE_CHARS),
        other => sanitise::excerpt(&other.to_string(), VALUE_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn intervals_stand_beside_values_and_na_is_written() {
        let report = sample::report();
        let grid = grid(&report.cells[0], 10).unwrap();
        let names: Vec<&str> = grid.headers.iter().map(|h| h.text.as_str()).collect();
        assert_eq!(names, ["metric", "value", "n", "n_na"]);
        assert_eq!(grid.rows[0], ["ndcg@10", ".41 ±.03", "4,870", "12"]);
        assert_eq!(grid.rows[1][1], "n/a");
    }

    #[test]
    fn nothing_hostile_is_left_and_hidden_rows_are_counted() {
        let report = sample::report();
        let grid = grid(&report.cells[1], 1).unwrap();
        assert_eq!(grid.rows.len(), 1);
        assert_eq!(grid.more_rows, 999);
        assert!(!grid.rows[0][1].contains(['\u{1b}', '\u{202e}', '\n']));
    }
}
