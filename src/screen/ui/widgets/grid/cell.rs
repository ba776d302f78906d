//! The visible cells of one column as text: numbers share their decimals so that points align.

use arrow::array::Array;

use super::{Format, Grid, GridColumn};
use crate::screen::ui::theme::Role;
use crate::util::arrow_text::{self, Kind};
use crate::util::figures;

/// A cell ready to be written (not yet made harmless) and what it is.
#[derive(Debug, Clone)]
pub struct CellWords {
    pub text: String,
    pub role: Role,
}

/// Characters of one value that are ever looked at: wider than any column on screen.
const LONGEST: usize = 400;

/// Texts of the rows `top .. top + rows`, in order; a row that no page holds is a dot.
pub fn column_cells(grid: &Grid<'_>, column: &GridColumn, rows: u16) -> Vec<CellWords> {
    let found: Vec<Option<(&dyn Array, usize)>> = (0..u64::from(rows))
        .map(|line| value_at(grid, column.source, grid.view.top.saturating_add(line)))
        .collect();
    let decimals = shared_decimals(column, &found);
    found
        .iter()
        .enumerate()
        .map(|(line, found)| match found {
            None => CellWords { text: "·".into(), role: Role::Muted },
            Some((array, at)) => {
                let row = grid.view.top.saturating_add(line as u64);
                let bound =
                    |source| value_at(grid, source, row).and_then(|(a, at)| arrow_text::number(a, at));
                write(column, *array, *at, decimals, &bound)
            }
        })
        .collect()
}

fn value_at<'a>(grid: &Grid<'a>, source: usize, row: u64) -> Option<(&'a dyn Array, usize)> {
    grid.pages.iter().find_map(|page| {
        let at = usize::try_from(row.checked_sub(page.offset)?).ok()?;
        if at >= page.batch.num_rows() || source >= page.batch.num_columns() {
            return None;
        }
        Some((page.batch.column(source).as_ref(), at))
    })
}

/// The most decimals that any visible float of the column asks for, six at most.
fn shared_decimals(column: &GridColumn, found: &[Option<(&dyn Array, usize)>]) -> usize {
    if column.kind != Kind::Float {
        return 0;
    }
    found
        .iter()
        .flatten()
        .filter_map(|(array, at)| arrow_text::number(*array, *at))
        .filter_map(|x| figures::decimals(narrow(found, x)))
        .max()
        .unwrap_or(0)
        .min(6)
}

/// 32-bit floats as their own shortest form, without the noise of widening.
fn narrow(found: &[Option<(&dyn Array, usize)>], x: f64) -> f64 {
    let is_32 = found.iter().flatten().next().is_some_and(|(array, _)| {
        matches!(array.data_type(), arrow::datatypes::DataType::Float32 | arrow::datatypes::DataType::Float16)
    });
    if is_32 { (x as f32).to_string().parse().unwrap_or(x) } else { x }
}

fn write(
    column: &GridColumn,
    array: &dyn Array,
    at: usize,
    decimals: usize,
    bound: &dyn Fn(usize) -> Option<f64>,
) -> CellWords {
    let number = arrow_text::number(array, at);
    let words = |text: String| CellWords { text, role: Role::Number };
    match (column.format, number) {
        (Format::Interval { lower, upper, signed }, Some(x)) => {
            let plus = if signed && x > 0.0 { "+" } else { "" };
            words(format!("{plus}{}", figures::interval(x, bound(lower), bound(upper))))
        }
        (Format::PValue, Some(x)) => words(figures::p_value(Some(x))),
        (Format::Signed, Some(x)) => {
            let role = if x.is_finite() { Role::Number } else { Role::Warning };
            CellWords { text: figures::signed(x, decimals.clamp(2, 4)), role }
        }
        (Format::Thousands, Some(_)) => {
            let whole = arrow_text::integer(array, at).map(figures::thousands);
            words(whole.unwrap_or_else(|| arrow_text::short(array, at, LONGEST).text))
        }
        (_, Some(x)) if column.kind == Kind::Float => {
            let role = if x.is_finite() { Role::Number } else { Role::Warning };
            CellWords { text: figures::fixed(x, decimals), role }
        }
        _ => {
            let value = arrow_text::short(array, at, LONGEST);
            match value.kind {
                Kind::Null => {
                    let text = if column.kind.is_number() { "n/a" } else { "∅" };
                    CellWords { text: text.into(), role: Role::Null }
                }
                kind => CellWords { text: value.text, role: role_of(kind) },
            }
        }
    }
}

fn role_of(kind: Kind) -> Role {
    match kind {
        Kind::Integer | Kind::Float | Kind::Decimal => Role::Number,
        Kind::Boolean => Role::Boolean,
        Kind::Time => Role::Time,
        Kind::Nested | Kind::Binary => Role::Nested,
        Kind::Null => Role::Null,
        Kind::Text => Role::Text,
    }
}
