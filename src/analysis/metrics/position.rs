//! Clicks and purchases by position: how far down people look.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::columns::{counts, floats};
use super::{AnalysisError, Rows, roles};
use crate::analysis::Queries;
use crate::analysis::stats::wilson;

/// One position. Intervals are Wilson's, at 95 %: rows of a position come from different lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PositionLine {
    /// From 1; `None` for rows without one.
    pub position: Option<i64>,
    pub shown: u64,
    pub clicks: u64,
    /// Clicks per row with a label; `None` without any.
    pub ctr: Option<f64>,
    pub ctr_interval: Option<(f64, f64)>,
    pub purchases: u64,
    pub purchase_rate: Option<f64>,
    pub purchase_interval: Option<(f64, f64)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct PositionTable {
    /// From the top.
    pub lines: Vec<PositionLine>,
}

/// Click and purchase rate at each position of the rows. Needs the position role and a label.
pub fn positions(queries: &mut dyn Queries, rows: &Rows) -> Result<PositionTable, AnalysisError> {
    if rows.roles.position.is_none() {
        return Err(AnalysisError::request("rates by position need a position column")
            .with_hint("add position = \"position\" to the cell, or to `schema:` in the front matter"));
    }
    let batch = queries.rows("metrics/positions", &roles::positions(rows))?;
    let (shown, labelled) = (counts(&batch, "shown")?, counts(&batch, "labelled")?);
    let (clicks, asked) = (counts(&batch, "clicks")?, counts(&batch, "asked")?);
    let purchases = counts(&batch, "purchases")?;
    let position = floats(&batch, "position")?;
    let rate = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    let mut lines = Vec::with_capacity(shown.len());
    let columns =
        position.iter().zip(shown).zip(labelled.iter().zip(clicks)).zip(asked.iter().zip(purchases));
    for (((position, shown), (&labelled, clicks)), (&asked, purchases)) in columns {
        lines.push(PositionLine {
            position: (!position.is_nan()).then_some(*position as i64),
            shown,
            clicks,
            ctr: rate(clicks, labelled),
            ctr_interval: wilson(clicks, labelled, 0.05),
            purchases,
            purchase_rate: rate(purchases, asked),
            purchase_interval: wilson(purchases, asked, 0.05),
        });
    }
    Ok(PositionTable { lines })
}

impl PositionTable {
    /// Columns `position, shown, clicks, ctr, ctr_lower, ctr_upper, purchases, purchase_rate,
    /// purchase_lower, purchase_upper`; n/a is NULL.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let lines = &self.lines;
        let count = |get: fn(&PositionLine) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(lines.iter().map(get)))
        };
        let number = |get: fn(&PositionLine) -> Option<f64>| -> ArrayRef {
            Arc::new(lines.iter().map(get).collect::<Float64Array>())
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("position", Arc::new(lines.iter().map(|line| line.position).collect::<Int64Array>())),
            ("shown", count(|line| line.shown)),
            ("clicks", count(|line| line.clicks)),
            ("ctr", number(|line| line.ctr)),
            ("ctr_lower", number(|line| line.ctr_interval.map(|interval| interval.0))),
            ("ctr_upper", number(|line| line.ctr_interval.map(|interval| interval.1))),
            ("purchases", count(|line| line.purchases)),
            ("purchase_rate", number(|line| line.purchase_rate)),
            ("purchase_lower", number(|line| line.purchase_interval.map(|interval| interval.0))),
            ("purchase_upper", number(|line| line.purchase_interval.map(|interval| interval.1))),
        ];
        let field = |(name, column): &(&str, ArrayRef)| {
            Field::new(*name, column.data_type().clone(), column.data_type() != &DataType::UInt64)
        };
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
    }
}
