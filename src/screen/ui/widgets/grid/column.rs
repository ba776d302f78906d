//! Which columns a table shows and how: plain ones as they come, `value, lower, upper` as one.

use arrow::datatypes::Schema;

use super::super::text::Align;
use crate::util::arrow_text::{self, Kind};

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// By the value's type alone.
    Plain,
    /// Counts: `4,870`.
    Thousands,
    /// `<.001`, `.31`.
    PValue,
    /// Differences and attributions: `+0.42`, `−0.30`.
    Signed,
    /// This column with the batch columns of its lower and upper bound: `.41 ±.03`; a difference has its
    /// sign, `+.04 ±.01`.
    Interval { lower: usize, upper: usize, signed: bool },
}

/// One displayed column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridColumn {
    pub name: String,
    /// Type or role, under the name: `text`, `query?`.
    pub note: String,
    /// Which column of the batch.
    pub source: usize,
    pub kind: Kind,
    pub format: Format,
}

impl GridColumn {
    pub fn align(&self) -> Align {
        if self.kind.is_number() { Align::Right } else { Align::Left }
    }
}

/// The columns to show of pages with this schema. `note` gives the line under a name (a role, a SQL
/// type) for a batch column; an empty one is replaced by the kind's word. With `compact`,
/// `value, lower, upper` become one column.
pub fn plan(schema: &Schema, compact: bool, note: &dyn Fn(usize) -> String) -> Vec<GridColumn> {
    let at = |name: &str| schema.fields().iter().position(|f| f.name() == name);
    // Of two runs, the difference has the interval.
    let change = at("baseline").is_some() && at("delta").is_some();
    let figure = if change { "delta" } else { "value" };
    let bounds = match (compact, at(figure), at("lower"), at("upper")) {
        (true, Some(value), Some(lower), Some(upper)) => Some((value, lower, upper)),
        _ => None,
    };
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (source, field) in schema.fields().iter().enumerate() {
        let kind = arrow_text::kind_of(field.data_type());
        let format = match bounds {
            Some((value, lower, upper)) if value == source => {
                Format::Interval { lower, upper, signed: change }
            }
            Some((_, lower, upper)) if lower == source || upper == source => continue,
            _ => guess_format(field.name(), kind),
        };
        let said = note(source);
        let note = if said.is_empty() { kind_word(kind).to_string() } else { said };
        columns.push(GridColumn { name: field.name().clone(), note, source, kind, format });
    }
    columns
}

/// Counts are grouped, identifiers never: `4,870` rows but item `48703921`.
fn guess_format(name: &str, kind: Kind) -> Format {
    let name = name.to_lowercase();
    let is_p = matches!(name.as_str(), "p" | "p_value" | "p_adjusted" | "held_p");
    match kind {
        Kind::Float | Kind::Decimal if is_p => Format::PValue,
        Kind::Float | Kind::Decimal
            if matches!(
                name.as_str(),
                "delta" | "divergence" | "searched_divergence" | "held_divergence" | "attribution"
            ) =>
        {
            Format::Signed
        }
        Kind::Integer if counts(&name) => Format::Thousands,
        _ => Format::Plain,
    }
}

fn counts(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "wins",
        "ties",
        "losses",
        "n",
        "n_na",
        "count",
        "rows",
        "shown",
        "clicks",
        "impressions",
        "total",
        "support",
        "queries",
        "items",
    ];
    WORDS.contains(&name) || name.starts_with("count(") || name.starts_with("n_") || name.ends_with("_count")
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Integer => "int",
        Kind::Float => "float",
        Kind::Decimal => "decimal",
        Kind::Boolean => "bool",
        Kind::Text => "text",
        Kind::Time => "time",
        Kind::Binary => "blob",
        Kind::Nested => "nested",
    }
}
